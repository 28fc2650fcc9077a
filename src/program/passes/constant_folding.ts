/**
 * Does at once what depends on constants only.
 *
 * @module
 */
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { apply } from "../../trace.ts";
import { type Graph, makersOf, type Step, type ValueId } from "../graph.ts";

/** Constants are not made that hold more values than this and than what they are made of. */
const LARGEST = 1 << 16;

/** So many steps are done at once, one behind the other, to come to a constant. */
const LONGEST = 64;

/** The graph with the results of steps on constants as constants. */
export function foldConstants(graph: Graph): Graph {
  const makers = makersOf(graph);
  const constants = new Map(graph.constants);
  /** Values of constants that are too large to be kept: how many are made one behind the other. */
  const depths = new Map<ValueId, number>();
  const valueOf = ({ op, inputs, params }: Step, made: Map<ValueId, Tensor>): Tensor => {
    const values = inputs.map((id) => {
      const value = constants.get(id) ?? made.get(id) ?? valueOf(makers.get(id)!, made);
      made.set(id, value);
      return value;
    });
    return apply(op, values, params);
  };
  const steps = graph.steps.filter((step) => {
    const { op, inputs, output } = step;
    const size = sizeOf(graph.values[output]!.shape);
    const given = inputs.reduce((sum, id) => sum + (constants.get(id)?.size ?? 0), 0);
    const depth = 1 + Math.max(...inputs.map((id) => depths.get(id) ?? 0));
    const isConstant = inputs.length > 0 && depth <= LONGEST && op.kind !== "loop" &&
      inputs.every((id) => constants.has(id) || depths.has(id));
    const isKept = isConstant && (size <= LARGEST || size <= given);
    if (isKept) constants.set(output, valueOf(step, new Map()));
    else if (isConstant) depths.set(output, depth);
    return !isKept;
  });
  return { ...graph, steps, constants };
}
