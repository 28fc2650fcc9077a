/**
 * Reductions of axes of an array as WGSL, in an order that does not change from run to run.
 *
 * @module
 */
import { planLoop } from "../elementwise/wgsl.ts";
import type { WgslOptions } from "../elementwise/wgsl_rows.ts";
import type { LoopSpec, Reduction } from "../elementwise/passes.ts";
import type { WgslPlan } from "../wgsl/kernel.ts";
import type { LoopSpace } from "../elementwise/wgsl_space.ts";
import { type Shape, stridesOf } from "../../src/shape.ts";

/** A reduction. */
export interface WgslReduction {
  /** The extents of the array. */
  shape: Shape;
  /** The axes that are reduced. */
  axes: readonly number[];
  /** The sum, mean, norm or an extreme; integers are added up as 32-bit integers. */
  reduce: Reduction["reduce"];
  /** What means and squared norms are divided by; 1 by default. */
  divisor?: number | undefined;
  /** The type of the elements, before and after. */
  dtype: "float32" | "int32";
}

/** An array as rows, the columns of which are some of its axes. */
export function spaceOver(shape: Shape, axes: readonly number[]): LoopSpace {
  const strides = stridesOf(shape);
  const others = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const pick = (values: readonly number[]) => ({
    rows: others.map((axis) => values[axis]!),
    columns: axes.map((axis) => values[axis]!),
  });
  return { ...pick(shape), operands: [pick(strides)] };
}

/**
 * The kernels of a reduction: one input, one output. Rows are reduced as those of {@linkcode planLoop}
 * are.
 */
export function planReduction(
  { reduce, divisor, dtype, shape, axes }: WgslReduction,
  options: WgslOptions = {},
): WgslPlan {
  const spec: LoopSpec = {
    float: "float32",
    operands: [{ name: "x1", dtype, moves: true }],
    body: [{ name: "y1", reduce, of: "x1", divisor }],
    stores: [{ name: "y1", dtype, moves: false }],
  };
  return planLoop(spec, spaceOver(shape, axes), options);
}
