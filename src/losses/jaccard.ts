/**
 * Jaccard loss of segmentations: the soft intersection over union.
 *
 * @module
 */
import { add, sub } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassTargets } from "./class_targets.ts";
import { countOverlap, overlapRatio, reduceRatios } from "./overlap.ts";
import { CLASS_OVERLAP, type ClassOverlapOptions } from "./overlap_options.ts";

/** Options of {@linkcode jaccardLoss}: those of all losses of overlaps. */
export interface JaccardOptions extends ClassOverlapOptions {}

/**
 * Jaccard loss: one less the intersection over the union (IoU) of prediction and labels, averaged
 * over classes. Lower is better; in [0, 1).
 *
 * `L = mean_c 1 − (TP + s) / (TP + FP + FN + s)`
 *
 * with the soft counts `TP = Σ q y`, `FP = Σ q (1 − y)` and `FN = Σ (1 − q) y`. It orders predictions
 * of one class as {@linkcode diceLoss} does, `J = D / (2 − D)` without smoothing, and is harder on
 * small overlaps. {@linkcode tverskyLoss} with α = β = 1 is this loss.
 *
 * Sums run over the batch and all positions, or with `perSample` over the positions of each sample.
 * The options are those of {@linkcode diceLoss}, and mean the same.
 *
 * **Differs from the originals**: MONAI's `DiceLoss(jaccard=True)` adds its smoothing to twice the
 * intersection and twice the union, so that its `smooth` is half as much here; and
 * segmentation_models.pytorch gives a class without labels the loss 0, and counts it in the mean:
 * `absent: "skip"` counts it in neither.
 *
 * Source: Rahman & Wang 2016, https://doi.org/10.1007/978-3-319-50835-1_22.
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
 * @example Half of the region is found
 * ```ts
 * import { jaccardLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[[99, 99, -99, -99]]], [[1, 1, 1, 1]]];
 * const loss = jaccardLoss(logits, [labels], { activation: "sigmoid", smooth: 0 });
 * assertEquals(loss.item(), 0.5);
 * ```
 */
export function jaccardLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: JaccardOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("jaccardLoss", "options", 3, arguments);
  const settings = readOptions("jaccardLoss", options, CLASS_OVERLAP);
  const { smooth } = settings;
  const read = readClassTargets("jaccardLoss", logits, targets, settings);
  return reduceRatios(countOverlap("jaccardLoss", read, settings), settings, (counts) => {
    const union = add(counts.falsePositives, counts.labelled);
    return sub(1, overlapRatio(add(counts.truePositives, smooth), add(union, smooth)));
  });
}
