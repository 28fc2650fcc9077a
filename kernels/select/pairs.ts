/**
 * A stable sort of keys with their positions: a few by counting, for each, how many come before it;
 * many digit by digit, from the lowest on, into 256 heaps that keep their order.
 *
 * Positions lie behind the keys at the same distances, so that one address serves for both.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { opcodeOf } from "../wasm/instructions.ts";
import { i32, type Local, type Operand, type Value } from "../wasm/value.ts";
import { i32x4, v128 } from "../wasm/simd.ts";
import type { Keys } from "./keys.ts";

/** So many keys are sorted by counting (`bench/sort_bench.ts`). */
const FEW = 160;

/** Bytes of memory for counts of digits. */
export const DIGIT_BYTES = 1024;

/** Two stretches of memory for keys and positions, and where their sorting is written. */
export interface Line {
  /** The function that is written. */
  code: CodeBuilder;
  /** What keys are. */
  keys: Keys;
  /** The key that no other exceeds, in all lanes. */
  greatest: Local<"v128">;
  /** The first byte of one, then of the other; they are swapped. */
  from: Local<"i32">;
  to: Local<"i32">;
  /** Bytes of the keys. */
  size: Local<"i32">;
  /** Bytes from a key to its position. */
  distance: Local<"i32">;
}

/** Copies a key and its position. */
export function copyPair(
  { code, keys, distance }: Line,
  to: Local<"i32">,
  from: Local<"i32">,
): void {
  keys.copy(code, to, from);
  code.store("i32", i32.add(to, distance), i32.load(i32.add(from, distance)));
}

/** Sorts the pairs, with memory at `scratch`; the result is at `from`. */
export function emitSort(line: Line, scratch: Local<"i32">): void {
  const { code, keys, size } = line;
  code.if(
    i32.leS(size, FEW * keys.bytes),
    () => emitRanks(line),
    () => code.for(keys.bytes, 1, (digit) => emitDigit(line, digit, scratch)),
  );
}

function swap({ code, from, to }: Line): void {
  const kept = code.let(i32.add(from, 0));
  code.set(from, to);
  code.set(to, kept);
}

/** Puts each key where as many places lie before as keys do. */
function emitRanks(line: Line): void {
  const { code, keys, from, to, size, greatest } = line;
  const { lanes, bytes } = keys;
  const end = code.let(i32.add(from, size));
  code.store("v128", end, greatest);
  const first = code.let(i32.add(from, 0));
  code.while(i32.ltU(first, end), () => {
    const counts = emitCounts(line, first, end);
    for (let lane = 0; lane < lanes; lane++) {
      const rank = i32x4.extractLane(counts, lane * bytes / 4);
      const place = code.let(i32.add(to, i32.shl(rank, Math.log2(bytes))));
      copyPair(line, place, code.let(i32.add(first, lane * bytes)));
    }
    code.increase(first, 16);
  });
  swap(line);
}

/** How many keys come before each of a vector, at `first`. */
function emitCounts(
  { code, keys: { less, lessEqual, count, lanes, bytes }, from }: Line,
  first: Local<"i32">,
  end: Local<"i32">,
): Local<"v128"> {
  const own = code.let(v128.load(first));
  const counts = code.let(v128.xor(own, own));
  const other = code.let(i32.add(from, 0));
  const compare = (before: (x: Local<"v128">, lane: number) => Value<"v128">) => {
    for (let lane = 0; lane < lanes; lane++) {
      const x = code.let(v128.loadSplat(bytes, other, lane * bytes));
      code.set(counts, count(counts, before(x, lane)));
    }
    code.increase(other, 16);
  };
  // Of equal keys, those of an earlier vector come before; of the same one, those of earlier lanes.
  code.while(i32.ltU(other, first), () => compare((x) => lessEqual(x, own)));
  compare((x, lane) => v128.or(less(x, own), v128.and(lessEqual(x, own), behind(bytes, lane))));
  code.while(i32.ltU(other, end), () => compare((x) => less(x, own)));
  return counts;
}

/** A vector with the bits of all lanes behind one set. */
function behind(bytes: number, lane: number): Value<"v128"> {
  const mask = Array.from({ length: 16 }, (_, i) => i >= (lane + 1) * bytes ? 0xff : 0);
  return { type: "v128", code: [opcodeOf("v128.const"), mask] };
}

/** Puts pairs in the order of one byte of their keys; equal ones keep their order. */
function emitDigit(line: Line, digit: Local<"i32">, counts: Local<"i32">): void {
  const { code, keys: { bytes }, from, to, size } = line;
  // The highest bit is a sign.
  const sign = code.let(i32.shl(i32.eq(digit, bytes - 1), 7));
  const at = code.local("i32");
  const bucketOf = (index: Local<"i32">) => {
    code.set(at, i32.add(from, index));
    return i32.xor(i32.load8U(i32.add(at, digit)), sign);
  };
  const digits = { buckets: 256, first: to, end: size, step: bytes, bucketOf };
  emitCounting(code, counts, digits, (place) => copyPair(line, place, at));
  swap(line);
}

/**
 * Visits each place in the order of buckets, with the number of what belongs there. Numbers go from 0
 * up to below `end` in steps, and so do places, from `first` on. Memory at `counts` has a number per
 * bucket: in the end, where what it holds ends.
 */
export function emitCounting(
  code: CodeBuilder,
  counts: Local<"i32">,
  { buckets, first, end, step, bucketOf }: {
    buckets: number;
    first: Value<"i32">;
    end: Operand<"i32">;
    step: number;
    bucketOf: (index: Local<"i32">) => Value<"i32">;
  },
  visit: (place: Local<"i32">, index: Local<"i32">) => void,
): void {
  const take = (index: Local<"i32">) => {
    const count = code.let(i32.add(counts, i32.shl(bucketOf(index), 2)));
    const before = code.let(i32.load(count));
    code.store("i32", count, i32.add(before, step));
    return before;
  };
  code.clear(counts, 4 * buckets);
  code.for(end, step, (index) => void take(index));
  const place = code.let(first);
  code.for(4 * buckets, 4, (bucket) => {
    const count = code.let(i32.add(counts, bucket));
    const held = code.let(i32.load(count));
    code.store("i32", count, place);
    code.increase(place, held);
  });
  code.for(end, step, (index) => visit(take(index), index));
}
