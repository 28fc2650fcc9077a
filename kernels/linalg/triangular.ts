/**
 * Systems of equations whose matrix is triangular.
 *
 * @module
 */
import { partOf } from "../matmul/reference.ts";
import { BLOCK, type Rows, subtractProduct } from "./products.ts";

/** Which triangle is read, and whether its diagonal is 1. */
export interface Triangle {
  /** The lower one; else the upper one. */
  lower: boolean;
  /** Whether the diagonal counts as 1, and is not read. */
  unit?: boolean;
}

/**
 * Replaces the n rows of `x`, each of k columns, by the solution of T·X = B: block after block,
 * what those that are solved contribute is one product.
 */
export function solveTriangle(
  t: Rows,
  x: Rows,
  n: number,
  k: number,
  { lower, unit = false }: Triangle,
): void {
  const blocks = Math.ceil(n / BLOCK);
  for (let turn = 0; turn < blocks; turn++) {
    const start = (lower ? turn : blocks - 1 - turn) * BLOCK;
    const count = Math.min(BLOCK, n - start);
    const end = start + count;
    const [from, done] = lower ? [0, start] : [end, n - end];
    subtractProduct(
      partOf(x, start, 0),
      partOf(t, start, from),
      partOf(x, from, 0),
      count,
      done,
      k,
    );
    solveBlock(partOf(t, start, start), partOf(x, start, 0), count, k, lower, unit);
  }
}

/** The same of one block, row after row. */
function solveBlock(t: Rows, x: Rows, n: number, k: number, lower: boolean, unit: boolean): void {
  for (let turn = 0; turn < n; turn++) {
    const i = lower ? turn : n - 1 - turn;
    const first = lower ? 0 : i + 1;
    subtractProduct(partOf(x, i, 0), partOf(t, i, first), partOf(x, first, 0), 1, turn, k);
    if (unit) continue;
    const pivot = t.data[t.offset + i * (t.rowStride + t.columnStride)]!;
    const at = x.offset + i * x.rowStride;
    for (let j = 0; j < k; j++) x.data[at + j]! /= pivot;
  }
}
