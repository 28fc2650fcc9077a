/**
 * Picking by positions as WebAssembly: along the middle axis of an (outer, count, inner) array, to
 * the bit what `reference.ts` gives. Positions must be checked before: they become addresses.
 *
 * @module
 */
import { emitBlockCopy } from "../layout/block.ts";
import type { WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32 } from "../wasm/value.ts";
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

/** A function that picks: addresses, and the extent `outer`. */
export type GatherFunction = WasmFunction<
  { out: "i32"; data: "i32"; indices: "i32"; outer: "i32" },
  null
>;

/** Adds a function to a module that picks values by their positions. */
export function emitGather(module: ModuleBuilder, selection: Selection): GatherFunction {
  const { by, bytes, count, picked, inner } = selection;
  const parameters = { out: "i32", data: "i32", indices: "i32", outer: "i32" } as const;
  return module.addFunction(parameters, (code, { out, data, indices, outer }) => {
    const slice = inner * bytes;
    const at = code.let(i32.add(indices, 0));
    code.while(outer, () => {
      // Every slice before the axis has positions of its own, or all have the same.
      if (by === "slice") code.set(at, indices);
      code.for(picked, 1, () => {
        if (by === "slice") {
          emitBlockCopy(code, out, i32.add(data, i32.mul(i32.load(at), slice)), slice);
          code.increase(at, 4);
          code.increase(out, slice);
        } else {
          code.for(slice, bytes, (column) => {
            const from = i32.add(i32.add(data, column), i32.mul(i32.load(at), slice));
            emitBlockCopy(code, out, from, bytes);
            code.increase(at, 4);
            code.increase(out, bytes);
          });
        }
      });
      code.increase(data, count * slice);
      code.increase(outer, -1);
    });
  });
}
