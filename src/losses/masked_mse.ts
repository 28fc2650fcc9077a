/**
 * Mean squared error over the masked entries.
 *
 * @module
 */
import { square, sub, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkEmptyMask, type EmptyMask, maskedMean, readMasked } from "./reduction.ts";
import { readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode maskedMseLoss}. */
export interface MaskedMseOptions {
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Mean squared error over the entries that a mask selects. Lower is better; 0 where the prediction
 * equals the target on the whole mask.
 *
 * `L = Σ m (x − t)² / Σ m`
 *
 * It trains the expression heads of scGPT and scFormer: the genes whose values were hidden from the
 * model are predicted (`loss_mse`), or all genes are, from the cell embedding (`loss_mvc`,
 * `loss_gepc`). The unit is the square of that of the values.
 *
 * Entries off the mask are selected away before anything is computed: whatever they are, NaN
 * included, the loss ignores them and their gradient is exactly 0.
 *
 * **Differs from the original**, which multiplies both tensors by the mask: there NaN · 0 lets a NaN
 * off the mask into the loss, and an empty mask gives 0/0 = NaN. Here an empty mask gives 0 with
 * gradient 0; `emptyMask: "nan"` brings the NaN back, `"error"` throws. The values are the same
 * otherwise. A mask of fractions, which the original weighs by m² above and m below, is an error.
 *
 * Source: scGPT `scgpt/loss.py`, `masked_mse_loss` (Cui et al. 2024,
 * https://doi.org/10.1038/s41592-024-02201-0).
 *
 * @param input Predictions, of any shape.
 * @param target True values, of the same shape.
 * @param mask Which entries count: booleans, or zeros and ones, of the same shape.
 * @param options `emptyMask`, `"zero"` by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If the mask holds anything but zeros and ones, or selects nothing where
 * `emptyMask` is `"error"`.
 *
 * @example Two of three genes were hidden
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { maskedMseLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [input, target, mask] = [[1, 4, 100], [1, 2, 3], [1, 1, 0]];
 * assertEquals(maskedMseLoss(input, target, mask).item(), 2);
 *
 * const gradient = grad((x: Tensor) => maskedMseLoss(x, target, mask))(input);
 * assertEquals(gradient.toArray(), [0, 2, 0]);
 * ```
 */
export function maskedMseLoss(
  input: TensorLike,
  target: TensorLike,
  mask: TensorLike,
  options: MaskedMseOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("maskedMseLoss", "options", 4, arguments);
  const { emptyMask } = readOptions("maskedMseLoss", options, { emptyMask: "zero" });
  const { values: [x, t], mask: selected } = readMasked("maskedMseLoss", { input, target }, mask);
  checkEmptyMask("maskedMseLoss", emptyMask, selected);
  return maskedMean(square(where(selected, sub(x, t), 0)), selected, emptyMask);
}
