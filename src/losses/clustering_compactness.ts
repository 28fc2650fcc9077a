/**
 * Compact and separate clusters.
 *
 * @module
 */
import { eye } from "../create.ts";
import {
  add,
  div,
  expandDims,
  matmul,
  mul,
  pairwiseSquaredDistance,
  relu,
  softplus,
  sqrt,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { readCells } from "./cells.ts";
import {
  checkAxes,
  checkBoolean,
  checkNumber,
  checkTensorLike,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkProbabilities } from "../ranges.ts";

/** Options of {@linkcode clusteringCompactnessLoss}. */
export interface ClusteringCompactnessOptions {
  /** (K, d): the centroids; by default the weighted means of the cells. */
  centroids?: TensorLike | undefined;
  /** The weight λ of the separation, at least 0; 1 by default. */
  separationWeight?: number | undefined;
  /** The distance m that centroids should keep, at least 0; 1 by default. */
  minSeparation?: number | undefined;
  /** How soft the hinge is, as a distance; 0.1 by default, 0 for a sharp one. */
  hingeSoftness?: number | undefined;
  /** Whether to look that assignments are shares; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Compact and separate clusters: cells are drawn to the centroids of their clusters, and centroids
 * that are closer than a minimal distance are pushed apart. Lower is better; at least 0.
 *
 * `L = 1/n Σ_ik A_ik ‖e_i − C_k‖² + λ / K(K−1) · Σ_{k≠l} h(m − δ_kl)`, with
 * `C_k = Σ_i A_ik e_i / (Σ_i A_ik + 1e-8)` where no centroids are given,
 * `δ_kl = √(‖C_k − C_l‖² + 1e-8)` and `h(u) = s · softplus(u / s)`, or `max(0, u)` for s = 0
 *
 * With one-hot rows of A, the first term is the mean squared distance of the cells to their
 * centroids. The rows of A need not sum to 1: a row of zeros leaves its cell out. A single cluster
 * has no separation term. Coincident centroids get no separation gradient, as none of the directions
 * apart is preferred. A cluster without cells has its centroid at the origin, and a gradient of the
 * order of 1e8 in its column of A: pass centroids where clusters may be empty. Where centroids are
 * given, the separation moves only them.
 *
 * The soft hinge never reaches 0: at the minimal distance it still is 0.0693, and only 0.7 further
 * out below 1e-4. `hingeSoftness: 0` gives the hinge that the documentation of DiffBio describes
 * (no penalty beyond `minSeparation`), and its code before 2026-03-30 (d2ce864); the default is that
 * of its code since. The difference "L_intra − L_inter" in its guide is not what it computes.
 *
 * Source: DiffBio `src/diffbio/losses/singlecell_losses.py`, `ClusteringCompactnessLoss`.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param assignments (n, K): for each cell, its share in each cluster, A.
 * @param options `centroids`, by default computed; `separationWeight`, λ, 1; `minSeparation`, m, 1;
 * `hingeSoftness`, s, 0.1; `check`, `true`.
 * @returns The loss, a scalar, in the squared unit of the embeddings.
 * @throws {TypeError} If the shapes do not fit, there is no cell, or an option does not exist.
 * @throws {RangeError} If an assignment is out of [0, 1] by more than 1e-3, unless `check` is `false`;
 * if an option is negative.
 *
 * @example Two clusters, 3 apart
 * ```ts
 * import { clusteringCompactnessLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const cells = [[-1], [1], [2], [4]];
 * const assignments = [[1, 0], [1, 0], [0, 1], [0, 1]];
 * const loss = clusteringCompactnessLoss(cells, assignments, { hingeSoftness: 0 });
 * assertAlmostEquals(loss.item(), 1, 1e-6);
 * ```
 */
export function clusteringCompactnessLoss(
  embeddings: TensorLike,
  assignments: TensorLike,
  options: ClusteringCompactnessOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("clusteringCompactnessLoss", "options", 3, arguments);
  const caller = "clusteringCompactnessLoss";
  const { centroids, separationWeight, minSeparation, hingeSoftness, check } = readOptions(
    caller,
    options,
    {
      centroids: undefined,
      separationWeight: 1,
      minSeparation: 1,
      hingeSoftness: 0.1,
      check: true,
    },
  );
  checkNumber(caller, "separationWeight", separationWeight, { min: 0 });
  checkNumber(caller, "minSeparation", minSeparation, { min: 0 });
  checkNumber(caller, "hingeSoftness", hingeSoftness, { min: 0 });
  checkBoolean(caller, "check", check);
  const [cells, shares] = readCells(caller, {
    embeddings: [embeddings, "features"],
    assignments: [assignments, "clusters"],
  }) as [Tensor, Tensor];
  if (check) checkProbabilities(caller, "assignments", shares, undefined, "softmax");
  const centres = centroids === undefined
    ? weightedMeans(cells, shares)
    : readCentroids(caller, centroids, cells, shares);
  const spread = sum(mul(shares, pairwiseSquaredDistance(cells, centres)));
  return add(
    div(spread, cells.shape[0]!),
    mul(crowding(centres, minSeparation, hingeSoftness), separationWeight),
  );
}

function weightedMeans(cells: Tensor, shares: Tensor): Tensor {
  const weights = expandDims(add(sum(shares, { axis: 0 }), 1e-8), 1);
  return div(matmul(transpose(shares), cells), weights);
}

function readCentroids(
  caller: string,
  centroids: TensorLike,
  cells: Tensor,
  shares: Tensor,
): Tensor {
  checkTensorLike(caller, "centroids", centroids);
  const given = floating(asTensor(centroids, cells.dtype, caller, "centroids"));
  checkAxes(caller, "centroids", given, [shares.shape[1]!, cells.shape[1]!]);
  return given;
}

/** The mean hinge over all pairs of centroids: how much closer they are than they should be. */
function crowding(centres: Tensor, minSeparation: number, softness: number): Tensor {
  const count = centres.shape[0]!;
  const distances = sqrt(add(pairwiseSquaredDistance(centres), 1e-8));
  const lack = sub(minSeparation, distances);
  const hinge = softness === 0 ? relu(lack) : mul(softplus(div(lack, softness)), softness);
  const pairs = where(eye(count, { dtype: "bool" }), 0, hinge);
  return div(sum(pairs), count * (count - 1) + 1e-8);
}
