/**
 * NumPy's `.npy` files.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import { sizeOf } from "../shape.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import {
  bytesPerElement,
  elementsOf,
  type ElementType,
  toRowMajor,
  toTensorData,
} from "./elements.ts";
import { reverse } from "./records.ts";
import { type DataSource, readBytes } from "./source.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const ELEMENTS: Record<string, ElementType> = {
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

const DESCRIPTIONS = { bool: "|b1", int32: "<i4", float32: "<f4", float64: "<f8" };

/**
 * Reads an array from a NumPy `.npy` file (format versions 1.0, 2.0 and 3.0, either byte order,
 * C or Fortran order).
 *
 * `f4` and `f8` become `float32` and `float64`, `f2` becomes `float32`, `b1` becomes `bool`, and integers of any size become
 * `int32`.
 *
 * Source: the format description in NumPy's `numpy.lib.format`.
 *
 * @param source Where the file is: see {@linkcode DataSource}.
 * @returns The array, in C order.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is not a `.npy` file, is shorter or longer than its header says, or
 * holds Python objects, text, records or another type that a tensor cannot hold.
 * @throws {RangeError} If an integer does not fit `int32`.
 *
 * @example Write and read
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { readNpy, writeNpy } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = writeNpy(tensor([[1, 2], [3, 4]]));
 * const x = await readNpy(bytes);
 * assertEquals(x.toArray(), [[1, 2], [3, 4]]);
 * ```
 */
export async function readNpy(source: DataSource): Promise<Tensor> {
  if (arguments.length > 1) refuseMore("readNpy", "source", 1, arguments);
  const { name, bytes } = await readBytes(source);
  return parseNpy(bytes, name);
}

/**
 * The bytes of a NumPy `.npy` file (format version 1.0, little-endian, C order) that holds the
 * tensor: `float32` as `<f4`, `float64` as `<f8`, `int32` as `<i4`, `bool` as `|b1`.
 *
 * @param values The tensor.
 * @returns The bytes, to be written to a file.
 *
 * @example The header names type and shape
 * ```ts
 * import { zeros } from "@cellgrad/cellgrad";
 * import { writeNpy } from "@cellgrad/cellgrad/data";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const header = new TextDecoder("latin1").decode(writeNpy(zeros([2, 3])));
 * assertStringIncludes(header, "'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)");
 * ```
 */
export function writeNpy(values: TensorLike): Uint8Array<ArrayBuffer> {
  if (arguments.length > 1) refuseMore("writeNpy", "values", 1, arguments);
  const { shape, dtype, data } = asTensor(values);
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${DESCRIPTIONS[dtype]}', 'fortran_order': False, ` +
    `'shape': (${extents}), }`;
  const start = Math.ceil((MAGIC.length + 4 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength).fill(0x20, 0, start);
  bytes.set([...MAGIC, 1, 0, (start - 10) & 0xff, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes[start - 1] = 0x0a;
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/** The array of the bytes of a `.npy` file. */
export function parseNpy(bytes: Uint8Array, name: string): Tensor {
  const { header, start } = readHeader(bytes, name);
  const { type, bigEndian, fortranOrder, shape } = parseHeader(header, name);
  const width = bytesPerElement(type);
  const length = sizeOf(shape) * width;
  if (bytes.length - start !== length) {
    throw new SyntaxError(
      `Cannot read ${name} as shape (${shape.join(", ")}) of ${type} needs ${length} bytes ` +
        `after the header: there are ${bytes.length - start}`,
    );
  }
  const body = bytes.slice(start);
  if (bigEndian) reverse(body, width);
  const data = toTensorData(type, elementsOf(type, body.buffer), name);
  if (!fortranOrder) return fromData(data, shape);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  return fromData(toRowMajor(data, shape, strides), shape);
}

/** The header text, and where the values begin. */
function readHeader(bytes: Uint8Array, name: string): { header: string; start: number } {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new SyntaxError(
      `Cannot read ${name} as it is not a .npy file: its first bytes must be \\x93NUMPY`,
    );
  }
  const [major, minor] = [bytes[6], bytes[7]];
  if (minor !== 0 || (major !== 1 && major !== 2 && major !== 3)) {
    throw new SyntaxError(
      `Cannot read ${name} as its .npy version must be 1.0, 2.0 or 3.0: ` +
        `current version is ${major}.${minor}`,
    );
  }
  const first = major === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < first
    ? Infinity
    : major === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  if (first + length > bytes.length) {
    throw new SyntaxError(`Cannot read ${name} as it ends within its header`);
  }
  const encoding = major === 3 ? "utf-8" : "latin1";
  const header = new TextDecoder(encoding).decode(bytes.subarray(first, first + length));
  return { header, start: first + length };
}

interface Header {
  type: ElementType;
  bigEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
}

/** What the header, a Python dictionary, says. */
function parseHeader(header: string, name: string): Header {
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const description = /'descr':\s*('[^']*'|\[.*\])/.exec(header)?.[1];
  if (shape === undefined || order === undefined || description === undefined) {
    throw new SyntaxError(
      `Cannot read ${name} as its header must name descr, fortran_order and shape: ` +
        `current header is ${header.trim()}`,
    );
  }
  const [, endian, code] = /^'([<>|=])(\w+)'$/.exec(description) ?? [];
  const type = ELEMENTS[code ?? ""];
  if (type === undefined) {
    throw new SyntaxError(
      `Cannot read ${name} as its type must be one of ${Object.keys(ELEMENTS).join(", ")}: ` +
        `current type is ${description}` + (code === "O" ? ", Python objects" : ""),
    );
  }
  return {
    type,
    bigEndian: endian === ">",
    fortranOrder: order === "True",
    shape: shape.split(",").filter((extent) => extent.trim() !== "").map((extent) =>
      parseInt(extent)
    ),
  };
}
