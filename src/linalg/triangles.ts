/**
 * Parts of matrices: triangles, diagonals, and quotients of what vanishes together.
 *
 * @module
 */
import { add, div, equal, expandDims, mul, where } from "../ops/mod.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { turned } from "./matrices.ts";

/** The entries for which something holds of row and column; 0 elsewhere. */
function entriesWhere(x: Tensor, holds: (i: number, j: number) => boolean): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  const mask = Uint8Array.from(
    { length: m * n },
    (_, k) => Number(holds(Math.floor(k / n), k % n)),
  );
  return where(fromData(mask, [m, n]), x, 0);
}

/** The lower triangle with the diagonal, or the upper one. */
export function triangle(x: Tensor, { lower }: { lower: boolean }): Tensor {
  return entriesWhere(x, lower ? (i, j) => i >= j : (i, j) => i <= j);
}

/** What lies below the diagonal. */
export function belowDiagonal(x: Tensor): Tensor {
  return entriesWhere(x, (i, j) => i > j);
}

/** What lies beside the diagonal. */
export function besideDiagonal(x: Tensor): Tensor {
  return entriesWhere(x, (i, j) => i !== j);
}

/** Vectors as diagonals of matrices. */
export function diagonalMatrix(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  const square = mul(expandDims(x, -1), fromData(new Uint8Array(n).fill(1), [1, n]));
  return entriesWhere(square, (i, j) => i === j);
}

/** The mean of a matrix and its transpose. */
export function symmetric(x: Tensor): Tensor {
  return mul(add(x, turned(x)), 0.5);
}

/** `a / b`, and 0 where both are 0. */
export function quotient(a: Tensor, b: Tensor): Tensor {
  return div(a, where(equal(b, 0), where(equal(a, 0), 1, b), b));
}
