/** Mini-batches of all ranks, and the share of each. */
import type { Tensor } from "@cellgrad/cellgrad";
import { type Communicator, shardRange, shardRows } from "@cellgrad/cellgrad/mpi";
import { UsageError } from "../arguments.ts";
import type { BatchedCells } from "../integrate/cells.ts";
import { standardize } from "../integrate/fit.ts";
import { groupedBatches, maskValues, shuffledBatches } from "../training/mod.ts";
import type { CellBatch } from "./model.ts";
import type { Mixing } from "./objective.ts";

/** How cells are dealt out. */
export interface ShareOptions {
  /** Cells per step, of all ranks together. */
  batchSize: number;
  mixing: Mixing;
  maskRatio: number;
}

/** The cells of each step. */
export interface Shares {
  /** Expression (cells, genes) of all cells as the network sees it. */
  standardized: Tensor;
  /** The cells of each step of an epoch, whose key is given: the same on all ranks. */
  epoch(key: Tensor): Int32Array[];
  /** This rank's share of a mini-batch; the step's key decides what is hidden. */
  of(items: Int32Array, key: Tensor): CellBatch;
}

/** Deals out cells: the same mini-batches, with the same values hidden, for any number of ranks. */
export function sharesOf(cells: BatchedCells, comm: Communicator, options: ShareOptions): Shares {
  const { batchSize: size, mixing, maskRatio } = options;
  const { expression, batches } = cells;
  const standardized = standardize(expression);
  return {
    standardized,
    epoch(key) {
      // DAB is told the batches; the others compare them, and need some of each.
      const all = mixing === "dab"
        ? groupedBatches(key, batches, { size })
        : shuffledBatches(key, batches.length, { size });
      const smallest = all.reduce((least, { length }) => Math.min(least, length), Infinity);
      if (smallest >= comm.size) return all;
      throw new UsageError(
        `A step needs a cell for each of the ${comm.size} ranks, and one has ${smallest}: use ` +
          `fewer ranks, or a larger --batch-size`,
      );
    },
    of(items, key) {
      const { start, end } = shardRange(items.length, comm);
      const own = items.slice(start, end);
      // Drawn for all ranks, so that it does not depend on how many there are.
      const masked = maskValues(key, standardized.gather(items), {
        ratio: maskRatio,
        maskValue: 0,
      });
      return {
        ...shardRows(masked, comm),
        values: expression.gather(own),
        batchLabels: Int32Array.from(own, (cell) => batches[cell]!),
      };
    },
  };
}
