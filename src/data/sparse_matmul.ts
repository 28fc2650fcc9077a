/**
 * Products of sparse matrices with dense ones, for the first layer of a network.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { ones } from "../create.ts";
import { checkLabels, toIntegers } from "../labels.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { all, equal, greaterEqual, logicalAnd, segmentSum, slice, where } from "../ops/mod.ts";
import { cumsumOp } from "../ops/cumulative.ts";
import { sparseProductOp } from "../ops/sparse_product.ts";
import { isPlainObject, refuseMore } from "../options.ts";
import { checkShape, formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply, isKnown } from "../trace.ts";
import type { SparseData } from "./make_sparse.ts";
import { SparseMatrix } from "./sparse.ts";

/**
 * The product of a sparse (cells, genes) matrix with a dense one: the first layer of a network, without
 * the zeros of its input.
 *
 * Gradients flow to the weights and, where they are differentiated, to the entries' values. It takes
 * as long as the entries times the weights' columns, whatever the number of genes: `matmul` of the
 * dense batch is faster where more than a fifth of it is not zero, and takes its memory. Products and
 * sums are of the weights' type, as those of `matmul`. A program is compiled for each number of
 * entries: hand it batches padded to the same number, as `parts` pads them and `cellLoader` gives
 * them where `sparse` is true. Entries behind the last pointer count for nothing.
 *
 * @param x A {@linkcode SparseMatrix}, or its parts by rows: `data`, `indices`, `indptr` and `shape`.
 * @param w The (genes, k) weights.
 * @returns The (cells, k) product.
 * @throws {TypeError} If `x` is no sparse matrix, or the shapes do not fit.
 * @throws {RangeError} If `indices` or `indptr` lead out of the matrix, or back; in programs, pointers
 * that lead back make the product NaN.
 *
 * @example A layer, and a compiled gradient whose batches are padded to three entries
 * ```ts
 * import { compile, grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { sparse, sparseMatmul } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const w = tensor([[1, 2], [3, 4], [5, 6]]);
 * assertEquals(sparseMatmul(sparse([[0, 2, 0], [1, 0, 0]]), w).toArray(), [[6, 8], [1, 2]]);
 *
 * type Parts = Record<"data" | "indices" | "indptr", Tensor>;
 * const slope = (x: Parts, w: Tensor) =>
 *   grad((w: Tensor) => sparseMatmul({ ...x, shape: [2, 3] }, w).sum())(w);
 * const batch = sparse([[0, 2, 0], [1, 0, 0]]).parts(3);
 * await using program = await compile(slope, [batch, w]);
 * assertEquals((await program(batch, w)).toArray(), [[1, 1], [2, 2], [0, 0]]);
 * ```
 */
export function sparseMatmul(x: SparseMatrix | SparseData, w: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("sparseMatmul", "w", 2, arguments);
  const { data, indices, indptr, shape } = partsOf(x);
  const [values, weights] = promoteAll("sparseMatmul", { data, w }).map(floating) as [
    Tensor,
    Tensor,
  ];
  const columns = toIntegers("sparseMatmul", indices, "indices");
  const pointers = toIntegers("sparseMatmul", indptr, "indptr");
  if (weights.rank !== 2 || weights.shape[0] !== shape[1]) {
    throw new TypeError(
      `Cannot compute sparseMatmul as w must be a matrix with a row for each column of x: ` +
        `current shapes are ${formatShape(shape)} and ${formatShape(weights.shape)}`,
    );
  }
  const isFlat = [values, columns, pointers].every(({ rank }) => rank === 1);
  if (!isFlat || values.size !== columns.size || pointers.size !== shape[0] + 1) {
    throw new TypeError(
      `Cannot compute sparseMatmul as there must be as many data as indices, and ` +
        `${shape[0] + 1} indptr for shape ${formatShape(shape)}: current shapes are ` +
        [values, columns, pointers].map((part) => formatShape(part.shape)).join(", "),
    );
  }
  const places = checkLabels("sparseMatmul", columns, shape[1], { argument: "indices" });
  const size = values.size;
  if (isKnown(pointers)) checkPointers(pointers.data, size);
  const rows = checkLabels("sparseMatmul", rowsOf(pointers, size), shape[0] + 1);
  const sums = apply(sparseProductOp, [values, rows, places, weights], shape[0] + 1);
  const y = slice(sums, 0, shape[0]);
  return isKnown(pointers) ? y : where(isInOrder(pointers), y, NaN);
}

/** The row of each entry; of padding the number of rows. */
function rowsOf(pointers: Tensor, size: number): Tensor {
  const ends = slice(pointers, 1);
  const ended = segmentSum(ones(ends.shape, { dtype: "int32" }), ends, size + 1);
  return slice(apply(cumsumOp, [ended], { axis: 0, reverse: false }), 0, size);
}

function isInOrder(pointers: Tensor): Tensor {
  const grows = all(greaterEqual(slice(pointers, 1), slice(pointers, 0, -1)));
  return logicalAnd(grows, equal(slice(pointers, 0, 1), 0));
}

function checkPointers(pointers: ArrayLike<number>, size: number): void {
  for (let i = 0; i < pointers.length; i++) {
    const [least, most] = i === 0 ? [0, 0] : [pointers[i - 1]!, size];
    if (pointers[i]! >= least && pointers[i]! <= most) continue;
    throw new RangeError(
      `Cannot compute sparseMatmul as indptr must start at 0, never fall, and end at most at ` +
        `${size}, the number of entries: current value at position ${i} is ${pointers[i]}`,
    );
  }
}

/** The parts of a matrix by rows. */
function partsOf(
  x: SparseMatrix | SparseData,
): Omit<SparseData, "shape"> & { shape: readonly [number, number] } {
  if (x instanceof SparseMatrix) {
    const { data, indices, indptr, shape } = x.asFormat("csr");
    return { data, indices, indptr, shape };
  }
  const names = ["data", "indices", "indptr", "shape"];
  if (!isPlainObject(x) || names.some((name) => x[name as "data"] === undefined)) {
    throw new TypeError(
      `Cannot compute sparseMatmul as x must be a sparse matrix, or an object of data, indices, ` +
        `indptr and shape: current value is ${describe(x)}`,
    );
  }
  const { shape, ...parts } = x as SparseData;
  checkShape("sparseMatmul", shape);
  if (shape.length !== 2) {
    throw new TypeError(
      `Cannot compute sparseMatmul as shape must have two extents, rows and columns: ` +
        `current value is ${formatShape(shape)}`,
    );
  }
  return { ...parts, shape: shape as readonly [number, number] };
}
