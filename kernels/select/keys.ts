/**
 * What sorting compares: numbers of one type, one by one and as vectors.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import { constant, f32, f64, i32, type Operand, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i64x2, v128 } from "../wasm/simd.ts";

/** The WebAssembly type of a key. */
export type KeyType = "f32" | "f64" | "i32";

type Key = Value<KeyType>;
type V128 = Value<"v128">;

/** Instructions on keys; comparisons are false for NaN. */
export interface Keys {
  /** The type of a single key. */
  type: KeyType;
  /** Bytes of a key. */
  bytes: 4 | 8;
  /** Keys in a vector. */
  lanes: number;
  /** No key is greater. */
  greatest: Key;
  /** Reads a key. */
  load(address: Value<"i32">, offset?: number): Key;
  /** Whether `x < y`. */
  less(x: Operand<KeyType>, y: Operand<KeyType>): Value<"i32">;
  /** Whether `x = y`, which tells NaN, that is no key. */
  equal(x: Operand<KeyType>, y: Operand<KeyType>): Value<"i32">;
  /** The key of the opposite place in the order. */
  reverse(x: Operand<KeyType>): Key;
  /** Instructions on vectors of keys. */
  vector: {
    /** All lanes alike. */
    splat(x: Operand<KeyType>): V128;
    /** One key of memory in all lanes. */
    loadSplat(address: Value<"i32">, offset: number): V128;
    /** One lane. */
    extractLane(x: V128, lane: number): Key;
    /** The lesser of each lane; the left one where a key is NaN. */
    min(x: V128, y: V128): V128;
    /** The greater of each lane; the left one where a key is NaN. */
    max(x: V128, y: V128): V128;
    /** Lanes of set bits where `x < y`. */
    less(x: V128, y: V128): V128;
    /** Lanes of set bits where `x ≤ y`. */
    lessEqual(x: V128, y: V128): V128;
    /** The keys of the opposite places in the order. */
    reverse(x: V128): V128;
    /** One more in the lanes of a count where all bits of a mask are set. */
    count(counts: V128, mask: V128): V128;
    /** The count of one lane. */
    counted(counts: V128, lane: number): Value<"i32">;
    /** The highest bits of all lanes, the first one lowest. */
    bitmask(x: V128): Value<"i32">;
  };
}

/** The keys of values of a type. */
export function keysOf(dtype: Exclude<DType, "bool">): Keys {
  const bytes = BYTES[dtype] as 4 | 8;
  const common = {
    loadSplat: (address: Value<"i32">, offset: number) => v128.loadSplat(bytes, address, offset),
    count: bytes === 4 ? i32x4.sub : i64x2.sub,
    counted: (counts: V128, lane: number) => i32x4.extractLane(counts, lane * bytes / 4),
    bitmask: bytes === 4 ? i32x4.bitmask : i64x2.bitmask,
  };
  if (dtype === "int32") {
    return {
      ...{ type: "i32", bytes, lanes: 4, greatest: constant("i32", 2 ** 31 - 1) },
      ...{ load: i32.load, less: i32.ltS, equal: i32.eq },
      // −x − 1: unlike −x, it is there for every integer.
      reverse: (x: Operand<"i32">) => i32.xor(x, -1),
      vector: {
        ...{ ...common, splat: i32x4.splat, extractLane: i32x4.extractLane },
        ...{ min: i32x4.minS, max: i32x4.maxS, less: i32x4.ltS, lessEqual: i32x4.leS },
        reverse: v128.not,
      },
    };
  }
  const [type, scalar, vector] = dtype === "float32"
    ? ["f32", f32, f32x4] as const
    : ["f64", f64, f64x2] as const;
  return {
    ...{ type, bytes, lanes: 16 / bytes, greatest: constant(type, Infinity) },
    ...{ load: scalar.load, less: scalar.lt, equal: scalar.eq, reverse: scalar.neg },
    vector: {
      ...{ ...common, splat: vector.splat, extractLane: vector.extractLane },
      ...{ min: vector.pmin, max: vector.pmax, less: vector.lt, lessEqual: vector.le },
      reverse: vector.neg,
    },
  };
}
