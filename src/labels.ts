/**
 * Checks of labels: whole numbers that name classes, batches or nodes.
 *
 * @module
 */
import { asTensor, fromData, type Tensor, type TensorLike } from "./tensor.ts";

/** Options of {@linkcode checkLabels}. */
export interface CheckLabelsOptions {
  /** A value that stands for "no label"; none by default. */
  ignore?: number | undefined;
  /** The argument's name in messages; `"labels"` by default. */
  argument?: string | undefined;
  /** What to do about a label out of range, for its message; nothing by default. */
  remedy?: string | undefined;
}

/**
 * Labels as an `int32` tensor. Internal: every function that takes labels passes them through here.
 *
 * @param caller The function's name, for messages.
 * @param labels Whole numbers from 0 to `count` − 1.
 * @param count How many classes there are.
 * @param options `ignore`, `argument` and `remedy`.
 * @returns The labels.
 * @throws {TypeError} If the labels are not whole numbers.
 * @throws {RangeError} If a label names no class.
 */
export function checkLabels(
  caller: string,
  labels: TensorLike,
  count: number,
  options: CheckLabelsOptions = {},
): Tensor {
  const { ignore, argument = "labels", remedy } = options;
  const integers = toIntegers(caller, labels, argument);
  const data = integers.data;
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!;
    if ((label >= 0 && label < count) || label === ignore) continue;
    const allowed = ignore === undefined ? "" : ` or ignoreIndex ${ignore}`;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be in [0, ${count - 1}]${allowed}: ` +
        `current value at position ${i} is ${label}${remedy === undefined ? "" : `; ${remedy}`}`,
    );
  }
  return integers;
}

/** Labels numbered from 0 without gaps, and how many different ones there are. */
export interface DistinctLabels {
  /** For each label, its place among the different ones in increasing order; `int32`. */
  codes: Tensor;
  /** How many different ones there are. */
  count: number;
}

/**
 * Labels of any numbering as places among the different ones, in increasing order. Internal: for
 * functions whose batches are whatever labels occur.
 *
 * @param caller The function's name, for messages.
 * @param labels Whole numbers from 0 on, with or without gaps.
 * @param argument The argument's name in messages; `"labels"` by default.
 * @returns The places, and their count.
 * @throws {TypeError} If the labels are not whole numbers.
 * @throws {RangeError} If a label is negative.
 */
export function distinctLabels(
  caller: string,
  labels: TensorLike,
  argument = "labels",
): DistinctLabels {
  const { data, shape } = toIntegers(caller, labels, argument);
  const distinct = [...new Set(data)].sort((a, b) => a - b);
  if (distinct.length > 0 && distinct[0]! < 0) {
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be at least 0: ` +
        `current value at position ${data.indexOf(distinct[0]!)} is ${distinct[0]}`,
    );
  }
  const place = new Map(distinct.map((label, i) => [label, i]));
  const codes = Int32Array.from(data, (label) => place.get(label)!);
  return { codes: fromData(codes, shape), count: distinct.length };
}

/** Whole numbers of any kind as an `int32` tensor. */
export function toIntegers(caller: string, values: TensorLike, argument: string): Tensor {
  const given = asTensor(values, "float64");
  if (given.dtype === "int32") return given;
  if (given.dtype === "bool" || given.trace !== null) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
        `current dtype is ${given.dtype}`,
    );
  }
  const found = given.data.findIndex((value) => (value | 0) !== value);
  if (found >= 0) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
        `current value at position ${found} is ${given.data[found]}`,
    );
  }
  return fromData(Int32Array.from(given.data), given.shape);
}

/**
 * A mask as a `bool` tensor. Internal: every function that takes a mask passes it through here.
 *
 * @param caller The function's name, for messages.
 * @param mask Booleans, or zeros and ones.
 * @param argument The argument's name in messages; `"mask"` by default.
 * @returns The mask.
 * @throws {TypeError} If the mask is under differentiation.
 * @throws {RangeError} If a value is neither 0 nor 1.
 */
export function checkMask(caller: string, mask: TensorLike, argument = "mask"): Tensor {
  const given = asTensor(mask);
  if (given.dtype === "bool") return given;
  if (given.trace !== null) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be a constant of zeros and ones: ` +
        `it is under differentiation`,
    );
  }
  const found = given.data.findIndex((value) => value !== 0 && value !== 1);
  if (found >= 0) {
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must hold only zeros and ones: ` +
        `current value at position ${found} is ${given.data[found]}`,
    );
  }
  return fromData(Uint8Array.from(given.data), given.shape);
}

/** Throws a `RangeError` unless a `bool` tensor holds somewhere. */
export function requireSome(caller: string, mask: Tensor, argument: string): void {
  if (mask.data.some((value) => value !== 0)) return;
  throw new RangeError(
    `Cannot compute ${caller} as ${argument} must select at least one entry: ` +
      `0 of ${mask.size} are selected; emptyMask "zero" or "nan" allows this`,
  );
}
