/**
 * Lets matrix products read transposed operands as they lie, instead of copying them first.
 *
 * @module
 */
import type { ViewCopy } from "../../../kernels/layout/reference.ts";
import { type Graph, makersOf, type Step, type ValueId } from "../graph.ts";

/** The graph in which products of matrices take what their transposed operands are made of. */
export function readTransposedOperands(graph: Graph): Graph {
  const makers = makersOf(graph);
  const steps = graph.steps.map((step): Step => {
    const { op, inputs, params } = step;
    if (op.kind !== "product" || op.term !== "product") return step;
    const [a, b] = inputs.map((id) => swappedBy(makers.get(id), graph));
    if (a === undefined && b === undefined) return step;
    const own = op.transposed(params);
    return {
      ...step,
      inputs: [a ?? inputs[0]!, b ?? inputs[1]!],
      params: { a: own.a !== (a !== undefined), b: own.b !== (b !== undefined) },
    };
  });
  return { ...graph, steps };
}

/** The matrix that a step transposes, if that is what it does. */
function swappedBy(step: Step | undefined, { values }: Graph): ValueId | undefined {
  if (step?.op.kind !== "view") return undefined;
  const shapes = step.inputs.map((id) => values[id]!.shape);
  const { shape } = values[step.output]!;
  if (shapes.length > 1 || shape.length !== 2 || shapes[0]!.length !== 2) return undefined;
  const [{ from, to }] = step.op.copies(shapes, step.params, shape) as [ViewCopy];
  const [rows, columns] = shapes[0] as readonly [number, number];
  const isSwap = from.offset === 0 && to.offset === 0 && shape[0] === columns &&
    shape[1] === rows && from.strides[0] === 1 && from.strides[1] === columns;
  return isSwap ? step.inputs[0] : undefined;
}
