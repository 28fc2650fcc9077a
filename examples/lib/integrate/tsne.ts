/** t-SNE: cells in the plane, such that near ones stay near. */
import {
  compile,
  matmul,
  pairwiseSquaredDistance,
  sub,
  type Tensor,
  tensor,
} from "@cellgrad/cellgrad";
import { pca } from "@cellgrad/cellgrad/data";

/** The effective number of neighbours; at most a third of the other cells. */
const PERPLEXITY = 30;

/** Steps of gradient descent, the first quarter with exaggeration. */
const ITERATIONS = 400;

const EXAGGERATION = 12;

/**
 * Lays cells out in the plane by t-SNE, from their first two principal components on, so that the
 * same cells always lie in the same places.
 *
 * Source: van der Maaten and Hinton 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html: the
 * exact method, whose time and memory grow with the square of the number of cells.
 */
export async function tsne(points: Tensor): Promise<Tensor> {
  const n = points.shape[0]!;
  const perplexity = Math.min(PERPLEXITY, Math.max(1, (n - 1) / 3));
  const neighbours = neighbourhoods(pairwiseSquaredDistance(points).data, n, perplexity);
  const { scores, explainedVariance } = pca(points, { components: 2 });
  let y = scores.mul(1e-4 / Math.sqrt(explainedVariance[0] || 1));
  let velocity = y.mul(0);
  const rate = Math.max(n / EXAGGERATION, 50);
  await using step = await compile(descend, [y, velocity, neighbours, 1, 0.5, rate]);
  for (let i = 0; i < ITERATIONS; i++) {
    const early = i < ITERATIONS / 4;
    const [weight, momentum] = early ? [EXAGGERATION, 0.5] : [1, 0.8];
    ({ y, velocity } = await step(y, velocity, neighbours, weight, momentum, rate));
  }
  return y;
}

type Live = Tensor | number;

/** A step against the gradient `4 Σ_j (p_ij − q_ij)(y_i − y_j) / (1 + |y_i − y_j|²)`. */
function descend(
  y: Tensor,
  velocity: Tensor,
  neighbours: Tensor,
  weight: Live,
  momentum: Live,
  rate: Live,
): { y: Tensor; velocity: Tensor } {
  const closeness = pairwiseSquaredDistance(y).add(1).pow(-1);
  const total = closeness.sum().sub(y.shape[0]!);
  const pull = neighbours.mul(weight).sub(closeness.div(total)).mul(closeness);
  const gradient = sub(pull.sum({ axis: 1, keepDims: true }).mul(y), matmul(pull, y)).mul(4);
  const next = velocity.mul(momentum).sub(gradient.mul(rate));
  return { y: y.add(next), velocity: next };
}

/** How near the cells are to each other (n, n): symmetric, with sum 1 and the given perplexity. */
function neighbourhoods(distances: ArrayLike<number>, n: number, perplexity: number): Tensor {
  const shares = new Float32Array(n * n);
  const row = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) row[j] = distances[i * n + j]!;
    weigh(row, i, perplexity).forEach((share, j) => {
      shares[i * n + j]! += share / (2 * n);
      shares[j * n + i]! += share / (2 * n);
    });
  }
  return tensor(shares, { shape: [n, n] });
}

/** Weights `exp(−β·distance)` of the others, with β such that they have the perplexity. */
function weigh(distances: Float64Array, self: number, perplexity: number): Float64Array {
  const nearest = distances.reduce((a, b, j) => j === self ? a : Math.min(a, b), Infinity);
  let [low, high, beta] = [0, Infinity, 1];
  let weights = distances;
  for (let round = 0; round < 60; round++) {
    weights = distances.map((d, j) => j === self ? 0 : Math.exp(-beta * (d - nearest)));
    const total = weights.reduce((a, b) => a + b, 0);
    const mean = weights.reduce((sum, w, j) => sum + w * (distances[j]! - nearest), 0) / total;
    weights = weights.map((w) => w / total);
    const difference = Math.log(total) + beta * mean - Math.log(perplexity);
    if (Math.abs(difference) < 1e-5) break;
    if (difference > 0) low = beta;
    else high = beta;
    beta = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return weights;
}
