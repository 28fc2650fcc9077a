/**
 * Sorting along the middle axis of an (outer, count, inner) array in WGSL.
 *
 * Bitonic networks on pairs of a key and the place that it came from: the place decides between
 * equal keys, so the order is that of a stable sort. Blocks of up to 2048 pairs are sorted in
 * workgroup memory; longer rows are merged from them. Where only few of the first are wanted, they
 * are found first and only they are sorted.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { firstPairsKernel, LONGEST, MOST_FIRST } from "./wgsl_first.ts";
import { blockKernel, MOST_PAIRS, stepKernel } from "./wgsl_network.ts";
import type { AxisExtents } from "../../src/shape.ts";
import type { SortOrder } from "./reference.ts";

/** Rows up to this length, or twice what is wanted, are sorted where some of the first are wanted. */
const FEW = 128;

/** How to sort; by default, NaN comes last. */
export type WgslSortOptions = Omit<SortOrder, "nanFirst"> & Partial<Pick<SortOrder, "nanFirst">>;

/** A plan that grows kernel by kernel. */
export class PlanDraft {
  readonly #buffers: number;
  readonly #kernels: WgslPlan["kernels"][number][] = [];
  readonly #temporaries: number[] = [];

  /** A plan of an operation with so many inputs and outputs together. */
  constructor(buffers: number) {
    this.#buffers = buffers;
  }

  /** The number of a new temporary of so many words. */
  temporary(words: number): number {
    return this.#buffers + this.#temporaries.push(words) - 1;
  }

  /** Adds a kernel. */
  add(kernel: WgslKernel, inputs: readonly number[], outputs: readonly number[]): void {
    this.#kernels.push({ kernel, inputs, outputs });
  }

  /** The plan so far. */
  plan(): WgslPlan {
    return { kernels: this.#kernels, temporaries: this.#temporaries };
  }
}

/**
 * The first `kept` positions in ascending order along the axis (descending where asked), as int32;
 * equal values keep their order and NaN comes last, unless `nanFirst`. Input: the values.
 */
export function argSortPlan(
  element: WgslElement,
  around: AxisExtents,
  options: WgslSortOptions,
): WgslPlan {
  const draft = new PlanDraft(2);
  const { outer, inner } = around;
  const { kept } = options;
  const size = outer * kept * inner;
  const [, places] = sortPairs(draft, 0, element, around, options);
  const kernel = createKernel({
    name: "argSort positions",
    inputs: [{ name: "places", type: "u32" }],
    outputs: [{ name: "y", type: "i32" }],
    groups: groupsFor(size),
    body: `if (index >= ${size}u) { return; }
let row = index / ${kept * inner}u * ${inner}u + index % ${inner}u;
y[index] = i32(places[row * ${kept}u + index / ${inner}u % ${kept}u]);`,
  });
  draft.add(kernel, [places], [1]);
  return draft.plan();
}

/**
 * Adds kernels that sort an axis to a plan.
 *
 * @param draft The plan.
 * @param input The number of the buffer to sort.
 * @returns The temporaries with the keys and the places that they came from: `kept` for each of
 * (outer, inner).
 */
export function sortPairs(
  draft: PlanDraft,
  input: number,
  element: WgslElement,
  around: AxisExtents,
  options: WgslSortOptions,
): [keys: number, places: number] {
  const { outer, count, inner } = around;
  const { descending, kept, nanFirst } = options;
  const rows = outer * inner;
  const source = { element, around, descending, nanFirst };
  const isFew = kept <= MOST_FIRST && count > Math.max(FEW, 2 * kept);
  if (isFew && count <= LONGEST) {
    const first = pairs(draft, rows * kept);
    draft.add(firstPairsKernel(rows, source, kept), [input], first);
    return first;
  }
  const width = count > MOST_PAIRS ? count : kept;
  const sorted = pairs(draft, rows * width);
  draft.add(blockKernel({ rows, length: count, source }, width), [input], sorted);
  mergeBlocks(draft, sorted, rows, count);
  return kept === width ? sorted : keepFirst(draft, sorted, rows, count, kept);
}

/** Temporaries for so many keys and places. */
function pairs(draft: PlanDraft, count: number): [keys: number, places: number] {
  return [draft.temporary(count), draft.temporary(count)];
}

/** Merges the sorted blocks of each row, in place. */
function mergeBlocks(
  draft: PlanDraft,
  sorted: readonly number[],
  rows: number,
  length: number,
): void {
  for (let size = 2 * MOST_PAIRS; size < 2 * length; size *= 2) {
    for (let stride = size / 2; stride >= MOST_PAIRS; stride /= 2) {
      draft.add(stepKernel(rows, length, size, stride), [], sorted);
    }
    draft.add(blockKernel({ rows, length }, length), [], sorted);
  }
}

/** The first pairs of each row. */
function keepFirst(
  draft: PlanDraft,
  sorted: readonly number[],
  rows: number,
  length: number,
  kept: number,
): [number, number] {
  const size = rows * kept;
  const first = pairs(draft, size);
  const kernel = createKernel({
    name: "sort first pairs",
    inputs: [{ name: "keys", type: "u32" }, { name: "places", type: "u32" }],
    outputs: [{ name: "keysOut", type: "u32" }, { name: "placesOut", type: "u32" }],
    groups: groupsFor(size),
    body: `if (index >= ${size}u) { return; }
let origin = index / ${kept}u * ${length}u + index % ${kept}u;
keysOut[index] = keys[origin];
placesOut[index] = places[origin];`,
  });
  draft.add(kernel, sorted, first);
  return first;
}
