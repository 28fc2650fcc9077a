/**
 * Correlation alignment of two clouds of points.
 *
 * @module
 */
import { div, expandDims, matmul, mean, mul, square, sub, sum, transpose } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type CloudWeights, othersOf, readMasses, readPoints, UNWEIGHTED } from "./clouds.ts";

/**
 * Correlation alignment (CORAL): how far the covariances of two clouds of points are apart. Lower is
 * better; at least 0, and 0 where they agree. It sees second moments only, no means.
 *
 * `L = ‖C_x − C_y‖²_F / (4 d²)`, `C_x = Σ_i (x_i − x̄)(x_i − x̄)ᵀ / (n − 1)`
 *
 * With weights w, divided by their sum, `C_x = Σ_i w_i (x_i − x̄)(x_i − x̄)ᵀ / (1 − Σ w²)` about the
 * weighted mean, which of equal ones is the same. The unit is the fourth power of that of the features.
 * Time is n d², memory d².
 *
 * The value is the paper's. Features are centred before they are multiplied, where the paper
 * subtracts the product of their sums, which loses all digits far from the origin. Weights are not in
 * the original.
 *
 * Source: Sun & Saenko 2016, Deep CORAL, arXiv:1607.01719.
 *
 * @param x (n, d): one row per point, at least 2.
 * @param y (m, d), at least 2 rows.
 * @param options `weightsX`, `weightsY`, none by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the arguments are no matrices with the same number of columns, one has fewer
 * than 2 rows, there is not one weight per point, or an option does not exist.
 * @throws {RangeError} If a weight is negative, or fewer than two are above 0.
 *
 * @example Variances of 2 and 8
 * ```ts
 * import { coralLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(coralLoss([[0], [2]], [[5], [9]]).item(), 9);
 * ```
 */
export function coralLoss(x: TensorLike, y: TensorLike, options: CloudWeights = {}): Tensor {
  if (arguments.length > 3) refuseMore("coralLoss", "options", 3, arguments);
  const { weightsX, weightsY } = readOptions("coralLoss", options, UNWEIGHTED);
  const [a, b] = readPoints("coralLoss", x, y, 2);
  const apart = sub(covariance({ x: a }, { weightsX }), covariance({ y: b }, { weightsY }));
  return div(sum(square(apart)), Math.max(1, 4 * a.shape[1]! ** 2));
}

/** (d, d), divided by n − 1, or by what that is with weights. */
function covariance(
  points: Readonly<Record<string, Tensor>>,
  weights: Readonly<Record<string, TensorLike | undefined>>,
): Tensor {
  const [x] = Object.values(points) as [Tensor];
  const centred = sub(x, mean(x, { axis: 0 }));
  if (Object.values(weights)[0] === undefined) {
    return div(matmul(transpose(centred), centred), x.shape[0]! - 1);
  }
  const shares = readMasses("coralLoss", points, weights);
  const column = expandDims(shares, 1);
  const own = sub(centred, sum(mul(centred, column), { axis: 0 }));
  const others = othersOf("coralLoss", shares, Object.keys(weights)[0]!);
  return div(matmul(transpose(mul(own, column)), own), others);
}
