/**
 * Trees as Zarr hierarchies (versions 2 and 3): which files lie in a folder.
 *
 * Source: the specifications of Zarr, versions 2 and 3.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import type { ElementArray, ElementType } from "./elements.ts";
import {
  type Attributes,
  bytesOf,
  chunkRows,
  compress,
  type Compression,
  LEVEL,
  type Values,
  type WrittenArray,
  type WrittenNode,
} from "./written_tree.ts";
import { toJson } from "./zarr_json.ts";

/** The version of the format. */
export type ZarrVersion = 2 | 3;

/** How a hierarchy is written. */
export interface ZarrForm {
  /** The version of the format. */
  readonly version: ZarrVersion;
  /** How arrays are compressed. */
  readonly compression: Compression;
}

/** A file of a hierarchy: its path from the root on, with slashes, and its bytes. */
export type ZarrFile = readonly [path: string, bytes: Uint8Array<ArrayBuffer>];

/** NumPy's names of the element types, little-endian. */
const NAMES_2: Readonly<Record<ElementType, string>> = {
  bool: "|b1",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
};

/** The files of a group or an array that lies in the folder `at`: empty, or ended by a slash. */
export async function* zarrFiles(
  node: WrittenNode,
  at: string,
  form: ZarrForm,
): AsyncGenerator<ZarrFile, void, undefined> {
  yield* metadataFiles(node, at, form);
  if (node.kind === "array") {
    for (const [name, values] of chunksOf(node, form.version)) {
      const bytes = encodeChunk(node, values, form.version);
      yield [at + name, form.compression === "gzip" ? await compress(bytes, "gzip") : bytes];
    }
    return;
  }
  for (const [name, member] of node.members) yield* zarrFiles(member, `${at}${name}/`, form);
}

function* metadataFiles(node: WrittenNode, at: string, form: ZarrForm): Generator<ZarrFile> {
  if (form.version === 3) {
    yield [`${at}zarr.json`, toJson(node.kind === "array" ? array3(node, form) : group3(node))];
    return;
  }
  if (node.kind === "array") yield [`${at}.zarray`, toJson(array2(node, form))];
  else yield [`${at}.zgroup`, toJson({ zarr_format: 2 })];
  if (Object.keys(node.attributes).length > 0) {
    yield [`${at}.zattrs`, toJson(plainAttributes(node.attributes))];
  }
}

/** Attributes as JSON holds them. */
export function plainAttributes(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (typeof value !== "object") return [name, value];
      const values = Array.from<unknown, unknown>(
        value.values,
        (one) => typeof one === "bigint" ? Number(one) : one,
      );
      return [name, value.shape.length === 0 ? values[0] : values];
    }),
  );
}

function group3({ attributes }: { attributes: Attributes }): unknown {
  return { zarr_format: 3, node_type: "group", attributes: plainAttributes(attributes) };
}

/** The extents of chunks: some rows; at least one everywhere. */
function chunkShape(array: Values): number[] {
  return array.shape.map((extent, axis) => Math.max(1, axis === 0 ? chunkRows(array) : extent));
}

/** Single texts have a fixed length in version 2, as AnnData writes them. */
function isFixed({ type, shape }: Values): boolean {
  return type === "string" && shape.length === 0;
}

function array2(array: WrittenArray, { compression }: ZarrForm): unknown {
  const { type, shape, values } = array;
  const isText = type === "string";
  return {
    chunks: chunkShape(array),
    compressor: compression === "gzip" ? { id: "gzip", level: LEVEL } : null,
    dtype: isFixed(array)
      ? `<U${Math.max(1, [...values[0] as string].length)}`
      : isText
      ? "|O"
      : NAMES_2[type],
    fill_value: type === "bool" ? false : isText ? "" : 0,
    filters: isText && !isFixed(array) ? [{ id: "vlen-utf8" }] : null,
    order: "C",
    shape,
    zarr_format: 2,
  };
}

function array3(array: WrittenArray, { compression }: ZarrForm): unknown {
  const { type, shape, attributes } = array;
  const isText = type === "string";
  const gzip = { name: "gzip", configuration: { level: LEVEL } };
  const inner = isText
    ? { name: "vlen-utf8", configuration: {} }
    : { name: "bytes", configuration: { endian: "little" } };
  return {
    zarr_format: 3,
    node_type: "array",
    shape,
    data_type: type,
    chunk_grid: { name: "regular", configuration: { chunk_shape: chunkShape(array) } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: type === "bool" ? false : isText ? "" : 0,
    codecs: compression === "gzip" ? [inner, gzip] : [inner],
    attributes: plainAttributes(attributes),
  };
}

/** The chunks of an array by the names of their files; the last one is filled up. */
function* chunksOf(
  array: Values,
  version: ZarrVersion,
): Generator<readonly [string, ElementArray | readonly string[]]> {
  const { shape, values } = array;
  if (shape.includes(0)) return;
  const chunk = chunkShape(array);
  const size = sizeOf(chunk);
  for (let i = 0; i * size < values.length; i++) {
    const rest = shape.slice(1).map(() => 0);
    const place = shape.length === 0 ? [] : [i, ...rest];
    const name = version === 3 ? ["c", ...place].join("/") : place.join(".") || "0";
    yield [name, filled(values, i * size, size)];
  }
}

/** The values from `start` on, with zeros or empty texts where they end too early. */
function filled(
  values: ElementArray | readonly string[],
  start: number,
  size: number,
): ElementArray | readonly string[] {
  const end = Math.min(values.length, start + size);
  if (Array.isArray(values)) {
    return [...values.slice(start, end), ...new Array<string>(start + size - end).fill("")];
  }
  const part = (values as Float64Array).subarray(start, end);
  if (end - start === size) return part;
  const out = new (values.constructor as Float64ArrayConstructor)(size);
  out.set(part);
  return out;
}

function encodeChunk(
  array: Values,
  values: ElementArray | readonly string[],
  version: ZarrVersion,
): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(values)) return bytesOf(values as ElementArray);
  if (version === 2 && isFixed(array)) {
    const points = Array.from(values[0] as string, (character) => character.codePointAt(0)!);
    return bytesOf(Uint32Array.from(points.length === 0 ? [0] : points));
  }
  const encoder = new TextEncoder();
  const texts = values.map((text: string) => encoder.encode(text));
  const size = texts.reduce((sum, text) => sum + 4 + text.length, 4);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, texts.length, true);
  let at = 4;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}
