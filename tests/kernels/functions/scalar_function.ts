import type { Precision } from "../../../kernels/functions/algebra.ts";
import { evaluate } from "../../../kernels/functions/evaluate.ts";
import { definitionOf, graphOf } from "../../../kernels/functions/mod.ts";

/** A scalar function: the host's where it has it, else evaluated. */
export function scalarFunction(
  name: string,
  precision: Precision = "float64",
): (...args: number[]) => number {
  const graph = definitionOf(name)!.text && graphOf(name, precision);
  if (graph === undefined || graph.operation === "host") return Math[name as "max"];
  const all = evaluate([graph], precision);
  return (...args) => all(...args)[0]!;
}
