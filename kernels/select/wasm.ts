/**
 * Picking by positions as WebAssembly, along the middle axis of an (outer, count, inner) array, and
 * adding up values, each by a position of its own, with sums in float64: to the bit what `reference.ts`
 * gives. Positions must be checked before: they become addresses.
 *
 * @module
 */
import { emitBlockCopy } from "../layout/wasm.ts";
import {
  type CodeBuilder,
  integers,
  loadWide,
  type LocalsOf,
  type Parameters,
  storeNarrow,
  type WasmFunction,
} from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f64, i32, type Local, type Value } from "../wasm/value.ts";
import type { LaneBytes } from "../wasm/simd.ts";
import { BYTES } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** What is picked, from an array of (count, inner) values for each of `outer` slices before it. */
export interface Selection extends Omit<AxisExtents, "outer"> {
  /** Whole slices of `inner` values by one position each, or each value by its own. */
  by: "slice" | "value";
  /** Bytes of a value. */
  bytes: LaneBytes;
  /** Positions along the axis. */
  picked: number;
}

/**
 * Adds a function to a module that picks values by their positions: addresses, and the extent `outer`.
 */
export function emitGather(
  module: ModuleBuilder,
  { by, bytes, count, picked, inner }: Selection,
): WasmFunction<Parameters, null> {
  const parameters = integers("out", "data", "indices", "outer");
  return module.addFunction(parameters, (code, { out, data, indices, outer }) => {
    const slice = inner * bytes;
    const at = code.let(i32.add(indices, 0));
    const pick = (from: Value<"i32">, size: number) => {
      emitBlockCopy(code, out, i32.add(from, i32.mul(i32.load(at), slice)), size);
      code.increase(at, 4);
      code.increase(out, size);
    };
    code.while(outer, () => {
      // Every slice before the axis has positions of its own, or all have the same.
      if (by === "slice") code.set(at, indices);
      code.for(picked, 1, () => {
        if (by === "slice") pick(data, slice);
        else code.for(slice, bytes, (column) => pick(i32.add(data, column), bytes));
      });
      code.increase(data, count * slice);
      code.increase(outer, -1);
    });
  });
}

/** What is added up, onto zeros. */
export interface ScatterSum extends Pick<Selection, "count" | "picked" | "inner"> {
  /** The type of what is added and of the sums. */
  readonly dtype: "float32" | "float64";
}

/** Bytes of scratch memory that adding up needs: a float64 for each sum, but where it is one. */
export function scatterScratchBytes({ dtype, count, inner }: ScatterSum): number {
  return dtype === "float64" ? 0 : 8 * count * inner;
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
  const [size, width] = [count * inner, BYTES[dtype]];
  return module.addFunction(SCATTER, (code, at) => {
    code.while(at.outer, () => {
      code.clear(at.out, size * width);
      emitSums(code, sum, at);
      code.increase(at.indices, picked * inner * 4);
      code.increase(at.out, size * width);
      code.increase(at.updates, picked * inner * width);
      code.increase(at.outer, -1);
    });
  });
}

const SCATTER = integers("out", "updates", "indices", "scratch", "outer");

/** Adds up, in scratch memory: only where something is added, or all where that is most. */
function emitSums(
  code: CodeBuilder,
  { dtype, count, picked, inner }: ScatterSum,
  { out, updates, indices, scratch }: LocalsOf<typeof SCATTER>,
): void {
  const [sums, width] = [dtype === "float64" ? out : scratch, BYTES[dtype]];
  const place = (start: Local<"i32">, index: Value<"i32">, bytes: number) =>
    code.let(i32.add(start, i32.shl(index, Math.log2(bytes))));
  const eachTarget = (visit: (target: Local<"i32">, update: Local<"i32">) => void) => {
    const update = code.let(i32.const(0));
    code.for(picked, 1, () =>
      code.for(inner, 1, (column) => {
        const position = i32.load(place(indices, update, 4));
        visit(code.let(i32.add(i32.mul(position, inner), column)), update);
        code.increase(update, 1);
      }));
  };
  const eachSum = (visit: (target: Local<"i32">) => void) => {
    if (sums === out) return;
    if (picked < count) eachTarget(visit);
    else code.for(count * inner, 1, visit);
  };
  eachSum((target) => code.store("f64", place(scratch, target, 8), 0));
  eachTarget((target, update) => {
    const at = place(sums, target, 8);
    const added = loadWide(dtype, place(updates, update, width));
    code.store("f64", at, f64.add(f64.load(at), added));
  });
  eachSum((target) => {
    const total = f64.load(place(scratch, target, 8));
    storeNarrow(code, dtype, place(out, target, width), total);
  });
}
