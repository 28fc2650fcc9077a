/**
 * Eigenvalues and eigenvectors of symmetric matrices.
 *
 * @module
 */
import { symmetricEigen } from "../../kernels/linalg/eigen.ts";
import { symmetrize } from "../../kernels/linalg/entries.ts";
import type { OpaqueOp } from "../op.ts";
import { add, expandDims, matmul, sub } from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import type { Shape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Extents, matrixShape, onMatrices, takeSquare, turned, unpack } from "./matrices.ts";
import { besideDiagonal, diagonalMatrix, quotient, symmetric } from "./triangles.ts";

const PARTS = ({ n }: Extents): Shape[] => [[n], [n, n]];

/** Eigenvalues and vectors of the symmetric part of each matrix, one behind the other. */
export const eighOp: OpaqueOp<null> = onMatrices({
  name: "eigh",
  parts: PARTS,
  finite: true,
  compute(a, { n }) {
    const { values, vectors } = symmetricEigen(symmetrize(a, n), n);
    const columns = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) columns[j * n + i] = vectors[(n - 1 - i) * n + j]!;
    }
    return [values.reverse(), columns];
  },
  vjp(g, y, [a]) {
    const parts = PARTS(matrixShape(a!));
    const [values, vectors] = unpack(y, parts) as [Tensor, Tensor];
    const [byValues, byVectors] = unpack(g, parts) as [Tensor, Tensor];
    const gaps = sub(expandDims(values, -2), expandDims(values, -1));
    const turns = besideDiagonal(matmul(turned(vectors), byVectors));
    const inner = add(diagonalMatrix(byValues), quotient(turns, gaps));
    return [symmetric(matmul(matmul(vectors, inner), turned(vectors)))];
  },
});

/** What {@linkcode eigh} returns. */
export interface Eigh {
  /** The eigenvalues, ascending (…, n). */
  values: Tensor;
  /** The eigenvectors, in the columns (…, n, n): orthogonal, of length 1, of either sign. */
  vectors: Tensor;
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices: `A = V·diag(λ)·Vᵀ`, by Householder
 * reflections and implicit QL iterations, in float64 whatever the type.
 *
 * The mean of A and its transpose is decomposed, so that gradients are symmetric, as those of
 * PyTorch and JAX are. Gradients of the values alone are finite where values repeat. Those of the
 * vectors divide by the gaps between values: where values repeat, vectors are not defined, and what
 * depends on them has a gradient that is infinite or NaN (Giles 2008, "An extended collection of
 * matrix derivative results").
 *
 * @param a (…, n, n)
 * @returns `{ values, vectors }`; NaN where a matrix holds NaN or infinite numbers.
 * @throws {TypeError} If the matrices are not square.
 *
 * @example The axes of an ellipse
 * ```ts
 * import { eigh } from "@cellgrad/cellgrad/linalg";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const { values, vectors } = eigh([[2, 1], [1, 2]]);
 * assertAllClose(values, [1, 3]);
 * assertAllClose(vectors.abs(), [[Math.SQRT1_2, Math.SQRT1_2], [Math.SQRT1_2, Math.SQRT1_2]]);
 * ```
 */
export function eigh(a: TensorLike): Eigh {
  if (arguments.length > 1) refuseMore("eigh", "a", 1, arguments);
  const x = takeSquare("eigh", a);
  const [values, vectors] = unpack(apply(eighOp, [x], null), PARTS(matrixShape(x)));
  return { values: values!, vectors: vectors! };
}
