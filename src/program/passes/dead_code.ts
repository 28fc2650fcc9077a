/**
 * Drops the steps that no output and no check needs.
 *
 * @module
 */
import type { Graph, ValueId } from "../graph.ts";

/** The graph without steps and constants that do not lead to an output or a check. */
export function eliminateDeadCode(graph: Graph): Graph {
  const needed = new Set<ValueId>(graph.outputs);
  const steps = [];
  for (const step of graph.steps.toReversed()) {
    if (!needed.has(step.output) && step.op.kind !== "check") continue;
    steps.push(step);
    for (const id of step.inputs) needed.add(id);
  }
  return {
    ...graph,
    steps: steps.reverse(),
    constants: new Map([...graph.constants].filter(([id]) => needed.has(id))),
  };
}
