/**
 * How WGSL loops walk over memory: positions as text, from the numbers of a row and a column.
 *
 * @module
 */

import { type Axis, mergeAxes } from "../layout/axes.ts";

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

/** How many rows or columns there are in all. */
export function countOf(extents: readonly number[]): number {
  return extents.reduce((a, b) => a * b, 1);
}

/** The walk over an array that has every row after the other. */
export function contiguousWalk({ rows, columns }: LoopSpace): LoopWalk {
  const strides = [...rows, ...columns].map((_, d, all) => countOf(all.slice(d + 1)));
  return { rows: strides.slice(0, rows.length), columns: strides.slice(rows.length) };
}

/** The position at `row` and `column`, each counted over all of its dimensions. */
export function positionOf(walk: LoopWalk, { rows, columns }: LoopSpace): string {
  const { offset = 0 } = walk;
  const terms = [
    ...(offset > 0 ? [`${offset}u`] : []),
    ...termsOf("row", mergeAxes(rows, [walk.rows])),
    ...termsOf("column", mergeAxes(columns, [walk.columns])),
  ];
  return terms.join(" + ") || "0";
}

/** Whether the operand is walked from one element to the next. */
export function isContiguous(walk: LoopWalk, space: LoopSpace): boolean {
  return positionOf(walk, space) === positionOf(contiguousWalk(space), space);
}

function termsOf(number: "row" | "column", axes: readonly Axis[]): string[] {
  let inside = 1;
  const terms: string[] = [];
  for (const [i, { extent, strides: [stride] }] of [...axes.entries()].reverse()) {
    const quotient = inside === 1 ? number : `${number} / ${inside}u`;
    const digit = i === 0 ? quotient : `${quotient} % ${extent}u`;
    if (stride! > 0) terms.unshift(stride === 1 ? digit : `${digit} * ${stride}u`);
    inside *= extent;
  }
  return terms;
}
