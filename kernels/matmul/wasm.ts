/**
 * Matrix product in WebAssembly SIMD.
 *
 * float64 sums are those of the reference, bit for bit. float32 sums run in float32, in stretches of
 * 256 products that are then added up: they deviate from the exact sum by at most
 * `(min(k, 256) + ⌈k / 256⌉ + 1) · 2⁻²⁴ · Σ |a| |b|`. The same machine gives the same bits each time;
 * another may give others within that bound, as some round a product before they add it and some
 * do not.
 *
 * @module
 */
import type { FloatType } from "./emit.ts";
import { InnerProduct, kernelOptions } from "./inner_product.ts";
import type { MatrixArray, MatrixView } from "./reference.ts";
import { commonType, innerProduct } from "./staging.ts";

/** A kernel for matrices that lie in `memory`. Needs SIMD (`hasSimd()`). */
export function createMatmul(
  memory: WebAssembly.Memory,
  dtype: FloatType,
  relaxed?: boolean,
): InnerProduct {
  return new InnerProduct(memory, kernelOptions("product", dtype, relaxed));
}

/**
 * `out[m, n] = a[m, k] · b[k, n]`; `out` starts at `at` and is row-major. Needs SIMD (`hasSimd()`).
 * Linear memory for copies is kept for the next call: 15 MB at most, 28 MB for float64.
 */
export function matmulWasm(
  out: MatrixArray,
  at: number,
  a: MatrixView,
  b: MatrixView,
  m: number,
  k: number,
  n: number,
  relaxed?: boolean,
): void {
  const options = kernelOptions("product", commonType(out, a.data, b.data), relaxed);
  innerProduct(options, out, at, a, b, m, k, n);
}
