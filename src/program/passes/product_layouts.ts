/**
 * Lets products read views of their operands as they lie, and write what is turned afterwards where
 * it belongs, instead of copying matrices.
 *
 * @module
 */
import type { Strides } from "../../../kernels/layout/reference.ts";
import type { ProductLayout } from "../../../kernels/matmul/reference.ts";
import type { ProductOp } from "../../op.ts";
import { type Shape, sizeOf, stridesOf } from "../../shape.ts";
import { isAlias } from "../alias.ts";
import type { Graph, Step, ValueId } from "../graph.ts";
import { composeReads, readBy, type Source, sourceOf } from "./views.ts";

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
      const placed = placeOperands(step, op, sources, graph);
      steps.push(placeResult(placed, readers, moved, graph));
    } else steps.push(step);
    const source = viewedBy(step, sources, graph);
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

/** Where a view lies in what it is a view of. */
function viewedBy(
  step: Step,
  sources: ReadonlyMap<ValueId, Source>,
  graph: Graph,
): Source | undefined {
  const read = step.op.kind === "view" ? readBy(step, graph) : undefined;
  if (read === undefined) return undefined;
  const [from, to] = [step.inputs[0]!, step.output];
  const source = sources.get(from) ?? sourceOf(from, graph);
  return composeReads(graph.values[to]!.shape, read, source, graph.values[from]!.shape);
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

/** Whether rows or columns are neighbours, so that they are read as vectors. */
function isNear({ strides }: Strides, shape: Shape): boolean {
  return [-2, -1].some((axis) => strides.at(axis) === 1 || shape.at(axis) === 1);
}

/** The product that writes the last of the views that its result is only there for. */
function placeResult(
  { step, op, layout }: Placed,
  readers: ReadonlyMap<ValueId, readonly (Step | undefined)[]>,
  moved: Set<Step>,
  graph: Graph,
): Step {
  let best = { layout, output: step.output, inputs: step.inputs };
  let out: Strides | undefined = layout.out;
  const passed: Step[] = [];
  for (let id = step.output; out !== undefined;) {
    const [view, ...others]: readonly (Step | undefined)[] = readers.get(id) ?? [];
    if (view?.op.kind !== "view" || others.length > 0) break;
    out = writtenThrough(view, { ...layout, out }, graph);
    passed.push(view);
    id = view.output;
    const found = out && alongRows({ ...layout, out }, step.inputs);
    if (found === undefined || passed.every((own) => isAlias(own, graph))) continue;
    best = { ...found, output: id };
    passed.splice(0).forEach((own) => moved.add(own));
  }
  return { ...step, ...best, params: op.placed!(best.layout) };
}

/** Who reads each value; `undefined` stands for the caller. */
function readersOf(graph: Graph): Map<ValueId, (Step | undefined)[]> {
  const readers = new Map<ValueId, (Step | undefined)[]>();
  const add = (id: ValueId, reader?: Step) => {
    const known = readers.get(id);
    if (known === undefined) readers.set(id, [reader]);
    else known.push(reader);
  };
  for (const step of graph.steps) step.inputs.forEach((id) => add(id, step));
  graph.outputs.forEach((id) => add(id));
  return readers;
}

/** Where results lie in a view that shows all of them, each once; `undefined` where none does. */
function writtenThrough(
  view: Step,
  { outer, m, n, out }: ProductLayout,
  graph: Graph,
): Strides | undefined {
  const { shape } = graph.values[view.output]!;
  const read = readBy(view, graph);
  if (read === undefined || sizeOf(shape) !== sizeOf(outer) * m * n) return undefined;
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
  const { m, n, a, b, out } = layout;
  const [row, column] = out.strides.slice(-2);
  if (column === 1 || n === 1) return { layout, inputs };
  if (row !== 1 && m !== 1) return undefined;
  const turned = { ...layout, m: n, n: m, a: turn(b), b: turn(a), out: turn(out) };
  return { layout: turned, inputs: inputs.toReversed() };
}

/** The last two axes exchanged. */
function turn({ offset, strides }: Strides): Strides {
  const [row, column] = strides.slice(-2) as [number, number];
  return { offset, strides: [...strides.slice(0, -2), column, row] };
}
