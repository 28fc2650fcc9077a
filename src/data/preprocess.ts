/**
 * Preprocessing of expression as scanpy does it: size factors, variable genes, z-scores.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { allocate } from "../dtype.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import {
  asMatrix,
  type CellValues,
  checkCounts,
  checkNotNegative,
  checkTwoCells,
  columnMoments,
  columnTotals,
  denseRow,
  type Matrix,
  rowTotals,
  startOf,
  withValues,
} from "./matrix.ts";
import type { SparseMatrix } from "./sparse.ts";

export {
  type HighlyVariableGenes,
  highlyVariableGenes,
  type HighlyVariableGenesOptions,
} from "./highly_variable.ts";

/** Options of {@linkcode normalizeTotal}. */
export interface NormalizeTotalOptions {
  /** The sum of every cell's values afterwards; 10,000 by default. */
  targetSum?: number | undefined;
  /** `"median"`, the median total of the cells that have counts, or a sum as `targetSum` says it. */
  target?: "median" | number | undefined;
}

/**
 * Scales every cell to the same total, so that cells of different sequencing depth compare.
 *
 * As `scanpy.pp.normalize_total`; follow it with `log1p`. Cells without any counts stay zero.
 *
 * **The default differs from scanpy's**: 10,000 here, as Seurat has it, so that the values of a cell
 * do not depend on the others. Scanpy's `target_sum=None` is `target: "median"`: the median of the
 * cells' totals, those without counts left out, and the mean of the middle two where their number is
 * even. Where no cell has counts, scanpy's median is NaN and so are its values; here they stay zero.
 * To bring further cells to the same total, give it as `targetSum`.
 *
 * @param counts The (cells, genes) counts, dense or sparse.
 * @param options `targetSum`, or `target`.
 * @returns The (cells, genes) normalised values, as sparse as the counts, `float32` unless these are
 * `float64`. A result of plain numbers: nothing is differentiated through it.
 * @throws {TypeError} If the counts are no matrix, an option is unknown, or both are given.
 * @throws {RangeError} If a count is negative, infinite or NaN, or the target not positive.
 *
 * @example Two cells of different depth
 * ```ts
 * import { normalizeTotal } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = [[1, 3], [10, 30]];
 * assertEquals(normalizeTotal(counts, { targetSum: 4 }).toArray(), [[1, 3], [1, 3]]);
 * assertEquals(normalizeTotal(counts, { target: "median" }).toArray(), [[5.5, 16.5], [5.5, 16.5]]);
 * ```
 */
export function normalizeTotal(
  counts: SparseMatrix,
  options?: NormalizeTotalOptions,
): SparseMatrix;
/** The same of a dense matrix. */
export function normalizeTotal(counts: TensorLike, options?: NormalizeTotalOptions): Tensor;
export function normalizeTotal(
  counts: CellValues,
  options: NormalizeTotalOptions = {},
): Tensor | SparseMatrix {
  if (arguments.length > 2) refuseMore("normalizeTotal", "options", 2, arguments);
  const settled = readOptions("normalizeTotal", options, {
    targetSum: undefined,
    target: undefined,
  });
  checkTarget(settled);
  const matrix = asMatrix("normalizeTotal", "counts", counts);
  checkNotNegative("normalizeTotal", "counts", matrix);
  const { data, rows, dtype } = matrix;
  const totals = rowTotals(matrix);
  const wanted = settled.target ?? settled.targetSum ?? 1e4;
  const target = wanted === "median" ? medianTotal(totals) : wanted;
  const out = allocate(dtype, data.length);
  for (let i = 0; i < rows; i++) {
    const end = startOf(matrix, i + 1);
    const factor = totals[i] === 0 ? 0 : target / totals[i]!;
    for (let k = startOf(matrix, i); k < end; k++) out[k] = data[k]! * factor;
  }
  return withValues(counts, matrix, out);
}

function checkTarget({ targetSum, target }: NormalizeTotalOptions): void {
  if (targetSum !== undefined) checkNumber("normalizeTotal", "targetSum", targetSum, { above: 0 });
  if (target === undefined) return;
  if (typeof target === "number") checkNumber("normalizeTotal", "target", target, { above: 0 });
  else if (target !== "median") {
    throw new TypeError(
      `Cannot compute normalizeTotal as target must be "median" or a number above 0: ` +
        `current value is ${describe(target)}`,
    );
  }
  if (targetSum === undefined) return;
  throw new TypeError(
    `Cannot compute normalizeTotal as targetSum and target must not be given together: ` +
      `current values are ${targetSum} and ${target}`,
  );
}

/** The median of the totals above 0, or 0 without any. */
function medianTotal(totals: Float64Array): number {
  const sorted = totals.filter((total) => total > 0).sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Options of {@linkcode scale}. */
export interface ScaleOptions {
  /** The largest absolute value, at which z-scores are clipped; none by default. */
  maxValue?: number | undefined;
  /**
   * Whether means are subtracted; true by default. Without it zeros stay zeros, so a sparse matrix
   * stays sparse, and values are clipped from above only.
   */
  zeroCenter?: boolean | undefined;
  /** Means of other cells to subtract, given together with `standardDeviation`. */
  mean?: ArrayLike<number> | undefined;
  /** Standard deviations of other cells to divide by, given together with `mean`. */
  standardDeviation?: ArrayLike<number> | undefined;
}

/** Scaled values, and what is needed to scale other cells in the same way. */
export interface Scaled<X = Tensor> {
  /** The (cells, genes) z-scores. */
  values: X;
  /** The genes' means. */
  mean: Float64Array;
  /** The genes' standard deviations (n − 1 in the denominator); 0 where a gene is constant. */
  standardDeviation: Float64Array;
}

/**
 * Shifts and scales every gene to mean 0 and standard deviation 1.
 *
 * As `scanpy.pp.scale`: a gene that does not vary is only shifted. Of a sparse matrix, too, z-scores are
 * dense: choose genes first, or leave zeros where they are by `zeroCenter: false`. To scale held-out cells by the
 * statistics of the training cells, pass the result for those as options.
 *
 * @param x The (cells, genes) values, dense or sparse.
 * @param options `maxValue`, `zeroCenter`, and `mean` with `standardDeviation`.
 * @returns The z-scores (`float32` unless `x` is `float64`) and the statistics.
 * @throws {TypeError} If `x` is no matrix, an option is unknown, or the statistics are
 * incomplete or not one per gene.
 * @throws {RangeError} If there are fewer than two cells to take statistics from, `maxValue` is not
 * positive, or one of the statistics that are given is not finite or a negative deviation.
 *
 * @example Held-out cells by the statistics of the training cells
 * ```ts
 * import { scale } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const training = scale([[1, 5], [3, 5]]);
 * const { mean, standardDeviation } = training;
 * const heldOut = scale([[2, 6]], { mean, standardDeviation });
 * assertEquals(heldOut.values.toArray(), [[0, 1]]);
 * ```
 */
export function scale(
  x: SparseMatrix,
  options: ScaleOptions & { zeroCenter: false },
): Scaled<SparseMatrix>;
/** The z-scores themselves, which are not sparse. */
export function scale(x: CellValues, options?: ScaleOptions): Scaled;
export function scale(
  x: CellValues,
  options: ScaleOptions = {},
): Scaled<Tensor> | Scaled<SparseMatrix> {
  if (arguments.length > 2) refuseMore("scale", "options", 2, arguments);
  const settled = readOptions("scale", options, {
    maxValue: undefined,
    zeroCenter: true,
    mean: undefined,
    standardDeviation: undefined,
  });
  const { maxValue = Infinity, zeroCenter } = settled;
  if (settled.maxValue !== undefined) checkNumber("scale", "maxValue", maxValue, { above: 0 });
  checkBoolean("scale", "zeroCenter", zeroCenter);
  const matrix = asMatrix("scale", "x", x);
  const { mean, standardDeviation } = statisticsFor(matrix, settled);
  const divisor = standardDeviation.map((s) => s === 0 ? 1 : s);
  const values = zeroCenter
    ? zScores(matrix, mean, divisor, maxValue)
    : divided(x, matrix, divisor, maxValue);
  return { values, mean, standardDeviation } as Scaled;
}

/** Differences from the means in units of the divisors, clipped. */
function zScores(x: Matrix, mean: Float64Array, divisor: Float64Array, maxValue: number): Tensor {
  if (x.indices !== undefined) return sparseZScores(x, x.indices, mean, divisor, maxValue);
  const { rows, columns, dtype } = x;
  const out = allocate(dtype, rows * columns);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    denseRow(x, i, row);
    for (let j = 0, k = i * columns; j < columns; j++, k++) {
      const z = (row[j]! - mean[j]!) / divisor[j]!;
      out[k] = z > maxValue ? maxValue : z < -maxValue ? -maxValue : z;
    }
  }
  return fromData(out, [rows, columns]);
}

/** The same of a sparse matrix: rows of zeros, in which what is held has its own place. */
function sparseZScores(
  x: Matrix,
  indices: Int32Array,
  mean: Float64Array,
  divisor: Float64Array,
  maxValue: number,
): Tensor {
  const { data, rows, columns, dtype } = x;
  const none = { data: allocate(dtype, columns), rows: 1, columns, dtype };
  const ofZeros = zScores(none, mean, divisor, maxValue).data;
  const out = allocate(dtype, rows * columns);
  for (let i = 0, row = 0; i < rows; i++, row += columns) {
    out.set(ofZeros, row);
    for (let k = startOf(x, i), end = startOf(x, i + 1); k < end; k++) {
      const j = indices[k]!;
      const z = (data[k]! - mean[j]!) / divisor[j]!;
      out[row + j] = z > maxValue ? maxValue : z < -maxValue ? -maxValue : z;
    }
  }
  return fromData(out, [rows, columns]);
}

/** Values in units of the divisors, clipped from above. */
function divided(
  x: CellValues,
  matrix: Matrix,
  divisor: Float64Array,
  maxValue: number,
): Tensor | SparseMatrix {
  const { data, columns, dtype, indices } = matrix;
  const out = allocate(dtype, data.length);
  for (let k = 0; k < data.length; k++) {
    const z = data[k]! / divisor[indices === undefined ? k % columns : indices[k]!]!;
    out[k] = z > maxValue ? maxValue : z;
  }
  return withValues(x, matrix, out);
}

function statisticsFor(matrix: Matrix, options: ScaleOptions): Omit<Scaled, "values"> {
  if (options.mean === undefined && options.standardDeviation === undefined) {
    checkTwoCells("scale", matrix);
    const moments = columnMoments(matrix);
    return { mean: moments.mean, standardDeviation: moments.variance.map(Math.sqrt) };
  }
  const [mean, standardDeviation] = (["mean", "standardDeviation"] as const).map((name) => {
    const given = options[name];
    return given === undefined
      ? undefined
      : asTensor(given as TensorLike, "float64", "scale", name).data;
  });
  if (mean?.length !== matrix.columns || standardDeviation?.length !== matrix.columns) {
    throw new TypeError(
      `Cannot compute scale as mean and standardDeviation must be given together, with one value ` +
        `for each of the ${matrix.columns} genes: current lengths are ` +
        `${mean?.length ?? "none"} and ${standardDeviation?.length ?? "none"}`,
    );
  }
  mean.forEach((value, j) => checkNumber("scale", `mean[${j}]`, value));
  standardDeviation.forEach((value, j) =>
    checkNumber("scale", `standardDeviation[${j}]`, value, { min: 0 })
  );
  return {
    mean: Float64Array.from(mean),
    standardDeviation: Float64Array.from(standardDeviation),
  };
}

/** Options of {@linkcode pearsonResiduals}. */
export interface PearsonResidualsOptions {
  /** The counts' overdispersion, shared by all genes; 100 by default, `Infinity` for Poisson. */
  theta?: number | undefined;
  /** The largest absolute value; the square root of the number of cells by default. */
  clip?: number | undefined;
  /** Whether values that are no counts are refused; true by default. */
  check?: boolean | undefined;
}

/**
 * Counts as differences from what depth and abundance let expect, in standard deviations.
 *
 * `(x − μ) / √(μ + μ² / θ)` with `μ` the cell's total times the gene's total, divided by the total of
 * all counts: analytic Pearson residuals of a negative binomial model (Lause, Berens and Kobak 2021,
 * https://doi.org/10.1186/s13059-021-02451-7), clipped at `±clip`. As
 * `scanpy.experimental.pp.normalize_pearson_residuals`, but for a cell or gene without any counts:
 * scanpy divides 0 by 0, here the residuals are 0. They take the place of `normalizeTotal`, `log1p` and
 * `scale`. None of them is zero, so the result is dense: choose genes first.
 *
 * @param counts The (cells, genes) counts, dense or sparse.
 * @param options `theta`, `clip` and `check`.
 * @returns The (cells, genes) residuals, `float32` unless the counts are `float64`. A result of plain
 * numbers: nothing is differentiated through it.
 * @throws {TypeError} If the counts are no matrix or an option is unknown.
 * @throws {RangeError} If a value is no count, `theta` not positive, or `clip` negative.
 *
 * @example Depth alone makes no difference
 * ```ts
 * import { pearsonResiduals } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pearsonResiduals([[1, 3], [2, 6]]).toArray(), [[0, 0], [0, 0]]);
 * ```
 */
export function pearsonResiduals(
  counts: CellValues,
  options: PearsonResidualsOptions = {},
): Tensor {
  if (arguments.length > 2) refuseMore("pearsonResiduals", "options", 2, arguments);
  const name = "pearsonResiduals";
  const settled = readOptions(name, options, { theta: 100, clip: undefined, check: true });
  const { theta, check } = settled;
  checkNumber(name, "theta", theta, { above: 0, infinite: true });
  checkBoolean(name, "check", check);
  const matrix = asMatrix(name, "counts", counts);
  const { rows, columns, dtype } = matrix;
  const { clip = Math.sqrt(rows) } = settled;
  checkNumber(name, "clip", clip, { min: 0, infinite: true });
  if (check) checkCounts(name, "counts", matrix);
  else checkNotNegative(name, "counts", matrix);
  const [ofCells, ofGenes] = [rowTotals(matrix), columnTotals(matrix)];
  const total = ofGenes.reduce((a, b) => a + b, 0);
  const out = allocate(dtype, rows * columns);
  const row = new Float64Array(columns);
  for (let i = 0, k = 0; i < rows; i++) {
    denseRow(matrix, i, row);
    for (let j = 0; j < columns; j++, k++) {
      const mu = ofCells[i]! * ofGenes[j]! / total;
      if (!(mu > 0)) continue;
      const residual = (row[j]! - mu) / Math.sqrt(mu + mu * mu / theta);
      out[k] = Math.max(-clip, Math.min(clip, residual));
    }
  }
  return fromData(out, [rows, columns]);
}
