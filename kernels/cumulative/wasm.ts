/**
 * Running results along the middle axis of an (outer, count, inner) array as WebAssembly: to the bit
 * what `reference.ts` gives, of integers as long as 32 bits hold them.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";
import {
  integers,
  loadWide,
  type Parameters,
  storeNarrow,
  type WasmFunction,
} from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f64, i32, type Value } from "../wasm/value.ts";
import { type Combination, STARTS } from "./reference.ts";

/** What is accumulated. */
export interface Accumulation extends Omit<AxisExtents, "outer"> {
  /** How. */
  combination: Combination;
  /** The type of the elements, before and after. */
  dtype: Exclude<DType, "bool">;
  /** Whether lines are walked from their ends. */
  reverse: boolean;
}

type F64 = Value<"f64">;

/** The next state, of the one before and of the values at a place. */
const COMBINE: Record<Combination, (s: F64, x: F64, y: F64) => F64> = {
  sum: (s, x) => f64.add(s, x),
  product: (s, x) => f64.mul(s, x),
  max: (s, x) => f64.max(s, x),
  recurrence: (s, x, y) => f64.add(f64.mul(x, s), y),
};

/**
 * Adds a function to a module that accumulates lines: where results go and values lie, of recurrences
 * those of `y`, and the lines from the first to before the last.
 */
export function emitAccumulation(
  module: ModuleBuilder,
  plan: Accumulation,
): WasmFunction<Parameters, null> {
  const { combination, dtype, count, inner, reverse } = plan;
  const bytes = BYTES[dtype];
  const start = reverse ? (count - 1) * inner * bytes : 0;
  const parameters = integers("out", "x", "y", "first", "last");
  return module.addFunction(parameters, (code, { out, x, y, first, last }) => {
    const state = code.local("f64");
    const [at, slice] = [code.local("i32"), code.local("i32")];
    code.while(i32.ltS(first, last), () => {
      code.set(slice, i32.divS(first, inner));
      const column = i32.sub(first, i32.mul(slice, inner));
      const place = i32.add(i32.mul(slice, count * inner), column);
      code.set(at, i32.add(i32.mul(place, bytes), start));
      code.set(state, STARTS[combination]);
      code.for(count, 1, () => {
        const [value, summand] = [x, y].map((data) => loadWide(dtype, i32.add(data, at)));
        code.set(state, COMBINE[combination](state, value!, summand!));
        storeNarrow(code, dtype, i32.add(out, at), state);
        code.increase(at, (reverse ? -inner : inner) * bytes);
      });
      code.increase(first, 1);
    });
  });
}
