/**
 * Matrices in files, whatever their form: which rows are asked for, and what they become.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { tensorTypeOf } from "./elements.ts";
import { type HeldRows, sortedRows } from "./held_rows.ts";
import type { SparseMatrix } from "./sparse.ts";
import { messageOf, numberType, type StoredArray } from "./store.ts";

/**
 * A matrix of cells × genes in a file, of which only the rows that are asked for are read.
 *
 * Whatever the format, what is read is a dense tensor: floating point as stored, integers as
 * `int32`. Entries of a sparse matrix that the file names twice are summed. Rows that lie in one
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
  /**
   * The rows of a list, in its order; a row may occur several times. Those that lie together in the
   * file are read together.
   */
  readRows(rows: readonly number[] | Int32Array): Promise<Tensor>;
  /** All rows, `size` at a time, in order; the last batch may be smaller. */
  rowBatches(size: number): AsyncGenerator<Tensor, void, undefined>;
  /**
   * The rows from `start` to `end`, which is not included, without their zeros: all of them by
   * default. By columns where the file holds them so, else by rows.
   */
  readSparse(start?: number, end?: number): Promise<SparseMatrix>;
}

/** What all forms have in common. */
export abstract class FileMatrix implements StoredMatrix {
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
    this.dtype = tensorTypeOf(numberType(path, data), data.integers !== undefined);
  }

  /** The values of rows that exist. */
  protected abstract values(start: number, end: number): Promise<TypedArray>;

  /** The entries of rows that exist. */
  protected abstract entriesOf(start: number, end: number): Promise<SparseMatrix>;

  /** Reads rows that exist, given in order and each once, to be put together later. */
  abstract hold(rows: Int32Array): Promise<HeldRows>;

  /** Where the entries of each row begin, and the last ones end, of a matrix that lies in rows. */
  rowPointers(): Promise<ArrayLike<number>> | undefined {
    return undefined;
  }

  protected get what(): string {
    return `"${this.key}" of "${this.path}"`;
  }

  async read(): Promise<Tensor> {
    if (arguments.length > 0) this.#refuseMore("read takes nothing", arguments[0]);
    return await this.readRows(0, this.shape[0]);
  }

  readRows(start: number, end: number): Promise<Tensor>;
  readRows(rows: readonly number[] | Int32Array): Promise<Tensor>;
  async readRows(first: number | readonly number[] | Int32Array, end?: number): Promise<Tensor> {
    if (arguments.length > 2) this.#refuseMore("nothing follows start and end", arguments[2]);
    if (Array.isArray(first) || first instanceof Int32Array) return await this.#listed(first, end);
    return await this.#range(first as number, end as number);
  }

  async readSparse(start: number = 0, end: number = this.shape[0]): Promise<SparseMatrix> {
    if (arguments.length > 2) this.#refuseMore("nothing follows start and end", arguments[2]);
    this.#checkRange(start, end);
    return await this.#inMemory(end - start, "their entries", () => this.entriesOf(start, end));
  }

  async #range(start: number, end: number): Promise<Tensor> {
    this.#checkRange(start, end);
    return await this.#read(end - start, () => this.values(start, end));
  }

  #checkRange(start: number, end: number): void {
    const rows = this.shape[0];
    const isWhole = Number.isInteger(start) && Number.isInteger(end);
    if (isWhole && start >= 0 && end >= start && end <= rows) return;
    throw new RangeError(
      `Cannot read rows of ${this.what} as start and end must be integers with ` +
        `0 <= start <= end <= ${rows}: current values are ${describe(start)} and ${describe(end)}`,
    );
  }

  async #listed(rows: readonly number[] | Int32Array, more: unknown): Promise<Tensor> {
    if (more !== undefined) this.#refuseMore("nothing follows a list of rows", more);
    const [count, columns] = this.shape;
    for (let i = 0; i < rows.length; i++) {
      if (Number.isInteger(rows[i]) && rows[i]! >= 0 && rows[i]! < count) continue;
      throw new RangeError(
        `Cannot read rows of ${this.what} as each must be a whole number from 0 to ` +
          `${count - 1}: current value at position ${i} is ${describe(rows[i])}`,
      );
    }
    const { sorted, places } = sortedRows(rows);
    return await this.#read(rows.length, async () => {
      const data = allocate(this.dtype, rows.length * columns);
      const held = await this.hold(sorted);
      for (let i = 0; i < places.length; i++) held.put(places[i]!, data, i * columns);
      return data;
    });
  }

  #refuseMore(why: string, value: unknown): never {
    throw new TypeError(
      `Cannot read rows of ${this.what} as ${why}: current value is ${describe(value)}`,
    );
  }

  /** A tensor of rows, as long as there is memory for it. */
  #read(count: number, values: () => Promise<TypedArray>): Promise<Tensor> {
    const columns = this.shape[1];
    const size = count * columns;
    return this.#inMemory(count, `${size} numbers`, async () => {
      const data = size === 0 ? allocate(this.dtype, 0) : await values();
      return fromData(data, [count, columns], this.dtype);
    });
  }

  /** What is read of rows, as long as there is memory for it. */
  async #inMemory<T>(count: number, what: string, read: () => Promise<T>): Promise<T> {
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
        `Cannot read ${count} rows of ${this.what} as ${what} do not fit in memory: ` +
          `read fewer at once, with readRows or rowBatches`,
        { cause },
      );
    }
  }

  async *rowBatches(size: number): AsyncGenerator<Tensor, void, undefined> {
    if (arguments.length > 1) this.#refuseMore("nothing follows size", arguments[1]);
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

/** Where the entries of each row begin, and the last ones end; `undefined` but of sparse rows. */
export function rowPointers(matrix: StoredMatrix): Promise<ArrayLike<number>> | undefined {
  return (matrix as FileMatrix).rowPointers();
}

/** Reads rows that exist, given in order and each once, to be put together later. */
export function holdRows(matrix: StoredMatrix, rows: Int32Array): Promise<HeldRows> {
  return (matrix as FileMatrix).hold(rows);
}
