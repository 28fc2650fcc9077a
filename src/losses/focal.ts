/**
 * Focal loss: cross entropy that turns away from what is already classified well.
 *
 * @module
 */
import { mul } from "../ops/mod.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkActivation,
  checkForeground,
  keptPositions,
  readClassTargets,
} from "./class_targets.ts";
import { focalEntries } from "./focal_terms.ts";
import {
  checkEmptyMask,
  checkReduction,
  type EmptyMask,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";

/** Options of {@linkcode focalLoss}. */
export interface FocalOptions {
  /** How strongly easy positions are turned down, at least 0; 2 by default. */
  gamma?: number | undefined;
  /** A factor on the whole loss; 1 by default. */
  alpha?: number | undefined;
  /** One weight per class, such as {@linkcode classWeights}; none by default. */
  weight?: TensorLike | undefined;
  /** Whether p_t is taken from the weighted cross entropy; `false` by default. */
  ptFromWeighted?: boolean | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
  /** Whether classes exclude each other, or are channels by themselves; `"softmax"` by default. */
  activation?: "softmax" | "sigmoid" | undefined;
  /** Whether class 0 counts; `true` by default. */
  includeBackground?: boolean | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** What the mean over no labels gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Focal loss: cross entropy times `(1 − p)^γ`, where p is the probability of the true class. What is
 * classified well counts for little, so rare classes and boundaries are heard above a large
 * background. Lower is better; between 0 and the cross entropy, and smaller for larger γ.
 *
 * `L = mean α w_y (1 − p_y)^γ (−log p_y)`, where `p = softmax(z)`
 *
 * The mean is over positions, not over weights as in {@linkcode crossEntropyLoss}: with γ = 0 and
 * weights w it is `Σ w_y ℓ / M`, which grows with the weights. One-hot targets are those of labels,
 * and shares are taken for what they are: `−Σ_c w_c y_c (1 − p_c)^γ log p_c`.
 *
 * With `activation: "sigmoid"` every channel is asked by itself whether its class is there, for two
 * classes by one channel and for labels that do not exclude each other: `−w_c (1 − p_t)^γ log p_t`,
 * where p_t is `σ(z)` or `1 − σ(z)`, averaged over all entries. `includeBackground: false` leaves
 * class 0 out; with softmax its positions still count in the mean.
 *
 * All is computed from `log p`, with `1 − p` as `−expm1(log p)`: finite values and gradients for
 * logits of any size, and for γ < 1 at p = 1, where `0^(γ−1) · 0` would be NaN.
 *
 * **Differs from the original**: dinov3_playground takes p_t from the weighted cross entropy,
 * `exp(−w ℓ) = p^w`, although its docstring gives the formula above. A weight of 33 then makes p_t
 * almost 0 and switches the focusing off: a voxel with p = 0.9 keeps 94 % of its weighted loss where
 * the formula keeps 1 %. The default is the formula; `ptFromWeighted: true` is the original's code.
 *
 * MONAI's softmax form averages over classes, too, so it is C times smaller; its `alpha`, and that of
 * optax, weighs channels that are there by α and the others by 1 − α, which is no option here.
 *
 * Source: Lin et al. 2017, arXiv:1708.02002; dinov3_playground `losses.py`, `FocalLoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `gamma`, 2 by default; `alpha`, 1; `weight`, none; `ptFromWeighted`, `false`;
 * `ignoreIndex`, none; `activation`, `"softmax"`; `includeBackground`, `true`; `reduction`,
 * `"mean"`; `emptyMask`, `"zero"`.
 * @returns A scalar; with `reduction: "none"`, (N, …spatial), or (N, C, …spatial) of sigmoid, 0 at
 * ignored positions.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example An easy position counts for little
 * ```ts
 * import { crossEntropyLoss, focalLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[0, Math.log(9)]], [1]];
 * const ratio = focalLoss(logits, labels).div(crossEntropyLoss(logits, labels));
 * assertAlmostEquals(ratio.item(), (1 - 0.9) ** 2, 1e-7);
 *
 * const original = focalLoss(logits, labels, { weight: [1, 33], ptFromWeighted: true });
 * assertAlmostEquals(original.item() / (33 * -Math.log(0.9)), (1 - 0.9 ** 33) ** 2, 1e-6);
 * ```
 */
export function focalLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: FocalOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("focalLoss", "options", 3, arguments);
  const settled = readOptions("focalLoss", options, {
    gamma: 2,
    alpha: 1,
    weight: undefined,
    ptFromWeighted: false,
    ignoreIndex: undefined,
    activation: "softmax",
    includeBackground: true,
    reduction: "mean",
    emptyMask: "zero",
  });
  const { alpha, activation, includeBackground, reduction, emptyMask } = settled;
  checkActivation("focalLoss", activation, ["softmax", "sigmoid"]);
  const read = readClassTargets("focalLoss", logits, targets, settled);
  checkNumber("focalLoss", "alpha", alpha, { min: 0 });
  checkBoolean("focalLoss", "includeBackground", includeBackground);
  checkForeground("focalLoss", includeBackground, read);
  checkReduction("focalLoss", reduction);
  checkEmptyMask("focalLoss", emptyMask, keptPositions(read), "labels");
  const { losses, count } = focalEntries("focalLoss", read, settled);
  return reduceLosses(mul(losses, alpha), reduction, count, emptyMask);
}
