/**
 * What rows at one position amount to, as WebAssembly: sums and maxima of slices by their positions,
 * and products of sparse matrices with dense ones. Rows are put in the order of their positions, so
 * that each result is made in registers. Positions must be checked before: they become addresses.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import {
  type CodeBuilder,
  integers,
  type LocalsOf,
  type Parameters,
  type WasmFunction,
} from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32x4, f64x2, i32x4, type LaneBytes, v128 } from "../wasm/simd.ts";
import { f32, f64, i32, type Local, type Value } from "../wasm/value.ts";
import { emitCounting } from "./pairs.ts";
import type { Selection } from "./wasm.ts";

/** What is put together: `picked` rows of `inner` values, to `count` results. */
export interface RowGroups extends Pick<Selection, "count" | "picked" | "inner"> {
  /** The type of the values. */
  readonly dtype: "float32" | "float64" | "int32";
  /**
   * Sums and maxima of the rows as they come, sums of float32 in float64; or sums, in the type of the
   * values, of rows that are looked up, each times a number.
   */
  readonly combine: "sum" | "max" | "product";
  /** Whether results start from values, rather than from 0 or the lowest number. */
  readonly onto: boolean;
  /** Whether results of no rows are left as they are; not by default. */
  readonly sparse?: boolean | undefined;
}

/** Columns that are done together fill so many registers. */
const REGISTERS = 8;

/** Threads may take multiples of so many columns. */
export const STRIP = 32;

const PARAMETERS = integers(
  ...["out", "base", "rows", "positions", "sources", "numbers", "scratch"] as const,
  ...["outer", "first", "last"] as const,
);
type Places = LocalsOf<typeof PARAMETERS>;

/** Scratch memory: where the rows of each result end, and in their order what they read, times what. */
function layoutOf({ combine, dtype, count, picked }: RowGroups) {
  const wide = (bytes: number) => Math.ceil(bytes / 8) * 8;
  const numbers = wide(4 * count) + wide(4 * picked);
  const bytes = numbers + (combine === "product" ? BYTES[dtype] * picked : 0);
  return { sources: wide(4 * count), numbers, bytes };
}

/** Bytes of scratch memory. */
export function groupScratchBytes(groups: RowGroups): number {
  return layoutOf(groups).bytes;
}

/**
 * Adds a function to a module that puts rows together. It takes addresses: `sources` name the rows, and
 * `numbers` what they are multiplied by, of products only. Then how often all is done, with the next
 * rows and results at the same positions; and the columns, from the first to before the last.
 */
export function emitRowGroups(
  module: ModuleBuilder,
  groups: RowGroups,
): WasmFunction<Parameters, null> {
  const { dtype, count, picked, inner } = groups;
  const row = inner * BYTES[dtype];
  return module.addFunction(PARAMETERS, (code, at) => {
    emitOrder(code, groups, at);
    code.while(at.outer, () => {
      emitGroups(code, groups, at);
      code.increase(at.out, count * row);
      code.increase(at.base, count * row);
      code.increase(at.rows, picked * row);
      code.increase(at.outer, -1);
    });
  });
}

const entry = (start: Local<"i32">, index: Local<"i32">) => i32.add(start, i32.shl(index, 2));

/** Puts the rows in the order of their positions. */
function emitOrder(code: CodeBuilder, groups: RowGroups, at: Places): void {
  const { combine, dtype, count, picked, inner } = groups;
  const { sources, numbers } = layoutOf(groups);
  const [bytes, { scratch }] = [BYTES[dtype], at];
  const bucketOf = (k: Local<"i32">) => i32.load(entry(at.positions, k));
  const results = { buckets: count, first: i32.const(0), end: picked, step: 1, bucketOf };
  emitCounting(code, scratch, results, (place, k) => {
    const source = combine === "product" ? i32.load(entry(at.sources, k)) : k;
    code.store("i32", entry(scratch, place), i32.mul(source, inner * bytes), sources);
    if (combine !== "product") return;
    const [to, from] = [i32.mul(place, bytes), i32.add(at.numbers, i32.mul(k, bytes))];
    if (bytes === 4) code.store("f32", i32.add(scratch, to), f32.load(from), numbers);
    else code.store("f64", i32.add(scratch, to), f64.load(from), numbers);
  });
}

/**
 * Makes one result after the other, a strip of columns at a time; of products the strips of all first,
 * as rows that are looked up again and again then stay in the nearer caches.
 */
function emitGroups(code: CodeBuilder, groups: RowGroups, at: Places): void {
  const { combine, dtype, count, inner, sparse = false } = groups;
  const row = inner * BYTES[dtype];
  const [out, base, begin, end, column] = Array.from({ length: 5 }, () => code.local("i32"));
  const strip = { out, base, begin, end, column } as Strip;
  const eachResult = (visit: () => void) => {
    code.set(strip.out, at.out);
    code.set(strip.base, at.base);
    code.set(strip.begin, at.scratch);
    code.for(count, 1, (result) => {
      code.set(strip.end, i32.load(entry(at.scratch, result)));
      code.set(strip.end, entry(at.scratch, strip.end));
      if (sparse) code.if(i32.ne(strip.begin, strip.end), visit);
      else visit();
      code.set(strip.begin, strip.end);
      code.increase(strip.out, row);
      code.increase(strip.base, row);
    });
  };
  const { perRegister } = lanesOf(groups);
  const eachStrip = (visit: (width: number) => void) => {
    code.set(strip.column, at.first);
    for (const width of [REGISTERS * perRegister, perRegister, 1]) {
      code.while(i32.leS(i32.add(strip.column, width), at.last), () => {
        visit(width);
        code.increase(strip.column, width);
      });
    }
  };
  const write = (width: number) => emitStrip(code, groups, at, strip, width);
  if (combine === "product") eachStrip((width) => eachResult(() => write(width)));
  else eachResult(() => eachStrip(write));
}

/** Where a result and its values before lie, which rows are its, and the first column. */
type Strip = Record<"out" | "base" | "begin" | "end" | "column", Local<"i32">>;

function emitStrip(
  code: CodeBuilder,
  groups: RowGroups,
  at: Places,
  { out, base, begin, end, column }: Strip,
  width: number,
): void {
  const { combine, dtype, onto } = groups;
  const { sources, numbers } = layoutOf(groups);
  const isProduct = combine === "product";
  const { perRegister, nothing, read, join, write } = lanesOf(groups, width === 1);
  const ahead = code.let(i32.mul(column, BYTES[dtype]));
  const [from, source] = [code.let(i32.add(at.rows, ahead)), code.local("i32")];
  const next = code.let(i32.add(begin, 0));
  const { mul, loadSplat } = dtype === "float64" ? f64x2 : f32x4;
  const [number, factor] = [code.local("i32"), code.local("v128")];
  if (isProduct) {
    const first = i32.mul(i32.sub(begin, at.scratch), BYTES[dtype] / 4);
    code.set(number, i32.add(at.scratch, first));
  }
  const own = code.let(i32.add(base, ahead));
  const results = Array.from(
    { length: Math.ceil(width / perRegister) },
    (_, i) => code.let(onto ? read(own, i) : nothing),
  );
  code.while(i32.ltS(next, end), () => {
    code.set(source, i32.add(from, i32.load(next, sources)));
    if (isProduct) {
      code.set(factor, loadSplat(number, numbers));
      code.increase(number, BYTES[dtype]);
    }
    results.forEach((result, i) => {
      const value = read(source, i);
      code.set(result, join(result, isProduct ? mul(factor, value) : value));
    });
    code.increase(next, 4);
  });
  const to = code.let(i32.add(out, ahead));
  results.forEach((result, i) => write(code, to, result, i));
}

/** How some columns, or one, are held in registers: float32 to be added up as pairs of float64. */
function lanesOf({ combine, dtype }: RowGroups, isSingle = false) {
  const isWide = combine === "sum" && dtype === "float32";
  const type = isWide ? "float64" : dtype;
  const isMax = combine === "max";
  const { splat, add, max } = {
    float32: f32x4,
    float64: f64x2,
    int32: { splat: i32x4.splat, add: i32x4.add, max: i32x4.maxS },
  }[type];
  const lowest = type === "int32" ? -(2 ** 31) : -Infinity;
  const perRegister = 16 / BYTES[type];
  const step = perRegister * BYTES[dtype];
  const bytes = isSingle ? BYTES[dtype] : step;
  const load = { 4: v128.load32Zero, 8: v128.load64Zero, 16: v128.load }[bytes as 4 | 8 | 16];
  return {
    perRegister,
    /** What there is before anything is added. */
    nothing: splat(isMax ? lowest : 0),
    join: isMax ? max : add,
    read(at: Local<"i32">, i: number): Value<"v128"> {
      const x = load(at, step * i);
      return isWide ? f64x2.promoteLowF32x4(x) : x;
    },
    write(code: CodeBuilder, at: Local<"i32">, x: Value<"v128">, i: number): void {
      const narrow = isWide ? f32x4.demoteF64x2Zero(x) : x;
      if (bytes === 16) code.store("v128", at, narrow, step * i);
      else code.storeLane(bytes as LaneBytes, at, narrow, 0, step * i);
    },
  };
}
