/**
 * From losses per entry to one number.
 *
 * @module
 */
import { requireSome } from "../labels.ts";
import { cast, div, greater, sum, where } from "../ops/mod.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkChoice } from "../options.ts";

/** What becomes of the losses of all entries: their mean, their sum, or all of them as they are. */
export type Reduction = "mean" | "sum" | "none";

/**
 * The mean over nothing: 0 with gradient 0, NaN (0/0, as PyTorch computes it), or an error.
 */
export type EmptyMask = "zero" | "nan" | "error";

/** Throws a `TypeError` unless `reduction` is one. */
export function checkReduction(caller: string, reduction: unknown): void {
  checkChoice(caller, "reduction", reduction, ["mean", "sum", "none"]);
}

/** Throws unless `emptyMask` is one, or where it is `"error"` and the mask selects nothing. */
export function checkEmptyMask(
  caller: string,
  emptyMask: unknown,
  mask: Tensor,
  argument = "mask",
): void {
  checkChoice(caller, "emptyMask", emptyMask, ["zero", "nan", "error"]);
  if (emptyMask === "error") requireSome(caller, mask, argument);
}

/**
 * A sum divided by what it was summed over; a count of 0 gives 0 with gradient 0, or NaN.
 *
 * @param total The sum, 0 where the count is.
 * @param count How many entries, or their total weight.
 * @param emptyMask What a count of 0 gives; `"zero"` by default.
 * @returns The mean.
 */
export function divideByCount(
  total: Tensor,
  count: TensorLike,
  emptyMask: EmptyMask = "zero",
): Tensor {
  const divisor = cast(asTensor(count, total.dtype), total.dtype);
  return div(total, emptyMask === "nan" ? divisor : where(greater(divisor, 0), divisor, 1));
}

/**
 * Losses of entries to one number.
 *
 * @param losses One loss per entry; 0 where the entry does not count.
 * @param reduction `"mean"`, `"sum"` or `"none"`.
 * @param count What the mean divides by; all entries by default.
 * @param emptyMask What a count of 0 gives; `"zero"` by default.
 * @returns A scalar, or the losses themselves.
 */
export function reduceLosses(
  losses: Tensor,
  reduction: Reduction,
  count: TensorLike = losses.size,
  emptyMask: EmptyMask = "zero",
): Tensor {
  if (reduction === "none") return losses;
  const total = sum(losses);
  return reduction === "sum" ? total : divideByCount(total, count, emptyMask);
}

/** The mean of losses over the entries that a `bool` mask selects; the others must be 0. */
export function maskedMean(losses: Tensor, mask: Tensor, emptyMask: EmptyMask = "zero"): Tensor {
  return divideByCount(sum(losses), sum(mask), emptyMask);
}
