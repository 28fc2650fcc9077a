/**
 * Silhouette widths.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { forDistanceRows } from "./neighbors.ts";
import { type Groups, meanOf, readGroupedPoints, type Values } from "./values.ts";

/**
 * The mean silhouette width: how well points lie within their own cluster.
 *
 * The mean of what {@linkcode silhouetteSamples} gives for each point. In [−1, 1]: near 1 for tight
 * clusters far apart, around 0 where each overlaps with one other, negative where points lie nearer
 * to another cluster. For cell types higher is better.
 *
 * **Of batches it is no measure**, though a value near 0 is often read as "mixed". A point is compared
 * with its nearest other cluster alone, so batches that overlap in pairs give 0 however far apart the
 * pairs lie: four batches in two groups 10 standard deviations apart give 0.0008 below, nearer to 0
 * than the same cells without the gap, −0.046. See Rautenstrauch & Ohler 2025,
 * https://doi.org/10.1038/s41587-025-02743-4. For batches take {@linkcode lisi} or
 * {@linkcode batchEntropy}.
 *
 * Source: Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7; the values are those of
 * scikit-learn's `silhouette_score`. Deviation: with fewer than two clusters, or as many as points,
 * scikit-learn refuses; here the result is 0, as for points alone in their cluster.
 *
 * @param embeddings Points (n, d), compared by Euclidean distance.
 * @param labels The cluster of each point (n): any whole numbers.
 * @returns The mean; 0 without points.
 * @throws {TypeError} If the shapes disagree, or a label is not a whole number.
 * @throws {RangeError} If a coordinate is not finite.
 *
 * @example Two clusters far apart
 * ```ts
 * import { silhouette } from "@cellgrad/cellgrad/metrics";
 * import { assertGreater, assertLess } from "@std/assert";
 *
 * const points = [[0, 0], [0, 1], [10, 0], [10, 1]];
 * assertGreater(silhouette(points, [0, 0, 1, 1]), 0.85);
 * assertLess(silhouette(points, [0, 1, 0, 1]), 0);
 * ```
 *
 * @example Four batches in two groups far apart, and mixed
 * ```ts
 * import { lisi, silhouette } from "@cellgrad/cellgrad/metrics";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const mixed = normal(key(1), [400, 2]);
 * const batches = Int32Array.from({ length: 400 }, (_, cell) => cell % 4);
 * const gap = Array.from(batches, (batch) => [batch < 2 ? 0 : 10, 0]);
 * const apart = mixed.add(gap); // batches 0 and 1 here, 2 and 3 there
 * assertEquals(silhouette(apart, batches).toFixed(4), "0.0008");
 * assertEquals(silhouette(mixed, batches).toFixed(3), "-0.046");
 * assertEquals(lisi(apart, batches).ilisi.toFixed(2), "0.31"); // 1 is mixed
 * assertEquals(lisi(mixed, batches).ilisi.toFixed(2), "0.83");
 * ```
 */
export function silhouette(embeddings: Values, labels: Values): number {
  if (arguments.length > 2) refuseMore("silhouette", "labels", 2, arguments);
  const { points, groups } = readGroupedPoints("silhouette", embeddings, labels);
  return meanOf(widths(points, groups));
}

/**
 * The silhouette width of each point: `(b − a) / max(a, b)`.
 *
 * a is the mean Euclidean distance to the other points of its cluster, b that to the points of the
 * nearest other cluster. In [−1, 1], higher means better placed. 0 for a point that is alone in its
 * cluster, where there is no other cluster, and where a and b are both 0. Distances are computed a
 * block of rows at a time: memory grows with n, time with n².
 *
 * @param embeddings Points (n, d).
 * @param labels The cluster of each point (n): any whole numbers.
 * @returns One width per point.
 * @throws {TypeError} If the shapes disagree, or a label is not a whole number.
 * @throws {RangeError} If a coordinate is not finite.
 *
 * @example Points on a line
 * ```ts
 * import { silhouetteSamples } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * const widths = silhouetteSamples([[0], [1], [4]], [7, 7, 9]);
 * assertEquals(widths, new Float64Array([3 / 4, 2 / 3, 0]));
 * ```
 */
export function silhouetteSamples(embeddings: Values, labels: Values): Float64Array {
  if (arguments.length > 2) refuseMore("silhouetteSamples", "labels", 2, arguments);
  const { points, groups } = readGroupedPoints("silhouetteSamples", embeddings, labels);
  return widths(points, groups);
}

function widths(points: Tensor, { codes, count }: Groups): Float64Array {
  const sizes = new Int32Array(count);
  for (const code of codes) sizes[code]!++;
  const result = new Float64Array(codes.length);
  const sums = new Float64Array(count);
  forDistanceRows(points, (row, distances) => {
    sums.fill(0);
    for (let j = 0; j < codes.length; j++) sums[codes[j]!]! += Math.sqrt(distances[j]!);
    result[row] = widthOf(codes[row]!, sums, sizes);
  });
  return result;
}

/** The width of a point, given the sums of its distances to each cluster. */
function widthOf(own: number, sums: Float64Array, sizes: Int32Array): number {
  if (sizes[own] === 1 || sizes.length === 1) return 0;
  const within = sums[own]! / (sizes[own]! - 1);
  let between = Infinity;
  sums.forEach((sum, c) => {
    if (c !== own) between = Math.min(between, sum / sizes[c]!);
  });
  const larger = Math.max(within, between);
  return larger === 0 ? 0 : (between - within) / larger;
}
