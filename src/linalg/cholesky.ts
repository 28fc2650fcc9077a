/**
 * Cholesky factors, and systems of equations of triangular matrices.
 *
 * @module
 */
import { factorizeCholesky } from "../../kernels/linalg/cholesky.ts";
import { symmetrize } from "../../kernels/linalg/entries.ts";
import { hasZero } from "../../kernels/linalg/lu.ts";
import { turned as transposed } from "../../kernels/matmul/reference.ts";
import { rowsOf } from "../../kernels/linalg/products.ts";
import { solveTriangle } from "../../kernels/linalg/triangular.ts";
import type { OpaqueOp } from "../op.ts";
import { add, matmul, mul, neg, squeeze } from "../ops/mod.ts";
import { checkBoolean, checkOptions, type Checks, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { onMatrices, onSystems, refuseNaN, takeSquare, takeSystem, turned } from "./matrices.ts";
import { belowDiagonal, symmetric, triangle } from "./triangles.ts";

/** Which triangle is read, and whether it is transposed then. */
export interface Side {
  lower: boolean;
  transpose: boolean;
}

/** X with T·X = B, or Tᵀ·X = B. */
export const solveTriangularOp: OpaqueOp<Side> = onSystems<Side>(
  "solveTriangular",
  (a, n) => (b, _n, k, { lower, transpose }) => {
    if (hasZero(a, n)) return b.fill(NaN);
    const t = rowsOf(a, n);
    const turn = transpose ? transposed(t) : t;
    solveTriangle(turn, rowsOf(b, k), n, k, { lower: lower !== transpose });
    return b;
  },
  (g, x, [a], { lower, transpose }) => {
    const back = solveSide(a!, g, { lower, transpose: !transpose });
    const full = transpose ? matmul(x, turned(back)) : matmul(back, turned(x));
    return [triangle(neg(full), { lower }), back];
  },
);

/** X with T·X = B, or Tᵀ·X = B, without a word where there is none. */
export function solveSide(a: Tensor, b: Tensor, side: Side): Tensor {
  return apply(solveTriangularOp, [a, b], side);
}

/** L with A = L·Lᵀ, of the symmetric part of A (Murray 2016, arXiv:1602.07527). */
export const choleskyOp: OpaqueOp<null> = onMatrices({
  name: "cholesky",
  parts: ({ n }) => [[n, n]],
  compute(a, { n }) {
    factorizeCholesky(symmetrize(a, n), n);
    return [a];
  },
  vjp(g, l) {
    const both = matmul(turned(l), triangle(g, { lower: true }));
    const half = mul(add(triangle(both, { lower: true }), belowDiagonal(both)), 0.5);
    const back = { lower: true, transpose: true };
    const inner = solveSide(l, half, back);
    return [symmetric(turned(solveSide(l, turned(inner), back)))];
  },
});

/**
 * The Cholesky factor of symmetric, positive definite matrices.
 *
 * The mean of A and its transpose is decomposed, so that gradients are symmetric, as those of
 * PyTorch and JAX are. Computed in float64, whatever the type.
 *
 * @param a (…, n, n)
 * @returns L (…, n, n), lower triangular with a positive diagonal, `A = L·Lᵀ`; NaN where A holds
 * NaN.
 * @throws {TypeError} If the matrices are not square.
 * @throws {RangeError} If a matrix is not positive definite; in programs its factor is NaN.
 *
 * @example Draws of a given covariance
 * ```ts
 * import { cholesky } from "@cellgrad/cellgrad/linalg";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cholesky([[4, 2], [2, 10]]).toArray(), [[2, 0], [1, 3]]);
 * ```
 */
export function cholesky(a: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("cholesky", "a", 1, arguments);
  const x = takeSquare("cholesky", a);
  const l = apply(choleskyOp, [x], null);
  return refuseNaN("cholesky", "a must be positive definite", l, () => [x]);
}

/** Options of {@linkcode solveTriangular}. */
export interface SolveTriangularOptions {
  /** Whether the lower triangle is read, which is the default, or the upper one. */
  lower?: boolean | undefined;
  /** Whether the transpose of what is read is the system's matrix; `false` by default. */
  transpose?: boolean | undefined;
}

const OPTIONS: Checks<SolveTriangularOptions> = { lower: checkBoolean, transpose: checkBoolean };

/**
 * Solves systems of equations whose matrix is triangular: `T·X = B`, or `Tᵀ·X = B`.
 *
 * One triangle of `a` is read; what lies in the other one does not matter and has gradient 0. Axes
 * before the matrices broadcast.
 *
 * @param a (…, n, n)
 * @param b (…, n, k), or (n): a vector only at rank 1.
 * @param options `lower`, whether T is the lower triangle of `a`, before it is transposed, `true`
 * by default; `transpose`, `false` by default.
 * @returns X, (…, n, k), or (…, n) where `b` is a vector.
 * @throws {TypeError} If the shapes do not fit, or an option is unknown.
 * @throws {RangeError} If the diagonal has a 0; in programs X is NaN.
 *
 * @example Forward substitution
 * ```ts
 * import { solveTriangular } from "@cellgrad/cellgrad/linalg";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(solveTriangular([[2, 9], [1, 4]], [2, 9]).toArray(), [1, 2]);
 * ```
 */
export function solveTriangular(
  a: TensorLike,
  b: TensorLike,
  options: SolveTriangularOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("solveTriangular", OPTIONS, 2, arguments);
  const system = takeSystem("solveTriangular", a, b);
  const { lower = true, transpose = false } = options;
  const x = solveSide(system.a, system.b, { lower, transpose });
  const read = () => [triangle(system.a, { lower }), system.b];
  refuseNaN("solveTriangular", "a must have no 0 on its diagonal", x, read);
  return system.isVector ? squeeze(x, -1) : x;
}
