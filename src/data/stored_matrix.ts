/**
 * Matrices in files, dense or sparse, read by rows.
 *
 * @module
 */
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { tensorTypeOf, toPositions } from "./elements.ts";
import { SparseMatrix } from "./sparse.ts";
import { Entries, inOrder, type SparseParts } from "./sparse_parts.ts";
import {
  messageOf,
  numberType,
  type StoredArray,
  type StoredGroup,
  textAttribute,
  toTensor,
  unreadable,
} from "./store.ts";

/** How many entries of a sparse matrix in columns are held at once. */
const ENTRIES = 2 ** 20;

/**
 * A matrix of cells × genes in a file, of which only the rows that are asked for are read.
 *
 * Whatever the format, what is read is a dense tensor, and by `readSparse` a sparse matrix: floating
 * point as stored, integers as `int32`. Entries of a sparse matrix that the file names twice are summed. Rows that lie in one
 * chunk of the file cost as much as one of them: batches of as many rows as a chunk has, or more,
 * are read fastest.
 *
 * @example Counts per cell, a batch at a time
 * ```ts
 * import { openAnnData, type StoredMatrix } from "@cellgrad/cellgrad/data";
 * import { assertRejects } from "@std/assert";
 *
 * async function countsPerCell(matrix: StoredMatrix): Promise<number[]> {
 *   const totals: number[] = [];
 *   for await (const batch of matrix.rowBatches(1024)) {
 *     totals.push(...batch.sum({ axis: 1 }).data);
 *   }
 *   return totals;
 * }
 *
 * await assertRejects(async () => {
 *   await using file = await openAnnData("missing.zarr");
 *   return await countsPerCell(await file.layer("counts"));
 * }, Error, "does not exist");
 * ```
 */
export interface StoredMatrix {
  /** How many rows (cells) and columns (genes) there are. */
  readonly shape: readonly [number, number];
  /** The element type of the tensors that are read. */
  readonly dtype: DType;
  /**
   * How the file holds it: all numbers, or only those that are not zero, by rows (`"csr"`) or by
   * columns (`"csc"`). By columns, any rows cost as much as all of them, as the file is read from
   * end to end: to train on batches, convert such a file to `"csr"`, or read it once.
   */
  readonly format: "dense" | "csr" | "csc";
  /** All rows. */
  read(): Promise<Tensor>;
  /** The rows from `start` to `end`, which is not included. */
  readRows(start: number, end: number): Promise<Tensor>;
  /** All rows, `size` at a time, in order; the last batch may be smaller. */
  rowBatches(size: number): AsyncGenerator<Tensor, void, undefined>;
  /**
   * The rows from `start` to `end`, which is not included, without their zeros: all of them by
   * default. By columns where the file holds them so, else by rows.
   */
  readSparse(start?: number, end?: number): Promise<SparseMatrix>;
}

/** Opens what a file holds under a key as a matrix; its numbers are read later. */
export async function openMatrix(
  path: string,
  node: StoredArray | StoredGroup,
): Promise<StoredMatrix> {
  const { key } = node;
  if (node.kind === "array") {
    if (node.shape.length === 2) return denseMatrix(path, node);
    throw unreadable(path, key, `a matrix must have two axes: its shape is [${node.shape}]`);
  }
  const encoding = textAttribute(node, "encoding-type");
  // Before AnnData 0.7, sparse matrices were those of h5sparse.
  const old = textAttribute(node, "h5sparse_format");
  const format = encoding ?? (old === undefined ? undefined : `${old}_matrix`);
  if (format === "csr_matrix" || format === "csc_matrix") {
    return await openSparse(path, node, format);
  }
  const why = encoding === "dataframe"
    ? "it is a data frame, and an array or a sparse matrix can be read"
    : encoding === "awkward-array"
    ? "it is an awkward array, of rows of different lengths, which is not read: pad it, or write " +
      "it as a sparse matrix"
    : "a group must be a csr_matrix or csc_matrix to be read as a matrix: " +
      `its encoding-type is ${encoding}`;
  throw unreadable(path, key, why);
}

async function openSparse(
  path: string,
  group: StoredGroup,
  encoding: "csr_matrix" | "csc_matrix",
): Promise<StoredMatrix> {
  const extents = (group.attributes["shape"] ?? group.attributes["h5sparse_shape"]) as
    | Iterable<number | bigint>
    | undefined;
  const [rows = NaN, columns = NaN] = Array.from(extents ?? [], Number);
  const format = encoding === "csr_matrix" ? "csr" : "csc";
  return sparseMatrix(path, group.key, [rows, columns], format, await sparseParts(path, group));
}

/** The three arrays of a sparse matrix. */
export async function sparseParts(path: string, group: StoredGroup): Promise<StoredParts> {
  const part = async (name: string) => {
    const array = await group.get(name);
    if (array?.kind === "array" && array.shape.length === 1) return array;
    const why = `a sparse matrix must have ${name}, an array with one axis`;
    throw unreadable(path, group.key, why);
  };
  return {
    data: await part("data"),
    indices: await part("indices"),
    indptr: await part("indptr"),
  };
}

/** A sparse matrix of three arrays, which must fit together. */
export function sparseMatrix(
  path: string,
  key: string,
  [rows, columns]: readonly [number, number],
  format: "csr" | "csc",
  parts: StoredParts,
): StoredMatrix {
  const major = format === "csr" ? rows : columns;
  const [data, indices, indptr] = [parts.data, parts.indices, parts.indptr]
    .map(({ shape }) => shape[0]!);
  if (indptr !== major + 1 || data !== indices || !(rows >= 0 && columns >= 0)) {
    throw unreadable(
      path,
      key,
      `the parts of the sparse matrix do not fit together: shape is [${rows}, ${columns}], and ` +
        `there are ${data} data, ${indices} indices and ${indptr} indptr`,
    );
  }
  const Sparse = format === "csr" ? CsrMatrix : CscMatrix;
  return new Sparse(path, key, [rows, columns], parts);
}

/** A dense matrix of an array with two axes; `transposed` where the array has genes in rows. */
export function denseMatrix(path: string, array: StoredArray, transposed = false): StoredMatrix {
  return new DenseMatrix(path, array, transposed ? 1 : 0);
}

/** The three arrays of a sparse matrix. */
export interface StoredParts {
  /** The values. */
  data: StoredArray;
  /** Their columns (or rows). */
  indices: StoredArray;
  /** Where rows (or columns) begin. */
  indptr: StoredArray;
}

abstract class FileMatrix implements StoredMatrix {
  abstract readonly format: "dense" | "csr" | "csc";
  readonly shape: readonly [number, number];
  readonly dtype: DType;
  protected readonly path: string;
  protected readonly key: string;

  /** The array of the values. */
  protected readonly data: StoredArray;

  constructor(path: string, key: string, shape: readonly [number, number], data: StoredArray) {
    this.path = path;
    this.key = key;
    this.shape = shape;
    this.data = data;
    this.dtype = tensorTypeOf(numberType(path, data), data.wide);
  }

  /** The values of rows that exist. */
  protected abstract values(start: number, end: number): Promise<TypedArray>;

  /** The entries of rows that exist. */
  protected abstract entriesOf(start: number, end: number): Promise<SparseMatrix>;

  protected get what(): string {
    return `"${this.key}" of "${this.path}"`;
  }

  read(): Promise<Tensor> {
    return this.readRows(0, this.shape[0]);
  }

  readRows(start: number, end: number): Promise<Tensor> {
    const columns = this.shape[1];
    const size = (end - start) * columns;
    return this.#inMemory(start, end, `${size} numbers`, async () => {
      const data = size === 0 ? allocate(this.dtype, 0) : await this.values(start, end);
      return fromData(data, [end - start, columns], this.dtype);
    });
  }

  readSparse(start: number = 0, end: number = this.shape[0]): Promise<SparseMatrix> {
    return this.#inMemory(start, end, "their entries", () => this.entriesOf(start, end));
  }

  /** What is read of rows that exist, as long as there is memory for it. */
  async #inMemory<T>(
    start: number,
    end: number,
    what: string,
    read: () => Promise<T>,
  ): Promise<T> {
    const rows = this.shape[0];
    const isWhole = Number.isInteger(start) && Number.isInteger(end);
    if (!isWhole || start < 0 || end < start || end > rows) {
      throw new RangeError(
        `Cannot read rows of ${this.what} as start and end must be integers with ` +
          `0 <= start <= end <= ${rows}: current values are ${start} and ${end}`,
      );
    }
    try {
      return await read();
    } catch (cause) {
      // What allocate and V8 say where an array is too large.
      if (
        !/^(Cannot hold|Array buffer allocation|Invalid typed array length)/.test(messageOf(cause))
      ) {
        throw cause;
      }
      throw new RangeError(
        `Cannot read ${end - start} rows of ${this.what} as ${what} do not fit in ` +
          `memory: read fewer at once, with readRows or rowBatches`,
        { cause },
      );
    }
  }

  async *rowBatches(size: number): AsyncGenerator<Tensor, void, undefined> {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot read row batches of ${this.what} as size must be a positive integer: ` +
          `current value is ${size}`,
      );
    }
    const rows = this.shape[0];
    for (let start = 0; start < rows; start += size) {
      yield await this.readRows(start, Math.min(rows, start + size));
    }
  }
}

class DenseMatrix extends FileMatrix {
  readonly format = "dense";
  /** The axis of the cells. */
  readonly #axis: 0 | 1;

  constructor(path: string, array: StoredArray, axis: 0 | 1) {
    const [rows, columns] = axis === 0 ? array.shape : array.shape.toReversed();
    super(path, array.key, [rows!, columns!], array);
    this.#axis = axis;
  }

  protected async values(start: number, end: number): Promise<TypedArray> {
    const data = toTensor(
      this.path,
      this.data,
      await this.data.readNumbers(start, end, this.#axis),
    );
    if (this.#axis === 0) return data;
    const [rows, columns] = [end - start, this.shape[1]];
    const out = allocate(this.dtype, data.length);
    for (let j = 0; j < columns; j++) {
      for (let i = 0; i < rows; i++) out[i * columns + j] = data[j * rows + i]!;
    }
    return out;
  }

  /** As many rows at a time as lie together. */
  protected async entriesOf(start: number, end: number): Promise<SparseMatrix> {
    const columns = this.shape[1];
    const entries = new Entries(this.dtype);
    const indptr = new Int32Array(end - start + 1);
    const { chunkLength } = this.data;
    const step = Math.max(1, Math.floor(ENTRIES / (columns * chunkLength))) * chunkLength;
    for (let from = start; from < end; from += step) {
      const to = Math.min(end, from + step);
      const values = columns === 0 ? [] : await this.values(from, to);
      for (let row = from, at = 0; row < to; row++) {
        for (let column = 0; column < columns; column++, at++) {
          if (values[at] !== 0) entries.add(values[at]!, column);
        }
        indptr[row - start + 1] = entries.count;
      }
    }
    return new SparseMatrix("csr", [end - start, columns], entries.parts(indptr));
  }
}

abstract class StoredSparse extends FileMatrix {
  readonly #parts: StoredParts;

  constructor(path: string, key: string, shape: readonly [number, number], parts: StoredParts) {
    super(path, key, shape, parts.data);
    this.#parts = parts;
  }

  /** Pieces of the entries from `first` to `last`: of whole chunks, none of them large. */
  protected async *pieces(first: number, last: number): AsyncGenerator<Piece> {
    const { chunkLength } = this.#parts.data;
    const step = Math.max(1, Math.floor(ENTRIES / chunkLength)) * chunkLength;
    for (let from = first; from < last; from += step) {
      const to = Math.min(last, from + step);
      const [values, indices] = await this.entries(from, to);
      yield { from, to, values, indices };
    }
  }

  /** The entries that a range of majors has within a range of minors, which are counted from there. */
  protected async partsOf(
    majors: readonly [number, number],
    minors: readonly [number, number],
    extent: number,
  ): Promise<SparseParts> {
    const pointers = await this.pointers(...majors);
    const count = pointers.length - 1;
    const [first, last] = [pointers[0]!, pointers[count]!];
    const all = minors[1] - minors[0] === extent;
    const entries = new Entries(this.dtype, all ? last - first : 1024);
    const indptr = new Int32Array(count + 1);
    let major = 0;
    for await (const { from, to, values, indices } of this.pieces(first, last)) {
      for (let i = from; i < to; i++) {
        while (pointers[major + 1]! <= i) indptr[++major] = entries.count;
        const minor = indices[i - from]!;
        if (!(minor >= 0 && minor < extent)) throw this.broken("indices");
        if (minor >= minors[0] && minor < minors[1]) {
          entries.add(values[i - from]!, minor - minors[0]);
        }
      }
    }
    while (major < count) indptr[++major] = entries.count;
    return inOrder(entries.parts(indptr), minors[1] - minors[0]);
  }

  /** Where the entries of rows (or columns) begin, checked to grow within the data. */
  protected async pointers(start: number, end: number): Promise<ArrayLike<number>> {
    const { indptr, data } = this.#parts;
    const pointers = toPositions(await indptr.readNumbers(start, end + 1));
    let last = 0;
    for (let i = 0; i < pointers.length; i++) {
      const next = pointers[i]!;
      if (!(next >= last && next <= data.shape[0]!)) throw this.broken("indptr");
      last = next;
    }
    return pointers;
  }

  /** The entries from `from` to `to`: their values, and their columns (or rows). */
  protected async entries(from: number, to: number): Promise<[TypedArray, ArrayLike<number>]> {
    const { data, indices } = this.#parts;
    const values = toTensor(this.path, data, await data.readNumbers(from, to));
    return [values, toPositions(await indices.readNumbers(from, to))];
  }

  protected broken(part: string): SyntaxError {
    return unreadable(this.path, this.key, `${part} of the sparse matrix lead out of it`);
  }
}

interface Piece {
  from: number;
  to: number;
  values: TypedArray;
  indices: ArrayLike<number>;
}

class CsrMatrix extends StoredSparse {
  readonly format = "csr";

  protected async values(start: number, end: number): Promise<TypedArray> {
    const columns = this.shape[1];
    const out = allocate(this.dtype, (end - start) * columns);
    const pointers = await this.pointers(start, end);
    const first = pointers[0]!;
    const [values, indices] = await this.entries(first, pointers[end - start]!);
    for (let row = 0; row < end - start; row++) {
      const stop = pointers[row + 1]! - first;
      for (let i = pointers[row]! - first; i < stop; i++) {
        const column = indices[i]!;
        if (!(column >= 0 && column < columns)) throw this.broken("indices");
        out[row * columns + column]! += values[i]!;
      }
    }
    return out;
  }

  protected async entriesOf(start: number, end: number): Promise<SparseMatrix> {
    const columns = this.shape[1];
    const parts = await this.partsOf([start, end], [0, columns], columns);
    return new SparseMatrix("csr", [end - start, columns], parts);
  }
}

class CscMatrix extends StoredSparse {
  readonly format = "csc";
  #pointers: Promise<ArrayLike<number>> | undefined;

  /** One pass over all entries, a piece at a time, that keeps those of the rows. */
  protected async values(start: number, end: number): Promise<TypedArray> {
    const [rows, columns] = this.shape;
    const out = allocate(this.dtype, (end - start) * columns);
    const pointers = await (this.#pointers ??= this.pointers(0, columns));
    const [first, last] = [pointers[0]!, pointers[columns]!];
    let column = 0;
    for await (const { from, to, values, indices } of this.pieces(first, last)) {
      for (let i = from; i < to; i++) {
        while (pointers[column + 1]! <= i) column++;
        const row = indices[i - from]!;
        if (!(row >= 0 && row < rows)) throw this.broken("indices");
        if (row >= start && row < end) out[(row - start) * columns + column]! += values[i - from]!;
      }
    }
    return out;
  }

  protected async entriesOf(start: number, end: number): Promise<SparseMatrix> {
    const [rows, columns] = this.shape;
    const parts = await this.partsOf([0, columns], [start, end], rows);
    return new SparseMatrix("csc", [end - start, columns], parts);
  }
}
