/**
 * Whether a gene is expressed at all: negative log-likelihood of Bernoulli probabilities.
 *
 * @module
 */
import { machineEpsilon } from "../dtype.ts";
import {
  clip,
  greater,
  isNaN,
  log,
  log1p,
  maximum,
  mul,
  neg,
  sign,
  softplus,
  sub,
  where,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkEmptyMask, type EmptyMask, maskedMean, readMasked } from "./reduction.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkProbabilities } from "../ranges.ts";

/** Options of {@linkcode negLogBernoulliLoss}. */
export interface NegLogBernoulliOptions {
  /** Probabilities are kept between this and 1 less this; the machine epsilon by default. */
  epsilon?: number | undefined;
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
  /** Whether to look that probabilities are some; `true` by default. */
  check?: boolean | undefined;
}

/** Options of {@linkcode negLogBernoulliWithLogitsLoss}. */
export interface NegLogBernoulliWithLogitsOptions {
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Negative log-likelihood, over the masked entries, of whether values are above 0 under the given
 * probabilities. Lower is better; from 0 to −log ε (15.9 in float32, 36.0 in float64).
 *
 * `L = −Σ m [y log p + (1 − y) log(1 − p)] / Σ m`, with `y = 1` where `target > 0`
 *
 * It trains the zero-probability heads of scGPT (`loss_zero_log_prob`). Mind their name: what
 * scGPT calls `zero_probs` is the probability that the value is **not** zero.
 *
 * Probabilities are kept in [ε, 1 − ε]; beyond, the gradient is 0, so a prediction that is wrong and
 * certain learns nothing. {@linkcode negLogBernoulliWithLogitsLoss} has no such limit: prefer it
 * where the logits are at hand. Entries off the mask get gradient 0, whatever they are.
 *
 * **Differs from the original**: an empty mask gives 0 with gradient 0 instead of NaN, unless
 * `emptyMask` says otherwise; a NaN off the mask stays there; and for float64 the original rounds
 * part of the sum to float32, 3e-8 off.
 *
 * Source: scGPT `scgpt/loss.py`, `criterion_neg_log_bernoulli` (Cui et al. 2024,
 * https://doi.org/10.1038/s41592-024-02201-0).
 *
 * @param probs Probabilities that the values are above 0, of any shape.
 * @param target True values, of the same shape; only whether they are above 0 counts.
 * @param mask Which entries count: booleans, or zeros and ones, of the same shape.
 * @param options `epsilon`, the machine epsilon of the type by default; `emptyMask`, `"zero"`;
 * `check`, `true`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If a probability on the mask is out of [0, 1] by more than 1e-3, unless `check`
 * is `false`; if the mask holds anything but zeros and ones, or an option is out of range.
 *
 * @example An even chance costs log 2
 * ```ts
 * import { negLogBernoulliLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = negLogBernoulliLoss([0.5, 0.5, 0], [0, 3.2, 1], [1, 1, 0]);
 * assertAlmostEquals(loss.item(), Math.LN2, 1e-7);
 * ```
 */
export function negLogBernoulliLoss(
  probs: TensorLike,
  target: TensorLike,
  mask: TensorLike,
  options: NegLogBernoulliOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("negLogBernoulliLoss", "options", 4, arguments);
  const name = "negLogBernoulliLoss";
  const { epsilon, emptyMask, check } = readOptions(name, options, {
    epsilon: undefined,
    emptyMask: "zero",
    check: true,
  });
  checkBoolean(name, "check", check);
  const { values: [p, t], mask: selected } = readMasked(name, { probs, target }, mask);
  const limit = epsilon === undefined ? machineEpsilon(p.dtype) : epsilon;
  checkNumber(name, "epsilon", limit, { above: 0, below: 0.5 });
  checkEmptyMask(name, emptyMask, selected);
  if (check) checkProbabilities(name, "probs", p!, selected);
  const kept = clip(where(selected, p, 0.5), limit, 1 - limit);
  const silent = where(isNaN(t), t, log1p(neg(kept)));
  const losses = neg(where(greater(t, 0), log(kept), silent));
  return maskedMean(where(selected, losses, 0), selected, emptyMask);
}

/**
 * The loss of {@linkcode negLogBernoulliLoss} from logits: binary cross entropy of whether values
 * are above 0. Lower is better; at least 0.
 *
 * `L = Σ m [softplus(z) − y z] / Σ m`, with `y = 1` where `target > 0` and `p = σ(z)`
 *
 * Nothing is clamped: the gradient is `m (σ(z) − y) / Σ m` for logits of any size, and a prediction
 * that is wrong and certain learns fastest.
 *
 * Source: the same as that of {@linkcode negLogBernoulliLoss}, which it equals while ε ≤ σ(z) ≤ 1 − ε.
 *
 * @param logits Log-odds that the values are above 0, of any shape.
 * @param target True values, of the same shape; only whether they are above 0 counts.
 * @param mask Which entries count: booleans, or zeros and ones, of the same shape.
 * @param options `emptyMask`, `"zero"` by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If the mask holds anything but zeros and ones, or selects nothing where
 * `emptyMask` is `"error"`.
 *
 * @example Certain and wrong, and still learning
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { negLogBernoulliWithLogitsLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const gradient = grad((z: Tensor) => negLogBernoulliWithLogitsLoss(z, [2], [1]))([-1000]);
 * assertEquals(gradient.toArray(), [-1]);
 * ```
 */
export function negLogBernoulliWithLogitsLoss(
  logits: TensorLike,
  target: TensorLike,
  mask: TensorLike,
  options: NegLogBernoulliWithLogitsOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("negLogBernoulliWithLogitsLoss", "options", 4, arguments);
  const name = "negLogBernoulliWithLogitsLoss";
  const { emptyMask } = readOptions(name, options, { emptyMask: "zero" });
  const { values: [z, t], mask: selected } = readMasked(name, { logits, target }, mask);
  checkEmptyMask(name, emptyMask, selected);
  const y = isExpressed(where(selected, t, 0));
  const against = mul(where(selected, z, 0), sub(1, mul(y, 2)));
  return maskedMean(where(selected, softplus(against), 0), selected, emptyMask);
}

/** 1 where a value is above 0, else 0; NaN stays. */
function isExpressed(values: Tensor): Tensor {
  return maximum(sign(values), 0);
}
