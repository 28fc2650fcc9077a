/**
 * What sorting compares: numbers of one type, one by one and as vectors.
 *
 * @module
 */
import { flatten, unsignedLeb128 } from "../wasm/encoding.ts";
import {
  type Binary,
  constant,
  f32,
  f64,
  i32,
  type Load,
  type Operand,
  type Unary,
  unary,
  type Value,
} from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i64x2, v128 } from "../wasm/simd.ts";

/** The types of values that can be sorted. */
export type SortType = "float32" | "float64" | "int32";

/** The WebAssembly type of a key. */
export type KeyValue = "f32" | "f64" | "i32";

type V128 = Value<"v128">;

/** Instructions on keys; comparisons are false for NaN. */
export interface Keys<T extends KeyValue> {
  /** The type of a single key. */
  type: T;
  /** Bytes of a key. */
  bytes: 4 | 8;
  /** Keys in a vector. */
  lanes: 2 | 4;
  /** No key is greater. */
  greatest: Value<T>;
  /** Reads a key. */
  load: Load<T>;
  /** Whether `x < y`. */
  less: Binary<T, "i32">;
  /** Whether a key is one: NaN is not. */
  isKey: (x: Operand<T>) => Value<"i32">;
  /** The key of the opposite place in the order. */
  reverse: Unary<T>;
  /** Instructions on vectors of keys. */
  vector: {
    /** All lanes alike. */
    splat: Unary<T, "v128">;
    /** One key of memory in all lanes. */
    loadSplat: Load<"v128">;
    /** One lane. */
    extractLane: (x: V128, lane: number) => Value<T>;
    /** The lesser of each lane; the left one where a key is NaN. */
    min: Binary<"v128">;
    /** The greater of each lane; the left one where a key is NaN. */
    max: Binary<"v128">;
    /** Lanes of set bits where `x < y`. */
    less: Binary<"v128">;
    /** Lanes of set bits where `x ≤ y`. */
    lessEqual: Binary<"v128">;
    /** The keys of the opposite places in the order. */
    reverse: Unary<"v128">;
    /** One more in the lanes of a count where all bits of a mask are set. */
    count: (counts: V128, mask: V128) => V128;
    /** The count of one lane. */
    counted: (counts: V128, lane: number) => Value<"i32">;
    /** The highest bits of all lanes, the first one lowest. */
    bitmask: Unary<"v128", "i32">;
  };
}

function bitmask(opcode: number): Unary<"v128", "i32"> {
  return unary(flatten([0xfd, unsignedLeb128(opcode)]), "v128", "i32");
}

const float32 = (): Keys<"f32"> => ({
  type: "f32",
  bytes: 4,
  lanes: 4,
  greatest: constant("f32", Infinity),
  load: f32.load,
  less: f32.lt,
  isKey: (x) => f32.eq(x, x),
  reverse: f32.neg,
  vector: {
    splat: f32x4.splat,
    loadSplat: f32x4.loadSplat,
    extractLane: f32x4.extractLane,
    min: f32x4.pmin,
    max: f32x4.pmax,
    less: f32x4.lt,
    lessEqual: f32x4.le,
    reverse: f32x4.neg,
    count: i32x4.sub,
    counted: i32x4.extractLane,
    bitmask: bitmask(164),
  },
});

const float64 = (): Keys<"f64"> => ({
  type: "f64",
  bytes: 8,
  lanes: 2,
  greatest: constant("f64", Infinity),
  load: f64.load,
  less: f64.lt,
  isKey: (x) => f64.eq(x, x),
  reverse: f64.neg,
  vector: {
    splat: f64x2.splat,
    loadSplat: f64x2.loadSplat,
    extractLane: f64x2.extractLane,
    min: f64x2.pmin,
    max: f64x2.pmax,
    less: f64x2.lt,
    lessEqual: f64x2.le,
    reverse: f64x2.neg,
    count: i64x2.sub,
    counted: (counts, lane) => i32x4.extractLane(counts, 2 * lane),
    bitmask: bitmask(196),
  },
});

const int32 = (): Keys<"i32"> => ({
  type: "i32",
  bytes: 4,
  lanes: 4,
  greatest: constant("i32", 2 ** 31 - 1),
  load: i32.load,
  less: i32.ltS,
  isKey: () => i32.const(1),
  // −x − 1: unlike −x, it is there for every integer.
  reverse: (x) => i32.xor(x, -1),
  vector: {
    splat: i32x4.splat,
    loadSplat: (address, offset) => v128.loadSplat(4, address, offset),
    extractLane: i32x4.extractLane,
    min: i32x4.minS,
    max: i32x4.maxS,
    less: i32x4.ltS,
    lessEqual: i32x4.leS,
    reverse: v128.not,
    count: i32x4.sub,
    counted: i32x4.extractLane,
    bitmask: bitmask(164),
  },
});

/** The keys of each type of values, made where they are needed: most programs sort nothing. */
export const KEYS: {
  float32: () => Keys<"f32">;
  float64: () => Keys<"f64">;
  int32: () => Keys<"i32">;
} = { float32, float64, int32 };
