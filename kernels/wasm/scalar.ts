/**
 * Instructions on single numbers, under the names of the WebAssembly specification.
 *
 * @module
 */
import {
  type Binary,
  binary,
  byName,
  constant,
  type Load,
  load,
  type Unary,
  unary,
  type Value,
} from "./value.ts";

const I32_UNARY = { eqz: 0x45, clz: 0x67, ctz: 0x68, popcnt: 0x69 } as const;

const I32_BINARY = {
  eq: 0x46,
  ne: 0x47,
  ltS: 0x48,
  ltU: 0x49,
  gtS: 0x4a,
  gtU: 0x4b,
  leS: 0x4c,
  leU: 0x4d,
  geS: 0x4e,
  geU: 0x4f,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  divS: 0x6d,
  divU: 0x6e,
  remS: 0x6f,
  remU: 0x70,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shl: 0x74,
  shrS: 0x75,
  shrU: 0x76,
} as const;

/** The instructions of f32 as distances from their first; f64 has them in the same order. */
const COMPARE = { eq: 0, ne: 1, lt: 2, gt: 3, le: 4, ge: 5 } as const;
const FLOAT_UNARY = { abs: 0, neg: 1, ceil: 2, floor: 3, trunc: 4, nearest: 5, sqrt: 6 } as const;
const FLOAT_BINARY = { add: 7, sub: 8, mul: 9, div: 10, min: 11, max: 12, copysign: 13 } as const;

/** Instructions that both floating types have. */
type FloatInstructions<T extends "f32" | "f64"> =
  & Record<keyof typeof COMPARE, Binary<T, "i32">>
  & Record<keyof typeof FLOAT_UNARY, Unary<T>>
  & Record<keyof typeof FLOAT_BINARY, Binary<T>>
  & {
    /** A constant. */
    const: (value: number) => Value<T>;
    /** Reads one number. */
    load: Load<T>;
    /** A signed integer as a number. */
    convertI32S: Unary<"i32", T>;
  };

function floatInstructions<T extends "f32" | "f64">(
  type: T,
  codes: { compare: number; arithmetic: number; load: number; alignment: number; convert: number },
): FloatInstructions<T> {
  return {
    ...byName(COMPARE, (distance) => binary([codes.compare + distance], type, "i32")),
    ...byName(FLOAT_UNARY, (distance) => unary([codes.arithmetic + distance], type, type)),
    ...byName(FLOAT_BINARY, (distance) => binary([codes.arithmetic + distance], type, type)),
    const: (value) => constant(type, value),
    load: load([codes.load], codes.alignment, type),
    convertI32S: unary([codes.convert], "i32", type),
  };
}

/** 32-bit integers, which are also addresses and truth values; `S` is signed, `U` unsigned. */
export const i32:
  & Record<keyof typeof I32_UNARY, Unary<"i32">>
  & Record<keyof typeof I32_BINARY, Binary<"i32">>
  & {
    /** A constant. */
    const: (value: number) => Value<"i32">;
    /** Reads four bytes. */
    load: Load<"i32">;
    /** Reads one byte, from 0 to 255. */
    load8U: Load<"i32">;
    /** The whole part, limited to the range; 0 for NaN. */
    truncSatF32S: Unary<"f32", "i32">;
    /** The whole part, limited to the range; 0 for NaN. */
    truncSatF64S: Unary<"f64", "i32">;
    /** The bits of a number. */
    reinterpretF32: Unary<"f32", "i32">;
  } = {
    ...byName(I32_UNARY, (opcode) => unary([opcode], "i32", "i32")),
    ...byName(I32_BINARY, (opcode) => binary([opcode], "i32", "i32")),
    const: (value) => constant("i32", value),
    load: load([0x28], 2, "i32"),
    load8U: load([0x2d], 0, "i32"),
    truncSatF32S: unary([0xfc, 0], "f32", "i32"),
    truncSatF64S: unary([0xfc, 2], "f64", "i32"),
    reinterpretF32: unary([0xbc], "f32", "i32"),
  };

/** Single-precision numbers. */
export const f32: FloatInstructions<"f32"> & {
  /** The nearest single-precision number. */
  demoteF64: Unary<"f64", "f32">;
  /** The number of some bits. */
  reinterpretI32: Unary<"i32", "f32">;
} = {
  ...floatInstructions("f32", {
    compare: 0x5b,
    arithmetic: 0x8b,
    load: 0x2a,
    alignment: 2,
    convert: 0xb2,
  }),
  demoteF64: unary([0xb6], "f64", "f32"),
  reinterpretI32: unary([0xbe], "i32", "f32"),
};

/** Double-precision numbers. */
export const f64: FloatInstructions<"f64"> & {
  /** The same number. */
  promoteF32: Unary<"f32", "f64">;
} = {
  ...floatInstructions("f64", {
    compare: 0x61,
    arithmetic: 0x99,
    load: 0x2b,
    alignment: 3,
    convert: 0xb7,
  }),
  promoteF32: unary([0xbb], "f32", "f64"),
};
