/**
 * Instructions on vectors of 128 bits, under the names of the WebAssembly specification.
 *
 * @module
 */
import { type Code, unsignedLeb128 } from "./encoding.ts";
import {
  type Binary,
  binary,
  byName,
  type Load,
  load,
  onDemand,
  type Operand,
  operandCode,
  type Ternary,
  type Unary,
  unary,
  type Value,
  type ValueType,
} from "./value.ts";

type V128 = Value<"v128">;

const BITWISE = { and: 78, andnot: 79, or: 80, xor: 81 } as const;
const COMPARE = { eq: 0, ne: 1, lt: 2, gt: 3, le: 4, ge: 5 } as const;
const FLOAT_UNARY = { abs: 0, neg: 1, sqrt: 3 } as const;
const FLOAT_BINARY = {
  add: 4,
  sub: 5,
  mul: 6,
  div: 7,
  min: 8,
  max: 9,
  pmin: 10,
  pmax: 11,
} as const;
const I32X4_COMPARE = { eq: 55, ne: 56, ltS: 57, gtS: 59, leS: 61, geS: 63 } as const;
const I32X4_BINARY = { add: 174, sub: 177, mul: 181, minS: 182, maxS: 184 } as const;
const I32X4_UNARY = { abs: 160, neg: 161, extendLowI16x8U: 169 } as const;
const I64X2_BINARY = { add: 206, sub: 209 } as const;

function opcode(number: number): Code {
  return [0xfd, unsignedLeb128(number)];
}

const vectorUnary = (number: number): Unary<"v128"> => unary(opcode(number), "v128", "v128");
const vectorBinary = (number: number): Binary<"v128"> => binary(opcode(number), "v128", "v128");
const vectorTernary = (number: number): Ternary => (x, y, z) => ({
  type: "v128",
  code: [x.code, y.code, z.code, opcode(number)],
});

/** The size of a lane that memory is read into or written from. */
export type LaneBytes = 1 | 2 | 4 | 8;

/** Shifts each lane by a number of bits. */
type Shift = (x: V128, bits: Operand<"i32">) => V128;

function shift(number: number): Shift {
  return (x, bits) => ({
    type: "v128",
    code: [x.code, operandCode("i32", bits), opcode(number)],
  });
}

/** Instructions that read and write single lanes. */
interface Lanes<T extends ValueType> {
  /** All lanes alike. */
  splat: Unary<T, "v128">;
  /** The value of one lane. */
  extractLane: (x: V128, lane: number) => Value<T>;
  /** The vector with another value in one lane. */
  replaceLane: (x: V128, lane: number, value: Operand<T>) => V128;
}

function lanes<T extends ValueType>(type: T, splat: number, extract: number): Lanes<T> {
  return {
    splat: unary(opcode(splat), type, "v128"),
    extractLane: (x, lane) => ({ type, code: [x.code, opcode(extract), lane] }),
    replaceLane: (x, lane, value) => ({
      type: "v128",
      code: [x.code, operandCode(type, value), opcode(extract + 1), lane],
    }),
  };
}

/** Instructions that both kinds of floating vectors have. */
type FloatVector<T extends "f32" | "f64"> =
  & Lanes<T>
  & Record<keyof typeof COMPARE, Binary<"v128">>
  & Record<keyof typeof FLOAT_UNARY, Unary<"v128">>
  & Record<keyof typeof FLOAT_BINARY, Binary<"v128">>
  & Record<"ceil" | "floor" | "trunc" | "nearest", Unary<"v128">>
  & {
    /** One number of memory in all lanes. */
    loadSplat: Load<"v128">;
    /** `x · y + z`, rounded once or twice as is faster; relaxed SIMD. */
    relaxedMadd: Ternary;
    /** `z − x · y`, rounded once or twice as is faster; relaxed SIMD. */
    relaxedNmadd: Ternary;
  };

/** 128 bits of any meaning. */
export const v128: Record<keyof typeof BITWISE, Binary<"v128">> & {
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
  /** All bits turned over. */
  not: Unary<"v128">;
  /** Bits of `x` where those of `mask` are set, else of `y`. */
  bitselect: (x: V128, y: V128, mask: V128) => V128;
  /** 1 if any bit is set. */
  anyTrue: Unary<"v128", "i32">;
} = onDemand(() => ({
  ...byName(BITWISE, vectorBinary),
  load: load(opcode(0), 2, "v128"),
  load32Zero: load(opcode(92), 2, "v128"),
  load64Zero: load(opcode(93), 3, "v128"),
  loadSplat: (laneBytes, address, offset) => {
    const size = Math.log2(laneBytes);
    return load(opcode(7 + size), size, "v128")(address, offset);
  },
  loadLane: (laneBytes, address, x, lane, offset = 0) => {
    const size = Math.log2(laneBytes);
    const memory = [opcode(84 + size), size, unsignedLeb128(offset), lane];
    return { type: "v128", code: [operandCode("i32", address), x.code, memory] };
  },
  not: vectorUnary(77),
  bitselect: vectorTernary(82),
  anyTrue: unary(opcode(83), "v128", "i32"),
}));

/** Sixteen bytes. */
export const i8x16: {
  /** Bytes of `x` (0 to 15) and `y` (16 to 31), in the order given. */
  shuffle: (x: V128, y: V128, bytes: readonly number[]) => V128;
} = {
  shuffle: (x, y, bytes) => ({ type: "v128", code: [x.code, y.code, opcode(13), bytes] }),
};

/** Eight 16-bit integers. */
export const i16x8: {
  /** The lower eight bytes, each from 0 to 255. */
  extendLowI8x16U: Unary<"v128">;
} = { extendLowI8x16U: vectorUnary(137) };

/** Four 32-bit integers. */
export const i32x4:
  & Lanes<"i32">
  & Record<keyof typeof I32X4_UNARY, Unary<"v128">>
  & Record<keyof typeof I32X4_COMPARE | keyof typeof I32X4_BINARY, Binary<"v128">>
  & Record<"shl" | "shrS" | "shrU", Shift>
  & {
    /** The whole parts, limited to the range; 0 for NaN. */
    truncSatF32x4S: Unary<"v128">;
    /** The same of two numbers of double precision; the upper two are 0. */
    truncSatF64x2SZero: Unary<"v128">;
  } = onDemand(() => ({
    ...lanes("i32", 17, 27),
    ...byName(I32X4_UNARY, vectorUnary),
    ...byName(I32X4_COMPARE, vectorBinary),
    ...byName(I32X4_BINARY, vectorBinary),
    ...byName({ shl: 171, shrS: 172, shrU: 173 }, shift),
    truncSatF32x4S: vectorUnary(248),
    truncSatF64x2SZero: vectorUnary(252),
  }));

/** Two 64-bit integers. */
export const i64x2:
  & Record<keyof typeof I64X2_BINARY, Binary<"v128">>
  & Record<"shl" | "shrS" | "shrU", Shift>
  & {
    /** The lower two 32-bit integers, as they have a sign. */
    extendLowI32x4S: Unary<"v128">;
    /** The lower two 32-bit integers, as they have none. */
    extendLowI32x4U: Unary<"v128">;
  } = onDemand(() => ({
    ...byName(I64X2_BINARY, vectorBinary),
    extendLowI32x4S: vectorUnary(199),
    extendLowI32x4U: vectorUnary(201),
    ...byName({ shl: 203, shrS: 204, shrU: 205 }, shift),
  }));

/** Four single-precision numbers. */
export const f32x4: FloatVector<"f32"> & {
  /** Four signed integers as numbers. */
  convertI32x4S: Unary<"v128">;
  /** Two double-precision numbers as the lower two; the others are 0. */
  demoteF64x2Zero: Unary<"v128">;
} = onDemand(() => ({
  ...lanes("f32", 19, 31),
  ...byName(COMPARE, (distance) => vectorBinary(65 + distance)),
  ...byName(FLOAT_UNARY, (distance) => vectorUnary(224 + distance)),
  ...byName(FLOAT_BINARY, (distance) => vectorBinary(224 + distance)),
  ...byName({ ceil: 103, floor: 104, trunc: 105, nearest: 106 }, vectorUnary),
  loadSplat: load(opcode(9), 2, "v128"),
  relaxedMadd: vectorTernary(0x105),
  relaxedNmadd: vectorTernary(0x106),
  convertI32x4S: vectorUnary(250),
  demoteF64x2Zero: vectorUnary(94),
}));

/** Two double-precision numbers. */
export const f64x2: FloatVector<"f64"> & {
  /** The lower two single-precision numbers. */
  promoteLowF32x4: Unary<"v128">;
  /** The lower two signed integers as numbers. */
  convertLowI32x4S: Unary<"v128">;
} = onDemand(() => ({
  ...lanes("f64", 20, 33),
  ...byName(COMPARE, (distance) => vectorBinary(71 + distance)),
  ...byName(FLOAT_UNARY, (distance) => vectorUnary(236 + distance)),
  ...byName(FLOAT_BINARY, (distance) => vectorBinary(236 + distance)),
  ...byName({ ceil: 116, floor: 117, trunc: 122, nearest: 148 }, vectorUnary),
  loadSplat: load(opcode(10), 3, "v128"),
  relaxedMadd: vectorTernary(0x107),
  relaxedNmadd: vectorTernary(0x108),
  promoteLowF32x4: vectorUnary(95),
  convertLowI32x4S: vectorUnary(254),
}));
