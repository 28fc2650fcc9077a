/**
 * The entropy of batches in neighbourhoods.
 *
 * @module
 */
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { forNeighbors } from "./neighbors.ts";
import { readGroupedPoints, type Values } from "./values.ts";

/** Options of {@linkcode batchEntropy}. */
export interface BatchEntropyOptions {
  /** How many neighbours of each cell count; 50 by default. */
  nNeighbors?: number | undefined;
  /** Whether to divide by log K, the entropy of K equal batches; `false` by default. */
  normalize?: boolean | undefined;
}

/**
 * The entropy of batch mixing: how evenly the batches share the neighbourhood of a cell, on average.
 *
 * The mean over cells of `−Σ_k p_k log p_k`, with p_k the share of batch k among the cell's nearest
 * neighbours by Euclidean distance, itself left out. In [0, log K] for K batches (natural
 * logarithm), or in [0, 1] with `normalize`; 0 where the batches are apart, high where they are
 * mixed; higher is better, as long as the cell types stay apart. The highest value needs batches of
 * the same size.
 *
 * It counts what `batchMixingLoss` trains for, with hard neighbourhoods, and with the sign turned.
 *
 * Source: Haghverdi et al. 2018, https://doi.org/10.1038/nbt.4091; 50 neighbours as in scVI's
 * `entropy_batch_mixing` (Lopez et al. 2018, https://doi.org/10.1038/s41592-018-0229-2). Deviation:
 * both average over random subsets of the cells, here all cells count, so the value is exact and
 * the same every time. Where there are fewer than `nNeighbors` other cells, all of them count; of
 * equally near ones the first do. A single batch has entropy 0, and 1 with `normalize`: it is mixed
 * as well as it can be.
 *
 * @param embeddings Cells (n, d).
 * @param labels The batch of each cell (n): any whole numbers.
 * @param options `nNeighbors`, 50 by default; `normalize`, `false` by default.
 * @returns The mean entropy.
 * @throws {TypeError} If the shapes disagree, a label is not a whole number, or an option is
 * unknown or of the wrong kind.
 * @throws {RangeError} If an embedding is not finite, or `nNeighbors` is less than 1.
 *
 * @example Each cell has one neighbour of either batch, or two of its own
 * ```ts
 * import { batchEntropy } from "@cellgrad/cellgrad/metrics";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const cells = [[0], [1], [2], [10], [11], [12]];
 * const options = { nNeighbors: 2, normalize: true };
 * assertEquals(batchEntropy(cells, [0, 0, 0, 1, 1, 1], options), 0);
 * assertAlmostEquals(batchEntropy(cells, [0, 1, 0, 1, 0, 1], options), 2 / 3);
 * ```
 */
export function batchEntropy(
  embeddings: Values,
  labels: Values,
  options: BatchEntropyOptions = {},
): number {
  if (arguments.length > 3) refuseMore("batchEntropy", "options", 3, arguments);
  const { nNeighbors, normalize } = readOptions("batchEntropy", options, {
    nNeighbors: 50,
    normalize: false,
  });
  checkNumber("batchEntropy", "nNeighbors", nNeighbors, { min: 1, integer: true });
  checkBoolean("batchEntropy", "normalize", normalize);
  const { points, groups: { codes, count } } = readGroupedPoints(
    "batchEntropy",
    embeddings,
    labels,
  );
  if (count < 2) return normalize ? 1 : 0;
  const counts = new Float64Array(count);
  let total = 0;
  forNeighbors(points, nNeighbors, (_cell, { indices }) => {
    counts.fill(0);
    for (const neighbor of indices) counts[codes[neighbor]!]!++;
    for (const n of counts) {
      if (n > 0) total -= n / indices.length * Math.log(n / indices.length);
    }
  });
  return total / codes.length / (normalize ? Math.log(count) : 1);
}
