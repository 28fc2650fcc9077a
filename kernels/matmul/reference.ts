/**
 * Matrix products with a 4×4 register tile, and squared distances, accumulated in float64.
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
  const { m, n, a, b, out } = layout;
  if (n !== 1 || m === 1 || out.strides.at(-2) !== 1) return layout;
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
const TILE = 4;

/** Rows of `k` that are packed at a time, so that a panel stays in the first-level cache. */
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
  const sums = new Float64Array(m * n);
  const rows = Math.ceil(m / TILE) * TILE;
  const panelA = new Float64Array(rows * Math.min(DEPTH, k));
  const panelB = new Float64Array(TILE * Math.min(DEPTH, k));
  for (let start = 0; start < k; start += DEPTH) {
    const depth = Math.min(DEPTH, k - start);
    for (let i = 0; i < m; i += TILE) {
      pack(panelA, i * depth, a.data, a.offset + i * a.rowStride + start * a.columnStride, {
        lanes: Math.min(TILE, m - i),
        laneStride: a.rowStride,
        depth,
        depthStride: a.columnStride,
      });
    }
    for (let j = 0; j < n; j += TILE) {
      const lanes = Math.min(TILE, n - j);
      pack(panelB, 0, b.data, b.offset + start * b.rowStride + j * b.columnStride, {
        lanes,
        laneStride: b.columnStride,
        depth,
        depthStride: b.rowStride,
      });
      for (let i = 0; i < m; i += TILE) {
        multiplyTile(
          sums,
          i * n + j,
          n,
          Math.min(TILE, m - i),
          lanes,
          panelA,
          i * depth,
          panelB,
          depth,
        );
      }
    }
  }
  out.set(sums, at);
};

/** How to pack: `lanes` rows (or columns) side by side for each of `depth` steps. */
interface Packing {
  lanes: number;
  laneStride: number;
  depth: number;
  depthStride: number;
}

function pack(panel: Float64Array, to: number, data: FloatArray, from: number, p: Packing): void {
  const { lanes, laneStride, depth, depthStride } = p;
  for (let lane = 0; lane < TILE; lane++) {
    let at = from + lane * laneStride;
    let o = to + lane;
    if (lane >= lanes) { for (let i = 0; i < depth; i++, o += TILE) panel[o] = 0; }
    else for (let i = 0; i < depth; i++, o += TILE, at += depthStride) panel[o] = data[at]!;
  }
}

/** Adds a 4×4 block of products to `sums`, of which `rows` × `columns` are real. */
function multiplyTile(
  sums: Float64Array,
  at: number,
  stride: number,
  rows: number,
  columns: number,
  a: Float64Array,
  p: number,
  b: Float64Array,
  depth: number,
): void {
  let [c00, c01, c02, c03] = [0, 0, 0, 0];
  let [c10, c11, c12, c13] = [0, 0, 0, 0];
  let [c20, c21, c22, c23] = [0, 0, 0, 0];
  let [c30, c31, c32, c33] = [0, 0, 0, 0];
  const end = depth * TILE;
  for (let q = 0; q < end; q += TILE, p += TILE) {
    const b0 = b[q]!;
    const b1 = b[q + 1]!;
    const b2 = b[q + 2]!;
    const b3 = b[q + 3]!;
    const a0 = a[p]!;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[p + 1]!;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[p + 2]!;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[p + 3]!;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  addRow(sums, at, columns, c00, c01, c02, c03);
  if (rows > 1) addRow(sums, at + stride, columns, c10, c11, c12, c13);
  if (rows > 2) addRow(sums, at + 2 * stride, columns, c20, c21, c22, c23);
  if (rows > 3) addRow(sums, at + 3 * stride, columns, c30, c31, c32, c33);
}

function addRow(
  sums: Float64Array,
  at: number,
  columns: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  sums[at]! += c0;
  if (columns > 1) sums[at + 1]! += c1;
  if (columns > 2) sums[at + 2]! += c2;
  if (columns > 3) sums[at + 3]! += c3;
}
