/**
 * Correlation alignment of two clouds of points.
 *
 * @module
 */
import { div, matmul, mean, square, sub, sum, transpose } from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readPoints } from "./clouds.ts";

/**
 * Correlation alignment (CORAL): how far the covariances of two clouds of points are apart. Lower is
 * better; at least 0, and 0 where they agree. It sees second moments only, no means.
 *
 * `L = ‖C_x − C_y‖²_F / (4 d²)`, `C_x = Σ_i (x_i − x̄)(x_i − x̄)ᵀ / (n − 1)`
 *
 * The unit is the fourth power of that of the features. Time is n d², memory d².
 *
 * The value is the paper's. Features are centred before they are multiplied, where the paper
 * subtracts the product of their sums, which loses all digits far from the origin.
 *
 * Source: Sun & Saenko 2016, Deep CORAL, arXiv:1607.01719.
 *
 * @param x (n, d): one row per point, at least 2.
 * @param y (m, d), at least 2 rows.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the arguments are no matrices with the same number of columns, or one has
 * fewer than 2 rows.
 *
 * @example Variances of 2 and 8
 * ```ts
 * import { coralLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(coralLoss([[0], [2]], [[5], [9]]).item(), 9);
 * ```
 */
export function coralLoss(x: TensorLike, y: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("coralLoss", "y", 2, arguments);
  const [a, b] = readPoints("coralLoss", x, y, 2);
  const apart = sub(covariance(a), covariance(b));
  return div(sum(square(apart)), Math.max(1, 4 * a.shape[1]! ** 2));
}

/** (d, d), divided by n − 1. */
function covariance(x: Tensor): Tensor {
  const centred = sub(x, mean(x, { axis: 0 }));
  return div(matmul(transpose(centred), centred), x.shape[0]! - 1);
}
