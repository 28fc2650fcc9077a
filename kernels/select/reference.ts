/**
 * Picking, adding up and sorting along the middle axis of an (outer, count, inner) array, and products
 * of sparse matrices.
 *
 * @module
 */

import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/**
 * Whole slices by one position each, `out[o, k, :] = data[o, indices[k], :]`, or single values,
 * `out[o, k, j] = data[o, indices[o, k, j], j]`.
 */
export function gatherRows(
  out: NumberArray,
  data: NumberArray,
  indices: NumberArray,
  by: "slice" | "value",
  { outer, count, inner }: AxisExtents,
): void {
  const picked = out.length / (outer * inner || 1);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < picked; k++) {
      if (by === "value") {
        for (let j = 0; j < inner; j++, at++) {
          out[at] = data[(o * count + indices[at]!) * inner + j]!;
        }
        continue;
      }
      const slice = (o * count + indices[k]!) * inner;
      if (inner > 16) out.set(data.subarray(slice, slice + inner), at);
      else for (let j = 0; j < inner; j++) out[at + j] = data[slice + j]!;
      at += inner;
    }
  }
}

/**
 * The adjoint: slices or values are added up, `results[o, indices[k], :] += data[o, k, :]`; or the
 * largest slices are found, where NaN wins.
 */
export function scatterRows(
  results: Float64Array,
  data: NumberArray,
  indices: NumberArray,
  { by, reduce }: { by: "slice" | "value"; reduce: "sum" | "max" },
  { outer, count, inner }: AxisExtents,
): void {
  const picked = data.length / (outer * inner || 1);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < picked; k++) {
      if (by === "value") {
        for (let j = 0; j < inner; j++, at++) {
          results[(o * count + indices[at]!) * inner + j]! += data[at]!;
        }
        continue;
      }
      const slice = (o * count + indices[k]!) * inner;
      if (reduce === "sum") {
        for (let j = 0; j < inner; j++, at++) results[slice + j]! += data[at]!;
      } else {
        for (let to = slice; to < slice + inner; to++, at++) {
          results[to] = Math.max(results[to]!, data[at]!);
        }
      }
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
