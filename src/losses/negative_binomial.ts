/**
 * Negative binomial likelihood of counts.
 *
 * @module
 */
import { add, clip, div, lgamma, log1p, mul, neg, sub } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { broadcastShapes, formatShape, sameShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkNumber, checkSameShape, readOptions } from "../options.ts";
import { reduceLosses } from "./reduction.ts";

/** Options of {@linkcode negativeBinomialLoss}. */
export interface NegativeBinomialOptions {
  /** The least mean and dispersion, also added inside logarithms; 1e-8 by default. */
  epsilon?: number | undefined;
}

/**
 * Mean negative log-likelihood of counts under negative binomials: the noise model of single-cell
 * RNA counts, a Poisson with more spread. Lower is better; at least 0, in nats per count.
 *
 * `−log NB(x | μ, θ) = lnΓ(θ) + lnΓ(x + 1) − lnΓ(x + θ) + θ log((θ + μ) / θ) + x log((θ + μ) / μ)`
 *
 * with mean μ and variance `μ + μ² / θ`; as θ grows it becomes the Poisson. μ and θ below ε are
 * raised to ε, where their gradient is 0, and ε is added inside the logarithms, as in the original.
 * The two logarithms are taken as `log1p(μ / (θ + ε))` and `log1p(θ / (μ + ε))`, which keep their
 * digits where μ and θ are of different sizes.
 *
 * In float32, lnΓ(x + θ) − lnΓ(θ) loses digits for θ above some thousands: there the counts are
 * Poisson for all purposes, and θ needs no training.
 *
 * Source: DiffBio `src/diffbio/losses/statistical_losses.py`, `NegativeBinomialLoss`; Robinson &
 * Smyth 2008, https://doi.org/10.1093/biostatistics/kxm030.
 *
 * @param counts Observed counts, [cells, genes] or any other shape.
 * @param mu Their means, of the same shape.
 * @param theta Inverse dispersions: of the same shape, or one that broadcasts to it, such as [genes].
 * @param options `epsilon`, 1e-8 by default.
 * @returns The loss, a scalar; 0 for no counts.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If `epsilon` is not above 0.
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
  const name = "negativeBinomialLoss";
  const { epsilon } = readOptions(name, options, { epsilon: 1e-8 });
  checkNumber(name, "epsilon", epsilon, { above: 0 });
  const [x, mean, inverse] = promoteAll(counts, mu, theta).map(floating) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  checkSameShape(name, { counts: x, mu: mean });
  if (!sameShape(broadcastShapes(name, x.shape, inverse.shape), x.shape)) {
    throw new TypeError(
      `Cannot compute ${name} as theta must broadcast to the shape of counts: ` +
        `current shapes are ${formatShape(inverse.shape)} and ${formatShape(x.shape)}`,
    );
  }
  const m = clip(mean, epsilon, Infinity);
  const r = clip(inverse, epsilon, Infinity);
  return reduceLosses(neg(logNegativeBinomial(x, m, r, epsilon)), "mean");
}

/** `log NB(x | μ, θ)` of every count, for positive μ and θ. */
function logNegativeBinomial(x: Tensor, mu: Tensor, theta: Tensor, epsilon: number): Tensor {
  const spread = mul(theta, log1p(div(mu, add(theta, epsilon))));
  const counted = mul(x, log1p(div(theta, add(mu, epsilon))));
  return sub(sub(logCoefficient(x, theta), spread), counted);
}

/** `log (Γ(x + θ) / (Γ(θ) x!))`. */
export function logCoefficient(x: Tensor, theta: Tensor): Tensor {
  return sub(sub(lgamma(add(x, theta)), lgamma(theta)), lgamma(add(x, 1)));
}
