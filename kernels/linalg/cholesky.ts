/**
 * The Cholesky factor of a positive definite matrix.
 *
 * @module
 */
import { turned } from "../matmul/reference.ts";
import { BLOCK, rowsOf, subtractProduct } from "./products.ts";

/**
 * Replaces the (n, n) matrix, of which the lower triangle is read, by the lower triangular L with
 * A = L·Lᵀ. Block columns from the left: what those before contribute is one product (Golub and Van
 * Loan, "Matrix computations", section 4.2.9).
 *
 * @returns Whether there is one; else all entries are NaN.
 */
export function factorizeCholesky(a: Float64Array, n: number): boolean {
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(start + BLOCK, n);
    const before = rowsOf(a, n, start * n);
    const panel = rowsOf(a, n, start * n + start);
    subtractProduct(panel, before, turned(before), n - start, start, end - start);
    if (!factorizeDiagonal(a, n, start, end)) {
      a.fill(NaN);
      return false;
    }
    let row = end;
    for (; row + 4 <= n; row += 4) solveFourRows(a, n, row, start, end);
    for (; row < n; row++) solveRow(a, n, row, start, end);
  }
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
  return true;
}

/** The factor of the block on the diagonal. */
function factorizeDiagonal(a: Float64Array, n: number, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    solveRow(a, n, i, start, i);
    let rest = a[i * n + i]!;
    for (let k = start; k < i; k++) rest -= a[i * n + k]! * a[i * n + k]!;
    if (!(rest > 0)) return false;
    a[i * n + i] = Math.sqrt(rest);
  }
  return true;
}

/** A row of the factor, in the columns of a block. */
function solveRow(a: Float64Array, n: number, row: number, start: number, end: number): void {
  const at = row * n;
  for (let j = start; j < end; j++) {
    let rest = a[at + j]!;
    for (let k = start; k < j; k++) rest -= a[at + k]! * a[j * n + k]!;
    a[at + j] = rest / a[j * n + j]!;
  }
}

/** The same of four rows at once, whose sums do not wait for each other. */
function solveFourRows(a: Float64Array, n: number, row: number, start: number, end: number): void {
  const at = row * n;
  const bt = at + n;
  const ct = bt + n;
  const dt = ct + n;
  for (let j = start; j < end; j++) {
    const jt = j * n;
    let p = a[at + j]!;
    let q = a[bt + j]!;
    let r = a[ct + j]!;
    let s = a[dt + j]!;
    for (let k = start; k < j; k++) {
      const factor = a[jt + k]!;
      p -= a[at + k]! * factor;
      q -= a[bt + k]! * factor;
      r -= a[ct + k]! * factor;
      s -= a[dt + k]! * factor;
    }
    const pivot = a[jt + j]!;
    a[at + j] = p / pivot;
    a[bt + j] = q / pivot;
    a[ct + j] = r / pivot;
    a[dt + j] = s / pivot;
  }
}
