/**
 * Arrays of records as groups of their fields: the form of data frames before AnnData 0.7.
 *
 * @module
 */
import { sizeOf } from "../shape.ts";
import { bytesPerElement, type ElementArray, elementsOf, isElementType } from "./elements.ts";
import { checkText, numberType, type StoredArray, type StoredGroup, unreadable } from "./store.ts";

/** A field of a record. */
export interface RecordField {
  /** Its name. */
  readonly name: string;
  /** Where it begins in the record, in bytes. */
  readonly offset: number;
  /** The type of its elements, by the names of {@linkcode StoredArray}. */
  readonly type: string;
  /** How many bytes an element takes. */
  readonly size: number;
  /** The extents within one record; none for a single element. */
  readonly shape: readonly number[];
  /** Whether numbers are stored with their last byte first. */
  readonly littleEndian: boolean;
  /** The text of an element, `undefined` where it is none; absent for numbers. */
  readonly decode?: ((bytes: Uint8Array) => string | undefined) | undefined;
}

/** An array of records. */
export interface Records {
  /** Where the file lies. */
  readonly path: string;
  /** The key of the array. */
  readonly key: string;
  /** Its attributes. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** How many records there are. */
  readonly length: number;
  /** The fields, in order. */
  readonly fields: readonly RecordField[];
  /** The bytes of an element of each record from `start` to `end`, one after the other. */
  read<T>(start: number, end: number, use: (bytes: Uint8Array) => T): Promise<T>;
}

/** What the attributes of such a group call it. */
export const RECORDS = "records";

/** Records as a group of arrays, one for each field; the first names the rows of a data frame. */
export class RecordGroup implements StoredGroup {
  readonly kind = "group";
  readonly key: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly #records: Records;

  constructor(records: Records) {
    this.key = records.key;
    const names = { "encoding-type": RECORDS, "_index": records.fields[0]?.name };
    this.attributes = { ...records.attributes, ...names };
    this.#records = records;
  }

  keys(): Promise<string[]> {
    return Promise.resolve(this.#records.fields.map(({ name }) => name));
  }

  get(name: string): Promise<StoredArray | undefined> {
    const field = this.#records.fields.find((field) => field.name === name);
    return Promise.resolve(field && new FieldArray(this.#records, field));
  }
}

class FieldArray implements StoredArray {
  readonly kind = "array";
  readonly key: string;
  readonly attributes = {};
  readonly shape: readonly number[];
  readonly type: string;
  readonly chunkLength = 1;
  readonly #records: Records;
  readonly #field: RecordField;

  constructor(records: Records, field: RecordField) {
    this.key = `${records.key}/${field.name}`;
    this.shape = [records.length, ...field.shape];
    this.type = field.type;
    this.#records = records;
    this.#field = field;
  }

  async readNumbers(start = 0, end = this.#records.length): Promise<ElementArray> {
    const type = numberType(this.#records.path, this);
    return await this.#records.read(start, end, (bytes) => {
      const own = this.#gather(bytes, end - start, bytesPerElement(type));
      if (!this.#field.littleEndian) reverse(own, bytesPerElement(type));
      return elementsOf(type, own.buffer);
    });
  }

  async readStrings(start = 0, end = this.#records.length): Promise<string[]> {
    checkText(this.#records.path, this);
    const { decode, size } = this.#field;
    return await this.#records.read(start, end, (bytes) => {
      const own = this.#gather(bytes, end - start, size);
      return Array.from(
        { length: own.length / size },
        (_, i) => this.#text(decode!(own.subarray(i * size, (i + 1) * size)), start + i),
      );
    });
  }

  #text(text: string | undefined, row: number): string {
    if (text !== undefined) return text;
    const why =
      `the text of record ${row} is damaged: it is no text in UTF-8, or has characters that ` +
      `Unicode does not have`;
    throw unreadable(this.#records.path, this.key, why);
  }

  /** The bytes of the field, without what lies between. */
  #gather(bytes: Uint8Array, count: number, size: number): Uint8Array<ArrayBuffer> {
    const { offset, shape } = this.#field;
    const width = size * sizeOf(shape);
    const step = count === 0 ? 0 : bytes.length / count;
    const own = new Uint8Array(count * width);
    for (let i = 0; i < count; i++) {
      const from = i * step + offset;
      own.set(bytes.subarray(from, from + width), i * width);
    }
    return own;
  }
}

/** Turns the bytes of every element round. */
export function reverse(bytes: Uint8Array, size: number): void {
  for (let at = 0; size > 1 && at < bytes.length; at += size) {
    bytes.subarray(at, at + size).reverse();
  }
}

/** The field that NumPy's description speaks of: a name, a type and, for arrays, their shape. */
export function numpyField(
  [name, text, shape = []]: readonly [string, string, (readonly number[])?],
  offset: number,
): RecordField {
  const [, order, kind, digits] = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(text) ?? [];
  const count = Number(digits || 1);
  const common = { name, offset, shape, littleEndian: order !== ">" };
  if (kind === "S") {
    return {
      ...common,
      type: "string",
      size: count,
      decode: (bytes) => fixedText(bytes),
    };
  }
  if (kind === "U") {
    const decode = (bytes: Uint8Array) => wideText(bytes, common.littleEndian);
    return { ...common, type: "string", size: 4 * count, decode };
  }
  const names: Record<string, string> = { i: "int", u: "uint", f: "float", b: "bool", "?": "bool" };
  const type = kind === "b" || text === "|?" ? "bool" : `${names[kind ?? ""] ?? text}${8 * count}`;
  return { ...common, type: isElementType(type) ? type : text, size: count };
}

/** Text in UTF-8, `undefined` where it is none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of a fixed number of bytes, padded with zeros or another byte. */
export function fixedText(bytes: Uint8Array, padding = 0): string | undefined {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === padding) end--;
  return textOf(bytes.subarray(0, end));
}

/** Text of four bytes for each character, padded with zeros. */
function wideText(bytes: Uint8Array, littleEndian: boolean): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const code = view.getUint32(at, littleEndian);
    if (code > LAST_CHARACTER) return undefined;
    text += String.fromCodePoint(code);
  }
  return text.replace(/\0+$/, "");
}

const LAST_CHARACTER = 0x10ffff;
