/**
 * Does equal steps once.
 *
 * @module
 */
import type { Primitive } from "../../op.ts";
import { type Graph, rewriteSteps, type ValueId } from "../graph.ts";

/** Constants of more values than this are not compared. */
const LARGEST = 1024;

/** The graph in which each operation is done to the same values, with the same parameters, once. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const numbers = new Map<Primitive<unknown>, number>();
  const numberOf = (op: Primitive<unknown>) => {
    if (!numbers.has(op)) numbers.set(op, numbers.size);
    return numbers.get(op)!;
  };
  const made = new Map<string, ValueId>();
  const first = (key: string, id: ValueId) => {
    if (!made.has(key)) made.set(key, id);
    return made.get(key)!;
  };
  const constants = new Map<ValueId, ValueId>();
  for (const [id, { size, dtype, shape, data }] of graph.constants) {
    if (size > LARGEST) continue;
    constants.set(id, first(`${dtype} ${shape}: ${Array.from(data, formatExact)}`, id));
  }
  return rewriteSteps(graph, (given) => {
    const inputs = given.inputs.map((id) => constants.get(id) ?? id);
    const step = { ...given, inputs };
    const params = describeParams(step.params);
    if (params === undefined) return step;
    const output = first(`${numberOf(step.op)} ${inputs} ${params}`, step.output);
    return output === step.output ? step : output;
  });
}

/** Parameters as text; `undefined` where they hold a function, which may do anything. */
function describeParams(params: unknown): string | undefined {
  let plain = true;
  const text = JSON.stringify(params, (_key, value) => {
    if (typeof value === "function") plain = false;
    return typeof value === "number" ? formatExact(value) : value;
  });
  return plain ? text ?? "none" : undefined;
}

/** A number as text that tells −0 from 0 and NaN from null. */
export function formatExact(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
