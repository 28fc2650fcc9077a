/**
 * Puts elementwise steps over the same positions together with the reductions of what they make, and
 * with what is made of those, so that each group is one loop and values that only the group needs
 * are never stored: a softmax of rows is one loop.
 *
 * @module
 */
import { costOf, parseExpression } from "../../../kernels/elementwise/expression.ts";
import { COSTLY } from "../../../kernels/functions/mod.ts";
import type { Primitive } from "../../op.ts";
import { reshapeOp } from "../../ops/layout.ts";
import { sameShape, type Shape, sizeOf } from "../../shape.ts";
import { type Graph, orderOf, type Step, type ValueId } from "../graph.ts";
import { uniformValue } from "../loops.ts";
import {
  extendPlan,
  type GraphView,
  isFull,
  type LoopPlan,
  planLoop,
  rowShape,
  type Work,
  workOf,
} from "./loop_plan.ts";
import {
  ancestorsOf,
  groupOf,
  inputsOf,
  type Node,
  nodesBetween,
  Readers,
  sortNodes,
} from "./nodes.ts";
import { rematerialize } from "./rematerialize.ts";
import { Views } from "./views.ts";

/** Steps that run as one loop. */
export interface Group extends LoopPlan {
  /** Values that are needed outside. */
  outputs: readonly ValueId[];
}

/** A graph in units of execution. */
export type Unit = Step | Group;

/** Whether a unit is a group. */
export function isGroup(unit: Unit): unit is Group {
  return "steps" in unit;
}

/** Steps whose slices a group reads where they are, positions unchecked. */
export function lookupsOf({ reads }: Group): Step[] {
  return [...new Set(reads.values().flatMap(({ lookup }) => lookup ? [lookup.by] : []))];
}

/** Options of {@linkcode fuseSteps}. */
export interface FuseOptions {
  /**
   * Whether loops may go over a row again to use what it was reduced to, reduce columns, and compute
   * anew what other loops made. Not by default.
   */
  passes?: boolean;
  /**
   * Whether threads share loops: what is costly stays apart from sums of everything then, which only
   * one thread can do. Not by default.
   */
  shared?: boolean;
  /** The most tensors that a loop of several steps reads and writes; no more than 480 by default. */
  tensors?: number;
}

/** The units of a graph, in an order in which every value is made before it is needed. */
export function fuseSteps(graph: Graph, options: FuseOptions = {}): Unit[] {
  return new Fuser(graph, options).units();
}

/** Rows of fewer values are short: what is costly once per row is better done for many rows at once. */
const SHORT = 64;

/** Loops over no more positions than this are put together even where they have nothing in common. */
const SMALL = 4096;

/** Only steps of one stretch are put together, so that fusing takes time in proportion. */
const STRETCH = 2048;

/**
 * The most of a loop: additions per position, and tensors. WebAssembly allows 50,000 variables, of
 * which an addition takes about ten, and 1,000 parameters, of which a tensor takes two.
 */
const LARGEST = { cost: 2500, tensors: 480 } as const;

class Fuser {
  readonly #graph: Graph;
  readonly #view: GraphView;
  readonly #order: ReadonlyMap<Step, number>;
  readonly #makers = new Map<ValueId, Node>();
  readonly #aliases: readonly Step[];
  readonly #passes: boolean;
  readonly #shared: boolean;
  readonly #most: number;
  readonly #readerCounts: ReadonlyMap<ValueId, number>;
  readonly #readers: Readers;
  #nodes: Node[] = [];

  constructor(
    graph: Graph,
    { passes = false, shared = false, tensors = Infinity }: FuseOptions,
  ) {
    this.#graph = graph;
    this.#passes = passes;
    this.#shared = shared;
    this.#most = tensors;
    const works = new Map(graph.steps.map((step) => [step, workOf(step, graph)]));
    const views = new Views(graph, works, (step) => this.#planAlone(step) !== undefined);
    this.#aliases = views.aliases;
    this.#view = { graph, works, sourceOf: (id) => views.sourceOf(id) };
    this.#order = orderOf(graph);
    if (passes) views.find();
    const steps = graph.steps.filter(({ output }) => !views.has(output));
    this.#readerCounts = countReaders([
      ...steps.map((step) => this.#readBy(step)),
      ...graph.outputs.map((id) => [this.#rootOf(id)]),
    ]);
    for (const step of steps) this.#add(step);
    if (passes) { for (const node of [...this.#nodes]) this.#joinInputs(node); }
    this.#nodes = this.#nodes.filter(({ into }) => into === undefined);
    const outputs = graph.outputs.map((id) => this.#rootOf(id));
    this.#readers = new Readers(this.#nodes, outputs, this.#view);
    if (passes) {
      rematerialize(this.#nodes, this.#readers, (steps, shape) => {
        const plan = this.#plan(steps, shape);
        return plan && this.#readsFit([plan], this.#most - 1) ? plan : undefined;
      });
    }
  }

  units(): Unit[] {
    const needed = this.#neededAliases();
    const aliasesOf = Map.groupBy(needed, ({ inputs }) => this.#makerOf(inputs[0]!));
    return [
      ...aliasesOf.get(undefined) ?? [],
      ...sortNodes(this.#nodes).flatMap((node) => [
        this.#toUnit(node),
        ...aliasesOf.get(node) ?? [],
      ]),
    ];
  }

  #rootOf(id: ValueId): ValueId {
    return this.#view.sourceOf(id).root;
  }

  /** Aliases that steps outside of loops read, or the caller, straight from what they stand for. */
  #neededAliases(): Step[] {
    const needed = new Set(this.#graph.outputs);
    for (const { plan, step } of this.#nodes) {
      if (plan === undefined) step.inputs.forEach((id) => needed.add(id));
    }
    return this.#aliases.flatMap(({ output }): Step[] => {
      if (!needed.has(output)) return [];
      const { shape } = this.#graph.values[output]!;
      const op = reshapeOp as Primitive<unknown>;
      return [{ op, inputs: [this.#rootOf(output)], params: shape, output }];
    });
  }

  /** The values in memory that a step reads, positions of what it looks up among them. */
  #readBy({ inputs }: Step): ValueId[] {
    return inputs.flatMap((id) => {
      const { root, lookup } = this.#view.sourceOf(id);
      return lookup === undefined ? [root] : [root, lookup.root];
    });
  }

  #makerOf(id: ValueId): Node | undefined {
    const node = this.#makers.get(id);
    return node && groupOf(node);
  }

  #add(step: Step): void {
    const inputs = new Set(this.#readBy(step).flatMap((id) => this.#makerOf(id) ?? []));
    const work = this.#view.works.get(step);
    const plan = this.#planAlone(step);
    const stretch = Math.floor(this.#order.get(step)! / STRETCH);
    const cost = 1 + (step.op.kind === "map" ? costOf(parseExpression(step.op.expression)) : 0);
    const open = new Map([[step.output, this.#readerCounts.get(step.output) ?? 0]]);
    const node: Node = { step, plan, inputs, stretch, cost, open, into: undefined };
    this.#makers.set(step.output, node);
    if (work === undefined || !this.#join(node, step, work)) this.#nodes.push(node);
  }

  /** Groups that a step might be put into, the last ones first. */
  #candidates(stretch: number, work: Work): Node[] {
    const found: Node[] = [];
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i]!;
      if (node.stretch < stretch) break;
      const isGroup = node.into === undefined && node.plan !== undefined;
      if (isGroup && fits(work, node.plan!)) found.push(node);
    }
    return found;
  }

  /** Puts a step into a group that there is, where one fits: rather into one that it depends on. */
  #join(node: Node, step: Step, work: Work): boolean {
    const candidates = this.#candidates(node.stretch, work);
    if (candidates.length === 0) return false;
    const ancestors = ancestorsOf([node]);
    const apart = candidates.filter((group) => !ancestors.has(group));
    const blocked = ancestorsOf([...ancestors].filter(({ plan }) => plan === undefined));
    const above = candidates.filter((group) => ancestors.has(group) && !blocked.has(group));
    const isAlike = ({ plan }: Node) => sameShape(plan!.shape, work.shape);
    const [alike, ofRows] = [above.filter(isAlike), above.filter((group) => !isAlike(group))];
    // What is too much with one group is so with another that it depends on.
    const beyond = new Set<Node>();
    for (const group of [...alike, ...ofRows]) {
      if (beyond.has(group)) continue;
      const between = nodesBetween(group, ancestors);
      if (!isWelcome(step, work, group.plan!, between)) continue;
      if (this.#merge(group, [...between, node])) return true;
      for (const other of ancestorsOf([group])) beyond.add(other);
    }
    const inputs = step.inputs.map((id) => this.#rootOf(id));
    return apart.some((group) =>
      (!this.#passes || isRelated(inputs, work, group.plan!)) && this.#merge(group, [node])
    );
  }

  /** Puts a group together with those that it depends on, and with all that is between. */
  #joinInputs(node: Node): void {
    if (node.plan === undefined || node.into !== undefined) return;
    for (const input of [...inputsOf(node)]) {
      const same = input.plan !== undefined && sameShape(input.plan.shape, node.plan.shape);
      if (!same || input.into !== undefined || input.stretch !== node.stretch) continue;
      const between = nodesBetween(input, ancestorsOf([node]));
      if (this.#merge(input, [...between, node])) return this.#joinInputs(input);
    }
  }

  #planAlone(step: Step): LoopPlan | undefined {
    const work = this.#view.works.get(step);
    return work && this.#plan([step], work.shape);
  }

  #plan(steps: readonly Step[], shape: Shape): LoopPlan | undefined {
    const sorted = steps.toSorted((a, b) => this.#order.get(a)! - this.#order.get(b)!);
    const plan = planLoop(sorted, shape, this.#view);
    return plan && (this.#passes || isPlain(plan, this.#view)) ? plan : undefined;
  }

  /** Puts all steps of others into a group, where that can be one loop. */
  #extend(group: Node, others: readonly Node[]): boolean {
    const plan = group.plan!;
    const added = others.flatMap((node) => node.plan!.steps);
    const [step] = added as [Step];
    const isFirst = this.#view.works.get(step)!.reduced !== undefined && !plan.reduced;
    const isLast = this.#order.get(plan.steps.at(-1)!)! < this.#order.get(step)!;
    if (this.#passes && added.length === 1 && !isFirst && isLast) {
      return extendPlan(plan, step, this.#view);
    }
    const planned = this.#plan([...plan.steps, ...added], plan.shape);
    if (planned !== undefined) group.plan = planned;
    return planned !== undefined;
  }

  /** Makes one group of a group and others, where that can be. */
  #merge(group: Node, others: readonly Node[]): boolean {
    if (others.some(({ plan }) => plan === undefined)) return false;
    const nodes = [group, ...others];
    const cost = others.reduce((sum, other) => sum + other.cost, group.cost);
    if (cost > LARGEST.cost) return false;
    if (this.#shared && cost > COSTLY && nodes.some(isOneSum)) return false;
    const open = this.#openValues(group, others);
    const plans = nodes.map(({ plan }) => plan!);
    const reads = plans.reduce((sum, plan) => sum + plan.reads.size, 0);
    if (reads + open.size > LARGEST.tensors) return false;
    if (!this.#readsFit(plans, this.#most - open.size)) return false;
    if (!this.#extend(group, others)) return false;
    Object.assign(group, { cost, open });
    for (const other of others) {
      other.into = group;
      inputsOf(other).forEach((input) => group.inputs.add(input));
    }
    group.inputs.delete(group);
    return true;
  }

  /** Whether loops as one read no more tensors, constants of one number aside. */
  #readsFit(plans: readonly LoopPlan[], most: number): boolean {
    if (most === Infinity) return true;
    const made = new Set(plans.flatMap(({ levels }) => [...levels.keys()]));
    const reads = plans.flatMap((plan) => [...plan.reads]).filter(([_, { root }]) => {
      const constant = this.#graph.constants.get(root);
      return !made.has(root) && (constant === undefined || uniformValue(constant) === undefined);
    });
    return new Map(reads).size <= most;
  }

  /** Values of nodes that others read, where they are one. */
  #openValues(group: Node, others: readonly Node[]): Map<ValueId, number> {
    const open = new Map(group.open);
    for (const other of others) for (const [id, count] of other.open) open.set(id, count);
    for (const step of others.flatMap(({ plan }) => plan!.steps)) {
      for (const id of new Set(this.#readBy(step))) {
        const count = open.get(id);
        if (count === 1) open.delete(id);
        else if (count !== undefined) open.set(id, count - 1);
      }
    }
    return open;
  }

  #toUnit(node: Node): Unit {
    const { plan, step } = node;
    if (plan === undefined) return step;
    const made = plan.steps.map(({ output }) => output);
    return { ...plan, outputs: made.filter((id) => this.#readers.isNeeded(id, node)) };
  }
}

/** Whether a loop over many positions adds all of them up, or finds the largest. */
function isOneSum({ plan }: Node): boolean {
  const { shape, reduced } = plan!;
  return reduced !== undefined && reduced[1] - reduced[0] === shape.length && sizeOf(shape) > SMALL;
}

/** How many read each value, given what each of them reads. */
function countReaders(reads: readonly (readonly ValueId[])[]): Map<ValueId, number> {
  const counts = new Map<ValueId, number>();
  for (const ids of reads) {
    for (const id of new Set(ids)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Whether rows are gone over once, and their reductions used elsewhere only. */
function isPlain({ shape, reduced, passes, steps }: LoopPlan, { works }: GraphView): boolean {
  const ofRows = reduced === undefined || reduced[1] === shape.length;
  return ofRows && passes === 1 && steps.every((step) => sameShape(works.get(step)!.shape, shape));
}

/** Whether a step that depends on a group should be in its loop. */
function isWelcome(
  { op }: Step,
  work: Work,
  { shape, reduced }: LoopPlan,
  between: readonly Node[],
): boolean {
  if (sameShape(work.shape, shape)) return true;
  if (between.length > 0) return false;
  const [first, end] = reduced!;
  const isWide = end < shape.length || sizeOf(shape.slice(first, end)) >= SHORT;
  return isWide || op.kind !== "map" || costOf(parseExpression(op.expression)) < COSTLY;
}

/** Whether a step that does not depend on a group has enough in common with it. */
function isRelated(inputs: readonly ValueId[], work: Work, plan: LoopPlan): boolean {
  if (!sameShape(work.shape, plan.shape)) return false;
  if (sizeOf(work.shape) <= SMALL) return true;
  return plan.reads.values().some((read) => inputs.includes(read.root) && isFull(read));
}

/** Whether a step might run in a loop, by shapes and types. */
function fits(work: Work, { shape, dtype, reduced }: LoopPlan): boolean {
  if (work.dtype !== undefined && dtype !== undefined && work.dtype !== dtype) return false;
  if (sameShape(work.shape, shape)) return true;
  return reduced !== undefined && work.reduced === undefined &&
    sameShape(work.shape, rowShape(shape, reduced));
}
