import type { Precision } from "../../../kernels/functions/algebra.ts";
import { evaluate } from "../../../kernels/functions/evaluate.ts";
import { hostName } from "../../../kernels/functions/javascript.ts";
import { definitionOf, graphOf } from "../../../kernels/functions/mod.ts";

/** A scalar function: the host's where it has it, else evaluated. */
export function scalarFunction(
  name: string,
  precision: Precision = "float64",
): (...args: number[]) => number {
  const host = precision === "float64" || definitionOf(name)!.texts === undefined
    ? hostName(name)
    : undefined;
  if (host !== undefined) return Math[host];
  const all = evaluate([graphOf(name, precision)], precision);
  return (...args) => all(...args)[0]!;
}
