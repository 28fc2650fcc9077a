/**
 * Drops steps that change nothing: exact for every value, NaN, infinities and −0 included.
 *
 * @module
 */
import { sameShape } from "../../shape.ts";
import type { Scalars } from "../../ops/elementwise.ts";
import { isAlias } from "../alias.ts";
import { type Graph, replaceValues, type Step, type ValueId } from "../graph.ts";
import { uniformValue } from "../loops.ts";

/** The graph without steps whose result is one of their inputs, and with chains of layouts joined. */
export function simplifySteps(graph: Graph): Graph {
  const replaced = new Map<ValueId, ValueId>();
  const makers = new Map<ValueId, Step>();
  const steps: Step[] = [];
  for (const given of graph.steps) {
    const inputs = given.inputs.map((id) => replaced.get(id) ?? id);
    const step = join({ ...given, inputs }, makers);
    const same = unchanged(step, graph, makers);
    if (same !== undefined) replaced.set(step.output, same);
    else {
      steps.push(step);
      makers.set(step.output, step);
    }
  }
  return replaceValues({ ...graph, steps }, replaced);
}

/** The input that a step returns unchanged. */
function unchanged(
  { op, inputs, params, output }: Step,
  graph: Graph,
  makers: ReadonlyMap<ValueId, Step>,
): ValueId | undefined {
  const [a, b] = inputs as [ValueId, ValueId | undefined];
  const result = graph.values[output]!;
  const like = (id: ValueId) =>
    sameShape(graph.values[id]!.shape, result.shape) && graph.values[id]!.dtype === result.dtype;
  const isNumber = (id: ValueId | undefined, value: number) => {
    const constant = id === undefined ? undefined : graph.constants.get(id);
    return constant !== undefined && Object.is(uniformValue(constant), value);
  };
  const isSame = () => isAlias({ op, inputs, params, output }, graph) && like(a);
  switch (op.kind) {
    case "view":
      return isSame() ? a : undefined;
    case "map":
      break;
    default:
      return undefined;
  }
  switch (op.expression) {
    case "a":
      return isSame() ? a : undefined;
    case "pow(a, p)":
      return (params as Scalars)[0] === 1 ? a : undefined;
    case "a * b":
      if (isNumber(a, 1) && like(b!)) return b;
      return isNumber(b, 1) && like(a) ? a : undefined;
    case "a / b":
      return isNumber(b, 1) && like(a) ? a : undefined;
    case "a - b":
      return isNumber(b, 0) && like(a) ? a : undefined;
    case "-a": {
      const maker = makers.get(a);
      return maker?.op === op ? maker.inputs[0] : undefined;
    }
    default:
      return undefined;
  }
}

/** A layout of a layout as one. */
function join(step: Step, makers: ReadonlyMap<ValueId, Step>): Step {
  const before = makers.get(step.inputs[0]!);
  const { op } = step;
  if (before?.op !== op || op.kind !== "view" || op.join === undefined) return step;
  return { ...step, inputs: before.inputs, params: op.join(before.params, step.params) };
}
