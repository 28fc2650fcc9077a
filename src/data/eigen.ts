/**
 * Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Householder reflections to a tridiagonal matrix, then implicit QL iterations with Wilkinson's
 * shifts (Golub and Van Loan, "Matrix computations", sections 8.3.1 and 8.3.3). All of it is
 * additions, multiplications, divisions and square roots: the same bits everywhere.
 *
 * @module
 */

/** Squares below this are no longer exact, and nothing next to entries of size 1. */
const NEGLIGIBLE = 2 ** -900;

/** Eigenvalues from the largest down, and eigenvectors of length 1 in the rows of `vectors`. */
export interface Eigen {
  /** The n eigenvalues. */
  values: Float64Array;
  /** The (n, n) eigenvectors, one per row. */
  vectors: Float64Array;
}

/** Decomposes the symmetric (n, n) matrix; only its lower triangle is read. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = new Float64Array(n * n);
  let scale = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) scale = Math.max(scale, Math.abs(matrix[i * n + j]!));
  }
  if (scale === 0) scale = 1;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = matrix[i * n + j]! / scale;
  }
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  tridiagonalize(a, vectors, n);
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    diagonal[i] = a[i * n + i]!;
    if (i + 1 < n) beside[i] = a[(i + 1) * n + i]!;
  }
  iterate(diagonal, beside, vectors, n);
  return sorted(diagonal, vectors, scale, n);
}

/** Reflects `a` from both sides into a tridiagonal matrix, and the rows of `vectors` with it. */
function tridiagonalize(a: Float64Array, vectors: Float64Array, n: number): void {
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    const first = k + 1;
    let rest = 0;
    for (let i = first + 1; i < n; i++) rest += (v[i] = a[i * n + k]!) ** 2;
    if (rest < NEGLIGIBLE) continue;
    const head = a[first * n + k]!;
    const length = head > 0 ? -Math.sqrt(rest + head * head) : Math.sqrt(rest + head * head);
    v[first] = head - length;
    const norm = Math.sqrt(rest + (head - length) ** 2);
    for (let i = first; i < n; i++) v[i]! /= norm;
    let projection = 0;
    for (let i = first; i < n; i++) {
      let sum = 0;
      for (let j = first; j < n; j++) sum += a[i * n + j]! * v[j]!;
      w[i] = sum;
      projection += sum * v[i]!;
    }
    for (let i = first; i < n; i++) w[i] = 2 * (w[i]! - projection * v[i]!);
    for (let i = first; i < n; i++) {
      const [vi, wi] = [v[i]!, w[i]!];
      for (let j = first; j < n; j++) a[i * n + j]! -= vi * w[j]! + wi * v[j]!;
    }
    a[first * n + k] = length;
    reflectRows(vectors, v, w, first, n);
  }
}

/** Reflects the rows of `vectors` from `first` on: each loses twice its part along `v`. */
function reflectRows(
  vectors: Float64Array,
  v: Float64Array,
  sums: Float64Array,
  first: number,
  n: number,
): void {
  sums.fill(0);
  for (let i = first; i < n; i++) {
    const vi = v[i]!;
    for (let j = 0; j < n; j++) sums[j]! += vi * vectors[i * n + j]!;
  }
  for (let i = first; i < n; i++) {
    const twice = 2 * v[i]!;
    for (let j = 0; j < n; j++) vectors[i * n + j]! -= twice * sums[j]!;
  }
}

/** QL iterations until the numbers beside the diagonal vanish; entries are at most about 1. */
function iterate(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m + 1 < n) {
        const size = Math.max(Math.abs(d[m]!) + Math.abs(d[m + 1]!), 2 ** -10);
        if (Math.abs(e[m]!) <= Number.EPSILON * size) break;
        m++;
      }
      if (m === l) break;
      step(d, e, vectors, l, m, n);
    }
  }
}

/** One implicit QL step on the unreduced block from `l` to `m`. */
function step(
  d: Float64Array,
  e: Float64Array,
  vectors: Float64Array,
  l: number,
  m: number,
  n: number,
): void {
  const ratio = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.sqrt(ratio * ratio + 1);
  let g = d[m]! - d[l]! + e[l]! / (ratio + (ratio < 0 ? -root : root));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = lengthOf(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The block splits here: what was rotated so far stands.
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotate(vectors, i * n, s, c, n);
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}

/** `√(f² + g²)` without leaving the range of exact squares. */
function lengthOf(f: number, g: number): number {
  const largest = Math.max(Math.abs(f), Math.abs(g));
  if (largest === 0) return 0;
  const [x, y] = [f / largest, g / largest];
  return largest * Math.sqrt(x * x + y * y);
}

/** Rotates the row that starts at `at` and the next one. */
function rotate(vectors: Float64Array, at: number, s: number, c: number, n: number): void {
  for (let j = at; j < at + n; j++) {
    const upper = vectors[j]!;
    const lower = vectors[j + n]!;
    vectors[j + n] = s * upper + c * lower;
    vectors[j] = c * upper - s * lower;
  }
}

function sorted(d: Float64Array, vectors: Float64Array, scale: number, n: number): Eigen {
  const order = Array.from(d, (_, i) => i).sort((i, j) => d[j]! - d[i]! || i - j);
  const out = new Float64Array(n * n);
  order.forEach((row, i) => out.set(vectors.subarray(row * n, (row + 1) * n), i * n));
  return { values: Float64Array.from(order, (i) => d[i]! * scale), vectors: out };
}
