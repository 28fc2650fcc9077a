/**
 * Rows of a matrix in memory, any of them, as they are put together to batches.
 *
 * @module
 */
import { dtypeOf, type TypedArray } from "../dtype.ts";
import { addAt } from "./sparse_parts.ts";

/** Rows in memory. */
export interface HeldRows {
  /** Puts the i-th of them where there are zeros, from the position `at` on. */
  put(i: number, out: TypedArray, at: number): void;
}

/** A range that is read at once. */
export interface Run {
  /** Where it begins. */
  readonly from: number;
  /** What is behind it. */
  readonly to: number;
}

/** Ranges joined to runs, and the run of each range. */
export interface Runs {
  /** The runs, in order. */
  readonly runs: readonly Run[];
  /** The number of each range's run. */
  readonly of: Int32Array;
}

/** How many positions between two ranges are rather read than left out. */
const GAP = 256;

/**
 * Joins ranges that lie in the same chunk of a file, or close together.
 *
 * @param count How many ranges there are.
 * @param from Where the i-th begins; they are in order.
 * @param to What is behind it.
 * @param chunk How many positions are stored together.
 * @param gap How many positions between two of them do no harm.
 * @returns The runs.
 */
export function joinRanges(
  count: number,
  from: (i: number) => number,
  to: (i: number) => number,
  chunk: number,
  gap: number = GAP,
): Runs {
  const runs: { from: number; to: number }[] = [];
  const of = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const [start, end] = [from(i), to(i)];
    const last = runs.at(-1);
    const isNear = last !== undefined &&
      (start - last.to <= gap || start < Math.ceil(last.to / chunk) * chunk);
    if (isNear) last.to = Math.max(last.to, end);
    else runs.push({ from: start, to: end });
    of[i] = runs.length - 1;
  }
  return { runs, of };
}

/** Rows of numbers without gaps, in one array or several. */
export class DenseRows implements HeldRows {
  readonly #parts: readonly TypedArray[];
  readonly #of: Int32Array;
  readonly #offsets: Float64Array;
  readonly #columns: number;

  /**
   * Rows in parts.
   *
   * @param parts Row-major.
   * @param of The part of each row.
   * @param offsets Where each row begins in its part.
   * @param columns How many numbers it has.
   */
  constructor(
    parts: readonly TypedArray[],
    of: Int32Array,
    offsets: Float64Array,
    columns: number,
  ) {
    this.#parts = parts;
    this.#of = of;
    this.#offsets = offsets;
    this.#columns = columns;
  }

  put(i: number, out: TypedArray, at: number): void {
    const offset = this.#offsets[i]!;
    const part = this.#parts[this.#of[i]!]!;
    out.set(part.subarray(offset, offset + this.#columns), at);
  }
}

/** Entries of rows, as they lie in a file. */
export interface EntryPart {
  /** The values. */
  readonly values: TypedArray;
  /** Their columns. */
  readonly indices: ArrayLike<number>;
}

/** Rows without their zeros. */
export class SparseRows implements HeldRows {
  readonly #parts: readonly EntryPart[];
  readonly #of: Int32Array;
  /** Where each row begins and ends in its part. */
  readonly #ends: Float64Array;
  readonly #columns: number;
  readonly #broken: () => Error;

  /**
   * Rows in parts.
   *
   * @param parts The entries.
   * @param of The part of each row.
   * @param ends Two numbers for each row: where it begins in its part, and what is behind it.
   * @param columns How many columns there are.
   * @param broken What is thrown where an index leads out of them.
   */
  constructor(
    parts: readonly EntryPart[],
    of: Int32Array,
    ends: Float64Array,
    columns: number,
    broken: () => Error,
  ) {
    this.#parts = parts;
    this.#of = of;
    this.#ends = ends;
    this.#columns = columns;
    this.#broken = broken;
  }

  put(i: number, out: TypedArray, at: number): void {
    const [from, to] = [this.#ends[2 * i]!, this.#ends[2 * i + 1]!];
    if (from === to) return;
    const part = this.#parts[this.#of[i]!]!;
    if (!addEntries(part, from, to, out, at, this.#columns)) throw this.#broken();
  }

  /** Puts the entries of the i-th row where there is room, from the position `at` on; how many. */
  take(i: number, { data, indices }: EntryStore, at: number): number {
    const [from, to] = [this.#ends[2 * i]!, this.#ends[2 * i + 1]!];
    if (from === to) return 0;
    const part = this.#parts[this.#of[i]!]!;
    for (let k = from; k < to; k++, at++) {
      const column = part.indices[k]!;
      if (!(column >= 0 && column < this.#columns)) throw this.#broken();
      data[at] = part.values[k]!;
      indices[at] = column;
    }
    return to - from;
  }
}

/** Entries in a larger store. */
export interface EntryStore {
  readonly data: TypedArray;
  readonly indices: Int32Array;
}

/** Adds entries to a row that begins at `at`; `false` where one lies outside of it. */
export function addEntries(
  { values, indices }: EntryPart,
  from: number,
  to: number,
  out: TypedArray,
  at: number,
  columns: number,
): boolean {
  const dtype = dtypeOf(out)!;
  for (let i = from; i < to; i++) {
    const column = indices[i]!;
    if (!(column >= 0 && column < columns)) return false;
    addAt(out, dtype, at + column, values[i]!);
  }
  return true;
}

/** The rows of a list in order, each once, and the place of each of the list among them. */
export function sortedRows(rows: ArrayLike<number>): { sorted: Int32Array; places: Int32Array } {
  const all = Int32Array.from(rows).sort();
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    if (i === 0 || all[i] !== all[i - 1]) all[count++] = all[i]!;
  }
  const sorted = all.subarray(0, count);
  const places = Int32Array.from(rows, (row) => placeOf(sorted, row));
  return { sorted, places };
}

/** Where a number is in an array in order that has it. */
function placeOf(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
