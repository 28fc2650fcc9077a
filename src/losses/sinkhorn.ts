/**
 * Entropic optimal transport between two clouds of cells.
 *
 * @module
 */
import { add, div, matmul, mul, square, sub, sum } from "../ops/mod.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readMasses, readPoints } from "./clouds.ts";
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
 * Sinkhorn divergence: what it takes to move one cloud of cells onto another, where plans are kept
 * smooth by an entropy. Lower is better; at least 0 and 0 only where the clouds are the same, once
 * converged. In the unit of the features to the power p.
 *
 * `S = OT(x, y) − ½ OT(x, x) − ½ OT(y, y)`, with `OT = min_P Σ P c + ε KL(P | a bᵀ)`,
 * `c_ij = ‖x_i − y_j‖^p / p`, over plans P with row sums a and column sums b: weights divided by their
 * sums. Without `debias` it is `OT(x, y)`, its entropy included, which is least for clouds that have
 * shrunk. From ε = 0 (exact transport: `W_p^p / p`) to ε = ∞, it goes over to a distance of means
 * (p = 2) or half the energy distance (p = 1).
 *
 * - `reach`: mass may be made and lost for `ρ KL(P 1 | a) + ρ KL(Pᵀ 1 | b)`, `ρ = reach^p`, with
 *   `KL(p | q) = Σ p log(p / q) − p + q`: cells further apart than about `reach` are left alone.
 *   Weights then count as they are, and S has `+ ε/2 (Σa − Σb)²`. A large reach gives S of equal
 *   masses back.
 * - Derivatives of any order are those of the converged problem: gradients hold the potentials
 *   fixed (envelope theorem), Hessian-vector products solve for how these move. With p = 1, the
 *   slope between equal cells is 0.
 * - An iteration takes time of n m; above 2²² pairs, memory is that of a block of cells. It is one
 *   loop in a program. Potentials come down from a larger ε where the costs are above 300 ε, and go
 *   beyond their replies where they are near. 100 iterations are enough where the costs are up to
 *   some 30 ε; the larger they are beside ε, the more it takes.
 * - float32 holds costs to 1e-7 of the largest: take float64 where ε is below that, or 10⁴ times
 *   as large as the costs.
 *
 * **Differs from GeomLoss** in what ε is, whose root by p is its `blur`, and in when it ends: there,
 * once ε has come down to it, converged or not. POT's functions take the costs, which are not halved.
 *
 * Source: Feydy et al. 2019, Interpolating between optimal transport and MMD using Sinkhorn
 * divergences, https://proceedings.mlr.press/v89/feydy19a.html; with `reach`, Séjourné et al. 2019,
 * https://arxiv.org/abs/1910.12958; over-relaxation of Thibault et al. 2021,
 * https://doi.org/10.3390/a14050143.
 *
 * @param x (n, d): one row per cell.
 * @param y (m, d): one row per cell of the other cloud.
 * @param options `epsilon`, 0.05 by default; `p`, 2; `debias`, `true`; `reach`, none; `weightsX` (n)
 * and `weightsY` (m), 1 / n and 1 / m; `iterations`, 100; `tolerance`, 1e-6.
 * @returns The divergence, a scalar.
 * @throws {TypeError} If x or y is no matrix or holds no cell, their features differ in number,
 * weights are not one per cell, or an option does not exist.
 * @throws {RangeError} If a weight is negative or all of a cloud are 0, or an option is out of range.
 *
 * @example A cloud that has moved by 3
 * ```ts
 * import { sinkhornDivergence } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const moved = sinkhornDivergence([[0, 0], [1, 0]], [[3, 0], [4, 0]]);
 * assertAlmostEquals(moved.item(), 3 ** 2 / 2, 1e-4);
 * ```
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
  const [a, b] = readPoints(name, x, y);
  const isBalanced = reach === undefined;
  const masses = [
    readMasses(name, { x: a }, { weightsX }, isBalanced),
    readMasses(name, { y: b }, { weightsY }, isBalanced),
  ] as const;
  // Beyond these limits, no cost of float32 is told from none or from an infinite one.
  const rho = reach === undefined ? undefined : Math.min(Math.max(reach ** p, 1e-30), 1e30);
  const between = { epsilon, p, rho, iterations, tolerance, isOwn: false };
  return divergence([a, b, ...masses], between, debias);
}

function divergence(
  [x, y, a, b]: readonly [Tensor, Tensor, Tensor, Tensor],
  transport: Transport,
  debias: boolean,
): Tensor {
  const cost = betweenMeans([x, y, a, b], transport);
  if (!debias) return cost;
  const own = { ...transport, isOwn: true };
  const ofOwn = add(transportCost([x, x, a, a], own), transportCost([y, y, b, b], own));
  return add(sub(cost, div(ofOwn, 2)), mul(square(sub(sum(a), sum(b))), transport.epsilon / 2));
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
