/**
 * Distances between all points without a place for all of them at once, and nearest neighbours.
 *
 * @module
 */
import { pairwiseSquaredDistance, topK } from "../ops/mod.ts";
import { fromData, type Tensor } from "../tensor.ts";

/** How many distances are held at a time, about. */
const BLOCK_SIZE = 1 << 20;

/**
 * Calls a function with each row of the matrix of squared distances; the row is valid until it returns.
 * Where squares would overflow or vanish, points are scaled first, by a power of two.
 */
export function forDistanceRows(
  given: Tensor,
  visit: (row: number, squaredDistances: Float64Array) => void,
): void {
  const [n, d] = given.shape as [number, number];
  const data = inRange(given.data as Float64Array);
  const points = fromData(data, [n, d]);
  const height = Math.max(1, Math.floor(BLOCK_SIZE / Math.max(1, n)));
  for (let start = 0; start < n; start += height) {
    const end = Math.min(n, start + height);
    const block = fromData(data.subarray(start * d, end * d), [end - start, d]);
    const distances = pairwiseSquaredDistance(block, points).data as Float64Array;
    for (let i = start; i < end; i++) {
      visit(i, distances.subarray((i - start) * n, (i - start + 1) * n));
    }
  }
}

/** The values, times a power of two where their squares would be out of range. */
function inRange(values: Float64Array): Float64Array {
  const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const power = Math.floor(Math.log2(largest));
  if (Math.abs(power) < 400 || !Number.isFinite(power)) return values;
  // In two steps, as 2¹⁰²³ has no inverse that is a normal number.
  const half = Math.trunc(power / 2);
  return values.map((x) => x * 2 ** -half * 2 ** (half - power));
}

/** The nearest other points of one point, nearest first. */
export interface Neighbors {
  /** Their positions. */
  indices: Int32Array;
  /** Their squared distances. */
  squaredDistances: Float64Array;
}

/** The most neighbours that are inserted one by one in order: of more, selecting them is faster. */
const MOST_INSERTED = 256;

/**
 * Calls a function with the k nearest neighbours of each point, or with all others where they are
 * fewer. A point is not its own neighbour, its duplicates are; of equally near ones the first count.
 */
export function forNeighbors(
  points: Tensor,
  k: number,
  visit: (point: number, neighbors: Neighbors) => void,
): void {
  const kept = Math.min(k, Math.max(0, points.shape[0]! - 1));
  const nearest = kept > MOST_INSERTED ? selected(kept) : inserted(kept);
  forDistanceRows(points, (point, row) => {
    row[point] = Infinity;
    visit(point, nearest(row));
  });
}

function selected(kept: number): (row: Float64Array) => Neighbors {
  return (row) => {
    const { indices, values } = topK(fromData(row), kept, { largest: false });
    return {
      indices: indices.data as Int32Array,
      squaredDistances: values.data as Float64Array,
    };
  };
}

function inserted(kept: number): (row: Float64Array) => Neighbors {
  const indices = new Int32Array(kept);
  const squaredDistances = new Float64Array(kept);
  return (row) => {
    squaredDistances.fill(Infinity);
    for (let j = 0; j < row.length; j++) {
      const distance = row[j]!;
      if (!(distance < squaredDistances[kept - 1]!)) continue;
      let at = kept - 1;
      for (; at > 0 && squaredDistances[at - 1]! > distance; at--) {
        squaredDistances[at] = squaredDistances[at - 1]!;
        indices[at] = indices[at - 1]!;
      }
      squaredDistances[at] = distance;
      indices[at] = j;
    }
    return { indices, squaredDistances };
  };
}
