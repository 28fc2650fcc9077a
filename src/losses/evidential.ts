/**
 * Loss of deep evidential regression.
 *
 * @module
 */
import { abs, add, div, less, lgamma, log, log1p, mul, square, sub, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkReduction, readEntries, reduceLosses, type Reduction } from "./reduction.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkPositive } from "../ranges.ts";

/** Options of {@linkcode evidentialLoss}. */
export interface EvidentialOptions {
  /** The weight of evidence for what is wrong, at least 0; 1 by default. */
  lambda?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** Whether to look that nu, alpha and beta are above 0; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Loss of deep evidential regression: the negative log-likelihood of targets under a mean and a
 * variance that are themselves uncertain (normal-inverse-gamma), and a price on evidence for wrong
 * predictions. Lower is better, in nats; it may be negative.
 *
 * `ℓ = ½ log(π / ν) − α log Ω + (α + ½) log((y − γ)² ν + Ω) + lnΓ(α) − lnΓ(α + ½) + λ |y − γ| (2ν + α)`
 *
 * with `Ω = 2β (1 + ν)`. The prediction is γ; what is left of noise is `β / (α − 1)`, and how unsure
 * the model is of γ `β / (ν (α − 1))`, for α above 1.
 *
 * The first four terms are Student's t. They are computed as
 * `½ log(πΩ / ν) + (α + ½) log(1 + (y − γ)² ν / Ω)` and a ratio of gammas that has its digits for large
 * α, too: with the evidence α = 1e6, the formula as it stands loses all of them in float32.
 *
 * **Differs from the original** in that: its code computes the formula as it stands. Where the
 * prediction is right, `|y − γ|` has gradient 0, in both. The paper leaves λ to the user; 1 is the
 * default of its code (0.01 in the paper's experiments on depth).
 *
 * Source: Amini et al. 2020, arXiv:1910.02600; aamini/evidential-deep-learning
 * `tf/losses/continuous.py`, `EvidentialRegression`.
 *
 * @param target True values y, of any shape.
 * @param gamma Predictions γ, of the same shape.
 * @param nu Virtual observations ν of the mean, above 0, of the same shape.
 * @param alpha Half the virtual observations of the variance, α, above 0, of the same shape.
 * @param beta Half their sum of squares, β, above 0, of the same shape.
 * @param options `lambda`, λ, 1 by default; `reduction`, `"mean"`; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, the losses of all entries.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If ν, α or β is not above 0, unless `check` is `false`, or λ is negative.
 *
 * @example A right prediction with ν = α = β = 1
 * ```ts
 * import { evidentialLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * // Student's t with 2 degrees of freedom and scale √2: its density at 0 is 1 / (2√2 · √2).
 * assertAlmostEquals(evidentialLoss([3], [3], [1], [1], [1]).item(), Math.log(4), 1e-6);
 * ```
 */
export function evidentialLoss(
  target: TensorLike,
  gamma: TensorLike,
  nu: TensorLike,
  alpha: TensorLike,
  beta: TensorLike,
  options: EvidentialOptions = {},
): Tensor {
  if (arguments.length > 6) refuseMore("evidentialLoss", "options", 6, arguments);
  const caller = "evidentialLoss";
  const { lambda, reduction, check } = readOptions(caller, options, {
    lambda: 1,
    reduction: "mean",
    check: true,
  });
  checkNumber(caller, "lambda", lambda, { min: 0 });
  checkReduction(caller, reduction);
  checkBoolean(caller, "check", check);
  const [y, g, n, a, b] = readEntries(caller, { target, gamma, nu, alpha, beta }) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  if (check) {
    for (const [name, x] of [["nu", n], ["alpha", a], ["beta", b]] as const) {
      checkPositive(caller, name, x, "make it so, as by softplus");
    }
  }
  const error = sub(y, g);
  // Ω / ν = 2β (1 + ν) / ν
  const spread = mul(div(mul(b, 2), n), add(n, 1));
  const deviance = mul(add(a, 0.5), log1p(div(square(error), spread)));
  const likelihood = sub(add(div(log(mul(spread, Math.PI)), 2), deviance), logHalfStep(a));
  return reduceLosses(
    add(likelihood, mul(mul(abs(error), add(mul(n, 2), a)), lambda)),
    reduction,
  );
}

/** From where on a few terms of the series in 1/α do, and what they are multiplied by. */
const FROM = 8;
const SERIES = [-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224];

/** `lnΓ(α + ½) − lnΓ(α)`, about `½ log α`. */
function logHalfStep(alpha: Tensor): Tensor {
  const isSmall = less(alpha, FROM);
  const small = where(isSmall, alpha, 1);
  const large = where(isSmall, FROM, alpha);
  const inverse = div(1, large);
  const squared = square(inverse);
  const tail = SERIES.reduceRight((sum: Tensor | number, term) => add(mul(sum, squared), term), 0);
  const series = add(div(log(large), 2), mul(inverse, tail));
  return where(isSmall, sub(lgamma(add(small, 0.5)), lgamma(small)), series);
}
