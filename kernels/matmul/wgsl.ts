/**
 * Products of float32 matrices in WGSL, and squared distances.
 *
 * Sums run in float32, multiplied and added at once where the adapter can: they deviate from the
 * exact ones by at most `(k + 1) · 2⁻²⁴ · Σ |a| |b|`, distances by `(k + 3) · 2⁻²⁴` of their size.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import { reductionLoop } from "../elementwise/passes.ts";
import { emitRows } from "../elementwise/wgsl_rows.ts";
import { spaceOver } from "../elementwise/wgsl_space.ts";
import type { Strides } from "../layout/reference.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import {
  groupsFor,
  MOST_ROUNDS,
  PlanDraft,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { type ProductLayout, splitOuter } from "./reference.ts";
import {
  type InnerProductDraft,
  innerProductKernel,
  type WgslFactor,
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
  const startOf = ({ offset, strides }: Strides) => offsetOf("batch", kept, strides, offset);
  const factor = (own: Strides, side: -1 | -2, axis: -1 | -2): WgslFactor => {
    const along = [...own.strides.slice(kept.length, -2), own.strides.at(axis)!];
    return {
      start: startOf(own),
      side: own.strides.at(side)!,
      along: (term) => offsetOf(term, terms, along),
    };
  };
  const [a, b] = [factor(layout.a, -2, -1), factor(layout.b, -1, -2)];
  const [rowStride, columnStride] = layout.out.strides.slice(-2) as [number, number];
  const out = parts === 1
    ? { start: startOf(layout.out), rowStride, columnStride }
    : { start: `result * ${m * n}u`, rowStride: n, columnStride: 1 };
  const kernel = innerProductKernel({ name, term, tiled, m, k, n, batch, parts, a, b, out });
  const plan = new PlanDraft(3);
  if (parts === 1) plan.add(kernel, [0, 1], [2]);
  else {
    const partial = plan.temporary(batch * parts * m * n);
    plan.add(kernel, [0, 1], [partial]);
    plan.add(sumPartsKernel(layout, parts), [partial], [2]);
  }
  return plan;
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

/** `out[…, m, n] = Σ parts[…, p, m, n]`. */
function sumPartsKernel(layout: ProductLayout, parts: number): WgslKernel {
  const { m, n, out: { offset, strides } } = layout;
  const { kept } = splitOuter(layout);
  const space = spaceOver([...kept, parts, m, n], [kept.length]);
  const rows = [...strides.slice(0, kept.length), ...strides.slice(-2)];
  const results = { offset, rows, columns: [0] };
  const sum = reductionLoop({ reduce: "sum" }, "float32");
  return emitRows(sum, { ...space, results }, { lanes: 1, parts: 1 });
}
