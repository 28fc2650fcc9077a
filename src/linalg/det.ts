/**
 * Determinants, their logarithms, and cofactors.
 *
 * @module
 */
import { cofactorsOf } from "../../kernels/linalg/cofactors.ts";
import { determinant, eliminate, logOf, scaledBy } from "../../kernels/linalg/lu.ts";
import type { OpaqueOp } from "../op.ts";
import {
  cast,
  expandDims,
  greater,
  matmul,
  max,
  min,
  mul,
  reshape,
  sign,
  slice,
  stopGradient,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { refuseMore } from "../options.ts";
import { fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { onMatrices, takeSquare, turned, unpack } from "./matrices.ts";
import { inverseOp } from "./solve.ts";
import { decompose } from "./svd.ts";
import { besideDiagonal, diagonalMatrix } from "./triangles.ts";

/** The determinant of each matrix. */
export const detOp: OpaqueOp<null> = onMatrices({
  name: "det",
  parts: () => [[]],
  compute: (a, { n }) => [[scaledBy(1, determinant(eliminate(a, n), n))]],
  vjp: (g, _y, [a]) => [mul(expandDims(g, [-2, -1]), apply(cofactorOp, [a!], null))],
});

/** The cofactors of each matrix: det(A)·A⁻ᵀ, or U·diag(Πⱼ≠ᵢ sⱼ)·Vᵀ up to its sign. */
export const cofactorOp: OpaqueOp<null> = onMatrices({
  name: "cofactor",
  parts: ({ n }) => [[n, n]],
  compute: (a, { n }) => [cofactorsOf(a, n)],
  vjp(g, _y, [a]) {
    const n = a!.shape.at(-1)!;
    if (n === 0) return [g];
    const isRegular = hasInverse(decompose(stopGradient(a!)).s);
    const diagonal = (entries: ArrayLike<number>) =>
      cast(diagonalMatrix(fromData(Float64Array.from(entries))), a!.dtype);
    // Where the other way counts, each gets matrices that it can take.
    const regular = where(isRegular, a!, diagonal(new Float64Array(n).fill(1)));
    const singular = where(
      isRegular,
      diagonal(Float64Array.from({ length: n }, (_, i) => i + 1)),
      a!,
    );
    return [where(isRegular, alongInverse(g, regular), alongSingularVectors(g, singular))];
  },
});

/** Whether inverses keep at least half of their digits, by singular values: (…, 1, 1). */
function hasInverse(s: Tensor): Tensor {
  const share = s.dtype === "float64" ? 2 ** -26 : 2 ** -12;
  const ends = { axis: -1, keepDims: true };
  return expandDims(greater(min(s, ends), mul(max(s, ends), share)), -1);
}

/** The derivative of cofactors: smooth, where there is an inverse. */
function alongInverse(g: Tensor, a: Tensor): Tensor {
  const back = turned(apply(inverseOp, [a], null));
  const cofactors = apply(cofactorOp, [a], null);
  const trace = sum(mul(g, back), { axis: [-2, -1], keepDims: true });
  return sub(mul(trace, cofactors), matmul(matmul(back, turned(g)), cofactors));
}

/** The same at all matrices, along U and V: the products that leave two singular values out. */
function alongSingularVectors(g: Tensor, a: Tensor): Tensor {
  const { u, s, vt } = decompose(a);
  const side = expandDims(stopGradient(sign(mul(det(u), det(vt)))), [-2, -1]);
  const inner = matmul(matmul(turned(u), g), turned(vt));
  const others = leavingTwoOut(s);
  const along = sum(mul(others, expandDims(diagonalOf(inner), -2)), { axis: -1 });
  const moved = sub(diagonalMatrix(along), mul(others, turned(inner)));
  return mul(side, matmul(matmul(u, moved), vt));
}

function diagonalOf(x: Tensor): Tensor {
  return sum(sub(x, besideDiagonal(x)), { axis: -1 });
}

/** The products of all but two of n numbers (…, n, n); 0 on the diagonal. */
function leavingTwoOut(s: Tensor): Tensor {
  const n = s.shape.at(-1)!;
  const isOut = Uint8Array.from({ length: n ** 3 }, (_, i) => {
    const k = i % n;
    return Number(k === Math.floor(i / n) % n || k === Math.floor(i / n ** 2));
  });
  const kept = where(fromData(isOut, [n, n, n]), 1, expandDims(s, [-3, -2]));
  return besideDiagonal(productOfLast(kept));
}

/** The product along the last axis, by halves. */
function productOfLast(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  if (n === 0) return sum(x, { axis: -1 });
  if (n === 1) return reshape(x, x.shape.slice(0, -1));
  const half = n >> 1;
  const starts = x.shape.map(() => 0);
  const from = (start: number, end: number) =>
    slice(x, starts.with(-1, start), x.shape.with(-1, end));
  const pairs = mul(from(0, half), from(half, 2 * half));
  const product = productOfLast(pairs);
  return n % 2 === 0 ? product : mul(product, reshape(from(n - 1, n), product.shape));
}

/** Sign and logarithm of the size of each determinant, side by side. */
export const logDetOp: OpaqueOp<null> = onMatrices({
  name: "logDet",
  parts: () => [[], []],
  compute(a, { n }) {
    const det = determinant(eliminate(a, n), n);
    return [[Math.sign(det.digits)], [logOf(det)]];
  },
  vjp(g, _y, [a]) {
    const [, size] = unpack(g, [[], []]);
    return [mul(expandDims(size!, [-2, -1]), turned(apply(inverseOp, [a!], null)))];
  },
});

/**
 * The determinant of square matrices, computed in float64 whatever the type.
 *
 * Its gradient is the matrix of cofactors, at singular matrices too, and so is the second derivative
 * right there. Derivatives beyond the second need an inverse that keeps half of the digits, or
 * distinct singular values. Determinants of large matrices leave the range of numbers:
 * {@linkcode logDet} does not.
 *
 * @param a (…, n, n)
 * @returns (…); 1 where n is 0.
 * @throws {TypeError} If the matrices are not square.
 *
 * @example A singular matrix, and what moves its determinant
 * ```ts
 * import { grad } from "@cellgrad/cellgrad";
 * import { det } from "@cellgrad/cellgrad/linalg";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(det([[1, 2], [3, 4]]).item(), -2);
 * assertEquals(grad(det)([[1, 2], [0, 0]]).toArray(), [[0, 0], [-2, 1]]);
 * ```
 */
export function det(a: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("det", "a", 1, arguments);
  return apply(detOp, [takeSquare("det", a)], null);
}

/** What {@linkcode logDet} returns. */
export interface LogDet {
  /** 1, −1 or 0 (…); no gradient passes. */
  sign: Tensor;
  /** The logarithm of the determinant's size (…). */
  logAbs: Tensor;
}

/**
 * The determinant of square matrices as its sign and the logarithm of its size, which do not leave
 * the range of numbers. The gradient is `A⁻ᵀ`; NaN at singular matrices, where there is none.
 *
 * @param a (…, n, n)
 * @returns `{ sign, logAbs }`; 0 and −∞ where a matrix is singular.
 * @throws {TypeError} If the matrices are not square.
 *
 * @example Of a diagonal matrix
 * ```ts
 * import { eye } from "@cellgrad/cellgrad";
 * import { logDet } from "@cellgrad/cellgrad/linalg";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const { sign, logAbs } = logDet(eye(200).mul(-1e5));
 * assertEquals(sign.item(), 1);
 * assertAlmostEquals(logAbs.item(), 200 * Math.log(1e5), 1e-3);
 * ```
 */
export function logDet(a: TensorLike): LogDet {
  if (arguments.length > 1) refuseMore("logDet", "a", 1, arguments);
  const packed = apply(logDetOp, [takeSquare("logDet", a)], null);
  const [sign, logAbs] = unpack(packed, [[], []]) as [Tensor, Tensor];
  return { sign: stopGradient(sign), logAbs };
}
