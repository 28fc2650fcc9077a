/**
 * Puts loops over the same blocks together, so that what both compute is computed once: above all a
 * loss and its gradient, whose loop begins with everything that the loss's loop does.
 *
 * @module
 */
import { sliceOp } from "../../ops/join.ts";
import { reshapeOp } from "../../ops/layout.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { type Graph, GraphBuilder, makersOf, type Step, type ValueId } from "../graph.ts";
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
export function fuseRowLoops(graph: Graph, tidy: (body: Graph) => Graph): Graph {
  for (let fused: Graph | undefined = graph; fused !== undefined;) {
    graph = fused;
    fused = fuseTwo(graph, tidy);
  }
  return graph;
}

function fuseTwo(graph: Graph, tidy: (body: Graph) => Graph): Graph | undefined {
  const loops = graph.steps.filter((step) => loopIn(step) !== undefined);
  const orders = new Map(graph.steps.map((step, i) => [step, i]));
  const makers = makersOf(graph);
  for (let i = loops.length - 1; i > 0; i--) {
    const later = loops[i]!;
    const alike = loops.slice(Math.max(0, i - WINDOW), i).filter((step) => isAlike(step, later));
    if (alike.length === 0) continue;
    const first = orders.get(alike[0]!)!;
    const needed = new Set([later]);
    // A set is gone through with what is added meanwhile.
    for (const { inputs } of needed) {
      for (const id of inputs) {
        const maker = makers.get(id);
        if (maker !== undefined && orders.get(maker)! >= first) needed.add(maker);
      }
    }
    const earlier = alike.find((step) => !needed.has(step));
    if (earlier !== undefined) return merge(earlier, later, graph, tidy);
  }
  return undefined;
}

/** Whether two steps are loops over the same blocks. */
function isAlike(one: Step, other: Step): boolean {
  const [a, b] = [loopIn(one)!, loopIn(other)!];
  const blocksOf = ({ runs }: RowLoop) => String(runs.map(({ first, count }) => [first, count]));
  const runs = [...a.runs, ...b.runs];
  return a.name === b.name && a.spec.dtype === b.spec.dtype && blocksOf(a) === blocksOf(b) &&
    runs.every(({ ends }) => ends === undefined) &&
    runs.reduce((sum, { body }) => sum + body.steps.length, 0) <= MOST_STEPS;
}

/** The graph with the work of two loops in one, as late as the later one. */
function merge(earlier: Step, later: Step, graph: Graph, tidy: (body: Graph) => Graph): Graph {
  const [a, b] = [loopIn(earlier)!, loopIn(later)!];
  const builder = new GraphBuilder(graph);
  const size = sizeOf(a.spec.shape);
  const spec = { shape: [size + sizeOf(b.spec.shape)], dtype: a.spec.dtype };
  const inputs = [...new Set([...earlier.inputs, ...later.inputs])];
  const runsOf = (step: Step) =>
    loopIn(step)!.runs.map((run) => {
      const numberOf = ({ from }: BlockInput) => inputs.indexOf(step.inputs[from]!);
      return { ...run, inputs: run.inputs.map((own) => ({ ...own, from: numberOf(own) })) };
    });
  const others = runsOf(later);
  const runs = runsOf(earlier).map((run, i) => mergeRuns(run, others[i]!, tidy));
  const made = a.runs[0]!.body.outputs.length;
  const results = [
    ...a.results,
    ...b.results.map((r) => ({ ...r, output: made + r.output, start: size + r.start })),
  ];
  const loop: RowLoop = { name: a.name, runs, results, spec };
  const merged = builder.add(rowLoopOp, inputs, loop);
  const cut = (start: number, output: ValueId, shape: Shape) => {
    const flat = builder.add(sliceOp, [merged], { start: [start], shape: [sizeOf(shape)] });
    builder.add(reshapeOp, [flat], shape, output);
  };
  cut(0, earlier.output, a.spec.shape);
  cut(size, later.output, b.spec.shape);
  const waiting = new Set([earlier.output]);
  const [before, after]: [Step[], Step[]] = [[], []];
  let isLate = false;
  for (const step of graph.steps) {
    const waits = step.inputs.some((id) => waiting.has(id));
    if (waits) waiting.add(step.output);
    if (step === later) isLate = true;
    else if (step !== earlier) (isLate || waits ? after : before).push(step);
  }
  return { ...builder.build(), steps: [...before, ...builder.steps, ...after] };
}

/** Two bodies as one: inputs that both read are shared. */
function mergeRuns(a: BlockRun, b: BlockRun, tidy: (body: Graph) => Graph): BlockRun {
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
  return { ...a, body: tidy({ ...builder.build(), inputs: ids, outputs }), inputs };
}
