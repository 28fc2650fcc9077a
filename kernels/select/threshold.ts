/**
 * A bound that the least keys of a line do not exceed, so that most others need not be looked at
 * twice: the least keys of many groups are found first, and of these the k-th least.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { v128 } from "../wasm/simd.ts";
import type { Keys, KeyType } from "./keys.ts";
import type { LineSort } from "./sort.ts";

/** Vectors that a loop reads in one turn. */
const UNROLLED = 4;

/** A line of keys in memory, what is to be done with it, and where that is written. */
export interface Line extends LineSort {
  /** The function that is written. */
  code: CodeBuilder;
  /** The type of the keys. */
  keys: Keys;
  /** The address of the first. */
  data: Local<"i32">;
}

/** The address of a key. */
export function keyAddress({ data, keys }: Line, position: Local<"i32">): Value<"i32"> {
  return i32.add(data, i32.shl(position, Math.log2(keys.bytes)));
}

/** How many groups there are, in vectors. */
function groupVectors(kept: number): number {
  return Math.ceil(kept / UNROLLED) * UNROLLED;
}

/** Whether a bound is worth its search: there must be fewer groups than keys. */
export function hasThreshold(
  { lanes }: Keys,
  { count, kept }: Pick<LineSort, "count" | "kept">,
): boolean {
  return kept * 8 < count && groupVectors(kept) * lanes * 2 <= count;
}

/** Bytes of memory that the search needs. */
export function thresholdBytes(kept: number): number {
  return (groupVectors(kept) + kept) * 16;
}

/** Writes the search, with memory at `scratch`; gives a key that `kept` keys do not exceed. */
export function emitThreshold(line: Line, scratch: Local<"i32">): Local<KeyType> {
  const { code, keys: { vector, lanes, greatest, less } } = line;
  const groups = groupVectors(line.kept) * 16;
  const levels = Math.ceil(line.kept / lanes) * 16;
  const limit = code.let(vector.splat(greatest));
  const sorted = code.let(i32.add(scratch, groups));
  code.for(groups + levels, 16, (at) => code.store("v128", i32.add(scratch, at), limit));
  emitMinima(line, scratch, groups);
  // Each lane keeps its least keys in order.
  code.for(groups, 16, (at) => {
    const x = code.let(v128.load(i32.add(scratch, at)));
    code.for(levels, 16, (level) => {
      const place = code.let(i32.add(sorted, level));
      const y = code.let(v128.load(place));
      code.store("v128", place, vector.min(y, x));
      code.set(x, vector.max(y, x));
    });
  });
  const last = code.let(v128.load(sorted, levels - 16));
  const bound = code.let(vector.extractLane(last, 0));
  for (let lane = 1; lane < lanes; lane++) {
    const other = vector.extractLane(last, lane);
    code.if(less(bound, other), () => code.set(bound, other));
  }
  return bound;
}

/** Reads a vector of keys. */
export function loadKeys(
  { keys, descending }: Line,
  at: Value<"i32">,
  offset: number,
): Value<"v128"> {
  const x = v128.load(at, offset);
  return descending ? keys.vector.reverse(x) : x;
}

/** Finds the least key of every group; what is left at the end of the line is not looked at. */
function emitMinima(line: Line, scratch: Local<"i32">, groups: number): void {
  const { code, keys } = line;
  const bytes = line.count * keys.bytes;
  const at = code.let(i32.add(line.data, 0));
  code.for(Math.floor(bytes / groups), 1, () => {
    code.for(groups, UNROLLED * 16, (group) => {
      const place = code.let(i32.add(scratch, group));
      for (let i = 0; i < UNROLLED; i++) {
        const x = loadKeys(line, at, 16 * i);
        code.store("v128", place, keys.vector.min(v128.load(place, 16 * i), x), 16 * i);
      }
      code.increase(at, UNROLLED * 16);
    });
  });
}
