/**
 * The keys of a line that may be among the least: a bound is found that these do not exceed, so that
 * most others need not be looked at twice. The least keys of many groups are found first, and of
 * these the k-th least.
 *
 * @module
 */
import { i8x16, v128 } from "../wasm/simd.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import type { Line } from "./pairs.ts";

/** Vectors that a loop reads in one turn. */
const UNROLLED = 4;

/** Bytes that a loop reads in one turn: lines are whole turns. */
export const TURN: number = 16 * UNROLLED;

/** Bytes of the groups; 0 where a bound is not worth its search: there must be fewer than keys. */
export function groupBytes(keyBytes: number, count: number, kept: number): number {
  const bytes = Math.ceil(kept / UNROLLED) * TURN;
  return kept > 0 && kept * 8 < count && 2 * bytes <= count * keyBytes ? bytes : 0;
}

/** Bytes of memory that the search needs at most. */
export function thresholdBytes(groups: number): number {
  return 2 * groups + 16;
}

/**
 * Collects the keys of a line, from `line.from` on, that may be among the `kept` least, with their
 * positions; `end` goes to their end. Memory for groups of `groups` bytes is at `scratch`.
 */
export function emitFilter(
  line: Line,
  kept: Local<"i32">,
  groups: Local<"i32">,
  scratch: Local<"i32">,
  end: Local<"i32">,
): void {
  const { code, keys } = line;
  const bound = emitBound(line, kept, groups, scratch);
  const enough = code.let(i32.add(end, i32.mul(kept, keys.bytes)));
  const at = code.let(i32.add(line.from, 0));
  const last = code.let(i32.add(line.from, line.size));
  const collect = (compare: typeof keys.less) => emitTurn(line, at, end, (x) => compare(x, bound));
  code.while(
    i32.and(i32.ltU(at, last), i32.ltU(end, enough)),
    () => collect(keys.lessEqual),
  );
  // With enough keys before it, one that equals the bound comes too late.
  code.while(i32.ltU(at, last), () => collect(keys.less));
}

/** Collects those of the next vectors' keys that are wanted. */
function emitTurn(
  line: Line,
  at: Local<"i32">,
  end: Local<"i32">,
  isWanted: (x: Value<"v128">) => Value<"v128">,
): void {
  const { code, keys } = line;
  const masks: Value<"v128">[] = Array.from(
    { length: UNROLLED },
    (_, i) => code.let(isWanted(v128.load(at, 16 * i))),
  );
  code.if(v128.anyTrue(masks.reduce(v128.or)), () => {
    const bits = code.let(
      masks.map((mask, i) => i32.shl(keys.bitmask(mask), i * keys.lanes)).reduce(i32.or),
    );
    code.repeat(() => {
      const own = code.let(i32.add(at, i32.shl(i32.ctz(bits), Math.log2(keys.bytes))));
      keys.copy(code, end, own);
      const position = i32.shrU(i32.sub(own, line.from), Math.log2(keys.bytes));
      code.store("i32", i32.add(end, line.distance), position);
      code.increase(end, keys.bytes);
      code.set(bits, i32.and(bits, i32.sub(bits, 1)));
    }, bits);
  });
  code.increase(at, TURN);
}

/** A key that `kept` keys do not exceed, in all lanes. */
function emitBound(
  line: Line,
  kept: Local<"i32">,
  groups: Local<"i32">,
  scratch: Local<"i32">,
): Local<"v128"> {
  const { code, keys, greatest } = line;
  const { lanes } = keys;
  const levels = code.let(
    i32.shl(i32.shrU(i32.add(kept, lanes - 1), Math.log2(lanes)), 4),
  );
  const sorted = code.let(i32.add(scratch, groups));
  code.for(i32.add(groups, levels), 16, (at) => {
    code.store("v128", i32.add(scratch, at), greatest);
  });
  emitMinima(line, groups, scratch);
  // Each lane keeps its least keys in order.
  code.for(groups, 16, (at) => {
    const x = code.let(v128.load(i32.add(scratch, at)));
    code.for(levels, 16, (level) => {
      const place = code.let(i32.add(sorted, level));
      const y = code.let(v128.load(place));
      const [lesser, greater] = keys.order(code, x, y);
      code.store("v128", place, lesser);
      code.set(x, greater);
    });
  });
  const bound = code.let(v128.load(i32.add(sorted, i32.sub(levels, 16))));
  for (let bytes = 8; bytes >= keys.bytes; bytes /= 2) {
    const order = Array.from({ length: 16 }, (_, i) => (i + bytes) % 16);
    const other = code.let(i8x16.shuffle(bound, bound, order));
    code.set(bound, keys.order(code, bound, other)[1]);
  }
  return bound;
}

/** Finds the least key of every group; what is left at the end of the line is not looked at. */
function emitMinima({ code, keys, from, size }: Line, groups: Local<"i32">, scratch: Local<"i32">) {
  const at = code.let(i32.add(from, 0));
  code.for(i32.divS(size, groups), 1, () => {
    code.for(groups, TURN, (group) => {
      const place = code.let(i32.add(scratch, group));
      for (let i = 0; i < UNROLLED; i++) {
        const [x, least] = [code.let(v128.load(at, 16 * i)), code.let(v128.load(place, 16 * i))];
        code.store("v128", place, keys.order(code, x, least)[0], 16 * i);
      }
      code.increase(at, TURN);
    });
  });
}
