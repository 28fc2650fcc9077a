/**
 * Adding up by positions as WebAssembly: the adjoint of picking, with sums in float64 and in the order
 * of `reference.ts`. Positions must be checked before: they become addresses.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, v128 } from "../wasm/simd.ts";
import { emitSlices, sliceScratchBytes } from "./slices.ts";
import type { Selection } from "./wasm.ts";

/** What is added up, and onto what. */
export interface ScatterSum extends Omit<Selection, "bytes"> {
  /** The type of what is added and of the sums. */
  dtype: "float32" | "float64";
  /** Whether the sums start from values, or from zeros. */
  onto: "values" | "zeros";
}

/** A function that adds up: addresses, scratch memory, and the extent `outer`. */
export type ScatterFunction = WasmFunction<
  { out: "i32"; base: "i32"; updates: "i32"; indices: "i32"; scratch: "i32"; outer: "i32" },
  null
>;

/** Bytes of scratch memory that adding up needs: lists of slices, or a float64 for each value. */
export function scatterScratchBytes(sum: ScatterSum): number {
  if (isDirect(sum)) return 0;
  return sum.by === "slice" ? sliceScratchBytes(sum) : 8 * sum.count * sum.inner;
}

/** Adds a function to a module that adds values at their positions. */
export function emitScatter(module: ModuleBuilder, sum: ScatterSum): ScatterFunction {
  const parameters = {
    out: "i32",
    base: "i32",
    updates: "i32",
    indices: "i32",
    scratch: "i32",
    outer: "i32",
  } as const;
  const { by, dtype, onto, count, picked, inner } = sum;
  const bytes = dtype === "float64" ? 8 : 4;
  return module.addFunction(parameters, (code, at) => {
    code.while(at.outer, () => {
      const size = count * inner * bytes;
      const inLists = by === "slice" && !isDirect(sum);
      if (inLists) emitSlices(code, sum, at);
      else if (onto === "values") code.copy(at.out, at.base, size);
      else code.clear(at.out, size);
      if (isDirect(sum)) emitDirect(code, sum, at);
      else if (by === "value") emitWide(code, sum, at);
      code.increase(at.out, size);
      code.increase(at.base, size);
      code.increase(at.updates, picked * inner * bytes);
      if (by === "value") code.increase(at.indices, picked * inner * 4);
      code.increase(at.outer, -1);
    });
  });
}

type Places = Record<"out" | "updates" | "indices" | "scratch", Local<"i32">>;

/** Whether sums are added up where they are to be: of two float32, float64 gives the same sum. */
function isDirect({ dtype, picked }: ScatterSum): boolean {
  return dtype === "float64" || picked === 1;
}

/** Adds where the sums are to be. */
function emitDirect(code: CodeBuilder, sum: ScatterSum, { out, updates, indices }: Places): void {
  const isWide = sum.dtype === "float64";
  const bytes = isWide ? 8 : 4;
  const read = isWide ? readWide : readNarrow;
  const add = isWide ? f64x2.add : f32x4.add;
  eachTarget(code, sum, indices, (target, update, lanes) => {
    const place = code.let(address(out, target, bytes));
    const added = add(read(place, lanes), read(address(updates, update, bytes), lanes));
    if (isWide) writeWide(code, place, added, lanes);
    else writeNarrow(code, place, added, lanes);
  });
}

/** Adds float32 as float64 in scratch memory: only where something is added, or where that is most. */
function emitWide(code: CodeBuilder, sum: ScatterSum, at: Places): void {
  const { out, updates, scratch, indices } = at;
  const every = { ...sum, by: "slice", picked: 1, inner: sum.count * sum.inner } as const;
  const eachSum = (visit: Visit) =>
    sum.picked < sum.count
      ? eachTarget(code, sum, indices, visit)
      : eachTarget(code, every, undefined, visit);
  eachSum((target, _, lanes) => {
    const start = readNarrow(address(out, target, 4), lanes);
    writeWide(code, address(scratch, target, 8), f64x2.promoteLowF32x4(start), lanes);
  });
  eachTarget(code, sum, indices, (target, update, lanes) => {
    const place = code.let(address(scratch, target, 8));
    const added = f64x2.promoteLowF32x4(readNarrow(address(updates, update, 4), lanes));
    writeWide(code, place, f64x2.add(readWide(place, lanes), added), lanes);
  });
  eachSum((target, _, lanes) => {
    const total = f32x4.demoteF64x2Zero(readWide(address(scratch, target, 8), lanes));
    writeNarrow(code, address(out, target, 4), total, lanes);
  });
}

/** Neighbouring values that are treated at once. */
type LaneCount = 1 | 2;

/** What is done for one or two values: their places among the sums and among what is added. */
type Visit = (target: Value<"i32">, update: Value<"i32">, lanes: LaneCount) => void;

/** Visits all positions; without any, all values as one slice. */
function eachTarget(
  code: CodeBuilder,
  { by, picked, inner }: Pick<ScatterSum, "by" | "picked" | "inner">,
  indices: Local<"i32"> | undefined,
  visit: Visit,
): void {
  const at = indices && code.let(i32.add(indices, 0));
  const update = code.let(i32.const(0));
  const start = code.local("i32");
  const step = (column: Value<"i32">, lanes: LaneCount) => {
    if (by === "value") code.set(start, i32.mul(i32.load(at!), inner));
    visit(i32.add(start, column), update, lanes);
    if (by === "value") code.increase(at!, 4);
    code.increase(update, lanes);
  };
  code.for(picked, 1, () => {
    if (by === "value") return code.for(inner, 1, (column) => step(column, 1));
    code.set(start, at === undefined ? 0 : i32.mul(i32.load(at), inner));
    if (at !== undefined) code.increase(at, 4);
    const pairs = inner - inner % 2;
    code.for(pairs, 2, (column) => step(column, 2));
    if (pairs < inner) step(i32.const(pairs), 1);
  });
}

function address(start: Local<"i32">, index: Value<"i32">, bytes: 4 | 8): Value<"i32"> {
  return i32.add(start, i32.shl(index, Math.log2(bytes)));
}

function readNarrow(at: Value<"i32">, lanes: LaneCount): Value<"v128"> {
  return lanes === 2 ? v128.load64Zero(at) : v128.load32Zero(at);
}

function readWide(at: Value<"i32">, lanes: LaneCount): Value<"v128"> {
  return lanes === 2 ? v128.load(at) : v128.load64Zero(at);
}

function writeNarrow(
  code: CodeBuilder,
  at: Value<"i32">,
  x: Value<"v128">,
  lanes: LaneCount,
): void {
  code.storeLane(lanes === 2 ? 8 : 4, at, x, 0);
}

function writeWide(
  code: CodeBuilder,
  at: Value<"i32">,
  x: Value<"v128">,
  lanes: LaneCount,
): void {
  if (lanes === 2) code.store("v128", at, x);
  else code.storeLane(8, at, x, 0);
}
