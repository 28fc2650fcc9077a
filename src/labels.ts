/**
 * Checks of labels and masks: whole numbers that name classes, batches or nodes; zeros and ones.
 *
 * They are operations, so that a compiled program checks what arrives at each call.
 *
 * @module
 */
import { check } from "./check.ts";
import type { TypedArray } from "./dtype.ts";
import type { CheckOp, Forbidden, Refusal } from "./op.ts";
import { asOperand, asTensor, fromData, type Tensor, type TensorLike } from "./tensor.ts";
import { apply, Tape } from "./trace.ts";

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
  return apply(checkLabelsOp, [integers], { caller, count, ignore, argument, remedy });
}

/** What {@linkcode checkLabelsOp} needs to know. */
export interface CheckLabelsParams extends CheckLabelsOptions {
  /** The function's name, for messages. */
  caller: string;
  /** How many classes there are. */
  count: number;
}

/** Labels as they are, when they name classes. A program checks them when they arrive. */
export const checkLabelsOp: CheckOp<CheckLabelsParams> = check({
  name: "checkLabels",
  forbidden: outsideLabels,
  forward: verifyLabels,
});

/** What an operation refuses whose positions, its second input, must lie below `count`. */
export function outsidePositions(caller: string, count: number): Refusal {
  const params = { caller, count, argument: "indices" };
  return {
    inputs: [1],
    forbidden: outsideLabels(params),
    verify: (x) => void verifyLabels(x!, params),
  };
}

function outsideLabels({ count, ignore }: CheckLabelsParams): Forbidden {
  return { kind: "outside", low: 0, high: count - 1, except: ignore };
}

function verifyLabels({ data }: Tensor, params: CheckLabelsParams): TypedArray {
  const { caller, count, ignore, argument, remedy } = params;
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!;
    if ((label >= 0 && label < count) || label === ignore) continue;
    const allowed = ignore === undefined ? "" : ` or ignoreIndex ${ignore}`;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be in [0, ${count - 1}]${allowed}: ` +
        `current value at position ${i} is ${label}${remedy === undefined ? "" : `; ${remedy}`}`,
    );
  }
  return data;
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
  const given = asTensor(values, "float64", caller, argument);
  if (given.dtype === "int32") return given;
  if (given.dtype === "bool" || given.trace instanceof Tape) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
        `current dtype is ${given.dtype}`,
    );
  }
  return apply(toIntegersOp, [given], { caller, argument });
}

/** Where a value came from, for messages. */
export interface Origin {
  /** The function's name. */
  caller: string;
  /** The argument's name. */
  argument: string;
}

/** Floating numbers as `int32`, when they are whole. */
export const toIntegersOp: CheckOp<Origin> = check({
  name: "toIntegers",
  dtype: "int32",
  forbidden: () => ({ kind: "fraction" }),
  forward({ data }, { caller, argument }) {
    const found = data.findIndex((value) => (value | 0) !== value);
    if (found < 0) return Int32Array.from(data);
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be whole numbers (int32): ` +
        `current value at position ${found} is ${data[found]}`,
    );
  },
});

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
  const given = asOperand(caller, mask, argument);
  if (given.dtype === "bool") return given;
  if (given.trace instanceof Tape) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must be a constant of zeros and ones: ` +
        `it is under differentiation`,
    );
  }
  return apply(checkMaskOp, [given], { caller, argument });
}

/** Zeros and ones as `bool`. */
export const checkMaskOp: CheckOp<Origin> = check({
  name: "checkMask",
  dtype: "bool",
  forbidden: () => ({ kind: "untrue" }),
  forward({ data }, { caller, argument }) {
    const found = data.findIndex((value) => value !== 0 && value !== 1);
    if (found < 0) return Uint8Array.from(data);
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must hold only zeros and ones: ` +
        `current value at position ${found} is ${data[found]}`,
    );
  },
});

/** Throws a `RangeError` unless a `bool` tensor holds somewhere. */
export function requireSome(caller: string, mask: Tensor, argument: string): void {
  apply(requireSomeOp, [mask], { caller, argument });
}

/** A `bool` tensor as it is, when it holds somewhere. */
export const requireSomeOp: CheckOp<Origin> = check({
  name: "requireSome",
  forbidden: () => ({ kind: "nothing" }),
  forward({ data, size }, { caller, argument }) {
    if (data.some((value) => value !== 0)) return data;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must select at least one entry: ` +
        `0 of ${size} are selected; emptyMask "zero" or "nan" allows this`,
    );
  },
});
