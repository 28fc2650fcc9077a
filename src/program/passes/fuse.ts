/**
 * Puts elementwise steps of one shape together, with the row reductions of what they make, so that
 * each group is one loop and values that only the group needs are never stored.
 *
 * @module
 */
import type { Axes } from "../../ops/reduce.ts";
import { equalOp, lessEqualOp, lessOp, notEqualOp } from "../../ops/compare.ts";
import { maxOp, minOp, sumOp } from "../../ops/reduce.ts";
import { broadcastToOp, castOp } from "../../ops/layout.ts";
import { sameShape, type Shape, sizeOf } from "../../shape.ts";
import type { Graph, Step, ValueId } from "../graph.ts";
import { isUniform } from "../space.ts";

/** Steps that run as one loop. */
export interface Group {
  /** The shape that the loop goes over. */
  shape: Shape;
  /** The floating type that the loop computes in. */
  dtype: "float32" | "float64";
  /** The elementwise steps, in order. */
  members: readonly Step[];
  /** Sums and extremes of members, over the last axes. */
  reductions: readonly Step[];
  /** Values from outside. */
  operands: readonly ValueId[];
  /** Members' values that are needed outside. */
  stored: readonly ValueId[];
}

/** A graph in units of execution. */
export type Unit = Step | Group;

/** Whether a unit is a group. */
export function isGroup(unit: Unit): unit is Group {
  return "members" in unit;
}

/** A group under construction; a single step where `space` is `undefined`. */
interface Node {
  /** What members of a group have in common: shape and floating type of the loop. */
  space: Space | undefined;
  steps: Step[];
  reductions: Step[];
  inputs: Set<Node>;
}

interface Space {
  shape: Shape;
  dtype: "float32" | "float64";
}

/** The units of a graph, in an order in which every value is made before it is needed. */
export function fuseSteps(graph: Graph): Unit[] {
  const makers = new Map<ValueId, Node>();
  const nodes: Node[] = [];
  for (const step of graph.steps) {
    const inputs = new Set(step.inputs.flatMap((id) => makers.get(id) ?? []));
    const reduced = reducedSpace(step, graph);
    const space = reduced ?? elementwiseSpace(step, graph);
    let node = nodes.findLast((group) =>
      canJoin(graph, group, step, space, reduced !== undefined, inputs)
    );
    if (node === undefined) {
      node = { space, steps: [], reductions: [], inputs: new Set() };
      nodes.push(node);
    }
    (reduced === undefined ? node.steps : node.reductions).push(step);
    for (const input of inputs) if (input !== node) node.inputs.add(input);
    makers.set(step.output, node);
  }
  return sortNodes(nodes).map((node) => toUnit(node, graph));
}

/** Operations that may read integers in a loop of float32. */
const READ_INTEGERS: readonly unknown[] = [equalOp, notEqualOp, lessOp, lessEqualOp, castOp];

/** The loop of an elementwise step; `undefined` for others, and for those that make integers. */
function elementwiseSpace({ op, inputs, output }: Step, graph: Graph): Space | undefined {
  const { shape, dtype } = graph.values[output]!;
  const isCopy = op as unknown === broadcastToOp || (op as unknown === castOp && dtype !== "bool");
  if (op.expression === undefined && !isCopy) return undefined;
  const dtypes = new Set([dtype, ...inputs.map((id) => graph.values[id]!.dtype)]);
  const hasIntegers = dtypes.delete("int32");
  dtypes.delete("bool");
  const [float = "float32"] = dtypes;
  if (dtypes.size > 1 || dtype === "int32" || sizeOf(shape) === 0) return undefined;
  if (hasIntegers && (float !== "float32" || !READ_INTEGERS.includes(op))) return undefined;
  return { shape, dtype: float as Space["dtype"] };
}

/** The loop of a reduction over the last axes; `undefined` for others. */
function reducedSpace({ op, inputs, params }: Step, graph: Graph): Space | undefined {
  if (!([sumOp, maxOp, minOp] as unknown[]).includes(op)) return undefined;
  const { shape, dtype } = graph.values[inputs[0]!]!;
  const { axes } = params as Axes;
  const first = shape.length - axes.length;
  const trailing = axes.length > 0 && axes.every((axis, i) => axis === first + i);
  if (!trailing || (dtype !== "float32" && dtype !== "float64")) return undefined;
  return sizeOf(shape) === 0 ? undefined : { shape, dtype };
}

/** Whether a step can run in the loop of a group without waiting for what the group makes. */
function canJoin(
  graph: Graph,
  group: Node,
  step: Step,
  space: Space | undefined,
  isReduction: boolean,
  inputs: ReadonlySet<Node>,
): boolean {
  if (space === undefined || group.space === undefined) return false;
  if (group.space.dtype !== space.dtype || !sameShape(group.space.shape, space.shape)) return false;
  if (group.reductions.some(({ output }) => step.inputs.includes(output))) return false;
  const known = group.reductions[0]?.params as Axes | undefined;
  const reduced = isReduction ? (step.params as Axes).axes.length : known?.axes.length ?? 0;
  if (isReduction && known !== undefined && known.axes.length !== reduced) return false;
  const reads = [...group.steps, step].flatMap((member) => member.inputs);
  if (!reads.every((id) => isUniform(graph.values[id]!.shape, space.shape, reduced))) return false;
  return ![...inputs].some((input) => input !== group && dependsOn(input, group));
}

/** Whether a node needs another one, directly or through others. */
function dependsOn(node: Node, other: Node): boolean {
  const seen = new Set<Node>();
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === other) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...next.inputs);
  }
  return false;
}

/** Nodes after their inputs. */
function sortNodes(nodes: readonly Node[]): Node[] {
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

function toUnit({ space, steps, reductions }: Node, graph: Graph): Unit {
  if (space === undefined) return steps[0]!;
  const own = new Set<Step>([...steps, ...reductions]);
  const made = new Set(steps.map((step) => step.output));
  const needed = new Set(graph.outputs);
  for (const step of graph.steps) if (!own.has(step)) step.inputs.forEach((id) => needed.add(id));
  const read = [...own].flatMap((step) => step.inputs);
  return {
    ...space,
    members: steps,
    reductions,
    operands: [...new Set(read)].filter((id) => !made.has(id)),
    stored: [...made].filter((id) => needed.has(id)),
  };
}
