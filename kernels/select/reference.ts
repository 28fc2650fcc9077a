/**
 * Picking, adding up and sorting along the middle axis of an (outer, count, inner) array, and products
 * of sparse matrices.
 *
 * @module
 */

import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** Whole slices by their positions: `out[o, k, :] = data[o, indices[k], :]`. */
export function gatherSlices(
  out: NumberArray,
  data: NumberArray,
  indices: NumberArray,
  { outer, count, inner }: AxisExtents,
): void {
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < indices.length; k++, at += inner) {
      const from = (o * count + indices[k]!) * inner;
      if (inner > 16) out.set(data.subarray(from, from + inner), at);
      else for (let j = 0; j < inner; j++) out[at + j] = data[from + j]!;
    }
  }
}

/** The adjoint: `sums[o, indices[k], :] += data[o, k, :]`. */
export function scatterAddSlices(
  sums: Float64Array,
  data: NumberArray,
  indices: NumberArray,
  { outer, count, inner }: AxisExtents,
): void {
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < indices.length; k++, at += inner) {
      const to = (o * count + indices[k]!) * inner;
      for (let j = 0; j < inner; j++) sums[to + j]! += data[at + j]!;
    }
  }
}

/** The largest of them: `maxima[o, indices[k], :] = max(…, data[o, k, :])`; NaN wins. */
export function maxSlices(
  maxima: NumberArray,
  data: NumberArray,
  indices: NumberArray,
  { outer, count, inner }: AxisExtents,
): void {
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < indices.length; k++, at += inner) {
      const to = (o * count + indices[k]!) * inner;
      for (let j = 0; j < inner; j++) maxima[to + j] = Math.max(maxima[to + j]!, data[at + j]!);
    }
  }
}

/** A sparse matrix by its entries, in any order; several at one place are added up. */
export interface Entries {
  /** The values. */
  readonly values: NumberArray;
  /** The row of each. */
  readonly rows: NumberArray;
  /** The column of each. */
  readonly columns: NumberArray;
}

/**
 * `sums[rows[e], :] += values[e] · table[columns[e], :]` for one entry after the other, each product
 * and each sum rounded to the type of the sums.
 */
export function addSparseProduct(
  sums: NumberArray,
  { values, rows, columns }: Entries,
  table: NumberArray,
  inner: number,
): void {
  for (let e = 0; e < values.length; e++) {
    const [to, from, value] = [rows[e]! * inner, columns[e]! * inner, values[e]!];
    if (sums instanceof Float32Array) {
      for (let j = 0; j < inner; j++) sums[to + j]! += Math.fround(value * table[from + j]!);
    } else if (sums instanceof Float64Array) {
      for (let j = 0; j < inner; j++) sums[to + j]! += value * table[from + j]!;
    } else for (let j = 0; j < inner; j++) sums[to + j]! += Math.imul(value, table[from + j]!);
  }
}

/** Single values by their positions: `out[o, k, j] = data[o, indices[o, k, j], j]`. */
export function gatherAlong(
  out: NumberArray,
  data: NumberArray,
  indices: NumberArray,
  { outer, count, inner }: AxisExtents,
): void {
  const picked = outer * inner === 0 ? 0 : indices.length / (outer * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < picked; k++) {
      for (let j = 0; j < inner; j++, at++) {
        out[at] = data[(o * count + indices[at]!) * inner + j]!;
      }
    }
  }
}

/** The adjoint: `sums[o, indices[o, k, j], j] += data[o, k, j]`. */
export function scatterAddAlong(
  sums: Float64Array,
  data: NumberArray,
  indices: NumberArray,
  { outer, count, inner }: AxisExtents,
): void {
  const picked = outer * inner === 0 ? 0 : indices.length / (outer * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < picked; k++) {
      for (let j = 0; j < inner; j++, at++) {
        sums[(o * count + indices[at]!) * inner + j]! += data[at]!;
      }
    }
  }
}

/** How an axis is sorted. */
export interface SortOrder {
  /** Whether the largest come first. */
  readonly descending: boolean;
  /** How many positions are kept. */
  readonly kept: number;
  /** Whether NaN comes before all else, or after it. */
  readonly nanFirst: boolean;
}

/** The first `kept` positions in order along the axis; equal values keep their order. */
export function argSortRows(
  out: NumberArray,
  data: NumberArray,
  { outer, count, inner }: AxisExtents,
  { descending, kept, nanFirst }: SortOrder,
): void {
  const values = new Float64Array(count);
  const sign = descending ? -1 : 1;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      for (let i = 0; i < count; i++) values[i] = sign * data[(o * count + i) * inner + j]!;
      const order = sortPositions(values, nanFirst);
      for (let k = 0; k < kept; k++) out[(o * kept + k) * inner + j] = order[k]!;
    }
  }
}

/** The positions of values in order, by merging. */
function sortPositions(values: Float64Array, nanFirst: boolean): Int32Array {
  const { length } = values;
  let [order, merged] = [0, 1].map(() => new Int32Array(length)) as [Int32Array, Int32Array];
  for (let i = 0; i < length; i++) order[i] = i;
  for (let width = 1; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, length), Math.min(start + 2 * width, length)];
      let [i, j] = [start, middle];
      for (let k = start; k < end; k++) {
        const isLeft = i < middle &&
          (j === end || !isBefore(values[order[j]!]!, values[order[i]!]!, nanFirst));
        merged[k] = order[isLeft ? i++ : j++]!;
      }
    }
    [order, merged] = [merged, order];
  }
  return order;
}

function isBefore(x: number, y: number, nanFirst: boolean): boolean {
  return x < y || (nanFirst ? x !== x && y === y : y !== y && x === x);
}
