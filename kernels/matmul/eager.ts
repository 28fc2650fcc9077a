/**
 * Matrix products and squared distances of arrays, by the kernel that fits their size.
 *
 * @module
 */
import { hasSimd } from "../wasm/features.ts";
import {
  type InnerProducts,
  matmul as matmulReference,
  squaredDistances,
  type Term,
} from "./reference.ts";
import { innerProductsWasm } from "./wasm.ts";

/**
 * Sums of so many terms are left to WebAssembly: from there on it is several times as fast
 * (`bench/matmul_bench.ts`, `bench/distance_bench.ts`). Fewer keep their sums in float64.
 */
const MANY = 2 ** 15;

/** The same of products of double precision, which have the same bits by either. */
const MANY_DOUBLES = 2 ** 13;

/** By the reference or by WebAssembly. */
function bySize(few: InnerProducts, many: InnerProducts, doubles = MANY): InnerProducts {
  return (out, at, a, b, m, k, n) => {
    const least = out instanceof Float64Array ? doubles : MANY;
    (m * k * n >= least && hasSimd() ? many : few)(out, at, a, b, m, k, n);
  };
}

/** What sums of each kind of terms are computed by. */
export const innerProducts: Readonly<Record<Term, InnerProducts>> = {
  product: bySize(matmulReference, innerProductsWasm("product"), MANY_DOUBLES),
  squaredDifference: bySize(squaredDistances, innerProductsWasm("squaredDifference")),
};

/** Products of matrices. */
export const matmul: InnerProducts = innerProducts.product;
