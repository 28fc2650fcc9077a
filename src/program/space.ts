/**
 * How a loop walks over operands that repeat along some of its dimensions, or lie apart.
 *
 * @module
 */
import { type Axis, mergeAxes, walkAxes } from "../../kernels/layout/axes.ts";
import type { Strides } from "../../kernels/layout/reference.ts";
import type { Shape } from "../shape.ts";

/** A loop of rows and columns, repeated over outer dimensions. */
export interface IterationSpace {
  /** Extents of the dimensions outside of the rows. */
  outer: readonly number[];
  /** How many rows. */
  rows: number;
  /** How many columns. */
  columns: number;
  /** What reductions run over: each row, each column, or all rows together. */
  over: "row" | "column" | "all";
  /** How each operand is walked. */
  operands: readonly OperandWalk[];
}

/** How an operand is walked, in elements. */
export interface OperandWalk {
  /** The first one. */
  offset: number;
  /** From column to column; 0 where it does not change along a row. */
  along: number;
  /** From row to row. */
  step: number;
  /** Along the outer dimensions. */
  outerStrides: readonly number[];
}

/** Neighbouring axes: the first, and the one after the last. */
export type AxisRange = readonly [first: number, end: number];

/**
 * The loop over a shape. With `reduced`, rows are what those axes are reduced to
 * if they are the last ones; else columns are, and the loop goes down the reduced axes. Last axes
 * that some operand walks in two steps are rows and columns that are reduced together.
 */
export function iterationSpace(
  shape: Shape,
  operands: readonly Strides[],
  reduced?: AxisRange,
): IterationSpace {
  const [first, end] = reduced ?? [shape.length, shape.length];
  const views = operands.map(({ strides }) => strides);
  const merge = (from: number, to: number) => mergeAxes(shape, views, from, to);
  const isColumn = end < shape.length;
  const [outside, ...inside] = isColumn
    ? [merge(0, first), merge(first, end), merge(end, shape.length)]
    : reduced
    ? [merge(0, first), merge(first, end)]
    : [merge(0, shape.length)];
  const axes = [...outside!, ...inside.flatMap((own) => own.length === 0 ? [ONE] : own)];
  const isAll = !isColumn && reduced !== undefined && axes.length - outside!.length > 1;
  const [row = ONE, column = ONE] = axes.length === 1 ? [ONE, axes[0]] : axes.slice(-2);
  const outer = axes.slice(0, -2);
  return {
    outer: outer.map(({ extent }) => extent),
    rows: row.extent,
    columns: column.extent,
    over: isAll ? "all" : isColumn ? "column" : "row",
    operands: operands.map(({ offset }, i) => ({
      offset,
      along: column.strides[i] ?? 0,
      step: row.strides[i] ?? 0,
      outerStrides: outer.map(({ strides }) => strides[i]!),
    })),
  };
}

const ONE: Axis = { extent: 1, strides: [] };

/** Matrices of fewer rows or columns are not worth turning. */
const LEAST_TURNED = 8;

/** Whether an operand lies turned: neighbours are a row apart. */
export function isTurned(
  { along, step }: OperandWalk,
  { over, rows, columns }: IterationSpace,
): boolean {
  return over !== "column" && along > 1 && step === 1 && Math.min(rows, columns) >= LEAST_TURNED;
}

/** Calls `visit` for each position in the outer dimensions, with every operand's first element. */
export function walkOuter(
  { outer, operands }: Pick<IterationSpace, "outer" | "operands">,
  starts: number[],
  visit: (index: number) => void,
): void {
  operands.forEach(({ offset }, k) => starts[k] = offset);
  const axes = outer.map((extent, d): Axis => ({
    extent,
    strides: operands.map(({ outerStrides }) => outerStrides[d]!),
  }));
  walkAxes(axes, starts, visit);
}
