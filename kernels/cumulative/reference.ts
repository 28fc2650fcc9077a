/**
 * Running sums, products and extremes along the middle axis of an (outer, count, inner) array.
 *
 * What has been found so far is kept in float64; each place gets it in the type of the result.
 *
 * @module
 */
import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/**
 * How the state at a place comes from the one before: `s + x`, `s x`, the larger of both (NaN wins),
 * or, of two arrays, `a s + b`.
 */
export type Combination = "sum" | "product" | "max" | "recurrence";

/** The states before the first place. */
export const STARTS: Readonly<Record<Combination, number>> = {
  sum: 0,
  product: 1,
  max: -Infinity,
  recurrence: 0,
};

/** The running results along the axis, from its end where `reverse`. */
export function accumulateRows(
  out: NumberArray,
  inputs: readonly NumberArray[],
  { outer, count, inner }: AxisExtents,
  combination: Combination,
  reverse: boolean,
): void {
  const line = { count, step: reverse ? -inner : inner };
  const first = reverse ? (count - 1) * inner : 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      accumulateLine(out, inputs, combination, o * count * inner + first + j, line);
    }
  }
}

/** Places of a line: how many, and how far apart. */
interface Line {
  count: number;
  step: number;
}

function accumulateLine(
  out: NumberArray,
  [x, y]: readonly NumberArray[],
  combination: Combination,
  at: number,
  line: Line,
): void {
  switch (combination) {
    case "sum":
      if (x instanceof Float32Array) return sumFloat32(out as Float32Array, x, at, line);
      return sum(out, x!, at, line);
    case "product":
      return multiply(out, x!, at, line);
    case "max":
      return findMax(out, x!, at, line);
    case "recurrence":
      return recur(out, x!, y!, at, line);
  }
}

/** The same as below for one kind of array only: V8 makes it twice as fast. */
function sumFloat32(out: Float32Array, x: Float32Array, at: number, { count, step }: Line): void {
  let state = STARTS.sum;
  for (let i = 0; i < count; i++, at += step) {
    state += x[at]!;
    out[at] = state;
  }
}

function sum(out: NumberArray, x: NumberArray, at: number, { count, step }: Line): void {
  let state = STARTS.sum;
  for (let i = 0; i < count; i++, at += step) {
    state += x[at]!;
    out[at] = state;
  }
}

function multiply(out: NumberArray, x: NumberArray, at: number, { count, step }: Line): void {
  let state = STARTS.product;
  for (let i = 0; i < count; i++, at += step) {
    state *= x[at]!;
    out[at] = state;
  }
}

function findMax(out: NumberArray, x: NumberArray, at: number, { count, step }: Line): void {
  let state = STARTS.max;
  for (let i = 0; i < count; i++, at += step) {
    state = Math.max(state, x[at]!);
    out[at] = state;
  }
}

function recur(
  out: NumberArray,
  a: NumberArray,
  b: NumberArray,
  at: number,
  { count, step }: Line,
): void {
  let state = STARTS.recurrence;
  for (let i = 0; i < count; i++, at += step) {
    state = a[at]! * state + b[at]!;
    out[at] = state;
  }
}
