/**
 * Squared or absolute error over the masked entries, as DiffBio defines it.
 *
 * @module
 */
import { abs, add, cast, div, square, sub, sum, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkEmptyMask, type EmptyMask, readMasked } from "./reduction.ts";
import { checkChoice, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode maskedValueLoss}. */
export interface MaskedValueOptions {
  /** Squared or absolute errors; `"mse"` by default. */
  lossType?: "mse" | "mae" | undefined;
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Squared or absolute error over the entries that a mask selects. Lower is better; 0 where the
 * predictions equal the targets on the mask.
 *
 * `L = Σ m e / (Σ m + 1e-8)`, with `e = (x − t)²`, or `|x − t|` where `lossType` is `"mae"`
 *
 * It pre-trains DiffBio's models on hidden expression values. The unit is the square of that of the
 * values, or that of the values themselves.
 *
 * The 1e-8 is what keeps the original finite on an empty mask, where it is 0; it makes the loss one
 * part in 1e8 / Σ m smaller than {@linkcode maskedMseLoss}. Entries off the mask are selected away
 * and get gradient 0, whatever they are, where the original multiplies, so that a NaN spreads. The
 * gradient of `|x − t|` at 0 is 0.
 *
 * Source: DiffBio `src/diffbio/losses/self_supervised_losses.py`, `masked_value_loss`, as it is up to
 * 0.1.6. From 0.1.7 on it divides by `Σ m` alone: squared, that is {@linkcode maskedMseLoss}.
 *
 * @param predictions Predictions, of any shape.
 * @param targets True values, of the same shape.
 * @param mask Which entries count: booleans, or zeros and ones, of the same shape.
 * @param options `lossType`, `"mse"` by default; `emptyMask`, `"zero"`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If the mask holds anything but zeros and ones, or selects nothing where
 * `emptyMask` is `"error"`.
 *
 * @example Absolute errors forgive outliers
 * ```ts
 * import { maskedValueLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [predictions, targets, mask] = [[1, 9, 5], [1, 1, 1], [1, 1, 0]];
 * assertEquals(maskedValueLoss(predictions, targets, mask).item(), 32);
 * assertEquals(maskedValueLoss(predictions, targets, mask, { lossType: "mae" }).item(), 4);
 * ```
 */
export function maskedValueLoss(
  predictions: TensorLike,
  targets: TensorLike,
  mask: TensorLike,
  options: MaskedValueOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("maskedValueLoss", "options", 4, arguments);
  const name = "maskedValueLoss";
  const { lossType, emptyMask } = readOptions(name, options, {
    lossType: "mse",
    emptyMask: "zero",
  });
  checkChoice(name, "lossType", lossType, ["mse", "mae"]);
  const { values: [x, t], mask: selected } = readMasked(name, { predictions, targets }, mask);
  checkEmptyMask(name, emptyMask, selected);
  const error = where(selected, sub(x, t), 0);
  const total = sum(lossType === "mse" ? square(error) : abs(error));
  const count = cast(sum(selected), x.dtype);
  const divisor = add(count, 1e-8);
  return div(total, emptyMask === "nan" ? where(count, divisor, 0) : divisor);
}
