/**
 * Values as the device has them: words of 32 bits, booleans too.
 *
 * @module
 */
import type { DType, TypedArray } from "../../dtype.ts";
import { type Shape, sizeOf } from "../../shape.ts";

/** How many bytes values of a shape take on the device; at least one word, as buffers must. */
export function deviceBytes(shape: Shape): number {
  return 4 * Math.max(1, sizeOf(shape));
}

/** Writes values into a buffer. */
export function writeValues(queue: GPUQueue, buffer: GPUBuffer, data: TypedArray): void {
  const words = data instanceof Uint8Array ? Uint32Array.from(data) : data;
  if (words.length === 0) return;
  queue.writeBuffer(buffer, 0, words as Float32Array & { buffer: ArrayBuffer });
}

/** Values from words of the device. */
export function readValues(words: ArrayBuffer, dtype: DType, size: number): TypedArray {
  switch (dtype) {
    case "int32":
      return new Int32Array(words, 0, size);
    case "bool":
      return Uint8Array.from(new Uint32Array(words, 0, size));
    default:
      return new Float32Array(words, 0, size);
  }
}
