/**
 * Element types: their names, typed arrays and promotion rules.
 *
 * @module
 */
import { describe, formatBytes } from "./describe.ts";

/** Name of an element type. `float32` is the default, `float64` is for checking, `int32` for labels. */
export type DType = "float32" | "float64" | "int32" | "bool";

/** The typed arrays that hold tensor values; `bool` is stored as bytes 0 and 1. */
export type TypedArray =
  | (TypedArrayMethods & Float32Array)
  | (TypedArrayMethods & Float64Array)
  | (TypedArrayMethods & Int32Array)
  | (TypedArrayMethods & Uint8Array);

/** The same as kernels take them. */
export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Those of them that hold numbers with a fraction. */
export type FloatArray = Float32Array | Float64Array;

/** What is called with each value of a typed array, its position, and the array. */
export type ValueCallback<T> = (value: number, index: number, array: TypedArray) => T;

/** What is called with a running result, and each value of a typed array with its position. */
export type Reducer<T> = (result: T, value: number, index: number, array: TypedArray) => T;

/** Methods of typed arrays in one signature for all of them, as a union of arrays has none. */
export interface TypedArrayMethods {
  /** Calls a function on each value. */
  forEach(f: ValueCallback<void>): void;
  /** An array of the same type, of what a function makes of each value. */
  map(f: ValueCallback<number>): TypedArray;
  /** An array of the same type, of the values that a function accepts. */
  filter(f: ValueCallback<unknown>): TypedArray;
  /** The first value that a function accepts. */
  find(f: ValueCallback<unknown>): number | undefined;
  /** One number of all values, from the first to the last. */
  reduce(f: Reducer<number>): number;
  /** One result of all values, from the first to the last. */
  reduce<T>(f: Reducer<T>, initial: T): T;
  /** One number of all values, from the last to the first. */
  reduceRight(f: Reducer<number>): number;
  /** One result of all values, from the last to the first. */
  reduceRight<T>(f: Reducer<T>, initial: T): T;
  /** A copy of a part. */
  slice(start?: number, end?: number): TypedArray;
  /** A view of a part. */
  subarray(start?: number, end?: number): TypedArray;
}

/** From the weakest to the strongest: the stronger of two operands decides. */
const RANK: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

/** How many bytes a value takes. */
export const BYTES: Readonly<Record<DType, 1 | 4 | 8>> = {
  bool: 1,
  int32: 4,
  float32: 4,
  float64: 8,
};

/** Whether values of this type have gradients. */
export function isFloating(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The largest number of single precision that is no larger. */
export function floorToSingle(value: number): number {
  const single = Float32Array.of(value);
  if (!(single[0]! > value)) return single[0]!;
  if (single[0] === 0) return -(2 ** -149);
  // Magnitudes are in the order of their bits.
  new Int32Array(single.buffer)[0]! += single[0]! > 0 ? -1 : 1;
  return single[0]!;
}

/** The type in which two operands meet: `bool < int32 < float32 < float64`. */
export function promoteTypes(a: DType, b: DType): DType {
  return RANK[a] >= RANK[b] ? a : b;
}

/** A zero-filled array for `size` values of the type; throws a `RangeError` where memory is short. */
export function allocate(dtype: DType, size: number): TypedArray {
  try {
    switch (dtype) {
      case "float32":
        return new Float32Array(size);
      case "float64":
        return new Float64Array(size);
      case "int32":
        return new Int32Array(size);
      case "bool":
        return new Uint8Array(size);
    }
  } catch (cause) {
    throw new RangeError(
      `Cannot hold ${size} values of ${dtype} as there are no ` +
        `${formatBytes(size * BYTES[dtype])} of memory left`,
      { cause },
    );
  }
}

/** The element type that a typed array stands for, or `undefined` where it is none of ours. */
export function dtypeOf(data: unknown): DType | undefined {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "bool";
  return undefined;
}

/** Throws a `TypeError` that names the caller unless `dtype` is one of the four. */
export function checkDType(caller: string, dtype: unknown): asserts dtype is DType {
  if (typeof dtype !== "string" || !Object.hasOwn(RANK, dtype)) {
    throw new TypeError(
      `Cannot compute ${caller} as dtype must be one of ${Object.keys(RANK).join(", ")}: ` +
        `current value is ${typeof dtype === "string" ? dtype : describe(dtype)}`,
    );
  }
}

/** The relative spacing of the type's numbers around 1. */
export function machineEpsilon(dtype: DType): number {
  return dtype === "float64" ? Number.EPSILON : 2 ** -23;
}
