/**
 * Poisson losses of counts.
 *
 * @module
 */
import { add, div, equal, exp, log, mul, sub, where } from "../ops/mod.ts";
import { applyFloating } from "../ops/elementwise.ts";
import { binetOp } from "../ops/negative_binomial.ts";
import { relativeEntropy } from "../ops/relative_entropy.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkReduction, readEntries, reduceLosses, type Reduction } from "./reduction.ts";
import { checkBoolean, readOptions, refuseMore } from "../options.ts";
import { checkNotNegative } from "../ranges.ts";

/** Options of {@linkcode poissonLoss} and {@linkcode poissonDeviance}. */
export interface PoissonOptions {
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** Whether to look that no count, and no mean, is negative; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Negative log-likelihood of counts under Poissons, without `log counts!`, from the logarithms of the
 * rates. Lower is better, in nats; least where the rate is the count, where it is
 * `counts (1 − log counts)`, which may be negative.
 *
 * `ℓ = e^r − counts · r`, for the log-rate r
 *
 * The log-rate is exponentiated: keep it below 88 in float32. For a loss that is 0 at its best, take
 * {@linkcode poissonDeviance}; for counts with more spread, {@linkcode negativeBinomialLoss}.
 *
 * **Differs from the original**, PyTorch's `poisson_nll_loss` with its default `log_input=True` and
 * `full=False`, in nothing but that it refuses negative counts.
 *
 * Source: PyTorch `poisson_nll_loss`; Cameron & Trivedi 2013, Regression Analysis of Count Data.
 *
 * @param logRate Logarithms of the rates, of any shape.
 * @param counts Observed counts, of the same shape.
 * @param options `reduction`, `"mean"` by default; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, the losses of all entries.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If a count is negative, unless `check` is `false`.
 *
 * @example The rate is the count
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { poissonLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const slope = grad((logRate: Tensor) => poissonLoss(logRate, [3]))([Math.log(3)]);
 * assertAlmostEquals(slope.item(), 0, 1e-6);
 * ```
 */
export function poissonLoss(
  logRate: TensorLike,
  counts: TensorLike,
  options: PoissonOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("poissonLoss", "options", 3, arguments);
  const { reduction, check } = readPoissonOptions("poissonLoss", options);
  const [r, x] = readEntries("poissonLoss", { logRate, counts }) as [Tensor, Tensor];
  if (check) checkNotNegative("poissonLoss", "counts", x);
  return reduceLosses(sub(exp(r), mul(x, r)), reduction);
}

/**
 * Poisson deviance: how much less likely counts are under means than under themselves, twice. Lower
 * is better; at least 0, and 0 where every mean is its count.
 *
 * `d = 2 (x log(x / μ) − (x − μ))`, and 2 μ for a count x of 0
 *
 * Near `x ≈ μ` the terms cancel. It is computed as one function of the two (Loader 2000, "Fast and
 * accurate computation of binomial probabilities"), right to 1e-6 of its size in float32, whatever
 * the counts and means are; the mean 0 of a count above 0 costs ∞. The gradient by a count of 0 is 0.
 *
 * Source: McCullagh & Nelder 1989, Generalized Linear Models, 2.3; as scikit-learn's
 * `mean_poisson_deviance`, which refuses means of 0.
 *
 * @param mu Means, of any shape.
 * @param counts Observed counts, of the same shape.
 * @param options `reduction`, `"mean"` by default; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, the deviances of all entries.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If a count or a mean is negative, unless `check` is `false`.
 *
 * @example A count of 0, and one that is met
 * ```ts
 * import { poissonDeviance } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(poissonDeviance([3, 5], [0, 5], { reduction: "none" }).toArray(), [6, 0]);
 * ```
 */
export function poissonDeviance(
  mu: TensorLike,
  counts: TensorLike,
  options: PoissonOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("poissonDeviance", "options", 3, arguments);
  const { reduction, check } = readPoissonOptions("poissonDeviance", options);
  const [mean, x] = readEntries("poissonDeviance", { mu, counts }) as [Tensor, Tensor];
  if (check) checkNotNegative("poissonDeviance", "mu", mean);
  if (check) checkNotNegative("poissonDeviance", "counts", x);
  return reduceLosses(mul(relativeEntropy(x, mean), 2), reduction);
}

function readPoissonOptions(
  caller: string,
  options: PoissonOptions,
): { reduction: Reduction; check: boolean } {
  const { reduction, check } = readOptions(caller, options, { reduction: "mean", check: true });
  checkReduction(caller, reduction);
  checkBoolean(caller, "check", check);
  return { reduction, check };
}

/** `−log Poisson(x | μ)`, with `log x!`: a sum of positive terms, but for counts below ½. */
export function negLogPoisson(x: Tensor, mean: Tensor): Tensor {
  const isEmpty = equal(x, 0);
  const some = where(isEmpty, 1, x);
  const rest = add(div(log(mul(some, 2 * Math.PI)), 2), applyFloating(binetOp, some));
  return add(relativeEntropy(x, mean), where(isEmpty, 0, rest));
}
