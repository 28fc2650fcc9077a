/**
 * Tversky loss of segmentations.
 *
 * @module
 */
import { add, mul, sub } from "../ops/mod.ts";
import { checkNumber, readOptions, refuseMore, type Settled } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassTargets } from "./class_targets.ts";
import { countOverlap, type Counts, overlapRatio, reduceRatios } from "./overlap.ts";
import { CLASS_OVERLAP, type ClassOverlapOptions } from "./overlap_options.ts";

/** Options of {@linkcode tverskyLoss}: those of all losses of overlaps, and two weights. */
export interface TverskyOptions extends ClassOverlapOptions {
  /** Weight of false positives, at least 0; 0.7 by default. */
  alpha?: number | undefined;
  /** Weight of false negatives, at least 0; 0.3 by default. */
  beta?: number | undefined;
}

/** The defaults of {@linkcode tverskyLoss}. */
export const TVERSKY: typeof CLASS_OVERLAP & { alpha: number; beta: number } = {
  alpha: 0.7,
  beta: 0.3,
  ...CLASS_OVERLAP,
};

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
 * | 1, 1 | {@linkcode jaccardLoss} |
 *
 * The other options are those of {@linkcode diceLoss}, and mean the same.
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
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `alpha`, 0.7 by default; `beta`, 0.3; `smooth`, 1; `perClass`, `true`;
 * `ignoreIndex`, none; `activation`, `"softmax"`; `includeBackground`, `true`; `absent`, `"count"`;
 * `perSample`, `false`; `weight`, none; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"` one loss per class, (C), or (N, C) per sample.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, an option does not
 * exist, or `squared` is `true`: sums of squares less true positives may be negative.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
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
  targets: TensorLike,
  options: TverskyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("tverskyLoss", "options", 3, arguments);
  const settings = readOptions("tverskyLoss", options, TVERSKY);
  const read = readClassTargets("tverskyLoss", logits, targets, settings);
  checkTversky("tverskyLoss", settings);
  const overlap = countOverlap("tverskyLoss", read, settings);
  return reduceRatios(overlap, settings, (counts) => tverskyLosses(counts, settings));
}

/** Checks what the Tversky losses have besides the other losses of overlaps. */
export function checkTversky(
  caller: string,
  { alpha, beta, squared }: Settled<TverskyOptions, typeof TVERSKY>,
): void {
  checkNumber(caller, "alpha", alpha, { min: 0 });
  checkNumber(caller, "beta", beta, { min: 0 });
  if (squared !== true) return;
  throw new TypeError(
    `Cannot compute ${caller} as squared must be false: sums of squares less true positives ` +
      `may be negative; take diceLoss or jaccardLoss`,
  );
}

/** One less the Tversky index of each of the counts. */
export function tverskyLosses(
  { truePositives, falsePositives, labelled }: Counts,
  { alpha, beta, smooth }: { alpha: number; beta: number; smooth: number },
): Tensor {
  const hit = add(truePositives, smooth);
  const missed = sub(labelled, truePositives);
  const mistakes = add(mul(falsePositives, alpha), mul(missed, beta));
  return sub(1, overlapRatio(hit, add(hit, mistakes)));
}
