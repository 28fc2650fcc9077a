/**
 * Reductions of axes of an array as WGSL, in an order that does not change from run to run.
 *
 * @module
 */
import { planLoop } from "../elementwise/wgsl.ts";
import type { WgslOptions } from "../elementwise/wgsl_rows.ts";
import type { LoopSpec, Reduction } from "../elementwise/passes.ts";
import type { WgslPlan } from "../wgsl/kernel.ts";
import { spaceOver } from "../elementwise/wgsl_space.ts";
import type { Shape } from "../../src/shape.ts";

/** A reduction. */
export interface WgslReduction extends Pick<Reduction, "reduce" | "divisor"> {
  /** The extents of the array. */
  shape: Shape;
  /** The axes that are reduced. */
  axes: readonly number[];
  /** The type of the elements, before and after; integers are added up as 32-bit integers. */
  dtype: "float32" | "int32";
}

/** The loop that reduces rows: one input, one output. */
export function reductionLoop(
  { reduce, divisor, dtype }: Pick<WgslReduction, "reduce" | "divisor" | "dtype">,
): LoopSpec {
  return {
    float: "float32",
    operands: [{ name: "x1", dtype, moves: true }],
    body: [{ name: "y1", reduce, of: "x1", divisor }],
    stores: [{ name: "y1", dtype, moves: false }],
  };
}

/** The kernels of a reduction. Rows are reduced as those of {@linkcode planLoop} are. */
export function planReduction(
  { shape, axes, ...reduction }: WgslReduction,
  options: WgslOptions = {},
): WgslPlan {
  return planLoop(reductionLoop(reduction), spaceOver(shape, axes), options);
}
