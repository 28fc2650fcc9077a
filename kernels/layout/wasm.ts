/**
 * Copies between strided views as WebAssembly: what `reference.ts` does, with all extents known when
 * the code is written.
 *
 * @module
 */
import { type CodeBuilder, integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local, localAt, type Value } from "../wasm/value.ts";
import { type LaneBytes, v128 } from "../wasm/simd.ts";
import { type Axis, mergeAxes } from "./axes.ts";
import type { ViewCopy } from "./reference.ts";
import { emitTranspose, isTiled, tiledRows } from "./tiles.ts";

/** Matrices of fewer rows or columns are not worth turning tile by tile. */
const LEAST_TURNED = 4;

/** Larger blocks are left to the engine's own copying, which takes longer to start. */
const LARGEST_COPY = 128;

/** What one function does: a copy from each of its arrays. */
export interface Copies {
  /** Bytes of an element. */
  size: LaneBytes;
  /** The copies, one for each array that is read. */
  copies: readonly ViewCopy[];
  /** Elements of the array that is written, which are set to 0 first; by default none. */
  cleared?: number;
}

/** Adds a function to a module that copies: to the address `out`, from those that follow, `x0`, `x1`, … */
export function emitCopies(
  module: ModuleBuilder,
  { size, copies, cleared = 0 }: Copies,
): WasmFunction<Parameters, null> {
  const parameters = integers("out", ...copies.map((_, i) => `x${i}`));
  return module.addFunction(parameters, (code) => {
    const out = localAt("i32", 0);
    if (cleared > 0) code.clear(out, cleared * size);
    copies.forEach(({ shape, to, from }, i) => {
      if (shape.includes(0)) return;
      const target = code.let(i32.add(out, to.offset * size));
      const source = code.let(i32.add(localAt("i32", i + 1), from.offset * size));
      const views = [to.strides, from.strides].map((view) => view.map((step) => step * size));
      emitAxes(module, code, target, source, mergeAxes(shape, views), size);
    });
  });
}

/** Copies along axes, the strides of which are in bytes: where values go, and where they lie. */
function emitAxes(
  module: ModuleBuilder,
  code: CodeBuilder,
  to: Local<"i32">,
  from: Local<"i32">,
  axes: readonly Axis[],
  size: LaneBytes,
): void {
  const [first, ...rest] = axes;
  if (first === undefined) return emitBlockCopy(code, to, from, size);
  const { extent, strides: [toStep, fromStep] } = first;
  if (rest.length === 0 && toStep === size && fromStep === size) {
    return emitBlockCopy(code, to, from, extent * size);
  }
  const [columns] = rest;
  const isTurned = rest.length === 1 && fromStep === size && columns!.strides[0] === size;
  const [target, source] = [code.let(i32.add(to, 0)), code.let(i32.add(from, 0))];
  if (isTurned && isTiled(size) && Math.min(extent, columns!.extent) >= LEAST_TURNED) {
    const transpose = emitTranspose(module, size);
    const height = tiledRows(size);
    const count = code.let(i32.const(extent));
    code.while(i32.gtS(count, 0), () => {
      code.call(transpose, {
        ...{ to: target, pitch: toStep!, from: source, step: columns!.strides[1]! },
        ...{ rows: count, columns: columns!.extent },
      });
      code.increase(target, height * toStep!);
      code.increase(source, height * fromStep);
      code.increase(count, -height);
    });
    return;
  }
  code.for(extent, 1, () => {
    emitAxes(module, code, target, source, rest, size);
    code.increase(target, toStep!);
    code.increase(source, fromStep!);
  });
}

/** Copies as many bytes as are known when the code is written. */
export function emitBlockCopy(
  code: CodeBuilder,
  to: Local<"i32">,
  address: Value<"i32">,
  bytes: number,
): void {
  if (bytes > LARGEST_COPY) return code.copy(to, address, bytes);
  const from = code.let(address);
  let at = 0;
  for (; at + 16 <= bytes; at += 16) code.store("v128", to, v128.load(from, at), at);
  for (; at + 8 <= bytes; at += 8) code.storeLane(8, to, v128.load64Zero(from, at), 0, at);
  for (; at + 4 <= bytes; at += 4) code.store("i32", to, i32.load(from, at), at);
  for (; at < bytes; at++) code.store("i8", to, i32.load8U(from, at), at);
}
