/**
 * How a loop walks over operands that repeat along some of its dimensions.
 *
 * @module
 */
import { mergeDimensions } from "../ops/elementwise.ts";
import { type Shape, sizeOf, stridesOf } from "../shape.ts";

/** A loop of rows and columns, repeated over outer dimensions. */
export interface IterationSpace {
  /** Extents of the dimensions outside of the rows. */
  outer: readonly number[];
  /** How many rows. */
  rows: number;
  /** How many columns. */
  columns: number;
  /** Whether reductions run down the columns, over all rows, in place of along each row. */
  down: boolean;
  /** How each operand is walked. */
  operands: readonly OperandWalk[];
}

/** How an operand is walked. */
export interface OperandWalk {
  /** Whether it changes along a row. */
  moves: boolean;
  /** Elements from row to row. */
  step: number;
  /** Elements along the outer dimensions. */
  outerStrides: readonly number[];
}

/**
 * The loop over a shape. With `reduced`, neighbouring axes, rows are what those are reduced to if they
 * are the last ones; else columns are, and the loop goes down the reduced axes. No extent is 1, but
 * those of operands along axes where they repeat.
 */
export function iterationSpace(
  shape: Shape,
  operands: readonly Shape[],
  reduced?: readonly [first: number, end: number],
): IterationSpace {
  if (reduced !== undefined && reduced[1] < shape.length) {
    return columnSpace(shape, operands, reduced);
  }
  const [first] = reduced ?? [];
  const rows = first === undefined ? [] : [shape.map((n, i) => i < first ? n : 1)];
  const merged = mergeDimensions(shape, [...operands, ...rows]);
  const single = merged.shape.length === 0;
  const dims = single ? [1] : merged.shape;
  return {
    outer: dims.slice(0, -2),
    rows: dims.at(-2) ?? 1,
    columns: dims.at(-1)!,
    down: false,
    operands: merged.operands.slice(0, operands.length).map(({ moves, strides }) => ({
      moves: !single && moves,
      step: strides.at(-2) ?? 0,
      outerStrides: strides.slice(0, Math.max(0, dims.length - 2)),
    })),
  };
}

/** A loop whose rows are the reduced axes, and whose columns those behind them. */
function columnSpace(
  shape: Shape,
  operands: readonly Shape[],
  [first, end]: readonly [first: number, end: number],
): IterationSpace {
  const [rows, columns] = [sizeOf(shape.slice(first, end)), sizeOf(shape.slice(end))];
  return {
    outer: shape.slice(0, first),
    rows,
    columns,
    down: true,
    operands: operands.map((operand) => {
      const moves = sizeOf(operand.slice(end)) > 1;
      const repeats = sizeOf(operand.slice(first, end)) === 1;
      const strides = stridesOf(operand);
      return {
        moves,
        step: repeats ? 0 : moves ? columns : 1,
        outerStrides: operand.slice(0, first).map((n, d) => n === 1 ? 0 : strides[d]!),
      };
    }),
  };
}

/** Calls `visit` for each position in the outer dimensions, with every operand's first element. */
export function walkOuter(
  { outer, operands }: IterationSpace,
  starts: number[],
  visit: (index: number) => void,
): void {
  const position = outer.map(() => 0);
  starts.fill(0);
  const count = outer.reduce((a, b) => a * b, 1);
  for (let index = 0; index < count; index++) {
    visit(index);
    for (let d = outer.length - 1; d >= 0; d--) {
      const turn = ++position[d]! === outer[d]!;
      const by = turn ? 1 - outer[d]! : 1;
      if (turn) position[d] = 0;
      operands.forEach(({ outerStrides }, k) => starts[k]! += by * outerStrides[d]!);
      if (!turn) break;
    }
  }
}
