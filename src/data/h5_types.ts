/**
 * HDF5's types of elements: what they are called here, and which numbers are not in the usual form.
 *
 * Source: the HDF5 File Format Specification, version 3.0, IV.A.2.d.
 *
 * @module
 */
import type { Metadata } from "h5wasm";
import type { ByteFile } from "./file.ts";
import { findMessage, H5Bytes } from "./h5_layout.ts";
import { fixedText, textOf } from "./records.ts";

/** The classes of HDF5 types (`H5T_class_t`). */
export const STRING = 3, COMPOUND = 6;
const INTEGER = 0, FLOAT = 1, ENUM = 8;

/** Text of a fixed length that blanks pad, not zeros (`H5T_str_t`). */
const SPACE_PADDED = 2, BLANK = 0x20;

/** What the library knows of a type. */
export type H5Type = Pick<
  Metadata,
  "type" | "size" | "signed" | "enum_type" | "vlen" | "strpad"
>;

/** The name of an HDF5 type; h5py writes booleans as an enumeration of FALSE and TRUE. */
export function typeName(type: H5Type): string {
  const bits = 8 * type.size;
  switch (type.type) {
    case INTEGER:
      return `${type.signed ? "int" : "uint"}${bits}`;
    case FLOAT:
      return `float${bits}`;
    case STRING:
      return "string";
    case COMPOUND:
      return "compound";
    case ENUM:
      return bits === 8 && Object.hasOwn(type.enum_type?.members ?? {}, "TRUE") ? "bool" : "enum";
    default:
      return `HDF5 class ${type.type}`;
  }
}

/** Bytes as texts, or as pointers to those in `heap`; `undefined` where one is not UTF-8. */
export function textsOf(
  { size, vlen, strpad }: H5Type,
  bytes: Uint8Array,
  heap: Uint8Array,
): (string | undefined)[] {
  if (!vlen) {
    const padding = strpad === SPACE_PADDED ? BLANK : 0;
    const one = (_: unknown, i: number) =>
      fixedText(bytes.subarray(i * size, (i + 1) * size), padding);
    return Array.from({ length: bytes.length / size }, one);
  }
  const pointers = new Uint32Array(bytes.slice().buffer);
  return Array.from(
    pointers,
    (at) => at === 0 ? "" : textOf(heap.subarray(at, heap.indexOf(0, at))),
  );
}

/** The message of an object header that tells the type. */
const DATATYPE = 0x03;

/** IEEE 754's forms by their bits: where the sign is, exponent and fraction with their lengths, the bias. */
const IEEE: Readonly<Record<number, string>> = {
  16: "15,10,5,0,10,15",
  32: "31,23,8,0,23,127",
  64: "63,52,11,0,52,1023",
};

/**
 * What is unusual about the numbers of an array, which the library does not tell; called within
 * `whole`.
 *
 * @param file The file.
 * @param header The address of the array's object header.
 * @returns Why they are not read; `undefined` where nothing is unusual, or the header does not say.
 */
export function oddNumbers(file: ByteFile, header: number): string | undefined {
  const bytes = H5Bytes.of(file);
  const message = bytes && findMessage(bytes, header, DATATYPE);
  const kind = message && message.getUint8(0) & 15;
  if (message === undefined || (kind !== INTEGER && kind !== FLOAT)) return undefined;
  const size = 8 * message.getUint32(4, true);
  const [offset, precision] = [8, 10].map((at) => message.getUint16(at, true));
  if (offset !== 0 || precision !== size) {
    return `its numbers fill ${precision} of ${size} bits, and all must be filled to be read: ` +
      `write them as NumPy does`;
  }
  if (kind === INTEGER || IEEE[size] === undefined) return undefined;
  const parts = [2, 12, 13, 14, 15].map((at) => message.getUint8(at));
  if ([...parts, message.getUint32(16, true)].join() === IEEE[size]) return undefined;
  return `its floating-point numbers of ${size} bits are not those of IEEE 754 (as bfloat16 is ` +
    `not): write them as float32`;
}
