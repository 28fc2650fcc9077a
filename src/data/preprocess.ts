/**
 * Preprocessing of expression as scanpy does it: size factors, variable genes, z-scores.
 *
 * @module
 */
import { allocate } from "../dtype.ts";
import { checkChoice, checkNumber, readOptions } from "../options.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { asMatrix, checkNotNegative, columnMoments, type Matrix } from "./matrix.ts";

/** Options of {@linkcode normalizeTotal}. */
export interface NormalizeTotalOptions {
  /** The sum of every cell's values afterwards; 10,000 by default. */
  targetSum?: number | undefined;
  /** `"median"`: the median total of the cells that have counts, in place of `targetSum`. */
  target?: "median" | undefined;
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
 * @param counts The (cells, genes) counts.
 * @param options `targetSum`, or `target`.
 * @returns The (cells, genes) normalised values, `float32` unless the counts are `float64`. A result
 * of plain numbers: nothing is differentiated through it.
 * @throws {TypeError} If the counts are no matrix, an option is unknown, or both are given.
 * @throws {RangeError} If a count is negative, infinite or NaN, or `targetSum` not positive.
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
export function normalizeTotal(counts: TensorLike, options: NormalizeTotalOptions = {}): Tensor {
  const settled = readOptions("normalizeTotal", options, {
    targetSum: undefined,
    target: undefined,
  });
  checkTarget(settled);
  const matrix = asMatrix("normalizeTotal", "counts", counts);
  checkNotNegative("normalizeTotal", "counts", matrix);
  const { data, rows, columns, dtype } = matrix;
  const totals = rowTotals(matrix);
  const target = settled.target === "median" ? medianTotal(totals) : settled.targetSum ?? 1e4;
  const out = allocate(dtype, data.length);
  for (let i = 0; i < rows; i++) {
    const end = (i + 1) * columns;
    const factor = totals[i] === 0 ? 0 : target / totals[i]!;
    for (let j = i * columns; j < end; j++) out[j] = data[j]! * factor;
  }
  return fromData(out, [rows, columns]);
}

function checkTarget({ targetSum, target }: NormalizeTotalOptions): void {
  if (targetSum !== undefined) checkNumber("normalizeTotal", "targetSum", targetSum, { above: 0 });
  if (target === undefined) return;
  checkChoice("normalizeTotal", "target", target, ["median"]);
  if (targetSum === undefined) return;
  throw new TypeError(
    `Cannot compute normalizeTotal as targetSum and target must not be given together: ` +
      `current values are ${targetSum} and ${target}`,
  );
}

/** The sum of each row. */
function rowTotals({ data, rows, columns }: Matrix): Float64Array {
  const totals = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let total = 0;
    for (let j = i * columns, end = j + columns; j < end; j++) total += data[j]!;
    totals[i] = total;
  }
  return totals;
}

/** The median of the totals above 0, or 0 without any. */
function medianTotal(totals: Float64Array): number {
  const sorted = totals.filter((total) => total > 0).sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Options of {@linkcode highlyVariableGenes}. */
export interface HighlyVariableGenesOptions {
  /** How many genes to choose; 2000 by default, or all that vary where these are fewer. */
  top?: number | undefined;
  /** How many bins of mean expression genes are compared within; 20 by default. */
  bins?: number | undefined;
}

/** Variable genes and what they were chosen by, named as in scanpy's `adata.var`. */
export interface HighlyVariableGenes {
  /** The chosen genes' columns, in ascending order. */
  indices: Int32Array;
  /** Per gene: log(1 + mean) of the values before the logarithm. */
  means: Float64Array;
  /** Per gene: log(variance / mean) of the values before the logarithm; NaN without variation. */
  dispersions: Float64Array;
  /** Per gene: the dispersion's z-score among the genes of its bin; NaN without variation. */
  dispersionsNorm: Float64Array;
}

/**
 * The genes whose dispersion stands out among genes of similar mean expression.
 *
 * Seurat's first method, as `scanpy.pp.highly_variable_genes(flavor="seurat")` computes it: mean
 * and dispersion of `expm1(x)`, genes cut into bins of equal width by their logarithmised mean, and
 * the dispersions' z-scores within bins. The only gene of a bin scores 1. Where several genes share
 * the last place, scanpy takes them all; here the first ones, so that there are `top`.
 *
 * @param x The (cells, genes) values after {@linkcode normalizeTotal} and `log1p`.
 * @param options `top` and `bins`.
 * @returns The chosen columns, and per gene the statistics.
 * @throws {TypeError} If `x` is no matrix or an option is unknown.
 * @throws {RangeError} If there are fewer than two cells, a value is negative, infinite or NaN, the
 * values are no logarithms (all of them whole numbers, or one above 20), or an option is no positive
 * whole number.
 *
 * @example The gene that varies most
 * ```ts
 * import { highlyVariableGenes } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const x = [[1, 0, 1.0], [1, 3, 1.1], [1, 0, 0.9]];
 * assertEquals([...highlyVariableGenes(x, { top: 1, bins: 1 }).indices], [1]);
 * ```
 */
export function highlyVariableGenes(
  x: TensorLike,
  options: HighlyVariableGenesOptions = {},
): HighlyVariableGenes {
  const { top, bins } = readOptions("highlyVariableGenes", options, { top: 2000, bins: 20 });
  checkNumber("highlyVariableGenes", "top", top, { integer: true, min: 1 });
  checkNumber("highlyVariableGenes", "bins", bins, { integer: true, min: 1, max: 2 ** 16 });
  const matrix = asMatrix("highlyVariableGenes", "x", x);
  checkTwoCells("highlyVariableGenes", matrix);
  checkNotNegative("highlyVariableGenes", "x", matrix);
  checkLogarithmic("highlyVariableGenes", matrix);
  const { mean, variance } = columnMoments(matrix, Math.expm1);
  const dispersions = variance.map((v, j) => v > 0 ? Math.log(v / mean[j]!) : NaN);
  const means = mean.map((m) => Math.log1p(m === 0 ? 1e-12 : m));
  const dispersionsNorm = scoresWithin(binNumbers(means, bins), dispersions, bins);
  const indices = Int32Array.from(dispersionsNorm.keys())
    .filter((j) => !Number.isNaN(dispersionsNorm[j]!))
    .sort((i, j) => dispersionsNorm[j]! - dispersionsNorm[i]! || i - j)
    .slice(0, top).sort();
  return { indices, means, dispersions, dispersionsNorm };
}

/** More than the logarithm of any total of counts: log1p(1e8) is 18.4. */
const LARGEST_LOGARITHM = 20;

/** Throws unless values can be logarithms: counts are whole numbers, or some are large. */
function checkLogarithmic(caller: string, { data, columns }: Matrix): void {
  const large = data.findIndex((value) => value > LARGEST_LOGARITHM);
  const counted = data.findIndex((value) => value > 1);
  const isCounts = counted >= 0 && data.every(Number.isInteger);
  if (large < 0 && !isCounts) return;
  const at = large < 0 ? counted : large;
  throw new RangeError(
    `Cannot compute ${caller} as x must be logarithms of normalised counts: take log1p first; ` +
      `current value in cell ${Math.floor(at / columns)}, gene ${at % columns} is ${data[at]}` +
      `${large < 0 ? ", and all are whole numbers" : ""}`,
  );
}

/** Bins of equal width, closed on the right: what `pandas.cut` makes. */
function binNumbers(values: Float64Array, bins: number): Int32Array {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) {
    low -= low === 0 ? 0.001 : 0.001 * Math.abs(low);
    high += high === 0 ? 0.001 : 0.001 * Math.abs(high);
  }
  const width = (high - low) / bins;
  const edges = Array.from({ length: bins }, (_, i) => i + 1 < bins ? low + (i + 1) * width : high);
  return Int32Array.from(values, (value) => edges.findIndex((edge) => value <= edge));
}

/** z-scores of the values within their bins; NaNs count in none. */
function scoresWithin(bin: Int32Array, values: Float64Array, bins: number): Float64Array {
  const members = Array.from({ length: bins }, (): number[] => []);
  values.forEach((value, j) => {
    if (!Number.isNaN(value)) members[bin[j]!]!.push(value);
  });
  const statistics = members.map((data) => {
    if (data.length === 1) return { mean: 0, deviation: data[0]! };
    const { mean, variance } = columnMoments({
      data: Float64Array.from(data),
      rows: data.length,
      columns: 1,
    });
    return { mean: mean[0]!, deviation: Math.sqrt(variance[0]!) };
  });
  return values.map((value, j) => {
    const { mean, deviation } = statistics[bin[j]!]!;
    return (value - mean) / deviation;
  });
}

function checkTwoCells(caller: string, matrix: Matrix): void {
  if (matrix.rows >= 2) return;
  throw new RangeError(
    `Cannot compute ${caller} as x must have at least two cells: current number is ${matrix.rows}`,
  );
}

/** Options of {@linkcode scale}. */
export interface ScaleOptions {
  /** The largest absolute value, at which z-scores are clipped; none by default. */
  maxValue?: number | undefined;
  /** Means of other cells to subtract, given together with `standardDeviation`. */
  mean?: ArrayLike<number> | undefined;
  /** Standard deviations of other cells to divide by, given together with `mean`. */
  standardDeviation?: ArrayLike<number> | undefined;
}

/** Scaled values, and what is needed to scale other cells in the same way. */
export interface Scaled {
  /** The (cells, genes) z-scores. */
  values: Tensor;
  /** The genes' means. */
  mean: Float64Array;
  /** The genes' standard deviations (n − 1 in the denominator); 0 where a gene is constant. */
  standardDeviation: Float64Array;
}

/**
 * Shifts and scales every gene to mean 0 and standard deviation 1.
 *
 * As `scanpy.pp.scale`: a gene that does not vary is only shifted. To scale held-out cells by the
 * statistics of the training cells, pass the result for those as options.
 *
 * @param x The (cells, genes) values.
 * @param options `maxValue`, and `mean` with `standardDeviation`.
 * @returns The z-scores (`float32` unless `x` is `float64`) and the statistics.
 * @throws {TypeError} If `x` is no matrix, an option is unknown, or the statistics are
 * incomplete or not one per gene.
 * @throws {RangeError} If there are fewer than two cells to take statistics from, or `maxValue` is
 * not positive.
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
export function scale(x: TensorLike, options: ScaleOptions = {}): Scaled {
  const defaults = { maxValue: undefined, mean: undefined, standardDeviation: undefined };
  const settled = readOptions("scale", options, defaults);
  const { maxValue = Infinity } = settled;
  if (settled.maxValue !== undefined) checkNumber("scale", "maxValue", maxValue, { above: 0 });
  const matrix = asMatrix("scale", "x", x);
  const { data, rows, columns, dtype } = matrix;
  const { mean, standardDeviation } = statisticsFor(matrix, settled);
  const divisor = standardDeviation.map((s) => s === 0 ? 1 : s);
  const out = allocate(dtype, data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0, k = i * columns; j < columns; j++, k++) {
      const z = (data[k]! - mean[j]!) / divisor[j]!;
      out[k] = z > maxValue ? maxValue : z < -maxValue ? -maxValue : z;
    }
  }
  return { values: fromData(out, [rows, columns]), mean, standardDeviation };
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
  return {
    mean: Float64Array.from(mean),
    standardDeviation: Float64Array.from(standardDeviation),
  };
}
