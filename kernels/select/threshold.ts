/**
 * A bound that the least keys of a line do not exceed, so that most others need not be looked at
 * twice: the least keys of many groups are found first, and of these the k-th least.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { v128 } from "../wasm/simd.ts";
import type { Keys, KeyValue } from "./keys.ts";

/** Vectors that a loop reads in one turn. */
const UNROLLED = 4;

/** A line of keys in memory, and how many of the least are wanted. */
export interface Line {
  /** The address of the first. */
  data: Local<"i32">;
  /** How many there are. */
  count: number;
  /** How many of the least are wanted. */
  kept: number;
  /** Whether the opposite order is meant. */
  descending: boolean;
}

/** How many groups there are, in vectors. */
function groupVectors(kept: number): number {
  return Math.ceil(kept / UNROLLED) * UNROLLED;
}

/** Whether a bound is worth its search: there must be fewer groups than keys. */
export function hasThreshold<T extends KeyValue>(
  { lanes }: Keys<T>,
  { count, kept }: Pick<Line, "count" | "kept">,
): boolean {
  return kept * 8 < count && groupVectors(kept) * lanes * 2 <= count;
}

/** Bytes of memory that the search needs. */
export function thresholdBytes(kept: number): number {
  return (groupVectors(kept) + kept) * 16;
}

/** Writes the search, with memory at `scratch`; gives a key that `kept` keys do not exceed. */
export function emitThreshold<T extends KeyValue>(
  code: CodeBuilder,
  keys: Keys<T>,
  line: Line,
  scratch: Local<"i32">,
): Local<T> {
  const { vector, lanes, greatest } = keys;
  const groups = groupVectors(line.kept) * 16;
  const levels = Math.ceil(line.kept / lanes) * 16;
  const limit = code.let(vector.splat(greatest));
  const sorted = code.let(i32.add(scratch, groups));
  code.for(groups + levels, 16, (at) => code.store("v128", i32.add(scratch, at), limit));
  emitMinima(code, keys, line, scratch, groups);
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
    code.if(keys.less(bound as Value<T>, vector.extractLane(last, lane)), () => {
      code.set(bound, vector.extractLane(last, lane) as Value<KeyValue> as Value<T>);
    });
  }
  return bound;
}

/** Reads a vector of keys. */
export function loadKeys<T extends KeyValue>(
  { vector }: Keys<T>,
  { descending }: Line,
  at: Value<"i32">,
  offset: number,
): Value<"v128"> {
  const x = v128.load(at, offset);
  return descending ? vector.reverse(x) : x;
}

/** Finds the least key of every group; what is left at the end of the line is not looked at. */
function emitMinima<T extends KeyValue>(
  code: CodeBuilder,
  keys: Keys<T>,
  line: Line,
  scratch: Local<"i32">,
  groups: number,
): void {
  const bytes = line.count * keys.bytes;
  const at = code.let(i32.add(line.data, 0));
  code.for(Math.floor(bytes / groups), 1, () => {
    code.for(groups, UNROLLED * 16, (group) => {
      const place = code.let(i32.add(scratch, group));
      for (let i = 0; i < UNROLLED; i++) {
        const x = loadKeys(keys, line, at, 16 * i);
        code.store("v128", place, keys.vector.min(v128.load(place, 16 * i), x), 16 * i);
      }
      code.increase(at, UNROLLED * 16);
    });
  });
}
