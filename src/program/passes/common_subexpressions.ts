/**
 * Does equal steps once.
 *
 * @module
 */
import type { Primitive } from "../../op.ts";
import { type Graph, replaceValues, type Step, type ValueId } from "../graph.ts";

/** The graph in which each operation is done to the same values, with the same parameters, once. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const numbers = new Map<Primitive<unknown>, number>();
  const numberOf = (op: Primitive<unknown>) => {
    if (!numbers.has(op)) numbers.set(op, numbers.size);
    return numbers.get(op)!;
  };
  const made = new Map<string, ValueId>();
  const replaced = new Map<ValueId, ValueId>();
  const kept: Step[] = [];
  for (const [id, constant] of graph.constants) {
    if (constant.size !== 1) continue;
    const key = `constant ${constant.dtype} ${constant.shape} ${formatExact(constant.item())}`;
    if (made.has(key)) replaced.set(id, made.get(key)!);
    else made.set(key, id);
  }
  for (const step of graph.steps) {
    const inputs = step.inputs.map((id) => replaced.get(id) ?? id);
    const params = describeParams(step.params);
    const key = params === undefined ? undefined : `${numberOf(step.op)} ${inputs} ${params}`;
    if (key !== undefined && made.has(key)) replaced.set(step.output, made.get(key)!);
    else {
      kept.push(step);
      if (key !== undefined) made.set(key, step.output);
    }
  }
  return replaceValues({ ...graph, steps: kept }, replaced);
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
function formatExact(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
