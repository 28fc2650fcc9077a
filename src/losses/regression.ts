/**
 * Losses of regression that forgive outliers, or aim at a quantile.
 *
 * @module
 */
import { clip, div, maximum, mul, sub } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkReduction, readEntries, reduceLosses, type Reduction } from "./reduction.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode huberLoss}. */
export interface HuberOptions {
  /** From which error on the loss grows in proportion to it, above 0; 1 by default. */
  delta?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
}

/** Options of {@linkcode quantileLoss}. */
export interface QuantileOptions {
  /** The share of targets that should lie below the input, in (0, 1). */
  quantile: number;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
}

/**
 * Huber loss: the squared error where it is small, the absolute error where it is large, so that no
 * outlier pulls by more than δ. Lower is better; at least 0.
 *
 * `ℓ = ½ e²` where `|e| ≤ δ`, else `δ (|e| − ½ δ)`, with `e = input − target`
 *
 * Value and slope are continuous at the knee, and the slope of an error is the error, kept in
 * [−δ, δ]. With a large δ it is half of the squared error; divided by a small δ, the absolute error.
 * The unit is the square of that of the values.
 *
 * Source: Huber 1964, https://doi.org/10.1214/aoms/1177703732; as PyTorch's `huber_loss` and optax's.
 * PyTorch's `smooth_l1_loss` with `beta` is this loss divided by δ.
 *
 * @param input Predictions, of any shape.
 * @param target True values, of the same shape.
 * @param options `delta`, δ, 1 by default; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"`, the losses of all entries.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If `delta` is not above 0.
 *
 * @example An error of half a unit, and an outlier
 * ```ts
 * import { huberLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const losses = huberLoss([0.5, 100], [0, 0], { reduction: "none" });
 * assertEquals(losses.toArray(), [0.125, 99.5]);
 * ```
 */
export function huberLoss(
  input: TensorLike,
  target: TensorLike,
  options: HuberOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("huberLoss", "options", 3, arguments);
  const { delta, reduction } = readOptions("huberLoss", options, { delta: 1, reduction: "mean" });
  checkNumber("huberLoss", "delta", delta, { above: 0 });
  checkReduction("huberLoss", reduction);
  const [x, t] = readEntries("huberLoss", { input, target }) as [Tensor, Tensor];
  const error = sub(x, t);
  const near = clip(error, -delta, delta);
  return reduceLosses(mul(near, sub(error, div(near, 2))), reduction);
}

/**
 * Quantile loss, also called pinball loss: least where the given share of targets lies below the
 * input. Lower is better; at least 0, in the unit of the values.
 *
 * `ℓ = max(q e, (q − 1) e)`, with `e = target − input`
 *
 * A target above the input costs q times the distance, one below it `1 − q` times. For q = ½ it is
 * half of the absolute error, and aims at the median; two of them, for 0.05 and 0.95, make an
 * interval. At e = 0 the gradient by the input is the mean of the slopes on both sides, `½ − q`.
 *
 * Source: Koenker & Bassett 1978, https://doi.org/10.2307/1913643; as scikit-learn's
 * `mean_pinball_loss`.
 *
 * @param input Predictions, of any shape.
 * @param target True values, of the same shape.
 * @param options `quantile`, q, always needed; `reduction`, `"mean"` by default.
 * @returns A scalar; with `reduction: "none"`, the losses of all entries.
 * @throws {TypeError} If the shapes differ, an option does not exist, or `quantile` is missing.
 * @throws {RangeError} If `quantile` is not in (0, 1).
 *
 * @example To predict too little is nine times as bad
 * ```ts
 * import { quantileLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(quantileLoss([1], [3], { quantile: 0.9 }).item(), 1.8, 1e-6);
 * assertAlmostEquals(quantileLoss([3], [1], { quantile: 0.9 }).item(), 0.2, 1e-6);
 * ```
 */
export function quantileLoss(
  input: TensorLike,
  target: TensorLike,
  options: QuantileOptions,
): Tensor {
  if (arguments.length > 3) refuseMore("quantileLoss", "options", 3, arguments);
  const { quantile, reduction } = readOptions(
    "quantileLoss",
    options === undefined ? {} as QuantileOptions : options,
    { quantile: undefined as never, reduction: "mean" },
  ) as Required<QuantileOptions> & { reduction: Reduction };
  checkNumber("quantileLoss", "quantile", quantile, { above: 0, below: 1 });
  checkReduction("quantileLoss", reduction);
  const [x, t] = readEntries("quantileLoss", { input, target }) as [Tensor, Tensor];
  const error = sub(t, x);
  return reduceLosses(maximum(mul(error, quantile), mul(error, quantile - 1)), reduction);
}
