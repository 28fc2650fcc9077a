/**
 * Lets matrix products read transposed operands as they lie, instead of copying them first.
 *
 * @module
 */
import { sameShape } from "../../shape.ts";
import { type Graph, makersOf, type Step, type ValueId } from "../graph.ts";
import { readBy } from "./views.ts";

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
function swappedBy(step: Step | undefined, graph: Graph): ValueId | undefined {
  const read = step?.op.kind === "view" ? readBy(step, graph) : undefined;
  if (read === undefined) return undefined;
  const [from, to] = [step!.inputs[0]!, step!.output].map((id) => graph.values[id]!.shape);
  const isSwap = sameShape(from!.toReversed(), to!) && read.offset === 0 &&
    sameShape(read.strides, [1, from![1]!]);
  return isSwap ? step!.inputs[0] : undefined;
}
