/**
 * Steps whose result is their input under another shape or name.
 *
 * @module
 */
import { isIdentity } from "../../kernels/layout/reference.ts";
import { sizeOf } from "../shape.ts";
import type { Graph, Step } from "./graph.ts";

/** Steps whose result is their input's memory. */
export function isAlias({ op, inputs, params, output }: Step, { values }: Graph): boolean {
  const [from, to] = [values[inputs[0]!], values[output]!];
  if (from?.dtype !== to.dtype) return false;
  switch (op.kind) {
    case "check":
      return true;
    case "map":
      return op.expression === "a";
    case "view": {
      const size = sizeOf(to.shape);
      const shapes = inputs.map((id) => values[id]!.shape);
      return sizeOf(from.shape) === size && isIdentity(op.copies(shapes, params, to.shape), size);
    }
    default:
      return false;
  }
}
