/**
 * Losses of normal distributions: how likely they make targets, and how far they are from a standard
 * one.
 *
 * @module
 */
import { add, div, expm1, log, sqrt, square, sub, sum } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkReduction,
  checkRows,
  readEntries,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";
import { checkBoolean, readOptions, refuseMore } from "../options.ts";
import { checkPositive } from "../ranges.ts";

/** Options of {@linkcode gaussianNllLoss}. */
export interface GaussianNllOptions {
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** Whether to look that variances are above 0; `true` by default. */
  check?: boolean | undefined;
}

/** Options of {@linkcode normalKl}. */
export interface NormalKlOptions {
  /** What is returned; `"mean"` by default, over rows. */
  reduction?: Reduction | undefined;
}

/**
 * Negative log-likelihood of targets under normal distributions, without `½ log 2π`: for models that
 * say how sure they are. Lower is better, in nats; it may be negative.
 *
 * `ℓ = ½ (log σ² + (t − μ)² / σ²)`
 *
 * Add 0.918939 for the likelihood itself. A variance may be one for all, or one per gene: it
 * broadcasts. In float32, values are right for variances down to 1e-37, and gradients are where they
 * can be written down.
 *
 * **Differs from the original**: PyTorch raises variances below 1e-6 to 1e-6 without a word, and
 * leaves them out of the gradient. Here a variance counts as it is, and 0 is refused.
 *
 * Source: Nix & Weigend 1994, https://doi.org/10.1109/ICNN.1994.374138; as PyTorch's
 * `gaussian_nll_loss` with `full=False`.
 *
 * @param mean Predicted means, of any shape.
 * @param target True values, of the same shape.
 * @param variance Predicted variances, not standard deviations: of the same shape, or one that
 * broadcasts to it.
 * @param options `reduction`, `"mean"` by default; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, the losses of all entries.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If a variance is below 2^-126, unless `check` is `false`.
 *
 * @example Doubt pays where the mean is wrong
 * ```ts
 * import { gaussianNllLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(gaussianNllLoss([0], [2], [1]).item(), 2, 1e-6);
 * assertAlmostEquals(gaussianNllLoss([0], [2], [4]).item(), Math.LN2 + 0.5, 1e-6);
 * ```
 */
export function gaussianNllLoss(
  mean: TensorLike,
  target: TensorLike,
  variance: TensorLike,
  options: GaussianNllOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("gaussianNllLoss", "options", 4, arguments);
  const { reduction, check } = readOptions("gaussianNllLoss", options, {
    reduction: "mean",
    check: true,
  });
  checkReduction("gaussianNllLoss", reduction);
  checkBoolean("gaussianNllLoss", "check", check);
  const [m, t, v] = readEntries("gaussianNllLoss", { mean, target }, { variance }) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  if (check) {
    checkPositive("gaussianNllLoss", "variance", v, "pass variances, such as exp(logVariance)");
  }
  const error = sub(t, m);
  const deviance = square(div(error, sqrt(v))); // neither squares nor 1 / σ⁴ leave float32
  return reduceLosses(div(add(log(v), deviance), 2), reduction);
}

/**
 * Kullback-Leibler divergence of normal distributions from the standard one, the term that holds the
 * latent variables of a variational autoencoder together. Lower is better; at least 0, in nats, and 0
 * where the mean is 0 and the variance 1.
 *
 * `KL = −½ Σ (1 + v − m² − e^v)`, over the last axis
 *
 * One value per row, and the mean is over rows: {@linkcode vaeLoss} averages the latent axis, too,
 * and this does not. The log-variance is exponentiated: keep it below 88 in float32. For a prior with
 * mean p and variance s², pass `(m − p) / s` and `v − log s²`.
 *
 * Source: Kingma & Welling 2014, arXiv:1312.6114, Appendix B; as PyTorch's `kl_divergence` of two
 * `Normal`, summed over the last axis.
 *
 * @param mean Means m, (…, dimensions).
 * @param logVariance Logarithms v of the variances, of the same shape.
 * @param options `reduction`, `"mean"` by default, over rows.
 * @returns A scalar; with `reduction: "none"`, one value per row.
 * @throws {TypeError} If the shapes differ, there is no axis, or an option does not exist.
 *
 * @example Two latent dimensions, one of them off by 1
 * ```ts
 * import { normalKl } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(normalKl([[1, 0]], [[0, 0]]).item(), 0.5);
 * ```
 */
export function normalKl(
  mean: TensorLike,
  logVariance: TensorLike,
  options: NormalKlOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("normalKl", "options", 3, arguments);
  const { reduction } = readOptions("normalKl", options, { reduction: "mean" });
  checkReduction("normalKl", reduction);
  const [m, v] = readEntries("normalKl", { mean, logVariance }) as [Tensor, Tensor];
  checkRows("normalKl", "mean", m);
  const terms = add(square(m), sub(expm1(v), v));
  return reduceLosses(div(sum(terms, { axis: -1 }), 2), reduction);
}
