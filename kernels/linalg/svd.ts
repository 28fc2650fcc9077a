/**
 * Singular values and vectors.
 *
 * Rotations that make the columns of a matrix orthogonal (Jacobi's method from one side: Golub and
 * Van Loan, "Matrix computations", section 8.6.3) begin at the eigenvectors of AᵀA, which are
 * nearly there. So no digit is lost to squares, and small values keep theirs.
 *
 * @module
 */
import { symmetricEigen } from "./eigen.ts";
import { largestOf } from "./entries.ts";
import { turned } from "../matmul/reference.ts";
import { productOf, rowsOf } from "./products.ts";
import { orthogonalize } from "./qr.ts";

/** Rotations of all pairs, after which what is left stands. */
const SWEEPS = 30;

/** A = U·diag(s)·Vᵀ. */
export interface SingularValues {
  /** (m, n), of orthonormal columns. */
  u: Float64Array;
  /** The n values, from the largest down. */
  s: Float64Array;
  /** (n, n), of orthonormal rows. */
  vt: Float64Array;
}

/** Decomposes the (m, n) matrix of finite numbers, of at least as many rows as columns. */
export function decomposeSingular(a: Float64Array, m: number, n: number): SingularValues {
  const scale = largestOf(a);
  const { q, r } = orthogonalize(a.map((x) => x / scale), m, n);
  const rows = rowsOf(r, n);
  const { vectors } = symmetricEigen(productOf(turned(rows), rows, n, n, n), n);
  const images = productOf(rowsOf(vectors, n), turned(rows), n, n, n);
  rotateAll(images, vectors, n);
  const norms = squaresOf(images, n).map(Math.sqrt);
  const order = Array.from(norms, (_, i) => i).sort((i, j) => norms[j]! - norms[i]!);
  const columns = new Float64Array(n * n);
  const vt = new Float64Array(n * n);
  order.forEach((row, i) => {
    for (let j = 0; j < n; j++) columns[j * n + i] = images[row * n + j]!;
    vt.set(vectors.subarray(row * n, (row + 1) * n), i * n);
  });
  // The columns are orthogonal: their triangular factor is diagonal, and tells their signs.
  const units = orthogonalize(columns, n, n);
  for (let k = 0; k < n * n; k++) if (units.r[(k % n) * (n + 1)]! < 0) units.q[k]! *= -1;
  const u = productOf(rowsOf(q, n), rowsOf(units.q, n), m, n, n);
  return { u, s: Float64Array.from(order, (i) => norms[i]! * scale), vt };
}

/** The squared lengths of n rows. */
function squaresOf(rows: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => dot(rows, i * n, i * n, n));
}

/** Rotates pairs of rows until all of them are orthogonal, and the rows of `vectors` with them. */
function rotateAll(rows: Float64Array, vectors: Float64Array, n: number): void {
  const tolerance = Number.EPSILON * Math.max(2, Math.sqrt(n));
  for (let sweep = 0, turned = true; turned && sweep < SWEEPS; sweep++) {
    turned = false;
    const squares = squaresOf(rows, n);
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const product = dot(rows, i * n, j * n, n);
        if (Math.abs(product) <= tolerance * Math.sqrt(squares[i]!) * Math.sqrt(squares[j]!)) {
          continue;
        }
        turned = true;
        const ratio = (squares[j]! - squares[i]!) / (2 * product);
        const root = Math.abs(ratio) + Math.sqrt(1 + ratio * ratio);
        const tangent = ratio < 0 ? -1 / root : 1 / root;
        squares[i]! -= tangent * product;
        squares[j]! += tangent * product;
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(rows, i * n, j * n, cosine, cosine * tangent, n);
        rotate(vectors, i * n, j * n, cosine, cosine * tangent, n);
      }
    }
  }
}

function dot(rows: Float64Array, at: number, bt: number, n: number): number {
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    p += rows[at + i]! * rows[bt + i]!;
    q += rows[at + i + 1]! * rows[bt + i + 1]!;
    r += rows[at + i + 2]! * rows[bt + i + 2]!;
    s += rows[at + i + 3]! * rows[bt + i + 3]!;
  }
  for (; i < n; i++) p += rows[at + i]! * rows[bt + i]!;
  return p + q + (r + s);
}

function rotate(
  rows: Float64Array,
  at: number,
  bt: number,
  cosine: number,
  sine: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const x = rows[at + i]!;
    const y = rows[bt + i]!;
    rows[at + i] = cosine * x - sine * y;
    rows[bt + i] = sine * x + cosine * y;
  }
}
