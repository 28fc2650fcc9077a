/**
 * Lets products read views of their operands as they lie, and write what is turned afterwards where
 * it belongs, instead of copying matrices.
 *
 * @module
 */
import type { Strides } from "../../../kernels/layout/reference.ts";
import { type ProductLayout, splitOuter, turnedLayout } from "../../../kernels/matmul/reference.ts";
import type { ProductOp } from "../../op.ts";
import { type Shape, sizeOf, stridesOf } from "../../shape.ts";
import { isAlias } from "../alias.ts";
import type { Graph, Step, ValueId } from "../graph.ts";
import { composeReads, lookThrough, readBy, type Source, sourceOf } from "./views.ts";

/** The graph in which products have their matrices where they are before and after they are moved. */
export function placeProducts(graph: Graph): Graph {
  const sources = new Map<ValueId, Source>();
  const readers = readersOf(graph);
  const moved = new Set<Step>();
  const steps: Step[] = [];
  for (const step of graph.steps) {
    const { op } = step;
    if (moved.has(step)) continue;
    if (op.kind === "product" && op.placed !== undefined) {
      const placed = addMembers(placeOperands(step, op, sources, graph), readers, moved, graph);
      steps.push(placeResult(placed, readers, moved, graph));
    } else steps.push(step);
    if (op.kind !== "view") continue;
    const [x] = step.inputs as [ValueId];
    const source = lookThrough(step, sources.get(x) ?? sourceOf(x, graph), graph);
    if (source !== undefined) sources.set(step.output, source);
  }
  return { ...graph, steps };
}

/** A product and where its matrices lie. */
interface Placed {
  step: Step;
  op: ProductOp<unknown>;
  layout: ProductLayout;
}

/** The product of what its operands are views of. */
function placeOperands(
  step: Step,
  op: ProductOp<unknown>,
  sources: ReadonlyMap<ValueId, Source>,
  { values }: Graph,
): Placed {
  const { params } = step;
  const shapes = step.inputs.map((id) => values[id]!.shape);
  const layout = op.layout(shapes, params);
  const { outer, m, k, n } = layout;
  const matrices = [[layout.a, [...outer, m, k]], [layout.b, [...outer, k, n]]] as const;
  const [a, b] = matrices.map(([own, shape], i) => {
    const id = step.inputs[i]!;
    const source = sources.get(id);
    const read = source && composeReads(shape, own, source, shapes[i]!);
    return read !== undefined && isNear(read, shape) ? read : { ...own, root: id };
  }) as [Source, Source];
  return { step: { ...step, inputs: [a.root, b.root] }, op, layout: { ...layout, a, b } };
}

/** Whether rows or columns are neighbours, so that they are read as vectors, and none goes backwards. */
function isNear({ strides }: Strides, shape: Shape): boolean {
  const isForwards = strides.every((stride) => stride >= 0);
  return isForwards && [-2, -1].some((axis) => strides.at(axis) === 1 || shape.at(axis) === 1);
}

/** Products that are only there to be added up over outer axes, as one product of more terms. */
function addMembers(
  placed: Placed,
  readers: Readers,
  moved: Set<Step>,
  { values }: Graph,
): Placed {
  const { step, layout: { outer, m, n, ...rest } } = placed;
  const sum = readers.get(step.output);
  if (sum?.op.kind !== "reduce" || sum.op.reduce !== "sum" || rest.summed) return placed;
  const { axes } = sum.op.over(sum.params);
  const summed = [...outer, m, n].map((extent, i) => axes.includes(i) ? 1 : extent);
  if (sizeOf(summed) !== sizeOf(values[sum.output]!.shape)) return placed;
  const strides = stridesOf(summed).map((stride, i) => axes.includes(i) ? 0 : stride);
  const layout = fold({ ...rest, outer, m, n, out: { offset: 0, strides } });
  const isOne = layout.outer.every((_, i) => layout.out.strides[i] !== 0) &&
    axes.every((axis) => axis < outer.length);
  if (!isOne) return placed;
  moved.add(sum);
  return { ...placed, step: { ...step, output: sum.output }, layout };
}

/** The layout with as few outer axes as possible: rows, or the terms of sums, go on along others. */
function fold(layout: ProductLayout): ProductLayout {
  for (let axis = layout.outer.length - 1; axis >= 0; axis--) {
    const folded = foldAxis(layout, axis);
    if (folded !== undefined) return fold(folded);
  }
  return layout;
}

/** The layout without an outer axis; `undefined` where neither rows nor terms go on along it. */
function foldAxis(layout: ProductLayout, axis: number): ProductLayout | undefined {
  const { outer, m, k, a, b, out } = layout;
  const extent = outer[axis]!;
  const goesOn = ({ strides }: Strides, place: -1 | -2, count: number) =>
    count === 1 || strides[axis] === strides.at(place)! * count;
  const isFixed = ({ strides }: Strides) => strides[axis] === 0;
  const drop = ({ offset, strides }: Strides, place: -1 | -2, count?: number) => {
    const inner = count === 1 ? strides.with(place, strides[axis]!) : strides;
    return { offset, strides: inner.toSpliced(axis, 1) };
  };
  const { summed = 0 } = layout;
  const rest = {
    ...layout,
    outer: outer.toSpliced(axis, 1),
    summed: axis < outer.length - summed ? summed : summed - 1,
    ...{ b: drop(b, -2), out: drop(out, -2) },
  };
  if (extent === 1) return { ...rest, a: drop(a, -2) };
  if (isFixed(b) && !isFixed(out) && goesOn(a, -2, m) && goesOn(out, -2, m)) {
    return { ...rest, m: m * extent, a: drop(a, -2, m), out: drop(out, -2, m) };
  }
  if (isFixed(out) && goesOn(a, -1, k) && goesOn(b, -2, k)) {
    return { ...rest, k: k * extent, a: drop(a, -1, k), b: drop(b, -2, k) };
  }
  return undefined;
}

/** The product that writes the last of the views that its result is only there for. */
function placeResult(
  { step, op, layout }: Placed,
  readers: Readers,
  moved: Set<Step>,
  graph: Graph,
): Step {
  let best = { layout, output: step.output, inputs: step.inputs };
  let out: Strides | undefined = layout.out;
  const passed: Step[] = [];
  for (let id = step.output; out !== undefined;) {
    const view = readers.get(id);
    if (view?.op.kind !== "view") break;
    out = writtenThrough(view, { ...layout, out }, graph);
    passed.push(view);
    id = view.output;
    const found = out && alongRows({ ...layout, out }, step.inputs);
    if (found === undefined || passed.every((own) => isAlias(own, graph))) continue;
    best = { ...found, output: id };
    passed.splice(0).forEach((own) => moved.add(own));
  }
  const { inputs, output } = best;
  return { op, inputs, output, params: op.placed!(fold(best.layout)) };
}

/** The step that alone reads a value, none where the caller gets it. */
type Readers = ReadonlyMap<ValueId, Step | undefined>;

function readersOf({ steps, outputs }: Graph): Readers {
  const readers = new Map<ValueId, Step | undefined>(outputs.map((id) => [id, undefined]));
  for (const step of steps) {
    for (const id of step.inputs) readers.set(id, readers.has(id) ? undefined : step);
  }
  return readers;
}

/** Where results lie in a view that shows all of them, each once; `undefined` where none does. */
function writtenThrough(
  view: Step,
  layout: ProductLayout,
  graph: Graph,
): Strides | undefined {
  const { outer, m, n, out } = layout;
  const { shape } = graph.values[view.output]!;
  const read = readBy(view, graph);
  const count = sizeOf(splitOuter(layout).kept) * m * n;
  if (read === undefined || sizeOf(shape) !== count) return undefined;
  const own = stridesOf(shape);
  const axes = shape.map((extent, i) => ({ extent, from: read.strides[i]!, to: own[i]! }))
    .filter(({ extent }) => extent > 1).sort((x, y) => y.from - x.from);
  const order = axes.map(({ extent }) => extent);
  const isOnce = stridesOf(order).every((stride, i) => stride === axes[i]!.from);
  const source = { root: view.output, offset: 0, strides: axes.map(({ to }) => to) };
  return isOnce ? composeReads([...outer, m, n], out, source, order) : undefined;
}

/** The layout in which results of a row are neighbours, with the operands exchanged if need be. */
function alongRows(
  layout: ProductLayout,
  inputs: readonly ValueId[],
): { layout: ProductLayout; inputs: readonly ValueId[] } | undefined {
  const { m, n, out } = layout;
  const [row, column] = out.strides.slice(-2);
  if (column === 1 || n === 1) return { layout, inputs };
  if (row !== 1 && m !== 1) return undefined;
  return { layout: turnedLayout(layout), inputs: inputs.toReversed() };
}
