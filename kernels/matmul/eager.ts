/**
 * Matrix product of arrays, by the kernel that fits its size.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";
import { hasSimd } from "../wasm/features.ts";
import { matmul as matmulReference, type MatrixView } from "./reference.ts";
import { matmulWasm } from "./wasm.ts";

/**
 * Products of so many multiplications are left to WebAssembly: from there on it is 2.5 to 10 times as
 * fast (`bench/matmul_bench.ts`). Smaller ones take at most 30 µs, and keep their sums in float64.
 */
const MANY = 2 ** 15;

/** `out[m, n] = a[m, k] · b[k, n]`; `out` starts at `at`, is row-major and starts out as zeros. */
export function matmul(
  out: FloatArray,
  at: number,
  a: MatrixView,
  b: MatrixView,
  m: number,
  k: number,
  n: number,
): void {
  const multiply = m * k * n >= MANY && hasSimd() ? matmulWasm : matmulReference;
  multiply(out, at, a, b, m, k, n);
}
