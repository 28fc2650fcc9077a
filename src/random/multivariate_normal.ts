/**
 * Normal vectors of given covariance.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { choleskyOp } from "../linalg/cholesky.ts";
import { refuseNaN } from "../linalg/matrices.ts";
import { add, cast, einsum } from "../ops/mod.ts";
import { checkTensorLike, refuseMore } from "../options.ts";
import { broadcastShapes, formatShape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { draw } from "./continuous.ts";
import { checkDrawn, checkFits, normalOp } from "./ops.ts";
import { settle, type SharesOptions } from "./shares.ts";

/**
 * Vectors from a normal distribution of several dimensions.
 *
 * Computed as `mean + L·z` with the Cholesky factor L of the covariance, so gradients reach the mean
 * and the covariance. The covariance is the mean of what is given and its transpose; in a program for
 * a graphics card the host decomposes it.
 *
 * @param key A random key.
 * @param mean (…, k)
 * @param covariance (…, k, k): symmetric and positive definite.
 * @param options `shape`, that of the draws, to which the axes before these broadcast, by default
 * that to which they broadcast together; `dtype`, `float32` by default.
 * @returns A tensor of shape (…shape, k).
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If a covariance is not positive definite; in programs its draws are NaN.
 *
 * @example Two genes that rise and fall together
 * ```ts
 * import { key, multivariateNormal } from "@cellgrad/cellgrad/random";
 * import { assertGreater } from "@std/assert";
 *
 * const x = multivariateNormal(key(0), [0, 0], [[1, 0.9], [0.9, 1]], { shape: [1000] });
 * assertGreater(x.prod({ axis: 1 }).mean().item(), 0.8);
 * ```
 */
export function multivariateNormal(
  key: Tensor,
  mean: TensorLike,
  covariance: TensorLike,
  options: SharesOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("multivariateNormal", "options", 4, arguments);
  const settled = settle("multivariateNormal", key, options);
  const center = take("mean", mean, settled.dtype);
  const matrix = take("covariance", covariance, settled.dtype);
  const k = center.shape.at(-1);
  if (k === undefined || matrix.rank < 2 || matrix.shape.slice(-2).some((n) => n !== k)) {
    throw new TypeError(
      `Cannot compute multivariateNormal as covariance must have a row and a column for each ` +
        `entry of mean: current shapes are ${formatShape(center.shape)} and ` +
        formatShape(matrix.shape),
    );
  }
  const batches = [center.shape.slice(0, -1), matrix.shape.slice(0, -2)] as const;
  const { dtype, shape = broadcastShapes("multivariateNormal", ...batches) } = settled;
  checkDrawn("multivariateNormal", shape, k);
  checkFits("multivariateNormal", "the mean without the last axis", batches[0], shape);
  checkFits("multivariateNormal", "the covariance without the last two axes", batches[1], shape);
  const factor = apply(choleskyOp, [matrix], null);
  refuseNaN("multivariateNormal", "covariance must be positive definite", factor, () => [matrix]);
  const z = draw("multivariateNormal", normalOp, key, [...shape, k], dtype);
  return add(center, einsum("...ij,...j->...i", factor, z));
}

function take(argument: string, value: TensorLike, dtype: DType): Tensor {
  checkTensorLike("multivariateNormal", argument, value);
  return cast(asTensor(value, dtype, "multivariateNormal", argument), dtype);
}
