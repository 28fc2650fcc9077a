/**
 * Loops as a device can do them: turns after the last one change nothing, and bodies know constants.
 *
 * @module
 */
import { whereOp } from "../../ops/compare.ts";
import { type Graph, GraphBuilder, type Step } from "../../program/graph.ts";
import { type BlockRun, isShared, loopIn, type RowLoop } from "../../program/row_blocks.ts";

/** The graph whose loops leave their carries as they are once they have ended. */
export function maskTurns(graph: Graph): Graph {
  if (!graph.steps.some(loopIn)) return graph;
  const steps = graph.steps.map((step) => {
    const loop = loopIn(step);
    if (loop === undefined) return step;
    const runs = loop.runs.map((run) =>
      maskRun({ ...run, body: maskTurns(withConstants(run, step, graph)) })
    );
    return { ...step, params: { ...loop, runs } satisfies RowLoop };
  });
  return { ...graph, steps };
}

/** The body of a run, with the constants that all of its turns see. */
function withConstants({ body, inputs }: BlockRun, step: Step, { constants }: Graph): Graph {
  const seen = body.inputs.flatMap((id, i) => {
    const constant = isShared(inputs[i]!) && constants.get(step.inputs[inputs[i]!.from]!);
    return constant ? [[id, constant] as const] : [];
  });
  return { ...body, constants: new Map([...body.constants, ...seen]) };
}

function maskRun(run: BlockRun): BlockRun {
  const { body, inputs, ends } = run;
  if (ends === undefined) return run;
  const builder = new GraphBuilder(body);
  builder.steps.push(...body.steps);
  const outputs = [...body.outputs];
  inputs.forEach(({ carry }, i) => {
    if (carry === undefined) return;
    const [goesOn, before] = [body.inputs[ends]!, body.inputs[i]!];
    outputs[carry] = builder.add(whereOp, [goesOn, outputs[carry]!, before], []);
  });
  return { ...run, body: { ...builder.build(), outputs } };
}
