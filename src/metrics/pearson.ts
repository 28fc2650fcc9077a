/**
 * Pearson's correlation.
 *
 * @module
 */
import { checkSameShape, refuseMore } from "../options.ts";
import { meanOf, readNumbers, type Values } from "./values.ts";

/**
 * Pearson's correlation coefficient: how nearly two lists of numbers lie on a line.
 *
 * `r = Σ(x − x̄)(y − ȳ) / (‖x − x̄‖·‖y − ȳ‖)`. In [−1, 1]: 1 on a rising line, −1 on a falling one.
 * It does not change when `x` or `y` is moved, or stretched by a positive factor.
 *
 * Where a list is constant, or shorter than two, there is no correlation: the result is 0, as GEARS
 * has it (SciPy gives NaN). NaN and infinities in the input give NaN. Means and sums are computed
 * in two passes after taking out the first value and the scale, so that neither a large offset nor
 * very large or small numbers cost digits.
 *
 * Source: K. Pearson 1895; scipy.stats.pearsonr for the values.
 *
 * @param x Numbers, of any shape.
 * @param y As many, in the same shape.
 * @returns The coefficient.
 * @throws {TypeError} If the shapes differ.
 *
 * @example A falling line
 * ```ts
 * import { pearson } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * assertAlmostEquals(pearson([1, 2, 3], [6, 4, 2]), -1);
 * assertEquals(pearson([1, 2, 3], [5, 5, 5]), 0);
 * ```
 */
export function pearson(x: Values, y: Values): number {
  if (arguments.length > 2) refuseMore("pearson", "y", 2, arguments);
  const [a, b] = [readNumbers("pearson", "x", x), readNumbers("pearson", "y", y)];
  checkSameShape("pearson", { x: a, y: b });
  return correlation(a.data, b.data);
}

/** {@linkcode pearson} of two lists of the same length. */
export function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [u, v] = [direction(x), direction(y)];
  let r = 0;
  for (let i = 0; i < u.length; i++) r += u[i]! * v[i]!;
  return Math.max(-1, Math.min(1, r));
}

/** The differences from the mean, as a vector of length 1; zeros where all values are equal. */
function direction(values: ArrayLike<number>): Float64Array {
  // Halves, as the difference of two numbers may be none.
  const moved = Float64Array.from(values, (value) => value / 2 - values[0]! / 2);
  const scale = moved.reduce((most, d) => Math.max(most, Math.abs(d)), 0) || 1;
  const scaled = moved.map((d) => d / scale);
  const mean = meanOf(scaled);
  const centered = scaled.map((d) => d - mean);
  const length = Math.sqrt(centered.reduce((sum, d) => sum + d * d, 0)) || 1;
  return centered.map((d) => d / length);
}
