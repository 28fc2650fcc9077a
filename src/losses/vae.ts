/**
 * Loss of variational autoencoders.
 *
 * @module
 */
import { add, expm1, mul, softplus, square, sub } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkBoolean,
  checkChoice,
  checkNumber,
  checkSameShape,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkInUnit } from "../ranges.ts";
import { reduceLosses } from "./reduction.ts";

/** Options of {@linkcode vaeLoss}. */
export interface VaeOptions {
  /** Weight of the divergence from the prior, at least 0; 1 by default. */
  klWeight?: number | undefined;
  /** Squared error of values, or cross entropy of logits; `"mse"` by default. */
  reconstructionLoss?: "mse" | "bce" | undefined;
  /** Whether to look, with `"bce"`, that the input is in [0, 1]; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Loss of a variational autoencoder: how badly the input is reconstructed, and how far the posterior
 * of the latent variables is from a standard normal. Lower is better; at least 0 with `"mse"`, and
 * with `"bce"`, whose inputs must be in [0, 1].
 *
 * `L = mean r + klWeight · −½ mean(1 + v − m² − e^v)`, for the latent mean m and log-variance v
 *
 * with `r = (x − x̂)²`, or for `"bce"`, where the reconstruction is logits, `softplus(x̂) − x x̂`.
 *
 * **Mind the mean**: the divergence is averaged over cells and latent dimensions, as in the original,
 * where the evidence bound sums it over dimensions and the reconstruction over features. For that
 * balance, set `klWeight` to β · dimensions / features. The log-variance is exponentiated: keep it
 * below 88 in float32.
 *
 * **Differs from the original** in `"bce"`, which takes `log(σ(x̂) + 1e-8)`: a wrong logit of −30
 * costs 18.4 there, with hardly any gradient, and 30 with gradient −1 here.
 *
 * Source: DiffBio `src/diffbio/losses/statistical_losses.py`, `VAELoss`; Kingma & Welling 2014,
 * arXiv:1312.6114.
 *
 * @param x The input, [cells, features] or any other shape.
 * @param reconstruction The decoder's output, of the same shape: values, or logits for `"bce"`.
 * @param mean Means of the latent variables, [cells, dimensions] or any other shape.
 * @param logVariance Logarithms of their variances, of the shape of `mean`.
 * @param options `klWeight`, 1 by default; `reconstructionLoss`, `"mse"`; `check`, `true`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If `klWeight` is negative; with `"bce"`, if the input is out of [0, 1] by more
 * than 1e-3, unless `check` is `false`.
 *
 * @example A perfect reconstruction from a posterior that is off by 1
 * ```ts
 * import { vaeLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(vaeLoss([[3, 4]], [[3, 4]], [[1]], [[0]]).item(), 0.5);
 * assertEquals(vaeLoss([[3, 4]], [[3, 4]], [[0]], [[0]]).item(), 0);
 * ```
 */
export function vaeLoss(
  x: TensorLike,
  reconstruction: TensorLike,
  mean: TensorLike,
  logVariance: TensorLike,
  options: VaeOptions = {},
): Tensor {
  if (arguments.length > 5) refuseMore("vaeLoss", "options", 5, arguments);
  const { klWeight, reconstructionLoss, check } = readOptions("vaeLoss", options, {
    klWeight: 1,
    reconstructionLoss: "mse",
    check: true,
  });
  checkBoolean("vaeLoss", "check", check);
  checkNumber("vaeLoss", "klWeight", klWeight, { min: 0 });
  checkChoice("vaeLoss", "reconstructionLoss", reconstructionLoss, ["mse", "bce"]);
  const [truth, decoded] = promoteAll("vaeLoss", { x, reconstruction }).map(floating) as [
    Tensor,
    Tensor,
  ];
  const [m, v] = promoteAll("vaeLoss", { mean, logVariance }).map(floating) as [Tensor, Tensor];
  checkSameShape("vaeLoss", { x: truth, reconstruction: decoded });
  checkSameShape("vaeLoss", { mean: m, logVariance: v });
  if (check && reconstructionLoss === "bce") {
    checkInUnit("vaeLoss", "x", truth, 'scale it, or take reconstructionLoss "mse"');
  }
  const errors = reconstructionLoss === "mse"
    ? square(sub(truth, decoded))
    : sub(softplus(decoded), mul(truth, decoded));
  const divergence = mul(add(square(m), sub(expm1(v), v)), 0.5 * klWeight);
  return add(reduceLosses(errors, "mean"), reduceLosses(divergence, "mean"));
}
