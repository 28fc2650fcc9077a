/**
 * Steps whose result is their input under another shape or name.
 *
 * @module
 */
import { stretchStart } from "../../kernels/layout/reference.ts";
import { sizeOf } from "../shape.ts";
import type { Graph, Step } from "./graph.ts";

/** Steps whose result is their input's memory. */
export function isAlias(step: Step, graph: Graph): boolean {
  const { op, inputs, output } = step;
  const [from, to] = [graph.values[inputs[0]!], graph.values[output]!];
  if (from?.dtype !== to.dtype) return false;
  switch (op.kind) {
    case "check":
      return true;
    case "map":
      return op.expression === "a";
    case "view":
      return sizeOf(from.shape) === sizeOf(to.shape) && stretchOf(step, graph) === 0;
    default:
      return false;
  }
}

/** Where a view's values start in its input, one behind the other as they are; else `undefined`. */
export function stretchOf(
  { op, inputs, params, output }: Step,
  { values }: Graph,
): number | undefined {
  if (op.kind !== "view") return undefined;
  const { shape } = values[output]!;
  const copies = op.copies(inputs.map((id) => values[id]!.shape), params, shape);
  return stretchStart(copies, sizeOf(shape));
}
