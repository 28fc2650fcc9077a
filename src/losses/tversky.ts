/**
 * Tversky loss of segmentations.
 *
 * @module
 */
import { add, mean, mul, sub } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassLogits } from "./class_logits.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { countOverlap, overlapRatio } from "./dice.ts";

/** Options of {@linkcode tverskyLoss}. */
export interface TverskyOptions {
  /** Weight of false positives, at least 0; 0.7 by default. */
  alpha?: number | undefined;
  /** Weight of false negatives, at least 0; 0.3 by default. */
  beta?: number | undefined;
  /** Added above and below, at least 0; 1 by default. */
  smooth?: number | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * Tversky loss: the Dice loss with a weight of its own for each kind of mistake. Lower is better; in
 * [0, 1).
 *
 * `L = mean_c 1 − (TP + s) / (TP + α FP + β FN + s)`
 *
 * with the soft counts `TP = Σ q y`, `FP = Σ q (1 − y)` and `FN = Σ (1 − q) y` of each class, over
 * the batch and all positions together. Larger α means fewer false positives (precision), larger β
 * fewer misses (recall).
 *
 * | α, β | what it is |
 * | --- | --- |
 * | 0.7, 0.3 | against over-prediction: the guide's choice, and the default |
 * | 0.3, 0.7 | against under-prediction |
 * | 0.5, 0.5 | {@linkcode diceLoss} with twice the smoothing |
 * | 1, 1 | soft IoU (Jaccard) |
 *
 * **Where the guide is inexact**: it calls 0.5, 0.5 "Dice equivalent", which holds for s = 0, or with
 * half of Dice's smoothing; at equal smoothing they differ (0.632 against Dice's 0.733 in a reference
 * case). And some papers, Focal Tversky among them, put α on the misses: swap their values.
 *
 * A class that is neither labelled nor predicted is no mistake: with s = 0 its 0/0 is taken as 1.
 *
 * Source: Salehi et al. 2017, arXiv:1706.05721; dinov3_playground `losses.py`, `TverskyLoss`, whose
 * class has 0.5, 0.5 and 1 as defaults.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `alpha`, 0.7 by default; `beta`, 0.3; `smooth`, 1; `ignoreIndex`, none.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example Half the smoothing makes it Dice
 * ```ts
 * import { diceLoss, tverskyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[1, 0], [2, 1], [0, 3]], [0, 1, 1]];
 * const tversky = tverskyLoss(logits, labels, { alpha: 0.5, beta: 0.5, smooth: 0.5 });
 * assertAlmostEquals(tversky.item(), diceLoss(logits, labels, { smooth: 1 }).item(), 1e-6);
 * ```
 */
export function tverskyLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: TverskyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("tverskyLoss", "options", 3, arguments);
  const { alpha, beta, smooth, ignoreIndex } = readOptions("tverskyLoss", options, {
    alpha: 0.7,
    beta: 0.3,
    smooth: 1,
    ignoreIndex: undefined,
  });
  checkNumber("tverskyLoss", "alpha", alpha, { min: 0 });
  checkNumber("tverskyLoss", "beta", beta, { min: 0 });
  checkNumber("tverskyLoss", "smooth", smooth, { min: 0 });
  const overlap = countOverlap(readClassLogits("tverskyLoss", logits, labels, ignoreIndex));
  const hit = add(overlap.truePositives, smooth);
  const missed = sub(overlap.labelled, overlap.truePositives);
  const mistakes = add(mul(overlap.falsePositives, alpha), mul(missed, beta));
  return mean(sub(1, overlapRatio(hit, add(hit, mistakes))));
}
