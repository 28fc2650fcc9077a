/**
 * Values as the device has them: words of 32 bits, booleans too.
 *
 * @module
 */
import type { TypedArray } from "../../dtype.ts";
import type { Spec } from "../../op.ts";
import { type Shape, sizeOf } from "../../shape.ts";

/** How many bytes values of a shape take on the device; at least one word, as buffers must. */
export function deviceBytes(shape: Shape): number {
  return 4 * Math.max(1, sizeOf(shape));
}

/** Words of the device from values; those of float64 are narrowed. */
export function wordsOf(data: TypedArray): Float32Array | Int32Array | Uint32Array {
  if (data instanceof Float64Array) return Float32Array.from(data);
  return data instanceof Uint8Array ? Uint32Array.from(data) : data;
}

/** Values from words of the device. */
export function valuesOf(words: ArrayBuffer, { shape, dtype }: Spec): TypedArray {
  const size = sizeOf(shape);
  switch (dtype) {
    case "int32":
      return new Int32Array(words, 0, size);
    case "bool":
      return Uint8Array.from(new Uint32Array(words, 0, size));
    default:
      return new Float32Array(words, 0, size);
  }
}
