/**
 * Simplifies loops: what is the same for all blocks is done once, outside, and rows and first carries
 * are read where they lie, in the middle of what holds them.
 *
 * @module
 */
import { sizeOf } from "../../shape.ts";
import { stretchOf } from "../alias.ts";
import { type Graph, type GraphBuilder, makersOf, rewriteSteps, type ValueId } from "../graph.ts";
import {
  type BlockInput,
  type BlockRun,
  isShared,
  loopIn,
  type RowLoop,
  SHARED,
} from "../row_blocks.ts";

/**
 * The graph whose loops have optimized bodies. What a body computes from shared inputs alone is
 * computed before the loop, unless it is larger than they are; constants are the program's own.
 */
export function hoistInvariants(graph: Graph, optimize: (body: Graph) => Graph): Graph {
  if (!graph.steps.some(loopIn)) return graph;
  return rewriteSteps(graph, (step, builder) => {
    const loop = loopIn(step);
    if (loop === undefined) return step;
    const inputs: ValueId[] = [];
    const from = (id: ValueId) => inputs.includes(id) ? inputs.indexOf(id) : inputs.push(id) - 1;
    const place = (input: BlockInput): BlockInput => {
      const { id, start } = holderOf(step.inputs[input.from]!, graph);
      return { ...input, from: from(id), start: input.start + start };
    };
    const runs = loop.runs.map((given) => {
      const run = { ...given, body: optimize(given.body) };
      const shared = new Map<ValueId, ValueId>();
      run.body.inputs.forEach((id, i) => {
        const input = run.inputs[i]!;
        if (isShared(input)) shared.set(id, step.inputs[input.from]!);
      });
      for (const [id, constant] of run.body.constants) shared.set(id, builder.constant(constant));
      // Of a single block, everything would move.
      if (loop.runs.length > 1 || run.count > 1) move(run.body, shared, builder);
      return close(run, shared, place, from);
    });
    return { ...step, inputs, params: { ...loop, runs } satisfies RowLoop };
  });
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
  place: (input: BlockInput) => BlockInput,
  from: (id: ValueId) => number,
): BlockRun {
  const steps = body.steps.filter(({ output }) => !shared.has(output));
  const read = new Set([...body.outputs, ...steps.flatMap((step) => step.inputs)]);
  const own = body.inputs.flatMap((id, i) => {
    const isOwn = inputs[i]!.carry !== undefined || (read.has(id) && !shared.has(id));
    return isOwn ? [[id, place(inputs[i]!)] as const] : [];
  });
  const others = [...shared].flatMap(([id, outside]) =>
    read.has(id) ? [[id, { from: from(outside), ...SHARED }] as const] : []
  );
  const all = [...own, ...others];
  return {
    ...run,
    body: { ...body, steps, inputs: all.map(([id]) => id), constants: new Map() },
    inputs: all.map(([, input]) => input),
    ...(ends === undefined ? {} : { ends: all.findIndex(([id]) => id === body.inputs[ends]) }),
  };
}

/** The value that holds another one as a stretch, and where that starts. */
function holderOf(given: ValueId, graph: Graph): { id: ValueId; start: number } {
  let found = { id: given, start: 0 };
  for (;;) {
    const step = makersOf(graph).get(found.id);
    const start = step && stretchOf(step, graph);
    if (start === undefined) return found;
    found = { id: step!.inputs[0]!, start: found.start + start };
  }
}
