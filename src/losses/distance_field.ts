/**
 * Distances between the two sides of masks, as operations: exact, and in programs on every device.
 *
 * @module
 */
import { arange, full } from "../create.ts";
import {
  add,
  expandDims,
  less,
  min,
  moveAxis,
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
 * Along one axis after the other, the least of `(i − j)² + d²(j)` over all j is taken: in time of the
 * positions times the sum of the extents, a block of lines at a time. The sums are whole numbers, so
 * that float32 has them all up to 2²⁴.
 *
 * @param mask `bool` (N, C, …spatial), each (…spatial) for itself.
 * @param dtype Of the distances.
 * @param largest How many values one step may make, as in {@linkcode mapCells}.
 * @returns (N, C, …spatial)
 */
export function squaredDistanceField(mask: Tensor, dtype: DType, largest?: number): Tensor {
  const space = mask.shape.slice(2);
  const far = space.reduce((sum, n) => sum + n ** 2, 0);
  const [beyond, here] = [full([], far, { dtype }), full([], 0, { dtype })];
  const sides = stack([where(mask, beyond, here), where(mask, here, beyond)]);
  const nearest = space.reduce((d, _, i) => alongAxis(d, i + 3, largest), sides);
  const other = where(mask, nearest.at(0), nearest.at(1));
  return where(less(other, far), other, 0);
}

/** The least of `(i − j)² + d(j)` along an axis. */
function alongAxis(d: Tensor, axis: number, largest: number | undefined): Tensor {
  const n = d.shape[axis]!;
  if (n < 2 || d.size === 0) return d;
  const places = arange(n, { dtype: d.dtype });
  const apart = square(sub(expandDims(places, 1), places));
  const lines = moveAxis(d, axis, -1);
  const nearest = mapCells(
    ([rows]: [Tensor], [apart]: [Tensor]) => min(add(expandDims(rows, 1), apart), { axis: 2 }),
    [reshape(lines, [-1, n])],
    [apart],
    n ** 2,
    largest,
  );
  return moveAxis(reshape(nearest, lines.shape), -1, axis);
}
