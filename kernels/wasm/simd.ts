/**
 * Instructions on vectors of 128 bits, under the names of the WebAssembly specification.
 *
 * @module
 */
import { opcodeOf } from "./instructions.ts";
import {
  type Instructions,
  instructions,
  type Load,
  load,
  memoryCode,
  onDemand,
  type Operand,
  operandCode,
  type Value,
  type ValueType,
} from "./value.ts";

type V128 = Value<"v128">;

/** The size of a lane that memory is read into or written from. */
export type LaneBytes = 1 | 2 | 4 | 8;

/** Instructions on lanes of numbers. */
type Lanes<P extends "i32x4" | "f32x4" | "f64x2", T extends ValueType> = Instructions<P> & {
  /** The value of one lane. */
  extractLane: (x: V128, lane: number) => Value<T>;
  /** The vector with another value in one lane. */
  replaceLane: (x: V128, lane: number, value: Operand<T>) => V128;
  /** One number of memory in all lanes. */
  loadSplat: Load<"v128">;
};

function lanes<P extends "i32x4" | "f32x4" | "f64x2", T extends ValueType>(
  prefix: P,
  type: T,
): Lanes<P, T> {
  return {
    ...instructions(prefix),
    extractLane: (x, lane) => ({ type, code: [x.code, opcodeOf(`${prefix}.extract_lane`), lane] }),
    replaceLane: (x, lane, value) => ({
      type: "v128",
      code: [x.code, operandCode(type, value), opcodeOf(`${prefix}.replace_lane`), lane],
    }),
    loadSplat: loadSplat(prefix === "f64x2" ? 8 : 4),
  };
}

/** 128 bits of any meaning. */
export const v128: Instructions<"v128"> & {
  /** Reads 16 bytes. */
  load: Load<"v128">;
  /** Reads 4 bytes into the lowest ones; the others are 0. */
  load32Zero: Load<"v128">;
  /** Reads 8 bytes into the lowest ones; the others are 0. */
  load64Zero: Load<"v128">;
  /** Reads some bytes into all lanes of that size. */
  loadSplat: (laneBytes: LaneBytes, address: Operand<"i32">, offset?: number) => V128;
  /** Reads some bytes into one lane of that size. */
  loadLane: (
    laneBytes: LaneBytes,
    address: Operand<"i32">,
    x: V128,
    lane: number,
    offset?: number,
  ) => V128;
} = onDemand(() => ({
  ...instructions("v128"),
  load: load("v128.load", 2, "v128"),
  load32Zero: load("v128.load32_zero", 2, "v128"),
  load64Zero: load("v128.load64_zero", 3, "v128"),
  loadSplat: (bytes, address, offset) => loadSplat(bytes)(address, offset),
  loadLane: (bytes, address, x, lane, offset = 0) => {
    const memory = memoryCode(`v128.load${8 * bytes}_lane`, Math.log2(bytes), offset);
    return { type: "v128", code: [operandCode("i32", address), x.code, memory, lane] };
  },
}));

function loadSplat(bytes: LaneBytes): Load<"v128"> {
  return load(`v128.load${8 * bytes}_splat`, Math.log2(bytes), "v128");
}

/** Sixteen bytes. */
export const i8x16: {
  /** Bytes of `x` (0 to 15) and `y` (16 to 31), in the order given. */
  shuffle: (x: V128, y: V128, bytes: readonly number[]) => V128;
} = {
  shuffle: (x, y, bytes) => ({
    type: "v128",
    code: [x.code, y.code, opcodeOf("i8x16.shuffle"), bytes],
  }),
};

/** Eight 16-bit integers. */
export const i16x8: Instructions<"i16x8"> = onDemand(() => instructions("i16x8"));

/** Four 32-bit integers; comparisons set all bits of the lanes where they hold. */
export const i32x4: Lanes<"i32x4", "i32"> = onDemand(() => lanes("i32x4", "i32"));

/** Two 64-bit integers. */
export const i64x2: Instructions<"i64x2"> = onDemand(() => instructions("i64x2"));

/** Four single-precision numbers. */
export const f32x4: Lanes<"f32x4", "f32"> = onDemand(() => lanes("f32x4", "f32"));

/** Two double-precision numbers. */
export const f64x2: Lanes<"f64x2", "f64"> = onDemand(() => lanes("f64x2", "f64"));
