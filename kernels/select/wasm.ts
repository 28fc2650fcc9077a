/**
 * Picking by positions as WebAssembly: along the middle axis of an (outer, count, inner) array, to
 * the bit what `reference.ts` gives. Positions must be checked before: they become addresses.
 *
 * @module
 */
import { emitBlockCopy } from "../layout/block.ts";
import { integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Value } from "../wasm/value.ts";
import type { LaneBytes } from "../wasm/simd.ts";

/** What is picked, from an array of (count, inner) values for each of `outer` slices before it. */
export interface Selection {
  /** Whole slices of `inner` values by one position each, or each value by its own. */
  by: "slice" | "value";
  /** Bytes of a value. */
  bytes: LaneBytes;
  /** Extent of the axis in the larger array. */
  count: number;
  /** Positions along the axis. */
  picked: number;
  /** Neighbouring values behind the axis. */
  inner: number;
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
