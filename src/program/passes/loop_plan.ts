/**
 * Which steps can run as one loop: what each needs to know of a row before it can be done.
 *
 * @module
 */
import { mergeAxes } from "../../../kernels/layout/axes.ts";
import type { ReduceOp } from "../../op.ts";
import { broadcastStrides, sameShape, type Shape, sizeOf, stridesOf } from "../../shape.ts";
import { type Graph, makersOf, refusalOf, type Step, type ValueId } from "../graph.ts";
import { type AxisRange, isTurned, iterationSpace } from "../space.ts";
import { readBy, type Source } from "./views.ts";

/** A loop that goes several times over its rows must find them in the caches: most elements of a row. */
const LONGEST = { row: 8192, column: 1024 } as const;

/** To plan a loop takes longer the more often it goes over its rows: it grows no further then. */
const MOST_PASSES = 12;

/** Columns are reduced in loops where they are at least so many side by side, or all there are. */
const FEWEST_COLUMNS = 16;

/** What a step does in a loop. Shapes are without extents of 1. */
export interface Work {
  /** The positions that it visits. */
  shape: Shape;
  /** The floating type that it needs; `undefined` where any will do. */
  dtype: "float32" | "float64" | undefined;
  /** The axes that it reduces. */
  reduced: AxisRange | undefined;
}

/** Steps as a loop, and what they do together. */
export interface LoopPlan extends Work {
  /** The steps, in order. */
  steps: Step[];
  /** How often a row is gone over. */
  passes: number;
  /** When each value is known that the steps make. */
  levels: Map<ValueId, Level>;
  /** Values from outside along the loop's axes, by what tells ways of reading from one another. */
  reads: Map<string, Source>;
  /** What each step reads, in the order of its inputs: strides are 0 where it repeats. */
  uses: Map<Step, readonly Source[]>;
}

/** A graph as loops see it. */
export interface GraphView {
  /** The graph. */
  graph: Graph;
  /** What steps do in loops. */
  works: ReadonlyMap<Step, Work | undefined>;
  /** Where a value lies. */
  sourceOf: (id: ValueId) => Source;
}

/** The shape without extents of 1. */
export function strip(shape: Shape): Shape {
  return shape.filter((extent) => extent !== 1);
}

/** The extents of a loop with those of the reduced axes left out, or replaced by 1. */
export function rowShape(shape: Shape, reduced: AxisRange | undefined, kept = false): Shape {
  const [first, end] = reduced ?? [0, 0];
  return [
    ...shape.slice(0, first),
    ...(kept ? shape.slice(first, end).map(() => 1) : []),
    ...shape.slice(end),
  ];
}

/** What a step does in a loop; `undefined` where it needs a kernel of its own. */
export function workOf(step: Step, graph: Graph): Work | undefined {
  const { op, params } = step;
  switch (op.kind) {
    case "reduce":
      return reductionWork(step, op.reduce, op.over(params).axes, graph);
    case "map":
      return refusalOf(step, graph) ? undefined : elementwiseWork(step, op.expression, graph);
    case "view":
      return isRepeat(step, graph) ? elementwiseWork(step, "a", graph) : undefined;
    default:
      return undefined;
  }
}

/** Whether a view repeats its input by the rules of broadcasting, as loops do. */
function isRepeat(step: Step, graph: Graph): boolean {
  const read = readBy(step, graph);
  const [from, to] = [step.inputs[0]!, step.output].map((id) => graph.values[id]!.shape);
  const added = to!.length - from!.length;
  const fits = added >= 0 && from!.every((n, i) => n === 1 || n === to![added + i]);
  if (read?.offset !== 0 || !fits) return false;
  const expected = broadcastStrides(from!, to!);
  return expected.every((stride, axis) => to![axis] === 1 || read.strides[axis] === stride);
}

/** Choices between values as they are: integers stay what they are in loops of single precision. */
const CHOICES: readonly string[] = ["a", "a != 0 ? b : c"];

function elementwiseWork(
  { inputs, output }: Step,
  expression: string,
  graph: Graph,
): Work | undefined {
  const { shape, dtype } = graph.values[output]!;
  if (sizeOf(shape) === 0) return undefined;
  const dtypes = new Set([dtype, ...inputs.map((id) => graph.values[id]!.dtype)]);
  const hasIntegers = dtypes.delete("int32");
  dtypes.delete("bool");
  // Double precision holds both, so that its loops bring numbers from the one to the other.
  const float = dtypes.size > 1 ? "float64" : [...dtypes][0];
  if (dtypes.size > 1 && expression !== "a") return undefined;
  const work = { shape: strip(shape), dtype: float as Work["dtype"], reduced: undefined };
  if (!hasIntegers || dtype !== "int32") return work;
  const chooses = CHOICES.includes(expression);
  return chooses && float === undefined ? { ...work, dtype: "float32" } : undefined;
}

function reductionWork(
  { inputs }: Step,
  reduce: ReduceOp<unknown>["reduce"],
  axes: readonly number[],
  graph: Graph,
): Work | undefined {
  const { shape, dtype } = graph.values[inputs[0]!]!;
  if (sizeOf(shape) === 0) return undefined;
  const counts = dtype === "int32" && reduce === "sum" && countsTruth(inputs[0]!, graph);
  if (dtype !== "float32" && dtype !== "float64" && !counts) return undefined;
  const work = { shape: strip(shape), dtype: dtype === "float64" ? dtype : "float32" } as const;
  const long = shape.flatMap((extent, axis) => extent === 1 ? [] : [axis]);
  const places = long.flatMap((axis, place) => axes.includes(axis) ? [place] : []);
  const [first = 0] = places;
  const end = first + places.length;
  if (places.length === 0) return { ...work, reduced: undefined };
  if (places.at(-1) !== end - 1) return undefined;
  const inner = sizeOf(work.shape.slice(end));
  const worthwhile = inner === 1 || inner >= FEWEST_COLUMNS || first === 0;
  return worthwhile ? { ...work, reduced: [first, end] } : undefined;
}

/** Whether integers are truth values, so that their sums stay exact. */
function countsTruth(id: ValueId, graph: Graph): boolean {
  const maker = makersOf(graph).get(id);
  return maker?.op.kind === "map" && maker.op.expression === "a" &&
    graph.values[maker.inputs[0]!]!.dtype === "bool";
}

/** When a value is known. */
export interface Level {
  /** How often a row is gone over before. */
  pass: number;
  /** Whether it changes along the row. */
  moves: boolean;
  /** Whether it is what a row is reduced to. */
  reduces: boolean;
}

/** Steps in order, as one loop over a shape; `undefined` where they cannot be one. */
export function planLoop(
  steps: readonly Step[],
  shape: Shape,
  view: GraphView,
): LoopPlan | undefined {
  const common = meet(steps.map((step) => view.works.get(step)), shape);
  if (common === undefined) return undefined;
  const maps = { levels: new Map(), reads: new Map(), uses: new Map() };
  const plan: LoopPlan = { ...common, steps: [], passes: 1, ...maps };
  for (const step of steps) {
    const placed = placeOf(step, plan, common, view);
    if (placed === undefined) return undefined;
    place(plan, step, placed);
  }
  return isPossible(common, plan.passes, [...plan.reads.values()]) ? plan : undefined;
}

/**
 * Puts one more step behind the others of a loop, in place; whether that can be. It must not be the
 * first that reduces.
 */
export function extendPlan(plan: LoopPlan, step: Step, view: GraphView): boolean {
  const common = meet([plan, view.works.get(step)], plan.shape);
  const placed = common && placeOf(step, plan, common, view);
  if (placed === undefined) return false;
  const { fresh, passes } = placed;
  const isNew = fresh.length > 0 || passes > plan.passes;
  if (isNew && !isPossible(common!, passes, [...plan.reads.values(), ...fresh])) return false;
  plan.dtype = common!.dtype;
  place(plan, step, placed);
  return true;
}

/** Whether a loop finds its rows in the caches when it goes over them again, and walks them evenly. */
function isPossible({ shape, reduced }: Work, passes: number, reads: readonly Source[]): boolean {
  if (reduced !== undefined && !isEven(reads, shape, reduced)) return false;
  if (reads.some(({ isView }) => isView) && !canWalk(reads, shape, reduced)) return false;
  return passes === 1 || (passes <= MOST_PASSES && !isLong(shape, reduced!));
}

/** Where a step is in a loop, and what it reads there. */
interface Place {
  level: Level;
  passes: number;
  uses: readonly Source[];
  /** What no step before reads in this way. */
  fresh: readonly Source[];
}

/** Where a step can be behind the others, if it can read what they make there. */
function placeOf(
  step: Step,
  plan: LoopPlan,
  common: Work,
  view: GraphView,
): Place | undefined {
  const { shape, reduced } = common;
  const work = view.works.get(step)!;
  const uses = readsOf(step, work, common, view);
  const fresh: Source[] = [];
  let pass = 0;
  for (const read of uses) {
    const made = plan.levels.get(read.root);
    const { offset, strides, lookup } = read;
    if (made === undefined) {
      if (lookup !== undefined && plan.levels.has(lookup.root)) return undefined;
      const needed = lookup === undefined ? [read] : [read, lookup];
      fresh.push(...needed.filter((own) => !plan.reads.has(keyOf(own))));
      continue;
    }
    const own = made.moves
      ? stridesOf(shape)
      : broadcastStrides(rowShape(shape, reduced, true), shape);
    if (lookup !== undefined || offset !== 0 || !sameShape(strides, own)) return undefined;
    pass = Math.max(pass, made.pass);
  }
  const moves = sameShape(work.shape, shape);
  const reduces = work.reduced !== undefined;
  const level = reduces ? { pass: pass + 1, moves: false, reduces } : { pass, moves, reduces };
  return { level, passes: moves ? Math.max(plan.passes, pass + 1) : plan.passes, uses, fresh };
}

function place(plan: LoopPlan, step: Step, { level, passes, uses, fresh }: Place): void {
  for (const read of fresh) plan.reads.set(keyOf(read), read);
  plan.steps.push(step);
  plan.passes = passes;
  plan.uses.set(step, uses);
  plan.levels.set(step.output, level);
}

/** What tells one way of reading a value from others. */
export function keyOf({ root, offset, strides, lookup }: Source): string {
  return `${root} ${offset} ${strides}${lookup ? ` at ${keyOf(lookup)}` : ""}`;
}

/** Whether there is a value of its own at each position. */
export function isFull({ strides }: Source): boolean {
  return !strides.includes(0);
}

/** What all steps can agree on: every one visits all positions, or each row once. */
function meet(works: readonly (Work | undefined)[], shape: Shape): Work | undefined {
  let [dtype, reduced] = [undefined, undefined] as [Work["dtype"], AxisRange | undefined];
  for (const work of works) {
    if (work === undefined) return undefined;
    if (dtype !== undefined && work.dtype !== undefined && dtype !== work.dtype) return undefined;
    dtype ??= work.dtype;
    if (work.reduced === undefined) continue;
    if (!sameShape(work.shape, shape)) return undefined;
    if (reduced !== undefined && !sameShape(reduced, work.reduced)) return undefined;
    reduced = work.reduced;
  }
  const rows = reduced && rowShape(shape, reduced);
  const fits = (own: Shape) => sameShape(own, shape) || (rows && sameShape(own, rows));
  return works.every((work) => fits(work!.shape)) ? { shape, dtype, reduced } : undefined;
}

/** What a step reads, along the axes of the loop. */
function readsOf(
  { inputs, output, op }: Step,
  work: Work,
  { shape, reduced }: Work,
  { graph, sourceOf }: GraphView,
): Source[] {
  const whole = graph.values[op.kind === "reduce" ? inputs[0]! : output]!.shape;
  const inRows = !sameShape(work.shape, shape);
  return inputs.map((id) => {
    const own = graph.values[id]!.shape;
    const missing = whole.length - own.length;
    const along = <S extends Source>(source: S): S => {
      const strides = whole.flatMap((extent, d) => {
        if (extent === 1) return [];
        return [d < missing || own[d - missing] === 1 ? 0 : source.strides[d - missing]!];
      });
      if (!inRows) return { ...source, strides };
      const [first, end] = reduced!;
      const zeros = shape.slice(first, end).map(() => 0);
      return { ...source, strides: strides.toSpliced(first, 0, ...zeros) };
    };
    const source = sourceOf(id);
    return { ...along(source), lookup: source.lookup && along(source.lookup) };
  });
}

/** Rows of two axes are walked in stretches, of at least so many elements and of whole groups. */
const STRETCH = { fewest: 32, group: 4 } as const;

/** Whether reads lie evenly along what is reduced and what is behind it, or in stretches of a row. */
function isEven(reads: readonly Source[], shape: Shape, [first, end]: AxisRange): boolean {
  if (end - first === 1 && shape.length - end < 2) return true;
  const views = reads.map(({ strides }) => strides);
  const axes = mergeAxes(shape, views, first, end);
  if (end < shape.length) return axes.length === 1 && mergeAxes(shape, views, end).length === 1;
  const { extent } = axes.at(-1)!;
  const isStretched = extent >= STRETCH.fewest && extent % STRETCH.group === 0;
  return axes.length === 1 || (axes.length === 2 && isStretched);
}

/** Longer rows are not turned around, a few at a time, in the nearer caches. */
const LONGEST_TURNED = 2 ** 14;

/** Fewer elements in a call, or in a row of what is not reduced, are better copied before. */
const FEWEST = { block: 1024, row: 16 } as const;

/** Whether views are walked in long stretches, but for rows that lie turned; each of one slice. */
function canWalk(
  reads: readonly Source[],
  shape: Shape,
  reduced: AxisRange | undefined,
): boolean {
  const space = iterationSpace(shape, reads, reduced);
  const { outer, rows, columns, over, operands } = space;
  if (outer.length > 0 && rows * columns < FEWEST.block) return false;
  if (reduced === undefined && rows > 1 && columns < FEWEST.row) return false;
  return reads.every(({ lookup }, i) => {
    const walk = operands[i]!;
    if (lookup === undefined) return columns <= LONGEST_TURNED || !isTurned(walk, space);
    const key = keyOf(lookup);
    const positions = operands[reads.findIndex((read) => keyOf(read) === key)]!;
    return over === "row" && walk.along > 0 && positions.along === 0;
  });
}

function isLong(shape: Shape, [first, end]: AxisRange): boolean {
  return sizeOf(shape.slice(first, end)) > LONGEST[end === shape.length ? "row" : "column"];
}
