/**
 * Lets loops compute anew what takes longer to be written and read again.
 *
 * @module
 */
import { costOf, parseExpression } from "../../../kernels/elementwise/expression.ts";
import { sameShape, type Shape } from "../../shape.ts";
import type { Step, ValueId } from "../graph.ts";
import { isFull, type LoopPlan } from "./loop_plan.ts";
import type { Node, Readers } from "./nodes.ts";

/** The largest cost of steps that are computed again. */
const MOST = 8;

/** Plans a loop of some steps, in whatever order they are given. */
type Replan = (steps: readonly Step[], shape: Shape) => LoopPlan | undefined;

/** A value that loops might compute anew, and the steps that make it. */
interface Candidate {
  output: ValueId;
  chain: readonly Step[];
}

/**
 * Gives loops that read values of another loop the few cheap steps that make them, where these need
 * nothing but values that are in memory anyway, and the loop then reads no more than before.
 */
export function rematerialize(nodes: readonly Node[], readers: Readers, plan: Replan): void {
  for (const node of nodes) {
    if (node.plan === undefined) continue;
    const { steps } = node.plan;
    const makers = new Map(steps.map((step) => [step.output, step]));
    let waiting: Candidate[] = [];
    const read = new Set<ValueId>();
    const settle = () => {
      give(waiting, node, readers, plan);
      waiting = [];
      read.clear();
    };
    for (const { output } of steps.toReversed()) {
      if (read.has(output)) settle();
      if (!readers.isNeeded(output, node) || readers.of(output).has(null)) continue;
      if (!node.plan.levels.get(output)!.moves) continue;
      const isStored = (id: ValueId) => id !== output && readers.isNeeded(id, node);
      const chain = chainTo(output, node, makers, isStored);
      if (chain === undefined) continue;
      waiting.push({ output, chain });
      chain.forEach((step) => node.plan!.uses.get(step)!.forEach(({ root }) => read.add(root)));
    }
    settle();
    dropUnneeded(node, readers, plan);
  }
}

/** Gives readers what they need to make values themselves: all at once, or as many as they can. */
function give(
  candidates: readonly Candidate[],
  maker: Node,
  readers: Readers,
  plan: Replan,
): void {
  if (candidates.length === 0) return;
  const chains = new Map<Node, Set<Step>>();
  for (const { output, chain } of candidates) {
    for (const reader of readers.of(output) as ReadonlySet<Node>) {
      const steps = chains.get(reader) ?? new Set();
      chain.forEach((step) => steps.add(step));
      chains.set(reader, steps);
    }
  }
  const planned = new Map<Node, LoopPlan>();
  for (const [reader, chain] of chains) {
    const extended = extend(reader, maker, [...chain], plan);
    if (extended === undefined) break;
    planned.set(reader, extended);
  }
  if (planned.size === chains.size) {
    planned.forEach((extended, reader) => readers.replace(reader, extended));
  } else if (candidates.length > 1) {
    const half = candidates.length >> 1;
    give(candidates.slice(0, half), maker, readers, plan);
    give(candidates.slice(half), maker, readers, plan);
  }
}

/** The steps that make a value of what is in memory, or once per row; none where they cost much. */
function chainTo(
  target: ValueId,
  { plan }: Node,
  makers: ReadonlyMap<ValueId, Step>,
  isStored: (id: ValueId) => boolean,
): Step[] | undefined {
  const chain = new Set<Step>();
  let cost = 0;
  const visit = (id: ValueId): boolean => {
    const step = makers.get(id);
    if (step === undefined || isStored(id) || !plan!.levels.get(id)!.moves) return true;
    if (chain.has(step)) return true;
    const { op } = step;
    if (op.kind === "map") cost += costOf(parseExpression(op.expression));
    if (op.kind === "reduce" || cost > MOST) return false;
    chain.add(step);
    return plan!.uses.get(step)!.every(({ root }) => visit(root));
  };
  return visit(target) ? [...chain] : undefined;
}

/** A loop that makes a value by itself; none where it would read more values of its size than now. */
function extend(
  reader: Node,
  maker: Node,
  chain: readonly Step[],
  plan: Replan,
): LoopPlan | undefined {
  const own = reader.plan;
  if (own === undefined || !sameShape(own.shape, maker.plan!.shape)) return undefined;
  const known = new Set(own.steps.map(({ output }) => output));
  const added = chain.filter(({ output }) => !known.has(output));
  const extended = plan([...own.steps, ...added], own.shape);
  const large = ({ reads }: LoopPlan) => reads.values().filter(isFull).toArray().length;
  return extended !== undefined && large(extended) <= large(own) ? extended : undefined;
}

/** Drops steps whose values nobody needs any more. */
function dropUnneeded(node: Node, readers: Readers, plan: Replan): void {
  const { steps, shape, uses } = node.plan!;
  const used = new Set<ValueId>();
  const kept = steps.toReversed().filter((step) => {
    if (!used.has(step.output) && !readers.isNeeded(step.output, node)) return false;
    uses.get(step)!.forEach(({ root }) => used.add(root));
    return true;
  });
  if (kept.length > 0 && kept.length < steps.length) {
    const replaced = plan(kept, shape);
    if (replaced !== undefined) readers.replace(node, replaced);
  }
}
