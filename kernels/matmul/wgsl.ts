/**
 * Products of float32 matrices in WGSL, and squared distances.
 *
 * Sums run in float32, multiplied and added at once where the adapter can: they deviate from the
 * exact ones by at most `(k + 1) · 2⁻²⁴ · Σ |a| |b|`, distances by `(k + 3) · 2⁻²⁴` of their size.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import type { Strides } from "../layout/reference.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import {
  createKernel,
  groupsFor,
  MOST_ROUNDS,
  planOf,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { type ProductLayout, splitOuter } from "./reference.ts";
import {
  type InnerProductDraft,
  innerProductKernel,
  type WgslMatrix,
} from "./wgsl_inner_product.ts";

/**
 * `out[…, m, n] = Σ term(a[…, m, k], b[…, k, n])`. Inputs: a, b; output: the sums. `tiled` is whether
 * workgroups share tiles: for GPUs, not for adapters in software.
 *
 * Long sums of which there are few are split into parts, which are added up by a second kernel.
 */
export function innerProductPlan(
  { name, term }: Pick<InnerProductDraft, "name" | "term">,
  layout: ProductLayout,
  tiled: boolean,
): WgslPlan {
  const { m, n } = layout;
  const { kept, sums } = splitOuter(layout);
  const [batch, terms] = [sizeOf(kept), [...sums, layout.k]];
  const k = sizeOf(terms);
  const parts = partsFor(batch * groupsFor(m, SIDE) * groupsFor(n, SIDE), k);
  const [a, b, out] = [
    matrixOf(layout.a, kept, terms, -1),
    matrixOf(layout.b, kept, terms, -2),
    matrixOf(layout.out, kept),
  ] as const;
  const draft = { name, term, tiled, m, k, n, batch, parts, a, b };
  if (parts === 1) return planOf(innerProductKernel({ ...draft, out }));
  const apart = { rowStride: n, columnStride: 1, offset: `result * ${m * n}u` };
  return {
    kernels: [
      { kernel: innerProductKernel({ ...draft, out: apart }), inputs: [0, 1], outputs: [3] },
      { kernel: sumPartsKernel(name, layout, parts, out), inputs: [3], outputs: [2] },
    ],
    temporaries: [batch * parts * m * n],
  };
}

/** How the matrices of a batch lie; the axis of an operand that is summed over, and those before it. */
function matrixOf(
  { offset, strides }: Strides,
  kept: readonly number[],
  terms: readonly number[] = [],
  axis: -1 | -2 = -1,
): WgslMatrix {
  const [rowStride, columnStride] = strides.slice(-2) as [number, number];
  const place = offsetOf("batch", kept, strides.slice(0, kept.length));
  const along = [...strides.slice(kept.length, -2), strides.at(axis)!];
  return {
    rowStride,
    columnStride,
    offset: offset === 0 ? place : `${offset}u + ${place}`,
    ...(terms.length > 1 ? { along: (term) => offsetOf(term, terms, along) } : {}),
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
  const least = Math.max(1, Math.ceil(k / MOST_ROUNDS));
  if (blocks * 4 > BUSY) return least;
  return Math.max(least, Math.min(Math.floor(k / LEAST_TERMS), Math.ceil(BUSY / blocks)));
}

/** `out[b, i] = Σ parts[b, p, i]`, in the order of p. */
function sumPartsKernel(
  name: string,
  layout: ProductLayout,
  parts: number,
  { rowStride, columnStride, offset }: WgslMatrix,
): WgslKernel {
  const { m, n } = layout;
  const count = sizeOf(splitOuter(layout).kept) * m * n;
  return createKernel({
    name: `${name} sum`,
    inputs: [{ name: "parts", type: "f32" }],
    outputs: [{ name: "out", type: "f32" }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
let batch = index / ${m * n}u;
let i = index % ${m * n}u;
let start = batch * ${parts * m * n}u + i;
var sum = 0.0;
for (var p = 0u; p < ${parts}u; p++) { sum += parts[start + p * ${m * n}u]; }
out[${offset} + i / ${n}u * ${rowStride}u + i % ${n}u * ${columnStride}u] = sum;`,
  });
}
