/**
 * Sorting along axes of an array in WGSL.
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
  PlanDraft,
  type WgslElement,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { firstPairsKernel, LONGEST, MOST_FIRST } from "./wgsl_first.ts";
import { blockKernel, MOST_PAIRS, stepKernel } from "./wgsl_network.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { type LoopSpace, spaceOver } from "../elementwise/wgsl_space.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import type { SortOrder } from "./reference.ts";

/** Rows up to this length, or twice what is wanted, are sorted where some of the first are wanted. */
const FEW = 128;

/**
 * The first `kept` positions in order along an axis, as int32; equal values keep their order. Of
 * several axes, positions count through all of them, and only the first is to be kept.
 * Input: the values.
 */
export function argSortPlan(
  element: WgslElement,
  shape: Shape,
  axes: readonly number[],
  order: SortOrder,
): WgslPlan {
  const draft = new PlanDraft(2);
  const { kept } = order;
  const space = spaceOver(shape, axes);
  const inner = sizeOf(shape.slice(axes.at(-1)! + 1));
  const size = sizeOf(space.rows) * kept;
  const { places, width } = sortPairs(draft, 0, element, space, order);
  const kernel = createKernel({
    name: "argSort positions",
    inputs: [{ name: "places", type: "u32" }],
    outputs: [{ name: "y", type: "i32" }],
    groups: groupsFor(size),
    body: `if (index >= ${size}u) { return; }
let row = index / ${kept * inner}u * ${inner}u + index % ${inner}u;
y[index] = i32(places[row * ${width}u + index / ${inner}u % ${kept}u]);`,
  });
  draft.add(kernel, [places], [1]);
  return draft;
}

/** The temporaries that hold pairs in order, and how many each row has. */
export interface SortedPairs {
  /** The keys. */
  readonly keys: number;
  /** The places that they came from. */
  readonly places: number;
  /** All of a row, or as many as are kept. */
  readonly width: number;
}

/** Adds kernels to a plan that sort the columns of a buffer, each row by itself. */
export function sortPairs(
  draft: PlanDraft,
  input: number,
  element: WgslElement,
  { rows, columns, operands: [walk] }: LoopSpace,
  order: SortOrder,
): SortedPairs {
  const { kept } = order;
  const [count, length] = [sizeOf(rows), sizeOf(columns)];
  const isFew = kept <= MOST_FIRST && length > Math.max(FEW, 2 * kept) && length <= LONGEST;
  const width = isFew || length <= MOST_PAIRS ? kept : length;
  const [keys, places] = [draft.temporary(count * width), draft.temporary(count * width)];
  const at = `${offsetOf("row", rows, walk!.rows)} + ${offsetOf("place", columns, walk!.columns)}`;
  const own = { rows: count, length, source: { element, at, order } };
  const first = isFew ? firstPairsKernel(own, kept) : blockKernel(own, width);
  draft.add(first, [input], [keys, places]);
  // The sorted blocks of each row are merged in place.
  for (let size = 2 * MOST_PAIRS; !isFew && size < 2 * length; size *= 2) {
    for (let stride = size / 2; stride >= MOST_PAIRS; stride /= 2) {
      draft.add(stepKernel(count, length, size, stride), [], [keys, places]);
    }
    draft.add(blockKernel({ rows: count, length }, length), [], [keys, places]);
  }
  return { keys, places, width };
}
