/**
 * Copies between strided views as WebAssembly: what `reference.ts` does, with all extents known when
 * the code is written.
 *
 * @module
 */
import type { CodeBuilder, Parameters, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local, localAt } from "../wasm/value.ts";
import type { LaneBytes } from "../wasm/simd.ts";
import { emitBlockCopy, emitBlockFill } from "./block.ts";
import { mergeAxes } from "./axes.ts";
import type { ViewCopy } from "./reference.ts";
import { emitTranspose, isTiled, tiledRows } from "./tiles.ts";

/** Matrices of fewer rows or columns are not worth turning tile by tile. */
const LEAST_TURNED = 4;

/** What one function does: a copy from each of its arrays. */
export interface Copies {
  /** Bytes of an element. */
  size: LaneBytes;
  /** The copies, one for each array that is read. */
  copies: readonly ViewCopy[];
  /** Elements of the array that is written, which are set to 0 first; by default none. */
  cleared?: number;
}

/** A function that copies: the address of what it writes, and those of what it reads. */
export type CopyFunction = WasmFunction<Parameters, null>;

/** A dimension of a copy: steps are in bytes. */
export interface CopyDimension {
  /** Its extent. */
  extent: number;
  /** From neighbour to neighbour where it is written. */
  to: number;
  /** From neighbour to neighbour where it is read. */
  from: number;
}

/** Adds a function to a module that copies. */
export function emitCopies(
  module: ModuleBuilder,
  { size, copies, cleared = 0 }: Copies,
): CopyFunction {
  const names = ["out", ...copies.map((_, i) => `x${i}`)];
  const parameters: Parameters = Object.fromEntries(names.map((name) => [name, "i32" as const]));
  return module.addFunction(parameters, (code) => {
    const out = localAt("i32", 0);
    if (cleared > 0) code.clear(out, cleared * size);
    copies.forEach(({ shape, to, from }, i) => {
      if (shape.includes(0)) return;
      const target = code.let(i32.add(out, to.offset * size));
      const source = code.let(i32.add(localAt("i32", i + 1), from.offset * size));
      const dimensions = mergeAxes(shape, [to.strides, from.strides]).map((
        { extent, strides },
      ) => ({
        extent,
        to: strides[0]! * size,
        from: strides[1]! * size,
      }));
      emitDimensions(module, code, target, source, dimensions, size);
    });
  });
}

function emitDimensions(
  module: ModuleBuilder,
  code: CodeBuilder,
  to: Local<"i32">,
  from: Local<"i32">,
  dimensions: readonly CopyDimension[],
  size: LaneBytes,
): void {
  const [first, ...rest] = dimensions;
  if (first === undefined) return emitBlockCopy(code, to, from, size);
  if (rest.length === 0 && first.to === size) {
    if (first.from === size) return emitBlockCopy(code, to, from, first.extent * size);
    if (first.from === 0) return emitBlockFill(code, to, from, first.extent, size);
  }
  const [rows, columns] = dimensions as [CopyDimension, CopyDimension];
  const turned = dimensions.length === 2 && rows.from === size && columns.to === size;
  const [target, source] = [code.let(i32.add(to, 0)), code.let(i32.add(from, 0))];
  if (turned && isTiled(size) && Math.min(rows.extent, columns.extent) >= LEAST_TURNED) {
    const transpose = emitTranspose(module, size);
    const height = tiledRows(size);
    const count = code.let(i32.const(rows.extent));
    code.while(i32.gtS(count, 0), () => {
      code.call(transpose, {
        ...{ to: target, pitch: rows.to, from: source, step: columns.from },
        ...{ rows: count, columns: columns.extent },
      });
      code.increase(target, height * rows.to);
      code.increase(source, height * rows.from);
      code.increase(count, -height);
    });
    return;
  }
  code.for(first.extent, 1, () => {
    emitDimensions(module, code, target, source, rest, size);
    code.increase(target, first.to);
    code.increase(source, first.from);
  });
}
