/**
 * Focal loss: cross entropy that turns away from what is already classified well.
 *
 * @module
 */
import { ones } from "../create.ts";
import { equal, expm1, gather, mul, neg, pow, sum, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type ClassLogits, negLogLikelihood, readClassLogits, readWeight } from "./class_logits.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
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
 * weights w it is `Σ w_y ℓ / M`, which grows with the weights.
 *
 * All is computed from `log p`, with `1 − p` as `−expm1(log p)`: finite values and gradients for
 * logits of any size, and for γ < 1 at p = 1, where `0^(γ−1) · 0` would be NaN.
 *
 * **Differs from the original**: dinov3_playground takes p_t from the weighted cross entropy,
 * `exp(−w ℓ) = p^w`, although its docstring gives the formula above. A weight of 33 then makes p_t
 * almost 0 and switches the focusing off: a voxel with p = 0.9 keeps 94 % of its weighted loss where
 * the formula keeps 1 %. The default is the formula; `ptFromWeighted: true` is the original's code.
 *
 * Source: Lin et al. 2017, arXiv:1708.02002; dinov3_playground `losses.py`, `FocalLoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `gamma`, 2 by default; `alpha`, 1; `weight`, none; `ptFromWeighted`, `false`;
 * `ignoreIndex`, none; `reduction`, `"mean"`; `emptyMask`, `"zero"`.
 * @returns A scalar; with `reduction: "none"`, (N, …spatial), 0 at ignored positions.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
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
  labels: TensorLike,
  options: FocalOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("focalLoss", "options", 3, arguments);
  const settled = readOptions("focalLoss", options, {
    gamma: 2,
    alpha: 1,
    weight: undefined,
    ptFromWeighted: false,
    ignoreIndex: undefined,
    reduction: "mean",
    emptyMask: "zero",
  });
  const read = readClassLogits("focalLoss", logits, labels, settled.ignoreIndex);
  checkNumber("focalLoss", "alpha", settled.alpha, { min: 0 });
  checkReduction("focalLoss", settled.reduction);
  const kept = read.keep ?? ones(read.labels.shape, { dtype: "bool" });
  checkEmptyMask("focalLoss", settled.emptyMask, kept, "labels");
  const losses = focalLosses("focalLoss", read, settled);
  return reduceFocal(mul(losses, settled.alpha), read, settled.reduction, settled.emptyMask);
}

/** What {@linkcode focalLosses} needs to know. */
export interface FocalSettings {
  /** The focusing exponent. */
  gamma: number;
  /** One weight per class. */
  weight: TensorLike | undefined;
  /** Whether p_t is taken from the weighted cross entropy. */
  ptFromWeighted: boolean;
}

/** The focal loss of every position, with its settings checked in the name of the caller. */
export function focalLosses(
  caller: string,
  { logits, labels, classes }: ClassLogits,
  { gamma, weight, ptFromWeighted }: FocalSettings,
): Tensor {
  checkNumber(caller, "gamma", gamma, { min: 0 });
  checkBoolean(caller, "ptFromWeighted", ptFromWeighted);
  const plain = negLogLikelihood(logits, labels);
  if (weight === undefined) return focalTerms(plain, gamma);
  const weighted = mul(gather(readWeight(caller, weight, classes, logits.dtype), labels), plain);
  return focalTerms(weighted, gamma, ptFromWeighted ? weighted : plain);
}

/** The losses of the positions that count, reduced; the mean is over positions. */
export function reduceFocal(
  losses: Tensor,
  { keep }: ClassLogits,
  reduction: Reduction,
  emptyMask: EmptyMask,
): Tensor {
  const counted = keep === null ? losses : where(keep, losses, 0);
  return reduceLosses(counted, reduction, keep === null ? losses.size : sum(keep), emptyMask);
}

/** `(1 − p_t)^γ ℓ` of each position, from the losses ℓ and `−log p_t`, which are the same by default. */
export function focalTerms(loss: Tensor, gamma: number, negLogPt: Tensor = loss): Tensor {
  return gamma === 0 ? loss : mul(loss, focus(negLogPt, gamma));
}

/** `(1 − e^−ℓ)^γ`, with gradient 0 at ℓ = 0 and ℓ = ∞, for γ > 0. */
function focus(loss: Tensor, gamma: number): Tensor {
  const miss = neg(expm1(neg(loss)));
  const perfect = equal(miss, 0);
  const focused = where(perfect, 0, pow(where(perfect, 1, miss), gamma));
  return where(equal(loss, Infinity), 1, focused);
}
