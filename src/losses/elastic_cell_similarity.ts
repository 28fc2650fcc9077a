/**
 * Elastic cell similarity.
 *
 * @module
 */
import { arange } from "../create.ts";
import { equal, expandDims, l2Normalize, mean, relu, square, sub, where } from "../ops/mod.ts";
import { rowProducts } from "../ops/linalg.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mapCells, readCells } from "./cells.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode elasticCellSimilarityLoss}. */
export interface ElasticCellSimilarityOptions {
  /** The similarity θ from which pairs are pushed away, in [0, 1]; 0.3 by default. */
  threshold?: number | undefined;
}

/**
 * Elastic cell similarity (ECS): pairs of cells that are more alike than a threshold are drawn
 * together, pairs that are less alike are pushed apart. Lower is better; for θ in [0, 1] the value
 * lies in [1 − max(θ, 1 − θ)², 1].
 *
 * `L = 1/B² Σ_ij 1 − (c_ij − θ)²`, with `c_ij = max(0, cos(e_i, e_j))` for i ≠ j and `c_ii = 0`
 *
 * Only the directions of the embeddings count, not their lengths, and only pairs at an acute angle
 * get a gradient. The diagonal and the other pairs add the constant 1 − θ² each, so that a single
 * cell gives 1 − θ². A cell of all zeros is similar to none: its gradient is exactly 0. Time is B²;
 * above 2048 cells, memory is that of a block of cells, and the gradient computes each once more.
 *
 * The threshold is 0.3 here, as in the constructors of both models; the training scripts set 0.8
 * (scGPT, see {@linkcode scgptObjective}) and 0.85 (scFormer, see {@linkcode scformerObjective}),
 * and multiply the loss by 10.
 *
 * The values are those of the original, with one parameter, `threshold`: the function that is
 * printed in notes on scFormer takes `esc_threshold` and reads `ecs_threshold`, so that it fails, or
 * uses a global 0.85 whatever it is given. The formula in the paper, −(c − θ)², lacks the constant 1.
 *
 * Source: scFormer `scformer/model/model.py` (Cui et al. 2022,
 * https://doi.org/10.1101/2022.11.20.517285) and scGPT `scgpt/model/model.py`.
 *
 * @param cellEmbeddings (B, d): one embedding per cell.
 * @param options `threshold`, 0.3 by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the embeddings are no matrix or hold no cell, or an option does not exist.
 * @throws {RangeError} If `threshold` is not in [0, 1].
 *
 * @example Two pairs of cells, each at the threshold
 * ```ts
 * import { elasticCellSimilarityLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const cells = [[1, 0], [0.6, 0.8]];
 * const loss = elasticCellSimilarityLoss(cells, { threshold: 0.6 });
 * assertAlmostEquals(loss.item(), 1 - 0.36 / 2, 1e-6);
 * ```
 */
export function elasticCellSimilarityLoss(
  cellEmbeddings: TensorLike,
  options: ElasticCellSimilarityOptions = {},
): Tensor {
  if (arguments.length > 2) refuseMore("elasticCellSimilarityLoss", "options", 2, arguments);
  const caller = "elasticCellSimilarityLoss";
  const { threshold } = readOptions(caller, options, { threshold: 0.3 });
  checkNumber(caller, "threshold", threshold, { min: 0, max: 1 });
  const [embeddings] = readCells(caller, { cellEmbeddings: [cellEmbeddings, "features"] });
  return mean(elasticMeans(l2Normalize(embeddings!), threshold));
}

/**
 * For each of some directions the mean over all of `1 − (c − θ)²`; `largest` is that of
 * {@linkcode mapCells}.
 */
export function elasticMeans(units: Tensor, threshold: number, largest?: number): Tensor {
  const n = units.shape[0]!;
  const numbers = arange(n, { dtype: "int32" });
  const meanOf = ([rows, at]: [Tensor, Tensor], [all]: [Tensor]) => {
    const self = equal(expandDims(at, 1), numbers);
    const similarity = where(self, 0, relu(rowProducts(rows, all)));
    return mean(sub(1, square(sub(similarity, threshold))), { axis: 1 });
  };
  return mapCells(meanOf, [units, numbers], [units], n, largest);
}
