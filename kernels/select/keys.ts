/**
 * What sorting compares: integers in the order of the numbers that they stand for, as vectors.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import type { CodeBuilder } from "../wasm/code.ts";
import { f64, i32, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i64x2, v128 } from "../wasm/simd.ts";

type V128 = Value<"v128">;

/** Instructions on vectors of keys. */
export interface Keys {
  /** Bytes of a key. */
  bytes: 4 | 8;
  /** Keys in a vector. */
  lanes: number;
  /** The key that no other exceeds, in all lanes. */
  greatest(): V128;
  /** The keys of values; of the opposite order where all bits are set; of NaN those given. */
  of(code: CodeBuilder, x: V128, opposite: V128, missing: V128): V128;
  /** Lanes of set bits where `x < y`. */
  less(x: V128, y: V128): V128;
  /** Lanes of set bits where `x ≤ y`. */
  lessEqual(x: V128, y: V128): V128;
  /** The lesser and the greater of each lane. */
  order(code: CodeBuilder, x: Local<"v128">, y: Local<"v128">): [lesser: V128, greater: V128];
  /** One more in the lanes of a count where all bits of a mask are set. */
  count(counts: V128, mask: V128): V128;
  /** The highest bits of all lanes, the first one lowest. */
  bitmask(x: V128): Value<"i32">;
  /** Copies one key. */
  copy(code: CodeBuilder, to: Local<"i32">, from: Value<"i32">): void;
}

/** The keys of values of a type. */
export function keysOf(dtype: Exclude<DType, "bool">): Keys {
  const bytes = BYTES[dtype] as 4 | 8;
  const vector = bytes === 4 ? i32x4 : i64x2;
  return {
    bytes,
    lanes: 16 / bytes,
    greatest: () => vector.shrU(i32x4.splat(-1), 1),
    of(code, x, opposite, missing) {
      // −x − 1: unlike −x, it is there for every integer.
      if (dtype === "int32") return v128.xor(x, opposite);
      const float = dtype === "float32" ? f32x4 : f64x2;
      // −0 + 0 is 0, which −0 equals.
      const value = code.let(float.add(x, i32x4.splat(0)));
      const isNegative = vector.ltS(value, i32x4.splat(0));
      const key = v128.xor(v128.xor(value, vector.shrU(isNegative, 1)), opposite);
      return v128.bitselect(key, missing, float.eq(value, value));
    },
    less: vector.ltS,
    lessEqual: vector.leS,
    order(code, x, y) {
      if (bytes === 4) return [i32x4.minS(x, y), i32x4.maxS(x, y)];
      const isLess = code.let(i64x2.ltS(x, y));
      return [v128.bitselect(x, y, isLess), v128.bitselect(y, x, isLess)];
    },
    count: vector.sub,
    bitmask: vector.bitmask,
    copy(code, to, from) {
      if (bytes === 4) code.store("i32", to, i32.load(from));
      else code.store("f64", to, f64.load(from));
    },
  };
}
