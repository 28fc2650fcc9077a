/**
 * Elimination with pivots: triangular factors, determinants, solutions.
 *
 * @module
 */
import { partOf } from "../matmul/reference.ts";
import { BLOCK, rowsOf, subtractProduct } from "./products.ts";
import { solveTriangle } from "./triangular.ts";

/** P·A = L·U: both triangles in one matrix, as the diagonal of L is 1. */
export interface Elimination {
  /** L below the diagonal, U on it and above. */
  factors: Float64Array;
  /** Which row of A each row of P·A is. */
  order: Int32Array;
  /** The determinant of P, 1 or −1. */
  sign: number;
}

/**
 * Eliminates in the (n, n) matrix itself. In each column the largest number left is the pivot; NaN
 * counts as larger than any (Golub and Van Loan, "Matrix computations", section 3.4).
 */
export function eliminate(a: Float64Array, n: number): Elimination {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(start + BLOCK, n);
    for (let j = start; j < end; j++) {
      const pivot = findPivot(a, n, j);
      if (pivot !== j) {
        swapRows(a, order, n, j, pivot);
        sign = -sign;
      }
      eliminateColumn(a, n, j, end);
    }
    const [height, rest] = [end - start, n - end];
    const all = rowsOf(a, n);
    const right = partOf(all, start, end);
    solveTriangle(partOf(all, start, start), right, height, rest, { lower: true, unit: true });
    subtractProduct(partOf(all, end, end), partOf(all, end, start), right, rest, height, rest);
  }
  return { factors: a, order, sign };
}

function findPivot(a: Float64Array, n: number, column: number): number {
  let row = column;
  let largest = Math.abs(a[column * n + column]!);
  for (let i = column + 1; i < n && largest === largest; i++) {
    const size = Math.abs(a[i * n + column]!);
    if (size <= largest) continue;
    row = i;
    largest = size;
  }
  return row;
}

function swapRows(a: Float64Array, order: Int32Array, n: number, i: number, j: number): void {
  [order[i], order[j]] = [order[j]!, order[i]!];
  for (let k = 0, p = i * n, q = j * n; k < n; k++, p++, q++) {
    const value = a[p]!;
    a[p] = a[q]!;
    a[q] = value;
  }
}

/** Takes the pivot's row from those below, up to the end of the block. */
function eliminateColumn(a: Float64Array, n: number, column: number, end: number): void {
  const pivot = a[column * n + column]!;
  if (pivot === 0) return;
  for (let i = column + 1; i < n; i++) {
    const factor = a[i * n + column]! / pivot;
    a[i * n + column] = factor;
    for (let k = column + 1; k < end; k++) a[i * n + k]! -= factor * a[column * n + k]!;
  }
}

/** Whether there is a 0 on the diagonal of an (n, n) matrix. */
export function hasZero(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) if (a[i * (n + 1)] === 0) return true;
  return false;
}

/**
 * The (n, k) solution of A·X = B, or of Aᵀ·X = B, which may overwrite B; NaN where a pivot is 0.
 */
export function solveEliminated(
  lu: Elimination,
  b: Float64Array,
  n: number,
  k: number,
  transpose: boolean,
): Float64Array {
  if (hasZero(lu.factors, n)) return new Float64Array(n * k).fill(NaN);
  const { factors, order } = lu;
  const x = new Float64Array(n * k);
  const t = rowsOf(factors, n);
  if (transpose) {
    const turned = { ...t, rowStride: 1, columnStride: n };
    const y = rowsOf(b, k);
    solveTriangle(turned, y, n, k, { lower: true });
    solveTriangle(turned, y, n, k, { lower: false, unit: true });
    order.forEach((row, i) => x.set(y.data.subarray(i * k, (i + 1) * k), row * k));
    return x;
  }
  order.forEach((row, i) => x.set(b.subarray(row * k, (row + 1) * k), i * k));
  solveTriangle(t, rowsOf(x, k), n, k, { lower: true, unit: true });
  solveTriangle(t, rowsOf(x, k), n, k, { lower: false });
  return x;
}

/** A number as `digits · 2^exponent`, whatever its size. */
export interface Scaled {
  /** From 1 to 2 in size, or 0, infinite or NaN. */
  digits: number;
  exponent: number;
}

/** The product of the pivots. */
export function determinant({ factors, sign }: Elimination, n: number): Scaled {
  let digits = sign;
  let exponent = 0;
  for (let i = 0; i < n; i++) {
    const pivot = factors[i * (n + 1)]!;
    const size = exponentOf(pivot);
    digits *= pivot / 2 ** size;
    const carry = exponentOf(digits);
    digits /= 2 ** carry;
    exponent += size + carry;
  }
  return { digits: digits === 0 ? 0 : digits, exponent };
}

/** The power of two at or below a number's size, within the range of exponents. */
function exponentOf(x: number): number {
  const size = Math.abs(x);
  return size > 0 && size < Infinity ? Math.max(-1022, Math.floor(Math.log2(size))) : 0;
}

/** `x · digits · 2^exponent`, where none of the steps overflows unless the result does. */
export function scaledBy(x: number, { digits, exponent }: Scaled): number {
  const half = Math.trunc(exponent / 2);
  return x * digits * 2 ** half * 2 ** (exponent - half);
}

/** The logarithm of a scaled number's size. */
export function logOf({ digits, exponent }: Scaled): number {
  return Math.log(Math.abs(digits)) + exponent * Math.LN2;
}
