/**
 * Distances between the two sides of masks, as operations: exact, and in programs on every device.
 *
 * @module
 */
import { arange, full, zeros } from "../create.ts";
import {
  add,
  cumMax,
  expandDims,
  less,
  logicalNot,
  min,
  minimum,
  moveAxis,
  neg,
  reshape,
  square,
  stack,
  sub,
  where,
} from "../ops/mod.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import { mapCells } from "./cells.ts";

/**
 * The squared Euclidean distance of every position to the nearest one on the other side of its mask,
 * in positions; 0 everywhere where a mask has one side only. No gradient passes.
 *
 * Along the first axis of space, the nearest position is the last or the next that is on the other
 * side. Along each further axis, the least of `(i − j)² + d²(j)` over all j is taken: in time of the
 * positions times the extent, a block of lines at a time. The sums are whole numbers, so that float32
 * has them all up to 2²⁴.
 *
 * @param mask `bool` (N, C, …spatial), each (…spatial) for itself.
 * @param dtype Of the distances.
 * @param largest How many values one step may make, as {@linkcode mapCells} takes it.
 * @returns (N, C, …spatial)
 */
export function squaredDistanceField(mask: Tensor, dtype: DType, largest?: number): Tensor {
  const space = mask.shape.slice(2);
  if (mask.size === 0 || space.length === 0) return zeros(mask.shape, { dtype });
  const far = space.reduce((sum, n) => sum + n, 0);
  const lines = [logicalNot(mask), mask].map((side) => distanceToNext(side, far, dtype));
  const squared = space.slice(1)
    .reduce((d, _, i) => leastParabolas(d, i + 4, largest), square(stack(lines)));
  const found = where(mask, squared.at(0), squared.at(1));
  return where(less(found, far ** 2), found, 0);
}

/** How far the nearest place of a side is along the first axis of space; `far` or more for none. */
function distanceToNext(side: Tensor, far: number, dtype: DType): Tensor {
  const count = side.shape[2]!;
  const places = reshape(arange(count, { dtype }), side.shape.map((_, i) => i === 2 ? count : 1));
  const none = full([], -2 * far, { dtype });
  const last = cumMax(where(side, places, none), { axis: 2 });
  const next = neg(cumMax(where(side, neg(places), none), { axis: 2, reverse: true }));
  return minimum(sub(places, last), sub(next, places));
}

/** The least of `(i − j)² + d(j)` along an axis. */
function leastParabolas(d: Tensor, axis: number, largest: number | undefined): Tensor {
  const n = d.shape[axis]!;
  const places = arange(n, { dtype: d.dtype });
  const apart = square(sub(expandDims(places, 1), places));
  const lines = moveAxis(d, axis, -1);
  const least = mapCells(
    ([rows]: [Tensor], [apart]: [Tensor]) => min(add(expandDims(rows, 2), apart), { axis: 1 }),
    [reshape(lines, [-1, n])],
    [apart],
    n ** 2,
    largest,
  );
  return moveAxis(reshape(least, lines.shape), -1, axis);
}
