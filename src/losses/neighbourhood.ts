/**
 * What surrounds a cell: the shares of the batches among its neighbours.
 *
 * @module
 */
import {
  add,
  div,
  exp,
  expandDims,
  gather,
  log,
  matmul,
  max,
  mean,
  min,
  mul,
  neg,
  pairwiseSquaredDistance,
  sigmoid,
  softmax,
  sqrt,
  stopGradient,
  sub,
  sum,
  tanh,
  topK,
  variance,
  where,
} from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";

/** How neighbours are chosen and weighed. */
export interface Neighbourhood {
  /** How many there are: at least 1, and fewer than there are cells. */
  neighbours: number;
  /** What squared distances are divided by. */
  temperature: number;
}

/** Keeps shares that add up to nothing, and logarithms of no share, finite. */
const TINY = 1e-8;

const ROWS = { axis: 1, keepDims: true };

/**
 * The shares of the batches among the nearest neighbours, each weighed by
 * `exp(−squared distance / temperature)`.
 *
 * @param rows (r, d): some of the cells.
 * @param self (r, n), `bool`: which of the cells each row is.
 * @param cells (n, d), at least 2.
 * @param batches (n, K): 1 in the column of each cell's batch.
 * @param settings How many neighbours, and the temperature.
 * @returns (r, K).
 */
export function nearestBatches(
  rows: Tensor,
  self: Tensor,
  cells: Tensor,
  batches: Tensor,
  { neighbours, temperature }: Neighbourhood,
): Tensor {
  const squared = pairwiseSquaredDistance(rows, cells);
  // Beyond all others, a cell is never its own neighbour, whatever the scale of the distances.
  const beyond = stopGradient(add(mul(max(squared, ROWS), 2), 1));
  const distances = where(self, beyond, squared);
  const nearest = stopGradient(min(distances, ROWS));
  const weigh = (distance: Tensor) => exp(div(sub(nearest, distance), temperature));
  const all = where(self, 0, weigh(distances));
  const total = sum(all, ROWS);
  if (neighbours === cells.shape[0]! - 1) return matmul(rescale(div(all, total)), batches);
  const { values, indices } = topK(distances, neighbours, { largest: false });
  const weights = rescale(div(weigh(values), total));
  return sum(mul(expandDims(weights, 2), gather(batches, indices)), { axis: 1 });
}

/**
 * The shares of the batches as DiffBio computes them today: the k-th smallest distance of a soft
 * sort, and a soft comparison with it. Arguments as those of {@linkcode nearestBatches}.
 */
export function softBatches(
  rows: Tensor,
  self: Tensor,
  cells: Tensor,
  batches: Tensor,
  { neighbours, temperature }: Neighbourhood,
): Tensor {
  const distances = where(self, 1e10, pairwiseSquaredDistance(rows, cells));
  // The original adds 1e-6 to the variance and 1e-10 to the excess: lost next to 10¹⁰.
  const deviation = sqrt(variance(distances, ROWS));
  const ranks = sigmoid(div(sub(distances, mean(distances, ROWS)), deviation));
  const differences = sub(expandDims(ranks, 2), expandDims(ranks, 1));
  // 2σ(x) − 1 = tanh(x / 2)
  const signs = tanh(div(differences, 2 * temperature));
  const spread = sum(mul(differences, signs), { axis: 1 });
  const place = cells.shape[0]! + 1 - 2 * neighbours;
  const chosen = softmax(div(neg(add(mul(ranks, place), spread)), temperature));
  const limit = sum(mul(chosen, distances), ROWS);
  const excess = div(sub(distances, limit), temperature);
  const within = sub(1, sigmoid(excess));
  return matmul(rescale(mul(softmax(neg(div(distances, temperature))), within)), batches);
}

/** Weights divided by their sums. */
function rescale(weights: Tensor): Tensor {
  return div(weights, add(sum(weights, ROWS), TINY));
}

/** The entropy of each row of shares, in nats. */
export function batchEntropy(shares: Tensor): Tensor {
  return neg(sum(mul(shares, log(add(shares, TINY))), { axis: 1 }));
}
