/**
 * Likelihood of counts under two negative binomials.
 *
 * @module
 */
import {
  add,
  clip,
  expm1,
  less,
  log1p,
  logSigmoid,
  maximum,
  mul,
  neg,
  sigmoid,
  sub,
  where,
} from "../ops/mod.ts";
import { negativeBinomial } from "../ops/negative_binomial.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkReduction, readEntries, reduceLosses, type Reduction } from "./reduction.ts";
import { checkBoolean, checkNumber, checkTensorLike, readOptions, refuseMore } from "../options.ts";
import { checkNotNegative } from "../ranges.ts";
import { logAdd } from "./log_add.ts";

/** Options of {@linkcode negativeBinomialMixtureLoss}. */
export interface NegativeBinomialMixtureOptions {
  /** Inverse dispersions of the second component; those of the first by default. */
  theta2?: TensorLike | undefined;
  /** The least mean and dispersion, also added inside logarithms; 1e-8 by default. */
  epsilon?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** Whether to look that no count is negative; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Negative log-likelihood of counts under mixtures of two negative binomials: proteins of a CITE-seq
 * experiment, which are background in some cells and foreground in others. Lower is better; at least
 * 0, in nats per count.
 *
 * `ℓ = −log(π NB(x | μ₁, θ₁) + (1 − π) NB(x | μ₂, θ₂))`, with `π = σ(mixtureLogits)`
 *
 * The first component is that of probability π, totalVI's background. Each component is computed as by
 * {@linkcode negativeBinomialLoss}, to the digits of float32 whatever the size of counts and θ is, and
 * the mixture in log space: logits of ±1e4 are safe. θ may be shared by the components, as in totalVI,
 * or each may have its own.
 *
 * **Differs from the original**: scvi-tools takes differences of log-gammas, of which float32 leaves
 * no digit where θ is large, and names the likelihood, whose sign is opposite.
 *
 * Source: totalVI, Gayoso et al. 2021, https://doi.org/10.1038/s41592-020-01050-x; scvi-tools
 * `distributions/_negative_binomial.py`, `log_mixture_nb`.
 *
 * @param counts Observed counts, [cells, proteins] or any other shape.
 * @param mu1 Means of the first component, of the same shape.
 * @param mu2 Means of the second component, of the same shape.
 * @param theta1 Inverse dispersions: of the same shape, or one that broadcasts to it.
 * @param mixtureLogits Log-odds of the first component: of the same shape, or one that broadcasts to
 * it.
 * @param options `theta2`, `theta1` by default; `epsilon`, 1e-8; `reduction`, `"mean"`; `check`,
 * `true`.
 * @returns A scalar; with `reduction: "none"`, the losses of all counts.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If `epsilon` is not above 0, or a count is negative, unless `check` is `false`.
 *
 * @example Two geometric distributions
 * ```ts
 * import { negativeBinomialMixtureLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * // With θ = 1, the chance of 0 is 1 / (1 + μ): ½ and ¼ here.
 * const loss = negativeBinomialMixtureLoss([0], [1], [3], [1], [0]);
 * assertAlmostEquals(loss.item(), -Math.log(0.375), 1e-6);
 * ```
 */
export function negativeBinomialMixtureLoss(
  counts: TensorLike,
  mu1: TensorLike,
  mu2: TensorLike,
  theta1: TensorLike,
  mixtureLogits: TensorLike,
  options: NegativeBinomialMixtureOptions = {},
): Tensor {
  if (arguments.length > 6) refuseMore("negativeBinomialMixtureLoss", "options", 6, arguments);
  const caller = "negativeBinomialMixtureLoss";
  const { theta2, epsilon, reduction, check } = readOptions(caller, options, {
    theta2: undefined,
    epsilon: 1e-8,
    reduction: "mean",
    check: true,
  });
  checkNumber(caller, "epsilon", epsilon, { above: 0 });
  checkReduction(caller, reduction);
  checkBoolean(caller, "check", check);
  if (theta2 !== undefined) checkTensorLike(caller, "theta2", theta2);
  const [x, m1, m2, r1, logits, r2] = readEntries(caller, { counts, mu1, mu2 }, {
    theta1,
    mixtureLogits,
    theta2: theta2 ?? theta1,
  }) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  if (check) checkNotNegative(caller, "counts", x);
  const raise = (value: Tensor) => clip(value, epsilon, Infinity);
  const first = negativeBinomial(x, raise(m1), raise(r1), epsilon);
  const second = negativeBinomial(x, raise(m2), raise(r2), epsilon);
  return reduceLosses(neg(logMixture(logits, first, second)), reduction);
}

/** `log(σ(z) e^−a + σ(−z) e^−b)`: near 0 where both are small, which logarithms would not tell. */
function logMixture(logits: Tensor, a: Tensor, b: Tensor): Tensor {
  const isSmall = less(maximum(a, b), 0.5);
  const lost = (x: Tensor) => expm1(neg(where(isSmall, x, 0)));
  const own = add(mul(sigmoid(logits), lost(a)), mul(sigmoid(neg(logits)), lost(b)));
  const sum = logAdd(sub(logSigmoid(logits), a), sub(logSigmoid(neg(logits)), b));
  return where(isSmall, log1p(own), sum);
}
