/**
 * Cross entropy or focal loss over the voxels that a mask selects.
 *
 * @module
 */
import { expandDims, where } from "../ops/mod.ts";
import { checkMask } from "../labels.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassLogits } from "./class_logits.ts";
import { focalLosses } from "./focal_terms.ts";
import { checkSameShape, readOptions, refuseMore } from "../options.ts";
import { checkEmptyMask, type EmptyMask, maskedMean } from "./reduction.ts";

/** Options of {@linkcode maskedVoxelLoss}. */
export interface MaskedVoxelOptions {
  /** One weight per class, such as {@linkcode classWeights}; none by default. */
  weight?: TensorLike | undefined;
  /** The focusing exponent, at least 0; `undefined`, the default, is cross entropy. */
  gamma?: number | undefined;
  /** Whether p_t is taken from the weighted cross entropy, as the original does; `true` by default. */
  ptFromWeighted?: boolean | undefined;
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Cross entropy, or focal loss, of the voxels that a mask selects: for volumes that are annotated in
 * part. Lower is better; at least 0.
 *
 * `L = Σ m l / Σ m`, with `l = w_y (−log p_y)`, or `(1 − p_t)^γ` times that
 *
 * **Mind the denominator**: it is the number of voxels, as in the original's training code, and not
 * their weight as in {@linkcode crossEntropyLoss}. With class weights the loss grows with their
 * scale, and switching masks on changes it: to 24.3, where the weighted mean is 2.51, in one of the
 * reference cases. Weights of mean 1 (`classWeights` with `"meanOne"`) keep it in bounds.
 *
 * With γ and weights, p_t is `exp(−l) = p^w` here by default, because this loss exists to reproduce
 * that code; `ptFromWeighted: false` gives the published formula, as in {@linkcode focalLoss}, which
 * with `ignoreIndex` is the better choice in new work.
 *
 * Voxels off the mask count in no sum and get gradient 0, whatever their logits are; their labels
 * must be in range all the same. An empty mask gives 0 instead of the original's NaN, unless
 * `emptyMask` says otherwise.
 *
 * Source: dinov3_playground `memory_efficient_training.py`, the masked branch of `"ce"`,
 * `"weighted_ce"` and `"focal"`.
 *
 * @param logits (N, C, …spatial): one score per class at each voxel.
 * @param labels (N, …spatial), whole numbers in [0, C).
 * @param mask Which voxels count: booleans, or zeros and ones, of the shape of the labels.
 * @param options `weight`, none by default; `gamma`, none; `ptFromWeighted`, `true`; `emptyMask`,
 * `"zero"`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, the mask holds anything but zeros and ones, or an
 * option is out of range.
 *
 * @example The second voxel is not annotated
 * ```ts
 * import { maskedVoxelLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = maskedVoxelLoss([[0, 0], [9, -9]], [1, 1], [1, 0], { weight: [1, 3] });
 * assertAlmostEquals(loss.item(), 3 * Math.LN2, 1e-6);
 * ```
 */
export function maskedVoxelLoss(
  logits: TensorLike,
  labels: TensorLike,
  mask: TensorLike,
  options: MaskedVoxelOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("maskedVoxelLoss", "options", 4, arguments);
  const name = "maskedVoxelLoss";
  const { weight, gamma, ptFromWeighted, emptyMask } = readOptions(name, options, {
    weight: undefined,
    gamma: 0,
    ptFromWeighted: true,
    emptyMask: "zero",
  });
  const read = readClassLogits(name, logits, labels);
  const selected = checkMask(name, mask);
  checkSameShape(name, { labels: read.labels, mask: selected });
  checkEmptyMask(name, emptyMask, selected);
  const safe = { ...read, logits: where(expandDims(selected, 1), read.logits, 0) };
  const losses = focalLosses(name, safe, { gamma, weight, ptFromWeighted });
  return maskedMean(where(selected, losses, 0), selected, emptyMask);
}
