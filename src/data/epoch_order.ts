/**
 * In which order an epoch goes over rows, and which of them a rank takes.
 *
 * @module
 */
import { foldIn, key, permutation, split } from "../random.ts";

/** What decides about the order. */
export interface EpochPlan {
  /** How many rows there are for all ranks. */
  readonly count: number;
  /** How many rows a batch has. */
  readonly batchSize: number;
  /** Whether the order is a random one. */
  readonly shuffle: boolean;
  /** What it is drawn from. */
  readonly seed: number;
  /** How many rows stay together when blocks are shuffled. */
  readonly block: number;
  /** How many rows are shuffled among each other, a multiple of `batchSize`. */
  readonly window: number;
  /** Whether rows are left out that fill no batch. */
  readonly drop: boolean;
  /** Which part this is, and of how many. */
  readonly rank: number;
  readonly ranks: number;
}

/** How many batches an epoch has: the same for every rank, so that steps stay together. */
export function countBatches({ count, batchSize, drop, ranks }: EpochPlan): number {
  return drop
    ? Math.floor(Math.floor(count / ranks) / batchSize)
    : Math.ceil(Math.ceil(count / ranks) / batchSize);
}

/** The number of the window that a batch belongs to. */
export function windowOf({ batchSize, window }: EpochPlan, batch: number): number {
  return Math.floor(batch * batchSize / window);
}

/** The rows of a rank in an epoch, in the order in which their windows come. */
export class EpochOrder {
  readonly #plan: EpochPlan;
  readonly #rows: Int32Array;
  readonly #key: ReturnType<typeof key>;

  /**
   * The order of an epoch.
   *
   * @param plan What decides about it.
   * @param epoch The number of the epoch.
   */
  constructor(plan: EpochPlan, epoch: number) {
    const [blockKey, rowKey] = split(foldIn(key(plan.seed), epoch));
    this.#plan = plan;
    this.#key = foldIn(rowKey!, plan.rank);
    this.#rows = share(plan, blockKey!);
  }

  /** How many rows the rank has. */
  get length(): number {
    return this.#rows.length;
  }

  /** The rows of a window, in their order. */
  window(number: number): Int32Array {
    const { window, shuffle } = this.#plan;
    const rows = this.#rows.subarray(number * window, (number + 1) * window);
    if (!shuffle) return rows;
    const order = permutation(foldIn(this.#key, number), rows.length).data as Int32Array;
    return order.map((place) => rows[place]!);
  }
}

/** The rank's part of all rows, block after block. */
function share(plan: EpochPlan, blockKey: ReturnType<typeof key>): Int32Array {
  const { count, block, shuffle, rank, ranks } = plan;
  const [start, end] = [rank, rank + 1].map((part) => Math.floor(part * count / ranks));
  const rows = new Int32Array(end! - start!);
  const blocks = Math.ceil(count / block);
  const order = shuffle ? permutation(blockKey, blocks).data : undefined;
  for (let i = 0, at = 0; i < blocks && at < end!; i++) {
    const first = (order?.[i] ?? i) * block;
    for (let row = first; row < Math.min(count, first + block); row++, at++) {
      if (at >= start! && at < end!) rows[at - start!] = row;
    }
  }
  return rows;
}
