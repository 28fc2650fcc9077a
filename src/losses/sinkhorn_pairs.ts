/**
 * What entropic transport computes of all pairs of cells, a block of rows at a time where there are
 * many: costs, the replies of potentials to each other, and sums over the plan.
 *
 * @module
 */
import {
  add,
  div,
  equal,
  exp,
  expandDims,
  log,
  logSumExp,
  matmul,
  mul,
  neg,
  pairwiseSquaredDistance,
  pow,
  softmax,
  sqrt,
  sub,
  where,
} from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { mapCells } from "./cells.ts";

/** A problem of entropic transport, but for its clouds. */
export interface Transport {
  /** ε, the coefficient of the entropy. */
  readonly epsilon: number;
  /** The power of the distance. */
  readonly p: number;
  /** ρ, what mass costs that is made or lost; none where all of it is transported. */
  readonly rho: number | undefined;
  /** The most iterations. */
  readonly iterations: number;
  /** The change of potentials that ends them. */
  readonly tolerance: number;
  /** Whether a cloud is transported to itself. */
  readonly isOwn: boolean;
  /** How many values a step may make, as of {@linkcode mapCells}. */
  readonly largest?: number | undefined;
}

/** Those who give, those who take with their potentials and weights. */
export interface Sides {
  /** (n, d), one reply for each. */
  rows: Tensor;
  /** (m, d) */
  columns: Tensor;
  /** (m), the potentials of the columns. */
  potentials: Tensor;
  /** (m), the weights of the columns. */
  weights: Tensor;
}

/** `‖x − y‖^p / p` of all pairs, with slope 0 at 0. */
export function costsOf(x: Tensor, y: Tensor, p: number): Tensor {
  const squared = pairwiseSquaredDistance(x, y);
  if (p === 2) return div(squared, 2);
  const same = equal(squared, 0);
  const apart = where(same, 1, squared);
  return where(same, 0, div(p === 1 ? sqrt(apart) : pow(apart, p / 2), p));
}

/** In place of the logarithm of weight 0: no exponential of it is above 0. */
const NOTHING = -1e30;

/** `g + ε log b`. */
export function levelsOf(potentials: Tensor, weights: Tensor, epsilon: Tensor): Tensor {
  const none = equal(weights, 0);
  return where(none, NOTHING, add(potentials, mul(epsilon, log(where(none, 1, weights)))));
}

/** What a potential is multiplied by where mass may be made or lost, `ρ / (ρ + ε)`. */
export function dampingOf({ rho }: Transport, epsilon: Tensor): Tensor | number {
  return rho === undefined ? 1 : div(rho, add(epsilon, rho));
}

/** The mass that leaves each cell, by its potential. */
export function massesOf(potentials: Tensor, weights: Tensor, { rho }: Transport): Tensor {
  return rho === undefined ? weights : mul(weights, exp(div(potentials, -rho)));
}

/**
 * The least that the columns charge each row, softly: `−ε log Σ_j b_j exp((g_j − c_ij) / ε)`.
 *
 * @param sides The rows and the columns.
 * @param epsilon ε, of rank 0.
 * @param transport The power, and how much may be made at once.
 * @param costs Those of all pairs, where they are known.
 */
export function softMinimum(
  { rows, columns, potentials, weights }: Sides,
  epsilon: Tensor,
  { p, largest }: Transport,
  costs?: Tensor,
): Tensor {
  const levels = levelsOf(potentials, weights, epsilon);
  const minimum = (costs: Tensor, levels: Tensor, epsilon: Tensor) =>
    mul(neg(epsilon), logSumExp(div(sub(levels, costs), epsilon), { axis: 1 }));
  if (costs !== undefined) return minimum(costs, levels, epsilon);
  const inBlock = ([own]: [Tensor], [all, levels, epsilon]: [Tensor, Tensor, Tensor]) =>
    minimum(costsOf(own, all, p), levels, epsilon);
  return mapCells(inBlock, [rows], [columns, levels, epsilon], columns.shape[0]!, largest);
}

/** Means of a value of the columns for each row, by its shares of the plan. */
export function planMeans(
  { rows, columns, potentials, weights }: Sides,
  values: Tensor,
  epsilon: Tensor,
  { p, largest }: Transport,
): Tensor {
  const levels = levelsOf(potentials, weights, epsilon);
  const inBlock = (
    [own]: [Tensor],
    [all, levels, epsilon, values]: [Tensor, Tensor, Tensor, Tensor],
  ) => matmul(softmax(div(sub(levels, costsOf(own, all, p)), epsilon)), values);
  const shared: [Tensor, Tensor, Tensor, Tensor] = [columns, levels, epsilon, values];
  return mapCells(inBlock, [rows], shared, columns.shape[0]!, largest);
}

/** `exp((f_i + g_j − c_ij) / ε) b_j`: at the solution, its rows are each row's shares. */
export function kernelOf(
  costs: Tensor,
  own: Tensor,
  potentials: Tensor,
  weights: Tensor,
  epsilon: Tensor,
): Tensor {
  const levels = levelsOf(potentials, weights, epsilon);
  return exp(div(sub(add(expandDims(own, 1), levels), costs), epsilon));
}
