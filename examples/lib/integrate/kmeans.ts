/** k-means: clusters for the comparison with known types. */
import { pairwiseSquaredDistance, type Tensor, tensor } from "@cellgrad/cellgrad";
import { foldIn, key, uniform } from "@cellgrad/cellgrad/random";

const MOST_ROUNDS = 100;

/** Clusters, and how far their members are from the centres. */
interface Clustering {
  labels: Int32Array;
  /** The sum of squared distances to the centres. */
  inertia: number;
}

/**
 * The cluster of each point (n, d): Lloyd's algorithm from k-means++ starts (Arthur and
 * Vassilvitskii 2007), that with the smallest sum of squared distances.
 */
export function kMeans(
  points: Tensor,
  { clusters, starts = 20 }: { clusters: number; starts?: number },
): Int32Array {
  let best: Clustering | undefined;
  for (let start = 0; start < starts; start++) {
    const found = descend(points, chooseCentres(points, clusters, foldIn(key(0), start)));
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!.labels;
}

/** Points far apart: each is drawn with a chance that grows with the distance to those before. */
function chooseCentres(points: Tensor, clusters: number, startKey: Tensor): Tensor {
  const draws = uniform(startKey, [clusters]).data;
  const chosen: number[] = [];
  const nearest = new Float64Array(points.shape[0]!).fill(1);
  for (const draw of draws) {
    let left = draw * nearest.reduce((a, b) => a + b, 0);
    const found = nearest.findIndex((weight) => (left -= weight) < 0);
    chosen.push(Math.max(0, found));
    const distances = pairwiseSquaredDistance(points, points.gather([chosen.at(-1)!])).data;
    nearest.forEach((old, i) => {
      nearest[i] = chosen.length === 1 ? distances[i]! : Math.min(old, distances[i]!);
    });
  }
  return points.gather(chosen);
}

function descend(points: Tensor, centres: Tensor): Clustering {
  let current = assign(points, centres);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = assign(points, meansOf(points, current.labels, centres));
    if (next.inertia >= current.inertia) break;
    current = next;
  }
  return current;
}

function assign(points: Tensor, centres: Tensor): Clustering {
  const distances = pairwiseSquaredDistance(points, centres);
  return {
    labels: distances.argMin({ axis: 1 }).data as Int32Array,
    inertia: distances.min({ axis: 1 }).sum().item(),
  };
}

/** The means of the clusters; an empty one keeps its centre. */
function meansOf(points: Tensor, labels: Int32Array, centres: Tensor): Tensor {
  const [clusters, d] = centres.shape as [number, number];
  const sums = new Float64Array(clusters * d);
  const sizes = new Int32Array(clusters);
  labels.forEach((label, i) => {
    sizes[label]!++;
    for (let j = 0; j < d; j++) sums[label * d + j]! += points.data[i * d + j]!;
  });
  const means = sums.map((sum, at) => {
    const size = sizes[Math.floor(at / d)]!;
    return size === 0 ? centres.data[at]! : sum / size;
  });
  return tensor(Float32Array.from(means), { shape: [clusters, d] });
}
