/**
 * Genes that vary more than others of their mean, as scanpy chooses them.
 *
 * @module
 */
import { median } from "./medians.ts";
import { distinctLabels } from "../labels.ts";
import { checkChoice, checkNumber, isPlainObject, readOptions, refuseMore } from "../options.ts";
import type { TensorLike } from "../tensor.ts";
import {
  asMatrix,
  type CellValues,
  checkNotNegative,
  checkTwoCells,
  columnMoments,
  type Matrix,
  placeOf,
  takeRows,
} from "./matrix.ts";
import { type VariableGenes, variableGenes, type VarianceOptions } from "./variable_genes.ts";

/** The batch of every cell: whole numbers from 0 on, or names. */
export type Batches = TensorLike | readonly string[];

/** Options of {@linkcode highlyVariableGenes}. */
export interface HighlyVariableGenesOptions {
  /** How dispersions are compared: `"seurat"` by default. */
  flavor?: "seurat" | "cell_ranger" | undefined;
  /** How many genes to choose, or all that vary where these are fewer; without it, limits choose. */
  top?: number | undefined;
  /** Flavor `"seurat"`: how many bins of mean expression genes are compared within; 20 by default. */
  bins?: number | undefined;
  /** The batch of every cell: genes are compared within each, and those that many batches choose win. */
  batchKey?: Batches | undefined;
  /** Without `top`: what `means` must be above; 0.0125 by default. */
  minMean?: number | undefined;
  /** Without `top`: what `means` must be below; 3 by default. */
  maxMean?: number | undefined;
  /** Without `top`: what `dispersionsNorm` must be above; 0.5 by default. */
  minDispersion?: number | undefined;
}

/** Variable genes and what they were chosen by, named as in scanpy's `adata.var`. */
export interface HighlyVariableGenes {
  /** The chosen genes' columns, in ascending order. */
  indices: Int32Array;
  /** Per gene: log(1 + mean) of the values before the logarithm; `"cell_ranger"`: the mean as given. */
  means: Float64Array;
  /**
   * Per gene: log(variance / mean) of the values before the logarithm, NaN without variation;
   * `"cell_ranger"`: variance / mean of the values as given.
   */
  dispersions: Float64Array;
  /** Per gene: how far the dispersion lies from those of its bin, in units of their spread. */
  dispersionsNorm: Float64Array;
  /** Per gene: how many batches choose it; with `batchKey` only. */
  nBatches?: Int32Array;
}

const NAME = "highlyVariableGenes";

/**
 * The genes whose dispersion stands out among genes of similar mean expression.
 *
 * As `scanpy.pp.highly_variable_genes`, with its defaults:
 *
 * - `flavor: "seurat"` (Satija et al. 2015): mean and dispersion of `expm1(x)`, genes cut into bins of
 *   equal width by their logarithmised mean, and the dispersions' z-scores within bins. The only gene
 *   of a bin scores 1.
 * - `flavor: "cell_ranger"` (Zheng et al. 2017): mean and dispersion of `x` itself, genes cut at the
 *   10th, 15th, …, 100th percentile of the means, and the distance from the bin's median dispersion
 *   in units of the median absolute deviation (divided by 0.6745).
 * - `flavor: "seurat_v3"` (Stuart et al. 2019): of **counts**, the variance of values standardised by
 *   what a regression (loess) of variance on mean lets expect, clipped at √n.
 *
 * With `top`, that many genes of the largest score are chosen; where several share the last place,
 * scanpy takes them all, here the first ones are taken. Without it, the limits of mean and dispersion
 * choose (`"seurat_v3"`: the top 2000). Scanpy ignores limits beside `n_top_genes`; here both are
 * refused. With `batchKey`, scores are means over batches, and genes are taken in the order of how
 * many batches choose them, then of their score; for `"seurat_v3"` of their median rank, then of how
 * many batches choose them.
 *
 * @param x The (cells, genes) values after {@linkcode normalizeTotal} and `log1p`, dense or sparse;
 * counts for `"seurat_v3"`.
 * @param options `flavor`, `top`, `bins`, `batchKey`, `minMean`, `maxMean` and `minDispersion`;
 * `flavor`, `top`, `batchKey`, `span` and `check` for `"seurat_v3"`.
 * @returns The chosen columns, and per gene the statistics.
 * @throws {TypeError} If `x` is no matrix, an option is unknown, or limits are given beside `top`.
 * @throws {RangeError} If there are fewer than two cells, in all or in a batch, a value is negative,
 * infinite or NaN, the values are no logarithms (all of them whole numbers, or one above 20), no counts
 * for `"seurat_v3"`, or an option is out of range.
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
  x: CellValues,
  options: VarianceOptions,
): VariableGenes;
/** The same by dispersions. */
export function highlyVariableGenes(
  x: CellValues,
  options?: HighlyVariableGenesOptions,
): HighlyVariableGenes;
export function highlyVariableGenes(
  x: CellValues,
  options: HighlyVariableGenesOptions | VarianceOptions = {},
): HighlyVariableGenes | VariableGenes {
  if (arguments.length > 2) refuseMore(NAME, "options", 2, arguments);
  if (isByVariance(options)) {
    const matrix = asMatrix(NAME, "x", x);
    checkTwoCells(NAME, matrix);
    return variableGenes(NAME, matrix, options, (key) => cellsByBatch(key, matrix.rows));
  }
  const settled = settle(options as HighlyVariableGenesOptions);
  const matrix = asMatrix(NAME, "x", x);
  checkTwoCells(NAME, matrix);
  checkNotNegative(NAME, "x", matrix);
  checkLogarithmic(matrix);
  const { batchKey } = settled;
  if (batchKey === undefined) {
    const { genes: _all, ...statistics } = statisticsOf(matrix, settled);
    return { indices: chosen(statistics, settled), ...statistics };
  }
  const cells = cellsByBatch(batchKey, matrix.rows);
  return acrossBatches(cells.map((list) => takeRows(matrix, list)), settled);
}

function isByVariance(
  options: HighlyVariableGenesOptions | VarianceOptions,
): options is VarianceOptions {
  return isPlainObject(options) && options["flavor"] === "seurat_v3";
}

interface Settled {
  flavor: "seurat" | "cell_ranger";
  top: number | undefined;
  bins: number;
  batchKey: Batches | undefined;
  minMean: number;
  maxMean: number;
  minDispersion: number;
}

const LIMITS = { minMean: 0.0125, maxMean: 3, minDispersion: 0.5 };

function settle(options: HighlyVariableGenesOptions): Settled {
  const given = readOptions(NAME, options, {
    flavor: "seurat",
    top: undefined,
    bins: 20,
    batchKey: undefined,
    minMean: undefined,
    maxMean: undefined,
    minDispersion: undefined,
  });
  checkChoice(NAME, "flavor", given.flavor, ["seurat", "cell_ranger", "seurat_v3"]);
  if (given.top !== undefined) checkNumber(NAME, "top", given.top, { integer: true, min: 1 });
  checkNumber(NAME, "bins", given.bins, { integer: true, min: 1, max: 2 ** 16 });
  if (given.flavor === "cell_ranger" && options.bins !== undefined) {
    throw new TypeError(
      `Cannot compute ${NAME} as bins must not be given for flavor cell_ranger, whose bins are cut ` +
        `at percentiles: current value is ${options.bins}`,
    );
  }
  const limits = { ...LIMITS };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value = given[name];
    if (value === undefined) continue;
    checkNumber(NAME, name, value, { infinite: true });
    if (given.top !== undefined) {
      throw new TypeError(
        `Cannot compute ${NAME} as top and ${name} must not be given together: ` +
          `current values are ${given.top} and ${value}`,
      );
    }
    limits[name] = value;
  }
  return { ...given, ...limits };
}

/** More than the logarithm of any total of counts: log1p(1e8) is 18.4. */
const LARGEST_LOGARITHM = 20;

/** Throws unless values can be logarithms: counts are whole numbers, or some are large. */
function checkLogarithmic(x: Matrix): void {
  const { data } = x;
  const large = data.findIndex((value) => value > LARGEST_LOGARITHM);
  const counted = data.findIndex((value) => value > 1);
  const isCounts = counted >= 0 && data.every(Number.isInteger);
  if (large < 0 && !isCounts) return;
  const at = large < 0 ? counted : large;
  throw new RangeError(
    `Cannot compute ${NAME} as x must be logarithms of normalised counts: take log1p first; ` +
      `current value in ${placeOf(x, at)} is ${data[at]}` +
      `${large < 0 ? ", and all are whole numbers" : ""}`,
  );
}

/** The cells of each batch, batches in ascending order. */
function cellsByBatch(batchKey: Batches, rows: number): Int32Array[] {
  const wrong = (length: number) =>
    new TypeError(
      `Cannot compute ${NAME} as batchKey must name the batch of each of the ${rows} cells: ` +
        `current length is ${length}`,
    );
  if (Array.isArray(batchKey) && batchKey.length !== rows) throw wrong(batchKey.length);
  const isNames = Array.isArray(batchKey) && !batchKey.includes(undefined) &&
    batchKey.every((name) => typeof name === "string");
  const names = isNames ? [...new Set(batchKey as string[])].sort() : [];
  const codes = isNames
    ? Int32Array.from(batchKey as string[], (name) => names.indexOf(name))
    : distinctLabels(NAME, batchKey as TensorLike, "batchKey").codes.data;
  if (codes.length !== rows) throw wrong(codes.length);
  const groups = Map.groupBy(codes.keys(), (cell) => codes[cell]!);
  const cells = [...groups].sort(([a], [b]) => a - b).map(([, list]) => Int32Array.from(list));
  const lonely = cells.find((list) => list.length < 2);
  if (lonely !== undefined) {
    throw new RangeError(
      `Cannot compute ${NAME} as every batch must have at least two cells: ` +
        `the batch of cell ${lonely[0]} has no other`,
    );
  }
  return cells;
}

type Statistics = Pick<HighlyVariableGenes, "means" | "dispersions" | "dispersionsNorm">;

/** Statistics of the genes that a list names, or of all. */
function statisticsOf(x: Matrix, settled: Settled, among?: (mean: Float64Array) => Int32Array) {
  const isSeurat = settled.flavor === "seurat";
  const { mean, variance } = columnMoments(x, isSeurat ? Math.expm1 : undefined);
  const genes = among === undefined ? Int32Array.from(mean.keys()) : among(mean);
  const pick = (values: Float64Array) => Float64Array.from(genes, (j) => values[j]!);
  const byFlavor = isSeurat ? bySeurat : byCellRanger;
  return { genes, ...byFlavor(pick(mean), pick(variance), settled.bins) };
}

function bySeurat(mean: Float64Array, variance: Float64Array, bins: number): Statistics {
  const dispersions = variance.map((v, j) => v > 0 ? Math.log(v / mean[j]!) : NaN);
  const means = mean.map((m) => Math.log1p(m === 0 ? 1e-12 : m));
  const dispersionsNorm = scoresWithin(binsOfWidth(means, bins), dispersions, byDeviation);
  return { means, dispersions, dispersionsNorm };
}

function byCellRanger(mean: Float64Array, variance: Float64Array): Statistics {
  const means = mean.map((m) => m === 0 ? 1e-12 : m);
  const dispersions = variance.map((v, j) => v / means[j]!);
  const dispersionsNorm = scoresWithin(binsOfPercentiles(means), dispersions, byMedian);
  return { means, dispersions, dispersionsNorm };
}

/** The number of the first edge that a value does not exceed: bins closed on the right. */
function binNumbers(values: Float64Array, edges: readonly number[]): Int32Array {
  return Int32Array.from(values, (value) => edges.findIndex((edge) => value <= edge));
}

/** Bins of equal width: what `pandas.cut` makes. */
function binsOfWidth(values: Float64Array, bins: number): Int32Array {
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
  return binNumbers(values, edges);
}

/** Bins between the 10th, 15th, …, 100th percentile. */
function binsOfPercentiles(values: Float64Array): Int32Array {
  const sorted = values.slice().sort();
  const edges = Array.from({ length: 19 }, (_, i) => percentile(sorted, (10 + 5 * i) / 100));
  return binNumbers(values, [...edges, Infinity]);
}

/** The value at a share of the way through sorted ones, rounded as NumPy does: edges are values. */
function percentile(sorted: Float64Array, share: number): number {
  const last = sorted.length - 1;
  const at = share * last;
  const below = Math.floor(at);
  const [a, b, rest] = [sorted[below]!, sorted[Math.min(below + 1, last)]!, at - below];
  return rest < 0.5 ? a + (b - a) * rest : b - (b - a) * (1 - rest);
}

/** Where the values of a bin lie, and how far they spread. */
type Spread = (values: number[]) => { centre: number; spread: number };

const byDeviation: Spread = (values) => {
  if (values.length === 1) return { centre: 0, spread: values[0]! };
  const column = { data: Float64Array.from(values), rows: values.length, columns: 1 };
  const { mean, variance } = columnMoments(column);
  return { centre: mean[0]!, spread: Math.sqrt(variance[0]!) };
};

/** The upper quartile of the standard normal distribution. */
const QUARTILE = 0.6744897501960817;

const byMedian: Spread = (values) => {
  const centre = median(values);
  return { centre, spread: median(values.map((value) => Math.abs(value - centre))) / QUARTILE };
};

/** Values as distances from the centres of their bins, in units of the spreads; NaNs count in none. */
function scoresWithin(bin: Int32Array, values: Float64Array, spreadOf: Spread): Float64Array {
  const members = Map.groupBy(values.keys(), (j) => bin[j]!);
  const scores = new Float64Array(values.length).fill(NaN);
  for (const genes of members.values()) {
    const { centre, spread } = spreadOf(
      genes.map((j) => values[j]!).filter((value) => !Number.isNaN(value)),
    );
    for (const j of genes) scores[j] = (values[j]! - centre) / spread;
  }
  return scores;
}

/** Columns in the order of their scores, the best first; those without one are left out. */
function ranking(scores: Float64Array): Int32Array {
  return Int32Array.from(scores.keys())
    .filter((j) => !Number.isNaN(scores[j]!))
    .sort((i, j) => scores[i] === scores[j] ? i - j : scores[j]! - scores[i]!);
}

function chosen({ means, dispersionsNorm }: Statistics, settled: Settled): Int32Array {
  const { top } = settled;
  if (top !== undefined) return ranking(dispersionsNorm).slice(0, top).sort();
  return Int32Array.from(means.keys()).filter((j) => isWithin(means, dispersionsNorm, j, settled));
}

function isWithin(
  means: Float64Array,
  scores: Float64Array,
  j: number,
  { minMean, maxMean, minDispersion }: Settled,
): boolean {
  const score = Number.isNaN(scores[j]!) ? 0 : scores[j]!;
  return means[j]! > minMean && means[j]! < maxMean && score > minDispersion;
}

function expressed(mean: Float64Array): Int32Array {
  return Int32Array.from(mean.keys()).filter((j) => mean[j]! > 0);
}

/** Statistics within batches of the genes that are expressed there, and what they amount to. */
function acrossBatches(batches: readonly Matrix[], settled: Settled): HighlyVariableGenes {
  const genes = batches[0]!.columns;
  const nBatches = new Int32Array(genes);
  const sums = [0, 1, 2].map(() => new Float64Array(genes));
  const counts = [0, 1, 2].map(() => new Float64Array(genes));
  for (const batch of batches) {
    const { genes: kept, ...statistics } = statisticsOf(batch, settled, expressed);
    const { means, dispersions, dispersionsNorm } = statistics;
    const last = ranking(dispersionsNorm).slice(0, settled.top).at(-1);
    const least = last === undefined ? Infinity : dispersionsNorm[last]!;
    // Means over batches leave out those where there is none; genes without expression count as 0.
    counts.forEach((count) => count.forEach((_, j) => count[j]!++));
    kept.forEach((j, i) => {
      const isChosen = settled.top === undefined
        ? isWithin(means, dispersionsNorm, i, settled)
        : dispersionsNorm[i]! >= least;
      if (isChosen) nBatches[j]!++;
      [means, dispersions, dispersionsNorm].forEach((values, k) => {
        if (Number.isNaN(values[i]!)) counts[k]![j]!--;
        else sums[k]![j]! += values[i]!;
      });
    });
  }
  const [means, dispersions, scores] = sums.map((sum, k) =>
    sum.map((s, j) => s / counts[k]![j]!)
  ) as [Float64Array, Float64Array, Float64Array];
  if (settled.top === undefined) {
    const dispersionsNorm = scores.map((score) => Number.isNaN(score) ? 0 : score);
    const indices = chosen({ means, dispersions, dispersionsNorm }, settled);
    return { indices, means, dispersions, dispersionsNorm, nBatches };
  }
  const indices = ranking(scores).sort((i, j) =>
    nBatches[j]! - nBatches[i]! || scores[j]! - scores[i]! || i - j
  ).slice(0, settled.top).sort();
  return { indices, means, dispersions, dispersionsNorm: scores, nBatches };
}
