/**
 * Bounds of integers: which of them are certain to be positions, whatever the arguments are.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import { sizeOf } from "../shape.ts";
import { type Graph, makersOf, refusalOf, type Step, type ValueId } from "./graph.ts";

const KNOWN = new WeakMap<Graph, Map<string, boolean>>();

/** Whether all values are certain to be from 0 on and below a bound. */
export function isBelow(id: ValueId, bound: number, graph: Graph): boolean {
  const known = KNOWN.get(graph) ?? new Map<string, boolean>();
  KNOWN.set(graph, known);
  const key = `${id} ${bound}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const constant = graph.constants.get(id);
  const step = makersOf(graph).get(id);
  const holds = constant !== undefined
    ? areBelow(constant.data, bound)
    : step !== undefined && isMadeBelow(step, bound, graph);
  known.set(key, holds);
  return holds;
}

function isMadeBelow(step: Step, bound: number, graph: Graph): boolean {
  const { op, inputs, params, output } = step;
  switch (op.kind) {
    case "view":
      return bound > 0 && inputs.every((input) => isBelow(input, bound, graph));
    case "lookup":
      return isBelow(inputs[0]!, bound, graph);
    case "sort": {
      const { shape } = graph.values[inputs[0]!]!;
      return sizeOf(op.order(params).axes.map((axis) => shape[axis]!)) <= bound;
    }
    case "random":
      return op.draws === "permutation" && graph.values[output]!.shape[0]! <= bound;
    case "check":
      return isAllowed(step, bound, graph) || isBelow(inputs[0]!, bound, graph);
    case "map":
      return isMapped(step, op.expression, bound, graph);
    default:
      return false;
  }
}

/** Whether a check lets nothing else pass, but for an exception that `besides` names. */
function isAllowed(step: Step, bound: number, graph: Graph, besides?: number): boolean {
  const found = step.op.kind === "check" ? refusalOf(step, graph)?.forbidden : undefined;
  if (found?.kind !== "outside" || found.low < 0 || found.high >= bound) return false;
  const { except = 0 } = found;
  return except === besides || areBelow([except], bound);
}

function isMapped({ inputs }: Step, expression: string, bound: number, graph: Graph): boolean {
  const [a, b, c] = inputs as [ValueId, ValueId, ValueId];
  if (expression === "a") return isBelow(a, bound, graph);
  if (expression !== "a != 0 ? b : c" || !isBelow(c, bound, graph)) return false;
  return isBelow(b, bound, graph) || isKept(a, b, bound, graph);
}

/** Whether checked labels are chosen only where they are not the one to ignore. */
function isKept(condition: ValueId, labels: ValueId, bound: number, graph: Graph): boolean {
  const [test, check] = [condition, labels].map((id) => makersOf(graph).get(id));
  if (test?.op.kind !== "map" || test.op.expression !== "a != b") return false;
  const excluded = graph.constants.get(test.inputs[1]!);
  return test.inputs[0] === labels && check !== undefined && excluded?.size === 1 &&
    isAllowed(check, bound, graph, excluded.data[0]);
}

function areBelow(values: TypedArray | readonly number[], bound: number): boolean {
  return values.every((value) => value >= 0 && value < bound);
}
