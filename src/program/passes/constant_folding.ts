/**
 * Does at once what depends on constants only.
 *
 * @module
 */
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { apply } from "../../trace.ts";
import type { Graph, Step } from "../graph.ts";
import { loopIn } from "../row_blocks.ts";

/** Constants are not made that hold more values than this and than what they are made of. */
const LARGEST = 1 << 16;

/** The graph with the results of steps on constants as constants. */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map(graph.constants);
  const steps: Step[] = [];
  for (const step of graph.steps) {
    const inputs = step.inputs.map((id) => constants.get(id));
    const size = sizeOf(graph.values[step.output]!.shape);
    const given = inputs.reduce((sum, x) => sum + (x?.size ?? 0), 0);
    const isLoop = loopIn(step) !== undefined;
    const small = size <= LARGEST || size <= given;
    if (inputs.length > 0 && inputs.every((x) => x !== undefined) && small && !isLoop) {
      constants.set(step.output, apply(step.op, inputs as Tensor[], step.params));
    } else steps.push(step);
  }
  return { ...graph, steps, constants };
}
