/**
 * Matrices less their column means, of which only some rows are held at a time.
 *
 * @module
 */
import { matmul } from "../../kernels/matmul/eager.ts";
import type { MatrixView } from "../../kernels/matmul/reference.ts";
import type { FloatArray } from "../dtype.ts";
import type { Matrix } from "./matrix.ts";

/** Directions, one per row, and how many there are. */
export interface Rows {
  /** Their values, one row after the other. */
  data: Float64Array;
  /** How many rows. */
  count: number;
}

/** A symmetric matrix, as it acts on directions. */
export interface Symmetric {
  /** Its extent. */
  readonly columns: number;
  /** Directions (count, columns) times the matrix. */
  scatter(directions: Float64Array, count: number): Float64Array;
}

/** Values of a block of rows: as many as stay in the processor's caches, at most 1024 rows. */
const BLOCK = 2 ** 21;

/** How many rows of so many columns are held at a time. */
function blockHeight(columns: number): number {
  return Math.min(1024, Math.max(64, Math.floor(BLOCK / Math.max(1, columns))));
}

/** The values of a row-major array, whose rows have so many values, as a matrix or its transpose. */
export function view(data: FloatArray, rowStride: number, columnStride: number): MatrixView {
  return { data, offset: 0, rowStride, columnStride };
}

/** A matrix less its column means; a subclass says where its values lie. */
export abstract class Centred implements Symmetric {
  /** How many rows. */
  readonly rows: number;
  /** How many columns. */
  readonly columns: number;
  protected readonly mean: Float64Array;

  constructor(rows: number, columns: number, mean: Float64Array) {
    this.rows = rows;
    this.columns = columns;
    this.mean = mean;
  }

  /** Writes centred rows from `start` to `end` to the front of `out`. */
  protected abstract fill(out: FloatArray, start: number, end: number): void;

  /** An array in the precision that sums of products have. */
  protected abstract allocate(length: number): FloatArray;

  /** Blocks of centred rows, each in the place of the one before. */
  protected *blocks(
    block: FloatArray,
  ): Generator<{ block: FloatArray; start: number; count: number }> {
    const height = blockHeight(this.columns);
    for (let start = 0; start < this.rows; start += height) {
      const end = Math.min(this.rows, start + height);
      this.fill(block, start, end);
      yield { block, start, count: end - start };
    }
  }

  /** The centred rows themselves. */
  all(): Rows {
    const data = new Float64Array(this.rows * this.columns);
    this.fill(data, 0, this.rows);
    return { data, count: this.rows };
  }

  /** The rows' coordinates (rows, count) along directions (count, columns). */
  project(directions: Float64Array, count: number): FloatArray {
    const p = this.columns;
    const height = blockHeight(p);
    const along = this.allocate(count * p);
    along.set(directions);
    const out = this.allocate(this.rows * count);
    for (const { block, start, count: rows } of this.blocks(this.allocate(height * p))) {
      matmul(out, start * count, view(block, p, 1), view(along, 1, p), rows, p, count);
    }
    return out;
  }

  /** Directions (count, columns) times the scatter matrix. */
  scatter(directions: Float64Array, count: number): Float64Array {
    const p = this.columns;
    const height = blockHeight(p);
    const out = new Float64Array(count * p);
    const part = new Float64Array(count * p);
    const coordinates = new Float64Array(height * count);
    for (const { block, count: rows } of this.blocks(new Float64Array(height * p))) {
      matmul(coordinates, 0, view(block, p, 1), view(directions, 1, p), rows, p, count);
      matmul(part, 0, view(coordinates, 1, count), view(block, p, 1), count, rows, p);
      add(out, part);
    }
    return out;
  }

  /** Adds the scatter matrix (columns, columns) to zeros. */
  gram(out: Float64Array): void {
    const p = this.columns;
    const part = this.allocate(p * p);
    for (const { block, count } of this.blocks(this.allocate(blockHeight(p) * p))) {
      matmul(part, 0, view(block, 1, p), view(block, p, 1), p, count, p);
      add(out, part);
    }
  }
}

/** Adds values to sums; two loops, for each sees one kind of array. */
function add(sums: Float64Array, values: FloatArray): void {
  if (values instanceof Float32Array) {
    for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!;
  } else {
    for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!;
  }
}

/** A dense matrix less its column means. */
export class CentredDense extends Centred {
  readonly #data: Matrix["data"];

  constructor({ data, rows, columns }: Omit<Matrix, "dtype">, mean: Float64Array) {
    super(rows, columns, mean);
    this.#data = data;
  }

  protected override allocate(length: number): FloatArray {
    return this.#data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  }

  protected override fill(out: FloatArray, start: number, end: number): void {
    const p = this.columns;
    const mean = this.mean;
    const data = this.#data;
    for (let i = start, at = 0; i < end; i++) {
      for (let j = 0, from = i * p; j < p; j++) out[at++] = data[from + j]! - mean[j]!;
    }
  }
}
