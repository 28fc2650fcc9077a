/**
 * Columns that annotate cells, as batches take their values.
 *
 * @module
 */
import type { DType, TypedArray } from "../dtype.ts";
import { allocate, dtypeOf } from "../dtype.ts";
import { fromData, type Tensor } from "../tensor.ts";
import type { AnnDataFile } from "./anndata.ts";

/** The values of a column, one for each cell. */
export interface CellLabels {
  /** The values of some cells, then those of padding. */
  take(rows: ArrayLike<number>, size: number): Tensor;
}

/**
 * Reads a column.
 *
 * @param file The file.
 * @param key One of its columns.
 * @returns The codes of categories, numbers, or booleans.
 * @throws {TypeError} If it holds text, or lacks numbers.
 */
export async function readLabels(file: AnnDataFile, key: string): Promise<CellLabels> {
  const column = await file.obs(key);
  const refuse = (why: string) =>
    new TypeError(`Cannot load obs column "${key}" of "${file.path}" as ${why}`);
  if (column.kind === "string") {
    throw refuse("it holds text: batches have numbers, booleans and the codes of categories");
  }
  if (column.kind === "bigint") {
    throw refuse("tensors hold no integers of 64 bits: open the file with another option integers");
  }
  if (column.kind === "categorical") return new Labels(column.codes, "int32", -1);
  const missing = column.missing?.reduce((sum, flag) => sum + flag, 0) ?? 0;
  if (missing > 0) {
    throw refuse(`it is missing in ${missing} cells: leave them out by the option rows`);
  }
  const { values } = column;
  return new Labels(values, column.kind === "boolean" ? "bool" : dtypeOf(values)!, 0);
}

class Labels implements CellLabels {
  readonly #values: TypedArray;
  readonly #dtype: DType;
  readonly #padding: number;

  constructor(values: TypedArray, dtype: DType, padding: number) {
    this.#padding = padding;
    this.#values = values;
    this.#dtype = dtype;
  }

  take(rows: ArrayLike<number>, size: number): Tensor {
    const out = allocate(this.#dtype, size).fill(this.#padding, rows.length);
    for (let i = 0; i < rows.length; i++) out[i] = this.#values[rows[i]!]!;
    return fromData(out, [size], this.#dtype);
  }
}
