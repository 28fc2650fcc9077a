/**
 * Mini-batches: which items are seen together, and in which order. A batch is an array of positions;
 * what they are positions of is the caller's business.
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { foldIn, permutation } from "@cellgrad/cellgrad/random";

/** How items are divided into batches. */
export interface BatchOptions {
  /** Items per batch. */
  size: number;
  /**
   * What becomes of items that fill no batch: `"drop"` leaves them out of this epoch, so that all
   * batches have one shape and a compiled step needs one program; `"keep"` makes them a smaller
   * batch. `"drop"` by default; where there is no full batch, they are always kept.
   */
  remainder?: "drop" | "keep";
}

/** All items in random order, cut into batches. */
export function shuffledBatches(key: Tensor, count: number, options: BatchOptions): Int32Array[] {
  return cut(permutation(key, count).data as Int32Array, options);
}

/**
 * Batches of items of one group each, groups and items shuffled: scGPT's `SubsetsBatchSampler`,
 * under which the cells of a mini-batch come from one experiment. A group smaller than a batch is a
 * batch of its own.
 */
export function groupedBatches(
  key: Tensor,
  groups: ArrayLike<number>,
  options: BatchOptions,
): Int32Array[] {
  const members: number[][] = [];
  for (let item = 0; item < groups.length; item++) (members[groups[item]!] ??= []).push(item);
  const batches = members.filter((items) => items.length > 0).flatMap((items, group) => {
    const order = permutation(foldIn(key, group + 1), items.length).data;
    return cut(Int32Array.from(order, (position) => items[position]!), options);
  });
  const order = permutation(foldIn(key, 0), batches.length).data;
  return Array.from(order, (position) => batches[position]!);
}

function cut(order: Int32Array, { size, remainder = "drop" }: BatchOptions): Int32Array[] {
  const full = Math.floor(order.length / size);
  const whole = full > 0 && remainder === "drop" ? full : Math.ceil(order.length / size);
  return Array.from({ length: whole }, (_, i) => order.slice(i * size, (i + 1) * size));
}
