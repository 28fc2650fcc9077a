/**
 * The first positions in order along an axis as WebAssembly: exactly those of `order.ts`.
 *
 * @module
 */
import type { DType } from "../../src/dtype.ts";
import { integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { v128 } from "../wasm/simd.ts";
import { i32, type Local } from "../wasm/value.ts";
import { emitCollection, emitFilter } from "./collect.ts";
import { keysOf } from "./keys.ts";
import { emitSort, pairBytes, type Pairs } from "./pairs.ts";
import type { SortOrder } from "./reference.ts";
import { emitThreshold, hasThreshold, keyAddress, type Line, thresholdBytes } from "./threshold.ts";

/** Lines to sort: the middle axis of an (outer, count, inner) array. */
export interface LineSort extends SortOrder {
  /** The type of the values. */
  dtype: Exclude<DType, "bool">;
  /** Values in a line. */
  count: number;
  /** Neighbouring lines: values of a line lie that far apart. */
  inner: number;
}

/** Bytes of scratch memory that sorting needs. */
export function sortScratchBytes({ dtype, count, inner, kept }: LineSort): number {
  const keys = keysOf(dtype);
  const line = inner === 1 ? 0 : count * keys.bytes;
  const threshold = hasThreshold(keys, { count, kept }) ? thresholdBytes(kept) : 0;
  return 4 * pairBytes(count, keys.bytes) + line + threshold;
}

/**
 * Adds a function to a module that sorts lines: where positions go, where values lie, scratch memory,
 * the extent `outer`.
 */
export function emitLineSort(
  module: ModuleBuilder,
  sort: LineSort,
): WasmFunction<Parameters, null> {
  const { dtype, count, inner, kept } = sort;
  const keys = keysOf(dtype);
  const parameters = integers("out", "data", "scratch", "outer");
  return module.addFunction(parameters, (code, { out, data, scratch, outer }) => {
    const own = code.let(i32.add(scratch, 4 * pairBytes(count, keys.bytes)));
    const rest = code.let(i32.add(own, inner === 1 ? 0 : count * keys.bytes));
    const line: Line = { ...sort, code, keys, data: own };
    code.while(outer, () => {
      code.for(inner, 1, () => {
        if (inner === 1) code.set(own, data);
        else emitGathering(line, data);
        emitLine(line, { scratch, rest, out });
        code.increase(data, keys.bytes);
        code.increase(out, 4);
      });
      code.increase(data, (count - 1) * inner * keys.bytes);
      code.increase(out, (kept - 1) * inner * 4);
      code.increase(outer, -1);
    });
  });
}

/** Copies a line whose values lie apart. */
function emitGathering({ code, keys, data, count, inner }: Line, apart: Local<"i32">): void {
  const from = code.let(i32.add(apart, 0));
  code.for(count * keys.bytes, keys.bytes, (at) => {
    code.store(keys.type, i32.add(data, at), keys.load(from));
    code.increase(from, inner * keys.bytes);
  });
}

/** Sorts one line. */
function emitLine(line: Line, at: Record<"scratch" | "rest" | "out", Local<"i32">>): void {
  const { code, keys, count, inner, kept, nanFirst } = line;
  const distance = pairBytes(count, keys.bytes);
  const from = code.let(i32.add(at.scratch, 0));
  const to = code.let(i32.add(at.scratch, 2 * distance));
  const pairs: Pairs = { code, keys, from, to, distance };
  const end = code.let(i32.add(at.scratch, 0));
  const collection = { line, end, distance };
  if (hasThreshold(keys, line)) {
    const bound = emitThreshold(line, at.rest);
    code.if(
      keys.less(bound, keys.greatest),
      () => emitFilter(collection, bound),
      () => emitCollection(collection, 0),
    );
  } else emitCollection(collection, 0);
  const bytes = code.let(i32.sub(end, pairs.from));
  emitSort(pairs, bytes);
  const out = code.let(i32.add(at.out, 0));
  const target = { out, last: code.let(i32.add(out, kept * inner * 4)) };
  const hasMissing = keys.type !== "i32";
  if (hasMissing && nanFirst) code.if(emitSearch(line), () => emitMissing(line, target));
  emitPositions(pairs, bytes, line, target);
  if (hasMissing && !nanFirst) emitMissing(line, target);
}

/** Where positions are written, and up to where. */
type Target = Record<"out" | "last", Local<"i32">>;

/** Writes the positions of the first pairs. */
function emitPositions(
  { code, keys, from, distance }: Pairs,
  bytes: Local<"i32">,
  { inner }: Line,
  { out, last }: Target,
): void {
  const end = code.let(i32.add(from, bytes));
  const at = code.let(i32.add(from, 0));
  code.while(i32.and(i32.ltU(at, end), i32.ltU(out, last)), () => {
    code.store("i32", out, i32.load(at, distance));
    code.increase(at, keys.bytes);
    code.increase(out, inner * 4);
  });
}

/** Looks for NaN; gives whether there is one. */
function emitSearch({ code, keys, data, count }: Line): Local<"i32"> {
  const size = count * keys.bytes;
  const whole = size - size % 16;
  const found = code.let(i32.const(0));
  code.for(whole, 16, (at) => {
    const x = code.let(v128.load(i32.add(data, at)));
    const isMissing = v128.anyTrue(v128.not(keys.vector.lessEqual(x, x)));
    code.set(found, i32.or(found, isMissing));
  });
  for (let at = whole; at < size; at += keys.bytes) {
    const key = keys.load(data, at);
    code.set(found, i32.or(found, i32.eqz(keys.equal(key, key))));
  }
  return found;
}

/** Writes the positions of NaN while there is room. */
function emitMissing(line: Line, { out, last }: Target): void {
  const { code, keys, count, inner } = line;
  const position = code.let(i32.const(0));
  code.while(i32.and(i32.ltU(out, last), i32.ltS(position, count)), () => {
    const key = code.let(keys.load(keyAddress(line, position)));
    code.if(i32.eqz(keys.equal(key, key)), () => {
      code.store("i32", out, position);
      code.increase(out, inner * 4);
    });
    code.increase(position, 1);
  });
}
