/**
 * How WGSL loops walk over memory: positions as text, from the numbers of a row and a column.
 *
 * @module
 */
import { stridesOf } from "../../src/shape.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";

/** How an operand is walked, in elements. */
export interface LoopWalk {
  /** The first one; 0 by default. */
  offset?: number;
  /** Along each dimension of rows. */
  rows: readonly number[];
  /** Along each dimension of columns. */
  columns: readonly number[];
}

/** A loop of rows and columns. */
export interface LoopSpace {
  /** Extents of the dimensions of rows. */
  rows: readonly number[];
  /** Extents of the dimensions of columns. */
  columns: readonly number[];
  /** How each operand is walked. */
  operands: readonly LoopWalk[];
  /** How outputs that move are walked; by default row after row. */
  output?: LoopWalk | undefined;
}

/** The walk over an array that has every row after the other. */
export function contiguousWalk({ rows, columns }: LoopSpace): LoopWalk {
  const strides = stridesOf([...rows, ...columns]);
  return { rows: strides.slice(0, rows.length), columns: strides.slice(rows.length) };
}

/** The position at `row` and `column`, each counted over all of its dimensions. */
export function positionOf(walk: LoopWalk, { rows, columns }: LoopSpace): string {
  const terms = [
    `${walk.offset ?? 0}u`,
    offsetOf("row", rows, walk.rows),
    offsetOf("column", columns, walk.columns),
  ];
  return terms.filter((term) => term !== "0u").join(" + ") || "0";
}

/** Whether the operand is walked from one element to the next. */
export function isContiguous(walk: LoopWalk, space: LoopSpace): boolean {
  return positionOf(walk, space) === positionOf(contiguousWalk(space), space);
}
