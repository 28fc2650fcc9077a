/**
 * The local inverse Simpson's index.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { forNeighbors } from "./neighbors.ts";
import { readGroupedPoints, type Values } from "./values.ts";

/** Options of {@linkcode lisi}. */
export interface LisiOptions {
  /** The effective number of neighbours, at least 1; three times as many are looked at. 30 by default. */
  perplexity?: number | undefined;
}

/** What {@linkcode lisi} returns. */
export interface Lisi {
  /** The index of each cell: between 1 and the number of labels. */
  perCell: Float64Array;
  /** Their median. */
  median: number;
  /** For batches: `(median − 1)/(K − 1)`, 0 where they are apart, 1 where they are mixed. */
  ilisi: number;
  /** For cell types: `(K − median)/(K − 1)`, 1 where they are apart, 0 where they are mixed. */
  clisi: number;
}

/**
 * LISI, the local inverse Simpson's index: how many different labels a cell's neighbourhood
 * effectively holds.
 *
 * Around each cell, its 3·perplexity − 1 nearest others get weights `w ∝ exp(−β·distance)`, with β
 * such that their perplexity (the exponential of their entropy) is `perplexity`. With p_k the
 * weight of label k, the index is `1 / Σ_k p_k²`: 1 where all neighbours have one label, K where
 * all K labels weigh the same.
 *
 * Of batch labels it is called iLISI, and should be high; of cell types cLISI, and should be low.
 * `ilisi` and `clisi` are the median, scaled as scIB does: in [0, 1], higher is better for both.
 * For `ilisi` to reach 1, all batches must have the same number of cells. With one label there is
 * nothing to tell apart, and both are 1. Where a cell has fewer neighbours than the perplexity asks
 * for, all weigh the same; a cell without any has index 1.
 *
 * Source: Korsunsky et al. 2019 (Harmony), https://doi.org/10.1038/s41592-019-0619-0, R package
 * `lisi`; scaling: Luecken et al. 2022 (scIB), https://doi.org/10.1038/s41592-021-01336-8.
 * Deviations: the paper calls the weights Gaussian, its code takes the plain distance, not its
 * square, and so do we; β is found to the last digits (there to 1e-5 in the entropy), and for
 * distances of any size. scIB measures distances along the graph of neighbours, here they are
 * Euclidean.
 *
 * @param embeddings Cells (n, d).
 * @param labels The batch or cell type of each cell (n): any whole numbers.
 * @param options `perplexity`, 30 by default.
 * @returns `{ perCell, median, ilisi, clisi }`.
 * @throws {TypeError} If the shapes disagree, a label is not a whole number, or an option is
 * unknown or of the wrong kind.
 * @throws {RangeError} If an embedding is not finite, or `perplexity` is less than 1.
 *
 * @example Two batches in turns, two cell types far apart
 * ```ts
 * import { lisi } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals, assertGreater } from "@std/assert";
 *
 * const cells = Array.from({ length: 120 }, (_, i) => [i < 60 ? 0 : 1000, i]);
 * const batches = cells.map((_, i) => i % 2);
 * const types = cells.map((_, i) => i < 60 ? 0 : 1);
 * assertGreater(lisi(cells, batches, { perplexity: 15 }).ilisi, 0.8);
 * assertAlmostEquals(lisi(cells, types, { perplexity: 15 }).clisi, 1);
 * ```
 */
export function lisi(embeddings: Values, labels: Values, options: LisiOptions = {}): Lisi {
  if (arguments.length > 3) refuseMore("lisi", "options", 3, arguments);
  const { perplexity } = readOptions("lisi", options, { perplexity: 30 });
  checkNumber("lisi", "perplexity", perplexity, { min: 1 });
  const { points, groups: { codes, count } } = readGroupedPoints("lisi", embeddings, labels);
  const perCell = new Float64Array(codes.length);
  const shares = new Float64Array(count);
  forNeighbors(points, Math.ceil(3 * perplexity) - 1, (cell, { indices, squaredDistances }) => {
    const weights = weigh(squaredDistances.map(Math.sqrt), perplexity);
    shares.fill(0);
    indices.forEach((neighbor, i) => shares[codes[neighbor]!]! += weights[i]!);
    perCell[cell] = 1 / (shares.reduce((sum, p) => sum + p * p, 0) || 1);
  });
  const median = medianOf(perCell);
  return {
    perCell,
    median,
    ilisi: count < 2 ? 1 : (median - 1) / (count - 1),
    clisi: count < 2 ? 1 : (count - median) / (count - 1),
  };
}

/** Weights that fall with the distance, sum to 1, and have the perplexity where they can. */
function weigh(distances: Float64Array, perplexity: number): Float64Array {
  const nearest = distances[0] ?? 0;
  const spread = distances.reduce((sum, d) => sum + (d - nearest), 0) / distances.length;
  const offsets = distances.map((d) => spread === 0 ? 0 : (d - nearest) / spread);
  const target = Math.log(perplexity);
  let [low, high, beta] = [0, Infinity, 1];
  // The entropy falls as β grows: from that of equal weights to that of the nearest alone.
  for (let i = 0; i < 200 && high - low > 1e-15 * beta; i++) {
    if (entropyOf(offsets, beta) > target) low = beta;
    else high = beta;
    beta = high === Infinity ? 2 * low : (low + high) / 2;
  }
  const weights = offsets.map((x) => Math.exp(-beta * x));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

/** The entropy of weights `exp(−β·x)` divided by their sum, for x of which the first is 0. */
function entropyOf(offsets: Float64Array, beta: number): number {
  let [total, moment] = [0, 0];
  for (const x of offsets) {
    const weight = Math.exp(-beta * x);
    total += weight;
    moment += weight * x;
  }
  return Math.log(total) + beta * moment / total;
}

function medianOf(values: Float64Array): number {
  const sorted = values.toSorted();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
