/**
 * Loops of programs in memory: what every block reads, makes and hands on, as copies of bytes.
 *
 * @module
 */
import { BYTES, type TypedArray } from "../../dtype.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import { bytesOf } from "../../program/plan.ts";
import {
  type BlockResult,
  type BlockRun,
  isShared,
  type RowLoop,
} from "../../program/row_blocks.ts";
import type { Frame } from "./frame.ts";

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

/** Something that is done to a block, given its number in its run. */
type Action = (block: number) => void;

/** What is done to the blocks of a run in one of its frames. */
interface RunActions {
  /** Before the first block: the first carries come. */
  begin: Action[];
  /** Before each block: its rows come. */
  rows: Action[];
  instructions: readonly Instruction[];
  /** After each block: its results go, and the carries of the next one come. */
  next: Action[];
  /** After the last block: the last carries go. */
  end: Action[];
  /** Whether there is another block, where it does not go by the count. */
  ends: TypedArray | undefined;
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
  const runs = loop.runs.map((run, i) =>
    bodies[i]!.map((body, f, all) =>
      actionsOf(run, loop.results, given, out, body, all[(f + 1) % all.length]!.frame)
    )
  );
  return () =>
    loop.runs.forEach(({ count }, i) => {
      const frames = runs[i]!;
      let own = frames[0]!;
      for (const act of own.begin) act(0);
      for (let k = 0; k < count && (own.ends === undefined || own.ends[0] !== 0); k++) {
        for (const act of own.rows) act(k);
        for (const instruction of own.instructions) instruction.run();
        for (const act of own.next) act(k);
        own = frames[(k + 1) % frames.length]!;
      }
      for (const act of own.end) act(0);
    });
}

function actionsOf(
  { body, first, inputs, ends }: BlockRun,
  results: readonly BlockResult[],
  given: readonly number[],
  out: TypedArray,
  { frame, instructions }: FramedBody,
  then: Frame,
): RunActions {
  const memory = new Uint8Array(out.buffer);
  const copy = (from: number, to: number, bytes: number, fromStep = 0, toStep = 0): Action => {
    return (block) => {
      const start = from + block * fromStep;
      memory.copyWithin(to + block * toStep, start, start + bytes);
    };
  };
  const ending = ends === undefined ? undefined : frame.view(body.inputs[ends]!).data;
  const own: RunActions = { begin: [], rows: [], instructions, next: [], end: [], ends: ending };
  const placeOf = (start: number) => out.byteOffset + start * out.BYTES_PER_ELEMENT;
  const handed: Move[] = [];
  body.inputs.forEach((id, i) => {
    const { from, start, step = 0, carry } = inputs[i]!;
    if (isShared(inputs[i]!)) return;
    const [at, bytes] = [frame.offsets.get(id)!, bytesOf(body, id)];
    const width = BYTES[body.values[id]!.dtype];
    const come = copy(given[from]! + start * width, at, bytes, step * width);
    if (carry === undefined) return own.rows.push(come);
    own.begin.push(come);
    const [made, to] = [frame.offsets.get(body.outputs[carry]!)!, then.offsets.get(id)!];
    if (made !== to) handed.push({ from: made, to, bytes });
    const result = results.find(({ output, combine }) => output === carry && combine === "last");
    if (result !== undefined) own.end.push(copy(at, placeOf(result.start), bytes));
  });
  results.forEach(({ output, combine, start, step }) => {
    const id = body.outputs[output]!;
    const { data, size } = frame.view(id);
    if (combine === "concat") {
      const to = placeOf(start + first * step);
      own.next.push(
        copy(frame.offsets.get(id)!, to, data.byteLength, 0, step * out.BYTES_PER_ELEMENT),
      );
    } else if (combine === "sum") {
      const total = out.subarray(start, start + size) as TypedArray;
      own.next.push((block) => addUp(data, total, first + block === 0));
    }
  });
  own.next.push(...handOver(handed, memory));
  return own;
}

/** Bytes that go elsewhere at once. */
interface Move {
  from: number;
  to: number;
  bytes: number;
}

/** Carries on their way to the next block: what lies where another one goes is put aside. */
function handOver(moves: readonly Move[], memory: Uint8Array): Action[] {
  const isAside = ({ from }: Move) => moves.some(({ to }) => to === from);
  const aside = moves.filter(isAside).map(({ from, to, bytes }) => {
    const kept = new Uint8Array(bytes);
    const [here, there] = [from, to].map((start) => memory.subarray(start, start + bytes));
    return { leave: () => kept.set(here!), arrive: () => there!.set(kept) };
  });
  const others = moves.filter((move) => !isAside(move));
  return [
    ...aside.map(({ leave }) => leave),
    ...others.map(({ from, to, bytes }) => () => void memory.copyWithin(to, from, from + bytes)),
    ...aside.map(({ arrive }) => arrive),
  ];
}

function addUp(result: TypedArray, total: TypedArray, isFirst: boolean): void {
  if (isFirst) (total as Float64Array).set(result);
  else for (let i = 0; i < total.length; i++) total[i]! += result[i]!;
}
