/**
 * Reductions of the middle axis of an (outer, count, inner) array. Sums run in float64.
 *
 * @module
 */

import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** What is done with sums: nothing; `Σ x / divisor`; or `√(Σ x² / divisor)`. */
export interface SumOptions {
  /** Which of these. */
  kind: "sum" | "mean" | "norm";
  /** The divisor. */
  divisor: number;
}

/** Sums along the axis. */
export function sumRows(
  out: NumberArray,
  data: NumberArray,
  extents: AxisExtents,
  { kind, divisor }: SumOptions = { kind: "sum", divisor: 1 },
): void {
  const { outer, count, inner } = extents;
  const square = kind === "norm";
  const finish = (sum: number) => square ? Math.sqrt(sum / divisor) : sum / divisor;
  if (inner === 1) {
    for (let o = 0; o < outer; o++) {
      const sum = square ? squaresOf(data, o * count, count) : sumOf(data, o * count, count);
      out[o] = kind === "sum" ? sum : finish(sum);
    }
    return;
  }
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    sums.fill(0);
    for (let i = 0; i < count; i++) {
      const at = (o * count + i) * inner;
      if (square) addSquares(sums, data, at);
      else if (data instanceof Float32Array) addFloat32(sums, data, at);
      else for (let j = 0; j < inner; j++) sums[j]! += data[at + j]!;
    }
    if (kind === "sum") (out as Float64Array).set(sums, o * inner);
    else for (let j = 0; j < inner; j++) out[o * inner + j] = finish(sums[j]!);
  }
}

function sumOf(data: NumberArray, start: number, count: number): number {
  return data instanceof Float32Array
    ? sumFloat32(data, start, count)
    : sumRange(data, start, count);
}

function squaresOf(data: NumberArray, start: number, count: number): number {
  return data instanceof Float32Array
    ? squareFloat32(data, start, count)
    : squareRange(data, start, count);
}

// Loops that see one kind of typed array only: V8 makes them twice as fast.

function sumFloat32(data: Float32Array, start: number, count: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const end = start + count;
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += data[i]!;
    b += data[i + 1]!;
    c += data[i + 2]!;
    d += data[i + 3]!;
  }
  for (; i < end; i++) a += data[i]!;
  return (a + b) + (c + d);
}

function squareFloat32(data: Float32Array, start: number, count: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const end = start + count;
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += data[i]! * data[i]!;
    b += data[i + 1]! * data[i + 1]!;
    c += data[i + 2]! * data[i + 2]!;
    d += data[i + 3]! * data[i + 3]!;
  }
  for (; i < end; i++) a += data[i]! * data[i]!;
  return (a + b) + (c + d);
}

function sumRange(data: NumberArray, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += data[i]!;
  return sum;
}

function squareRange(data: NumberArray, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += data[i]! * data[i]!;
  return sum;
}

function addFloat32(sums: Float64Array, data: Float32Array, at: number): void {
  for (let j = 0; j < sums.length; j++) sums[j]! += data[at + j]!;
}

function addSquares(sums: Float64Array, data: NumberArray, at: number): void {
  for (let j = 0; j < sums.length; j++) sums[j]! += data[at + j]! * data[at + j]!;
}

/** Extremes along the axis: the largest with `sign` 1, the smallest with −1; NaN where there is one. */
export function extremeRows(
  out: NumberArray,
  data: NumberArray,
  { outer, count, inner }: AxisExtents,
  sign: 1 | -1,
): void {
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      let at = o * count * inner + j;
      let best = data[at]!;
      for (let i = 1; i < count; i++) {
        const value = data[at += inner]!;
        if (sign * value > sign * best || value !== value) best = value;
      }
      out[o * inner + j] = best;
    }
  }
}

/** The first position of the extreme along the axis, or of the first NaN. */
export function argExtremeRows(
  out: NumberArray,
  data: NumberArray,
  { outer, count, inner }: AxisExtents,
  sign: 1 | -1,
): void {
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      let at = o * count * inner + j;
      let best = data[at]!;
      let position = 0;
      for (let i = 1; i < count && best === best; i++) {
        const value = data[at += inner]!;
        if (sign * value > sign * best || value !== value) {
          best = value;
          position = i;
        }
      }
      out[o * inner + j] = position;
    }
  }
}
