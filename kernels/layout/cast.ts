/**
 * Values in another type as WebAssembly, where every value has a place in that type.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32x4, f64x2, i16x8, i32x4, type LaneBytes, v128 } from "../wasm/simd.ts";
import type { Value } from "../wasm/value.ts";

/** A change of type. */
export interface Cast {
  /** The type before. */
  from: DType;
  /** The type after. */
  to: DType;
  /** How many values there are. */
  count: number;
}

/** A function that casts: where values go, and where they come from. */
export type CastFunction = WasmFunction<{ out: "i32"; data: "i32" }, null>;

/** The values in the lowest lanes, in the type after. */
type Conversion = (x: Value<"v128">) => Value<"v128">;

const fromBool: Conversion = (x) => i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(x));

const CONVERSIONS: Readonly<Partial<Record<string, Conversion>>> = {
  "bool int32": fromBool,
  "bool float32": (x) => f32x4.convertI32x4S(fromBool(x)),
  "bool float64": (x) => f64x2.convertLowI32x4S(fromBool(x)),
  "int32 float32": f32x4.convertI32x4S,
  "int32 float64": f64x2.convertLowI32x4S,
  "float32 float64": f64x2.promoteLowF32x4,
  "float64 float32": f32x4.demoteF64x2Zero,
};

/** Whether there is a function for a change of type. */
export function canCast({ from, to }: Pick<Cast, "from" | "to">): boolean {
  return CONVERSIONS[`${from} ${to}`] !== undefined;
}

/** Adds a function to a module that casts. */
export function emitCast(module: ModuleBuilder, cast: Cast): CastFunction {
  const { from, to, count } = cast;
  const convert = CONVERSIONS[`${from} ${to}`]!;
  const [read, written] = [BYTES[from], BYTES[to]];
  // float64 fills a vector with two values.
  const width = Math.max(read, written) === 8 ? 2 : 4;
  return module.addFunction({ out: "i32", data: "i32" }, (code, { out, data }) => {
    const step = (values: number) => {
      writeLow(code, out, convert(readLow(data, values * read)), values * written);
      code.increase(data, values * read);
      code.increase(out, values * written);
    };
    code.for(count - count % width, width, () => step(width));
    code.for(count % width, 1, () => step(1));
  });
}

/** The lowest bytes of a vector from memory. */
function readLow(at: Value<"i32">, bytes: number): Value<"v128"> {
  switch (bytes) {
    case 16:
      return v128.load(at);
    case 8:
      return v128.load64Zero(at);
    case 4:
      return v128.load32Zero(at);
    default:
      return v128.loadLane(bytes as 1 | 2, at, i32x4.splat(0), 0);
  }
}

function writeLow(
  code: CodeBuilder,
  at: Value<"i32">,
  x: Value<"v128">,
  bytes: number,
): void {
  if (bytes === 16) code.store("v128", at, x);
  else code.storeLane(bytes as LaneBytes, at, x, 0);
}
