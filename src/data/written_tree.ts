/**
 * Trees of named groups and arrays, on their way into a file.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import { bytesPerElement, type ElementArray, type ElementType } from "./elements.ts";

/** Numbers or text with a shape. */
export interface Values {
  /** The element type. */
  readonly type: ElementType | "string";
  /** The extents, outermost first; none for a single value. */
  readonly shape: readonly number[];
  /** The values in row-major order; booleans as 0 and 1. */
  readonly values: ElementArray | readonly string[];
}

/** An attribute: booleans and text alone, or values of any type. */
export type AttributeValue = string | boolean | Values;

/** The attributes of a group or an array. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** An array to be written. */
export interface WrittenArray extends Values {
  /** Tells arrays from groups. */
  readonly kind: "array";
  /** Its attributes. */
  readonly attributes: Attributes;
}

/** A group to be written. */
export interface WrittenGroup {
  /** Tells groups from arrays. */
  readonly kind: "group";
  /** Its attributes. */
  readonly attributes: Attributes;
  /** What is in it, by name. */
  readonly members: ReadonlyMap<string, WrittenNode>;
}

/** What is written under a name. */
export type WrittenNode = WrittenArray | WrittenGroup;

/** How arrays are compressed. */
export type Compression = "none" | "gzip";

/** About how many bytes are compressed together, or lie in one file of a Zarr array. */
const CHUNK_BYTES = 2 ** 20;

/** The element types of arrays. */
const TYPES: ReadonlyMap<unknown, ElementType> = new Map<unknown, ElementType>([
  [Int8Array, "int8"],
  [Uint8Array, "uint8"],
  [Int16Array, "int16"],
  [Uint16Array, "uint16"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [BigInt64Array, "int64"],
  [BigUint64Array, "uint64"],
  [Float32Array, "float32"],
  [Float64Array, "float64"],
]);

/** The element type of a typed array, if it has one that files hold. */
export function elementTypeOf(values: unknown): ElementType | undefined {
  return ArrayBuffer.isView(values) ? TYPES.get(values.constructor) : undefined;
}

/** The attributes that say how AnnData encodes an element. */
export function encoding(type: string, version: string, more: Attributes = {}): Attributes {
  return { "encoding-type": type, "encoding-version": version, ...more };
}

/** An array of numbers. */
export function numbersNode(
  values: ElementArray,
  shape: readonly number[] = [values.length],
  type: ElementType = elementTypeOf(values)!,
): WrittenArray {
  return { kind: "array", type, shape, values, attributes: encoding("array", "0.2.0") };
}

/** An array of booleans. */
export function booleansNode(values: Uint8Array, shape?: readonly number[]): WrittenArray {
  return numbersNode(values, shape, "bool");
}

/** An array of text. */
export function textsNode(values: readonly string[]): WrittenArray {
  const attributes = encoding("string-array", "0.2.0");
  return { kind: "array", type: "string", shape: [values.length], values, attributes };
}

/** A group with an encoding. */
export function groupNode(
  attributes: Attributes,
  members: Iterable<readonly [string, WrittenNode]>,
): WrittenGroup {
  return { kind: "group", attributes, members: new Map(members) };
}

/** A group of named elements. */
export function mappingNode(members: Iterable<readonly [string, WrittenNode]>): WrittenGroup {
  return groupNode(encoding("dict", "0.1.0"), members);
}

/** Texts as an attribute. */
export function textsAttribute(values: readonly string[]): Values {
  return { type: "string", shape: [values.length], values };
}

/** How many rows of an array lie in one chunk: about as many as {@link CHUNK_BYTES} holds. */
export function chunkRows({ type, shape }: Values): number {
  const row = sizeOf(shape.slice(1)) * (type === "string" ? 32 : bytesPerElement(type));
  return Math.max(1, Math.min(shape[0]!, Math.floor(CHUNK_BYTES / Math.max(1, row))));
}

/** The bytes of numbers. */
export function bytesOf(values: ElementArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

/** Compresses bytes as gzip does (`"gzip"`), or without its header (`"deflate"`). */
export async function compress(
  bytes: Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate",
): Promise<Uint8Array<ArrayBuffer>> {
  const zlib = await import("node:zlib").catch(() => undefined);
  if (zlib !== undefined) {
    const packed = format === "gzip"
      ? zlib.gzipSync(bytes, { level: LEVEL })
      : zlib.deflateSync(bytes, { level: LEVEL });
    return new Uint8Array(packed.buffer as ArrayBuffer, packed.byteOffset, packed.byteLength);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** How hard gzip tries: h5py's own default. */
export const LEVEL = 4;
