/**
 * Linear algebra: factors of matrices, systems of equations, determinants, eigenvalues and singular
 * values, with gradients of any order.
 *
 * The last two axes are matrices, the axes before them a batch. Everything is computed in float64
 * by the host, whatever the type and the device: in a program for a graphics card, matrices are
 * read from it and results go back, and `explain` says "on the host". What a matrix makes
 * impossible is a `RangeError`; in programs, in the functions of loops and within `vmap` it is NaN.
 * Matrices that hold NaN give NaN.
 *
 * @example The likelihood of observations under a normal distribution, and its gradient
 * ```ts
 * import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { cholesky, solveTriangular } from "@cellgrad/cellgrad/linalg";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const x = tensor([1, 2]);
 * const energy = (covariance: Tensor) =>
 *   solveTriangular(cholesky(covariance), x).square().sum().mul(0.5);
 * assertAllClose(energy(tensor([[2, 0], [0, 4]])), 0.75);
 * assertAllClose(grad(energy)([[2, 0], [0, 4]]), [[-0.125, -0.125], [-0.125, -0.125]]);
 * ```
 *
 * @module
 */
export { cholesky, solveTriangular, type SolveTriangularOptions } from "./cholesky.ts";
export { det, type LogDet, logDet } from "./det.ts";
export { type Eigh, eigh } from "./eigh.ts";
export { type Qr, qr } from "./qr.ts";
export { inverse, solve } from "./solve.ts";
export { pinv, type Svd, svd } from "./svd.ts";
