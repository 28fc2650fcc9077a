/**
 * Negative binomial likelihood of counts.
 *
 * @module
 */
import { clip } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { negativeBinomial } from "../ops/negative_binomial.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkBoolean,
  checkBroadcasts,
  checkNumber,
  checkSameShape,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkNotNegative } from "../ranges.ts";
import { reduceLosses } from "./reduction.ts";

/** Options of {@linkcode negativeBinomialLoss}. */
export interface NegativeBinomialOptions {
  /** The least mean and dispersion, also added inside logarithms; 1e-8 by default. */
  epsilon?: number | undefined;
  /** Whether to look that no count is negative; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Mean negative log-likelihood of counts under negative binomials: the noise model of single-cell
 * RNA counts, a Poisson with more spread. Lower is better; at least 0, in nats per count.
 *
 * `−log NB(x | μ, θ) = lnΓ(θ) + lnΓ(x + 1) − lnΓ(x + θ) + θ log((θ + μ) / θ) + x log((θ + μ) / μ)`
 *
 * with mean μ and variance `μ + μ² / θ`; as θ grows it becomes the Poisson. μ and θ below ε are
 * raised to ε, where their gradient is 0, and ε is added inside the logarithms, as in the original.
 *
 * The terms of the formula cancel where counts or θ are large. It is computed as a sum of positive
 * ones (Loader 2000, "Fast and accurate computation of binomial probabilities"): in float32, values
 * and gradients are right to 1e-4 of their size for θ from 1e-4 to 1e8 and counts up to 1e6.
 *
 * Source: DiffBio `src/diffbio/losses/statistical_losses.py`, `NegativeBinomialLoss`; Robinson &
 * Smyth 2008, https://doi.org/10.1093/biostatistics/kxm030.
 *
 * @param counts Observed counts, [cells, genes] or any other shape.
 * @param mu Their means, of the same shape.
 * @param theta Inverse dispersions: of the same shape, or one that broadcasts to it, such as [genes].
 * @param options `epsilon`, 1e-8 by default; `check`, `true`.
 * @returns The loss, a scalar; 0 for no counts.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If `epsilon` is not above 0, or a count is negative, unless `check` is `false`.
 *
 * @example With θ = 1 it is the geometric distribution
 * ```ts
 * import { negativeBinomialLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(negativeBinomialLoss([[2]], [[1]], [1]).item(), -Math.log(1 / 8), 1e-6);
 * ```
 */
export function negativeBinomialLoss(
  counts: TensorLike,
  mu: TensorLike,
  theta: TensorLike,
  options: NegativeBinomialOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("negativeBinomialLoss", "options", 4, arguments);
  const name = "negativeBinomialLoss";
  const { epsilon, check } = readOptions(name, options, { epsilon: 1e-8, check: true });
  checkNumber(name, "epsilon", epsilon, { above: 0 });
  checkBoolean(name, "check", check);
  const [x, mean, inverse] = promoteAll(name, { counts, mu, theta })
    .map(floating) as [Tensor, Tensor, Tensor];
  checkSameShape(name, { counts: x, mu: mean });
  checkBroadcasts(name, { theta: inverse }, { counts: x });
  if (check) checkNotNegative(name, "counts", x);
  const m = clip(mean, epsilon, Infinity);
  const r = clip(inverse, epsilon, Infinity);
  return reduceLosses(negativeBinomial(x, m, r, epsilon), "mean");
}
