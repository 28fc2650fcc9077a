/**
 * Sparse matrices out of their parts, or of dense ones.
 *
 * @module
 */
import { allocate } from "../dtype.ts";
import { checkLabels, toIntegers } from "../labels.ts";
import { checkChoice, readOptions, refuseMore } from "../options.ts";
import { checkShape, formatShape } from "../shape.ts";
import { asOperand, type TensorLike } from "../tensor.ts";
import { type SparseFormat, SparseMatrix } from "./sparse.ts";
import { inOrder } from "./sparse_parts.ts";

/** What {@linkcode csr} and {@linkcode csc} are made of, named as in SciPy. */
export interface SparseData {
  /** The entries' values. */
  data: TensorLike;
  /** The entries' columns (`csr`), or rows (`csc`), in any order. */
  indices: TensorLike;
  /** Where the entries of each row (or column) begin, and at last how many entries there are. */
  indptr: TensorLike;
  /** How many rows and columns there are. */
  shape: readonly [rows: number, columns: number];
}

/**
 * A sparse matrix from its entries row by row, as SciPy's `csr_matrix((data, indices, indptr))`.
 *
 * @param parts `data`, `indices`, `indptr` and `shape`. Entries of a row may come in any order; those
 * that name one place are summed.
 * @returns The matrix, of the type of `data`: `float32` of plain numbers.
 * @throws {TypeError} If a part is missing or of another kind, or the parts do not fit together.
 * @throws {RangeError} If `indices` or `indptr` lead out of the matrix, or back, or `int32` cannot hold
 * a sum.
 *
 * @example Three entries
 * ```ts
 * import { csr } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const x = csr({ data: [5, 1, 2], indices: [2, 0, 0], indptr: [0, 2, 3], shape: [2, 3] });
 * assertEquals(x.toDense().toArray(), [[1, 0, 5], [2, 0, 0]]);
 * ```
 */
export function csr(parts: SparseData): SparseMatrix {
  if (arguments.length > 1) refuseMore("csr", "parts", 1, arguments);
  return assembled("csr", parts);
}

/**
 * A sparse matrix from its entries column by column, as SciPy's `csc_matrix((data, indices, indptr))`.
 *
 * @param parts `data`, `indices`, `indptr` and `shape`. Entries of a column may come in any order;
 * those that name one place are summed.
 * @returns The matrix, of the type of `data`: `float32` of plain numbers.
 * @throws {TypeError} If a part is missing or of another kind, or the parts do not fit together.
 * @throws {RangeError} If `indices` or `indptr` lead out of the matrix, or back, or `int32` cannot hold
 * a sum.
 *
 * @example Three entries
 * ```ts
 * import { csc } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const x = csc({ data: [1, 2, 5], indices: [0, 1, 0], indptr: [0, 2, 2, 3], shape: [2, 3] });
 * assertEquals(x.toDense().toArray(), [[1, 0, 5], [2, 0, 0]]);
 * ```
 */
export function csc(parts: SparseData): SparseMatrix {
  if (arguments.length > 1) refuseMore("csc", "parts", 1, arguments);
  return assembled("csc", parts);
}

function assembled(caller: SparseFormat, given: SparseData): SparseMatrix {
  const { data, indices, indptr, shape } = readOptions(caller, given, {
    data: undefined,
    indices: undefined,
    indptr: undefined,
    shape: undefined,
  }) as Partial<SparseData>;
  const missing = Object.entries({ data, indices, indptr, shape }).find(([, x]) => x === undefined);
  if (missing !== undefined) {
    throw new TypeError(
      `Cannot compute ${caller} as data, indices, indptr and shape must all be given: ` +
        `there is no ${missing[0]}`,
    );
  }
  checkShape(caller, shape);
  const [rows, columns] = shape as [number, number];
  if (shape!.length !== 2) {
    throw new TypeError(
      `Cannot compute ${caller} as shape must have two extents, rows and columns: ` +
        `current value is ${formatShape(shape!)}`,
    );
  }
  const [majors, minors] = caller === "csr" ? [rows, columns] : [columns, rows];
  const values = asOperand(caller, data!, "data");
  const places = checkLabels(caller, indices!, minors, { argument: "indices" });
  const pointers = toIntegers(caller, indptr!, "indptr");
  const ranks = [values, places, pointers].map(({ rank }) => rank);
  if (ranks.some((r) => r !== 1) || values.size !== places.size || pointers.size !== majors + 1) {
    throw new TypeError(
      `Cannot compute ${caller} as there must be as many data as indices, and ${
        majors + 1
      } indptr ` +
        `for shape ${formatShape(shape!)}: current shapes are ${formatShape(values.shape)}, ` +
        `${formatShape(places.shape)} and ${formatShape(pointers.shape)}`,
    );
  }
  const parts = {
    dtype: values.dtype,
    data: values.data,
    indices: places.data as Int32Array,
    indptr: pointers.data as Int32Array,
  };
  checkPointers(caller, parts.indptr, values.size);
  return new SparseMatrix(caller, [rows, columns], inOrder(parts, minors));
}

function checkPointers(caller: string, indptr: Int32Array, size: number): void {
  for (let i = 0; i < indptr.length; i++) {
    const least = i === 0 ? 0 : indptr[i - 1]!;
    const most = i === 0 ? 0 : size;
    const isLast = i === indptr.length - 1;
    if (indptr[i]! >= least && indptr[i]! <= most && !(isLast && indptr[i] !== size)) continue;
    throw new RangeError(
      `Cannot compute ${caller} as indptr must start at 0, never fall, and end at ${size}, the ` +
        `number of entries: current value at position ${i} is ${indptr[i]}`,
    );
  }
}

/** Options of {@linkcode sparse}. */
export interface SparseOptions {
  /** Row by row (`"csr"`, the default) or column by column (`"csc"`). */
  format?: SparseFormat | undefined;
}

/**
 * A sparse matrix of what is not zero in a dense one.
 *
 * @param dense The (cells, genes) values; NaN is not zero.
 * @param options `format`.
 * @returns The matrix, of the same type.
 * @throws {TypeError} If `dense` is no matrix, or an option is unknown.
 *
 * @example Two of six
 * ```ts
 * import { sparse } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const x = sparse([[0, 2, 0], [0, 0, 3]]);
 * assertEquals([[...x.data], [...x.indices], [...x.indptr]], [[2, 3], [1, 2], [0, 1, 2]]);
 * assertEquals(x.transpose().toDense().toArray(), [[0, 0], [2, 0], [0, 3]]);
 * ```
 */
export function sparse(dense: TensorLike, options: SparseOptions = {}): SparseMatrix {
  if (arguments.length > 2) refuseMore("sparse", "options", 2, arguments);
  const { format } = readOptions("sparse", options, { format: "csr" });
  checkChoice("sparse", "format", format, ["csr", "csc"]);
  const x = asOperand("sparse", dense, "dense");
  if (x.rank !== 2) {
    throw new TypeError(
      `Cannot compute sparse as dense must be a matrix: current shape is ${formatShape(x.shape)}`,
    );
  }
  const [rows, columns] = x.shape as [number, number];
  const indptr = new Int32Array(rows + 1);
  let size = 0;
  for (let i = 0; i < rows; i++) {
    for (let k = i * columns, end = k + columns; k < end; k++) if (x.data[k] !== 0) size++;
    indptr[i + 1] = size;
  }
  const data = allocate(x.dtype, size);
  const indices = new Int32Array(size);
  for (let k = 0, at = 0; k < x.size; k++) {
    if (x.data[k] === 0) continue;
    indices[at] = k % columns;
    data[at++] = x.data[k]!;
  }
  const parts = { dtype: x.dtype, data, indices, indptr };
  return new SparseMatrix("csr", [rows, columns], parts).asFormat(format);
}
