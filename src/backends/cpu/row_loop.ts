/**
 * Loops of programs in memory: what every block reads, makes and hands on, as copies of bytes.
 *
 * @module
 */
import { BYTES, type TypedArray } from "../../dtype.ts";
import type { ValueId } from "../../program/graph.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import { bytesOf } from "../../program/plan.ts";
import type { BlockResult, BlockRun, RowLoop } from "../../program/row_blocks.ts";
import type { Frame } from "./frame.ts";

/** Bytes from one place to another, which for each block are further on by steps. */
interface Move {
  readonly from: number;
  readonly fromStep: number;
  readonly to: number;
  readonly toStep: number;
  readonly bytes: number;
}

/** Results that are added up. */
interface Sum {
  readonly result: TypedArray;
  readonly total: TypedArray;
}

/** Bytes that are put aside on their way. */
interface Swap {
  readonly from: Uint8Array;
  readonly kept: Uint8Array;
  readonly to: Uint8Array;
}

/** What is done to the blocks of a run, besides its body. */
interface RunMoves {
  /** Before the first block: the first carries. */
  readonly begin: readonly Move[];
  /** Before each block: its rows. */
  readonly rows: readonly Move[];
  /** After each block: its results. */
  readonly results: readonly Move[];
  readonly sums: readonly Sum[];
  /** Carries that lie where others of the next block go, and where they are kept meanwhile. */
  readonly swapped: readonly Swap[];
  /** After that: the other carries of the next block. */
  readonly next: readonly Move[];
  /** After the last block: the last carries. */
  readonly end: readonly Move[];
  /** Whether there is another block, where it does not go by the count. */
  readonly ends: TypedArray | undefined;
}

/** What is done for a unit. */
export interface Instruction {
  readonly unit: Unit;
  run: () => void;
}

/** A body in a frame: what is done in a turn. */
export interface FramedBody {
  frame: Frame;
  instructions: readonly Instruction[];
}

/**
 * A loop whose bodies are done by instructions, in frames that take turns. Its inputs start at
 * `given`; its output is `out`.
 */
export function rowLoop(
  loop: RowLoop,
  given: readonly number[],
  out: TypedArray,
  bodies: readonly (readonly FramedBody[])[],
): () => void {
  const memory = new Uint8Array(out.buffer);
  const turns = loop.runs.map((run, i) =>
    bodies[i]!.map(({ frame, instructions }, f, { length }) => {
      const then = bodies[i]![(f + 1) % length]!.frame;
      return { instructions, ...movesOf(run, loop.results, given, out, frame, then) };
    })
  );
  return () =>
    loop.runs.forEach(({ first, count }, i) => {
      const frames = turns[i]!;
      let turn = frames[0]!;
      copy(memory, turn.begin, 0);
      for (let k = 0; k < count && (turn.ends === undefined || turn.ends[0] !== 0); k++) {
        const { rows, instructions, results, sums, swapped, next } = turn;
        copy(memory, rows, k);
        for (const instruction of instructions) instruction.run();
        copy(memory, results, k);
        for (const { result, total } of sums) addUp(result, total, first + k === 0);
        for (const { from, kept } of swapped) kept.set(from);
        copy(memory, next, 0);
        for (const { kept, to } of swapped) to.set(kept);
        turn = frames[(k + 1) % frames.length]!;
      }
      copy(memory, turn.end, 0);
    });
}

/** Bytes from one place to another of the same memory. */
function copy(memory: Uint8Array, moves: readonly Move[], block: number): void {
  for (let i = 0; i < moves.length; i++) {
    const { from, fromStep, to, toStep, bytes } = moves[i]!;
    const start = from + block * fromStep;
    memory.copyWithin(to + block * toStep, start, start + bytes);
  }
}

function addUp(result: TypedArray, total: TypedArray, isFirst: boolean): void {
  if (isFirst) (total as Float64Array).set(result);
  else for (let i = 0; i < total.length; i++) total[i]! += result[i]!;
}

function movesOf(
  run: BlockRun,
  results: readonly BlockResult[],
  given: readonly number[],
  out: TypedArray,
  frame: Frame,
  then: Frame,
): RunMoves {
  const { body, inputs, ends } = run;
  const at = (id: ValueId) => frame.offsets.get(id)!;
  const made = resultMoves(run, results, out, frame);
  const read = body.inputs.map((id, i) => {
    const { from, start, step = 0, carry } = inputs[i]!;
    const bytes = BYTES[body.values[id]!.dtype];
    const move = oneMove(given[from]! + start * bytes, at(id), bytesOf(body, id));
    return { id, carry, isRow: inputs[i]!.step !== undefined, ...move, fromStep: step * bytes };
  });
  const carried = read.filter(({ carry }) => carry !== undefined);
  const handed = carried.map(({ id, carry, bytes }) =>
    oneMove(at(body.outputs[carry!]!), then.offsets.get(id)!, bytes)
  ).filter(({ from, to }) => from !== to);
  const isSwapped = ({ from }: Move) => handed.some(({ to }) => to === from);
  const bytesAt = (start: number, bytes: number) => new Uint8Array(out.buffer, start, bytes);
  return {
    begin: carried.map(asMove),
    rows: read.filter(({ isRow }) => isRow).map(asMove),
    results: made.filter(({ combine }) => combine === "concat").map(asMove),
    sums: made.filter(({ combine }) => combine === "sum"),
    swapped: handed.filter(isSwapped).map(({ from, to, bytes }) => ({
      from: bytesAt(from, bytes),
      kept: new Uint8Array(bytes),
      to: bytesAt(to, bytes),
    })),
    next: handed.filter((move) => !isSwapped(move)),
    end: carried.flatMap(({ id, carry }) =>
      made[carry!]?.combine === "last" ? [asMove({ ...made[carry!]!, from: at(id) })] : []
    ),
    ends: ends === undefined ? undefined : frame.view(body.inputs[ends]!).data,
  };
}

/** Where the results of a run go. */
function resultMoves(
  { body, first }: BlockRun,
  results: readonly BlockResult[],
  out: TypedArray,
  frame: Frame,
): (Move & Sum & Pick<BlockResult, "combine">)[] {
  const width = out.BYTES_PER_ELEMENT;
  return results.map(({ combine, start, step }, r) => {
    const id = body.outputs[r]!;
    const { data, size } = frame.view(id);
    const to = out.byteOffset + (start + first * step) * width;
    const move = oneMove(frame.offsets.get(id)!, to, bytesOf(body, id));
    const total = out.subarray(start, start + size) as TypedArray;
    return { combine, ...move, toStep: step * width, result: data, total };
  });
}

function oneMove(from: number, to: number, bytes: number): Move {
  return { from, fromStep: 0, to, toStep: 0, bytes };
}

/** A move and nothing else: one kind of object is copied by. */
function asMove({ from, fromStep, to, toStep, bytes }: Move): Move {
  return { from, fromStep, to, toStep, bytes };
}
