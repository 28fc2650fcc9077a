/**
 * The order of values along an axis, without comparisons.
 *
 * Whole lines are sorted digit by digit: numbers become unsigned integers of the same order, and each
 * byte of them, from the lowest on, puts the positions into 256 heaps, which keep their order. Where
 * only the first few positions are wanted, a line is read once, past those found so far.
 *
 * @module
 */
import type { NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";
import type { SortOrder } from "./reference.ts";

/** Shorter lines are sorted by insertion (`bench/sort_bench.ts`). */
const LONG = 32;

/** So many positions are kept in order while all others pass by, if they are few of a line. */
const FEW = 64;

/** The first `kept` positions in order along the axis; equal values keep their order. */
export function argSortRows(
  out: NumberArray,
  data: NumberArray,
  around: AxisExtents,
  { descending, kept, nanFirst }: SortOrder,
): void {
  const { outer, count, inner } = around;
  const line = new Line(data, count, descending, nanFirst);
  const few = count < LONG || kept <= FEW && kept * 8 < count;
  const digits = few ? null : new Digits(count);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      line.read(o * count * inner + j, inner);
      const order = digits === null ? line.first(kept) : line.sort(digits);
      for (let k = 0; k < kept; k++) out[(o * kept + k) * inner + j] = order[k]!;
    }
  }
}

/** Values in the order of what is sorted: negated where that is descending. */
class Line {
  readonly #data: NumberArray;
  readonly #descending: boolean;
  readonly #nanFirst: boolean;
  readonly #values: Float32Array | Float64Array | Int32Array;
  /** The same values as bits, the lower half of a double-precision number first. */
  readonly #bits: Int32Array;

  constructor(data: NumberArray, count: number, descending: boolean, nanFirst: boolean) {
    this.#data = data;
    this.#descending = descending;
    this.#nanFirst = nanFirst;
    this.#values = data instanceof Float32Array
      ? new Float32Array(count)
      : data instanceof Float64Array
      ? new Float64Array(count)
      : new Int32Array(count);
    this.#bits = new Int32Array(this.#values.buffer);
  }

  read(from: number, step: number): void {
    const [data, values] = [this.#data, this.#values];
    if (values instanceof Int32Array) {
      // −x − 1: unlike −x, it is there for every integer.
      const flip = this.#descending ? -1 : 0;
      for (let i = 0; i < values.length; i++, from += step) values[i] = data[from]! ^ flip;
    } else {
      // −0 + 0 is 0, which −0 equals.
      const sign = this.#descending ? -1 : 1;
      for (let i = 0; i < values.length; i++, from += step) values[i] = sign * data[from]! + 0;
    }
  }

  /** The order of all values; valid until the next one is asked for. */
  sort(digits: Digits): Int32Array {
    const [values, bits, { keys, order }] = [this.#values, this.#bits, digits];
    for (let i = 0; i < order.length; i++) order[i] = i;
    const missing = this.#nanFirst ? FIRST : LAST;
    if (values instanceof Int32Array) {
      for (let i = 0; i < keys.length; i++) keys[i] = bits[i]! ^ SIGN;
      return digits.sort();
    }
    if (values instanceof Float32Array) {
      for (let i = 0; i < keys.length; i++) {
        keys[i] = values[i] === values[i] ? ordered(bits[i]!) : missing;
      }
      return digits.sort();
    }
    for (let i = 0; i < keys.length; i++) {
      const high = bits[2 * i + 1]!;
      keys[i] = values[i] === values[i] ? bits[2 * i]! ^ (high >> 31) : missing;
    }
    digits.sort();
    for (let i = 0; i < keys.length; i++) {
      const at = order[i]!;
      keys[i] = values[at] === values[at] ? ordered(bits[2 * at + 1]!) : missing;
    }
    return digits.sort();
  }

  /** The first few positions, kept in order while all others pass by. */
  first(kept: number): Int32Array {
    const values = this.#values;
    const best = new Int32Array(kept);
    if (kept === 0) return best;
    let filled = 0;
    for (let i = 0; this.#nanFirst && filled < kept && i < values.length; i++) {
      if (values[i] !== values[i]) best[filled++] = i;
    }
    const first = filled;
    let bound = filled < kept ? Infinity : -Infinity;
    for (let i = 0; i < values.length; i++) {
      // Most values end here: they are no better than the last of those that are kept.
      if (!(values[i]! < bound)) continue;
      let at = filled < kept ? filled++ : kept - 1;
      for (; at > first && values[i]! < values[best[at - 1]!]!; at--) best[at] = best[at - 1]!;
      best[at] = i;
      if (filled === kept) bound = values[best[kept - 1]!]!;
    }
    // Infinities and NaN come last, in their order.
    for (let i = 0; filled < kept && i < values.length; i++) {
      if (values[i] === Infinity) best[filled++] = i;
    }
    for (let i = 0; filled < kept; i++) if (values[i] !== values[i]) best[filled++] = i;
    return best;
  }
}

const SIGN = 1 << 31;

/** Keys of what is no number, before or after all others. */
const [FIRST, LAST] = [0, -1];

/** Unsigned integers in the order of the floating-point numbers whose highest bits are given. */
function ordered(bits: number): number {
  return bits ^ (bits >> 31 | SIGN);
}

/** Positions with 32-bit keys, which are sorted byte by byte. */
class Digits {
  /** The keys: unsigned. */
  readonly keys: Int32Array;
  /** The position of each key. */
  readonly order: Int32Array;
  readonly #otherKeys: Int32Array;
  readonly #otherOrder: Int32Array;
  readonly #starts: Int32Array = new Int32Array(256);

  constructor(count: number) {
    this.keys = new Int32Array(count);
    this.order = new Int32Array(count);
    this.#otherKeys = new Int32Array(count);
    this.#otherOrder = new Int32Array(count);
  }

  /** Sorts keys and positions; equal keys keep their order. */
  sort(): Int32Array {
    const there = [this.keys, this.order, this.#otherKeys, this.#otherOrder] as const;
    const back = [this.#otherKeys, this.#otherOrder, this.keys, this.order] as const;
    // An even number of passes: the last one ends where the first began.
    for (let shift = 0; shift < 32; shift += 16) {
      this.#pass(shift, ...there);
      this.#pass(shift + 8, ...back);
    }
    return this.order;
  }

  #pass(
    shift: number,
    keys: Int32Array,
    order: Int32Array,
    toKeys: Int32Array,
    toOrder: Int32Array,
  ): void {
    const starts = this.#starts.fill(0);
    for (let i = 0; i < keys.length; i++) starts[keys[i]! >>> shift & 255]!++;
    for (let digit = 0, sum = 0; digit < 256; digit++) {
      const size = starts[digit]!;
      starts[digit] = sum;
      sum += size;
    }
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const to = starts[key >>> shift & 255]!++;
      toKeys[to] = key;
      toOrder[to] = order[i]!;
    }
  }
}
