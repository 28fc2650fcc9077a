/**
 * Loops that end by themselves, for a device that cannot: turns after the last one change nothing.
 *
 * @module
 */
import { whereOp } from "../../ops/compare.ts";
import type { Primitive } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { type BlockRun, loopIn, type RowLoop } from "../../program/row_blocks.ts";

/** The graph whose loops leave their carries as they are once they have ended. */
export function maskTurns(graph: Graph): Graph {
  if (!graph.steps.some(loopIn)) return graph;
  const steps = graph.steps.map((step) => {
    const loop = loopIn(step);
    if (loop === undefined) return step;
    const runs = loop.runs.map((run) => maskRun({ ...run, body: maskTurns(run.body) }));
    return { ...step, params: { ...loop, runs } satisfies RowLoop };
  });
  return { ...graph, steps };
}

function maskRun(run: BlockRun): BlockRun {
  if (run.ends === undefined) return run;
  const { body, inputs } = run;
  const values = [...body.values];
  const outputs = [...body.outputs];
  const goesOn = body.inputs[run.ends]!;
  const masks = inputs.flatMap(({ carry }, i): Step[] => {
    if (carry === undefined) return [];
    const before: ValueId = body.inputs[i]!;
    const output = values.push(values[before]!) - 1;
    const step: Step = {
      op: whereOp as Primitive<unknown>,
      inputs: [goesOn, outputs[carry]!, before],
      params: [],
      output,
    };
    outputs[carry] = output;
    return [step];
  });
  return { ...run, body: { ...body, values, outputs, steps: [...body.steps, ...masks] } };
}
