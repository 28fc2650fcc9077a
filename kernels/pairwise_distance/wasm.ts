/**
 * Squared Euclidean distances in WebAssembly SIMD, computed directly as `Σ (a − b)²`.
 *
 * Sums run in the type of the points, in stretches of 256 squares that are then added up: distances
 * deviate from the exact ones by at most `(min(d, 256) + ⌈d / 256⌉ + 3) · 2⁻²⁴` of their size in
 * float32, and with `2⁻⁵³` in float64, where up to 256 dimensions give the reference's bits. Equal
 * rows are at distance 0, and exchanging the matrices transposes the result, bit for bit.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";
import { commonType, innerProduct, kernelOptions } from "../matmul/wasm.ts";

/**
 * `out[i, j] = Σ_k (a[i, k] − b[j, k])²` for (n, d) `a` and (m, d) `b`. Needs SIMD (`hasSimd()`).
 * Linear memory for copies is kept for the next call: 15 MB at most, 28 MB for float64; 36 and 69 MB
 * for points among themselves.
 */
export function squaredDistancesWasm(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
  relaxed?: boolean,
): void {
  const options = kernelOptions("squaredDifference", commonType(out, a, b), relaxed);
  const rows = { data: a, offset: 0, rowStride: d, columnStride: 1 };
  const columns = { data: b, offset: 0, rowStride: 1, columnStride: d };
  innerProduct(options, out, 0, rows, columns, n, d, m);
}
