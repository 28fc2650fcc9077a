/**
 * The samplers as operations on an explicit key, so that a compiled program that takes a key as an
 * argument draws new numbers at each call. None has a gradient: the samplers that offer one are
 * made of these and of differentiable operations.
 *
 * @module
 */
import { copyView } from "../../kernels/layout/reference.ts";
import { fill, fillCategorical, fillPermutation, foldedKey } from "../../kernels/random/eager.ts";
import { check } from "../check.ts";
import { allocate, checkDType, type DType, isFloating, type TypedArray } from "../dtype.ts";
import type { CheckOp, Forbidden, RandomOp, Spec } from "../op.ts";
import {
  broadcastStrides,
  checkShape,
  formatShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import { broadcastTo } from "../ops/mod.ts";
import { asTensor, Tensor, type TensorLike } from "../tensor.ts";

/** The largest Poisson rate: no number drawn at it comes near the end of `int32`. */
const LARGEST_RATE = 2 ** 30;

/** A sampler on a key, and on a distribution's parameter where it has one. */
function sampler(
  name: Exclude<RandomOp<Spec>["draws"], "foldIn" | "categorical" | "permutation">,
  refuse?: (parameter: TypedArray) => void,
  forbidden: Forbidden = { kind: "nothing" },
): RandomOp<Spec> {
  return {
    kind: "random",
    name,
    draws: name,
    infer: (_inputs, spec) => checkDraw(name, spec),
    forward([key, parameter], { shape, dtype }) {
      if (parameter !== undefined) refuse?.(parameter.data);
      return fill(name, allocate(dtype, sizeOf(shape)), key!.data, parameter?.data);
    },
    vjp: null,
    ...refuse &&
      { refuses: () => ({ inputs: [1], forbidden, verify: (x) => refuse(x!.data) }) },
  };
}

/** The most numbers that are drawn at once: drawing more takes long, and a key can be split. */
export const MOST_DRAWN: number = 2 ** 29;

function checkDraw(name: string, spec: Spec): Spec {
  checkDrawn(name, spec.shape);
  return spec;
}

/**
 * Throws an error that names the caller unless a shape is one, and no larger than what is drawn at
 * once, so many numbers for each of its elements.
 */
export function checkDrawn(caller: string, shape: Shape, each = 1): void {
  checkShape(caller, shape);
  if (sizeOf(shape) * each <= MOST_DRAWN) return;
  throw new RangeError(
    `Cannot compute ${caller} as at most ${MOST_DRAWN} numbers are drawn at once` +
      `${each === 1 ? "" : `, ${each} for each of shape`}: ` +
      `current shape is ${formatShape(shape)}; split the key, and draw in parts`,
  );
}

/** The key that a number leads to from another key. */
export const foldInOp: RandomOp<null> = {
  kind: "random",
  name: "foldIn",
  draws: "foldIn",
  infer: () => ({ shape: [2], dtype: "int32" }),
  forward: ([key, data]) => foldedKey(key!.data, data!.data[0]!),
  vjp: null,
};

/** Numbers in [0, 1). */
export const uniformOp: RandomOp<Spec> = sampler("uniform");

/** Numbers from the standard normal distribution. */
export const normalOp: RandomOp<Spec> = sampler("normal");

/** Whole numbers from 0 to others, these taken as numbers without a sign. */
export const integersOp: RandomOp<Spec> = sampler("integers");

/** Booleans that are true with given probabilities. */
export const bernoulliOp: RandomOp<Spec> = sampler(
  "bernoulli",
  (probability) => checkRange("bernoulli", "probability", probability, 0, 1),
  { kind: "outside", low: 0, high: 1, nan: true },
);

/** Numbers from gamma distributions of scale 1. */
export const gammaOp: RandomOp<Spec> = sampler("gamma", (concentration) => {
  const bad = concentration.findIndex((value) => !(value > 0 && value < Infinity));
  if (bad < 0) return;
  throw new RangeError(
    `Cannot compute gamma as concentration must be positive and finite: ` +
      `current value${concentration.length > 1 ? ` at position ${bad}` : ""} is ` +
      `${concentration[bad]}`,
  );
}, { kind: "outside", low: 2 ** -126, high: Number.MAX_VALUE, nan: true });

/** Counts from Poisson distributions. */
export const poissonOp: RandomOp<Spec> = sampler(
  "poisson",
  (rate) => checkRange("poisson", "rate", rate, 0, LARGEST_RATE),
  { kind: "outside", low: 0, high: LARGEST_RATE, nan: true },
);

/** The numbers 0, 1, … in random order. */
export const permutationOp: RandomOp<Spec> = {
  kind: "random",
  name: "permutation",
  draws: "permutation",
  infer: (_inputs, spec) => checkDraw("permutation", spec),
  forward([key], { shape }) {
    const out = new Int32Array(sizeOf(shape));
    fillPermutation(out, key!.data);
    return out;
  },
  vjp: null,
};

/** Class numbers from rows of logits. */
export const categoricalOp: RandomOp<Spec> = {
  kind: "random",
  name: "categorical",
  draws: "categorical",
  infer: (_inputs, spec) => checkDraw("categorical", spec),
  forward([key, logits], { shape, dtype }) {
    const out = allocate(dtype, sizeOf(shape));
    const classes = logits!.shape[logits!.rank - 1]!;
    const rows = repeatedRows(logits!.shape.slice(0, -1), shape);
    fillCategorical(out, key!.data, logits!.data, classes, rows);
    return out;
  },
  vjp: null,
};

/** The number of the row that each element of `shape` reads. */
function repeatedRows(batch: Shape, shape: Shape): Int32Array {
  const rows = new Int32Array(sizeOf(shape));
  const numbers = Int32Array.from({ length: sizeOf(batch) }, (_, i) => i);
  copyView(
    { data: rows, offset: 0, strides: stridesOf(shape) },
    { data: numbers, offset: 0, strides: broadcastStrides(batch, shape) },
    shape,
  );
  return rows;
}

/** The largest logits of rows as they are, when they are finite. */
export const checkLargestOp: CheckOp<null> = check({
  name: "checkLargest",
  forbidden: () => ({
    kind: "outside",
    low: -Number.MAX_VALUE,
    high: Number.MAX_VALUE,
    nan: true,
  }),
  forward({ data }) {
    const found = data.findIndex((value) => !Number.isFinite(value));
    if (found < 0) return data;
    throw new RangeError(
      `Cannot compute categorical as the largest logit of every row must be finite: ` +
        `current value in row ${found} is ${data[found]}`,
    );
  },
});

/** Whether bounds are in order, as `int32`, where all are. */
export const checkOrderOp: CheckOp<null> = check({
  name: "checkOrder",
  forbidden: () => ({ kind: "outside", low: 1, high: 1 }),
  forward({ data }) {
    const found = data.indexOf(0);
    if (found < 0) return data;
    throw new RangeError(
      `Cannot compute integers as low must be less than high: ` +
        `in position ${found} of the shape to which they broadcast it is not`,
    );
  },
});

/** What messages call the function that splits keys, by both of its names. */
export const SPLIT = "splitKey (split of ./random)";

/** Throws a `TypeError` that names the caller unless `key` is a random key. */
export function checkKey(caller: string, key: unknown): asserts key is Tensor {
  if (
    key instanceof Tensor && key.dtype === "int32" && key.rank === 1 && key.shape[0] === 2
  ) return;
  const found = key instanceof Tensor
    ? `a tensor of dtype ${key.dtype} and shape ${formatShape(key.shape)}`
    : typeof key === "number"
    ? `${key}: key(${key}) makes one`
    : key === null || key === undefined
    ? String(key)
    : Array.isArray(key)
    ? "an array (of several keys, take one)"
    : `a ${typeof key}`;
  throw new TypeError(
    `Cannot compute ${caller} as key must be a random key, made by key, ${SPLIT} or foldIn: ` +
      `current value is ${found}`,
  );
}

/** Throws a `TypeError` that names the caller unless `dtype` is a floating one. */
export function checkFloating(caller: string, dtype: DType): void {
  checkDType(caller, dtype);
  if (!isFloating(dtype)) {
    throw new TypeError(
      `Cannot compute ${caller} as dtype must be float32 or float64: current value is ${dtype}`,
    );
  }
}

/** Throws a `TypeError` that names the caller unless one shape can be repeated to the other. */
export function checkFits(caller: string, argument: string, given: Shape, shape: Shape): void {
  const offset = shape.length - given.length;
  if (offset >= 0 && given.every((n, i) => n === 1 || n === shape[offset + i])) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must broadcast to shape: ` +
      `current shapes are ${formatShape(given)} and ${formatShape(shape)}`,
  );
}

/** A distribution's parameter, with one value or one per number to draw, and the result's shape. */
export function parameterFor(
  caller: string,
  argument: string,
  value: TensorLike,
  shape: Shape | undefined,
): { parameter: Tensor; shape: Shape } {
  const parameter = asTensor(value, "float64", caller, argument);
  if (shape === undefined) return { parameter, shape: parameter.shape };
  checkDrawn(caller, shape);
  checkFits(caller, argument, parameter.shape, shape);
  return { parameter: parameter.size === 1 ? parameter : broadcastTo(parameter, shape), shape };
}

/** Throws a `RangeError` unless all values are in the closed range; NaN is in none. */
export function checkRange(
  caller: string,
  argument: string,
  values: ArrayLike<number>,
  low: number,
  high: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value >= low && value <= high) continue;
    throw new RangeError(
      `Cannot compute ${caller} as ${argument} must be in [${low}, ${high}]: ` +
        `current value${values.length > 1 ? ` at position ${i}` : ""} is ${value}`,
    );
  }
}
