/**
 * The element types that files hold, and their way into tensors.
 *
 * @module
 */
import type { DType, TypedArray } from "../dtype.ts";
import { type Shape, stridesOf } from "../shape.ts";

/** Name of a number type in a file. */
export type ElementType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

/** Numbers as a file holds them; `bool` as bytes, half precision as `Float32Array`. */
export type ElementArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

const ARRAYS = {
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
} satisfies Record<ElementType, unknown>;

/** How many bytes one number takes. */
export function bytesPerElement(type: ElementType): number {
  return type === "float16" ? 2 : ARRAYS[type].BYTES_PER_ELEMENT;
}

/** The value of an IEEE 754 binary16 number. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Whether this is the name of a number type that can be read. */
export function isElementType(type: string): type is ElementType {
  return Object.hasOwn(ARRAYS, type);
}

/** A zero-filled array for `length` numbers. */
export function allocateElements(type: ElementType, length: number): ElementArray {
  return new ARRAYS[type](length);
}

/** Little-endian bytes as numbers, without a copy but in half precision. */
export function elementsOf(type: ElementType, bytes: ArrayBuffer): ElementArray {
  if (type === "float16") return Float32Array.from(new Uint16Array(bytes), fromHalf);
  return new ARRAYS[type](bytes);
}

/** The types whose numbers may not fit `int32`. */
const WIDE: readonly ElementType[] = ["uint32", "int64", "uint64"];

/**
 * The tensor type that takes numbers of this type: integers become `int32`, or `float64` where they
 * may not fit and `wide` asks for that.
 */
export function tensorTypeOf(type: ElementType, wide = false): DType {
  if (type === "bool" || type === "float32" || type === "float64") return type;
  return type === "float16" ? "float32" : wide && WIDE.includes(type) ? "float64" : "int32";
}

function outOfRange(what: string, value: number | bigint): RangeError {
  return new RangeError(
    `Cannot read ${what} as int32 cannot hold its values: they must be in ` +
      `[-2147483648, 2147483647]: current value is ${value}`,
  );
}

/** A value in double precision, which must hold it exactly; `what` names it where it does not. */
export function exactNumber(value: number | bigint, what: string): number {
  const number = Number(value);
  if (typeof value !== "bigint" || BigInt(number) === value) return number;
  throw new RangeError(
    `Cannot read ${what} as float64 cannot hold its values exactly: current value is ${value}`,
  );
}

/** Numbers as a tensor stores them; `what` names them where an integer does not fit. */
export function toTensorData(
  type: ElementType,
  raw: ElementArray,
  what: string,
  wide = false,
): TypedArray {
  if (wide && WIDE.includes(type)) {
    return Float64Array.from<number | bigint>(raw, (value) => exactNumber(value, what));
  }
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) return narrow(raw, what);
  if (type === "bool") return (raw as Uint8Array).map((v) => v === 0 ? 0 : 1);
  if (raw instanceof Uint32Array) {
    const large = raw.find((v) => v > 0x7fffffff);
    if (large !== undefined) throw outOfRange(what, large);
  }
  if (raw instanceof Float32Array || raw instanceof Float64Array) return raw;
  return raw instanceof Int32Array ? raw : Int32Array.from(raw);
}

/** 64-bit integers as `int32`: the low words, where the high ones only repeat the sign. */
function narrow(raw: BigInt64Array | BigUint64Array, what: string): Int32Array {
  const words = new Int32Array(raw.buffer, raw.byteOffset, raw.length * 2);
  const out = new Int32Array(raw.length);
  const signed = raw instanceof BigInt64Array;
  for (let i = 0; i < out.length; i++) {
    const low = words[2 * i]!;
    if (words[2 * i + 1] !== low >> 31 || (!signed && low < 0)) throw outOfRange(what, raw[i]!);
    out[i] = low;
  }
  return out;
}

/** Positions in an array as plain numbers, which count beyond 2³¹. */
export function toPositions(raw: ElementArray): ArrayLike<number> {
  return raw instanceof BigInt64Array || raw instanceof BigUint64Array
    ? Float64Array.from(raw, Number)
    : raw;
}

/** Values whose axes have any strides, in row-major order: the same array where it is in order. */
export function toRowMajor<T extends ArrayLike<unknown> & { slice(): T }>(
  data: T,
  shape: Shape,
  strides: readonly number[],
): T {
  const natural = stridesOf(shape);
  if (shape.every((extent, axis) => extent < 2 || strides[axis] === natural[axis])) return data;
  const out = data.slice() as T & unknown[];
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
