/**
 * Groups of steps while they are put together, and what depends on what among them.
 *
 * @module
 */
import type { Step, ValueId } from "../graph.ts";
import type { GraphView, LoopPlan } from "./loop_plan.ts";

/** A group under construction; a single step where `plan` is `undefined`. */
export interface Node {
  /** The loop that the steps would be. */
  plan: LoopPlan | undefined;
  /** The steps, in order. */
  steps: readonly Step[];
  /** The nodes whose values it needs. */
  inputs: Set<Node>;
}

/** Nodes and all that they need, directly or through others. */
export function ancestorsOf(nodes: Iterable<Node>): ReadonlySet<Node> {
  const seen = new Set(nodes);
  for (const node of seen) for (const input of node.inputs) seen.add(input);
  return seen;
}

/** Those of some nodes that depend on a group. The nodes have among them whatever they need. */
export function nodesBetween(group: Node, ancestors: ReadonlySet<Node>): Node[] {
  const known = new Map<Node, boolean>([[group, true]]);
  const depends = (node: Node): boolean => {
    let found = known.get(node);
    if (found === undefined) {
      found = [...node.inputs].some(depends);
      known.set(node, found);
    }
    return found;
  };
  return [...ancestors].filter((node) => node !== group && depends(node));
}

/** Nodes after their inputs. */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const sorted: Node[] = [];
  const done = new Set<Node>();
  const open = nodes.toReversed();
  while (open.length > 0) {
    const node = open.at(-1)!;
    const waiting = done.has(node) ? [] : [...node.inputs].filter((input) => !done.has(input));
    if (waiting.length > 0) open.push(...waiting);
    else {
      open.pop();
      if (!done.has(node)) sorted.push(node);
      done.add(node);
    }
  }
  return sorted;
}

/** What a node reads from others. */
export function readsOf({ plan, steps }: Node, { sourceOf }: GraphView): readonly ValueId[] {
  return plan === undefined
    ? steps[0]!.inputs.map((id) => sourceOf(id).root)
    : plan.reads.map(({ id }) => id);
}

/** Values that nodes other than one read. */
export function neededOutside(
  node: Node,
  nodes: readonly Node[],
  view: GraphView,
): Set<ValueId> {
  return new Set(nodes.flatMap((other) => other === node ? [] : readsOf(other, view)));
}
