/**
 * Contrastive cell embedding.
 *
 * @module
 */
import { arange } from "../create.ts";
import { add, div, l2Normalize, mean } from "../ops/mod.ts";
import { rowProducts } from "../ops/linalg.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mapCells, readCells } from "./cells.ts";
import { negLogLikelihood } from "./class_logits.ts";
import { checkBoolean, checkNumber, checkSameShape, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode contrastiveCellEmbeddingLoss}. */
export interface ContrastiveCellEmbeddingOptions {
  /** What similarities are divided by, above 0; 0.5 by default. */
  temperature?: number | undefined;
  /** Whether the second view also queries the first; `false` by default. */
  symmetric?: boolean | undefined;
}

/**
 * Contrastive cell embedding (CCE): of two embeddings of every cell, such as those of two passes
 * with different dropout, each is to find its partner among all cells of the batch. Lower is better;
 * in (0, log B + 2/τ], log B where all similarities are equal.
 *
 * `L = mean_i [log Σ_j exp(s_ij) − s_ii]`, with `s_ij = cos(z1_i, z2_j) / τ`
 *
 * It is the cross entropy of a classification of B cells into B classes, in nats. Gradients reach
 * both views. By default the first view queries the second, as in the original; `symmetric` takes
 * the mean of both directions. A single cell gives 0. Lengths below 1e-8 are raised to 1e-8, so that
 * a cell of all zeros has similarity 0 to all, and a finite, though steep, gradient. Time is B²; above
 * 2048 cells, memory is that of a block of cells, and the gradient computes each once more.
 *
 * Source: scGPT `scgpt/model/model.py` and scFormer `scformer/model/model.py`, the CCE branch, after
 * SimCSE (Gao et al. 2021, arXiv:2104.08821). The temperature is fixed at 0.5 and the weight at 10
 * there.
 *
 * @param cell1 (B, d): one embedding per cell.
 * @param cell2 (B, d): another embedding of the same cells in the same order.
 * @param options `temperature`, τ, 0.5 by default; `symmetric`, `false` by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the views are no matrices of the same shape or hold no cell, or an option
 * does not exist.
 * @throws {RangeError} If `temperature` is not above 0.
 *
 * @example Three cells that are told apart perfectly
 * ```ts
 * import { eye } from "@cellgrad/cellgrad";
 * import { contrastiveCellEmbeddingLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = contrastiveCellEmbeddingLoss(eye(3), eye(3), { temperature: 0.5 });
 * assertAlmostEquals(loss.item(), Math.log(1 + 2 * Math.exp(-2)), 1e-6);
 * ```
 */
export function contrastiveCellEmbeddingLoss(
  cell1: TensorLike,
  cell2: TensorLike,
  options: ContrastiveCellEmbeddingOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("contrastiveCellEmbeddingLoss", "options", 3, arguments);
  const caller = "contrastiveCellEmbeddingLoss";
  const { temperature, symmetric } = readOptions(caller, options, {
    temperature: 0.5,
    symmetric: false,
  });
  checkNumber(caller, "temperature", temperature, { above: 0 });
  checkBoolean(caller, "symmetric", symmetric);
  const [first, second] = readCells(caller, {
    cell1: [cell1, "features"],
    cell2: [cell2, "features"],
  }) as [Tensor, Tensor];
  checkSameShape(caller, { cell1: first, cell2: second });
  const [a, b] = [first, second].map((x) => l2Normalize(x, { epsilon: 1e-8 })) as [Tensor, Tensor];
  const forth = mean(partnerEntropy(a, b, temperature));
  if (!symmetric) return forth;
  return div(add(forth, mean(partnerEntropy(b, a, temperature))), 2);
}

/**
 * The cross entropy of each query against all candidates, of which the one in its own place is right;
 * `largest` is that of {@linkcode mapCells}.
 */
export function partnerEntropy(
  queries: Tensor,
  candidates: Tensor,
  temperature: number,
  largest?: number,
): Tensor {
  const n = queries.shape[0]!;
  const entropyOf = ([rows, partners]: [Tensor, Tensor], [all]: [Tensor]) =>
    negLogLikelihood(div(rowProducts(rows, all), temperature), partners);
  return mapCells(entropyOf, [queries, arange(n, { dtype: "int32" })], [candidates], n, largest);
}
