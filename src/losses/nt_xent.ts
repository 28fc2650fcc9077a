/**
 * Contrastive learning of two views.
 *
 * @module
 */
import { arange } from "../create.ts";
import { concat, l2Normalize } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { meanOfRows, readViews } from "./cells.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { contrasts } from "./supervised_contrastive.ts";

/** Options of {@linkcode ntXentLoss}. */
export interface NtXentOptions {
  /** What cosines are divided by, τ, above 0; 0.5 by default. */
  temperature?: number | undefined;
}

/**
 * NT-Xent, the normalised and temperature-scaled cross entropy of SimCLR: of two views of every cell,
 * each is to find the other one among all other views, of both kinds. Lower is better; at least 0,
 * and log(2n − 1), in nats, where all views are alike.
 *
 * `L = 1/2n Σ_i [log Σ_{k ≠ i} exp(s_ik) − s_ii']`, with `s_ij = cos(z_i, z_j) / τ` over all 2n views
 * and i' the other view of the cell of i
 *
 * {@linkcode contrastiveCellEmbeddingLoss} asks each view of the first kind among those of the second
 * kind only; here, those of its own kind count against it, too. A single cell gives 0. A view of all
 * zeros has cosine 0 to all, and a finite, though steep, gradient. Time is n²; above 1024 cells,
 * memory is that of a block of views, and the gradient computes each once more.
 *
 * Source: Chen et al. 2020, arXiv:2002.05709, equation 1; MONAI's `ContrastiveLoss` computes the
 * same. The `ntxent` of optax and `NTXentLoss` of pytorch-metric-learning take one matrix and labels,
 * and average over pairs of cells of one label, each against the cells of other labels: with two
 * cells per label that is this loss, with more of them it is not.
 *
 * @param a (n, d): one embedding per cell, of any length.
 * @param b (n, d): another embedding of the same cells in the same order.
 * @param options `temperature`, τ, 0.5 by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the views are no matrices of the same shape or hold no cell, or an option
 * does not exist.
 * @throws {RangeError} If `temperature` is not above 0.
 *
 * @example Two cells at a right angle, their views equal
 * ```ts
 * import { eye } from "@cellgrad/cellgrad";
 * import { ntXentLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = ntXentLoss(eye(2), eye(2), { temperature: 0.5 });
 * assertAlmostEquals(loss.item(), Math.log(1 + 2 * Math.exp(-2)), 1e-6);
 * ```
 */
export function ntXentLoss(a: TensorLike, b: TensorLike, options: NtXentOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("ntXentLoss", "options", 3, arguments);
  const { temperature } = readOptions("ntXentLoss", options, { temperature: 0.5 });
  checkNumber("ntXentLoss", "temperature", temperature, { above: 0 });
  const [first, second] = readViews("ntXentLoss", a, b);
  const cells = arange(first.shape[0]!, { dtype: "int32" });
  const units = l2Normalize(concat([first, second]));
  return meanOfRows(contrasts(units, concat([cells, cells]), temperature));
}
