/** Groups of cells, and times, as some losses take them. */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import type { Cells } from "./cells.ts";

/** The rows (n, d) of cells of the first batch, and of all others. */
export function firstAndOthers(x: Tensor, { batches }: Cells): [Tensor, Tensor] {
  const rows = Array.from(batches.data, Number);
  const where = (is: (batch: number) => boolean) =>
    x.gather(tensor(Int32Array.from(rows.flatMap((batch, i) => is(batch) ? [i] : []))));
  return [where((batch) => batch === 0), where((batch) => batch !== 0)];
}

/**
 * Sets of cells of one batch, but for those on the border of two: their rows, set by set, and the
 * batch of most of each set.
 */
export function setsOfBatches(
  { batches }: Cells,
  size: number,
): { rows: Tensor; batchLabels: Tensor } {
  const order = Array.from(batches.data, (batch, row) => ({ batch: Number(batch), row }))
    .sort((a, b) => a.batch - b.batch || a.row - b.row);
  const sets = Math.floor(order.length / size);
  const middle = (set: number) => order[set * size + (size >> 1)]!.batch;
  return {
    rows: tensor(Int32Array.from(order.slice(0, sets * size), ({ row }) => row)),
    batchLabels: tensor(Int32Array.from({ length: sets }, (_, set) => middle(set))),
  };
}

/**
 * Simulated times until an event (n), log-normal, the later types the earlier, and whether there
 * was an event then; a sixth of the cells or so is censored.
 */
export function survivalOf({ labels, noise }: Cells): { times: Tensor; events: Tensor } {
  const column = (i: number) => noise.slice([0, i], [noise.shape[0]!, i + 1]).reshape([-1]);
  return {
    times: column(0).sub(labels.cast("float32").mul(0.5)).exp(),
    events: column(1).greater(-1),
  };
}
