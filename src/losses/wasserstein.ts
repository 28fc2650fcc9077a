/**
 * Wasserstein distances on a line, and those averaged over directions.
 *
 * @module
 */
import {
  div,
  equal,
  expandDims,
  l2Normalize,
  matmul,
  mean,
  mul,
  pow,
  reshape,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { constantMax } from "../ops/reduce.ts";
import { checkAxes, checkNumber, readOptions, refuseMore } from "../options.ts";
import { normal } from "../random/continuous.ts";
import { checkKey } from "../random/ops.ts";
import { checkSize } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkSameCells } from "./cells.ts";
import { type CloudWeights, readMasses, readPoints, UNWEIGHTED } from "./clouds.ts";
import { equalSteps, weightedSteps } from "./quantile_steps.ts";

/** Options of {@linkcode wasserstein1d}. */
export interface Wasserstein1dOptions extends CloudWeights {
  /** The power of the distance, at least 1; 1 by default. */
  p?: number | undefined;
}

/** Options of {@linkcode slicedWasserstein}. */
export interface SlicedWassersteinOptions extends CloudWeights {
  /** The random key of the directions. Required. */
  key: Tensor;
  /** How many directions; 128 by default. */
  projections?: number | undefined;
  /** The power of the distance, at least 1; 2 by default. */
  p?: number | undefined;
}

/**
 * Wasserstein distance of two samples of numbers: how far mass must be moved to make one of the
 * other. Lower is better; 0 where the distributions are the same. In the unit of the numbers.
 *
 * `W_p = (∫₀¹ |F⁻¹(t) − G⁻¹(t)|^p dt)^(1/p)`, F⁻¹ and G⁻¹ being the quantiles of the samples, steps
 * at i / n and j / m: exact for any two sizes, in time of n log n. Of equally many numbers it is
 * `(mean |x_(i) − y_(i)|^p)^(1/p)`, both in order. With weights, which are divided by their sum,
 * quantiles step where the weights of the numbers in order add up to t.
 *
 * The gradient is 0 where the distance is, and where two quantiles are equal. The root is part of
 * it, and the cost is not divided by p, unlike that of {@linkcode sinkhornDivergence}.
 *
 * Source: Villani 2003, Topics in optimal transportation, theorem 2.18; for p = 1 that is
 * `scipy.stats.wasserstein_distance`, for others `ot.wasserstein_1d` to the power 1/p.
 *
 * @param x (n), at least one number.
 * @param y (m), at least one number.
 * @param options `p`, 1 by default; `weightsX` (n) and `weightsY` (m), none.
 * @returns The distance, a scalar.
 * @throws {TypeError} If x or y is no vector or empty, there is not one weight per number, or an option
 * does not exist.
 * @throws {RangeError} If `p` is below 1 or infinite, a weight is negative, or all are 0.
 *
 * @example Samples of two sizes
 * ```ts
 * import { wasserstein1d } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(wasserstein1d([0, 1], [5, 6]).item(), 5);
 * assertEquals(wasserstein1d([3], [1, 2, 3, 6]).item(), (2 + 1 + 0 + 3) / 4);
 * assertEquals(wasserstein1d([0, 4], [4], { weightsX: [1, 3] }).item(), 1);
 * ```
 */
export function wasserstein1d(
  x: TensorLike,
  y: TensorLike,
  options: Wasserstein1dOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("wasserstein1d", "options", 3, arguments);
  const name = "wasserstein1d";
  const { p, ...weights } = readOptions(name, options, { p: 1, ...UNWEIGHTED });
  checkNumber(name, "p", p, { min: 1 });
  const samples = promoteAll(name, { x, y }).map(floating) as [Tensor, Tensor];
  const columns = samples.map((sample, i) => {
    const argument = i === 0 ? "x" : "y";
    checkAxes(name, argument, sample, ["numbers"]);
    checkSameCells(name, { [argument]: sample });
    return expandDims(sample, 1);
  });
  return meanDistance(name, columns as [Tensor, Tensor], weights, p);
}

/**
 * Sliced Wasserstein distance of two clouds: {@linkcode wasserstein1d} of their shadows on random
 * lines, averaged. Lower is better; 0 where the clouds are the same. In the unit of the features.
 *
 * `SW_p = (mean_θ W_p(x θ, y θ)^p)^(1/p)` over `projections` directions θ, evenly distributed and
 * the same for the same key. It takes time of n log n and memory of n · projections, where
 * {@linkcode sinkhornDivergence} compares all pairs; of d features it is about 1/√d of the distance
 * itself. A new key at each step makes the gradient one of all directions, in the mean.
 *
 * Source: Bonneel et al. 2015, Sliced and Radon Wasserstein barycenters of measures,
 * https://doi.org/10.1007/s10851-014-0506-3; `ot.sliced_wasserstein_distance` of POT.
 *
 * @param x (n, d): one row per cell.
 * @param y (m, d)
 * @param options `key`, needed; `projections`, 128 by default; `p`, 2; `weightsX` (n) and `weightsY`
 * (m), none.
 * @returns The distance, a scalar.
 * @throws {TypeError} If x or y is no matrix or holds no cell, their features differ in number, there
 * is no key, there is not one weight per cell, or an option does not exist.
 * @throws {RangeError} If `projections` is no whole number of at least 1, `p` is below 1 or infinite,
 * a weight is negative, or all are 0.
 *
 * @example In one dimension there is one direction
 * ```ts
 * import { slicedWasserstein } from "@cellgrad/cellgrad/losses";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const distance = slicedWasserstein([[0], [1]], [[5], [6]], { key: key(0) });
 * assertAlmostEquals(distance.item(), 5, 1e-5);
 * ```
 */
export function slicedWasserstein(
  x: TensorLike,
  y: TensorLike,
  options: SlicedWassersteinOptions,
): Tensor {
  if (arguments.length > 3) refuseMore("slicedWasserstein", "options", 3, arguments);
  const name = "slicedWasserstein";
  const defaults = { key: undefined as unknown as Tensor, projections: 128, p: 2, ...UNWEIGHTED };
  const given = options === undefined ? {} as never : options;
  const { key, projections, p, ...weights } = readOptions(name, given, defaults);
  checkKey(name, key);
  checkNumber(name, "projections", projections, { min: 1, integer: true });
  checkNumber(name, "p", p, { min: 1 });
  const [a, b] = readPoints(name, x, y);
  const [features, { dtype }] = [a.shape[1]!, a];
  checkSize(name, [projections, Math.max(features, a.shape[0]!, b.shape[0]!)], dtype);
  const directions = l2Normalize(normal(key, [projections, features], { dtype }));
  const shadow = (cloud: Tensor) => matmul(cloud, transpose(directions));
  return meanDistance(name, [shadow(a), shadow(b)], weights, p);
}

/** The distance of samples in columns, averaged over the columns as powers. */
function meanDistance(
  caller: string,
  [x, y]: readonly [Tensor, Tensor],
  { weightsX, weightsY }: CloudWeights,
  p: number,
): Tensor {
  const shares = () =>
    [readMasses(caller, { x }, { weightsX }), readMasses(caller, { y }, { weightsY })] as const;
  const isEqual = weightsX === undefined && weightsY === undefined;
  const { gaps, widths } = isEqual ? equalSteps(x, y) : weightedSteps(x, y, ...shares());
  // In units of the largest gap, powers neither overflow nor vanish.
  const largest = constantMax(gaps, undefined, caller);
  const unit = where(equal(largest, 0), 1, largest);
  const total = mean(sum(mul(powerOf(div(gaps, unit), p), widths), { axis: 0 }));
  return reshape(mul(unit, powerOf(total, 1 / p)), []);
}

/** A power of what is at least 0, with slope 0 at 0. */
function powerOf(x: Tensor, exponent: number): Tensor {
  if (exponent === 1) return x;
  const none = equal(x, 0);
  return where(none, 0, pow(where(none, 1, x), exponent));
}
