/**
 * Matrices in files, dense or sparse, read by rows.
 *
 * @module
 */
import { allocate, type TypedArray } from "../dtype.ts";
import { toPositions } from "./elements.ts";
import { FileMatrix, type StoredMatrix } from "./file_matrix.ts";
import {
  addEntries,
  DenseRows,
  type EntryPart,
  type HeldRows,
  joinRanges,
  SparseRows,
} from "./held_rows.ts";
import { SparseMatrix } from "./sparse.ts";
import { addAt, Entries, inOrder, type SparseParts } from "./sparse_parts.ts";
import {
  type StoredArray,
  type StoredGroup,
  textAttribute,
  toTensor,
  unreadable,
} from "./store.ts";

export type { StoredMatrix } from "./file_matrix.ts";

/** How many entries of a sparse matrix in columns are held at once. */
const ENTRIES = 2 ** 20;

/** How many rows of a matrix with genes in rows are read together. */
const TOGETHER = 64;

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

  async hold(rows: Int32Array): Promise<HeldRows> {
    const columns = this.shape[1];
    const chunk = this.#axis === 0 ? this.data.chunkLength : TOGETHER;
    const at = (i: number) => rows[i]!;
    const { runs, of } = joinRanges(rows.length, at, (i) => at(i) + 1, chunk, 0);
    const parts: TypedArray[] = [];
    const offsets = new Float64Array(rows.length);
    let i = 0;
    for (const [number, { from, to }] of runs.entries()) {
      const first = i;
      while (of[i] === number) i++;
      const part = await this.values(from, to);
      const isSparse = 2 * (i - first) < to - from;
      parts.push(isSparse ? allocate(this.dtype, (i - first) * columns) : part);
      for (let j = first; j < i; j++) {
        const offset = (at(j) - from) * columns;
        offsets[j] = isSparse ? (j - first) * columns : offset;
        if (isSparse) parts[number]!.set(part.subarray(offset, offset + columns), offsets[j]);
      }
    }
    return new DenseRows(parts, of, offsets, columns);
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

  /** How many entries are stored together. */
  protected get chunkLength(): number {
    return this.#parts.data.chunkLength;
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
  #all: Promise<ArrayLike<number>> | undefined;

  protected async values(start: number, end: number): Promise<TypedArray> {
    const columns = this.shape[1];
    const out = allocate(this.dtype, (end - start) * columns);
    const pointers = await this.pointers(start, end);
    const first = pointers[0]!;
    const [values, indices] = await this.entries(first, pointers[end - start]!);
    const part = { values, indices };
    for (let row = 0; row < end - start; row++) {
      const [from, to] = [pointers[row]! - first, pointers[row + 1]! - first];
      if (!addEntries(part, from, to, out, row * columns, columns)) throw this.broken("indices");
    }
    return out;
  }

  /** They are kept: eight bytes for each row at most. */
  override rowPointers(): Promise<ArrayLike<number>> {
    return this.#all ??= this.pointers(0, this.shape[0]);
  }

  async hold(rows: Int32Array): Promise<HeldRows> {
    const pointers = await this.rowPointers();
    const from = (i: number) => pointers[rows[i]!]!;
    const to = (i: number) => pointers[rows[i]! + 1]!;
    const { runs, of } = joinRanges(rows.length, from, to, this.chunkLength);
    const parts: EntryPart[] = [];
    for (const run of runs) {
      const [values, indices] = await this.entries(run.from, run.to);
      parts.push({ values, indices });
    }
    const ends = new Float64Array(2 * rows.length);
    for (let i = 0; i < rows.length; i++) {
      const start = runs[of[i]!]!.from;
      ends[2 * i] = from(i) - start;
      ends[2 * i + 1] = to(i) - start;
    }
    return new SparseRows(parts, of, ends, this.shape[1], () => this.broken("indices"));
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

  protected async values(start: number, end: number): Promise<TypedArray> {
    return await this.#gather(end - start, (row) => row - start);
  }

  async hold(rows: Int32Array): Promise<HeldRows> {
    const columns = this.shape[1];
    const places = new Int32Array(this.shape[0]).fill(-1);
    rows.forEach((row, i) => places[row] = i);
    const data = await this.#gather(rows.length, (row) => places[row]!);
    const offsets = Float64Array.from(rows, (_, i) => i * columns);
    return new DenseRows([data], new Int32Array(rows.length), offsets, columns);
  }

  /** One pass over all entries, a piece at a time, that keeps those of rows with a place. */
  async #gather(count: number, placeOf: (row: number) => number): Promise<TypedArray> {
    const [rows, columns] = this.shape;
    const out = allocate(this.dtype, count * columns);
    const pointers = await (this.#pointers ??= this.pointers(0, columns));
    const [first, last] = [pointers[0]!, pointers[columns]!];
    let column = 0;
    for await (const { from, to, values, indices } of this.pieces(first, last)) {
      for (let i = from; i < to; i++) {
        while (pointers[column + 1]! <= i) column++;
        const row = indices[i - from]!;
        if (!(row >= 0 && row < rows)) throw this.broken("indices");
        const place = placeOf(row);
        if (place < 0 || place >= count) continue;
        addAt(out, this.dtype, place * columns + column, values[i - from]!);
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
