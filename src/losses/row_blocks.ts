/**
 * Comparisons of all pairs of cells without room for all of them at once.
 *
 * @module
 */
import { mapRowBlocks } from "../map_row_blocks.ts";
import type { Tensor } from "../tensor.ts";

/**
 * How many values one step of a loss may make: all pairs of 2048 cells, 16 MiB in float32. A loss
 * and its gradient hold 20 to 50 such matrices at a time, whatever the number of cells: 0.4 to 0.9
 * GiB, as measured. Blocks of a quarter of this take as long, twice as large ones longer; and up to
 * here all cells are compared at once, which saves computing them again for the gradient, a third of
 * the time.
 */
const LARGEST = 1 << 22;

/**
 * Results of one row per cell, computed a block of cells at a time where all at once are too many.
 *
 * @param f From the rows of some cells and what all share to one row of results per cell. It treats
 * each cell by itself, so that blocks change nothing but the order in which gradients are added up.
 * @param rowInputs What has one row per cell.
 * @param sharedInputs What is compared with: whatever else f uses that may be differentiated.
 * @param perRow How many values the largest step of f makes for each cell.
 * @param largest How many it may make at once.
 * @returns The results for all cells.
 */
export function mapCells<R extends readonly Tensor[], S extends readonly Tensor[]>(
  f: (block: R, shared: S) => Tensor,
  rowInputs: R,
  sharedInputs: S,
  perRow: number,
  largest: number = LARGEST,
): Tensor {
  const rows = Math.max(1, Math.floor(largest / perRow));
  if (rowInputs[0]!.shape[0]! <= rows) return f(rowInputs, sharedInputs);
  return mapRowBlocks<R, S>(f, rowInputs as never, sharedInputs as never, { rows });
}
