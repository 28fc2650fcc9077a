/**
 * Groups of steps while they are put together, and what depends on what among them.
 *
 * @module
 */
import type { Step, ValueId } from "../graph.ts";
import type { GraphView, LoopPlan } from "./loop_plan.ts";

/** A group under construction, or a single step. */
export interface Node {
  /** The step that it began with. */
  readonly step: Step;
  /** The loop of all of its steps; `undefined` where the first cannot be in one. */
  plan: LoopPlan | undefined;
  /** The nodes whose values it needs, some of which may be part of others by now. */
  inputs: Set<Node>;
  /** The stretch of the graph that all its steps are in: it depends on no later one. */
  readonly stretch: number;
  /** What its steps take, in additions per position. */
  cost: number;
  /** Its values that others read, and how many do; the caller counts, too. */
  open: Map<ValueId, number>;
  /** The group that it is part of by now. */
  into: Node | undefined;
}

/** The nodes whose values a node needs, as they are now. */
export function inputsOf(node: Node): ReadonlySet<Node> {
  for (const input of node.inputs) {
    if (input.into === undefined) continue;
    node.inputs.delete(input);
    const group = groupOf(input);
    if (group !== node) node.inputs.add(group);
  }
  return node.inputs;
}

/** The group that a node is part of, or itself. */
export function groupOf(node: Node): Node {
  let found = node;
  while (found.into !== undefined) found = found.into;
  return found;
}

/** Nodes of the same stretch that some nodes need, directly or through others. */
export function ancestorsOf(nodes: readonly Node[]): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const visit = (from: Node) => {
    for (const input of inputsOf(from)) if (input.stretch === from.stretch) seen.add(input);
  };
  nodes.forEach(visit);
  for (const ancestor of seen) visit(ancestor);
  return seen;
}

/** Those of some nodes that depend on a group. They have among them whatever they need of it. */
export function nodesBetween(group: Node, ancestors: ReadonlySet<Node>): Node[] {
  const readers = new Map<Node, Node[]>();
  for (const node of ancestors) {
    for (const input of inputsOf(node)) {
      const found = readers.get(input);
      if (found === undefined) readers.set(input, [node]);
      else found.push(node);
    }
  }
  const dependents = new Set<Node>([group]);
  for (const node of dependents) readers.get(node)?.forEach((reader) => dependents.add(reader));
  dependents.delete(group);
  return [...ancestors].filter((node) => dependents.has(node));
}

/** Nodes after their inputs. */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const sorted: Node[] = [];
  const done = new Set<Node>();
  const open = nodes.toReversed();
  while (open.length > 0) {
    const node = open.at(-1)!;
    const waiting = done.has(node) ? [] : [...inputsOf(node)].filter((input) => !done.has(input));
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
function readsOf({ plan, step }: Node, { sourceOf }: GraphView): readonly ValueId[] {
  const reads = plan?.reads.values().toArray() ?? step.inputs.map(sourceOf);
  return reads.map(({ root }) => root);
}

/** Which nodes read which values; `null` stands for the caller. */
export class Readers {
  readonly #readers = new Map<ValueId, Set<Node | null>>();
  readonly #view: GraphView;

  /** `outputs` are values that the caller reads. */
  constructor(nodes: readonly Node[], outputs: readonly ValueId[], view: GraphView) {
    this.#view = view;
    this.#add(outputs, null);
    for (const node of nodes) this.#add(readsOf(node, view), node);
  }

  /** Who reads a value. */
  of(id: ValueId): ReadonlySet<Node | null> {
    return this.#readers.get(id) ?? NOBODY;
  }

  /** Whether others than one node read a value. */
  isNeeded(id: ValueId, node: Node): boolean {
    const readers = this.of(id);
    return readers.size > Number(readers.has(node));
  }

  /** Gives a node other steps. */
  replace(node: Node, plan: LoopPlan): void {
    for (const id of readsOf(node, this.#view)) this.#readers.get(id)?.delete(node);
    node.plan = plan;
    this.#add(readsOf(node, this.#view), node);
  }

  #add(ids: readonly ValueId[], reader: Node | null): void {
    for (const id of ids) {
      const found = this.#readers.get(id);
      if (found === undefined) this.#readers.set(id, new Set([reader]));
      else found.add(reader);
    }
  }
}

const NOBODY: ReadonlySet<Node | null> = new Set();
