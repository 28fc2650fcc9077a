/**
 * Drops steps that change nothing: exact for every value, NaN, infinities and −0 included.
 *
 * @module
 */
import { sameShape } from "../../shape.ts";
import type { Scalars } from "../../ops/elementwise.ts";
import { isAlias } from "../alias.ts";
import { type Graph, rewriteSteps, type Step, type ValueId } from "../graph.ts";
import { uniformValue } from "../loops.ts";

/** The graph without steps whose result is one of their inputs, and with chains of layouts joined. */
export function simplifySteps(graph: Graph): Graph {
  const makers = new Map<ValueId, Step>();
  return rewriteSteps(graph, (given) => {
    const step = join(given, makers);
    makers.set(step.output, step);
    return unchanged(step, graph, makers) ?? step;
  });
}

/** The second operand that leaves the first as it is. */
const NEUTRAL: Readonly<Record<string, number>> = { "a * b": 1, "a / b": 1, "a - b": 0 };

/** The input that a step returns unchanged. */
function unchanged(
  step: Step,
  graph: Graph,
  makers: ReadonlyMap<ValueId, Step>,
): ValueId | undefined {
  const { op, inputs: [a, b], params, output } = step;
  const { shape, dtype } = graph.values[output]!;
  const isLike = (id: ValueId) =>
    sameShape(graph.values[id]!.shape, shape) && graph.values[id]!.dtype === dtype;
  if (op.kind === "view") return isAlias(step, graph) && isLike(a!) ? a : undefined;
  if (op.kind !== "map") return undefined;
  const { expression } = op;
  if (expression === "a") return isLike(a!) ? a : undefined;
  if (expression === "pow(a, p)") return (params as Scalars)[0] === 1 ? a : undefined;
  if (expression === "-a") {
    const maker = makers.get(a!);
    return maker?.op === op ? maker.inputs[0] : undefined;
  }
  const hold = (kept: ValueId, other: ValueId) => {
    const constant = graph.constants.get(other);
    return constant !== undefined && isLike(kept) &&
      Object.is(uniformValue(constant), NEUTRAL[expression]);
  };
  if (!Object.hasOwn(NEUTRAL, expression)) return undefined;
  if (hold(a!, b!)) return a;
  return expression === "a * b" && hold(b!, a!) ? b : undefined;
}

/** A layout of a layout as one. */
function join(step: Step, makers: ReadonlyMap<ValueId, Step>): Step {
  const before = makers.get(step.inputs[0]!);
  const { op } = step;
  if (before?.op !== op || op.kind !== "view" || op.join === undefined) return step;
  return { ...step, inputs: before.inputs, params: op.join(before.params, step.params) };
}
