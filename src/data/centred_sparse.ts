/**
 * Sparse matrices less their column means, which stay sparse.
 *
 * @module
 */
import type { FloatArray } from "../dtype.ts";
import { Centred } from "./centred.ts";
import type { SparseParts } from "./sparse_parts.ts";

/**
 * Pairs of entries of a row for each pair of columns, up to which sums over entries take less time than
 * compiled products of dense blocks.
 */
const THIN = 0.05;

/** A sparse matrix in rows less its column means. */
export class CentredSparse extends Centred {
  readonly #parts: SparseParts;
  readonly #isThin: boolean;

  constructor(parts: SparseParts, columns: number, mean: Float64Array) {
    const rows = parts.indptr.length - 1;
    super(rows, columns, mean);
    this.#parts = parts;
    let pairs = 0;
    for (let i = 0; i < rows; i++) pairs += (parts.indptr[i + 1]! - parts.indptr[i]!) ** 2;
    this.#isThin = pairs < THIN * rows * columns * columns;
  }

  protected override allocate(length: number): FloatArray {
    return this.#parts.data instanceof Float32Array
      ? new Float32Array(length)
      : new Float64Array(length);
  }

  protected override fill(out: FloatArray, start: number, end: number): void {
    const { data, indices, indptr } = this.#parts;
    const p = this.columns;
    const mean = this.mean;
    for (let i = start, row = 0; i < end; i++, row += p) {
      for (let j = 0; j < p; j++) out[row + j] = -mean[j]!;
      for (let k = indptr[i]!; k < indptr[i + 1]!; k++) {
        out[row + indices[k]!] = data[k]! - mean[indices[k]!]!;
      }
    }
  }

  override project(directions: Float64Array, count: number): FloatArray {
    if (!this.#isThin) return super.project(directions, count);
    const out = this.allocate(this.rows * count);
    const along = acrossFirst(directions, count);
    const shift = this.#shift(along, count);
    const row = new Float64Array(count);
    for (let i = 0; i < this.rows; i++) {
      this.#coordinates(i, along, shift, row);
      out.set(row, i * count);
    }
    return out;
  }

  override scatter(directions: Float64Array, count: number): Float64Array {
    if (!this.#isThin) return super.scatter(directions, count);
    const { data, indices, indptr } = this.#parts;
    const along = acrossFirst(directions, count);
    const shift = this.#shift(along, count);
    const row = new Float64Array(count);
    const sums = new Float64Array(count);
    const images = new Float64Array(along.length);
    for (let i = 0; i < this.rows; i++) {
      this.#coordinates(i, along, shift, row);
      for (let c = 0; c < count; c++) sums[c]! += row[c]!;
      for (let k = indptr[i]!; k < indptr[i + 1]!; k++) {
        const value = data[k]!;
        const at = indices[k]! * count;
        for (let c = 0; c < count; c++) images[at + c]! += value * row[c]!;
      }
    }
    for (let j = 0; j < this.columns; j++) {
      for (let c = 0; c < count; c++) images[j * count + c]! -= this.mean[j]! * sums[c]!;
    }
    return acrossFirst(images, this.columns);
  }

  /** Sums over pairs of entries: where few are not zero, means are small beside what is left of them. */
  override gram(out: Float64Array): void {
    if (!this.#isThin) return super.gram(out);
    const { data, indices, indptr } = this.#parts;
    const p = this.columns;
    for (let i = 0; i < this.rows; i++) {
      const [start, end] = [indptr[i]!, indptr[i + 1]!];
      for (let k = start; k < end; k++) {
        const value = data[k]!;
        const at = indices[k]! * p;
        for (let l = start; l <= k; l++) out[at + indices[l]!]! += value * data[l]!;
      }
    }
    for (let j = 0; j < p; j++) {
      const shift = this.rows * this.mean[j]!;
      for (let l = 0; l <= j; l++) {
        out[l * p + j] = out[j * p + l]! -= shift * this.mean[l]!;
      }
    }
  }

  /** The coordinates of the means. */
  #shift(along: Float64Array, count: number): Float64Array {
    const shift = new Float64Array(count);
    for (let j = 0; j < this.columns; j++) {
      for (let c = 0; c < count; c++) shift[c]! += this.mean[j]! * along[j * count + c]!;
    }
    return shift;
  }

  /** Writes the coordinates of a row along directions (columns, count). */
  #coordinates(i: number, along: Float64Array, shift: Float64Array, out: Float64Array): void {
    const { data, indices, indptr } = this.#parts;
    const count = out.length;
    for (let c = 0; c < count; c++) out[c] = -shift[c]!;
    for (let k = indptr[i]!; k < indptr[i + 1]!; k++) {
      const value = data[k]!;
      const at = indices[k]! * count;
      for (let c = 0; c < count; c++) out[c]! += value * along[at + c]!;
    }
  }
}

/** A row-major matrix of so many rows, transposed. */
function acrossFirst(data: Float64Array, rows: number): Float64Array {
  const columns = data.length / rows;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  }
  return out;
}
