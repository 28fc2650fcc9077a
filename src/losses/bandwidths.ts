/**
 * Widths of kernels: numbers, or the median distance of all pairs of cells.
 *
 * @module
 */
import { full, ones } from "../create.ts";
import { describe } from "../describe.ts";
import {
  add,
  cast,
  equal,
  expandDims,
  greater,
  greaterEqual,
  lessEqual,
  max,
  mean,
  mul,
  pairwiseSquaredDistance,
  quantile,
  reshape,
  sqrt,
  stopGradient,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { checkNumber } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { forLoop } from "../transforms/loops.ts";
import { fitsAtOnce, mapCells } from "./cells.ts";

/** The widths where none are given. */
export const WIDTHS: readonly number[] = [1, 2, 4, 8, 16];

/**
 * Throws unless widths are finite numbers above 0, at least one.
 *
 * @param caller The function's name, for messages.
 * @param widths What the user gave.
 * @param other What else would do, for messages.
 */
export function checkWidths(caller: string, widths: unknown, other = ""): void {
  if (!Array.isArray(widths) || widths.length === 0 || widths.includes(undefined)) {
    throw new TypeError(
      `Cannot compute ${caller} as bandwidths must be an array of at least one number${other}: ` +
        `current value is ${describe(widths)}`,
    );
  }
  widths.forEach((width, i) => checkNumber(caller, `bandwidths[${i}]`, width, { above: 0 }));
}

/**
 * The median distance of all pairs of different cells, without a gradient: the mean of the middle two
 * of an even number. Where it is 0, or there is no pair, 1.
 *
 * @param x (n, d)
 * @param largest That of {@linkcode mapCells}.
 * @returns A scalar.
 */
export function medianDistance(x: Tensor, largest?: number): Tensor {
  const [cells, n] = [stopGradient(x), x.shape[0]!];
  const pairs = n * (n - 1) / 2;
  if (pairs === 0) return ones([], { dtype: x.dtype });
  // Among all n² squares, those of cells with themselves come first, and then every other one twice.
  const places = [Math.floor, Math.ceil].map((round) => n + 2 * round((pairs - 1) / 2));
  const middle = fitsAtOnce(n, n, largest)
    ? smallest(pairwiseSquaredDistance(cells), places)
    : findSmallest(cells, places, largest);
  const median = mean(sqrt(middle));
  return where(equal(median, 0), 1, median);
}

/** The values at places in increasing order, each between itself and its twin. */
function smallest(squares: Tensor, places: readonly number[]): Tensor {
  const last = squares.size - 1;
  return quantile(reshape(squares, [-1]), places.map((place) => (place + 0.5) / last));
}

/** The same by halving, a block of cells at a time. */
function findSmallest(cells: Tensor, places: readonly number[], largest?: number): Tensor {
  const [n, dtype] = [cells.shape[0]!, cells.dtype];
  const digits = dtype === "float32" ? 24 : 53;
  const farthest = max(mapCells(
    ([rows]: [Tensor], [all]: [Tensor]) => max(pairwiseSquaredDistance(rows, all), { axis: 1 }),
    [cells],
    [cells],
    n,
    largest,
  ));
  const upper = mul(full([places.length], 1, { dtype }), farthest);
  const lower = mul(upper, 2 ** (-2 * digits));
  const halve = ([low, high]: Tensor[]) => {
    const middle = where(
      greater(high!, mul(low!, 2)),
      mul(sqrt(low!), sqrt(high!)),
      mul(add(low!, high!), 0.5),
    );
    const reached = countsReach(cells, middle, places, largest);
    return [where(reached, low!, middle), where(reached, middle, high!)];
  };
  const [, found] = forLoop(digits + 8, halve, [lower, upper]);
  return where(lessEqual(found!, mul(lower, 2)), 0, found!);
}

/** Whether more squares than a place has before it are at most so large; counts stay near 0. */
function countsReach(
  cells: Tensor,
  limits: Tensor,
  places: readonly number[],
  largest?: number,
): Tensor {
  const [n, dtype] = [cells.shape[0]!, cells.dtype];
  const expected = places.map((place) => Math.floor((place + 1) / n));
  const excess = ([rows]: [Tensor], [all, limits]: [Tensor, Tensor]) => {
    const near = lessEqual(expandDims(pairwiseSquaredDistance(rows, all), 2), limits);
    return sub(sum(cast(near, dtype), { axis: 1 }), expected);
  };
  const counts = sum(mapCells(excess, [cells], [cells, limits], 2 * n, largest), { axis: 0 });
  return greaterEqual(counts, places.map((place) => (place + 1) % n));
}
