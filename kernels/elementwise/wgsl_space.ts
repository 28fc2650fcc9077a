/**
 * How WGSL loops walk over memory: positions as text, from the numbers of a row and a column.
 *
 * @module
 */

/** How an operand is walked. */
export interface LoopWalk {
  /** Whether it changes along a row. */
  moves: boolean;
  /** Elements from row to row. */
  step: number;
  /** Elements along the outer dimensions. */
  outerStrides: readonly number[];
  /** Elements from column to column, where it moves; 1 by default. */
  along?: number;
}

/** A loop of rows and columns, repeated over outer dimensions. */
export interface LoopSpace {
  /** Extents of the dimensions outside of the rows. */
  outer: readonly number[];
  /** How many rows. */
  rows: number;
  /** How many columns. */
  columns: number;
  /** How each operand is walked. */
  operands: readonly LoopWalk[];
  /** How outputs that move are walked; by default row after row. */
  output?: LoopWalk | undefined;
}

/** How many rows there are in all. */
export function rowsOf({ outer, rows }: LoopSpace): number {
  return outer.reduce((a, b) => a * b, rows);
}

/** The walk over an array that has every row after the other. */
export function contiguousWalk({ outer, rows, columns }: LoopSpace): LoopWalk {
  const outerStrides = outer.map((_, d) =>
    outer.slice(d + 1).reduce((a, b) => a * b, rows * columns)
  );
  return { moves: true, step: columns, outerStrides };
}

/** The position at `row`, counted over all dimensions of rows, and `column`. */
export function positionOf(walk: LoopWalk, space: LoopSpace): string {
  const terms = rowTerms(mergeRows(walk, space));
  const along = alongOf(walk, space);
  if (along > 0) terms.push(along === 1 ? "column" : `column * ${along}u`);
  return terms.join(" + ") || "0";
}

/** Whether the operand is walked from one element to the next. */
export function isContiguous(walk: LoopWalk, space: LoopSpace): boolean {
  return positionOf(walk, space) === positionOf(contiguousWalk(space), space);
}

function alongOf({ moves, along = 1 }: LoopWalk, { columns }: LoopSpace): number {
  return moves && columns > 1 ? along : 0;
}

/** A dimension of rows. */
interface Dimension {
  extent: number;
  stride: number;
}

/** The fewest dimensions of rows in which the operand has one stride each. */
function mergeRows({ step, outerStrides }: LoopWalk, { outer, rows }: LoopSpace): Dimension[] {
  const merged: Dimension[] = [];
  [...outer, rows].forEach((extent, d) => {
    if (extent === 1) return;
    const stride = d < outer.length ? outerStrides[d]! : step;
    const last = merged.at(-1);
    if (last?.stride === stride * extent) {
      last.extent *= extent;
      last.stride = stride;
    } else merged.push({ extent, stride });
  });
  return merged;
}

function rowTerms(dimensions: readonly Dimension[]): string[] {
  let inside = 1;
  const terms: string[] = [];
  for (const [i, { extent, stride }] of [...dimensions.entries()].reverse()) {
    const quotient = inside === 1 ? "row" : `row / ${inside}u`;
    const digit = i === 0 ? quotient : `${quotient} % ${extent}u`;
    if (stride > 0) terms.unshift(stride === 1 ? digit : `${digit} * ${stride}u`);
    inside *= extent;
  }
  return terms;
}
