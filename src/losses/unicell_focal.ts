/**
 * UniCell's form of the focal loss.
 *
 * @module
 */
import { clip, expandDims, mul, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { negLogLikelihood, ownClass, readClassLogits } from "./class_logits.ts";
import { focalTerms } from "./focal_terms.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkReduction, reduceLosses, type Reduction } from "./reduction.ts";

/** Options of {@linkcode unicellFocalLoss}. */
export interface UnicellFocalOptions {
  /** A factor on the whole loss; 1 by default. */
  alpha?: number | undefined;
  /** How strongly easy cells are turned down, at least 0; 2 by default. */
  gamma?: number | undefined;
  /** What is returned; `"mean"`, over cells and classes, by default. */
  reduction?: Reduction | undefined;
}

/** UniCell's least probability. */
const CLAMP = 1e-7;

/**
 * Focal loss exactly as UniCell computes it, to reproduce its training. For anything else take
 * {@linkcode focalLoss}. Lower is better; between 0 and 16.1 α / C.
 *
 * `L = Σ_i α (1 − p_i)^γ (−log p_i) / (n C)`, where p_i is the softmax probability of the label of
 * cell i, kept in [1e-7, 1]
 *
 * **Where the original departs from the focal loss**, and this with it:
 *
 * - Its mean runs over all n · C entries of the one-hot labels, so the loss is C times smaller: with
 *   γ = 0 and 4 classes, 0.385 where the cross entropy is 1.542. Its documentation does not say so.
 * - A label whose probability is below 1e-7 costs 16.118 α and has gradient 0: the cells that are
 *   classified worst teach nothing.
 *
 * **Where this departs from the original**: a label of −1, which its trainer gives to unknown cell
 * types, silently becomes the last class there and is a `RangeError` here; `reduction: "none"`, which
 * returns nothing there, returns the n · C entries.
 *
 * Source: UniCell `unicell/loss.py`, `FocalLoss`, after Lin et al. 2017, arXiv:1708.02002.
 *
 * @param logits (N, C, …spatial): one score per class, of cells as a rule (N, C).
 * @param labels (N, …spatial), whole numbers in [0, C).
 * @param options `alpha`, 1 by default; `gamma`, 2; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"`, the shape of the logits, 0 but at the labels.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example The mean over classes, too
 * ```ts
 * import { focalLoss, unicellFocalLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[1, 0, 2, 0], [0, 3, 0, 1]], [2, 0]];
 * const ratio = focalLoss(logits, labels).div(unicellFocalLoss(logits, labels));
 * assertAlmostEquals(ratio.item(), 4, 1e-5);
 * ```
 */
export function unicellFocalLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: UnicellFocalOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("unicellFocalLoss", "options", 3, arguments);
  const { alpha, gamma, reduction } = readOptions("unicellFocalLoss", options, {
    alpha: 1,
    gamma: 2,
    reduction: "mean",
  });
  checkReduction("unicellFocalLoss", reduction);
  checkNumber("unicellFocalLoss", "alpha", alpha, { min: 0 });
  checkNumber("unicellFocalLoss", "gamma", gamma, { min: 0 });
  const read = readClassLogits("unicellFocalLoss", logits, labels);
  const plain = clip(negLogLikelihood(read.logits, read.labels), 0, -Math.log(CLAMP));
  const losses = mul(focalTerms(plain, gamma), alpha);
  if (reduction === "none") return where(ownClass(read), expandDims(losses, 1), 0);
  return reduceLosses(losses, reduction, read.logits.size);
}
