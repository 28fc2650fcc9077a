/**
 * Expressions of WebAssembly code: instructions that leave one value of a known type, and those on
 * single numbers, under the names of the WebAssembly specification.
 *
 * @module
 */
import { type Code, float32Bytes, float64Bytes, signedLeb128, unsignedLeb128 } from "./encoding.ts";

/** The types of values. */
export type ValueType = "i32" | "f32" | "f64" | "v128";

/** The byte that stands for each type. */
export const TYPE_CODES: Record<ValueType, number> = {
  i32: 0x7f,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/**
 * An expression. Used twice, its instructions are there twice: what is costly goes into a
 * {@linkcode Local}.
 */
export interface Value<T extends ValueType> {
  /** The type of its value. */
  readonly type: T;
  /** Its instructions. */
  readonly code: Code;
}

/** A variable of a function. */
export interface Local<T extends ValueType> extends Value<T> {
  /** Its number. */
  readonly index: number;
}

/** What instructions take: an expression, or a number that stands for a constant. */
export type Operand<T extends ValueType> = Value<T> | (T extends "v128" ? never : number);

/** An instruction of one operand. */
export type Unary<T extends ValueType, R extends ValueType = T> = (x: Operand<T>) => Value<R>;

/** An instruction of two operands. */
export type Binary<T extends ValueType, R extends ValueType = T> = (
  x: Operand<T>,
  y: Operand<T>,
) => Value<R>;

/** An instruction of three vectors. */
export type Ternary = (
  x: Value<"v128">,
  y: Value<"v128">,
  z: Value<"v128">,
) => Value<"v128">;

/** Reads memory at `address + offset`, in bytes. */
export type Load<T extends ValueType> = (address: Operand<"i32">, offset?: number) => Value<T>;

/** A constant. */
export function constant<T extends "i32" | "f32" | "f64">(type: T, value: number): Value<T> {
  if (type === "i32") return { type, code: [0x41, signedLeb128(value)] };
  return type === "f32"
    ? { type, code: [0x43, float32Bytes(value)] }
    : { type, code: [0x44, float64Bytes(value)] };
}

/** The operand's instructions. */
export function operandCode<T extends ValueType>(type: T, x: Operand<T>): Code {
  return typeof x === "number" ? constant(type as "i32", x).code : x.code;
}

/** The variable with a number. */
export function localAt<T extends ValueType>(type: T, index: number): Local<T> {
  return { type, index, code: [0x20, unsignedLeb128(index)] };
}

/** An instruction of one operand, by its bytes. */
export function unary<T extends ValueType, R extends ValueType>(
  opcode: Code,
  type: T,
  result: R,
): Unary<T, R> {
  return (x) => ({ type: result, code: [operandCode(type, x), opcode] });
}

/** An instruction of two operands, by its bytes. */
export function binary<T extends ValueType, R extends ValueType>(
  opcode: Code,
  type: T,
  result: R,
): Binary<T, R> {
  return (x, y) => ({
    type: result,
    code: [operandCode(type, x), operandCode(type, y), opcode],
  });
}

/** An instruction that reads memory, by its bytes and the logarithm of its alignment. */
export function load<T extends ValueType>(opcode: Code, alignment: number, result: T): Load<T> {
  return (address, offset = 0) => ({
    type: result,
    code: [operandCode("i32", address), opcode, alignment, unsignedLeb128(offset)],
  });
}

/**
 * Instructions that are made when the first of them is asked for: who imports the library may never
 * emit a line of code. They are there by name only; they cannot be listed or spread.
 */
export function onDemand<T extends object>(make: () => T): T {
  let made: T | undefined;
  return new Proxy({} as T, { get: (_, name) => (made ??= make())[name as keyof T] });
}

/** One function per name. */
export function byName<N extends string, F>(
  opcodes: Readonly<Record<N, number>>,
  make: (opcode: number) => F,
): Record<N, F> {
  const functions = {} as Record<N, F>;
  for (const name in opcodes) functions[name] = make(opcodes[name]);
  return functions;
}

/** `x` where `condition` is not 0, else `y`; both are computed. */
export function select<T extends ValueType>(
  x: Value<T>,
  y: Value<T>,
  condition: Operand<"i32">,
): Value<T> {
  return { type: x.type, code: [x.code, y.code, operandCode("i32", condition), 0x1b] };
}

const I32_UNARY = { eqz: 0x45, clz: 0x67, ctz: 0x68, popcnt: 0x69 } as const;

const I32_BINARY = {
  eq: 0x46,
  ne: 0x47,
  ltS: 0x48,
  ltU: 0x49,
  gtS: 0x4a,
  leS: 0x4c,
  geS: 0x4e,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  divS: 0x6d,
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
    truncSatF64S: Unary<"f64", "i32">;
  } = onDemand(() => ({
    ...byName(I32_UNARY, (opcode) => unary([opcode], "i32", "i32")),
    ...byName(I32_BINARY, (opcode) => binary([opcode], "i32", "i32")),
    const: (value) => constant("i32", value),
    load: load([0x28], 2, "i32"),
    load8U: load([0x2d], 0, "i32"),
    truncSatF64S: unary([0xfc, 2], "f64", "i32"),
  }));

/** Single-precision numbers. */
export const f32: FloatInstructions<"f32"> & {
  /** The nearest single-precision number. */
  demoteF64: Unary<"f64", "f32">;
} = onDemand(() => ({
  ...floatInstructions("f32", {
    compare: 0x5b,
    arithmetic: 0x8b,
    load: 0x2a,
    alignment: 2,
    convert: 0xb2,
  }),
  demoteF64: unary([0xb6], "f64", "f32"),
}));

/** Double-precision numbers. */
export const f64: FloatInstructions<"f64"> & {
  /** The same number. */
  promoteF32: Unary<"f32", "f64">;
} = onDemand(() => ({
  ...floatInstructions("f64", {
    compare: 0x61,
    arithmetic: 0x99,
    load: 0x2b,
    alignment: 3,
    convert: 0xb7,
  }),
  promoteF32: unary([0xbb], "f32", "f64"),
}));
