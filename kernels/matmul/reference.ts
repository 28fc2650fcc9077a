/**
 * Matrix products with a 2×4 register tile, and squared distances, accumulated in float64.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";
import type { Strides } from "../layout/reference.ts";

/** Where a matrix lies in an array: its first value, and the steps between rows and columns. */
export interface MatrixView {
  /** The array. */
  data: FloatArray;
  /** The position of the first value. */
  offset: number;
  /** Elements from a row to the next. */
  rowStride: number;
  /** Elements from a column to the next. */
  columnStride: number;
}

/** Products `(m, k) · (k, n)` for every position along outer axes. */
export interface ProductLayout {
  /** Extents of the outer axes. */
  readonly outer: readonly number[];
  /** How many of them, the last ones, are summed over as well: results do not move along these. */
  readonly summed?: number;
  /** Rows of the left matrices, and of the results. */
  readonly m: number;
  /** Terms of each sum. */
  readonly k: number;
  /** Columns of the right matrices, and of the results. */
  readonly n: number;
  /** Where the left ones lie in the first input, along `(…outer, m, k)`. */
  readonly a: Strides;
  /** Where the right ones lie in the second input, along `(…outer, k, n)`. */
  readonly b: Strides;
  /** Where the results lie in the output, along `(…outer, m, n)`. */
  readonly out: Strides;
}

/** The layout of columns as one of rows, which take fewer sums that nobody needs. */
export function withoutColumns(layout: ProductLayout): ProductLayout {
  const { m, n, out } = layout;
  return n !== 1 || m === 1 || out.strides.at(-2) !== 1 ? layout : turnedLayout(layout);
}

/** The layout of the transposed results, with the operands exchanged. */
export function turnedLayout(layout: ProductLayout): ProductLayout {
  const { m, n, a, b, out } = layout;
  const turn = ({ offset, strides }: Strides): Strides => {
    const [row, column] = strides.slice(-2) as [number, number];
    return { offset, strides: [...strides.slice(0, -2), column, row] };
  };
  return { ...layout, m: n, n: m, a: turn(b), b: turn(a), out: turn(out) };
}

/** The extents of the outer axes that results have, and of those that are summed over. */
export function splitOuter(
  { outer, summed = 0 }: ProductLayout,
): { kept: readonly number[]; sums: readonly number[] } {
  const count = outer.length - summed;
  return { kept: outer.slice(0, count), sums: outer.slice(count) };
}

/** Terms of sums that are added up apart, as in WebAssembly. */
const DEPTH = 256;

/** What a pair of numbers adds to a sum: their product, or the square of their difference. */
export type Term = "product" | "squaredDifference";

/** Sums `out[m, n]` over `k` of what `a[m, k]` and `b[k, n]` add; row-major from `out[at]` on. */
export type InnerProducts = (
  out: FloatArray,
  at: number,
  a: MatrixView,
  b: MatrixView,
  m: number,
  k: number,
  n: number,
) => void;

/**
 * Squared distances of rows of `a` from columns of `b`, as sums of `(a − b)²`: the expansion
 * `|a|² + |b|² − 2ab` loses all digits of float32 away from the origin.
 */
export const squaredDistances: InnerProducts = (out, at, a, b, m, k, n) => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let p = a.offset + i * a.rowStride;
      let q = b.offset + j * b.columnStride;
      for (let l = 0; l < k; l++, p += a.columnStride, q += b.rowStride) {
        const difference = a.data[p]! - b.data[q]!;
        sum += difference * difference;
      }
      out[at++] = sum;
    }
  }
};

/** Products of matrices. */
export const matmul: InnerProducts = (out, at, a, b, m, k, n) => {
  if (n === 1 && m > 1) return matmul(out, at, turned(b), turned(a), n, k, m);
  const sums = new Float64Array(m * n);
  for (let start = 0; start < k; start += DEPTH) {
    const depth = Math.min(DEPTH, k - start);
    for (let i = 0; i < m; i += 2) {
      const p = a.offset + i * a.rowStride + start * a.columnStride;
      const [stride, below] = i + 1 < m ? [n, a.rowStride] : [0, 0];
      for (let j = 0; j < n; j += 4) {
        const q = b.offset + start * b.rowStride + j * b.columnStride;
        const width = Math.min(4, n - j);
        addTile(sums, i * n + j, stride, width, a, p, below, b, q, depth);
      }
    }
  }
  out.set(sums, at);
};

/** The matrix with its axes exchanged. */
export function turned<M extends Omit<MatrixView, "data" | "offset">>(matrix: M): M {
  return { ...matrix, rowStride: matrix.columnStride, columnStride: matrix.rowStride };
}

/** The part of a matrix from a row and a column on. */
export function partOf<M extends MatrixView>(matrix: M, row: number, column: number): M {
  const offset = matrix.offset + row * matrix.rowStride + column * matrix.columnStride;
  return { ...matrix, offset };
}

/** Adds a tile of products to sums; `stride` and `below` are 0 where there is no second row. */
function addTile(
  sums: Float64Array,
  at: number,
  stride: number,
  width: number,
  { data: left, columnStride: across }: MatrixView,
  p: number,
  below: number,
  { data: right, rowStride: down, columnStride }: MatrixView,
  q: number,
  depth: number,
): void {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  let t0 = 0, t1 = 0, t2 = 0, t3 = 0;
  const c1 = width > 1 ? columnStride : 0;
  const c2 = width > 2 ? 2 * columnStride : 0;
  const c3 = width > 3 ? 3 * columnStride : 0;
  for (let l = 0; l < depth; l++, p += across, q += down) {
    const x = left[p]!;
    const y = left[p + below]!;
    const b0 = right[q]!;
    const b1 = right[q + c1]!;
    const b2 = right[q + c2]!;
    const b3 = right[q + c3]!;
    s0 += x * b0;
    s1 += x * b1;
    s2 += x * b2;
    s3 += x * b3;
    t0 += y * b0;
    t1 += y * b1;
    t2 += y * b2;
    t3 += y * b3;
  }
  addRow(sums, at, width, s0, s1, s2, s3);
  if (stride > 0) addRow(sums, at + stride, width, t0, t1, t2, t3);
}

function addRow(
  sums: Float64Array,
  at: number,
  width: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  sums[at]! += s0;
  if (width > 1) sums[at + 1]! += s1;
  if (width > 2) sums[at + 2]! += s2;
  if (width > 3) sums[at + 3]! += s3;
}
