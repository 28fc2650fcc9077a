/**
 * How a loop walks over operands that repeat along some of its dimensions.
 *
 * @module
 */
import { mergeDimensions } from "../ops/elementwise.ts";
import type { Shape } from "../shape.ts";

/** A loop of rows and columns, repeated over outer dimensions. */
export interface IterationSpace {
  /** Extents of the dimensions outside of the rows. */
  outer: readonly number[];
  /** How many rows. */
  rows: number;
  /** How many columns. */
  columns: number;
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

/** The loop over a shape; with `reduced`, rows are what its last axes, that many, are reduced to. */
export function iterationSpace(
  shape: Shape,
  operands: readonly Shape[],
  reduced: number,
): IterationSpace {
  const kept = shape.map((n, i) => i < shape.length - reduced ? n : 1);
  const merged = mergeDimensions(shape, reduced > 0 ? [...operands, kept] : operands);
  const result = reduced > 0 ? merged.operands.at(-1)! : undefined;
  // A reduction of axes of extent 1 has rows of one column; so has a single value.
  const single = merged.shape.length === 0 || (result?.moves ?? false);
  const dims = single ? [...merged.shape, 1] : merged.shape;
  const columns = dims.at(-1)!;
  return {
    outer: dims.slice(0, -2),
    rows: dims.at(-2) ?? 1,
    columns,
    operands: merged.operands.slice(0, operands.length).map(({ moves, strides }) => ({
      moves: !single && moves,
      step: (single ? strides.at(-1) : strides.at(-2)) ?? 0,
      outerStrides: strides.slice(0, Math.max(0, dims.length - 2)),
    })),
  };
}

/** Whether an operand moves either along all of the last axes of a shape, or along none of them. */
export function isUniform(operand: Shape, shape: Shape, last: number): boolean {
  const moves = new Set<boolean>();
  for (let i = 1; i <= last; i++) {
    if (shape.at(-i) !== 1) moves.add((operand.at(-i) ?? 1) !== 1);
  }
  return moves.size < 2;
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
