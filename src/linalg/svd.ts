/**
 * Singular values and vectors, and pseudoinverses.
 *
 * @module
 */
import { decomposeSingular } from "../../kernels/linalg/svd.ts";
import type { Composite, OpaqueOp } from "../op.ts";
import { add, div, expandDims, greater, matmul, max, mul, neg, sub, where } from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import type { Shape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Extents, matrixShape, onMatrices, takeMatrices, turned, unpack } from "./matrices.ts";
import { diagonalMatrix, quotient } from "./triangles.ts";

const PARTS = ({ m, n }: Extents): Shape[] => [[m, n], [n], [n, n]];

/** Singular vectors, values and vectors of matrices of at least as many rows as columns. */
export const svdOp: OpaqueOp<null> = onMatrices({
  name: "svd",
  parts: PARTS,
  finite: true,
  compute(a, { m, n }) {
    const { u, s, vt } = decomposeSingular(a, m, n);
    return [u, s, vt];
  },
  vjp(g, y, [a]) {
    const extents = matrixShape(a!);
    const [u, s, vt] = unpack(y, PARTS(extents)) as [Tensor, Tensor, Tensor];
    const [byU, byS, byVt] = unpack(g, PARTS(extents)) as [Tensor, Tensor, Tensor];
    const [across, down] = [expandDims(s, -2), expandDims(s, -1)];
    const gaps = mul(sub(across, down), add(across, down));
    const leftOf = matmul(turned(u), byU);
    const left = quotient(sub(leftOf, turned(leftOf)), gaps);
    const rightOf = matmul(vt, turned(byVt));
    const right = quotient(sub(rightOf, turned(rightOf)), gaps);
    const inner = add(add(mul(left, across), mul(down, right)), diagonalMatrix(byS));
    const within = matmul(u, inner);
    if (extents.m === extents.n) return [matmul(within, vt)];
    const outside = sub(byU, matmul(u, leftOf));
    return [matmul(add(within, quotient(outside, across)), vt)];
  },
});

/** What {@linkcode svd} returns. */
export interface Svd {
  /** The left singular vectors, in the columns (…, m, k): orthogonal, of length 1. */
  u: Tensor;
  /** The singular values, from the largest down (…, k). */
  s: Tensor;
  /** The right singular vectors, in the rows (…, k, n): orthogonal, of length 1. */
  vt: Tensor;
}

/** Singular values and vectors of matrices of any extents. */
export function decompose(a: Tensor): Svd {
  const { m, n } = matrixShape(a);
  const isWide = m < n;
  const packed = apply(svdOp, [isWide ? turned(a) : a], null);
  const parts = PARTS(isWide ? { m: n, n: m } : { m, n });
  const [u, s, vt] = unpack(packed, parts) as [Tensor, Tensor, Tensor];
  return isWide ? { u: turned(vt), s, vt: turned(u) } : { u, s, vt };
}

/**
 * Singular values and vectors: `A = U·diag(s)·Vᵀ`, reduced, k the smaller of m and n; by one-sided
 * Jacobi rotations, in float64 whatever the type.
 *
 * Gradients of the values alone are finite where values repeat. Those of the vectors divide by the
 * gaps between squares of values, and by values where m and n differ: where values repeat, or are
 * 0, vectors are not defined, and what depends on them has a gradient that is infinite or NaN
 * (Giles 2008, "An extended collection of matrix derivative results"). The vectors of one value
 * change their signs together.
 *
 * @param a (…, m, n)
 * @returns `{ u, s, vt }`; NaN where a matrix holds NaN or infinite numbers.
 * @throws {TypeError} If `a` has less than two axes.
 *
 * @example The size of a matrix in its own axes
 * ```ts
 * import { svd } from "@cellgrad/cellgrad/linalg";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const { u, s, vt } = svd([[0, 3], [-2, 0], [0, 0]]);
 * assertAllClose(s, [3, 2]);
 * assertAllClose(u.mul(s).matmul(vt), [[0, 3], [-2, 0], [0, 0]]);
 * ```
 */
export function svd(a: TensorLike): Svd {
  if (arguments.length > 1) refuseMore("svd", "a", 1, arguments);
  return decompose(takeMatrices("svd", a));
}

/** Distances to the next number, in proportion. */
const EPSILON = { float32: 2 ** -23, float64: 2 ** -52 };

/**
 * The pseudoinverse, with the gradient of Golub and Pereyra (1973, https://doi.org/10.1137/0710036).
 */
export const pinvOp: Composite<null> = {
  name: "pinv",
  compose([a]) {
    const { m, n } = matrixShape(a!);
    const { u, s, vt } = decompose(a!);
    if (s.size === 0) return matmul(turned(vt), turned(u));
    const epsilon = EPSILON[a!.dtype as keyof typeof EPSILON];
    const least = mul(max(s, { axis: -1, keepDims: true }), Math.max(m, n) * epsilon);
    const isKept = greater(s, least);
    const inverses = where(isKept, div(1, where(isKept, s, 1)), 0);
    return matmul(mul(turned(vt), expandDims(inverses, -2)), turned(u));
  },
  vjp(g, p, [a]) {
    const [back, pt] = [turned(g), turned(p)];
    const image = sub(back, matmul(a!, matmul(p, back)));
    const kernel = sub(back, matmul(matmul(back, p), a!));
    const inside = neg(matmul(matmul(pt, g), pt));
    const beside = add(matmul(matmul(image, p), pt), matmul(pt, matmul(p, kernel)));
    return [add(inside, beside)];
  },
};

/**
 * The pseudoinverse of Moore and Penrose: for full rank `(AᵀA)⁻¹Aᵀ`, which gives the solution of
 * least squares. Singular values of at most max(m, n)·ε·s₀ count as 0, with ε the precision of the
 * type and s₀ the largest. The gradient is that among matrices of the same rank.
 *
 * @param a (…, m, n)
 * @returns (…, n, m); NaN where a matrix holds NaN or infinite numbers.
 * @throws {TypeError} If `a` has less than two axes.
 *
 * @example The line through three points
 * ```ts
 * import { pinv } from "@cellgrad/cellgrad/linalg";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const design = [[1, 0], [1, 1], [1, 2]];
 * assertAllClose(pinv(design).matmul([1, 3, 5]), [1, 2], { rtol: 1e-5 });
 * ```
 */
export function pinv(a: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("pinv", "a", 1, arguments);
  return apply(pinvOp, [takeMatrices("pinv", a)], null);
}
