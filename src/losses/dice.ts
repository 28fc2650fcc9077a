/**
 * Dice loss of segmentations.
 *
 * @module
 */
import { add, mul, sub } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type ClassTargets, readClassTargets } from "./class_targets.ts";
import { countOverlap, overlapRatio, reduceRatios } from "./overlap.ts";
import {
  CLASS_OVERLAP,
  type ClassOverlapOptions,
  type OverlapSettings,
} from "./overlap_options.ts";

/** Options of {@linkcode diceLoss}: those of all losses of overlaps. */
export interface DiceOptions extends ClassOverlapOptions {}

/**
 * Dice loss: one less the overlap of prediction and labels, averaged over classes, so that a small
 * organelle counts as much as the background. Lower is better; in [0, 1).
 *
 * `L = mean_c 1 − (2 Σ q_c y_c + s) / (Σ q_c + Σ y_c + s)`, with `q = softmax(z)` and one-hot y
 *
 * The sums run over the batch and all positions together, the mean over all classes, the background
 * included. What may be otherwise:
 *
 * | option | what it does |
 * | --- | --- |
 * | `perClass: false` | one ratio of all classes together: with softmax, one less the mean probability of the true class, but for s |
 * | `perSample: true` | ratios of each sample by itself, as MONAI has it; the mean is over samples and classes |
 * | `activation: "sigmoid"` | each channel by itself: labels that do not exclude each other, or one channel for two classes, labelled 0 and 1 |
 * | `activation: "none"` | the logits are probabilities already, or any other numbers |
 * | `includeBackground: false` | class 0 is left out, after the activation |
 * | `absent: "skip"` | classes without labels have the loss 0, and do not count in the mean |
 * | `weight` | a factor for each class; the mean still divides by the number of classes |
 * | `squared: true` | Σ q² and Σ y² in place of Σ q and Σ y, as in the V-Net paper |
 *
 * A class that is not labelled has `s / (Σ q_c + s)`: any mass on it is penalised. Where it is not
 * predicted either and s is 0, that is 0/0, and taken as 1: no loss, no gradient.
 *
 * Without smoothing, Dice D and IoU J are one: `J = D / (2 − D)`. {@linkcode tverskyLoss} with α = β
 * = ½ and half the smoothing is this loss.
 *
 * **Differs from the originals**: dinov3_playground needs three spatial axes, where any number will
 * do here. segmentation_models.pytorch gives a class without labels the loss 0 and counts it in the
 * mean, so that false positives of it cost nothing; `absent: "skip"` does not count it. MONAI compares
 * soft targets by `Σ |q − y|` where `soft_label` is set; here they are multiplied.
 *
 * Source: Milletari et al. 2016, arXiv:1606.04797; dinov3_playground `losses.py`, `DiceLoss`, with
 * linear, not squared, denominators; the options of MONAI's `DiceLoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `smooth`, 1 by default; `perClass`, `true`; `ignoreIndex`, none; `activation`,
 * `"softmax"`; `includeBackground`, `true`; `absent`, `"count"`; `perSample`, `false`; `weight`,
 * none; `squared`, `false`; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"` one loss per class, (C), or (N, C) per sample.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example Undecided between two classes
 * ```ts
 * import { diceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[0, 0], [0, 0]], [0, 1]];
 * assertEquals(diceLoss(logits, labels, { smooth: 0 }).item(), 0.5);
 * assertEquals(diceLoss([[99, 0], [0, 99]], labels).item(), 0);
 * ```
 *
 * @example One channel, two images, and no labels in the second
 * ```ts
 * import { diceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[[99, 99]], [[99, -99]]], [[1, 1], [0, 0]]];
 * const options = { activation: "sigmoid", perSample: true, smooth: 0 } as const;
 * assertEquals(diceLoss(logits, labels, options).item(), 0.5);
 * assertEquals(diceLoss(logits, labels, { ...options, absent: "skip" }).item(), 0);
 * ```
 */
export function diceLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: DiceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("diceLoss", "options", 3, arguments);
  const settings = readOptions("diceLoss", options, CLASS_OVERLAP);
  return diceOf("diceLoss", readClassTargets("diceLoss", logits, targets, settings), settings);
}

/** The Dice loss, with its options checked in the name of the caller. */
export function diceOf(caller: string, targets: ClassTargets, settings: OverlapSettings): Tensor {
  const { smooth } = settings;
  return reduceRatios(countOverlap(caller, targets, settings), settings, (counts) => {
    const both = counts.truePositives;
    const either = add(add(both, counts.falsePositives), counts.labelled);
    return sub(1, overlapRatio(add(mul(both, 2), smooth), add(either, smooth)));
  });
}
