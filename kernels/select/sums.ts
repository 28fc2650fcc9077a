/**
 * Adding up values, each by a position of its own, as WebAssembly: the adjoint of picking, with sums in
 * float64 and in the order of `reference.ts`. Positions must be checked before: they become addresses.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import {
  type CodeBuilder,
  integers,
  loadWide,
  type Parameters,
  storeNarrow,
  type WasmFunction,
} from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f64, i32, type Local, type Value } from "../wasm/value.ts";

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

/** Bytes of scratch memory that adding up needs: a float64 for each sum. */
export function scatterScratchBytes(sum: ScatterSum): number {
  return isDirect(sum) ? 0 : 8 * sum.count * sum.inner;
}

/**
 * Adds a function to a module that adds values at their positions: addresses, scratch memory, and the
 * extent `outer`.
 */
export function emitScatter(
  module: ModuleBuilder,
  sum: ScatterSum,
): WasmFunction<Parameters, null> {
  const { dtype, count, picked, inner } = sum;
  const bytes = BYTES[dtype];
  const parameters = integers("out", "updates", "indices", "scratch", "outer");
  return module.addFunction(parameters, (code, at) => {
    code.while(at.outer, () => {
      const size = count * inner * bytes;
      code.clear(at.out, size);
      emitSums(code, sum, at);
      code.increase(at.indices, picked * inner * 4);
      code.increase(at.out, size);
      code.increase(at.updates, picked * inner * bytes);
      code.increase(at.outer, -1);
    });
  });
}

/** Whether sums are added up where they are to be: of two float32, float64 gives the same sum. */
function isDirect({ dtype, picked }: ScatterSum): boolean {
  return dtype === "float64" || picked === 1;
}

/** Adds up, in scratch memory where it must: only where something is added, or where that is most. */
function emitSums(
  code: CodeBuilder,
  sum: ScatterSum,
  { out, updates, scratch, indices }: Record<
    "out" | "updates" | "scratch" | "indices",
    Local<"i32">
  >,
): void {
  const { dtype, picked, count, inner } = sum;
  const [sums, wide] = isDirect(sum) ? [out, dtype] : [scratch, "float64"] as const;
  const address = (start: Local<"i32">, index: Value<"i32">, type: typeof dtype) =>
    i32.add(start, i32.shl(index, Math.log2(BYTES[type])));
  const eachSum = (visit: (target: Value<"i32">) => void) => {
    if (isDirect(sum)) return;
    if (picked < count) eachTarget(code, sum, indices, (target) => visit(code.let(target)));
    else code.for(count * inner, 1, visit);
  };
  eachSum((target) => code.store("f64", address(scratch, target, wide), 0));
  eachTarget(code, sum, indices, (target, update) => {
    const place = code.let(address(sums, target, wide));
    const added = loadWide(dtype, address(updates, update, dtype));
    storeNarrow(code, wide, place, f64.add(loadWide(wide, place), added));
  });
  eachSum((target) => {
    const total = loadWide(wide, address(scratch, target, wide));
    storeNarrow(code, dtype, address(out, target, dtype), total);
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
