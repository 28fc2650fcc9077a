/** Distances between the rows of two arrays, by kernels for matrices that lie anyhow. */
import type { InnerProducts } from "../../kernels/matmul/reference.ts";
import type { FloatArray } from "../../src/dtype.ts";

/** Distances of all rows of one from all of the other. */
export type Distances = (
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
) => void;

/** `out[i, j] = Σ_k (a[i, k] − b[j, k])²` for (n, d) `a` and (m, d) `b`. */
export function amongRows(between: InnerProducts): Distances {
  return (out, a, b, n, m, d) => {
    const rows = { data: a, offset: 0, rowStride: d, columnStride: 1 };
    const columns = { data: b, offset: 0, rowStride: 1, columnStride: d };
    between(out, 0, rows, columns, n, d, m);
  };
}
