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
import { type BlockInput, type BlockRun, loopIn, type RowLoop } from "../row_blocks.ts";

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

/** The steps that need what a step makes. */
function dependents(step: Step, graph: Graph): Set<Step> {
  const made = new Set([step.output]);
  const found = graph.steps.filter(({ inputs, output }) => {
    const needs = inputs.some((id) => made.has(id));
    if (needs) made.add(output);
    return needs;
  });
  return new Set(found);
}

function merge(earlier: Step, later: Step, graph: Graph, tidy: (body: Graph) => Graph): Graph {
  const [a, b] = [loopIn(earlier)!, loopIn(later)!];
  const builder = new GraphBuilder(graph);
  const size = sizeOf(a.spec.shape);
  const spec = { shape: [size + sizeOf(b.spec.shape)], dtype: a.spec.dtype };
  const inputs = [...new Set([...earlier.inputs, ...later.inputs])];
  const numbersOf = (step: Step) => step.inputs.map((id) => inputs.indexOf(id));
  const runs = a.runs.map((run, i) =>
    mergeRuns(
      { run, from: numbersOf(earlier), results: a.results.length },
      { run: b.runs[i]!, from: numbersOf(later), results: b.results.length },
      tidy,
    )
  );
  const results = [...a.results, ...b.results.map((r) => ({ ...r, start: size + r.start }))];
  const loop: RowLoop = { name: a.name, runs, results, spec };
  const merged: Step = { ...earlier, inputs, params: loop, output: builder.value(spec) };
  const cut = (start: number, output: ValueId, shape: Shape) => {
    const flat = builder.add(sliceOp, [merged.output], { start: [start], shape: [sizeOf(shape)] });
    builder.add(reshapeOp, [flat], shape, output);
  };
  const waiting = dependents(earlier, graph);
  const at = graph.steps.indexOf(later);
  const before = graph.steps.slice(0, at).filter((step) => step !== earlier);
  cut(0, earlier.output, a.spec.shape);
  cut(size, later.output, b.spec.shape);
  const steps = [
    ...before.filter((step) => !waiting.has(step)),
    merged,
    ...builder.steps,
    ...before.filter((step) => waiting.has(step)),
    ...graph.steps.slice(at + 1),
  ];
  return { ...builder.build(), steps };
}

/** A run of one of two loops. */
interface Side {
  run: BlockRun;
  /** The numbers of its loop's inputs among those of both. */
  from: readonly number[];
  /** How many of its outputs are results; the others only go on to the next block. */
  results: number;
}

/** Two bodies as one: inputs that both read are shared; results come before what is handed on. */
function mergeRuns(
  { run: a, from: fromA, results: made }: Side,
  { run: b, from: fromB, results: more }: Side,
  tidy: (body: Graph) => Graph,
): BlockRun {
  const handed = a.body.outputs.length - made;
  const placeA = (output: number) => output < made ? output : output + more;
  const placeB = (output: number) => made + output + (output < more ? 0 : handed);
  const shift = a.body.values.length;
  const moved = new Map<ValueId, ValueId>();
  const inputs = a.inputs.map((input) => moveInput(input, fromA, placeA));
  const ids = [...a.body.inputs];
  b.inputs.forEach((input, i) => {
    const own = moveInput(input, fromB, placeB);
    const same = inputs.findIndex(({ from, start, step, carry }) =>
      from === own.from && start === own.start && step === own.step && carry === own.carry
    );
    const id = b.body.inputs[i]!;
    if (same !== -1) moved.set(id, ids[same]!);
    else {
      inputs.push(own);
      ids.push(id + shift);
    }
  });
  const idOf = (id: ValueId) => moved.get(id) ?? id + shift;
  const steps = b.body.steps.map((step) => ({
    ...step,
    inputs: step.inputs.map(idOf),
    output: idOf(step.output),
  }));
  const body = tidy({
    values: [...a.body.values, ...b.body.values],
    inputs: ids,
    constants: new Map(),
    steps: [...a.body.steps, ...steps],
    outputs: [
      ...a.body.outputs.slice(0, made),
      ...b.body.outputs.slice(0, more).map(idOf),
      ...a.body.outputs.slice(made),
      ...b.body.outputs.slice(more).map(idOf),
    ],
  });
  return { ...a, body, inputs };
}

/** An input by the numbers of both loops' inputs, and of both bodies' outputs. */
function moveInput(
  { carry, ...input }: BlockInput,
  from: readonly number[],
  place: (output: number) => number,
): BlockInput {
  const moved = { ...input, from: from[input.from]! };
  return carry === undefined ? moved : { ...moved, carry: place(carry) };
}
