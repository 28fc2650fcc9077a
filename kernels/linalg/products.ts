/**
 * Products of parts of matrices, as factorizations that go block by block need them.
 *
 * @module
 */
import { matmul } from "../matmul/eager.ts";
import type { MatrixView } from "../matmul/reference.ts";

/** Rows and columns that are done together: what is left of the work are products. */
export const BLOCK = 32;

/** Products of so many multiplications are worth copying what they multiply. */
const MANY = 2 ** 13;

/** A matrix of float64 numbers, or a part of one. */
export interface Rows extends MatrixView {
  data: Float64Array;
}

/** The matrix whose rows have so many columns, from its entry `offset` on. */
export function rowsOf(data: Float64Array, columns: number, offset = 0): Rows {
  return { data, offset, rowStride: columns, columnStride: 1 };
}

/** `a[m, k] · b[k, n]` in rows of its own. */
export function productOf(a: Rows, b: Rows, m: number, k: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  matmul(out, 0, a, b, m, k, n);
  return out;
}

/** `c[m, n] −= a[m, k] · b[k, n]`, where the rows of `c` lie as they are read. */
export function subtractProduct(
  c: Rows,
  a: Rows,
  b: Rows,
  m: number,
  k: number,
  n: number,
): void {
  if (m * k * n === 0) return;
  if (m * k * n < MANY) return subtractFew(c, a, b, m, k, n);
  const product = productOf(a, b, m, k, n);
  const { data } = c;
  for (let i = 0; i < m; i++) {
    const at = c.offset + i * c.rowStride;
    for (let j = 0; j < n; j++) data[at + j]! -= product[i * n + j]!;
  }
}

/** The same of a few numbers, where they lie: four rows of `b` at a time. */
function subtractFew(c: Rows, a: Rows, b: Rows, m: number, k: number, n: number): void {
  const out = c.data;
  const left = a.data;
  const right = b.data;
  const across = a.columnStride;
  const step = b.columnStride;
  const down = b.rowStride;
  for (let i = 0; i < m; i++) {
    const at = c.offset + i * c.rowStride;
    let f = a.offset + i * a.rowStride;
    let from = b.offset;
    let p = 0;
    for (; p + 4 <= k; p += 4, f += 4 * across, from += 4 * down) {
      const f0 = left[f]!;
      const f1 = left[f + across]!;
      const f2 = left[f + 2 * across]!;
      const f3 = left[f + 3 * across]!;
      for (let j = 0, q = from; j < n; j++, q += step) {
        out[at + j]! -= f0 * right[q]! + f1 * right[q + down]! +
          (f2 * right[q + 2 * down]! + f3 * right[q + 3 * down]!);
      }
    }
    for (; p < k; p++, f += across, from += down) {
      const factor = left[f]!;
      for (let j = 0, q = from; j < n; j++, q += step) out[at + j]! -= factor * right[q]!;
    }
  }
}
