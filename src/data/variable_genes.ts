/**
 * Genes that vary more than a regression on their mean lets expect: Seurat's third method.
 *
 * @module
 */
import { checkBoolean, checkNumber, readOptions } from "../options.ts";
import { loess } from "./loess.ts";
import {
  checkCounts,
  checkNotNegative,
  columnMoments,
  columnTotals,
  type Matrix,
  type Moments,
  takeRows,
} from "./matrix.ts";
import { median } from "./medians.ts";
import type { Batches } from "./highly_variable.ts";

/** Options of {@linkcode highlyVariableGenes} with `flavor: "seurat_v3"`. */
export interface VarianceOptions {
  /** Seurat's third method. */
  flavor: "seurat_v3";
  /** How many genes to choose; 2000 by default. */
  top?: number | undefined;
  /** The batch of every cell: genes are ranked within each. */
  batchKey?: Batches | undefined;
  /** The share of the genes that the regression looks at for each; 0.3 by default. */
  span?: number | undefined;
  /** Whether values that are no counts are refused; true by default. */
  check?: boolean | undefined;
}

/** Variable genes and what they were chosen by, named as in scanpy's `adata.var`. */
export interface VariableGenes {
  /** The chosen genes' columns, in ascending order. */
  indices: Int32Array;
  /** Per gene: the mean of the counts. */
  means: Float64Array;
  /** Per gene: the variance of the counts. */
  variances: Float64Array;
  /** Per gene: the variance of the standardised, clipped counts; with `batchKey` its mean over batches. */
  variancesNorm: Float64Array;
  /** Per gene: its rank from 0 on, with `batchKey` the median of those below `top`; else NaN. */
  ranks: Float64Array;
  /** Per gene: in how many batches it is among the `top` first. */
  nBatches: Int32Array;
}

/** The genes of the largest standardised variance; `cellsOf` gives the cells of each batch. */
export function variableGenes(
  caller: string,
  x: Matrix,
  options: VarianceOptions,
  cellsOf: (batchKey: Batches) => readonly Int32Array[],
): VariableGenes {
  const { top, batchKey, span, check } = readOptions(caller, options, {
    flavor: undefined,
    top: 2000,
    batchKey: undefined,
    span: 0.3,
    check: true,
  });
  checkNumber(caller, "top", top, { integer: true, min: 1 });
  checkNumber(caller, "span", span, { above: 0, max: 1 });
  checkBoolean(caller, "check", check);
  if (check) checkCounts(caller, "x", x);
  else checkNotNegative(caller, "x", x);
  const batches = batchKey === undefined ? [x] : cellsOf(batchKey).map((list) => takeRows(x, list));
  const norms = batches.map((batch) => standardisedVariances(caller, batch, span));
  const { mean: means, variance: variances } = momentsOfCounts(x);
  const ranksWithin = norms.map(ranksOf);
  const nBatches = new Int32Array(x.columns);
  const ranks = new Float64Array(x.columns);
  for (let j = 0; j < x.columns; j++) {
    const high = ranksWithin.map((within) => within[j]!).filter((rank) => rank < top);
    nBatches[j] = high.length;
    ranks[j] = median(high);
  }
  const variancesNorm = means.map((_, j) =>
    norms.reduce((sum, norm) => sum + norm[j]!, 0) / norms.length
  );
  const indices = Int32Array.from(means.keys()).sort((i, j) =>
    placeOf(ranks[i]!) - placeOf(ranks[j]!) || nBatches[j]! - nBatches[i]! || i - j
  ).slice(0, top).sort();
  return { indices, means, variances, variancesNorm, ranks, nBatches };
}

/** A rank, and for genes without one a place behind all. */
function placeOf(rank: number): number {
  return Number.isNaN(rank) ? Number.MAX_VALUE : rank;
}

/** For each value how many are larger, or as large and further in front. */
function ranksOf(values: Float64Array): Int32Array {
  const ranks = new Int32Array(values.length);
  Int32Array.from(values.keys()).sort((i, j) => values[j]! - values[i]! || i - j)
    .forEach((j, rank) => ranks[j] = rank);
  return ranks;
}

/** Means of exact sums: genes of as many counts have one mean, at which no cell of genes is cut. */
function momentsOfCounts(x: Matrix): Moments {
  return { ...columnMoments(x), mean: columnTotals(x).map((total) => total / x.rows) };
}

/** Variances of the counts in units of the deviation that their mean lets expect, clipped at √n. */
function standardisedVariances(caller: string, x: Matrix, span: number): Float64Array {
  const { mean, variance } = momentsOfCounts(x);
  const deviation = expectedDeviations(caller, mean, variance, span);
  const limit = deviation.map((d, j) => d * Math.sqrt(x.rows) + mean[j]!);
  const { data, columns, indices } = x;
  const sums = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let k = 0, column = 0; k < data.length; k++) {
    const j = indices === undefined ? column : indices[k]!;
    const value = Math.min(data[k]!, limit[j]!);
    sums[j]! += value;
    squares[j]! += value * value;
    if (++column === columns) column = 0;
  }
  return sums.map((sum, j) => {
    const m = mean[j]!;
    const about = x.rows * m * m + squares[j]! - 2 * sum * m;
    return about / ((x.rows - 1) * deviation[j]! * deviation[j]!);
  });
}

/** Standard deviations by a regression of variances on means, both logarithmised; 1 where constant. */
function expectedDeviations(
  caller: string,
  mean: Float64Array,
  variance: Float64Array,
  span: number,
): Float64Array {
  const varying = Int32Array.from(mean.keys()).filter((j) => variance[j]! > 0);
  const neighbours = Math.floor(varying.length * span + 1e-5);
  const logarithms = (values: Float64Array) =>
    Float64Array.from(varying, (j) => Math.log10(values[j]!));
  const fitted = neighbours < 4 ? undefined : loess(logarithms(mean), logarithms(variance), span);
  if (fitted === undefined) {
    throw new RangeError(
      `Cannot compute ${caller} as there are too few genes that vary, or too many of one mean, for ` +
        `a regression within ${Math.max(0, neighbours)} of ${varying.length} genes: raise span; ` +
        `current value is ${span}`,
    );
  }
  const deviation = new Float64Array(mean.length).fill(1);
  varying.forEach((j, i) => deviation[j] = Math.sqrt(10 ** fitted[i]!));
  return deviation;
}
