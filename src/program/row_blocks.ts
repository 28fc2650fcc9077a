/**
 * Loops of programs: a body that is done to one block of rows after the other.
 *
 * @module
 */
import { allocate, type TypedArray } from "../dtype.ts";
import type { LoopOp, RowBlocks, Spec } from "../op.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { fromData, Tensor } from "../tensor.ts";
import type { Graph, Step, ValueId } from "./graph.ts";

/** The parameters of a step that is a loop; blocks are the turns of one that goes over rows. */
export interface RowLoop {
  /** The name of the function that loops. */
  readonly name: string;
  /** Neighbouring blocks that are done by the same body, in order. */
  readonly runs: readonly BlockRun[];
  /** Where the results of bodies go. */
  readonly results: readonly BlockResult[];
  /** Shape and type of the step's output: the result, or all of them one behind the other. */
  readonly spec: Spec;
}

/** Blocks that are done by the same body. */
export interface BlockRun {
  /** What is done to a block. */
  readonly body: Graph;
  /** The first block. */
  readonly first: number;
  /** How many blocks. */
  readonly count: number;
  /** What the body's inputs are, in order. */
  readonly inputs: readonly BlockInput[];
  /** Which of the body's inputs says whether there is another block; else it goes by the count. */
  readonly ends?: number;
}

/** An input of a body. */
export interface BlockInput {
  /** Which of the step's inputs it is, or is cut from. */
  readonly from: number;
  /** Its first element for the first block of the run. */
  readonly start: number;
  /** From there to its first element for the next block; `undefined` where all see the same. */
  readonly step: number | undefined;
  /** Which of the body's outputs the next block sees instead: the first one sees what is given. */
  readonly carry?: number;
}

/** Where an input lies that is the same for all blocks. */
export const SHARED = { start: 0, step: undefined } as const;

/** Whether all blocks see the same, which therefore may lie outside of the body. */
export function isShared({ step, carry }: BlockInput): boolean {
  return step === undefined && carry === undefined;
}

/** A result of all blocks in the step's output. */
export interface BlockResult {
  /** Which of the bodies' outputs it is. */
  readonly output: number;
  /** Whether blocks lie one behind the other, are added up, or are the last carry. */
  readonly combine: "concat" | "sum" | "last";
  /** The first element of the first block's. */
  readonly start: number;
  /** From there to the first element of the next block's; 0 where there is one for all. */
  readonly step: number;
}

/** What recording a body gives: a graph whose last inputs are these tensors from outside. */
export interface RecordedBody {
  graph: Graph;
  captured: readonly Tensor[];
}

/** Runs a function on tensors without values, within what is being recorded. */
export type RecordBody = (
  specs: readonly Spec[],
  f: (inputs: Tensor[]) => readonly Tensor[],
) => RecordedBody;

/** A loop over blocks of rows. It exists in programs only, where executors run its bodies. */
export const rowLoopOp: LoopOp<RowLoop> = {
  kind: "loop",
  name: "mapRowBlocks",
  infer: (_inputs, { spec }) => spec,
  forward() {
    throw new TypeError("Cannot compute a loop of a program as an operation");
  },
  vjp: null,
};

/** The loop of a step, if it is one. */
export function loopIn({ op, params }: Step): RowLoop | undefined {
  return op.kind === "loop" ? params as RowLoop : undefined;
}

/** Blocks that do the same, as they are recorded one after the other. */
interface OpenRun {
  body: RecordedBody;
  first: number;
  /** The constants of each block, those of the body where they have the same values. */
  constants: ReadonlyMap<ValueId, Tensor>[];
}

/**
 * Records what is done to every block. Bodies that do the same are kept once: what differs between
 * them are at most constants, such as the offset, which become an input of one row per block.
 */
export function recordRowLoop(
  name: string,
  blocks: RowBlocks,
  inputs: readonly Tensor[],
  recordBody: RecordBody,
): { inputs: Tensor[]; params: RowLoop } {
  const { f, combine, rowInputs, height } = blocks;
  const rows = rowInputs === 0 ? 0 : inputs[0]!.shape[0]!;
  const runs: OpenRun[] = [];
  for (let block = 0; block === 0 || block * height < rows; block++) {
    const count = Math.min(height, rows - block * height);
    const specs = inputs.map(({ shape, dtype }, i): Spec =>
      i < rowInputs ? { shape: [count, ...shape.slice(1)], dtype } : { shape, dtype }
    );
    const body = recordBody(
      specs,
      (live) => f(live.slice(0, rowInputs), live.slice(rowInputs), block * height),
    );
    const last = runs.at(-1);
    if (last !== undefined && isSame(outlineOf(last.body), outlineOf(body))) {
      const known = last.body.graph.constants;
      const constants = [...body.graph.constants].map(([id, own]) =>
        [id, hasSameValues(known.get(id)!, own) ? known.get(id)! : own] as const
      );
      last.constants.push(new Map(constants));
    } else runs.push({ body, first: block, constants: [body.graph.constants] });
  }
  const all = [...inputs];
  const closed = runs.map((run) => closeRun(run, blocks, inputs.length, all));
  return {
    inputs: all,
    params: { name, runs: closed, ...placeResults(runs[0]!, combine, rows, height) },
  };
}

/** Everything about a body but the values of its constants. */
function outlineOf({ graph, captured }: RecordedBody): unknown {
  const { values, inputs, outputs, steps, constants } = graph;
  return { values, inputs, outputs, steps, captured, constants: [...constants.keys()] };
}

/** The run; what it needs besides the given inputs is added to `all`. */
function closeRun(
  { body: { graph, captured }, first, constants }: OpenRun,
  { rowInputs, height }: RowBlocks,
  given: number,
  all: Tensor[],
): BlockRun {
  const add = (x: Tensor) => all.includes(x) ? all.indexOf(x) : all.push(x) - 1;
  const fixed = new Map(
    [...graph.constants].filter(([id, x]) => constants.every((own) => own.get(id) === x)),
  );
  const varying = [...graph.constants.keys()].filter((id) => !fixed.has(id));
  const inputs = [
    ...graph.inputs.slice(0, given).map((_, from): BlockInput => {
      if (from >= rowInputs) return { from, ...SHARED };
      const step = height * sizeOf(all[from]!.shape.slice(1));
      return { from, start: first * step, step };
    }),
    ...captured.map((x): BlockInput => ({ from: add(x), ...SHARED })),
    ...varying.map((id): BlockInput => {
      const rows = constants.map((own) => own.get(id)!);
      return { from: add(stack(rows)), start: 0, step: rows[0]!.size };
    }),
  ];
  const body = { ...graph, inputs: [...graph.inputs, ...varying], constants: fixed };
  return { body, first, count: constants.length, inputs };
}

/** Where the results lie, given the first body. */
function placeResults(
  { body: { graph } }: OpenRun,
  combine: RowBlocks["combine"],
  rows: number,
  height: number,
): Pick<RowLoop, "results" | "spec"> {
  const specs = graph.outputs.map((id, k): Spec => {
    const { shape, dtype } = graph.values[id]!;
    return { shape: combine[k] === "sum" ? shape : [rows, ...shape.slice(1)], dtype };
  });
  let start = 0;
  const results = specs.map(({ shape }, output): BlockResult => {
    const step = combine[output] === "sum" ? 0 : height * sizeOf(shape.slice(1));
    const result = { output, combine: combine[output]!, start, step };
    start += sizeOf(shape);
    return result;
  });
  const { shape, dtype } = specs[0]!;
  return { results, spec: { shape: specs.length === 1 ? shape : [start], dtype } };
}

/** Whether two descriptions say the same; functions and records of operations by identity. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Tensor && b instanceof Tensor) return isSameTensor(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Map && b instanceof Map) return isSame([...a], [...b]);
  const isPlain = Array.isArray(a) || Object.getPrototypeOf(a) === Object.prototype;
  if (!isPlain || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [left, right] = [a, b] as Record<string, unknown>[];
  const keys = Object.keys(left!);
  return keys.length === Object.keys(right!).length &&
    keys.every((key) => Object.hasOwn(right!, key) && isSame(left![key], right![key]));
}

/** Whether two tensors are alike, as far as their values are at hand. */
function isSameTensor(a: Tensor, b: Tensor): boolean {
  return ArrayBuffer.isView(a.source) && ArrayBuffer.isView(b.source) && a.dtype === b.dtype &&
    sameShape(a.shape, b.shape) && hasSameValues(a, b);
}

/** Whether the values of a tensor are those that another one has, or starts with. */
export function hasSameValues(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [left, right]: TypedArray[] = [a.data, b.data];
  for (let i = 0; i < left!.length; i++) if (!Object.is(left![i], right![i])) return false;
  return true;
}

/** Tensors of one shape as the rows of one. */
function stack(tensors: readonly Tensor[]): Tensor {
  const { shape, dtype, size } = tensors[0]!;
  const all = allocate(dtype, size * tensors.length);
  tensors.forEach(({ data }, i) => (all as Float64Array).set(data, i * size));
  return fromData(all, [tensors.length, ...shape], dtype);
}
