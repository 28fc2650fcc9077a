/**
 * Zero-inflated negative binomial likelihood of counts.
 *
 * @module
 */
import {
  add,
  clip,
  div,
  equal,
  expm1,
  less,
  log1p,
  mul,
  neg,
  sigmoid,
  softplus,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { negativeBinomialOfLogarithms } from "../ops/negative_binomial.ts";
import {
  checkBoolean,
  checkBroadcasts,
  checkChoice,
  checkSameShape,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkNotNegative } from "../ranges.ts";
import { logAdd } from "./log_add.ts";

/** Options of {@linkcode zinbLoss}. */
export interface ZinbOptions {
  /** How zero counts are told from others; `"hard"` by default. */
  zeroIndicator?: "hard" | "soft" | undefined;
  /** Whether to look that no count is negative; `true` by default. */
  check?: boolean | undefined;
}

/** DiffBio's constants: what is added inside logarithms; the limit and softness of its comparison. */
const [EPSILON, LIMIT, SOFTNESS] = [1e-8, 9.9e-9, 0.01];

/**
 * Negative log-likelihood, summed over all counts, of counts under zero-inflated negative binomials:
 * a zero is either a dropout, with probability π, or drawn as the others are. Lower is better, in
 * nats; divide by the number of counts for a mean.
 *
 * `P(x) = π 1[x = 0] + (1 − π) NB(x | μ, θ)`, with `μ = e^logRate`, `θ = e^logTheta`, `π = σ(piLogit)`
 *
 * All is computed from the logarithms by softplus, so that rates and dropout logits of ±1e4 give
 * finite values and gradients. logTheta is kept in [−10, 10], with gradient 0 beyond, and 1e-8 is
 * added inside logarithms, as in the original.
 *
 * **Differs from the original**, which replaces `1[x = 0]` by a sigmoid that is 0.5000 at x = 0: a
 * zero is scored half as a zero and half as a count that cannot be a dropout. On one of the reference
 * cases that makes 59.87 where the likelihood is 56.43, and weakens the gradient of piLogit. The
 * default is the likelihood; `zeroIndicator: "soft"` is the original.
 *
 * Source: DiffBio `src/diffbio/losses/statistical_losses.py`, `zinb_negative_log_likelihood`; the
 * parametrisation of scVI (Lopez et al. 2018, https://doi.org/10.1038/s41592-018-0229-2).
 *
 * @param counts Observed counts, [cells, genes] or any other shape.
 * @param logRate Logarithms of the means, of the same shape.
 * @param logTheta Logarithms of the inverse dispersions: of the same shape, or one that broadcasts to
 * it, such as [genes].
 * @param piLogit Log-odds of dropout, of the same shape.
 * @param options `zeroIndicator`, `"hard"` by default; `check`, `true`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If a count is negative, unless `check` is `false`.
 *
 * @example A zero that is a dropout half of the time
 * ```ts
 * import { zinbLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * // θ = μ = 1: NB(0) = 1/2, so P(0) = 1/2 + 1/2 · 1/2.
 * assertAlmostEquals(zinbLoss([0], [0], [0], [0]).item(), -Math.log(0.75), 1e-6);
 * ```
 */
export function zinbLoss(
  counts: TensorLike,
  logRate: TensorLike,
  logTheta: TensorLike,
  piLogit: TensorLike,
  options: ZinbOptions = {},
): Tensor {
  if (arguments.length > 5) refuseMore("zinbLoss", "options", 5, arguments);
  const { zeroIndicator, check } = readOptions("zinbLoss", options, {
    zeroIndicator: "hard",
    check: true,
  });
  checkBoolean("zinbLoss", "check", check);
  checkChoice("zinbLoss", "zeroIndicator", zeroIndicator, ["hard", "soft"]);
  const [x, rate, spread, pi] = promoteAll("zinbLoss", { counts, logRate, logTheta, piLogit }).map(
    floating,
  ) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  checkSameShape("zinbLoss", { counts: x, logRate: rate, piLogit: pi });
  checkBroadcasts("zinbLoss", { logTheta: spread }, { counts: x });
  if (check) checkNotNegative("zinbLoss", "counts", x);
  const kept = neg(softplus(pi));
  const theta = clip(spread, -10, 10);
  const drawn = (counts: Tensor) => negativeBinomialOfLogarithms(counts, rate, theta, EPSILON);
  const own = drawn(x);
  const positive = sub(kept, own);
  if (zeroIndicator === "hard") return neg(sum(where(equal(x, 0), logZero(pi, own), positive)));
  const zero = logZero(pi, drawn(mul(x, 0)));
  const isPositive = sigmoid(div(sub(x, LIMIT), SOFTNESS));
  return neg(sum(add(mul(sub(1, isPositive), zero), mul(isPositive, positive))));
}

/** `log (π + (1 − π) e^−t)`: near 0 where t is small, which a sum of logarithms would not tell. */
function logZero(piLogit: Tensor, t: Tensor): Tensor {
  const small = less(t, 0.5);
  const lost = mul(sigmoid(neg(piLogit)), expm1(neg(where(small, t, 0))));
  const dropped = neg(softplus(neg(piLogit)));
  return where(small, log1p(lost), logAdd(dropped, sub(neg(softplus(piLogit)), t)));
}
