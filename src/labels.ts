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
}

/**
 * Labels as an `int32` tensor. Internal: every function that takes labels passes them through here.
 *
 * @param caller The function's name, for messages.
 * @param labels Whole numbers from 0 to `count` − 1.
 * @param count How many classes there are.
 * @param options `ignore` and `argument`.
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
  const { ignore, argument = "labels" } = options;
  const integers = toIntegers(caller, labels, argument);
  const data = integers.data;
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!;
    if ((label >= 0 && label < count) || label === ignore) continue;
    const allowed = ignore === undefined ? "" : ` or ignoreIndex ${ignore}`;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be in [0, ${count - 1}]${allowed}: ` +
        `current value at position ${i} is ${label}`,
    );
  }
  return integers;
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
  const found = given.data.findIndex((value) => !Number.isInteger(value));
  if (found >= 0) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
        `current value at position ${found} is ${given.data[found]}`,
    );
  }
  return fromData(Int32Array.from(given.data), given.shape);
}
