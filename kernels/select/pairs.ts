/**
 * A stable sort of keys with their positions: short blocks by counting, then merging.
 *
 * Positions lie behind the keys at the same distances, so that one address serves for both.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, select, type Value } from "../wasm/value.ts";
import { v128 } from "../wasm/simd.ts";
import type { Keys } from "./keys.ts";

/** Keys that are put in order by counting, for each, how many come before it. */
const BLOCK = 32;

/** Two stretches of memory for keys and positions, and where their sorting is written. */
export interface Pairs {
  /** The function that is written. */
  code: CodeBuilder;
  /** The type of the keys. */
  keys: Keys;
  /** The first byte of one, then of the other; they are swapped. */
  from: Local<"i32">;
  to: Local<"i32">;
  /** Bytes from a key to its position. */
  distance: number;
}

/** Bytes that keys or positions take: a block is always filled. */
export function pairBytes(count: number, keyBytes: number): number {
  return (Math.ceil(count / BLOCK) + 1) * BLOCK * keyBytes;
}

/** Writes the sorting of `bytes` bytes of keys, none of them NaN; the result is at `from`. */
export function emitSort(pairs: Pairs, bytes: Local<"i32">): void {
  const { code, keys } = pairs;
  emitBlocks(pairs, bytes);
  const width = code.let(i32.const(BLOCK * keys.bytes));
  code.while(i32.ltS(width, bytes), () => {
    emitPass(pairs, bytes, width);
    code.set(width, i32.shl(width, 1));
  });
}

function swap({ code, from, to }: Pairs): void {
  const kept = code.let(i32.add(from, 0));
  code.set(from, to);
  code.set(to, kept);
}

function least(code: CodeBuilder, x: Value<"i32">, y: Value<"i32">): Local<"i32"> {
  return code.let(select(x, y, i32.ltS(x, y)));
}

/** Sorts each block by itself. */
function emitBlocks(pairs: Pairs, bytes: Local<"i32">): void {
  const { code, keys } = pairs;
  const end = code.let(i32.add(pairs.from, bytes));
  for (let lane = 0; lane < BLOCK; lane += keys.lanes) {
    code.store("v128", end, keys.vector.splat(keys.greatest), lane * keys.bytes);
  }
  const [start, out] = [code.let(i32.add(pairs.from, 0)), code.let(i32.add(pairs.to, 0))];
  code.while(i32.ltU(start, end), () => {
    const stop = least(code, i32.add(start, BLOCK * keys.bytes), end);
    const first = code.let(i32.add(start, 0));
    code.while(i32.ltU(first, stop), () => {
      emitRanks(pairs, { start, first, stop, out });
      code.increase(first, 16);
    });
    code.increase(start, BLOCK * keys.bytes);
    code.increase(out, BLOCK * keys.bytes);
  });
  swap(pairs);
}

/** Puts the keys of one vector, at `first`, where as many places of `out` lie before as keys do. */
function emitRanks(
  { code, keys: { vector, load, lanes, bytes, type }, distance }: Pairs,
  at: Record<"start" | "first" | "stop" | "out", Local<"i32">>,
): void {
  const own = code.let(v128.load(at.first));
  const counts = code.local("v128");
  code.set(counts, v128.xor(own, own));
  const other = code.let(i32.add(at.start, 0));
  const compare = (before: (x: Value<"v128">) => Value<"v128">) => {
    for (let lane = 0; lane < lanes; lane++) {
      const x = vector.loadSplat(other, lane * bytes);
      code.set(counts, vector.count(counts, before(x)));
    }
    code.increase(other, 16);
  };
  // Of equal keys, those of an earlier vector come before; of the same one, those of earlier lanes.
  code.while(i32.ltU(other, at.first), () => compare((x) => vector.lessEqual(x, own)));
  for (let lane = 0; lane < lanes; lane++) {
    const x = code.let(vector.loadSplat(other, lane * bytes));
    const behind = laneMask(lanes, lane);
    const before = v128.or(vector.less(x, own), v128.and(vector.lessEqual(x, own), behind));
    code.set(counts, vector.count(counts, before));
  }
  code.increase(other, 16);
  code.while(i32.ltU(other, at.stop), () => compare((x) => vector.less(x, own)));
  for (let lane = 0; lane < lanes; lane++) {
    const rank = i32.shl(vector.counted(counts, lane), Math.log2(bytes));
    const place = code.let(i32.add(at.out, rank));
    code.store(type, place, load(at.first, lane * bytes));
    code.store("i32", place, i32.load(at.first, distance + lane * bytes), distance);
  }
}

/** A vector with the bits of all lanes behind one set. */
function laneMask(lanes: number, lane: number): Value<"v128"> {
  const bytes = Array.from({ length: 16 }, (_, i) => i >= (lane + 1) * 16 / lanes ? 0xff : 0);
  return { type: "v128", code: [0xfd, 12, bytes] };
}

/** Merges neighbouring runs of `width` bytes. */
function emitPass(pairs: Pairs, bytes: Local<"i32">, width: Local<"i32">): void {
  const { code, keys, distance } = pairs;
  const end = code.let(i32.add(pairs.from, bytes));
  const [left, out] = [code.let(i32.add(pairs.from, 0)), code.let(i32.add(pairs.to, 0))];
  code.while(i32.ltU(left, end), () => {
    const middle = least(code, i32.add(left, width), end);
    const stop = least(code, i32.add(middle, width), end);
    const right = code.let(i32.add(middle, 0));
    const inOrder = i32.or(
      i32.eq(middle, stop),
      i32.eqz(keys.less(keys.load(middle), keys.load(i32.sub(middle, keys.bytes)))),
    );
    code.if(i32.eqz(inOrder), () => emitMerge(pairs, { left, middle, right, stop, out }));
    for (const [from, to] of [[left, middle], [right, stop]] as const) {
      const rest = code.let(i32.sub(to, from));
      code.copy(out, from, rest);
      code.copy(i32.add(out, distance), i32.add(from, distance), rest);
      code.increase(out, rest);
    }
    code.set(left, stop);
  });
  swap(pairs);
}

/** Merges two runs until one of them ends. */
function emitMerge(
  { code, keys: { load, less, bytes, type }, distance }: Pairs,
  at: Record<"left" | "middle" | "right" | "stop" | "out", Local<"i32">>,
): void {
  const { left, right, out } = at;
  const [x, y] = [code.local(type), code.local(type)];
  code.repeat(() => {
    code.set(x, load(left));
    code.set(y, load(right));
    const isLess = code.let(less(y, x));
    code.store(type, out, select(y, x, isLess));
    code.store("i32", out, i32.load(select(right, left, isLess), distance), distance);
    const step = i32.shl(isLess, Math.log2(bytes));
    code.increase(right, step);
    code.set(left, i32.sub(i32.add(left, bytes), step));
    code.increase(out, bytes);
  }, i32.and(i32.ltU(left, at.middle), i32.ltU(right, at.stop)));
}
