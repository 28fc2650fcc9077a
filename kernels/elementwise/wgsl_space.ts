/**
 * How WGSL loops walk over memory: positions as text, from the numbers of a row and a column.
 *
 * @module
 */
import { type Shape, stridesOf } from "../../src/shape.ts";
import type { Strides } from "../layout/reference.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";

/** How an operand is walked, in elements. */
export interface LoopWalk {
  /** The first one. */
  offset: number;
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
  /** How outputs are walked that have a value at each position. */
  output: LoopWalk;
  /** How those are walked that have a value for each row; one row after the other by default. */
  results?: LoopWalk;
}

/** The loop over a shape, some of whose axes are columns; by default, an operand of that shape. */
export function spaceOver(
  shape: Shape,
  axes: readonly number[],
  operands?: readonly Strides[],
): LoopSpace {
  const others = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const pick = (values: readonly number[]) => ({
    rows: others.map((axis) => values[axis]!),
    columns: axes.map((axis) => values[axis]!),
  });
  const walk = ({ offset, strides }: Strides) => ({ offset, ...pick(strides) });
  const output = walk({ offset: 0, strides: stridesOf(shape) });
  return { ...pick(shape), operands: operands?.map(walk) ?? [output], output };
}

/** The position at `row` and `column`, each counted over all of its dimensions. */
export function positionOf(walk: LoopWalk, { rows, columns }: LoopSpace): string {
  const terms = [
    offsetOf("row", rows, walk.rows, walk.offset),
    offsetOf("column", columns, walk.columns),
  ];
  return terms.filter((term) => term !== "0u").join(" + ") || "0";
}
