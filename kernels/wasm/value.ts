/**
 * Expressions of WebAssembly code: instructions that leave one value of a known type, and those on
 * single numbers, under the names of the WebAssembly specification.
 *
 * @module
 */
import { type Code, floatBytes, signedLeb128, unsignedLeb128 } from "./encoding.ts";
import { numbered, opcode, opcodeOf, OPERATIONS } from "./instructions.ts";

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

/** An instruction: the types that it takes, and the one that it gives. */
export type Instruction<T extends string, R extends ValueType> = (
  ...operands: OperandsOf<T>
) => Value<R>;

type OperandsOf<T extends string> = T extends `${infer X extends ValueType} ${infer Others}`
  ? [Operand<X>, ...OperandsOf<Others>]
  : T extends ValueType ? [Operand<T>]
  : never;

type Words<T extends string> = T extends `${infer X} ${infer Others}` ? X | Words<Others> : T;

type CamelCase<T extends string> = T extends `${infer X}_${infer Others}`
  ? `${X}${Capitalize<CamelCase<Others>>}`
  : T;

type Row = typeof OPERATIONS[number];

/** The instructions whose names begin with `P`, which take and give values only. */
export type Instructions<P extends Row[0]> = {
  readonly [
    R in Extract<Row, readonly [P, ...unknown[]]> as CamelCase<Exclude<Words<R[1]>, "-">>
  ]: Instruction<R[3], R[4]>;
};

/** Reads memory at `address + offset`, in bytes. */
export type Load<T extends ValueType> = (address: Operand<"i32">, offset?: number) => Value<T>;

const GET = opcodeOf("local.get");
const [I32, F32, F64] = ["i32", "f32", "f64"].map((type) => opcodeOf(`${type}.const`));

/** A constant. */
export function constant<T extends "i32" | "f32" | "f64">(type: T, value: number): Value<T> {
  if (type === "i32") return { type, code: [I32!, signedLeb128(value)] };
  return type === "f32"
    ? { type, code: [F32!, floatBytes(Float32Array.of(value))] }
    : { type, code: [F64!, floatBytes(Float64Array.of(value))] };
}

/** The operand's instructions. */
export function operandCode<T extends ValueType>(type: T, x: Operand<T>): Code {
  return typeof x === "number" ? constant(type as "i32", x).code : x.code;
}

/** The variable with a number. */
export function localAt<T extends ValueType>(type: T, index: number): Local<T> {
  return { type, index, code: [GET, unsignedLeb128(index)] };
}

/** How memory is aligned that is read or written, as a logarithm, and bytes beyond the address. */
export function memoryCode(name: string, alignment: number, offset: number): Code {
  return [opcodeOf(name), alignment, unsignedLeb128(offset)];
}

/** An instruction that reads memory. */
export function load<T extends ValueType>(name: string, alignment: number, result: T): Load<T> {
  const number = opcodeOf(name);
  return (address, offset = 0) => ({
    type: result,
    code: [operandCode("i32", address), number, alignment, unsignedLeb128(offset)],
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

function camelCase(name: string): string {
  const [first, ...others] = name.split("_");
  return first + others.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

type Any = Operand<ValueType>;

/** The instructions whose names begin with `prefix`, in camel case. */
export function instructions<P extends Row[0]>(prefix: P): Instructions<P> {
  const made: Record<string, unknown> = {};
  for (const [own, names, first, types, type] of OPERATIONS) {
    if (own !== prefix) continue;
    const [a, b, c] = types.split(" ") as [ValueType, ValueType?, ValueType?];
    for (const [name, number] of numbered(names, first)) {
      const code = opcode(number);
      made[camelCase(name)] = c
        ? (x: Any, y: Any, z: Any) => ({
          type,
          code: [operandCode(a, x), operandCode(b!, y), operandCode(c, z), code],
        })
        : b
        ? (x: Any, y: Any) => ({ type, code: [operandCode(a, x), operandCode(b, y), code] })
        : (x: Any) => ({ type, code: [operandCode(a, x), code] });
    }
  }
  return made as Instructions<P>;
}

/** `x` where `condition` is not 0, else `y`; both are computed. */
export function select<T extends ValueType>(
  x: Value<T>,
  y: Value<T>,
  condition: Operand<"i32">,
): Value<T> {
  return {
    type: x.type,
    code: [x.code, y.code, operandCode("i32", condition), opcodeOf("select")],
  };
}

/** Instructions on single numbers. */
type Numbers<T extends "i32" | "f32" | "f64"> = Instructions<T> & {
  /** A constant. */
  const: (value: number) => Value<T>;
  /** Reads one number. */
  load: Load<T>;
};

function numbers<T extends "i32" | "f32" | "f64">(type: T): Numbers<T> {
  return {
    ...instructions(type),
    const: (value) => constant(type, value),
    load: load(`${type}.load`, type === "f64" ? 3 : 2, type),
  };
}

/** 32-bit integers, which are also addresses and truth values; `S` is signed, `U` unsigned. */
export const i32: Numbers<"i32"> & {
  /** Reads one byte, from 0 to 255. */
  load8U: Load<"i32">;
} = onDemand(() => ({ ...numbers("i32"), load8U: load("i32.load8_u", 0, "i32") }));

/** Single-precision numbers. */
export const f32: Numbers<"f32"> = onDemand(() => numbers("f32"));

/** Double-precision numbers. */
export const f64: Numbers<"f64"> = onDemand(() => numbers("f64"));
