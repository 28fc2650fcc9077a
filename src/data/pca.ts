/**
 * Principal component analysis.
 *
 * @module
 */
import { allocate, dtypeOf, type TypedArray } from "../dtype.ts";
import { describe } from "../describe.ts";
import { readOptions, refuseMore } from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type Centred, CentredDense } from "./centred.ts";
import { CentredSparse } from "./centred_sparse.ts";
import { leadingDirections } from "./directions.ts";
import { asMatrix, type CellValues, columnMoments, type Matrix, placeOf } from "./matrix.ts";

/** Options of {@linkcode pca}. */
export interface PcaOptions {
  /** How many components; 2 by default. */
  components?: number | undefined;
}

/** Principal components. */
export interface Pca {
  /** The cells' coordinates (cells, components). */
  scores: Tensor;
  /** The directions (components, genes): orthogonal, of length 1. */
  components: Tensor;
  /** The variance along each component (n − 1 in the denominator), from the largest down. */
  explainedVariance: Float64Array;
  /** The share of each component in the variance of all genes. */
  explainedVarianceRatio: Float64Array;
  /** The genes' means, which were subtracted. */
  mean: Float64Array;
}

/**
 * The directions along which cells differ most, and the cells' coordinates along them.
 *
 * Genes are centred, not scaled (`scale` does that). With up to 256 cells or genes the scatter
 * matrix is decomposed directly; otherwise the leading directions are found by block Lanczos
 * iterations from a fixed random start, until their residuals are below 1e-9 of the largest
 * eigenvalue: of the scatter matrix of up to 5000 genes, of the values themselves beyond. Products of
 * `float32` are summed in stretches, each in `float32`; standard deviations along components are
 * exact to 1e-6 of themselves. The sign of a component is such that its loading of largest size is
 * positive. Other cells are projected by
 * `matmul(sub(x, mean), transpose(components))`.
 *
 * @param x The (cells, genes) values, dense or sparse: a sparse matrix is centred without its zeros
 * being filled in.
 * @param options `components`.
 * @returns Scores and components (`float32` unless `x` is `float64`), variances, their shares, and
 * the means.
 * @throws {TypeError} If `x` is no matrix or an option is unknown.
 * @throws {RangeError} If there are fewer than two cells, a value is infinite or NaN, or
 * `components` is no whole number from 1 to the smaller extent of `x`.
 *
 * @example Points along a line
 * ```ts
 * import { pca } from "@cellgrad/cellgrad/data";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { components, explainedVarianceRatio } = pca([[0, 0], [3, 4], [6, 8]], { components: 1 });
 * assertAlmostEquals(components.data[0]!, 0.6, 1e-6);
 * assertAlmostEquals(components.data[1]!, 0.8, 1e-6);
 * assertAlmostEquals(explainedVarianceRatio[0]!, 1, 1e-6);
 * ```
 */
export function pca(x: CellValues, options: PcaOptions = {}): Pca {
  if (arguments.length > 2) refuseMore("pca", "options", 2, arguments);
  const { components: count } = readOptions("pca", options, { components: 2 });
  const matrix = asMatrix("pca", "x", x);
  check(matrix, count);
  const { rows, columns, dtype } = matrix;
  const { mean, variance } = columnMoments(matrix);
  const centred = centre(matrix, mean);
  const vectors = leadingDirections(centred, count);
  for (let c = 0; c < count; c++) fixSign(vectors.subarray(c * columns, (c + 1) * columns));
  const components = allocate(dtype, count * columns);
  components.set(vectors);
  const projected = centred.project(vectors, count);
  const scores = dtypeOf(projected) === dtype
    ? projected as TypedArray
    : allocate(dtype, rows * count);
  if (scores !== projected) scores.set(projected);
  const total = variance.reduce((a, b) => a + b, 0);
  const explainedVariance = variances(projected, rows, count);
  return {
    scores: fromData(scores, [rows, count]),
    components: fromData(components, [count, columns]),
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => total === 0 ? 0 : value / total),
    mean,
  };
}

function centre(matrix: Matrix, mean: Float64Array): Centred {
  const { dtype, data, indices, indptr, columns } = matrix;
  return indices === undefined || indptr === undefined
    ? new CentredDense(matrix, mean)
    : new CentredSparse({ dtype, data, indices, indptr }, columns, mean);
}

function check(matrix: Matrix, count: number): void {
  const { data, rows, columns } = matrix;
  if (rows < 2) {
    throw new RangeError(
      `Cannot compute pca as x must have at least two cells: current number is ${rows}`,
    );
  }
  const most = Math.min(rows, columns);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new RangeError(
      `Cannot compute pca as components must be a whole number from 1 to ${most}, ` +
        `the smaller extent of x: current value is ${describe(count)}`,
    );
  }
  let bad = 0;
  // What is no number differs from itself: `x - x` is 0 for finite numbers only.
  while (bad < data.length && data[bad]! - data[bad]! === 0) bad++;
  if (bad < data.length) {
    throw new RangeError(
      `Cannot compute pca as all values must be finite: current value in ` +
        `${placeOf(matrix, bad)} is ${data[bad]}`,
    );
  }
}

/**
 * The variances of centred coordinates: closer than the eigenvalues, for squares of small singular
 * values are lost beside those of large ones. Those that differ by rounding only keep their order.
 */
function variances(scores: ArrayLike<number>, rows: number, count: number): Float64Array {
  const sums = new Float64Array(count);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < count; c++, at++) sums[c]! += scores[at]! * scores[at]!;
  }
  let least = Infinity;
  return sums.map((sum) => least = Math.min(least, sum / (rows - 1)));
}

/** Turns a direction around unless its first loading of largest size is positive. */
function fixSign(direction: Float64Array): void {
  let largest = 0;
  for (const loading of direction) {
    // Sizes that differ by rounding only count as equal, so that the first one decides.
    if (Math.abs(loading) > Math.abs(largest) * (1 + 1e-6)) largest = loading;
  }
  if (largest < 0) { for (let i = 0; i < direction.length; i++) direction[i]! *= -1; }
}
