/**
 * Systems of equations, and inverses.
 *
 * @module
 */
import { identity } from "../../kernels/linalg/entries.ts";
import { eliminate, solveEliminated } from "../../kernels/linalg/lu.ts";
import type { OpaqueOp } from "../op.ts";
import { matmul, neg, squeeze } from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { onMatrices, onSystems, refuseNaN, takeSquare, takeSystem, turned } from "./matrices.ts";

const INVERTIBLE = "a must be invertible";

/** X with A·X = B, or Aᵀ·X = B where the parameter says so. */
export const solveOp: OpaqueOp<boolean> = onSystems<boolean>(
  "solve",
  (a, n) => {
    const lu = eliminate(a, n);
    return (b, _n, k, transpose) => solveEliminated(lu, b, n, k, transpose);
  },
  (g, x, [a], transpose, [wantsA]) => {
    const back = apply(solveOp, [a!, g], !transpose);
    if (!wantsA) return [null, back];
    return [neg(transpose ? matmul(x, turned(back)) : matmul(back, turned(x))), back];
  },
);

/** The inverse of each matrix. */
export const inverseOp: OpaqueOp<null> = onMatrices({
  name: "inverse",
  parts: ({ n }) => [[n, n]],
  compute: (a, { n }) => [solveEliminated(eliminate(a, n), identity(n), n, n, false)],
  vjp(g, inverse) {
    const back = turned(inverse);
    return [neg(matmul(matmul(back, g), back))];
  },
});

/**
 * Solves systems of equations `A·X = B`, by elimination with pivots, in float64 whatever the type.
 *
 * Axes before the matrices broadcast. Cheaper and more exact than a product with the inverse.
 *
 * @param a (…, n, n)
 * @param b (…, n, k), or (n): a vector only at rank 1.
 * @returns X, (…, n, k), or (…, n) where `b` is a vector.
 * @throws {TypeError} If the shapes do not fit.
 * @throws {RangeError} If a matrix is singular, up to the last bit; in programs X is NaN.
 *
 * @example Two equations
 * ```ts
 * import { solve } from "@cellgrad/cellgrad/linalg";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(solve([[0, 2], [1, 1]], [4, 5]).toArray(), [3, 2]);
 * ```
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("solve", "b", 2, arguments);
  const system = takeSystem("solve", a, b);
  const x = apply(solveOp, [system.a, system.b], false);
  refuseNaN("solve", INVERTIBLE, x, () => [system.a, system.b]);
  return system.isVector ? squeeze(x, -1) : x;
}

/**
 * The inverse of square matrices, computed in float64 whatever the type. To solve a system, use
 * {@linkcode solve}.
 *
 * @param a (…, n, n)
 * @returns (…, n, n)
 * @throws {TypeError} If the matrices are not square.
 * @throws {RangeError} If a matrix is singular, up to the last bit; in programs its inverse is NaN.
 *
 * @example Of two rows
 * ```ts
 * import { inverse } from "@cellgrad/cellgrad/linalg";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(inverse([[1, 2], [0, 4]]).toArray(), [[1, -0.5], [0, 0.25]]);
 * ```
 */
export function inverse(a: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("inverse", "a", 1, arguments);
  const x = takeSquare("inverse", a);
  return refuseNaN("inverse", INVERTIBLE, apply(inverseOp, [x], null), () => [x]);
}
