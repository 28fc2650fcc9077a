/**
 * The first positions in order along an axis as WebAssembly: exactly those of `reference.ts`.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";
import { integers, type LocalsOf, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32x4, v128 } from "../wasm/simd.ts";
import { i32, type Local } from "../wasm/value.ts";
import { keysOf } from "./keys.ts";
import { DIGIT_BYTES, emitSort, type Line } from "./pairs.ts";
import type { SortOrder } from "./reference.ts";
import { emitFilter, groupBytes, thresholdBytes, TURN } from "./threshold.ts";

/** Lines to sort: the middle axis of an (outer, count, inner) array. */
export interface LineSort extends SortOrder, Omit<AxisExtents, "outer"> {
  /** The type of the values. */
  dtype: Exclude<DType, "bool">;
}

const PARAMETERS = integers(
  ...["out", "data", "scratch", "outer"] as const,
  ...["count", "inner", "kept", "room", "groups", "descending", "nanFirst"] as const,
);
type Places = LocalsOf<typeof PARAMETERS>;

/** What a function is told of the lines, behind places and the extent `outer`. */
export function sortNumbers(
  { dtype, count, inner, kept, descending, nanFirst }: LineSort,
): number[] {
  const bytes = BYTES[dtype];
  // Keys are whole turns, and behind them are others that no key exceeds.
  const room = Math.ceil(count * bytes / TURN + 1) * TURN;
  return [
    count,
    inner,
    kept,
    room,
    groupBytes(bytes, count, kept),
    ...[descending, nanFirst].map((is) => is ? -1 : 0),
  ];
}

/** Bytes of scratch memory that sorting needs. */
export function sortScratchBytes(sort: LineSort): number {
  const [, , , room, groups] = sortNumbers(sort) as [number, number, number, number, number];
  return 4 * room + Math.max(DIGIT_BYTES, thresholdBytes(groups));
}

/**
 * Adds a function to a module that sorts lines of a type: where positions go, where values lie, scratch
 * memory, the extent `outer`, and the numbers of {@linkcode sortNumbers}.
 */
export function emitLineSort(
  module: ModuleBuilder,
  dtype: LineSort["dtype"],
): WasmFunction<Parameters, null> {
  const keys = keysOf(dtype);
  return module.addFunction(PARAMETERS, (code, places) => {
    const { out, data, scratch, outer, count, inner, kept, room } = places;
    const [from, to, size] = [code.local("i32"), code.local("i32"), code.local("i32")];
    const greatest = code.let(keys.greatest());
    const line: Line = { code, keys, greatest, from, to, size, distance: room };
    code.while(outer, () => {
      code.for(inner, 1, () => {
        code.set(from, scratch);
        code.set(to, i32.add(scratch, i32.shl(room, 1)));
        emitLine(line, places);
        code.increase(data, keys.bytes);
        code.increase(out, 4);
      });
      const behind = (extent: Local<"i32">) => i32.mul(i32.sub(extent, 1), inner);
      code.increase(data, i32.mul(behind(count), keys.bytes));
      code.increase(out, i32.mul(behind(kept), 4));
      code.increase(outer, -1);
    });
  });
}

/** Sorts one line. */
function emitLine(line: Line, places: Places): void {
  const { code, keys: { bytes }, from, to, size, distance } = line;
  const { inner, kept, groups, scratch, count } = places;
  const rest = code.let(i32.add(scratch, i32.shl(distance, 2)));
  emitKeys(line, places);
  code.if(groups, () => {
    const end = code.let(i32.add(to, 0));
    emitFilter(line, kept, groups, rest, end);
    code.set(size, i32.sub(end, to));
    code.set(from, to);
    code.set(to, scratch);
  }, () => {
    code.set(size, i32.mul(count, bytes));
    const at = code.let(i32.add(from, distance));
    code.for(count, 1, (position) => {
      code.store("i32", at, position);
      code.increase(at, bytes);
    });
  });
  emitSort(line, rest);
  const at = code.let(i32.add(from, distance));
  const out = code.let(i32.add(places.out, 0));
  code.for(kept, 1, () => {
    code.store("i32", out, i32.load(at));
    code.increase(at, bytes);
    code.increase(out, i32.shl(inner, 2));
  });
}

/** Writes the keys of a line, in whole turns. */
function emitKeys({ code, keys, greatest, from, size }: Line, places: Places): void {
  const { data, count, inner, descending, nanFirst } = places;
  const { bytes } = keys;
  code.set(size, i32.mul(count, bytes));
  const source = code.let(i32.add(data, 0));
  code.if(i32.ne(inner, 1), () => {
    code.for(size, bytes, (at) => {
      keys.copy(code, code.let(i32.add(from, at)), source);
      code.increase(source, i32.mul(inner, bytes));
    });
    code.set(source, from);
  });
  const opposite = code.let(i32x4.splat(descending));
  const missing = code.let(v128.xor(greatest, i32x4.splat(nanFirst)));
  // What is read behind a line is another, or scratch memory.
  code.for(size, TURN, (index) => {
    for (let at = 0; at < TURN; at += 16) {
      const x = v128.load(i32.add(source, index), at);
      code.store("v128", i32.add(from, index), keys.of(code, x, opposite, missing), at);
    }
  });
  for (let at = 0; at < TURN; at += 16) {
    code.store("v128", i32.add(from, size), greatest, at);
  }
  code.set(size, i32.and(i32.add(size, TURN - 1), -TURN));
}
