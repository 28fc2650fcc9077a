/**
 * Orthonormal times triangular matrices.
 *
 * @module
 */
import { orthogonalize } from "../../kernels/linalg/qr.ts";
import type { OpaqueOp } from "../op.ts";
import { add, concat, matmul, slice, sub } from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import type { Shape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { solveSide } from "./cholesky.ts";
import { type Extents, matrixShape, onMatrices, takeMatrices, turned, unpack } from "./matrices.ts";
import { belowDiagonal, triangle } from "./triangles.ts";

const PARTS = ({ m, n }: Extents): Shape[] => [[m, n], [n, n]];

/** Both factors of matrices of at least as many rows as columns (Walter and Lehmann 2010,
 * arXiv:1009.6112). */
export const qrOp: OpaqueOp<null> = onMatrices({
  name: "qr",
  parts: PARTS,
  finite: true,
  compute(a, { m, n }) {
    const { q, r } = orthogonalize(a, m, n);
    return [q, r];
  },
  vjp(g, y, [a]) {
    const parts = PARTS(matrixShape(a!));
    const [q, r] = unpack(y, parts) as [Tensor, Tensor];
    const [byQ, byR] = unpack(g, parts) as [Tensor, Tensor];
    const both = sub(matmul(r, turned(triangle(byR, { lower: false }))), matmul(turned(byQ), q));
    const mirrored = add(triangle(both, { lower: true }), turned(belowDiagonal(both)));
    const inner = turned(add(byQ, matmul(q, mirrored)));
    return [turned(solveSide(r, inner, { lower: false, transpose: false }))];
  },
});

/** What {@linkcode qr} returns. */
export interface Qr {
  /** (…, m, k), of orthonormal columns. */
  q: Tensor;
  /** (…, k, n), upper triangular. */
  r: Tensor;
}

/**
 * Matrices of orthonormal columns times upper triangular ones: `A = Q·R`, reduced, k the smaller of
 * m and n; by Householder reflections, in float64 whatever the type. The signs are those of LAPACK,
 * so of NumPy and PyTorch: the diagonal of R may be negative.
 *
 * The gradient needs the first k columns to be independent; else it is infinite or NaN.
 *
 * @param a (…, m, n)
 * @returns `{ q, r }`; NaN where a matrix holds NaN or infinite numbers.
 * @throws {TypeError} If `a` has less than two axes.
 *
 * @example Of a single column
 * ```ts
 * import { qr } from "@cellgrad/cellgrad/linalg";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const { q, r } = qr([[3], [4]]);
 * assertAllClose(q, [[-0.6], [-0.8]]);
 * assertAllClose(r, [[-5]]);
 * ```
 */
export function qr(a: TensorLike): Qr {
  if (arguments.length > 1) refuseMore("qr", "a", 1, arguments);
  const x = takeMatrices("qr", a);
  const { batch, m, n } = matrixShape(x);
  const starts = batch.map(() => 0);
  const left = m < n ? slice(x, [...starts, 0, 0], [...batch, m, m]) : x;
  const parts = PARTS(matrixShape(left));
  const [q, r] = unpack(apply(qrOp, [left], null), parts) as [Tensor, Tensor];
  if (left === x) return { q, r };
  const right = slice(x, [...starts, 0, m], [...batch, m, n]);
  return { q, r: concat([r, matmul(turned(q), right)], { axis: -1 }) };
}
