/**
 * Adding up values, each by a position of its own, as WebAssembly: the adjoint of picking, with sums in
 * float64 and in the order of `reference.ts`. Positions must be checked before: they become addresses.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32, f64, i32, type Local, type Value } from "../wasm/value.ts";

/** What is added up, onto zeros. */
export interface ScatterSum {
  /** The type of what is added and of the sums. */
  readonly dtype: "float32" | "float64";
  /** How many sums along the axis. */
  readonly count: number;
  /** How many values along the axis. */
  readonly picked: number;
  /** Neighbouring values behind the axis. */
  readonly inner: number;
}

/** Addresses, scratch memory, and the extent `outer`. */
export const SCATTER_PARAMETERS = {
  out: "i32",
  updates: "i32",
  indices: "i32",
  scratch: "i32",
  outer: "i32",
} as const;

/** A function that adds up. */
export type ScatterFunction = WasmFunction<typeof SCATTER_PARAMETERS, null>;

/** Bytes of scratch memory that adding up needs: a float64 for each sum. */
export function scatterScratchBytes(sum: ScatterSum): number {
  return isDirect(sum) ? 0 : 8 * sum.count * sum.inner;
}

/** Adds a function to a module that adds values at their positions. */
export function emitScatter(module: ModuleBuilder, sum: ScatterSum): ScatterFunction {
  const { dtype, count, picked, inner } = sum;
  const bytes = dtype === "float64" ? 8 : 4;
  return module.addFunction(SCATTER_PARAMETERS, (code, at) => {
    code.while(at.outer, () => {
      const size = count * inner * bytes;
      code.clear(at.out, size);
      if (isDirect(sum)) emitDirect(code, sum, at);
      else emitWide(code, sum, at);
      code.increase(at.indices, picked * inner * 4);
      code.increase(at.out, size);
      code.increase(at.updates, picked * inner * bytes);
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
  eachTarget(code, sum, indices, (target, update) => {
    const place = code.let(address(out, target, isWide ? 8 : 4));
    const added = address(updates, update, isWide ? 8 : 4);
    if (isWide) code.store("f64", place, f64.add(f64.load(place), f64.load(added)));
    else code.store("f32", place, f32.add(f32.load(place), f32.load(added)));
  });
}

/** Adds float32 as float64 in scratch memory: only where something is added, or where that is most. */
function emitWide(code: CodeBuilder, sum: ScatterSum, at: Places): void {
  const { out, updates, scratch, indices } = at;
  const eachSum = (visit: (target: Value<"i32">) => void) =>
    sum.picked < sum.count
      ? eachTarget(code, sum, indices, visit)
      : code.for(sum.count * sum.inner, 1, visit);
  const read = (start: Local<"i32">, index: Value<"i32">) =>
    f64.promoteF32(f32.load(address(start, index, 4)));
  eachSum((target) => {
    const place = code.let(target);
    code.store("f64", address(scratch, place, 8), read(out, place));
  });
  eachTarget(code, sum, indices, (target, update) => {
    const place = code.let(address(scratch, target, 8));
    code.store("f64", place, f64.add(f64.load(place), read(updates, update)));
  });
  eachSum((target) => {
    const place = code.let(target);
    const total = f64.load(address(scratch, place, 8));
    code.store("f32", address(out, place, 4), f32.demoteF64(total));
  });
}

/** Visits the places of all sums that something is added to, and of what is added. */
function eachTarget(
  code: CodeBuilder,
  { picked, inner }: ScatterSum,
  indices: Local<"i32">,
  visit: (target: Value<"i32">, update: Local<"i32">) => void,
): void {
  const at = code.let(i32.add(indices, 0));
  const update = code.let(i32.const(0));
  code.for(picked, 1, () =>
    code.for(inner, 1, (column) => {
      visit(i32.add(i32.mul(i32.load(at), inner), column), update);
      code.increase(at, 4);
      code.increase(update, 1);
    }));
}

function address(start: Local<"i32">, index: Value<"i32">, bytes: 4 | 8): Value<"i32"> {
  return i32.add(start, i32.shl(index, Math.log2(bytes)));
}
