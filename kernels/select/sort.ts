/**
 * The first positions in order along an axis as WebAssembly: exactly those of `reference.ts`.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { v128 } from "../wasm/simd.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { type Collection, emitCollection, emitFilter } from "./collect.ts";
import { KEYS, type Keys, type KeyValue, type SortType } from "./keys.ts";
import { emitSort, pairBytes, type PairMemory } from "./pairs.ts";
import type { SortOrder } from "./reference.ts";
import { emitThreshold, hasThreshold, type Line, thresholdBytes } from "./threshold.ts";

/** Lines to sort: the middle axis of an (outer, count, inner) array. */
export interface LineSort extends SortOrder {
  /** The type of the values. */
  dtype: SortType;
  /** Values in a line. */
  count: number;
  /** Neighbouring lines: values of a line lie that far apart. */
  inner: number;
}

/** A function that sorts: where positions go, where values lie, scratch memory, the extent `outer`. */
export type SortFunction = WasmFunction<
  { out: "i32"; data: "i32"; scratch: "i32"; outer: "i32" },
  null
>;

/** Bytes of scratch memory that sorting needs. */
export function sortScratchBytes({ dtype, count, inner, kept }: LineSort): number {
  const keys = KEYS[dtype]();
  const line = inner === 1 ? 0 : count * keys.bytes;
  const threshold = hasThreshold<KeyValue>(keys as unknown as Keys<KeyValue>, { count, kept });
  return 4 * pairBytes(count, keys.bytes) + line + (threshold ? thresholdBytes(kept) : 0);
}

/** Adds a function to a module that sorts lines. */
export function emitLineSort(module: ModuleBuilder, sort: LineSort): SortFunction {
  switch (sort.dtype) {
    case "float32":
      return addSort(module, KEYS.float32(), sort);
    case "float64":
      return addSort(module, KEYS.float64(), sort);
    case "int32":
      return addSort(module, KEYS.int32(), sort);
  }
}

function addSort<T extends KeyValue>(
  module: ModuleBuilder,
  keys: Keys<T>,
  sort: LineSort,
): SortFunction {
  const { count, inner, kept } = sort;
  const parameters = { out: "i32", data: "i32", scratch: "i32", outer: "i32" } as const;
  return module.addFunction(parameters, (code, { out, data, scratch, outer }) => {
    const line = code.let(i32.add(scratch, 4 * pairBytes(count, keys.bytes)));
    const rest = code.let(i32.add(line, inner === 1 ? 0 : count * keys.bytes));
    code.while(outer, () => {
      code.for(inner, 1, () => {
        if (inner === 1) code.set(line, data);
        else emitGathering(code, keys, sort, line, data);
        emitLine(code, keys, sort, { line, scratch, rest, out });
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
function emitGathering<T extends KeyValue>(
  code: CodeBuilder,
  { load, bytes, type }: Keys<T>,
  { count, inner }: LineSort,
  line: Local<"i32">,
  data: Local<"i32">,
): void {
  const from = code.let(i32.add(data, 0));
  code.for(count * bytes, bytes, (at) => {
    code.store<KeyValue>(type, i32.add(line, at), load(from) as Value<KeyValue>);
    code.increase(from, inner * bytes);
  });
}

/** Sorts one line. */
function emitLine<T extends KeyValue>(
  code: CodeBuilder,
  keys: Keys<T>,
  { count, inner, kept, descending, nanFirst }: LineSort,
  at: Record<"line" | "scratch" | "rest" | "out", Local<"i32">>,
): void {
  const distance = pairBytes(count, keys.bytes);
  const pairs: PairMemory = {
    from: code.let(i32.add(at.scratch, 0)),
    to: code.let(i32.add(at.scratch, 2 * distance)),
    distance,
  };
  const line: Line = { data: at.line, count, kept, descending };
  const end = code.let(i32.add(at.scratch, 0));
  const collection: Collection<T> = { code, keys, line, end, distance };
  if (hasThreshold(keys, line)) {
    const bound = emitThreshold(code, keys, line, at.rest);
    code.if(
      keys.less(bound as Value<T>, keys.greatest),
      () => emitFilter(collection, bound),
      () => emitCollection(collection, 0),
    );
  } else emitCollection(collection, 0);
  const bytes = code.let(i32.sub(end, pairs.from));
  emitSort(code, keys, pairs, bytes);
  const out = code.let(i32.add(at.out, 0));
  const target = { out, last: code.let(i32.add(out, kept * inner * 4)), step: inner * 4 };
  const hasMissing = keys.type !== "i32";
  if (hasMissing && nanFirst) {
    code.if(emitSearch(code, keys, line), () => emitMissing(code, keys, line, target));
  }
  emitPositions(code, keys, pairs, bytes, target);
  if (hasMissing && !nanFirst) emitMissing(code, keys, line, target);
}

/** Where positions are written, up to where, and how far apart. */
interface Target {
  out: Local<"i32">;
  last: Local<"i32">;
  step: number;
}

/** Writes the positions of the first pairs. */
function emitPositions<T extends KeyValue>(
  code: CodeBuilder,
  keys: Keys<T>,
  { from, distance }: PairMemory,
  bytes: Local<"i32">,
  { out, last, step }: Target,
): void {
  const end = code.let(i32.add(from, bytes));
  const at = code.let(i32.add(from, 0));
  code.while(i32.and(i32.ltU(at, end), i32.ltU(out, last)), () => {
    code.store("i32", out, i32.load(at, distance));
    code.increase(at, keys.bytes);
    code.increase(out, step);
  });
}

/** Looks for NaN; gives whether there is one. */
function emitSearch<T extends KeyValue>(
  code: CodeBuilder,
  { vector, load, isKey, bytes }: Keys<T>,
  { data, count }: Line,
): Local<"i32"> {
  const size = count * bytes;
  const whole = size - size % 16;
  const found = code.let(i32.const(0));
  code.for(whole, 16, (at) => {
    const x = code.let(v128.load(i32.add(data, at)));
    const isMissing = v128.anyTrue(v128.not(vector.lessEqual(x, x)));
    code.set(found, i32.or(found, isMissing));
  });
  for (let at = whole; at < size; at += bytes) {
    code.set(found, i32.or(found, i32.eqz(isKey(load(data, at) as Value<T>))));
  }
  return found;
}

/** Writes the positions of NaN while there is room. */
function emitMissing<T extends KeyValue>(
  code: CodeBuilder,
  keys: Keys<T>,
  { data, count }: Line,
  { out, last, step }: Target,
): void {
  const position = code.let(i32.const(0));
  code.while(i32.and(i32.ltU(out, last), i32.ltS(position, count)), () => {
    const address = i32.add(data, i32.shl(position, Math.log2(keys.bytes)));
    const key = code.let(keys.load(address)) as Local<T>;
    code.if(i32.eqz(keys.isKey(key)), () => {
      code.store("i32", out, position);
      code.increase(out, step);
    });
    code.increase(position, 1);
  });
}
