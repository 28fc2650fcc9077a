/**
 * Products of float32 matrices in WGSL.
 *
 * Sums run in float32, multiplied and added at once where the adapter can: they deviate from the
 * exact ones by at most `(k + 1) · 2⁻²⁴ · Σ |a| |b|`.
 *
 * @module
 */
import { broadcastStrides, sizeOf } from "../../src/shape.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import { createKernel, groupsFor, planOf, type WgslKernel, type WgslPlan } from "../wgsl/kernel.ts";
import { innerProductKernel } from "./wgsl_inner_product.ts";

/** How matrices are read and which kernel is taken. */
export interface WgslMatmulOptions {
  /** Whether workgroups share tiles: for GPUs, not for adapters in software. */
  readonly tiled: boolean;
  /** Whether `a` lies as (k, m); `false` by default. */
  readonly transposeA?: boolean;
  /** Whether `b` lies as (n, k); `false` by default. */
  readonly transposeB?: boolean;
  /** The axes of `a` before its last two; none by default. */
  readonly batchA?: readonly number[];
  /** The axes of `b` before its last two, which broadcast with those of `a`; none by default. */
  readonly batchB?: readonly number[];
}

/**
 * `out[…, m, n] = a[…, m, k] · b[…, k, n]`. Inputs: a, b; output: the products, row-major.
 *
 * Long sums of which there are few are split into parts, which are added up by a second kernel.
 */
export function matmulPlan(
  m: number,
  k: number,
  n: number,
  options: WgslMatmulOptions,
): WgslPlan {
  const batch = sizeOf(broadcast(options.batchA ?? [], options.batchB ?? []));
  const parts = partsFor(batch * groupsFor(m, SIDE) * groupsFor(n, SIDE), k);
  const products = productKernel(m, k, n, parts, options);
  if (parts === 1) return planOf(products);
  const sums = sumPartsKernel(batch, parts, m * n);
  return {
    kernels: [
      { kernel: products, inputs: [0, 1], outputs: [3] },
      { kernel: sums, inputs: [3], outputs: [2] },
    ],
    temporaries: [batch * parts * m * n],
  };
}

/** The side of a block of results that is work for one processor of a GPU. */
const SIDE = 64;

/** How many such blocks keep a GPU busy. */
const BUSY = 128;

/** The least terms of a part. */
const LEAST_TERMS = 256;

/** Into how many parts to split the sums of so many blocks. */
function partsFor(blocks: number, k: number): number {
  if (blocks * 4 > BUSY) return 1;
  return Math.max(1, Math.min(Math.floor(k / LEAST_TERMS), Math.ceil(BUSY / blocks)));
}

/** `out[b, i] = Σ parts[b, p, i]`, in the order of p. */
function sumPartsKernel(batch: number, parts: number, size: number): WgslKernel {
  return createKernel({
    name: "matmul sum",
    inputs: [{ name: "parts", type: "f32" }],
    outputs: [{ name: "out", type: "f32" }],
    groups: groupsFor(batch * size),
    body: `if (index >= ${batch * size}u) { return; }
let start = index / ${size}u * ${parts * size}u + index % ${size}u;
var sum = 0.0;
for (var p = 0u; p < ${parts}u; p++) { sum += parts[start + p * ${size}u]; }
out[index] = sum;`,
  });
}

function productKernel(
  m: number,
  k: number,
  n: number,
  parts: number,
  options: WgslMatmulOptions,
): WgslKernel {
  const { tiled, transposeA = false, transposeB = false, batchA = [], batchB = [] } = options;
  const batch = broadcast(batchA, batchB);
  const offset = (own: readonly number[], size: number) =>
    offsetOf("batch", batch, broadcastStrides(own, batch).map((stride) => stride * size));
  return innerProductKernel({
    name: "matmul",
    term: "product",
    m,
    k,
    n,
    batch: sizeOf(batch),
    parts,
    a: { ...strides(m, k, transposeA), offset: offset(batchA, m * k) },
    b: { ...strides(k, n, transposeB), offset: offset(batchB, k * n) },
    tiled,
  });
}

function strides(rows: number, columns: number, transposed: boolean) {
  return transposed
    ? { rowStride: 1, columnStride: rows }
    : { rowStride: columns, columnStride: 1 };
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}
