/**
 * Entropic optimal transport between two clouds of cells.
 *
 * @module
 */
import { add, div, matmul, mul, square, sub, sum } from "../ops/mod.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClouds } from "./clouds.ts";
import type { Transport } from "./sinkhorn_pairs.ts";
import { transportCost } from "./sinkhorn_transport.ts";

/** Options of {@linkcode sinkhornDivergence}. */
export interface SinkhornOptions {
  /** ε, the coefficient of the entropy, in the unit of the cost; 0.05 by default. */
  epsilon?: number | undefined;
  /** The power of the distance, at least 1; 2 by default. */
  p?: number | undefined;
  /** Whether half of the cost of either cloud to itself is taken off; `true` by default. */
  debias?: boolean | undefined;
  /** How far mass is moved rather than made and lost; by default all is moved. */
  reach?: number | undefined;
  /** (n), how much each cell of x weighs, at least 0; 1 / n by default. */
  weightsX?: TensorLike | undefined;
  /** (m), the same of y; 1 / m by default. */
  weightsY?: TensorLike | undefined;
  /** The most iterations; 100 by default. */
  iterations?: number | undefined;
  /** The change of potentials, in the unit of the cost, that ends the iteration; 1e-6 by default. */
  tolerance?: number | undefined;
}

/**
 * Sinkhorn divergence of two clouds.
 */
export function sinkhornDivergence(
  x: TensorLike,
  y: TensorLike,
  options: SinkhornOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("sinkhornDivergence", "options", 3, arguments);
  const name = "sinkhornDivergence";
  const settled = readOptions(name, options, {
    epsilon: 0.05,
    p: 2,
    debias: true,
    reach: undefined,
    weightsX: undefined,
    weightsY: undefined,
    iterations: 100,
    tolerance: 1e-6,
  });
  const { epsilon, p, debias, reach, weightsX, weightsY, iterations, tolerance } = settled;
  checkNumber(name, "epsilon", epsilon, { above: 0 });
  checkNumber(name, "p", p, { min: 1 });
  checkBoolean(name, "debias", debias);
  if (reach !== undefined) checkNumber(name, "reach", reach, { above: 0 });
  checkNumber(name, "iterations", iterations, { min: 1, integer: true });
  checkNumber(name, "tolerance", tolerance, { min: 0 });
  const clouds = readClouds(name, { x, y }, { weightsX, weightsY }, reach === undefined);
  // Beyond these limits, no cost of float32 is told from none or from an infinite one.
  const rho = reach === undefined ? undefined : Math.min(Math.max(reach ** p, 1e-30), 1e30);
  const between = { epsilon, p, rho, iterations, tolerance, isOwn: false };
  return divergence(clouds, between, debias);
}

function divergence(
  { x, y, weightsX: a, weightsY: b }: ReturnType<typeof readClouds>,
  transport: Transport,
  debias: boolean,
): Tensor {
  const cost = betweenMeans([x, y, a, b], transport);
  if (!debias) return cost;
  const own = { ...transport, isOwn: true };
  const ofOwn = add(transportCost([x, x, a, a], own), transportCost([y, y, b, b], own));
  const divergence = sub(cost, div(ofOwn, 2));
  if (transport.rho === undefined) return divergence;
  return add(divergence, mul(square(sub(sum(a), sum(b))), transport.epsilon / 2));
}

/**
 * Squared costs split into those of the means and those around them, where all mass is moved: so
 * float32 keeps its digits however far the clouds are apart.
 */
function betweenMeans(
  [x, y, a, b]: readonly [Tensor, Tensor, Tensor, Tensor],
  transport: Transport,
): Tensor {
  if (transport.p !== 2 || transport.rho !== undefined) {
    return transportCost([x, y, a, b], transport);
  }
  const [meanX, meanY] = [matmul(a, x), matmul(b, y)];
  const around = transportCost([sub(x, meanX), sub(y, meanY), a, b], transport);
  return add(div(sum(square(sub(meanX, meanY))), 2), around);
}
