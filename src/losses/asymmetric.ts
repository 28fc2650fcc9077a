/**
 * Asymmetric loss of several labels at once.
 *
 * @module
 */
import {
  add,
  equal,
  exp,
  greater,
  log,
  log1p,
  logSigmoid,
  maximum,
  mul,
  neg,
  sigmoid,
  sub,
  where,
} from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkNumber, checkSameShape, readOptions, refuseMore } from "../options.ts";
import { checkInUnit } from "../ranges.ts";
import { checkReduction, reduceLosses, type Reduction } from "./reduction.ts";

/** Options of {@linkcode asymmetricLoss}. */
export interface AsymmetricOptions {
  /** How strongly easy negatives are turned down, at least 0; 4 by default. */
  gammaNegative?: number | undefined;
  /** How strongly easy positives are turned down, at least 0; 1 by default. */
  gammaPositive?: number | undefined;
  /** Negatives of a probability up to this do not count, in [0, 1); 0.05 by default. */
  clip?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
}

/**
 * Asymmetric loss: binary cross entropy of each of many labels, where the many that do not apply are
 * turned down more than the few that do, and are left alone once they are improbable. Lower is better;
 * at least 0.
 *
 * `L = mean −[y (1 − p)^γ⁺ log p + (1 − y) p_m^γ⁻ log(1 − p_m)]`, `p = σ(z)`, `p_m = max(p − clip, 0)`
 *
 * With γ⁺ = γ⁻ = 0 and no clip it is the binary cross entropy, with γ⁺ = γ⁻ and no clip a focal loss.
 * Targets between 0 and 1 weigh the two parts. All is computed from the logits, so that values and
 * gradients are finite for logits of any size; at p = clip, where the slope jumps, the gradient is
 * that of the lower side, 0.
 *
 * **Differs from the original**, which sums over all entries (`reduction: "sum"`), takes the factors
 * `(1 − p)^γ⁺` and `p_m^γ⁻` for constants in the gradient unless told otherwise, and takes 1e-8 for
 * logarithms of less, so that hopeless positives stop learning: at z = −30 it says 18.4 in place of
 * 30, with gradient 0.
 *
 * Source: Ridnik et al. 2021, arXiv:2009.14119; https://github.com/Alibaba-MIIL/ASL,
 * `AsymmetricLoss`.
 *
 * @param logits One score per entry and label, of any shape.
 * @param targets Whether each label applies, of the same shape: numbers in [0, 1].
 * @param options `gammaNegative`, 4 by default; `gammaPositive`, 1; `clip`, 0.05; `reduction`,
 * `"mean"`.
 * @returns A scalar; with `reduction: "none"`, of the shape of the logits. 0 for nothing.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If a target is not in [0, 1], or an option is out of range.
 *
 * @example An improbable label does not count
 * ```ts
 * import { asymmetricLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * assertEquals(asymmetricLoss([-3], [0]).item(), 0);
 * assertAlmostEquals(asymmetricLoss([0], [1]).item(), 0.5 * Math.LN2, 1e-6);
 * assertAlmostEquals(asymmetricLoss([0], [0]).item(), 0.45 ** 4 * -Math.log(0.55), 1e-6);
 * ```
 */
export function asymmetricLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: AsymmetricOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("asymmetricLoss", "options", 3, arguments);
  const { gammaNegative, gammaPositive, clip, reduction } = readOptions("asymmetricLoss", options, {
    gammaNegative: 4,
    gammaPositive: 1,
    clip: 0.05,
    reduction: "mean",
  });
  checkNumber("asymmetricLoss", "gammaNegative", gammaNegative, { min: 0 });
  checkNumber("asymmetricLoss", "gammaPositive", gammaPositive, { min: 0 });
  checkNumber("asymmetricLoss", "clip", clip, { min: 0, below: 1 });
  checkReduction("asymmetricLoss", reduction);
  const [z, y] = promoteAll("asymmetricLoss", { logits, targets }).map(floating) as [
    Tensor,
    Tensor,
  ];
  checkSameShape("asymmetricLoss", { logits: z, targets: y });
  checkInUnit("asymmetricLoss", "targets", y, undefined);
  const applies = focused(logSigmoid(neg(z)), neg(logSigmoid(z)), gammaPositive);
  const losses = add(mul(y, applies), mul(sub(1, y), negatives(z, gammaNegative, clip)));
  return reduceLosses(losses, reduction);
}

/** `−p_m^γ log(1 − p_m)`. */
function negatives(z: Tensor, gamma: number, clip: number): Tensor {
  if (clip === 0) return focused(logSigmoid(z), neg(logSigmoid(neg(z))), gamma);
  const shifted = maximum(sub(sigmoid(z), clip), 0);
  const out = equal(shifted, 0);
  const counted = where(out, 0.5, shifted);
  // Each form where it loses no digits: what is left of 1 may be small, or what is taken off.
  const likely = greater(z, 0);
  const few = log1p(neg(where(likely, 0.5, counted)));
  const rest = where(likely, log(add(sigmoid(neg(z)), clip)), few);
  return where(out, 0, focused(log(counted), neg(rest), gamma));
}

/** `x^γ loss`, from log x. */
function focused(logX: Tensor, loss: Tensor, gamma: number): Tensor {
  return mul(exp(mul(logX, gamma)), loss);
}
