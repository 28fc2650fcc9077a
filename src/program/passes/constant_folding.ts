/**
 * Does at once what depends on constants only.
 *
 * @module
 */
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { apply } from "../../trace.ts";
import type { Graph, Step, ValueId } from "../graph.ts";
import { loopIn } from "../row_blocks.ts";

/** Constants are not made that hold more values than this and than what they are made of. */
const LARGEST = 1 << 16;

/** So many steps are done at once, one behind the other, to come to a constant. */
const LONGEST = 64;

/** A step on constants whose result is too large to be kept. */
interface Pending {
  step: Step;
  /** How many such steps are one behind the other. */
  depth: number;
}

/** The graph with the results of steps on constants as constants. */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map(graph.constants);
  const pending = new Map<ValueId, Pending>();
  const steps: Step[] = [];
  for (const step of graph.steps) {
    const { inputs, output } = step;
    const size = sizeOf(graph.values[output]!.shape);
    const given = inputs.reduce((sum, id) => sum + (constants.get(id)?.size ?? 0), 0);
    const depth = 1 + Math.max(...inputs.map((id) => pending.get(id)?.depth ?? 0));
    const isConstant = inputs.length > 0 && depth <= LONGEST && loopIn(step) === undefined &&
      inputs.every((id) => constants.has(id) || pending.has(id));
    if (isConstant && (size <= LARGEST || size <= given)) {
      constants.set(output, valueOf(step, constants, new Map(), pending));
    } else {
      if (isConstant) pending.set(output, { step, depth });
      steps.push(step);
    }
  }
  return { ...graph, steps, constants };
}

/** What a step makes, along with what it needs. */
function valueOf(
  { op, inputs, params }: Step,
  constants: ReadonlyMap<ValueId, Tensor>,
  made: Map<ValueId, Tensor>,
  pending: ReadonlyMap<ValueId, Pending>,
): Tensor {
  const values = inputs.map((id) => {
    const value = constants.get(id) ?? made.get(id) ??
      valueOf(pending.get(id)!.step, constants, made, pending);
    made.set(id, value);
    return value;
  });
  return apply(op, values, params);
}
