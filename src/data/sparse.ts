/**
 * Matrices of which only the entries that are not zero are held.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { checkLabels } from "../labels.ts";
import { checkChoice, checkFunction, checkNumber, refuseMore } from "../options.ts";
import { formatShape } from "../shape.ts";
import { fromData, Tensor, type TensorLike } from "../tensor.ts";
import { inOrder, type SparseParts, swapMajor } from "./sparse_parts.ts";

/** By rows (`"csr"`) or by columns (`"csc"`). */
export type SparseFormat = "csr" | "csc";

/**
 * A sparse matrix of cells × genes: its entries row by row (`"csr"`), or column by column (`"csc"`).
 *
 * Made by {@linkcode csr}, {@linkcode csc} and {@linkcode sparse}, read by `readSparse` of a matrix in
 * a file. It never changes: what is computed is a new one, which shares what stays the same. Within a
 * row (or column) the entries are in order, and no place is named twice. Entries may be zero.
 *
 * @example Counts, normalised and logarithmised without ever being dense
 * ```ts
 * import { log1p } from "@cellgrad/cellgrad";
 * import { normalizeTotal, sparse } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = sparse([[0, 3, 0, 1], [2, 0, 0, 0]]);
 * const x = normalizeTotal(counts, { targetSum: 4 }).map(log1p);
 * assertEquals([x.nnz, x.shape, x.dtype], [3, [2, 4], "float32"]);
 * assertEquals(x.rows([1]).toDense().shape, [1, 4]);
 * ```
 */
export class SparseMatrix {
  /** Whether entries lie row by row or column by column. */
  readonly format: SparseFormat;
  /** How many rows (cells) and columns (genes) there are. */
  readonly shape: readonly [rows: number, columns: number];
  /** The element type. */
  readonly dtype: DType;
  /** The entries' values. */
  readonly data: TypedArray;
  /** The entries' columns (`"csr"`), or rows (`"csc"`), in ascending order within each row (or column). */
  readonly indices: Int32Array;
  /** Where the entries of each row (or column) begin, and at last where they end. */
  readonly indptr: Int32Array;

  /** Internal: of parts that are in order. */
  constructor(format: SparseFormat, shape: readonly [number, number], parts: SparseParts) {
    this.format = format;
    this.shape = shape;
    this.dtype = parts.dtype;
    this.data = parts.data;
    this.indices = parts.indices;
    this.indptr = parts.indptr;
    Object.freeze(this);
  }

  /** How many entries there are. */
  get nnz(): number {
    return this.data.length;
  }

  /**
   * The parts as tensors, for a compiled program: padded to `size` entries, those behind the last of
   * `indptr` being zeros, so that one program serves batches of any number of entries up to that.
   *
   * @param size How many entries, at least as many as there are; just these by default.
   * @returns `data`, `indices` and `indptr`.
   * @throws {RangeError} If `size` is no whole number, or there are more entries.
   */
  parts(size: number = this.nnz): Record<"data" | "indices" | "indptr", Tensor> {
    if (arguments.length > 1) refuseMore("parts", "size", 1, arguments);
    checkNumber("parts", "size", size, { integer: true, min: this.nnz });
    const data = allocate(this.dtype, size);
    data.set(this.data);
    const indices = new Int32Array(size);
    indices.set(this.indices);
    return {
      data: fromData(data, [size], this.dtype),
      indices: fromData(indices),
      indptr: fromData(this.indptr),
    };
  }

  /** The matrix with its zeros, as a tensor. */
  toDense(): Tensor {
    const [rows, columns] = this.shape;
    const out = allocate(this.dtype, rows * columns);
    const [along, across] = this.format === "csr" ? [columns, 1] : [1, columns];
    const { data, indices, indptr } = this;
    for (let major = 0; major + 1 < indptr.length; major++) {
      const end = indptr[major + 1]!;
      for (let k = indptr[major]!; k < end; k++) {
        out[major * along + indices[k]! * across] = data[k]!;
      }
    }
    return fromData(out, [rows, columns], this.dtype);
  }

  /** The matrix on its side: rows become columns. Nothing is copied; the format is the other one. */
  transpose(): SparseMatrix {
    const [rows, columns] = this.shape;
    return new SparseMatrix(otherThan(this.format), [columns, rows], this);
  }

  /** The same entries in another order: row by row, or column by column. */
  asFormat(format: SparseFormat): SparseMatrix {
    if (arguments.length > 1) refuseMore("asFormat", "format", 1, arguments);
    checkChoice("asFormat", "format", format, ["csr", "csc"]);
    if (format === this.format) return this;
    const minors = this.shape[format === "csr" ? 0 : 1];
    return new SparseMatrix(format, this.shape, swapMajor(this, minors));
  }

  /** The rows that a list names, in its order; they may be named more than once. */
  rows(list: TensorLike): SparseMatrix {
    if (arguments.length > 1) refuseMore("rows", "list", 1, arguments);
    return this.#picked("rows", list, "csr");
  }

  /** The columns that a list names, in its order; they may be named more than once. */
  columns(list: TensorLike): SparseMatrix {
    if (arguments.length > 1) refuseMore("columns", "list", 1, arguments);
    return this.#picked("columns", list, "csc");
  }

  /** The rows from `start` to `end`, which is not included: the last ones without it. */
  slice(start: number, end: number = this.shape[0]): SparseMatrix {
    if (arguments.length > 2) refuseMore("slice", "end", 2, arguments);
    const rows = this.shape[0];
    const isWhole = Number.isInteger(start) && Number.isInteger(end);
    if (!isWhole || start < 0 || end < start || end > rows) {
      throw new RangeError(
        `Cannot compute slice as start and end must be integers with 0 <= start <= end <= ${rows}: ` +
          `current values are ${describe(start)} and ${describe(end)}`,
      );
    }
    const kept = Int32Array.from({ length: end - start }, (_, i) => start + i);
    return this.#picked("slice", fromData(kept), "csr");
  }

  /**
   * What a function makes of each entry: `x.map(log1p)`.
   *
   * @param f A function of a tensor, value by value, that leaves zeros as they are: it is called with
   * all entries at once, and is never told of the zeros between them.
   * @returns The matrix of what it gives.
   * @throws {TypeError} If `f` is no function, or gives no tensor of the shape that it is called with.
   * @throws {RangeError} If `f` makes something else of 0, so that the result would not be sparse.
   */
  map(f: (values: Tensor) => Tensor): SparseMatrix {
    if (arguments.length > 1) refuseMore("map", "f", 1, arguments);
    checkFunction("map", "f", f);
    const ofZero = mapped(f, fromData(allocate(this.dtype, 1), [1], this.dtype)).data[0];
    if (ofZero !== 0) {
      throw new RangeError(
        `Cannot compute map as f must leave zeros as they are, for they are not held: ` +
          `of 0 it makes ${ofZero}; take toDense() first`,
      );
    }
    const { data, dtype } = mapped(f, fromData(this.data, [this.nnz], this.dtype));
    return new SparseMatrix(this.format, this.shape, { ...partsOf(this), data, dtype });
  }

  /** The rows or columns that a list names, by way of the format in which they lie together. */
  #picked(caller: string, list: TensorLike, by: SparseFormat): SparseMatrix {
    const axis = by === "csr" ? 0 : 1;
    const { data: picked, rank } = checkLabels(caller, list, this.shape[axis], {
      argument: "list",
    });
    if (rank !== 1) {
      throw new TypeError(`Cannot compute ${caller} as list must have one axis: it has ${rank}`);
    }
    const parts = this.format === by
      ? pickedMajors(this, picked as Int32Array)
      : pickedMinors(this, picked as Int32Array, this.shape[axis]);
    const shape = [...this.shape] as [number, number];
    shape[axis] = picked.length;
    return new SparseMatrix(this.format, shape, parts);
  }
}

function otherThan(format: SparseFormat): SparseFormat {
  return format === "csr" ? "csc" : "csr";
}

function partsOf({ dtype, data, indices, indptr }: SparseMatrix): SparseParts {
  return { dtype, data, indices, indptr };
}

function mapped(f: (values: Tensor) => Tensor, values: Tensor): Tensor {
  const result: unknown = f(values);
  if (result instanceof Tensor && result.rank === 1 && result.size === values.size) return result;
  const given = result instanceof Tensor ? `shape ${formatShape(result.shape)}` : `no tensor`;
  throw new TypeError(
    `Cannot compute map as f must give a tensor of the shape that it is called with, ` +
      `${formatShape(values.shape)}: it gave ${given}`,
  );
}

/** Rows of a matrix in rows, or columns of one in columns. */
function pickedMajors(x: SparseParts, picked: Int32Array): SparseParts {
  const indptr = new Int32Array(picked.length + 1);
  picked.forEach((major, i) => {
    indptr[i + 1] = indptr[i]! + x.indptr[major + 1]! - x.indptr[major]!;
  });
  const data = allocate(x.dtype, indptr.at(-1)!);
  const indices = new Int32Array(data.length);
  picked.forEach((major, i) => {
    const [start, end] = [x.indptr[major]!, x.indptr[major + 1]!];
    data.set(x.data.subarray(start, end), indptr[i]!);
    indices.set(x.indices.subarray(start, end), indptr[i]!);
  });
  return { dtype: x.dtype, data, indices, indptr };
}

/** Columns of a matrix in rows, or rows of one in columns. */
function pickedMinors(x: SparseParts, picked: Int32Array, minors: number): SparseParts {
  // Places in the list by what they name: the first one, and after each one the next.
  const first = new Int32Array(minors).fill(-1);
  const next = new Int32Array(picked.length).fill(-1);
  const times = new Int32Array(minors);
  for (let place = picked.length - 1; place >= 0; place--) {
    const minor = picked[place]!;
    next[place] = first[minor]!;
    first[minor] = place;
    times[minor]!++;
  }
  let size = 0;
  for (let k = 0; k < x.indices.length; k++) size += times[x.indices[k]!]!;
  const data = allocate(x.dtype, size);
  const indices = new Int32Array(size);
  const indptr = new Int32Array(x.indptr.length);
  for (let major = 0, at = 0; major + 1 < indptr.length; major++) {
    for (let k = x.indptr[major]!; k < x.indptr[major + 1]!; k++) {
      for (let place = first[x.indices[k]!]!; place >= 0; place = next[place]!) {
        indices[at] = place;
        data[at++] = x.data[k]!;
      }
    }
    indptr[major + 1] = at;
  }
  return inOrder({ dtype: x.dtype, data, indices, indptr }, picked.length);
}
