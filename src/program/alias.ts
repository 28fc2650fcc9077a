/**
 * Steps whose result is their input under another shape or name.
 *
 * @module
 */
import { castOp, reshapeOp } from "../ops/layout.ts";
import {
  clipGradientOp,
  debugGradientOp,
  gradientReversalOp,
  stopGradientOp,
} from "../ops/gradient.ts";
import type { Graph, Step } from "./graph.ts";

/** Steps whose result is their input's memory. */
export function isAlias({ op, inputs, output }: Step, graph: Graph): boolean {
  const same = graph.values[inputs[0]!]?.dtype === graph.values[output]!.dtype;
  return same && (op.isCheck === true || (ALIASES as readonly unknown[]).includes(op));
}

const ALIASES = [
  castOp,
  clipGradientOp,
  debugGradientOp,
  gradientReversalOp,
  reshapeOp,
  stopGradientOp,
] as const;
