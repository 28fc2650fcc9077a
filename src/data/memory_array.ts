/**
 * Numbers in memory as an array of a file, so that what reads files reads them too.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import type { ElementType } from "./elements.ts";
import type { StoredArray } from "./store.ts";

const TYPES = new Map<unknown, ElementType>([
  [Uint8Array, "bool"],
  [Int32Array, "int32"],
  [Float32Array, "float32"],
  [Float64Array, "float64"],
]);

/** An array in memory, by rows. */
export function memoryArray(
  key: string,
  values: TypedArray,
  shape: readonly number[] = [values.length],
): StoredArray {
  const width = values.length / Math.max(1, shape[0]!);
  return {
    kind: "array",
    key,
    attributes: {},
    shape,
    type: TYPES.get(values.constructor)!,
    chunkLength: 1,
    readNumbers: (start = 0, end = shape[0]!) =>
      Promise.resolve(values.slice(start * width, end * width)),
    readStrings: () => Promise.reject(new TypeError(`"${key}" holds numbers`)),
  };
}
