/**
 * Puts loops over the same blocks together, so that what both compute is computed once: above all a
 * loss and its gradient, whose loop begins with everything that the loss's loop does.
 *
 * @module
 */
import { sliceOp } from "../../ops/join.ts";
import { reshapeOp } from "../../ops/layout.ts";
import { sizeOf } from "../../shape.ts";
import { type Graph, GraphBuilder, makersOf, orderOf, type Step, type ValueId } from "../graph.ts";
import { eliminateCommonSubexpressions } from "./common_subexpressions.ts";
import { eliminateDeadCode } from "./dead_code.ts";
import {
  type BlockInput,
  type BlockRun,
  isSame,
  loopIn,
  type RowLoop,
  rowLoopOp,
} from "../row_blocks.ts";

/** How many loops before one are looked at. */
const WINDOW = 64;

/** The most steps of bodies that are put together: longer ones have little more in common. */
const MOST_STEPS = 500;

/** The graph in which loops do the work of earlier ones too, where they need nothing of them. */
export function fuseRowLoops(graph: Graph): Graph {
  let loops = graph.steps.filter(isLoop);
  const outlines = new Map(loops.map((step) => [step, outlineOf(step)]));
  while (loops.length > 1) {
    const later = loops.pop()!;
    const outline = outlines.get(later)!;
    const alike = loops.slice(-WINDOW).filter((step) => outlines.get(step) === outline);
    const { partners, waiting } = partnersOf(later, alike, graph);
    if (partners.size === 0) continue;
    const merged = merge([...partners, later], graph);
    const at = orderOf(graph).get(later)!;
    const staying = graph.steps.slice(0, at).filter((x) => !waiting.has(x) && !partners.has(x));
    const steps = [...staying, ...merged.steps, ...waiting, ...graph.steps.slice(at + 1)];
    graph = { ...merged.build(), steps };
    outlines.set(merged.steps[0]!, outline);
    loops = [...staying, merged.steps[0]!, ...waiting].filter(isLoop);
  }
  return graph;
}

function isLoop(step: Step): boolean {
  return loopIn(step) !== undefined;
}

/** What loops over the same blocks have in common; that of none where a loop may end early. */
function outlineOf(step: Step): string | Step {
  const { name, spec, runs } = loopIn(step)!;
  if (runs.some(({ ends }) => ends !== undefined)) return step;
  return `${name} ${spec.dtype} ${runs.map(({ first, count }) => [first, count])}`;
}

function lengthOf(step: Step): number {
  return loopIn(step)!.runs.reduce((sum, { body }) => sum + body.steps.length, 0);
}

/** Of loops before one, those that neither it nor each other needs; and what waits for them. */
function partnersOf(
  later: Step,
  alike: readonly Step[],
  graph: Graph,
): { partners: Set<Step>; waiting: Set<Step> } {
  const [partners, waiting, made] = [new Set<Step>(), new Set<Step>(), new Set<ValueId>()];
  if (alike.length === 0) return { partners, waiting };
  const order = orderOf(graph);
  const first = order.get(alike[0]!)!;
  const needed = new Set([later]);
  // A set is gone through with what is added meanwhile.
  for (const { inputs } of needed) {
    for (const id of inputs) {
      const maker = makersOf(graph).get(id);
      if (maker !== undefined && order.get(maker)! >= first) needed.add(maker);
    }
  }
  const free = new Set(alike.filter((step) => !needed.has(step)));
  let length = lengthOf(later);
  for (const step of graph.steps.slice(first, order.get(later))) {
    if (step.inputs.some((id) => made.has(id))) waiting.add(step);
    else if (free.has(step) && length + lengthOf(step) <= MOST_STEPS) {
      partners.add(step);
      length += lengthOf(step);
    } else continue;
    made.add(step.output);
  }
  return { partners, waiting };
}

/** Loops as one, and what each of them made as parts of what it makes. */
function merge(loops: readonly Step[], graph: Graph): GraphBuilder {
  const builder = new GraphBuilder(graph);
  const inputs = [...new Set(loops.flatMap((step) => step.inputs))];
  const numbers = new Map(inputs.map((id, i) => [id, i]));
  const runsOf = (step: Step) =>
    loopIn(step)!.runs.map((run) => {
      const numberOf = ({ from }: BlockInput) => numbers.get(step.inputs[from]!)!;
      return { ...run, inputs: run.inputs.map((own) => ({ ...own, from: numberOf(own) })) };
    });
  const loop = loops.map((step): RowLoop => ({ ...loopIn(step)!, runs: runsOf(step) }))
    .reduce(mergeTwo);
  const merged = builder.add(rowLoopOp, inputs, loop);
  let start = 0;
  for (const step of loops) {
    const { shape } = loopIn(step)!.spec;
    const cut = { start: [start], shape: [sizeOf(shape)] };
    builder.add(reshapeOp, [builder.add(sliceOp, [merged], cut)], shape, step.output);
    start += sizeOf(shape);
  }
  return builder;
}

function mergeTwo(a: RowLoop, b: RowLoop): RowLoop {
  const [size, made] = [sizeOf(a.spec.shape), a.runs[0]!.body.outputs.length];
  const others = b.results.map((r) => ({ ...r, output: made + r.output, start: size + r.start }));
  return {
    name: a.name,
    runs: a.runs.map((run, i) => mergeRuns(run, b.runs[i]!)),
    results: [...a.results, ...others],
    spec: { shape: [size + sizeOf(b.spec.shape)], dtype: a.spec.dtype },
  };
}

/** Two bodies as one: inputs that both read are shared. */
function mergeRuns(a: BlockRun, b: BlockRun): BlockRun {
  const builder = new GraphBuilder(a.body);
  builder.steps.push(...a.body.steps);
  const made = a.body.outputs.length;
  const [ids, inputs] = [[...a.body.inputs], [...a.inputs]];
  const moved = new Map<ValueId, ValueId>();
  b.inputs.forEach(({ carry, ...input }, i) => {
    const own = carry === undefined ? input : { ...input, carry: made + carry };
    const id = b.body.inputs[i]!;
    const same = inputs.findIndex((other) => isSame(other, own));
    if (same < 0) {
      inputs.push(own);
      ids.push(builder.value(b.body.values[id]!));
    }
    moved.set(id, ids.at(same)!);
  });
  const find = (id: ValueId) => moved.get(id)!;
  for (const { op, inputs, params, output } of b.body.steps) {
    const value = builder.value(b.body.values[output]!);
    moved.set(output, builder.add(op, inputs.map(find), params, value));
  }
  const outputs = [...a.body.outputs, ...b.body.outputs.map(find)];
  const body = eliminateCommonSubexpressions({ ...builder.build(), inputs: ids, outputs });
  return { ...a, body: eliminateDeadCode(body), inputs };
}
