/**
 * Reductions of the middle axis of an (outer, count, inner) array as WGSL, in an order that does not
 * change from run to run.
 *
 * @module
 */
import { planLoop } from "../elementwise/wgsl.ts";
import type { WgslOptions } from "../elementwise/wgsl_rows.ts";
import type { LoopSpec, Reduction } from "../elementwise/passes.ts";
import type { WgslPlan } from "../wgsl/kernel.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** A reduction. */
export interface WgslReduction extends AxisExtents {
  /** The sum, mean, norm or an extreme; integers are added up as 32-bit integers. */
  reduce: Reduction["reduce"];
  /** What means and squared norms are divided by; 1 by default. */
  divisor?: number | undefined;
  /** The type of the elements, before and after. */
  dtype: "float32" | "int32";
}

/**
 * The kernels of a reduction: one input, one output. Without inner values, rows are reduced as those
 * of {@linkcode planLoop} are; else each invocation walks along the axis, its neighbours beside it.
 */
export function planReduction(
  { reduce, divisor, dtype, outer, count, inner }: WgslReduction,
  options: WgslOptions = {},
): WgslPlan {
  const spec: LoopSpec = {
    float: "float32",
    operands: [{ name: "x1", dtype, moves: true }],
    body: [{ name: "y1", reduce, of: "x1", divisor }],
    stores: [{ name: "y1", dtype, moves: false }],
  };
  const walk = { rows: [count * inner, 1], columns: [inner] };
  const space = { rows: [outer, inner], columns: [count], operands: [walk] };
  return planLoop(spec, space, options);
}
