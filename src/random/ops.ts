/**
 * The samplers as operations on an explicit key, so that a compiled program that takes a key as an
 * argument draws new numbers at each call. None has a gradient: the samplers that offer one are
 * made of these and of differentiable operations.
 *
 * @module
 */
import { copyView } from "../../kernels/layout/reference.ts";
import {
  fillBernoulli,
  fillCategorical,
  fillGamma,
  fillNormal,
  fillPermutation,
  fillPoisson,
  fillUniform32,
  fillUniform64,
  foldedKey,
} from "../../kernels/random/reference.ts";
import { allocate, type TypedArray } from "../dtype.ts";
import type { Primitive, Spec } from "../op.ts";
import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { checkRange } from "./check.ts";

/** The largest Poisson rate: no number drawn at it comes near the end of `int32`. */
const LARGEST_RATE = 2 ** 30;

const NONE = new Float64Array(0);

/** A sampler on a key, and on a distribution's parameter where it has one. */
function sampler(
  name: string,
  fill: (out: TypedArray, key: TypedArray, parameter: TypedArray) => void,
): Primitive<Spec> {
  return {
    name,
    infer: (_inputs, spec) => spec,
    forward([key, parameter], { shape, dtype }) {
      const out = allocate(dtype, sizeOf(shape));
      fill(out, key!.data, parameter?.data ?? NONE);
      return out;
    },
    vjp: null,
  };
}

/** The key that a number leads to from another key. */
export const foldInOp: Primitive<null> = {
  name: "foldIn",
  infer: () => ({ shape: [2], dtype: "int32" }),
  forward: ([key, data]) => foldedKey(key!.data, data!.data[0]!),
  vjp: null,
};

/** Numbers in [0, 1). */
export const uniformOp: Primitive<Spec> = sampler("uniform", (out, key) => {
  if (out instanceof Float64Array) fillUniform64(out, key);
  else fillUniform32(out as Float32Array, key);
});

/** Numbers from the standard normal distribution. */
export const normalOp: Primitive<Spec> = sampler("normal", fillNormal);

/** Booleans that are true with given probabilities. */
export const bernoulliOp: Primitive<Spec> = sampler("bernoulli", (out, key, probability) => {
  checkRange("bernoulli", "probability", probability, 0, 1);
  fillBernoulli(out, key, probability);
});

/** Numbers from gamma distributions of scale 1. */
export const gammaOp: Primitive<Spec> = sampler("gamma", (out, key, concentration) => {
  const bad = concentration.findIndex((value) => !(value > 0 && value < Infinity));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot compute gamma as concentration must be positive and finite: ` +
        `current value${concentration.length > 1 ? ` at position ${bad}` : ""} is ` +
        `${concentration[bad]}`,
    );
  }
  fillGamma(out, key, concentration);
});

/** Counts from Poisson distributions. */
export const poissonOp: Primitive<Spec> = sampler("poisson", (out, key, rate) => {
  checkRange("poisson", "rate", rate, 0, LARGEST_RATE);
  fillPoisson(out, key, rate);
});

/** The numbers 0, 1, … in random order. */
export const permutationOp: Primitive<Spec> = sampler("permutation", (out, key) => {
  fillPermutation(out as Int32Array, key);
});

/** Class numbers from rows of logits. */
export const categoricalOp: Primitive<Spec> = {
  name: "categorical",
  infer: (_inputs, spec) => spec,
  forward([key, logits], { shape, dtype }) {
    const out = allocate(dtype, sizeOf(shape));
    const classes = logits!.shape[logits!.rank - 1]!;
    checkLogits(logits!.data, classes);
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

function checkLogits(logits: TypedArray, classes: number): void {
  for (let start = 0; start < logits.length; start += classes) {
    let largest = -Infinity;
    for (let c = start; c < start + classes; c++) largest = Math.max(largest, logits[c]!);
    if (Number.isFinite(largest)) continue;
    throw new RangeError(
      `Cannot compute categorical as the largest logit of every row must be finite: ` +
        `current value in row ${start / classes} is ${largest}`,
    );
  }
}
