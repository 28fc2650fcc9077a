/**
 * Diversity of soft cluster assignments, by Shannon and by Simpson.
 *
 * @module
 */
import { log, maximum, mean, mul, neg, square, sum } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readCells } from "./cells.ts";
import { checkBoolean, readOptions, refuseMore } from "../options.ts";
import { checkDistributions } from "../ranges.ts";

/** Options of {@linkcode shannonDiversityLoss} and {@linkcode simpsonDiversityLoss}. */
export interface DiversityOptions {
  /** Whether to look that the rows are probabilities that sum to 1; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Mean Shannon entropy of soft cluster assignments: how undecided cells are between clusters. In
 * [0, log K] nats: 0 for one-hot rows, log K for uniform ones.
 *
 * `L = mean_i −Σ_k A_ik log max(A_ik, 1e-8)`
 *
 * **Mind the direction**: higher is more diverse, opposite to {@linkcode simpsonDiversityLoss}.
 * Minimised as it is, it sharpens the assignments; to reward diversity, minimise its negative.
 *
 * The floor inside the logarithm makes an assignment of 0 contribute 0, with the finite gradient
 * −log(1e-8)/n = 18.4/n.
 *
 * Source: Shannon 1948 (https://doi.org/10.1002/j.1538-7305.1948.tb01338.x); DiffBio
 * `src/diffbio/losses/singlecell_losses.py`, `ShannonDiversityLoss`, with calibrax' `entropy`.
 *
 * @param assignments (n, K): for each cell, the probability of each cluster; rows sum to 1.
 * @param options `check`, `true` by default.
 * @returns The mean entropy in nats, a scalar.
 * @throws {TypeError} If the assignments are no matrix, or hold no cell, or an option does not exist.
 * @throws {RangeError} If an assignment is out of [0, 1], or a row does not sum to 1, by more than
 * 1e-3, unless `check` is `false`.
 *
 * @example A cell between two clusters, and one that is decided
 * ```ts
 * import { shannonDiversityLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = shannonDiversityLoss([[0.5, 0.5], [1, 0]]);
 * assertAlmostEquals(loss.item(), Math.LN2 / 2, 1e-6);
 * ```
 */
export function shannonDiversityLoss(
  assignments: TensorLike,
  options: DiversityOptions = {},
): Tensor {
  if (arguments.length > 2) refuseMore("shannonDiversityLoss", "options", 2, arguments);
  const a = readAssignments("shannonDiversityLoss", assignments, options);
  return neg(mean(sum(mul(a, log(maximum(a, 1e-8))), { axis: 1 })));
}

/**
 * Mean Simpson concentration of soft cluster assignments: the chance that two draws from a cell's
 * assignment name the same cluster. In [1/K, 1]: 1 for one-hot rows, 1/K for uniform ones.
 *
 * `L = mean_i Σ_k A_ik²`
 *
 * **Mind the direction**: lower is more diverse, opposite to {@linkcode shannonDiversityLoss}.
 * Minimised as it is, it spreads the assignments.
 *
 * Source: Simpson 1949 (https://doi.org/10.1038/163688a0); DiffBio
 * `src/diffbio/losses/singlecell_losses.py`, `SimpsonDiversityLoss`.
 *
 * @param assignments (n, K): for each cell, the probability of each cluster; rows sum to 1.
 * @param options `check`, `true` by default.
 * @returns The mean concentration, a scalar.
 * @throws {TypeError} If the assignments are no matrix, or hold no cell, or an option does not exist.
 * @throws {RangeError} If an assignment is out of [0, 1], or a row does not sum to 1, by more than
 * 1e-3, unless `check` is `false`.
 *
 * @example A cell between two clusters, and one that is decided
 * ```ts
 * import { simpsonDiversityLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(simpsonDiversityLoss([[0.5, 0.5], [1, 0]]).item(), 0.75);
 * ```
 */
export function simpsonDiversityLoss(
  assignments: TensorLike,
  options: DiversityOptions = {},
): Tensor {
  if (arguments.length > 2) refuseMore("simpsonDiversityLoss", "options", 2, arguments);
  const a = readAssignments("simpsonDiversityLoss", assignments, options);
  return mean(sum(square(a), { axis: 1 }));
}

function readAssignments(
  caller: string,
  assignments: TensorLike,
  options: DiversityOptions,
): Tensor {
  const { check } = readOptions(caller, options, { check: true });
  checkBoolean(caller, "check", check);
  const [shares] = readCells(caller, { assignments: [assignments, "clusters"] }) as [Tensor];
  if (check) checkDistributions(caller, "assignments", shares);
  return shares;
}
