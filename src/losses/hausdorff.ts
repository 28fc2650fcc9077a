/**
 * Hausdorff loss of segmentations.
 *
 * @module
 */
import { add, cast, greater, mul, pow, softmax, square, sub } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { ownClass, readClassLogits } from "./class_logits.ts";
import { squaredDistanceField } from "./distance_field.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { reduceLosses } from "./reduction.ts";

/** Options of {@linkcode hausdorffLoss}. */
export interface HausdorffOptions {
  /** How strongly what is far away counts, above 0; 2 by default. */
  alpha?: number | undefined;
}

/**
 * Hausdorff loss by distances: squared errors, weighted by how far they are from the outlines of what
 * is labelled and of what is predicted, so that the farthest mistake counts most. Lower is better; at
 * least 0, in positions to the power of α.
 *
 * `L = mean (q − y)² (d_q^α + d_y^α)`
 *
 * over samples, classes and positions, the background included, with `q = softmax(z)` and one-hot y.
 * `d_y` is the Euclidean distance of each position to the nearest one that is on the other side of
 * the mask `y > ½` of its sample and class, in positions; `d_q` that of `q > ½`, without a gradient.
 * Where a mask has one side only, its distances are 0: what is predicted for an absent class is held
 * against its own outline alone.
 *
 * The distances are exact and part of the loss, in programs and on every device; they take time of
 * the positions times the sum of the extents.
 *
 * **Differs from the original** in nothing that is here. MONAI's `HausdorffDTLoss` leaves the
 * background out by default; its `LogHausdorffDTLoss` is `log(1 + L)`.
 *
 * Source: Karimi & Salcudean 2019, arXiv:1904.10030, eq. 8; MONAI `HausdorffDTLoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets (N, …spatial), whole numbers in [0, C).
 * @param options `alpha`, 2 by default.
 * @returns The loss, a scalar; 0 for nothing.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example The farther the mistake, the more it costs
 * ```ts
 * import { hausdorffLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const labels = [[1, 0, 0, 0]];
 * const certain = (mask: number[]) => [[mask.map(() => 0), mask.map((m) => 999 * (m - 0.5))]];
 * // The place of the mistake is 1, or 3, from the label, and 1 from what is predicted there.
 * assertAlmostEquals(hausdorffLoss(certain([1, 1, 0, 0]), labels).item(), (1 + 1) / 4, 1e-6);
 * assertAlmostEquals(hausdorffLoss(certain([1, 0, 0, 1]), labels).item(), (9 + 1) / 4, 1e-6);
 * ```
 */
export function hausdorffLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: HausdorffOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("hausdorffLoss", "options", 3, arguments);
  const { alpha } = readOptions("hausdorffLoss", options, { alpha: 2 });
  checkNumber("hausdorffLoss", "alpha", alpha, { above: 0 });
  const read = readClassLogits("hausdorffLoss", logits, targets);
  const probs = softmax(read.logits, { axis: 1 });
  const own = ownClass(read);
  const weight = (mask: Tensor) => pow(squaredDistanceField(mask, probs.dtype), alpha / 2);
  const predicted = greater(probs, 0.5);
  const error = square(sub(probs, cast(own, probs.dtype)));
  return reduceLosses(mul(error, add(weight(predicted), weight(own))), "mean");
}
