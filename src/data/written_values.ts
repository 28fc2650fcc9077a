/**
 * What is given to be written, checked and made into arrays: columns, matrices, single values.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkAttached } from "../intake.ts";
import { isPlainObject } from "../options.ts";
import { asTensor, Tensor, type TensorLike } from "../tensor.ts";
import type { ElementArray } from "./elements.ts";
import {
  booleansNode,
  elementTypeOf,
  encoding,
  groupNode,
  numbersNode,
  textsNode,
  type WrittenArray,
  type WrittenNode,
} from "./written_tree.ts";

/** Where something is written, for messages and for what its format allows. */
export interface Place {
  /** The file, as messages call it. */
  readonly file: string;
  /** The key, from the root on. */
  readonly key: string;
  /** The format of the file. */
  readonly format: "h5ad" | "zarr";
}

/** The place of a member. */
export function within(place: Place, name: string): Place {
  return { ...place, key: place.key === "" ? name : `${place.key}/${name}` };
}

function unwritable(place: Place, why: string): string {
  return `Cannot write ${place.key === "" ? "" : `"${place.key}" of `}${place.file} as ${why}`;
}

/** The error for what has the wrong kind or form: `why` completes the sentence. */
export function wrongKind(place: Place, why: string): TypeError {
  return new TypeError(unwritable(place, why));
}

/** The error for a value that is out of range: `why` completes the sentence. */
export function wrongValue(place: Place, why: string): RangeError {
  return new RangeError(unwritable(place, why));
}

/** Names that Zarr keeps for itself, and those that stand for folders. */
const RESERVED = {
  h5ad: /^\.$/,
  zarr: /^(?:\.{1,2}|\.z(?:array|attrs|group|metadata)|zarr\.json|__.*)$/,
};

/** Throws unless something can have the name. */
export function checkName(place: Place, name: string): void {
  const quoted = JSON.stringify(name);
  if (name === "") throw wrongKind(place, "a name in it is empty");
  if (/[/\0]/.test(name) || (place.format === "zarr" && name.includes("\\"))) {
    const mark = /[/\\\0]/.exec(name)![0];
    const why = `a name in it must not have ${JSON.stringify(mark)}, which begins a new group or ` +
      `ends a name: current name is ${quoted}`;
    throw wrongKind(place, why);
  }
  if (RESERVED[place.format].test(name)) {
    throw wrongKind(place, `the format keeps the name ${quoted} for itself: take another one`);
  }
  checkText(place, name, "a name in it");
}

/** Throws unless a text can be written. */
function checkText(place: Place, text: string, what: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw wrongValue(place, `${what} is no whole Unicode text: current value is ${describe(text)}`);
  }
  if (place.format === "h5ad" && text.includes("\0")) {
    const why = `${what} has a zero character, which ends a text in HDF5: current value is ` +
      describe(text);
    throw wrongValue(place, why);
  }
}

/** Texts, checked. */
export function checkTexts(place: Place, texts: readonly unknown[]): readonly string[] {
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (typeof text !== "string") {
      const advice = text === null || text === undefined || Number.isNaN(text)
        ? ": a missing text is said by the code −1 of a categorical column, or by missing"
        : "";
      throw wrongKind(place, `value ${i} must be a text: it is ${describe(text)}${advice}`);
    }
    checkText(place, text, `value ${i}`);
  }
  return texts as readonly string[];
}

/** The values of a tensor on the host. */
async function read(tensor: Tensor): Promise<ElementArray> {
  return ArrayBuffer.isView(tensor.source) ? tensor.data : await tensor.read();
}

/** Numbers or booleans of any shape: a tensor, a typed array, nested arrays. */
export async function toArray(place: Place, given: unknown): Promise<WrittenArray | undefined> {
  if (given instanceof Tensor) {
    const values = await read(given);
    if (given.dtype !== "bool") return numbersNode(values, given.shape);
    return booleansNode(values as Uint8Array, given.shape);
  }
  if (ArrayBuffer.isView(given)) return fromTyped(place, given);
  if (!Array.isArray(given)) return undefined;
  if (!Array.isArray(given[0])) return fromList(place, given);
  return await toArray(place, asTensor(given as TensorLike, "float64", "writeAnnData", place.key));
}

function fromTyped(place: Place, given: ArrayBufferView): WrittenArray {
  checkAttached(given as Uint8Array, { caller: "writeAnnData", argument: place.key });
  if (given instanceof Uint8Array) return booleansNode(checkBits(place, given, "it"));
  if (elementTypeOf(given) !== undefined) return numbersNode(steady(given as ElementArray));
  throw wrongKind(place, `its numbers must be of a type that files hold: it is ${describe(given)}`);
}

/** The array itself, or a copy where its memory is shared or may shrink. */
function steady(values: ElementArray): ElementArray {
  const { buffer } = values;
  return buffer instanceof ArrayBuffer && !buffer.resizable ? values : values.slice();
}

/** Zeros and ones, as Uint8Array holds booleans. */
function checkBits(place: Place, bits: ArrayLike<unknown>, what: string): Uint8Array {
  const out = new Uint8Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const bit = bits[i];
    if (bit !== 0 && bit !== 1 && typeof bit !== "boolean") {
      const why =
        `${what} holds booleans, 0 or 1, and numbers need another type than Uint8Array: ` +
        `value ${i} is ${describe(bit)}`;
      throw wrongValue(place, why);
    }
    out[i] = Number(bit);
  }
  return out;
}

/** Values of one kind: texts, numbers (as float64), booleans or whole numbers (as int64). */
function fromList(place: Place, given: readonly unknown[]): WrittenArray {
  const kindOf = (value: unknown): string => typeof value;
  const kind = given.length === 0 ? "number" : kindOf(given[0]);
  if (kind === "string") return textsNode(checkTexts(place, given).slice());
  if (kind !== "number" && kind !== "boolean" && kind !== "bigint") {
    const missing = given[0] === null || given[0] === undefined;
    const why = `its values must be texts, numbers or booleans: value 0 is ${describe(given[0])}` +
      (missing ? ": NaN says that a number is missing, or a column with missing" : "");
    throw wrongKind(place, why);
  }
  for (let i = 0; i < given.length; i++) {
    if (kindOf(given[i]) === kind) continue;
    const why = `its values must be of one kind: value 0 is ${describe(given[0])}, and ` +
      `value ${i} is ${describe(given[i])}`;
    throw wrongKind(place, why);
  }
  if (kind === "number") return numbersNode(Float64Array.from(given as number[]));
  if (kind === "boolean") return booleansNode(Uint8Array.from(given, Number));
  return numbersNode(BigInt64Array.from(given as bigint[], (value) => checkInt64(place, value)));
}

function checkInt64(place: Place, value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw wrongValue(place, `int64 cannot hold it: current value is ${value}`);
}

/** A sparse matrix: its entries by rows (`"csr"`) or by columns (`"csc"`). */
export async function toSparse(place: Place, given: unknown): Promise<WrittenNode | undefined> {
  if (typeof given !== "object" || given === null || given instanceof Tensor) return undefined;
  const { format } = given as { format?: unknown };
  if ((format !== "csr" && format !== "csc") || !("indptr" in given)) return undefined;
  const { data, indices, indptr, shape } = given as Record<string, unknown>;
  const [rows, columns] = Array.isArray(shape) ? shape : [];
  if (![rows, columns].every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw wrongKind(place, `its shape must be two whole numbers: it is ${describe(shape)}`);
  }
  const entries = await toArray(within(place, "data"), data);
  const [major, minor] = format === "csr" ? [rows, columns] : [columns, rows];
  const starts = await toPositions(within(place, "indptr"), indptr);
  const inner = await toPositions(within(place, "indices"), indices);
  if (entries?.shape.length !== 1 || entries.type === "string") {
    throw wrongKind(within(place, "data"), `it must be a list of numbers: it is ${describe(data)}`);
  }
  checkSparse(place, entries.shape[0]!, inner, starts, major, minor);
  const extents = numbersNode(BigInt64Array.of(BigInt(rows), BigInt(columns)));
  const pack = inner.length > 0x7fffffff || minor > 0x7fffffff ? toLong : toShort;
  return groupNode(encoding(`${format}_matrix`, "0.1.0", { shape: extents }), [
    ["data", { ...entries, attributes: {} }],
    ["indices", { ...numbersNode(pack(inner)), attributes: {} }],
    ["indptr", { ...numbersNode(pack(starts)), attributes: {} }],
  ]);
}

/** Positions as SciPy has them, in both arrays alike. */
function toShort(positions: ElementArray): Int32Array {
  return positions instanceof Int32Array ? positions : Int32Array.from(positions as Float64Array);
}

function toLong(positions: ElementArray): BigInt64Array {
  return BigInt64Array.from(Array.from(positions as Float64Array, BigInt));
}

async function toPositions(place: Place, given: unknown): Promise<ElementArray> {
  const array = await toArray(place, given);
  if (array?.shape.length !== 1 || array.type === "string" || array.type === "bool") {
    throw wrongKind(place, `it must be a list of whole numbers: it is ${describe(given)}`);
  }
  const values = array.values as ElementArray;
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values, Number)
    : values;
}

function checkSparse(
  place: Place,
  count: number,
  indices: ElementArray,
  indptr: ElementArray,
  major: number,
  minor: number,
): void {
  if (indptr.length !== major + 1 || indices.length !== count) {
    const why = `its parts do not fit together: ${major} rows (of csc: columns) need ` +
      `${major + 1} indptr and there are ${indptr.length}; there are ${count} data and ` +
      `${indices.length} indices`;
    throw wrongKind(place, why);
  }
  for (let i = 0, last = 0; i <= major; i++) {
    const next = Number(indptr[i]);
    const isRight = i === 0
      ? next === 0
      : i < major
      ? next >= last && next <= count
      : next === count;
    if (!Number.isInteger(next) || !isRight) {
      const why = `indptr must grow from 0 to ${count}: value ${i} is ${next}`;
      throw wrongValue(place, why);
    }
    last = next;
  }
  for (let i = 0; i < count; i++) {
    const index = Number(indices[i]);
    if (Number.isInteger(index) && index >= 0 && index < minor) continue;
    throw wrongValue(place, `indices must be in [0, ${minor - 1}]: value ${i} is ${index}`);
  }
}

/** What columns are called that are not of categories. */
const COLUMN_KINDS: readonly unknown[] = ["numeric", "bigint", "boolean", "string"];

/** A column as `openAnnData(…).obs(key)` gives it. */
export function isColumn(given: unknown): given is Record<string, unknown> {
  if (!isPlainObject(given)) return false;
  const { kind, codes, values } = given;
  if (kind === "categorical") return codes !== undefined;
  return COLUMN_KINDS.includes(kind) && values !== undefined;
}

/** A column of one value per row. */
export async function toColumn(place: Place, given: unknown): Promise<WrittenNode> {
  if (isColumn(given)) return fromColumn(place, given);
  const array = await toArray(place, given);
  if (array?.shape.length === 1) return array;
  const why = array === undefined
    ? "it must be an array of texts, numbers or booleans, a tensor, or a column that " +
      `openAnnData reads: it is ${describe(given)}`
    : `it must have one value for each row: its shape is [${array.shape.join(", ")}]`;
  throw wrongKind(place, why);
}

function fromColumn(place: Place, column: Record<string, unknown>): WrittenNode {
  if (column["kind"] === "categorical") return toCategorical(place, column);
  const values = toColumnValues(place, column);
  const length = values.shape[0]!;
  if (column["missing"] === undefined) return values;
  const missing = column["missing"] as ArrayLike<unknown>;
  if (missing?.length !== length) {
    const why = `missing must have ${length} values, as many as values: it is ${describe(missing)}`;
    throw wrongKind(place, why);
  }
  const mask = checkBits(place, missing, "missing");
  if (values.type === "float32" || values.type === "float64") {
    const numbers = (values.values as Float64Array).map((value, i) => mask[i] === 1 ? NaN : value);
    return numbersNode(numbers);
  }
  const name = values.type === "string"
    ? "nullable-string-array"
    : values.type === "bool"
    ? "nullable-boolean"
    : "nullable-integer";
  return groupNode(encoding(name, "0.1.0"), [["values", values], ["mask", booleansNode(mask)]]);
}

function toColumnValues(place: Place, { kind, values }: Record<string, unknown>): WrittenArray {
  if (kind === "string" && Array.isArray(values)) {
    return textsNode(checkTexts(place, values).slice());
  }
  if (kind === "boolean" && values instanceof Uint8Array) {
    return booleansNode(checkBits(place, values, "it"));
  }
  const type = elementTypeOf(values);
  const isExact = type === "int64" || type === "uint64";
  if (type !== undefined && (kind === "numeric" || kind === "bigint" && isExact)) {
    return numbersNode(steady(values as ElementArray));
  }
  throw wrongKind(
    place,
    `values of a ${kind} column must fit its kind: they are ${describe(values)}`,
  );
}

/** A text that is there twice, if there is one. */
export function repeated(texts: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return texts.find((text) => seen.size === seen.add(text).size);
}

/** Categories: codes are as small as their number allows, as pandas has them. */
function toCategorical(place: Place, column: Record<string, unknown>): WrittenNode {
  const { codes, categories, ordered = false } = column;
  if (!Array.isArray(categories)) {
    throw wrongKind(place, `categories must be an array of texts: it is ${describe(categories)}`);
  }
  const names = checkTexts(within(place, "categories"), categories).slice();
  const twice = repeated(names);
  if (twice !== undefined) {
    throw wrongValue(place, `categories must differ: ${describe(twice)} is there twice`);
  }
  if (typeof ordered !== "boolean") {
    throw wrongKind(place, `ordered must be true or false: it is ${describe(ordered)}`);
  }
  if (!Array.isArray(codes) && elementTypeOf(codes) === undefined) {
    throw wrongKind(place, `codes must be an array of whole numbers: it is ${describe(codes)}`);
  }
  const given = codes as ArrayLike<unknown>;
  const Codes = names.length < 127 ? Int8Array : names.length < 32767 ? Int16Array : Int32Array;
  const out = new Codes(given.length);
  for (let i = 0; i < given.length; i++) {
    const code = typeof given[i] === "bigint" ? Number(given[i]) : given[i] as number;
    if (!Number.isInteger(code) || code < -1 || code >= names.length) {
      const why = `codes must be in [-1, ${names.length - 1}]: value ${i} is ${describe(given[i])}`;
      throw wrongValue(place, why);
    }
    out[i] = code;
  }
  return groupNode(encoding("categorical", "0.2.0", { ordered }), [
    ["codes", numbersNode(out)],
    ["categories", textsNode(names)],
  ]);
}
