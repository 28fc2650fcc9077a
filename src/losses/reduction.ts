/**
 * From losses per entry to one number, over all entries or those that a mask selects.
 *
 * @module
 */
import { checkMask, requireSome } from "../labels.ts";
import { cast, div, equal, sum, where } from "../ops/mod.ts";
import { formatShape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkBroadcasts, checkChoice, checkSameShape } from "../options.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";

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
  return div(total, emptyMask === "nan" ? divisor : where(equal(divisor, 0), 1, divisor));
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

/** Throws a `TypeError` unless a tensor has a last axis. */
export function checkRows(caller: string, argument: string, x: Tensor): void {
  if (x.rank > 0) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must have a last axis to sum over: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/**
 * Tensors of one shape, and others that broadcast to it, in the strongest of their floating types.
 *
 * @param caller The function's name, for messages.
 * @param entries Values of one shape by the names that messages give them.
 * @param others Values that broadcast to that shape; none by default.
 * @returns The tensors, in the order in which they were given.
 */
export function readEntries(
  caller: string,
  entries: Readonly<Record<string, TensorLike>>,
  others: Readonly<Record<string, TensorLike>> = {},
): Tensor[] {
  const names = [...Object.keys(entries), ...Object.keys(others)];
  const count = Object.keys(entries).length;
  const values = promoteAll(caller, { ...entries, ...others }).map(floating);
  const named = (from: number, to?: number) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]!] as const).slice(from, to));
  checkSameShape(caller, named(0, count));
  for (let i = count; i < names.length; i++) checkBroadcasts(caller, named(i, i + 1), named(0, 1));
  return values;
}

/** Tensors of one shape and floating type, and a mask of that shape. */
export interface MaskedEntries {
  /** The tensors, in the order in which they were given. */
  values: [Tensor, Tensor];
  /** `bool`. */
  mask: Tensor;
}

/**
 * Checks two tensors and a mask against each other.
 *
 * @param caller The function's name, for messages.
 * @param tensors Two tensors by the names that messages give them.
 * @param mask Booleans, or zeros and ones, of the same shape.
 * @returns The tensors in the stronger of their types, and the mask as `bool`.
 */
export function readMasked(
  caller: string,
  tensors: Readonly<Record<string, TensorLike>>,
  mask: TensorLike,
): MaskedEntries {
  const values = promoteAll(caller, tensors).map(floating) as [Tensor, Tensor];
  const selected = checkMask(caller, mask);
  const named = Object.keys(tensors).map((name, i) => [name, values[i]!] as const);
  checkSameShape(caller, { ...Object.fromEntries(named), mask: selected });
  return { values, mask: selected };
}
