/**
 * Focal and Dice loss together.
 *
 * @module
 */
import { add, mul } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassLogits } from "./class_logits.ts";
import { CLASS_OVERLAP } from "./overlap_options.ts";
import { diceOf } from "./dice.ts";
import { countPositions, focalLosses } from "./focal_terms.ts";
import { reduceLosses } from "./reduction.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode focalDiceLoss}. */
export interface FocalDiceOptions {
  /** How strongly the focal part turns down easy positions, at least 0; 2 by default. */
  gamma?: number | undefined;
  /** Weight of the focal part, at least 0; 0.5 by default. */
  focalWeight?: number | undefined;
  /** Weight of the Dice part, at least 0; 0.5 by default. */
  diceWeight?: number | undefined;
  /** Smoothing of the Dice part, at least 0; 1 by default. */
  smooth?: number | undefined;
  /** One weight per class for the focal part; none by default. */
  weight?: TensorLike | undefined;
  /** Whether p_t is taken from the weighted cross entropy; `false` by default. */
  ptFromWeighted?: boolean | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * A weighted sum of {@linkcode focalLoss} and {@linkcode diceLoss}: the guide's recommendation for
 * severe class imbalance where the IoU is what counts. Lower is better; at least 0.
 *
 * `L = w_f focal(γ, weight) + w_d dice(s)`
 *
 * The focal part keeps training stable and looks at hard positions, the Dice part aims at the
 * overlap. Class weights act on the focal part alone. The two weights need not add up to 1; the
 * guide suggests 0.3 and 0.7 for more IoU, 0.7 and 0.3 against more imbalance.
 *
 * Mind the scales: Dice is below 1, while focal with plain inverse-frequency weights can be many times
 * that (16.4 in a reference case, and 1.12 with weights of mean 1) and drown it. Take
 * `classWeights(counts, { normalization: "meanOne" })`.
 *
 * **Differs from the original** as {@linkcode focalLoss} does: p_t is the probability itself, not
 * that to the power of the weight, unless `ptFromWeighted` is true.
 *
 * Source: dinov3_playground `losses.py`, `FocalDiceLoss`, after Zhu et al. 2019,
 * arXiv:1808.05238.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `gamma`, 2 by default; `focalWeight`, 0.5; `diceWeight`, 0.5; `smooth`, 1;
 * `weight`, none; `ptFromWeighted`, `false`; `ignoreIndex`, none.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example Half of each
 * ```ts
 * import { diceLoss, focalDiceLoss, focalLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[1, 0], [2, 1], [0, 3]], [0, 1, 1]];
 * const mean = focalLoss(logits, labels).add(diceLoss(logits, labels)).div(2);
 * assertAlmostEquals(focalDiceLoss(logits, labels).item(), mean.item(), 1e-6);
 * ```
 */
export function focalDiceLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: FocalDiceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("focalDiceLoss", "options", 3, arguments);
  const name = "focalDiceLoss";
  const { focalWeight, diceWeight, smooth, ignoreIndex, ...focal } = readOptions(name, options, {
    gamma: 2,
    focalWeight: 0.5,
    diceWeight: 0.5,
    smooth: 1,
    weight: undefined,
    ptFromWeighted: false,
    ignoreIndex: undefined,
  });
  checkNumber(name, "focalWeight", focalWeight, { min: 0 });
  checkNumber(name, "diceWeight", diceWeight, { min: 0 });
  const read = readClassLogits(name, logits, labels, ignoreIndex);
  const { losses, count } = countPositions(focalLosses(name, read, focal), read);
  const hard = reduceLosses(losses, "mean", count);
  const dice = diceOf(name, { ...read, shares: null }, { ...CLASS_OVERLAP, smooth });
  return add(mul(hard, focalWeight), mul(dice, diceWeight));
}
