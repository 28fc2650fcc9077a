/**
 * Squared distances between the rows of arrays, by the kernel that fits their number.
 *
 * @module
 */
import type { FloatArray } from "../../src/dtype.ts";
import { hasSimd } from "../wasm/features.ts";
import { squaredDistances as squaredDistancesReference } from "./reference.ts";
import { squaredDistancesWasm } from "./wasm.ts";

/**
 * Distances of so many squares are left to WebAssembly: from there on it is 6 to 17 times as fast
 * (`bench/distance_bench.ts`). Fewer take at most 30 µs, and keep their sums in float64.
 */
const MANY = 2 ** 15;

/** `out[i, j] = Σ_k (a[i, k] − b[j, k])²` for (n, d) `a` and (m, d) `b`. */
export function squaredDistances(
  out: FloatArray,
  a: FloatArray,
  b: FloatArray,
  n: number,
  m: number,
  d: number,
): void {
  const wasm = n * m * d >= MANY && hasSimd();
  const compute = wasm ? squaredDistancesWasm : squaredDistancesReference;
  compute(out, a, b, n, m, d);
}
