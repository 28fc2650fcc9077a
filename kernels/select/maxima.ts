/**
 * The largest slices at their positions, as WebAssembly. Positions must be checked before: they
 * become addresses.
 *
 * @module
 */
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32, f64, i32, type Local, select, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, v128 } from "../wasm/simd.ts";
import type { CodeBuilder } from "../wasm/code.ts";
import { SCATTER_PARAMETERS, type ScatterFunction } from "./sums.ts";

/** What is compared. */
export interface SliceMaximum {
  /** The type of the values. */
  dtype: "float32" | "float64" | "int32";
  /** How many maxima. */
  count: number;
  /** How many slices there are to compare. */
  picked: number;
  /** Values of a slice. */
  inner: number;
}

type Write = (code: CodeBuilder, place: Local<"i32">, update: Value<"i32">) => void;

interface Numbers {
  readonly bytes: 4 | 8;
  /** Writes the lowest number. */
  readonly clear: (code: CodeBuilder, place: Value<"i32">) => void;
  /** Writes the larger of two numbers; NaN wins. */
  readonly one: Write;
  /** The same of a register of them. */
  readonly four: Write;
}

const NUMBERS: Readonly<Record<SliceMaximum["dtype"], Numbers>> = {
  float32: {
    bytes: 4,
    clear: (code, place) => code.store("f32", place, f32.const(-Infinity)),
    one: (code, at, x) => code.store("f32", at, f32.max(f32.load(at), f32.load(x))),
    four: (code, at, x) => code.store("v128", at, f32x4.max(v128.load(at), v128.load(x))),
  },
  float64: {
    bytes: 8,
    clear: (code, place) => code.store("f64", place, f64.const(-Infinity)),
    one: (code, at, x) => code.store("f64", at, f64.max(f64.load(at), f64.load(x))),
    four: (code, at, x) => code.store("v128", at, f64x2.max(v128.load(at), v128.load(x))),
  },
  int32: {
    bytes: 4,
    clear: (code, place) => code.store("i32", place, i32.const(-(2 ** 31))),
    one(code, at, x) {
      const [a, b] = [code.let(i32.load(at)), code.let(i32.load(x))];
      code.store("i32", at, select(a, b, i32.gtS(a, b)));
    },
    four: (code, at, x) => code.store("v128", at, i32x4.maxS(v128.load(at), v128.load(x))),
  },
};

/** Adds a function to a module that finds the largest slices; base and scratch memory are not used. */
export function emitMaxima(
  module: ModuleBuilder,
  { dtype, count, picked, inner }: SliceMaximum,
): ScatterFunction {
  const { bytes, clear, one, four } = NUMBERS[dtype];
  const size = bytes * inner;
  const whole = size - size % 16;
  return module.addFunction(SCATTER_PARAMETERS, (code, { out, updates, indices, outer }) => {
    code.while(outer, () => {
      code.for(count * size, bytes, (at) => clear(code, i32.add(out, at)));
      code.for(4 * picked, 4, (k) => {
        const target = i32.mul(i32.load(i32.add(indices, k)), size);
        const place = code.let(i32.add(out, target));
        const each = (step: number, write: Write) => {
          write(code, place, updates);
          code.increase(place, step);
          code.increase(updates, step);
        };
        if (whole > 0) code.for(whole, 16, () => each(16, four));
        for (let at = whole; at < size; at += bytes) each(bytes, one);
      });
      code.increase(out, count * size);
      code.increase(outer, -1);
    });
  });
}
