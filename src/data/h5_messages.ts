/**
 * HDF5's object headers: what they say of groups and arrays, as bytes.
 *
 * Source: the HDF5 File Format Specification, version 3.0; its section is named at each message.
 *
 * @module
 */
import { bytesPerElement, type ElementType } from "./elements.ts";

/** The address that stands for none. */
export const UNDEFINED: number = 2 ** 64;

/** Numbers and bytes, one after the other, little-endian. */
export type Field =
  | readonly [size: 1 | 2 | 4 | 8, value: number]
  | Uint8Array
  | string;

/** The bytes of fields: numbers of a size, bytes, and ASCII text. */
export function pack(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const lengths = fields.map(lengthOf);
  const out = new Uint8Array(lengths.reduce((a, b) => a + b, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  fields.forEach((field, i) => {
    if (typeof field === "string") {
      for (let j = 0; j < field.length; j++) out[at + j] = field.charCodeAt(j);
    } else if (field instanceof Uint8Array) out.set(field, at);
    else putNumber(view, at, field);
    at += lengths[i]!;
  });
  return out;
}

function lengthOf(field: Field): number {
  return typeof field === "string" || field instanceof Uint8Array ? field.length : field[0];
}

function putNumber(view: DataView, at: number, [size, value]: readonly [number, number]): void {
  if (size === 8) {
    view.setBigUint64(at, value === UNDEFINED ? 2n ** 64n - 1n : BigInt(value), true);
  } else if (size === 4) view.setUint32(at, value, true);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint8(at, value);
}

/** The size and address of an array's bytes, and how they are cut into compressed chunks. */
export type Layout =
  | { readonly address: number; readonly size: number }
  | { readonly tree: number; readonly chunk: readonly number[]; readonly element: number };

/** A message: its type, and what it says. */
export interface Message {
  /** The number of the type. */
  readonly type: number;
  /** What it says. */
  readonly bytes: Uint8Array;
}

/** What a message may hold at most. */
const LARGEST_MESSAGE = 65_535;

/** A link to a member of a group (IV.A.2.g). */
export function linkMessage(name: string, address: number): Message {
  const text = new TextEncoder().encode(name);
  const [code, size] = text.length < 256 ? [0, 1 as const] : [1, 2 as const];
  const bytes = pack([1, 1], [1, 0x10 | code], [1, 1], [size, text.length], text, [8, address]);
  return { type: 0x06, bytes };
}

/** That a group keeps its links in its header (IV.A.2.c, IV.A.2.k). */
export function groupMessages(): Message[] {
  return [
    { type: 0x02, bytes: pack([1, 0], [1, 0], [8, UNDEFINED], [8, UNDEFINED]) },
    { type: 0x0a, bytes: pack([1, 0], [1, 0]) },
  ];
}

/** The extents of an array (IV.A.2.b); none for a single value. */
function dataspace(shape: readonly number[]): Uint8Array {
  const extents = shape.map((extent) => [8, extent] as const);
  return pack([1, 2], [1, shape.length], [1, 0], [1, shape.length === 0 ? 0 : 1], ...extents);
}

/** How many bytes a reference to text takes, or a number. */
export function sizeOfElement(type: ElementType | "string"): number {
  return type === "string" ? 16 : bytesPerElement(type);
}

/** An element type (IV.A.2.d): as h5py's of the same name, with booleans as an enumeration. */
export function datatype(type: ElementType | "string"): Uint8Array {
  const size = sizeOfElement(type);
  switch (type) {
    case "string":
      // Of variable length, ended by a zero, in UTF-8; made of bytes.
      return pack([1, 0x19], [1, 1], [1, 1], [1, 0], [4, size], datatype("uint8"));
    case "bool":
      return pack([1, 0x38], [1, 2], [2, 0], [4, 1], datatype("int8"), "FALSE\0TRUE\0\0\x01");
    case "float32":
      return floating(size, 31, 23, 8, 127);
    case "float64":
      return floating(size, 63, 52, 11, 1023);
    default: {
      const sign = type.startsWith("u") ? 0 : 8;
      return pack([1, 0x10], [1, sign], [2, 0], [4, size], [2, 0], [2, 8 * size]);
    }
  }
}

/** Text of a fixed number of bytes (IV.A.2.d). */
export function fixedText(size: number, padding: number, characters: number): Uint8Array {
  return pack([1, 0x13], [1, padding | characters << 4], [2, 0], [4, size]);
}

function floating(
  size: number,
  sign: number,
  mantissa: number,
  exponent: number,
  bias: number,
): Uint8Array {
  const head = pack([1, 0x11], [1, 0x20], [1, sign], [1, 0], [4, size], [2, 0], [2, 8 * size]);
  return pack(head, [1, mantissa], [1, exponent], [1, 0], [1, mantissa], [4, bias]);
}

/** The messages of an array, its attributes aside (IV.A.2.f, IV.A.2.i, IV.A.2.l). */
export function arrayMessages(
  type: ElementType | "string",
  shape: readonly number[],
  layout: Layout,
  level: number,
): Message[] {
  const isChunked = "tree" in layout;
  const messages = [
    { type: 0x01, bytes: dataspace(shape) },
    { type: 0x03, bytes: datatype(type) },
    { type: 0x05, bytes: pack([1, 3], [1, isChunked ? 0x0b : 0x0a]) },
  ];
  if (!isChunked) {
    const { address, size } = layout;
    return [...messages, { type: 0x08, bytes: pack([1, 3], [1, 1], [8, address], [8, size]) }];
  }
  const { tree, chunk, element } = layout;
  const extents = [...chunk, element].map((extent) => [4, extent] as const);
  const deflate = pack([1, 2], [1, 1], [2, 1], [2, 1], [2, 1], [4, level]);
  return [
    ...messages,
    { type: 0x0b, bytes: deflate },
    { type: 0x08, bytes: pack([1, 3], [1, 2], [1, extents.length], [8, tree], ...extents) },
  ];
}

/** An attribute (IV.A.2.m). */
export function attributeMessage(
  name: string,
  type: Uint8Array,
  shape: readonly number[],
  data: Uint8Array,
): Message {
  const text = new TextEncoder().encode(`${name}\0`);
  const space = dataspace(shape);
  const head = pack([1, 3], [1, 0], [2, text.length], [2, type.length], [2, space.length], [1, 1]);
  return { type: 0x0c, bytes: pack(head, text, type, space, data) };
}

/** An object header (IV.A.1.b). */
export function objectHeader(messages: readonly Message[]): Uint8Array<ArrayBuffer> {
  const parts = messages.map(({ type, bytes }) => {
    if (bytes.length > LARGEST_MESSAGE) {
      throw new RangeError(
        `Cannot write an attribute as HDF5 holds at most ${LARGEST_MESSAGE} bytes: it has ` +
          `${bytes.length}`,
      );
    }
    return pack([1, type], [2, bytes.length], [1, 0], bytes);
  });
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return withChecksum(pack("OHDR", [1, 2], [1, 2], [4, size], ...parts));
}

/** The bytes with their checksum at the end. */
export function withChecksum(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return pack(bytes, [4, checksum(bytes)]);
}

const rotate = (x: number, bits: number) => x << bits | x >>> 32 - bits;

/** Jenkins' lookup3, by which HDF5 guards its metadata. */
export function checksum(bytes: Uint8Array): number {
  let a = 0xdeadbeef + bytes.length | 0, b = a, c = a;
  // The last word, of up to 12 bytes, is padded with zeros.
  const view = new DataView(pack(bytes, new Uint8Array(12)).buffer);
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = a + view.getInt32(at, true) | 0;
    b = b + view.getInt32(at + 4, true) | 0;
    c = c + view.getInt32(at + 8, true) | 0;
    a = a - c ^ rotate(c, 4), c = c + b | 0;
    b = b - a ^ rotate(a, 6), a = a + c | 0;
    c = c - b ^ rotate(b, 8), b = b + a | 0;
    a = a - c ^ rotate(c, 16), c = c + b | 0;
    b = b - a ^ rotate(a, 19), a = a + c | 0;
    c = c - b ^ rotate(b, 4), b = b + a | 0;
  }
  if (at === bytes.length) return c >>> 0;
  a = a + view.getInt32(at, true) | 0;
  b = b + view.getInt32(at + 4, true) | 0;
  c = c + view.getInt32(at + 8, true) | 0;
  c = (c ^ b) - rotate(b, 14) | 0;
  a = (a ^ c) - rotate(c, 11) | 0;
  b = (b ^ a) - rotate(a, 25) | 0;
  c = (c ^ b) - rotate(b, 16) | 0;
  a = (a ^ c) - rotate(c, 4) | 0;
  b = (b ^ a) - rotate(a, 14) | 0;
  c = (c ^ b) - rotate(b, 24) | 0;
  return c >>> 0;
}
