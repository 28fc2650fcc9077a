/**
 * Checks of numbers whose range is their meaning: probabilities, shares, weights and counts. NaN is in
 * every range but that of counts: it goes on as NaN.
 *
 * @module
 */
import { check } from "./check.ts";
import type { TypedArray } from "./dtype.ts";
import { stopGradient, sum } from "./ops/mod.ts";
import type { CheckOp } from "./op.ts";
import type { Tensor } from "./tensor.ts";
import { apply } from "./trace.ts";

/** What {@linkcode checkRangeOp} needs to know. */
export interface RangeParams {
  /** The function's name, for messages. */
  caller: string;
  /** What must hold: "probs must be in [0, 1]". */
  must: string;
  /** The least value. */
  low: number;
  /** The largest value. */
  high: number;
  /** Whether NaN is out of range, too. */
  nan?: true;
  /** What stands at a position: "value at position" by default. */
  what?: string;
  /** What to do about it; nothing by default. */
  remedy?: string | undefined;
}

/** Numbers as they are, when all that count are in a range. */
export const checkRangeOp: CheckOp<RangeParams> = check({
  name: "checkRange",
  forbidden: ({ low, high, nan }) => ({ kind: "outside", low, high, ...nan && { nan } }),
  forward({ data }, params, mask) {
    const found = firstOutside(data, params, mask?.data);
    if (found < 0) return data;
    const { caller, must, what = "value at position", remedy } = params;
    throw new RangeError(
      `Cannot compute ${caller} as ${must}: current ${what} ${found} is ${data[found]}` +
        (remedy === undefined ? "" : `; ${remedy}`),
    );
  },
});

function firstOutside(
  data: TypedArray,
  { low, high, nan }: RangeParams,
  mask: TypedArray | undefined,
): number {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value >= low && value <= high) continue;
    if (value !== value && nan === undefined) continue;
    if (mask === undefined || mask[i] !== 0) return i;
  }
  return -1;
}

/** How far rounding, and half precision, may take probabilities and their sums out of range. */
const TOLERANCE = 1e-3;

/** What to do about values that are no probabilities. */
const REMEDY = (squash: string) => `pass probabilities, such as ${squash}(logits)`;

/**
 * Throws a `RangeError` where a probability that a mask selects is out of [0, 1] by more than 1e-3.
 *
 * @param caller The function's name, for messages.
 * @param argument The argument's name.
 * @param x The probabilities.
 * @param mask `bool` of the same shape: which of them count; by default all.
 * @param squash What makes probabilities of logits.
 */
export function checkProbabilities(
  caller: string,
  argument: string,
  x: Tensor,
  mask?: Tensor,
  squash: "sigmoid" | "softmax" = "sigmoid",
): void {
  checkInUnit(caller, argument, x, REMEDY(squash), mask);
}

/** Throws a `RangeError` where a value that a mask selects is out of [0, 1] by more than 1e-3. */
export function checkInUnit(
  caller: string,
  argument: string,
  x: Tensor,
  remedy: string | undefined,
  mask?: Tensor,
): void {
  const must = `${argument} must be in [0, 1]`;
  const limits = { low: -TOLERANCE, high: 1 + TOLERANCE };
  apply(checkRangeOp, mask === undefined ? [x] : [x, mask], { caller, must, remedy, ...limits });
}

/** Throws a `RangeError` unless the rows of a matrix are probabilities that sum to 1. */
export function checkDistributions(caller: string, argument: string, x: Tensor): void {
  checkProbabilities(caller, argument, x, undefined, "softmax");
  apply(checkRangeOp, [sum(stopGradient(x), { axis: 1 })], {
    caller,
    must: `rows of ${argument} must sum to 1`,
    low: 1 - TOLERANCE,
    high: 1 + TOLERANCE,
    what: "sum of row",
    remedy: REMEDY("softmax"),
  });
}

/** Throws a `RangeError` where a value is negative. */
export function checkNotNegative(
  caller: string,
  argument: string,
  x: Tensor,
  remedy?: string,
): void {
  const must = `${argument} must be at least 0`;
  apply(checkRangeOp, [x], { caller, must, low: 0, high: Infinity, remedy });
}

/** Throws a `RangeError` where a value is no share of 1: below 0, or above 1 by more than 1e-3. */
export function checkShares(caller: string, argument: string, x: Tensor): void {
  const must = `${argument} must be in [0, 1]`;
  const remedy = REMEDY("softmax");
  apply(checkRangeOp, [x], { caller, must, low: 0, high: 1 + TOLERANCE, remedy });
}

/** The least normal number of float32: on graphics cards, what is smaller is 0. */
const LEAST = 2 ** -126;

/** Throws a `RangeError` where a value is not above 0. */
export function checkPositive(
  caller: string,
  argument: string,
  x: Tensor,
  remedy?: string,
): void {
  const must = `${argument} must be above 0, at least 2^-126`;
  apply(checkRangeOp, [x], { caller, must, low: LEAST, high: Infinity, remedy });
}

/** Throws a `RangeError` unless all values are finite numbers of at least 0. */
export function checkFiniteCounts(caller: string, argument: string, x: Tensor): void {
  const must = `${argument} must be finite and at least 0`;
  apply(checkRangeOp, [x], { caller, must, low: 0, high: Number.MAX_VALUE, nan: true });
}

/** Throws a `RangeError` unless all values are in [0, 1]: of NaN, nothing can be said. */
export function checkScores(caller: string, argument: string, x: Tensor): void {
  const must = `${argument} must be in [0, 1]`;
  apply(checkRangeOp, [x], { caller, must, low: 0, high: 1, nan: true });
}
