/**
 * Lengths and variances over any axes.
 *
 * @module
 */
import { checkOptions } from "../options.ts";
import { normalizeAxes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { mul, square, sub, withSquare } from "./arithmetic.ts";
import { REDUCE, VARIANCE } from "./checks.ts";
import { less, where } from "./compare.ts";
import { floating } from "./elementwise.ts";
import { stopGradient } from "./gradient.ts";
import { reshape } from "./layout.ts";
import {
  mean,
  meanOp,
  normOp,
  reducedCount,
  type ReduceOptions,
  reduceShared,
  sum,
} from "./reduce.ts";

/** Options of {@linkcode variance} and {@linkcode std}. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken off the count in the denominator: 0 (the default) or 1 for an unbiased estimate. */
  correction?: number | undefined;
}

/**
 * Variance over axes, in two passes: what the rounding of the mean adds to the squared differences
 * is taken off again, so that numbers far from the origin keep their digits.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default; `correction`, 0 by default
 * (as NumPy does; 1 divides by n − 1).
 * @returns `Σ (x − mean)² / (n − correction)`, at least 0.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Of two numbers
 * ```ts
 * import { variance } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(variance([1, 3]).item(), 1);
 * assertEquals(variance([1, 3], { correction: 1 }).item(), 2);
 * ```
 */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("variance", VARIANCE, 1, arguments);
  const operand = floating(asOperand("variance", x));
  const count = reducedCount("variance", operand, options);
  const divisor = count - (options.correction ?? 0);
  const { centred, rest } = centre(operand, options.axis);
  const spread = reduceShared(meanOp, square(centred), options, divisor);
  if (divisor <= 0) return divisor < 0 ? mul(spread, NaN) : spread;
  const excess = reshape(mul(square(rest), count / divisor), spread.shape);
  // Equal values have a spread that is all excess, up to rounding.
  return where(less(spread, excess), mul(spread, 0), sub(spread, excess));
}

/**
 * Standard deviation over axes: the length of the differences from the mean, whose squares are added
 * up in float64, so that none overflows or vanishes. Its gradient is 0 where it is 0.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default; `correction`, 0 by default
 * (as NumPy does; 1 divides by n − 1, as PyTorch does).
 * @returns `√(Σ (x − mean)² / (n − correction))`, at least 0; NaN where there is nothing to divide by.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Of two numbers
 * ```ts
 * import { std } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(std([1, 5]).item(), 2);
 * ```
 */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("std", VARIANCE, 1, arguments);
  const operand = floating(asOperand("std", x));
  const divisor = reducedCount("std", operand, options) - (options.correction ?? 0);
  const { centred, rest } = centre(operand, options.axis);
  return reduceShared(normOp, sub(centred, rest), options, divisor);
}

/**
 * What lies around the mean, and the mean of that: 0 but for what the rounding of the mean left,
 * which counts far away from the origin. A constant, as its derivative is 0.
 */
export function centre(
  x: Tensor,
  axis: ReduceOptions["axis"],
): { centred: Tensor; rest: Tensor } {
  const centred = sub(x, mean(x, { axis, keepDims: true }));
  return { centred, rest: stopGradient(mean(centred, { axis, keepDims: true })) };
}

/**
 * Euclidean length over axes, with gradient 0 where the length is 0. Squares are added up in
 * float64: in float32, none overflows or vanishes. The square of a length, `square(norm(x))`, has all
 * its derivatives at 0, too: its Hessian there is twice the identity.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns `√ Σ x²`.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example A right triangle
 * ```ts
 * import { norm } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(norm([3, 4]).item(), 5);
 * ```
 */
export function norm(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("norm", REDUCE, 1, arguments);
  const operand = floating(asOperand("norm", x));
  const axis = normalizeAxes("norm", options.axis, operand.rank);
  const length = reduceShared(normOp, operand, { ...options, axis }, 1);
  return withSquare(length, () => sum(square(operand), { ...options, axis }));
}

/** The root of the mean square over axes, which stay, with gradient 0 where it is 0. */
export function rootMeanSquare(x: Tensor, axis: ReduceOptions["axis"]): Tensor {
  const options = { axis, keepDims: true };
  return reduceShared(normOp, x, options, reducedCount("norm", x, options));
}
