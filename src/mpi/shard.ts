/**
 * Which rank has which rows.
 *
 * @module
 */
import { checkNumber } from "../options.ts";
import { slice } from "../ops/mod.ts";
import { formatShape } from "../shape.ts";
import { flattenTree, type TensorTree, treeMap } from "../tree.ts";

/** A rank among others; every {@linkcode Communicator} is one. */
export interface Ranked {
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
}

/** Rows from `start` up to but not including `end`. */
export interface RowRange {
  /** The first row. */
  start: number;
  /** The row after the last. */
  end: number;
}

/**
 * The rows of this rank, of `count` rows that are dealt out in blocks in the order of ranks. Every
 * row belongs to exactly one rank, and no rank has more than one row more than another. A data
 * reader needs no more than this to read its own rows only.
 *
 * @param count How many rows there are.
 * @param comm A communicator, or any `{ rank, size }`.
 * @returns `{ start, end }`.
 * @throws {RangeError} If `count` is no whole number of at least 0, or there is no such rank.
 *
 * @example Ten cells on three ranks
 * ```ts
 * import { shardRange } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shardRange(10, { rank: 0, size: 3 }), { start: 0, end: 4 });
 * assertEquals(shardRange(10, { rank: 1, size: 3 }), { start: 4, end: 7 });
 * assertEquals(shardRange(10, { rank: 2, size: 3 }), { start: 7, end: 10 });
 * ```
 */
export function shardRange(count: number, comm: Ranked): RowRange {
  checkNumber("shardRange", "count", count, { integer: true, min: 0 });
  return rangeOf("shardRange", count, comm);
}

function rangeOf(caller: string, count: number, comm: Ranked): RowRange {
  checkNumber(caller, "comm.size", comm?.size, { integer: true, min: 1 });
  checkNumber(caller, "comm.rank", comm.rank, { integer: true, min: 0, max: comm.size - 1 });
  const each = Math.floor(count / comm.size);
  const more = count % comm.size;
  const startOf = (rank: number) => rank * each + Math.min(rank, more);
  return { start: startOf(comm.rank), end: startOf(comm.rank + 1) };
}

/**
 * This rank's rows of tensors that all ranks have: cells with their labels, or the cell numbers of a
 * mini-batch. Dealt out as by {@linkcode shardRange}.
 *
 * @param tree Tensors with the same number of rows along their first axis.
 * @param comm A communicator, or any `{ rank, size }`.
 * @returns The same tree with this rank's rows.
 * @throws {TypeError} If a tensor has no axis, or the numbers of rows differ.
 *
 * @example The second half
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { shardRows } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * const batch = { cells: tensor([[1, 1], [2, 2], [3, 3]]), labels: tensor([0, 1, 2]) };
 * const own = shardRows(batch, { rank: 1, size: 2 });
 * assertEquals([own.cells.toArray(), own.labels.toArray()], [[[3, 3]], [2]]);
 * ```
 */
export function shardRows<T>(tree: T, comm: Ranked): TensorTree<T> {
  const { start, end } = rangeOf("shardRows", rowsOf("shardRows", "tree", tree), comm);
  return treeMap((x) => slice(x, start, end), tree);
}

/** The number of rows that all tensors of a tree have. */
export function rowsOf(caller: string, argument: string, tree: unknown): number {
  const shapes = flattenTree(caller, tree, argument).leaves.map((x) => x.shape);
  const rows = shapes[0]?.[0];
  if (rows !== undefined && shapes.every((shape) => shape[0] === rows)) return rows;
  throw new TypeError(
    `Cannot compute ${caller} as all tensors of ${argument} must have the same number of rows: ` +
      `current shapes are ${shapes.map(formatShape).join(", ")}`,
  );
}
