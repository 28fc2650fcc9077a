/**
 * Squared Euclidean distances in WGSL, computed directly as `Σ (a − b)²`.
 *
 * Sums run in float32 in the order of the columns: distances deviate from the exact ones by at most
 * `(d + 3) · 2⁻²⁴` of their size. Equal rows are at distance 0.
 *
 * @module
 */
import { innerProductKernel } from "../matmul/wgsl_inner_product.ts";
import type { WgslKernel } from "../wgsl/kernel.ts";

/**
 * `out[i, j] = Σ_k (a[i, k] − b[j, k])²` for (n, d) `a` and (m, d) `b`. Inputs: a, b.
 *
 * @param options `tiled`: whether workgroups share tiles, for GPUs, not for adapters in software.
 */
export function squaredDistancesKernel(
  n: number,
  m: number,
  d: number,
  options: { readonly tiled: boolean },
): WgslKernel {
  return innerProductKernel({
    name: "pairwiseSquaredDistance",
    term: "squaredDifference",
    m: n,
    k: d,
    n: m,
    batch: 1,
    parts: 1,
    a: { rowStride: d, columnStride: 1, offset: "0u" },
    b: { rowStride: 1, columnStride: d, offset: "0u" },
    out: { rowStride: m, columnStride: 1, offset: "0u" },
    tiled: options.tiled,
  });
}
