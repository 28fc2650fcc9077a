/**
 * Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Householder reflections to a tridiagonal matrix, then implicit QL iterations with Wilkinson's
 * shifts (Golub and Van Loan, "Matrix computations", sections 8.3.1 and 8.3.3).
 *
 * @module
 */
import { largestOf } from "./entries.ts";
import { reflectedIdentity, reflector } from "./reflections.ts";
import { type Rotations, rotations } from "./rotations.ts";

/** Eigenvalues from the largest down, and eigenvectors of length 1 in the rows of `vectors`. */
export interface Eigen {
  /** The n eigenvalues. */
  values: Float64Array;
  /** The (n, n) eigenvectors, one per row. */
  vectors: Float64Array;
}

/** Decomposes the symmetric (n, n) matrix of finite numbers; only its lower triangle is read. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) a.set(matrix.subarray(i * n, i * (n + 1) + 1), i * n);
  const scale = largestOf(a);
  for (let i = 0; i < a.length; i++) a[i]! /= scale;
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const q = tridiagonalize(a, diagonal, beside, n);
  const vectors = rotations(n);
  const { rows, pitch } = vectors;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) rows[i * pitch + j] = q[j * n + i]!;
  }
  iterate(diagonal, beside, vectors, n);
  return sorted(diagonal, vectors, scale, n);
}

/**
 * Reflects `a`, of which the lower triangle is kept, from both sides into a tridiagonal matrix.
 *
 * @returns The product of all reflections (n, n).
 */
function tridiagonalize(
  a: Float64Array,
  diagonal: Float64Array,
  beside: Float64Array,
  n: number,
): Float64Array {
  const count = Math.max(0, n - 2);
  const directions = new Float64Array(count * n);
  const w = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k]!;
    if (k >= count) continue;
    const v = directions.subarray(k * n, (k + 1) * n);
    for (let i = k + 1; i < n; i++) v[i] = a[i * n + k]!;
    beside[k] = reflector(v, k + 1);
    multiplySymmetric(a, v, w, k + 1, n);
    let projection = 0;
    for (let i = k + 1; i < n; i++) projection += w[i]! * v[i]!;
    for (let i = k + 1; i < n; i++) w[i] = 2 * (w[i]! - projection * v[i]!);
    subtractBoth(a, v, w, k + 1, n);
  }
  if (n > 1) beside[n - 2] = a[n * n - 2]!;
  return reflectedIdentity(directions, count, n, n);
}

/** `w = A·v` from the lower triangle of A, rows and columns from `first` on: two rows at a time. */
function multiplySymmetric(
  a: Float64Array,
  v: Float64Array,
  w: Float64Array,
  first: number,
  n: number,
): void {
  w.fill(0, first);
  let i = first;
  for (; i + 2 <= n; i += 2) {
    const at = i * n;
    const bt = at + n;
    const vi = v[i]!;
    const vj = v[i + 1]!;
    let p = 0;
    let q = 0;
    for (let j = first; j < i; j++) {
      const x = a[at + j]!;
      const y = a[bt + j]!;
      const vk = v[j]!;
      p += x * vk;
      q += y * vk;
      w[j]! += x * vi + y * vj;
    }
    const corner = a[bt + i]!;
    w[i] = p + a[at + i]! * vi + corner * vj;
    w[i + 1] = q + corner * vi + a[bt + i + 1]! * vj;
  }
  if (i === n) return;
  const at = i * n;
  const vi = v[i]!;
  let sum = a[at + i]! * vi;
  for (let j = first; j < i; j++) {
    sum += a[at + j]! * v[j]!;
    w[j]! += a[at + j]! * vi;
  }
  w[i] = sum;
}

/** `A −= v·wᵀ + w·vᵀ` in the lower triangle, rows and columns from `first` on. */
function subtractBoth(
  a: Float64Array,
  v: Float64Array,
  w: Float64Array,
  first: number,
  n: number,
): void {
  for (let i = first; i < n; i++) {
    const vi = v[i]!;
    const wi = w[i]!;
    const at = i * n;
    for (let j = first; j <= i; j++) a[at + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** QL iterations until the numbers beside the diagonal vanish; entries are at most about 1. */
function iterate(d: Float64Array, e: Float64Array, vectors: Rotations, n: number): void {
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m + 1 < n) {
        const size = Math.max(Math.abs(d[m]!) + Math.abs(d[m + 1]!), 2 ** -10);
        if (Math.abs(e[m]!) <= Number.EPSILON * size) break;
        m++;
      }
      if (m === l) break;
      vectors.rotate(step(d, e, vectors, l, m), m);
    }
  }
}

/**
 * One implicit QL step on the unreduced block from `l` to `m`.
 *
 * @returns The first vector that its rotations reach, each of two neighbours.
 */
function step(
  d: Float64Array,
  e: Float64Array,
  { sines, cosines }: Rotations,
  l: number,
  m: number,
): number {
  const ratio = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.sqrt(ratio * ratio + 1);
  let g = d[m]! - d[l]! + e[l]! / (ratio + (ratio < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = lengthOf(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The block splits here: what was rotated so far stands.
      d[i + 1]! -= p;
      e[m] = 0;
      return i + 1;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    sines[i] = s;
    cosines[i] = c;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
  return l;
}

/** `√(f² + g²)` without leaving the range of exact squares. */
function lengthOf(f: number, g: number): number {
  const largest = Math.max(Math.abs(f), Math.abs(g));
  if (largest === 0) return 0;
  const x = f / largest;
  const y = g / largest;
  return largest * Math.sqrt(x * x + y * y);
}

/** Values from the largest down, and the rows that belong to them. */
function sorted(d: Float64Array, { rows, pitch }: Rotations, scale: number, n: number): Eigen {
  const order = Array.from(d, (_, i) => i).sort((i, j) => d[j]! - d[i]! || i - j);
  const vectors = new Float64Array(n * n);
  order.forEach((row, i) => vectors.set(rows.subarray(row * pitch, row * pitch + n), i * n));
  return { values: Float64Array.from(order, (i) => d[i]! * scale), vectors };
}
