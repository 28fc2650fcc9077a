/**
 * Squared Euclidean distances between the rows of two matrices, computed directly as `Σ (a − b)²`:
 * the expansion `|a|² + |b|² − 2ab` loses all digits of float32 away from the origin.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";

/** Rows of `b` that are compared at a time, transposed so that neighbours lie together. */
const BLOCK = 8;

/** `out[i, j] = Σ_k (a[i, k] − b[j, k])²` for (n, d) `a` and (m, d) `b`. */
export function squaredDistances(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
): void {
  const row = new Float64Array(d);
  const block = new Float64Array(d * BLOCK);
  const sums = new Float64Array(BLOCK);
  for (let j = 0; j < m; j += BLOCK) {
    const width = Math.min(BLOCK, m - j);
    for (let w = 0; w < width; w++) {
      for (let k = 0; k < d; k++) block[k * BLOCK + w] = b[(j + w) * d + k]!;
    }
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) row[k] = a[i * d + k]!;
      sumSquares(sums, row, block);
      for (let w = 0; w < width; w++) out[i * m + j + w] = sums[w]!;
    }
  }
}

function sumSquares(sums: Float64Array, row: Float64Array, block: Float64Array): void {
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0, q = 0; k < row.length; k++, q += BLOCK) {
    const x = row[k]!;
    const d0 = x - block[q]!;
    const d1 = x - block[q + 1]!;
    const d2 = x - block[q + 2]!;
    const d3 = x - block[q + 3]!;
    const d4 = x - block[q + 4]!;
    const d5 = x - block[q + 5]!;
    const d6 = x - block[q + 6]!;
    const d7 = x - block[q + 7]!;
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
    s4 += d4 * d4;
    s5 += d5 * d5;
    s6 += d6 * d6;
    s7 += d7 * d7;
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
  sums[4] = s4;
  sums[5] = s5;
  sums[6] = s6;
  sums[7] = s7;
}
