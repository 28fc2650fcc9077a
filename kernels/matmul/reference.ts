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

/** Columns of `b` that are packed together: four accumulators wide. */
const WIDTH = 4;

/** Terms of sums that are packed at a time, so that a panel stays in the first-level cache. */
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
  const rows = new Float64Array((m + 1) * Math.min(DEPTH, k));
  const panel = new Float64Array(WIDTH * Math.min(DEPTH, k));
  for (let start = 0; start < k; start += DEPTH) {
    const depth = Math.min(DEPTH, k - start);
    for (let i = 0; i < m; i++) {
      const from = a.offset + i * a.rowStride + start * a.columnStride;
      copy(rows, i * depth, 1, a.data, from, a.columnStride, depth);
    }
    for (let j = 0; j < n; j += WIDTH) {
      const width = Math.min(WIDTH, n - j);
      for (let lane = 0; lane < width; lane++) {
        const from = b.offset + start * b.rowStride + (j + lane) * b.columnStride;
        copy(panel, lane, WIDTH, b.data, from, b.rowStride, depth);
      }
      for (let i = 0; i < m; i += 2) {
        addTile(sums, i * n + j, i + 1 < m ? n : 0, width, rows, i * depth, panel, depth);
      }
    }
  }
  out.set(sums, at);
};

/** The matrix with its axes exchanged. */
export function turned<M extends Omit<MatrixView, "data" | "offset">>(matrix: M): M {
  return { ...matrix, rowStride: matrix.columnStride, columnStride: matrix.rowStride };
}

/** Copies `count` values that lie some steps apart, to places that do. */
function copy(
  to: Float64Array,
  at: number,
  toStep: number,
  from: FloatArray,
  first: number,
  fromStep: number,
  count: number,
): void {
  for (let i = 0; i < count; i++, at += toStep, first += fromStep) to[at] = from[first]!;
}

/** Adds a tile of products to sums; `stride` is 0 where there is no second row. */
function addTile(
  sums: Float64Array,
  at: number,
  stride: number,
  width: number,
  rows: Float64Array,
  p: number,
  panel: Float64Array,
  depth: number,
): void {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  let t0 = 0, t1 = 0, t2 = 0, t3 = 0;
  for (let q = 0; q < depth * WIDTH; q += WIDTH, p++) {
    const x = rows[p]!;
    const y = rows[p + depth]!;
    const b0 = panel[q]!;
    const b1 = panel[q + 1]!;
    const b2 = panel[q + 2]!;
    const b3 = panel[q + 3]!;
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
