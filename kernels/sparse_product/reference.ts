/**
 * Products of sparse matrices with dense ones: what the WebAssembly is to give, to the bit.
 *
 * @module
 */
import type { NumberArray } from "../../src/dtype.ts";

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
  sums: Float32Array | Float64Array,
  { values, rows, columns }: Entries,
  table: NumberArray,
  inner: number,
): void {
  const isNarrow = sums instanceof Float32Array;
  for (let e = 0; e < values.length; e++) {
    const [to, from, value] = [rows[e]! * inner, columns[e]! * inner, values[e]!];
    if (isNarrow) {
      for (let j = 0; j < inner; j++) sums[to + j]! += Math.fround(value * table[from + j]!);
    } else for (let j = 0; j < inner; j++) sums[to + j]! += value * table[from + j]!;
  }
}
