/**
 * Generalized Dice loss of segmentations.
 *
 * @module
 */
import {
  add,
  any,
  cast,
  div,
  equal,
  max,
  min,
  mul,
  notEqual,
  square,
  squeeze,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassTargets } from "./class_targets.ts";
import { countOverlap, countVolume, overlapRatio, presentIn, reducePresent } from "./overlap.ts";
import { OVERLAP, type OverlapOptions } from "./overlap_options.ts";

/** Options of {@linkcode generalizedDiceLoss}: those of all losses of overlaps. */
export interface GeneralizedDiceOptions extends OverlapOptions {}

const CLASSES = { axis: -1 };
const EACH = { axis: -1, keepDims: true };

/**
 * Generalized Dice loss: one Dice ratio of all classes, each with the inverse of its squared volume
 * for weight, so that a small organelle counts as much as a large background. Lower is better; in
 * [0, 1].
 *
 * `L = 1 − (2 Σ_c w_c TP_c + s) / (Σ_c w_c (Σ q_c + Σ y_c) + s)`, with `w_c = 1 / (Σ y_c)²`
 *
 * A class without labels has no such weight. With `absent: "count"` it gets the largest one of the
 * others, so that any mass on it is penalised, with `absent: "skip"` none; where no class has labels,
 * there is nothing to compare, and the loss is 0. `weight` multiplies the w_c.
 *
 * **Mind the smoothing**: the weights of volumes of a million voxels are 1e-12, beside which s, 1e-5
 * by default as in MONAI, is all that is left of the ratio: two classes of 1e6 voxels each, predicted
 * by even chances, have the loss 0.14 instead of 0.5. With `smooth: 0` the loss does not depend on
 * the size of the image. Ratios are computed by weights relative to the largest, so that neither is
 * out of the range of float32.
 *
 * The other options are those of {@linkcode diceLoss}, and mean the same; with `perSample` there is
 * one loss per sample.
 *
 * Source: Sudre et al. 2017, arXiv:1707.03237; MONAI's `GeneralizedDiceLoss`, which up to 2021 gave
 * classes without labels the weight 0 with `batch=True`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `smooth`, 1e-5 by default; `ignoreIndex`, none; `activation`, `"softmax"`;
 * `includeBackground`, `true`; `absent`, `"count"`; `perSample`, `false`; `weight`, none; `squared`,
 * `false`; `reduction`, `"mean"`.
 * @returns A scalar; with `perSample` and `reduction: "none"` one loss per sample, (N).
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example A rare class counts as much as the others
 * ```ts
 * import { generalizedDiceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const logits = [[99, 0], [99, 0], [99, 0], [99, 0]]; // all of them class 0
 * const loss = generalizedDiceLoss(logits, [0, 0, 0, 1]);
 * // Class 0: TP 3, 4 predicted, 3 labelled, weight 1/9; class 1: 0, 0, 1, weight 1.
 * assertAlmostEquals(loss.item(), 1 - (2 * 3 / 9) / (7 / 9 + 1), 1e-5);
 * ```
 */
export function generalizedDiceLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: GeneralizedDiceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("generalizedDiceLoss", "options", 3, arguments);
  const name = "generalizedDiceLoss";
  const settings = readOptions(name, options, { ...OVERLAP, smooth: 1e-5 });
  const read = readClassTargets(name, logits, targets, settings);
  const overlap = countOverlap(name, read, settings);
  const { truePositives, falsePositives, labelled, weight } = overlap;
  const { shares, least } = relativeWeights(countVolume(overlap), settings.absent === "count");
  const factors = weight === null ? shares : mul(shares, weight);
  const over = (x: Tensor) =>
    add(sum(mul(factors, x), CLASSES), mul(squeeze(square(least), -1), settings.smooth));
  const sizes = add(add(truePositives, falsePositives), labelled);
  const losses = sub(1, overlapRatio(over(mul(truePositives, 2)), over(sizes)));
  const present = presentIn(labelled, settings);
  return reducePresent(losses, present && any(present, CLASSES), settings);
}

/** Weights as shares of the largest, and the least volume, whose inverse square that is. */
function relativeWeights(volume: Tensor, countAbsent: boolean): { shares: Tensor; least: Tensor } {
  const absent = equal(volume, 0);
  const most = max(volume, EACH);
  const least = min(where(absent, most, volume), EACH);
  const others = countAbsent ? cast(notEqual(most, 0), volume.dtype) : 0;
  return { shares: where(absent, others, square(div(least, where(absent, 1, volume)))), least };
}
