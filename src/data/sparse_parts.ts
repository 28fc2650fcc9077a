/**
 * What sparse matrices are made of, and its order.
 *
 * @module
 */
import { allocate, type DType, type TypedArray } from "../dtype.ts";

/** Entries by majors: rows of a matrix in rows, columns of one in columns. The others are minors. */
export interface SparseParts {
  /** The element type. */
  readonly dtype: DType;
  /** The entries' values. */
  readonly data: TypedArray;
  /** Their minors. */
  readonly indices: Int32Array;
  /** Where the entries of each major begin, and at last where they end. */
  readonly indptr: Int32Array;
}

/**
 * The same entries by their minors: what was a major is a minor then.
 *
 * The entries of each are in ascending order, whatever they were before, and those of one place are
 * neighbours.
 */
export function swapMajor(
  { dtype, data, indices, indptr }: SparseParts,
  minors: number,
): SparseParts {
  const starts = new Int32Array(minors + 1);
  for (let k = 0; k < indices.length; k++) starts[indices[k]! + 1]!++;
  for (let i = 0; i < minors; i++) starts[i + 1]! += starts[i]!;
  const next = starts.slice();
  const values = allocate(dtype, data.length);
  const majors = new Int32Array(data.length);
  for (let major = 0; major + 1 < indptr.length; major++) {
    const end = indptr[major + 1]!;
    for (let k = indptr[major]!; k < end; k++) {
      const at = next[indices[k]!]!++;
      values[at] = data[k]!;
      majors[at] = major;
    }
  }
  return { dtype, data: values, indices: majors, indptr: starts };
}

/** The same entries in ascending order within each major, those of one place summed. */
export function inOrder(parts: SparseParts, minors: number): SparseParts {
  if (isInOrder(parts)) return parts;
  const majors = parts.indptr.length - 1;
  return withoutTwins(swapMajor(swapMajor(parts, minors), majors));
}

function isInOrder({ indices, indptr }: SparseParts): boolean {
  for (let major = 0; major + 1 < indptr.length; major++) {
    const end = indptr[major + 1]!;
    for (let k = indptr[major]! + 1; k < end; k++) if (indices[k - 1]! >= indices[k]!) return false;
  }
  return true;
}

/** Entries of which each place has one: the sum, or for booleans whether any is true. */
function withoutTwins({ dtype, data, indices, indptr }: SparseParts): SparseParts {
  const starts = new Int32Array(indptr.length);
  const values = allocate(dtype, data.length);
  const minors = new Int32Array(data.length);
  let at = 0;
  for (let major = 0; major + 1 < indptr.length; major++) {
    const end = indptr[major + 1]!;
    for (let k = indptr[major]!; k < end;) {
      const minor = indices[k]!;
      let sum = 0;
      for (; k < end && indices[k] === minor; k++) sum += data[k]!;
      minors[at] = minor;
      values[at++] = held(dtype, sum);
    }
    starts[major + 1] = at;
  }
  return { dtype, data: values.slice(0, at), indices: minors.slice(0, at), indptr: starts };
}

/** Adds a value to those of its place: the sum, or for booleans whether any is true. */
export function addAt(out: TypedArray, dtype: DType, at: number, value: number): void {
  const before = out[at]!;
  out[at] = before === 0 ? before + value : held(dtype, before + value);
}

function held(dtype: DType, sum: number): number {
  if (dtype === "bool") return Math.min(sum, 1);
  if (dtype !== "int32" || (sum | 0) === sum) return sum;
  throw new RangeError(
    `Cannot sum entries of one place as int32 cannot hold its values: current sum is ${sum}`,
  );
}

/** Entries that become more. */
export class Entries {
  readonly #dtype: DType;
  #data: TypedArray;
  #indices: Int32Array;
  /** How many there are. */
  count = 0;

  constructor(dtype: DType, capacity = 1024) {
    this.#dtype = dtype;
    this.#data = allocate(dtype, capacity);
    this.#indices = new Int32Array(capacity);
  }

  /** Adds one. */
  add(value: number, index: number): void {
    if (this.count === this.#data.length) this.#grow();
    this.#data[this.count] = value;
    this.#indices[this.count++] = index;
  }

  #grow(): void {
    const { data, indices } = this.#held();
    this.#data = allocate(this.#dtype, 2 * this.count);
    this.#data.set(data);
    this.#indices = new Int32Array(2 * this.count);
    this.#indices.set(indices);
  }

  #held(): { data: TypedArray; indices: Int32Array } {
    const isFull = this.count === this.#data.length;
    return {
      data: isFull ? this.#data : this.#data.slice(0, this.count),
      indices: isFull ? this.#indices : this.#indices.slice(0, this.count),
    };
  }

  /** What they are, and where those of each row or column begin. */
  parts(indptr: Int32Array): SparseParts {
    return { dtype: this.#dtype, ...this.#held(), indptr };
  }
}
