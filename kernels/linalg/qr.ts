/**
 * A matrix as an orthonormal one times a triangular one.
 *
 * @module
 */
import { largestOf } from "./entries.ts";
import { reflectedIdentity, reflector } from "./reflections.ts";

/** A = Q·R. */
export interface OrthogonalTriangular {
  /** (m, n), of orthonormal columns. */
  q: Float64Array;
  /** (n, n), upper triangular. */
  r: Float64Array;
}

/**
 * Decomposes the (m, n) matrix, of at least as many rows as columns, by Householder reflections
 * (Golub and Van Loan, "Matrix computations", section 5.2.2) of LAPACK's signs.
 */
export function orthogonalize(a: Float64Array, m: number, n: number): OrthogonalTriangular {
  const scale = largestOf(a);
  const columns = new Float64Array(n * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) columns[j * m + i] = a[i * n + j]! / scale;
  }
  const directions = new Float64Array(n * m);
  const r = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const v = directions.subarray(k * m, (k + 1) * m);
    v.set(columns.subarray(k * m + k, (k + 1) * m), k);
    for (let i = 0; i < k; i++) r[i * n + k] = columns[k * m + i]! * scale;
    r[k * n + k] = reflector(v, k) * scale;
    for (let j = k + 1; j < n; j++) reflect(columns, j * m, v, k);
  }
  return { q: reflectedIdentity(directions, n, m, n), r };
}

/** Takes from a column twice its part along `v`, whose entries before `first` are 0. */
function reflect(columns: Float64Array, at: number, v: Float64Array, first: number): void {
  const { length } = v;
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let i = first;
  for (; i + 4 <= length; i += 4) {
    p += columns[at + i]! * v[i]!;
    q += columns[at + i + 1]! * v[i + 1]!;
    r += columns[at + i + 2]! * v[i + 2]!;
    s += columns[at + i + 3]! * v[i + 3]!;
  }
  for (; i < length; i++) p += columns[at + i]! * v[i]!;
  const twice = 2 * (p + q + r + s);
  for (i = first; i < length; i++) columns[at + i]! -= twice * v[i]!;
}
