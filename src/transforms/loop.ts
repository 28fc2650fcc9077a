/**
 * The operation underneath all loops: a body, a carry that goes from turn to turn, rows that are read
 * and rows that are made.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { allocate, type DType, isFloating, type TypedArray } from "../dtype.ts";
import type { LoopOp, Spec } from "../op.ts";
import { notEqual, reshape, slice } from "../ops/mod.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { fromData, type Tensor, tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Body, dearValues, interpret, recordBody, type Recorded, specOf } from "./body.ts";
import { linearize } from "./linearize.ts";

/** A loop. Its inputs are those of the body: first values of the carry, rows, what is captured. */
export interface Loop {
  /** The function's name, for messages. */
  readonly name: string;
  /** From a carry, a row of each and what is captured to the next carry and a row of each result. */
  readonly body: Body;
  /** How many tensors the carry has. */
  readonly carries: number;
  /** How many inputs are read row by row. */
  readonly rows: number;
  /** How many turns; at most so many where it ends by itself. */
  readonly length: number;
  /** Whether the last row comes first. */
  readonly reverse: boolean;
  /** Whether the first tensor of the carry says if there is another turn. */
  readonly ends?: boolean;
  /** What results go on with for the way back. */
  readonly history?: History;
}

/** What is kept of every turn. */
interface History {
  /** Which output of the body is the carry before the turn, from there on. */
  readonly start: number;
  /** The numbers of values that follow, as it would take long to compute them again. */
  readonly values: readonly number[];
}

/** One type of what a loop gives: operations have one result, so each type is one of its own. */
export interface LoopParams {
  readonly loop: Loop;
  readonly dtype: DType;
  /** What a tape keeps for the way back. */
  readonly kept?: Kept;
}

/** A loop that was done under a tape. */
interface Kept {
  /** The same loop, of a known length. */
  base: Loop;
  /** The one whose results go on with the history. */
  whole: Loop;
  /** The results of the whole one, of one type. */
  packed: Tensor;
}

/** A result of a loop in the packed output of its type. */
export interface LoopResult extends Spec {
  /** Which output of the body it is, or ends as. */
  output: number;
  /** Its first element. */
  start: number;
}

/** What a loop gives of one type, one behind the other: the last carry, and rows. */
export function resultsOf({ body, carries, length }: Loop, dtype: DType): LoopResult[] {
  let start = 0;
  return body.outputs.flatMap((_, output): LoopResult[] => {
    const { shape: own, dtype: type } = specOf(body, output);
    if (type !== dtype) return [];
    const shape = output < carries ? own : [length, ...own];
    const result = { output, start, shape, dtype };
    start += sizeOf(shape);
    return [result];
  });
}

function sizeOfResults(loop: Loop, dtype: DType): number {
  const last = resultsOf(loop, dtype).at(-1);
  return last === undefined ? 0 : last.start + sizeOf(last.shape);
}

/** A loop. */
export const loopOp: LoopOp<LoopParams> = {
  kind: "loop",
  name: "loop",
  infer(_inputs, { loop, dtype }) {
    return { shape: [sizeOfResults(loop, dtype)], dtype };
  },
  forward(inputs, { loop, dtype }, { shape }) {
    const results = runOnce(loop, inputs);
    const out = allocate(dtype, sizeOf(shape));
    for (const { output, start } of resultsOf(loop, dtype)) {
      (out as Float64Array).set(results[output]!, start);
    }
    return out;
  },
  keep(inputs, params) {
    const { loop, dtype } = params;
    if (!Number.isFinite(loop.length)) return { value: apply(loopOp, inputs, params), params };
    const { base, whole } = withHistory(loop);
    const packed = apply(loopOp, inputs, { loop: whole, dtype });
    const value = whole === loop ? packed : slice(packed, 0, sizeOfResults(loop, dtype));
    return { value, params: { loop, dtype, kept: { base, whole, packed } } };
  },
  vjp(g, _output, inputs, { loop: { name }, dtype, kept }, wanted) {
    if (kept === undefined) {
      throw new TypeError(
        `Cannot compute the gradient of ${name} as a carry is kept for every turn: pass max, the ` +
          `most turns that there can be`,
      );
    }
    const cotangents = unpack(g, resultsOf(kept.base, dtype));
    return pullLoop(kept.base, cotangents, historyOf(kept, dtype, inputs), inputs, wanted);
  },
};

/** The last results of loops of several types, as each type asks for its own. */
const last = new WeakMap<Loop, { inputs: readonly Tensor[]; results: TypedArray[] }>();

function runOnce(loop: Loop, inputs: readonly Tensor[]): TypedArray[] {
  const known = last.get(loop);
  if (known?.inputs.every((x, i) => x === inputs[i])) return known.results;
  const results = run(loop, inputs);
  const types = new Set(results.keys().map((k) => specOf(loop.body, k).dtype));
  if (types.size > 1) last.set(loop, { inputs, results });
  return results;
}

/** The values of all results. */
function run(loop: Loop, inputs: readonly Tensor[]): TypedArray[] {
  const { body, carries, rows, length, reverse, ends = false } = loop;
  let carry = inputs.slice(0, carries);
  const captured = inputs.slice(carries + rows);
  const made = body.outputs.slice(carries).map((_, k) => {
    const { shape, dtype } = specOf(body, carries + k);
    return allocate(dtype, length * sizeOf(shape));
  });
  for (let turn = 0; turn < length && !(ends && carry[0]!.data[0] === 0); turn++) {
    const at = reverse ? length - 1 - turn : turn;
    const read = inputs.slice(carries, carries + rows).map((x) => rowOf(x, at));
    const results = interpret(body, [...carry, ...read, ...captured]);
    carry = results.slice(0, carries);
    made.forEach((out, k) => {
      const { data } = results[carries + k]!;
      (out as Float64Array).set(data, at * data.length);
    });
  }
  return [...carry.map(({ data }) => data), ...made];
}

/** A row, in the memory of all. */
function rowOf({ shape: [, ...shape], data, dtype }: Tensor, at: number): Tensor {
  const size = sizeOf(shape);
  return fromData(data.subarray(at * size, (at + 1) * size), shape, dtype);
}

/** Whether there is one turn or none: on the way back, too. */
function isChoice({ ends, length }: Loop): boolean {
  return ends === true && length === 1;
}

/** Loops by those that keep nothing: all types of one loop are of the same. */
const keeping = new WeakMap<Loop, Pick<Kept, "base" | "whole">>();

/** The loop whose results go on with the carry before every turn, and what is dear. */
function withHistory(loop: Loop): Pick<Kept, "base" | "whole"> {
  if (loop.history !== undefined || isChoice(loop)) return { base: loop, whole: loop };
  const known = keeping.get(loop);
  if (known !== undefined) return known;
  const base = loop.ends ? ofFixedLength(loop) : loop;
  const { body, carries, rows } = base;
  const values = valuesToKeep(body, carries + rows);
  const outputs = [...body.outputs, ...body.inputs.slice(0, carries), ...values];
  const history = { start: body.outputs.length, values };
  const made = { base, whole: { ...base, body: { ...body, outputs }, history } };
  keeping.set(loop, made);
  return made;
}

/** Values that take long to compute, twice as much as the carry and the rows of a turn at most. */
function valuesToKeep(body: Body, own: number): number[] {
  const room = (id: number) => sizeOf(body.values[id]!.shape);
  let left = 2 * body.inputs.slice(0, own).reduce((sum, id) => sum + room(id), 0);
  return dearValues(body).filter((id) => {
    const fits = room(id) <= left;
    if (fits) left -= room(id);
    return fits;
  });
}

/**
 * A loop that ends by itself as one of all its turns, each of which is done or not. The last tensor
 * of its carry is not 0 where it goes on, in the type of another one: one loop gives both.
 */
function ofFixedLength({ ends: _, ...loop }: Loop): Loop {
  const { name, body, carries } = loop;
  const turn = { name, body, length: 1, reverse: false, ends: true };
  const again = recordBody(name, body.inputs.map((id) => body.values[id]!), (live) => {
    const { carry: [, ...next] } = runLoop(turn, live.slice(0, carries), [], live.slice(carries));
    return [notEqual(next.at(-1)!, 0), ...next];
  });
  return { ...loop, body: again.body };
}

/** The carry before every turn, and values of every turn. */
function historyOf({ whole, packed }: Kept, dtype: DType, inputs: readonly Tensor[]): Known {
  if (isChoice(whole)) return { before: [], values: new Map() };
  const results = new Map([[dtype, packed]]);
  const { start, values } = whole.history!;
  const found = whole.body.outputs.slice(start).map((_, k) => {
    const { dtype: own } = specOf(whole.body, start + k);
    const all = results.get(own) ?? apply(loopOp, inputs, { loop: whole, dtype: own });
    results.set(own, all);
    return unpack(all, resultsOf(whole, own)).get(start + k)!;
  });
  const before = found.slice(0, whole.carries);
  return { before, values: new Map(values.map((id, k) => [id, found[whole.carries + k]!])) };
}

/** Rows of what is known of every turn; nothing of a choice, whose inputs are all that there is. */
interface Known {
  /** The carry before it. */
  before: readonly Tensor[];
  /** Values by their numbers. */
  values: ReadonlyMap<number, Tensor>;
}

/** The results of one type by the number of the body's output. */
function unpack(packed: Tensor, results: readonly LoopResult[]): Map<number, Tensor> {
  return new Map(results.map(({ output, start, shape }) => {
    const flat = slice(packed, start, start + sizeOf(shape));
    return [output, reshape(flat, shape)];
  }));
}

/** What a loop gives. */
export interface LoopResults {
  /** The last carry. */
  carry: Tensor[];
  /** The rows of all turns, in the places of those that were read. */
  ys: Tensor[];
}

/** Does a loop over what it is given and what its body captured. */
export function runLoop(
  loop: Omit<Loop, "carries" | "rows">,
  init: readonly Tensor[],
  xs: readonly Tensor[],
  captured: readonly Tensor[],
): LoopResults {
  const { body, length } = loop;
  const specs = body.outputs.map((_, k) => specOf(body, k));
  if (length === 0) {
    const empty = specs.slice(init.length).map(({ shape, dtype }) =>
      zeros([0, ...shape], { dtype })
    );
    return { carry: [...init], ys: empty };
  }
  const whole: Loop = { ...loop, carries: init.length, rows: xs.length };
  const found = new Map<number, Tensor>();
  for (const dtype of new Set(specs.map((spec) => spec.dtype))) {
    const packed = apply(loopOp, [...init, ...xs, ...captured], { loop: whole, dtype });
    for (const [k, y] of unpack(packed, resultsOf(whole, dtype))) found.set(k, y);
  }
  const all = specs.map((_, k) => found.get(k)!);
  return { carry: all.slice(0, init.length), ys: all.slice(init.length) };
}

/** Shape and type of one row. */
export function rowSpec({ shape, dtype }: Tensor): Spec {
  return { shape: shape.slice(1) as Shape, dtype };
}

/** Where a loop's inputs are differentiated, by their numbers. */
interface Live {
  /** All of them. */
  readonly all: readonly number[];
  /** Those whose cotangents go on from turn to turn: carries, and what is captured. */
  readonly kept: readonly number[];
  /** Those whose cotangents are rows. */
  readonly rows: readonly number[];
  /** Which outputs are rows with a cotangent. */
  readonly made: readonly number[];
}

/**
 * The cotangents of a loop's inputs: a loop in the other direction, whose carry is the cotangent of
 * the carry, and of what is captured so far. Its rows are the carries before each turn and the loop's
 * own, the cotangents of what they gave, and values that are known.
 */
function pullLoop(
  loop: Loop,
  cotangents: ReadonlyMap<number, Tensor>,
  history: Known,
  inputs: readonly Tensor[],
  wanted: readonly boolean[],
): (Tensor | null)[] {
  const { name, carries, rows, length, reverse } = loop;
  const isRow = (i: number) => i >= carries && i < carries + rows;
  const all = [...inputs.keys()].filter((i) =>
    (i < carries || wanted[i]!) && isFloating(inputs[i]!.dtype)
  );
  const live: Live = {
    all,
    kept: all.filter((i) => !isRow(i)),
    rows: all.filter(isRow),
    made: [...cotangents.keys()].filter((k) => k >= carries),
  };
  const start = live.kept.map((i) => {
    const { shape, dtype } = inputs[i]!;
    return (i < carries ? cotangents.get(i) : undefined) ?? zeros(shape, { dtype });
  });
  const xs = [
    ...history.before,
    ...inputs.slice(carries, carries + rows),
    ...live.made.map((k) => cotangents.get(k)!),
    ...history.values.values(),
  ];
  const flags = flagsOf(loop, inputs);
  const { body, captured } = recordBack(loop, live, history, { start, xs, inputs });
  const turns = { name, body, length, reverse: !reverse, ends: flags.length > 0 };
  const { carry, ys } = runLoop(turns, [...flags, ...start], xs, captured);
  return wanted.map((isWanted, i) => {
    if (!isWanted || !all.includes(i)) return null;
    return isRow(i) ? ys[live.rows.indexOf(i)]! : carry[flags.length + live.kept.indexOf(i)]!;
  });
}

/** What says whether a choice was made: it is made on the way back where it was made before. */
function flagsOf(loop: Loop, inputs: readonly Tensor[]): Tensor[] {
  return isChoice(loop) ? [inputs[0]!] : [];
}

/** What the way back over a loop is given: cotangents to start from, rows, and the loop's inputs. */
interface Given {
  start: readonly Tensor[];
  xs: readonly Tensor[];
  inputs: readonly Tensor[];
}

/** Records the way back over one turn. */
function recordBack(
  loop: Loop,
  live: Live,
  history: Known,
  { start, xs, inputs }: Given,
): Recorded {
  const flags = flagsOf(loop, inputs);
  // What a turn computes of what it captures is computed before all turns, but not before a choice.
  const inside = flags.length > 0 ? inputs : [];
  const specs = [...flags, ...start, ...xs.map(rowSpec), ...inside];
  const { body, captured } = recordBody(loop.name, specs, (given) => {
    let at = flags.length;
    const take = (count: number) => given.slice(at, at += count);
    const later = take(start.length);
    const read = take(history.before.length + loop.rows);
    const rowCotangents = take(live.made.length);
    const values = take(history.values.size);
    const known = new Map([...history.values.keys()].map((id, i) => [id, values[i]!]));
    const shared = inputs.slice(loop.carries + loop.rows);
    const primals = flags.length > 0 ? take(inputs.length) : [...read, ...shared];
    const pulled = pullTurn(loop, live, primals, known, [...later, ...rowCotangents]);
    const some = (ids: readonly number[]) => ids.map((i) => pulled[live.all.indexOf(i)]!);
    return [...flags.map(() => tensor(false)), ...some(live.kept), ...some(live.rows)];
  });
  return { body, captured: [...inside, ...captured] };
}

/** The cotangents of what is live in a turn, given those of what is kept and then of what is made. */
function pullTurn(
  { name, body, carries }: Loop,
  live: Live,
  primals: readonly Tensor[],
  known: ReadonlyMap<number, Tensor>,
  cotangents: readonly Tensor[],
): Tensor[] {
  const again = (...watched: Tensor[]) => {
    const all = [...primals];
    live.all.forEach((i, k) => all[i] = watched[k]!);
    const results = interpret(body, all, known);
    const kept = live.kept.map((i) => (i < carries ? results : all)[i]!);
    return [...kept, ...live.made.map((k) => results[k]!)];
  };
  return linearize(name, again, live.all.map((i) => primals[i]!)).pull(cotangents) as Tensor[];
}
