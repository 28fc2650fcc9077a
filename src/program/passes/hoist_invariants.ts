/**
 * Simplifies the bodies of loops: what is the same for all blocks is done once, outside.
 *
 * @module
 */
import { sizeOf } from "../../shape.ts";
import { type Graph, GraphBuilder, type Step, type ValueId } from "../graph.ts";
import { type BlockRun, isShared, loopIn, type RowLoop, SHARED } from "../row_blocks.ts";

/**
 * The graph whose loops have optimized bodies. What a body computes from shared inputs alone is
 * computed before the loop, unless it is larger than they are; constants are the program's own.
 */
export function hoistInvariants(graph: Graph, optimize: (body: Graph) => Graph): Graph {
  if (!graph.steps.some(loopIn)) return graph;
  const builder = new GraphBuilder(graph);
  for (const step of graph.steps) {
    const loop = loopIn(step);
    if (loop === undefined) {
      builder.steps.push(step);
      continue;
    }
    const inputs = [...step.inputs];
    const add = (id: ValueId) => inputs.includes(id) ? inputs.indexOf(id) : inputs.push(id) - 1;
    const runs = loop.runs.map((given) => {
      const run = { ...given, body: optimize(given.body) };
      const shared = new Map<ValueId, ValueId>();
      run.body.inputs.forEach((id, i) => {
        const input = run.inputs[i]!;
        if (isShared(input)) shared.set(id, inputs[input.from]!);
      });
      for (const [id, constant] of run.body.constants) shared.set(id, builder.constant(constant));
      // Of a single block, everything would move.
      if (loop.runs.length > 1 || run.count > 1) move(run.body, shared, builder);
      return close(run, shared, add);
    });
    builder.steps.push(dropUnused({ ...step, inputs, params: { ...loop, runs } }));
  }
  return builder.build();
}

/** Does what a body does to values that lie outside there; what that makes is noted as such. */
function move(body: Graph, shared: Map<ValueId, ValueId>, builder: GraphBuilder): void {
  for (const { op, inputs, params, output } of body.steps) {
    const given = inputs.map((id) => shared.get(id));
    const spec = body.values[output]!;
    const room = inputs.reduce((sum, id) => sum + sizeOf(body.values[id]!.shape), 0);
    if (!given.every((id) => id !== undefined) || sizeOf(spec.shape) > room) continue;
    shared.set(output, builder.add(op, given, params, builder.value(spec)));
  }
}

/** The run whose body takes what lies outside as inputs, as far as it reads it. */
function close(
  { body, inputs, ends, ...run }: BlockRun,
  shared: ReadonlyMap<ValueId, ValueId>,
  add: (id: ValueId) => number,
): BlockRun {
  const steps = body.steps.filter(({ output }) => !shared.has(output));
  const read = new Set([...body.outputs, ...steps.flatMap((step) => step.inputs)]);
  const own = body.inputs.flatMap((id, i) => {
    const isOwn = inputs[i]!.carry !== undefined || (read.has(id) && !shared.has(id));
    return isOwn ? [[id, inputs[i]!] as const] : [];
  });
  const others = [...shared].flatMap(([id, from]) =>
    read.has(id) ? [[id, { from: add(from), ...SHARED }] as const] : []
  );
  const all = [...own, ...others];
  return {
    ...run,
    body: { ...body, steps, inputs: all.map(([id]) => id), constants: new Map() },
    inputs: all.map(([, input]) => input),
    ...(ends === undefined ? {} : { ends: all.findIndex(([id]) => id === body.inputs[ends]) }),
  };
}

/** The loop without inputs that no body reads. */
function dropUnused(step: Step): Step {
  const loop = loopIn(step)!;
  const used = [...new Set(loop.runs.flatMap(({ inputs }) => inputs.map(({ from }) => from)))];
  const runs = loop.runs.map((run) => ({
    ...run,
    inputs: run.inputs.map((input) => ({ ...input, from: used.indexOf(input.from) })),
  }));
  const params = { ...loop, runs } satisfies RowLoop;
  return { ...step, inputs: used.map((i) => step.inputs[i]!), params };
}
