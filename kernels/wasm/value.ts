/**
 * Expressions of WebAssembly code: instructions that leave one value of a known type.
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

/** One function per name. */
export function byName<N extends string, F>(
  opcodes: Readonly<Record<N, number>>,
  make: (opcode: number) => F,
): Record<N, F> {
  const entries = Object.entries<number>(opcodes).map(([name, opcode]) => [name, make(opcode)]);
  return Object.fromEntries(entries) as Record<N, F>;
}

/** `x` where `condition` is not 0, else `y`; both are computed. */
export function select<T extends ValueType>(
  x: Value<T>,
  y: Value<T>,
  condition: Operand<"i32">,
): Value<T> {
  return { type: x.type, code: [x.code, y.code, operandCode("i32", condition), 0x1b] };
}
