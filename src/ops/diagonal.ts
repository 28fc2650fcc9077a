/**
 * Diagonals, triangles and outer products.
 *
 * @module
 */
import { arange } from "../create.ts";
import { checkOptions, refuseMore } from "../options.ts";
import { checkSize, formatShape } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { add, mul } from "./arithmetic.ts";
import { TRIANGLE } from "./checks.ts";
import { lessEqual, where } from "./compare.ts";
import { promoteAll } from "./elementwise.ts";
import { padOp, sliceOp } from "./join.ts";
import { expandDims, reshape } from "./layout.ts";
import { sum } from "./reduce.ts";

function rankError(caller: string, wanted: string, { shape }: Tensor): TypeError {
  return new TypeError(
    `Cannot compute ${caller} as x must have ${wanted}: current shape is ${formatShape(shape)}`,
  );
}

/**
 * The diagonal of a matrix, or the matrix that has a vector on its diagonal and zeros around it.
 *
 * @param x A matrix, not necessarily square, or a vector.
 * @returns A vector, or a square matrix.
 * @throws {TypeError} If `x` has another rank.
 *
 * @example There and back
 * ```ts
 * import { diag } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(diag([1, 2]).toArray(), [[1, 0], [0, 2]]);
 * assertEquals(diag([[1, 2, 3], [4, 5, 6]]).toArray(), [1, 5]);
 * ```
 */
export function diag(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("diag", "x", 1, arguments);
  const operand = asOperand("diag", x);
  const { shape: [rows, columns] } = operand;
  if (operand.rank === 2) {
    const flat = reshape(operand, [operand.size]);
    const count = Math.min(rows!, columns!);
    return apply(sliceOp, [flat], { start: [0], shape: [count], step: [columns! + 1] });
  }
  if (operand.rank !== 1) throw rankError("diag", "rank 1 or 2", operand);
  const size = rows! * rows!;
  checkSize("diag", [rows!, rows!], operand.dtype);
  const spread = apply(padOp, [operand], { start: [0], shape: [size], step: [rows! + 1] });
  return reshape(spread, [rows!, rows!]);
}

/**
 * The sum of the diagonal of a matrix; not a method, as `Tensor.trace` is something else.
 *
 * @param x A matrix, not necessarily square.
 * @returns A tensor of rank 0.
 * @throws {TypeError} If `x` is no matrix.
 *
 * @example Of counts of agreement
 * ```ts
 * import { trace } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(trace([[5, 1], [2, 7]]).item(), 12);
 * ```
 */
export function trace(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("trace", "x", 1, arguments);
  const operand = asOperand("trace", x);
  if (operand.rank !== 2) throw rankError("trace", "rank 2", operand);
  return sum(diag(operand));
}

/** Options of {@linkcode tril} and {@linkcode triu}. */
export interface TriangleOptions {
  /** The last diagonal, or the first: 0, by default, is the main one, positive ones lie above it. */
  diagonal?: number | undefined;
}

/**
 * The lower triangle of matrices, with zeros above it.
 *
 * @param x Matrices in the last two axes.
 * @param options `diagonal`: the last one that is kept; 0, the main one, by default.
 * @returns A tensor of the same shape. The gradient above the triangle is 0.
 * @throws {TypeError} If the rank is below 2.
 *
 * @example What comes before, for attention
 * ```ts
 * import { tril } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tril([[1, 2], [3, 4]]).toArray(), [[1, 0], [3, 4]]);
 * ```
 */
export function tril(x: TensorLike, options: TriangleOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("tril", TRIANGLE, 1, arguments);
  const operand = asOperand("tril", x);
  return where(isUpTo("tril", operand, options.diagonal ?? 0), operand, 0);
}

/**
 * The upper triangle of matrices, with zeros below it.
 *
 * @param x Matrices in the last two axes.
 * @param options `diagonal`: the first one that is kept; 0, the main one, by default.
 * @returns A tensor of the same shape. The gradient below the triangle is 0.
 * @throws {TypeError} If the rank is below 2.
 *
 * @example Each pair of cells once
 * ```ts
 * import { triu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(triu([[1, 2], [3, 4]], { diagonal: 1 }).toArray(), [[0, 2], [0, 0]]);
 * ```
 */
export function triu(x: TensorLike, options: TriangleOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("triu", TRIANGLE, 1, arguments);
  const operand = asOperand("triu", x);
  return where(isUpTo("triu", operand, (options.diagonal ?? 0) - 1), 0, operand);
}

/** Whether a place in a matrix lies on a diagonal or below it. */
function isUpTo(caller: string, x: Tensor, diagonal: number): Tensor {
  if (x.rank < 2) throw rankError(caller, "rank 2 or more", x);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const row = expandDims(arange(rows, { dtype: "int32" }), 1);
  // Beyond the corners nothing changes, but int32 may overflow.
  const shift = Math.max(-rows, Math.min(diagonal, columns));
  return lessEqual(arange(columns, { dtype: "int32" }), add(row, shift));
}

/**
 * All products of a value of the one with a value of the other.
 *
 * @param a Any shape; its values are taken in row-major order.
 * @param b Any shape, likewise.
 * @returns A matrix: `out[i, j] = a[i] b[j]`.
 *
 * @example Expected counts from margins
 * ```ts
 * import { outer } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(outer([1, 2], [3, 4, 5]).toArray(), [[3, 4, 5], [6, 8, 10]]);
 * ```
 */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("outer", "b", 2, arguments);
  const [left, right] = promoteAll("outer", { a, b }) as [Tensor, Tensor];
  checkSize("outer", [left.size, right.size], left.dtype);
  return mul(reshape(left, [left.size, 1]), reshape(right, [1, right.size]));
}
