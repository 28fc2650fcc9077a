/**
 * Sparsity of gene weights.
 *
 * @module
 */
import { abs } from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes, refuseMore } from "../options.ts";
import { reduceLosses } from "./reduction.ts";

/**
 * Mean absolute weight of genes: added to a loss with a small factor, it drives the weights of genes
 * that do not matter to 0. Lower is sparser; at least 0, in the unit of the weights.
 *
 * `L = mean |w|`
 *
 * Every weight is pushed towards 0 with the same gradient, sign(w) over the number of genes,
 * however small it is already; at 0 the gradient is 0.
 *
 * Source: DiffBio `src/diffbio/losses/singlecell_losses.py`, `gene_weight_sparsity_loss`; the lasso
 * penalty of Tibshirani 1996, https://doi.org/10.1111/j.2517-6161.1996.tb02080.x.
 *
 * @param geneWeights One weight per gene, [genes].
 * @returns The loss, a scalar; 0 for no genes.
 * @throws {TypeError} If the weights are no vector.
 *
 * @example Two genes in use
 * ```ts
 * import { geneWeightSparsityLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(geneWeightSparsityLoss([2, 0, -1, 0]).item(), 0.75);
 * ```
 */
export function geneWeightSparsityLoss(geneWeights: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("geneWeightSparsityLoss", "geneWeights", 1, arguments);
  const weights = floating(
    asOperand("geneWeightSparsityLoss", geneWeights, "geneWeights"),
  );
  checkAxes("geneWeightSparsityLoss", "geneWeights", weights, ["genes"]);
  return reduceLosses(abs(weights), "mean");
}
