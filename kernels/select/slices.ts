/**
 * Adding up slices as WebAssembly, one sum after the other: lists say which updates it has, so that
 * every slice is written once, and only sums of several float32 take their way in float64.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { f32, i32, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, v128 } from "../wasm/simd.ts";

/** What is added up. */
export interface SliceSum {
  /** The type of what is added and of the sums. */
  dtype: "float32" | "float64";
  /** Whether the sums start from values, or from zeros. */
  onto: "values" | "zeros";
  /** How many sums. */
  count: number;
  /** How many updates. */
  picked: number;
  /** Values of a slice. */
  inner: number;
}

/** Where all is: addresses. */
export type SlicePlaces = Record<
  "out" | "base" | "updates" | "indices" | "scratch",
  Local<"i32">
>;

/** Where lists lie in scratch memory: each sum's first update, each update's next, and a sum. */
function listsOf({ count, picked }: SliceSum): { next: number; row: number } {
  const next = 4 * count;
  return { next, row: Math.ceil((next + 4 * picked) / 16) * 16 };
}

/** Bytes of scratch memory. */
export function sliceScratchBytes(sum: SliceSum): number {
  return listsOf(sum).row + 8 * sum.inner;
}

/** Adds the updates to the sums; numbers in lists are counted from 1. */
export function emitSlices(code: CodeBuilder, sum: SliceSum, places: SlicePlaces): void {
  const { dtype, onto, count, inner } = sum;
  const { next, row } = listsOf(sum);
  const { scratch, updates } = places;
  const bytes = (dtype === "float64" ? 8 : 4) * inner;
  emitLists(code, sum, places, next);
  const [out, base] = [code.let(i32.add(places.out, 0)), code.let(i32.add(places.base, 0))];
  const number = code.local("i32");
  const own = code.let(i32.add(scratch, row));
  const update = code.local("i32");
  const take = () => {
    code.set(update, i32.add(updates, i32.mul(i32.sub(number, 1), bytes)));
    code.set(number, i32.load(entry(scratch, number), next - 4));
  };
  const leave = () => onto === "values" ? code.copy(out, base, bytes) : code.clear(out, bytes);
  const addAll = () =>
    code.while(number, () => {
      take();
      addWide(code, dtype === "float64" ? out : own, update, dtype, inner);
    });
  const first = onto === "values" ? base : undefined;
  const addNarrow = () => {
    take();
    code.if(number, () => {
      start(code, own, first, inner);
      addWide(code, own, update, dtype, inner);
      addAll();
      finish(code, out, own, inner);
    }, () => addOne(code, out, first, update, inner));
  };
  code.for(count, 1, (target) => {
    code.set(number, i32.load(entry(scratch, target)));
    if (dtype === "float32") code.if(number, addNarrow, leave);
    else {
      leave();
      addAll();
    }
    code.increase(out, bytes);
    code.increase(base, bytes);
  });
}

/** Links the updates of each sum, from the last one to the first. */
function emitLists(
  code: CodeBuilder,
  { count, picked }: SliceSum,
  { scratch, indices }: SlicePlaces,
  next: number,
): void {
  code.clear(scratch, 4 * count);
  const number = code.let(i32.const(picked));
  const head = code.local("i32");
  code.while(number, () => {
    const position = i32.load(i32.sub(entry(indices, number), 4));
    code.set(head, entry(scratch, position));
    code.store("i32", entry(scratch, number), i32.load(head), next - 4);
    code.store("i32", head, number);
    code.increase(number, -1);
  });
}

function entry(start: Local<"i32">, number: Value<"i32">): Value<"i32"> {
  return i32.add(start, i32.shl(number, 2));
}

/** Calls `visit` for pairs of columns, and for the one that may be left. */
function eachPair(
  code: CodeBuilder,
  inner: number,
  visit: (at: (bytes: 4 | 8, start: Local<"i32">) => Value<"i32">, lanes: 1 | 2) => void,
): void {
  const from = (column: Value<"i32">) => (bytes: 4 | 8, start: Local<"i32">) =>
    i32.add(start, i32.shl(column, Math.log2(bytes)));
  const pairs = inner - inner % 2;
  code.for(pairs, 2, (column) => visit(from(column), 2));
  if (pairs < inner) visit(from(i32.const(pairs)), 1);
}

function readNarrow(at: Value<"i32">, lanes: 1 | 2): Value<"v128"> {
  return f64x2.promoteLowF32x4(lanes === 2 ? v128.load64Zero(at) : v128.load32Zero(at));
}

function readWide(at: Value<"i32">, lanes: 1 | 2): Value<"v128"> {
  return lanes === 2 ? v128.load(at) : v128.load64Zero(at);
}

function writeWide(code: CodeBuilder, at: Value<"i32">, x: Value<"v128">, lanes: 1 | 2): void {
  if (lanes === 2) code.store("v128", at, x);
  else code.storeLane(8, at, x, 0);
}

/** A sum in float64, before anything is added. */
function start(
  code: CodeBuilder,
  own: Local<"i32">,
  base: Local<"i32"> | undefined,
  inner: number,
): void {
  if (base === undefined) return code.clear(own, 8 * inner);
  eachPair(code, inner, (at, lanes) => {
    writeWide(code, at(8, own), readNarrow(at(4, base), lanes), lanes);
  });
}

/** Adds an update to a sum in float64. */
function addWide(
  code: CodeBuilder,
  sum: Local<"i32">,
  update: Local<"i32">,
  dtype: SliceSum["dtype"],
  inner: number,
): void {
  eachPair(code, inner, (at, lanes) => {
    const added = dtype === "float64"
      ? readWide(at(8, update), lanes)
      : readNarrow(at(4, update), lanes);
    writeWide(code, at(8, sum), f64x2.add(readWide(at(8, sum), lanes), added), lanes);
  });
}

function finish(code: CodeBuilder, out: Local<"i32">, own: Local<"i32">, inner: number): void {
  eachPair(code, inner, (at, lanes) => {
    const total = readWide(at(8, own), lanes);
    code.storeLane(lanes === 2 ? 8 : 4, at(4, out), f32x4.demoteF64x2Zero(total), 0);
  });
}

/** A single update: of two float32, float64 gives the same sum. */
function addOne(
  code: CodeBuilder,
  out: Local<"i32">,
  base: Local<"i32"> | undefined,
  update: Local<"i32">,
  inner: number,
): void {
  const zeros = f32x4.splat(f32.const(0));
  const groups = inner - inner % 4;
  code.for(4 * groups, 16, (column) => {
    const x = base === undefined ? zeros : v128.load(i32.add(base, column));
    const total = f32x4.add(x, v128.load(i32.add(update, column)));
    code.store("v128", i32.add(out, column), total);
  });
  for (let at = 4 * groups; at < 4 * inner; at += 4) {
    const x = base === undefined ? f32.const(0) : f32.load(base, at);
    code.store("f32", out, f32.add(x, f32.load(update, at)), at);
  }
}
