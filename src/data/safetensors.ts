/**
 * Safetensors files: named tensors, and a few texts about them.
 *
 * @module
 */
import type { DType, TypedArray } from "../dtype.ts";
import { hashValues } from "../hash.ts";
import { describe } from "../describe.ts";
import { checkBoolean, checkObject, readOptions, refuseMore } from "../options.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { asOperand, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { bytesPerElement, elementsOf, type ElementType, toTensorData } from "./elements.ts";
import { type DataSource, readBytes } from "./source.ts";

/** The number types of the format that can be read. */
const ELEMENTS: Record<string, ElementType | "bfloat16"> = {
  BOOL: "bool",
  I8: "int8",
  U8: "uint8",
  I16: "int16",
  U16: "uint16",
  I32: "int32",
  U32: "uint32",
  I64: "int64",
  U64: "uint64",
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
};

const CODES: Record<DType, string> = { bool: "BOOL", int32: "I32", float32: "F32", float64: "F64" };

/** The format allows no longer header. */
const LARGEST_HEADER = 100_000_000;

/** Named tensors, and texts about them, as a safetensors file holds them. */
export interface Safetensors {
  /** The tensors by name, in the order in which the header lists them. */
  tensors: Record<string, Tensor>;
  /** The texts by name. */
  metadata: Record<string, string>;
}

/** Options of {@linkcode writeSafetensors}. */
export interface SafetensorsOptions {
  /** Texts to store beside the tensors, by name; none by default. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether a checksum of all bytes lies among the texts, so that {@linkcode readSafetensors} finds
   * a byte that has changed; `false` by default.
   */
  checksum?: boolean | undefined;
}

/** Options of {@linkcode readSafetensors}. */
export interface ReadSafetensorsOptions {
  /** Whether a file without a checksum is refused; `false` by default. One is always compared. */
  checksum?: boolean | undefined;
}

/** The name of the text that holds the checksum. */
const CHECKSUM = "cellgrad.checksum";

/** What stands in its place while it is computed: 64 bits in hexadecimal digits. */
const BLANK = "0".repeat(16);

/** What the header says of one tensor. */
interface Entry {
  name: string;
  type: ElementType | "bfloat16";
  shape: Shape;
  start: number;
  end: number;
}

/**
 * Reads named tensors from a safetensors file.
 *
 * `F32` and `F64` become `float32` and `float64`, `F16` and `BF16` become `float32`, `BOOL` becomes
 * `bool`, and integers of any size become `int32`. Nothing of the file is executed, and sizes are
 * checked before anything is read by them. The checksum of {@linkcode SafetensorsOptions} is compared
 * where there is one, and is not among the texts that are returned.
 *
 * Source: the format description at https://github.com/huggingface/safetensors.
 *
 * @param source Where the file is: see {@linkcode DataSource}.
 * @param options `checksum`, whether there must be one; `false` by default.
 * @returns `{ tensors, metadata }`, by name.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is not a safetensors file, its header does not fit its bytes, a tensor
 * has another type, or its bytes are not those that its checksum was made of.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If an integer does not fit `int32`.
 *
 * @example Write and read
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { readSafetensors, writeSafetensors } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = writeSafetensors({ weight: tensor([[1, 2]]) }, { metadata: { step: "7" } });
 * const { tensors, metadata } = await readSafetensors(bytes);
 * assertEquals(tensors.weight!.toArray(), [[1, 2]]);
 * assertEquals(metadata, { step: "7" });
 * ```
 */
export async function readSafetensors(
  source: DataSource,
  options: ReadSafetensorsOptions = {},
): Promise<Safetensors> {
  if (arguments.length > 2) refuseMore("readSafetensors", "options", 2, arguments);
  const { checksum } = readOptions("readSafetensors", options, { checksum: false });
  checkBoolean("readSafetensors", "checksum", checksum);
  const { name, bytes } = await readBytes(source);
  const found = parse(bytes, name);
  const { [CHECKSUM]: stored, ...metadata } = found.metadata;
  if (stored === undefined && !checksum) return found;
  checkSum(bytes, stored, name);
  return { ...found, metadata };
}

/** Throws unless the checksum is that of the bytes. */
function checkSum(bytes: Uint8Array, stored: string | undefined, name: string): void {
  if (stored === undefined) throw new SyntaxError(`Cannot read ${name} as it has no checksum`);
  const copy = bytes.slice();
  const place = placeOfChecksum(copy);
  if (place !== undefined) copy.set(new TextEncoder().encode(BLANK), place);
  const computed = checksumOf(copy);
  if (place !== undefined && stored === computed) return;
  throw new SyntaxError(
    `Cannot read ${name} as a byte of it has changed: the checksum was ${stored}, and is now ` +
      `${computed}`,
  );
}

function checksumOf(bytes: Uint8Array): string {
  return hashValues(bytes).map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Where the checksum's digits begin: a quote within a name or a text has a backslash before it. */
function placeOfChecksum(bytes: Uint8Array): number | undefined {
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const mark = `"${CHECKSUM}":"`;
  // One character per byte, whatever the texts hold.
  const header = new TextDecoder("latin1").decode(bytes.subarray(0, start));
  const at = header.indexOf(mark);
  return at < 0 ? undefined : at + mark.length;
}

/**
 * The bytes of a safetensors file that holds the tensors: `float32` as `F32`, `float64` as `F64`,
 * `int32` as `I32`, `bool` as `BOOL`. Types with wider numbers come first, so that all are aligned.
 *
 * @param tensors The tensors by name.
 * @param options `metadata`, texts by name; `checksum`, `false` by default.
 * @returns The bytes, to be written to a file.
 * @throws {TypeError} If a tensor is named `__metadata__`, a text is none, or an option is unknown.
 *
 * @example The header is JSON behind its length
 * ```ts
 * import { zeros } from "@cellgrad/cellgrad";
 * import { writeSafetensors } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = writeSafetensors({ bias: zeros([3]) });
 * const header = new TextDecoder().decode(bytes.subarray(8, 8 + bytes[0]!));
 * assertEquals(JSON.parse(header), {
 *   bias: { dtype: "F32", shape: [3], data_offsets: [0, 12] },
 * });
 * ```
 */
export function writeSafetensors<T extends { readonly [K in keyof T]: TensorLike }>(
  tensors: T,
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  if (arguments.length > 2) refuseMore("writeSafetensors", "options", 2, arguments);
  checkObject("writeSafetensors", "tensors", tensors);
  const entries = Object.entries<TensorLike>(tensors)
    .map(([name, x]) => ({
      name,
      x: asOperand("writeSafetensors", x, `tensors.${name}`),
    }))
    .sort((a, b) => b.x.data.BYTES_PER_ELEMENT - a.x.data.BYTES_PER_ELEMENT);
  const defaults = { metadata: undefined, checksum: false };
  const { metadata, checksum } = readOptions("writeSafetensors", options, defaults);
  checkBoolean("writeSafetensors", "checksum", checksum);
  if (metadata !== undefined) checkObject("writeSafetensors", "metadata", metadata);
  const header = metadataEntry({ ...metadata, ...(checksum ? { [CHECKSUM]: BLANK } : {}) });
  let end = 0;
  for (const { name, x } of entries) {
    if (name === "__metadata__") {
      throw new TypeError(
        `Cannot compute writeSafetensors as no tensor can be named __metadata__: ` +
          `the format keeps this name for texts`,
      );
    }
    const offsets = [end, end += x.data.byteLength];
    header.push([name, { dtype: CODES[x.dtype], shape: x.shape, data_offsets: offsets }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  let at = start;
  for (const { x: { data } } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  if (checksum) bytes.set(new TextEncoder().encode(checksumOf(bytes)), placeOfChecksum(bytes)!);
  return bytes;
}

function metadataEntry(metadata: Readonly<Record<string, string>>): [string, unknown][] {
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw new TypeError(
      `Cannot compute writeSafetensors as metadata.${name} must be a string: ` +
        `current value is ${describe(value)}`,
    );
  }
  return Object.keys(metadata).length === 0 ? [] : [["__metadata__", metadata]];
}

function parse(bytes: Uint8Array, name: string): Safetensors {
  const { header, start } = readHeader(bytes, name);
  const { __metadata__: metadata = {}, ...rest } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new SyntaxError(`Cannot read ${name} as its __metadata__ must hold texts only`);
  }
  const entries = Object.entries(rest).map(([key, value]) => readEntry(key, value, name));
  checkCover(entries, bytes.length - start, name);
  const tensors = entries.map((entry) => [entry.name, toTensor(entry, bytes, start, name)]);
  return {
    tensors: Object.fromEntries(tensors),
    metadata: metadata as Record<string, string>,
  };
}

/** The header, and where the values begin. */
function readHeader(bytes: Uint8Array, name: string): {
  header: Record<string, unknown>;
  start: number;
} {
  if (bytes.length < 8) {
    throw new SyntaxError(
      `Cannot read ${name} as it is not a safetensors file: it has only ${bytes.length} bytes`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > LARGEST_HEADER || length > bytes.length - 8) {
    throw new SyntaxError(
      `Cannot read ${name} as it is not a safetensors file, or cut off: its first 8 bytes ` +
        `announce a header of ${length} bytes, and ${bytes.length - 8} follow`,
    );
  }
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${name} as its header must be JSON in UTF-8`, { cause });
  }
  if (isRecord(header)) return { header, start };
  throw new SyntaxError(`Cannot read ${name} as its header must be a JSON object`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function readEntry(key: string, value: unknown, name: string): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw new SyntaxError(
      `Cannot read ${name} as its header must give the tensor "${key}" dtype, shape and ` +
        `data_offsets: current value is ${JSON.stringify(value)}`,
    );
  }
  const type = typeof dtype === "string" && Object.hasOwn(ELEMENTS, dtype)
    ? ELEMENTS[dtype]
    : undefined;
  if (type === undefined) {
    throw new SyntaxError(
      `Cannot read ${name} as the type of the tensor "${key}" must be one of ` +
        `${Object.keys(ELEMENTS).join(", ")}: current type is ${String(dtype)}`,
    );
  }
  const [start, end] = offsets as [number, number];
  const length = sizeOf(shape) * widthOf(type);
  if (end - start !== length) {
    throw new SyntaxError(
      `Cannot read ${name} as the tensor "${key}" of shape [${shape.join(", ")}] and type ` +
        `${String(dtype)} needs ${length} bytes: its data_offsets are [${start}, ${end}]`,
    );
  }
  return { name: key, type, shape, start, end };
}

/** Throws unless the tensors lie one behind the other and fill the file. */
function checkCover(entries: readonly Entry[], length: number, name: string): void {
  let covered = 0;
  for (const entry of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== covered) {
      throw new SyntaxError(
        `Cannot read ${name} as its tensors must lie one behind the other: "${entry.name}" ` +
          `begins at ${entry.start}, and the one before ends at ${covered}`,
      );
    }
    covered = entry.end;
  }
  if (covered === length) return;
  throw new SyntaxError(
    `Cannot read ${name} as its tensors take ${covered} bytes after the header: ` +
      `there are ${length}`,
  );
}

function widthOf(type: Entry["type"]): number {
  return type === "bfloat16" ? 2 : bytesPerElement(type);
}

function toTensor(entry: Entry, bytes: Uint8Array, start: number, name: string): Tensor {
  const body = bytes.slice(start + entry.start, start + entry.end).buffer;
  const what = `the tensor "${entry.name}" of ${name}`;
  return fromData(toData(entry.type, body as ArrayBuffer, what), entry.shape);
}

function toData(type: Entry["type"], body: ArrayBuffer, what: string): TypedArray {
  if (type !== "bfloat16") return toTensorData(type, elementsOf(type, body), what);
  // A bfloat16 is the upper half of a float32.
  const words = Uint32Array.from(new Uint16Array(body), (half) => half << 16);
  return new Float32Array(words.buffer);
}
