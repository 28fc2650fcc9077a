/**
 * Running results along the middle axis of an (outer, count, inner) array as WebAssembly: to the bit
 * what `reference.ts` gives, of integers as long as 32 bits hold them.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32, f64, i32, type Local, type Value } from "../wasm/value.ts";
import { type Combination, STARTS } from "./reference.ts";

/** What is accumulated. */
export interface Accumulation {
  /** How. */
  combination: Combination;
  /** The type of the elements, before and after. */
  dtype: "float32" | "float64" | "int32";
  /** Places along the axis. */
  count: number;
  /** Neighbouring lines: values of a line lie that far apart. */
  inner: number;
  /** Whether lines are walked from their ends. */
  reverse: boolean;
}

/** A function of some lines, from the first to before the last: where results go, where values lie. */
export type AccumulateFunction = WasmFunction<
  { out: "i32"; x: "i32"; y: "i32"; first: "i32"; last: "i32" },
  null
>;

/** Adds a function to a module that accumulates lines; `y` counts for recurrences only. */
export function emitAccumulation(module: ModuleBuilder, plan: Accumulation): AccumulateFunction {
  const { combination, dtype, count, inner, reverse } = plan;
  const bytes = BYTES[dtype];
  const start = reverse ? (count - 1) * inner * bytes : 0;
  const parameters = { out: "i32", x: "i32", y: "i32", first: "i32", last: "i32" } as const;
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
        const values = [x, y].map((data) => read(dtype, i32.add(data, at)));
        code.set(state, combine(combination, state, values as [Value<"f64">, Value<"f64">]));
        write(code, dtype, i32.add(out, at), state);
        code.increase(at, (reverse ? -inner : inner) * bytes);
      });
      code.increase(first, 1);
    });
  });
}

function read(dtype: Accumulation["dtype"], address: Value<"i32">): Value<"f64"> {
  if (dtype === "float64") return f64.load(address);
  return dtype === "float32"
    ? f64.promoteF32(f32.load(address))
    : f64.convertI32S(i32.load(address));
}

function write(
  code: CodeBuilder,
  dtype: Accumulation["dtype"],
  address: Value<"i32">,
  state: Local<"f64">,
): void {
  if (dtype === "float64") code.store("f64", address, state);
  else if (dtype === "float32") code.store("f32", address, f32.demoteF64(state));
  else code.store("i32", address, i32.truncSatF64S(state));
}

function combine(
  combination: Combination,
  state: Local<"f64">,
  [x, y]: readonly [Value<"f64">, Value<"f64">],
): Value<"f64"> {
  switch (combination) {
    case "sum":
      return f64.add(state, x);
    case "product":
      return f64.mul(state, x);
    case "max":
      return f64.max(state, x);
    case "recurrence":
      return f64.add(f64.mul(x, state), y);
  }
}
