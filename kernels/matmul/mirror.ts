/**
 * The lower half of a symmetric matrix from the upper one, in WebAssembly.
 *
 * @module
 */
import type { WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { v128 } from "../wasm/simd.ts";
import { i32 } from "../wasm/value.ts";
import { copyBytes, transpose } from "./pack.ts";

const MIRROR_PARAMETERS = { out: "i32", stride: "i32", size: "i32" } as const;

/** Mirrors a square matrix of `size` rows, `stride` bytes apart, at its diagonal. */
export type Mirror = WasmFunction<typeof MIRROR_PARAMETERS, null>;

/** Adds a function that mirrors matrices: a vector's worth of rows and columns at a time. */
export function addMirror(module: ModuleBuilder, bytes: number): Mirror {
  const lanes = 16 / bytes;
  return module.addFunction(MIRROR_PARAMETERS, (code, { out, stride, size }) => {
    const whole = code.let(i32.and(size, -lanes));
    code.for(whole, lanes, (row) => {
      const to = code.let(i32.add(out, i32.mul(stride, row)));
      const from = code.let(i32.add(out, i32.mul(row, bytes)));
      code.for(row, lanes, () => {
        const rows = Array.from(
          { length: lanes },
          (_, i) => code.let(v128.load(i32.add(from, i32.mul(stride, i)))),
        );
        transpose(code, rows, bytes).forEach((x, i) =>
          code.store("v128", i32.add(to, i32.mul(stride, i)), x)
        );
        code.increase(to, 16);
        code.increase(from, i32.mul(stride, lanes));
      });
    });
    code.for(i32.sub(size, whole), 1, (index) => {
      const row = code.let(i32.add(whole, index));
      const to = code.let(i32.add(out, i32.mul(stride, row)));
      const from = code.let(i32.add(out, i32.mul(row, bytes)));
      code.for(row, 1, () => {
        copyBytes(code, to, from, bytes);
        code.increase(to, bytes);
        code.increase(from, stride);
      });
    });
  });
}
