/**
 * Data frames in files: columns of numbers, booleans, text or categories.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { TypedArray } from "../dtype.ts";
import {
  flagAttribute,
  numberType,
  type StoredArray,
  type StoredGroup,
  textAttribute,
  toTensor,
  unreadable,
} from "./store.ts";

/**
 * A column of categories. Missing values have the code −1, which losses must not see: leave the
 * cells out, or give them a category of their own.
 */
export interface CategoricalColumn {
  /** Tells the kinds of columns apart. */
  readonly kind: "categorical";
  /** For each row the position of its category, −1 where the value is missing. */
  readonly codes: Int32Array;
  /** The names of the categories. */
  readonly categories: string[];
  /** Whether the categories have an order: that of `categories`. */
  readonly ordered: boolean;
}

/** A column of numbers; floating point as stored, integers as `Int32Array`. */
export interface NumericColumn {
  /** Tells the kinds of columns apart. */
  readonly kind: "numeric";
  /** The number of each row. */
  readonly values: Exclude<TypedArray, Uint8Array>;
  /** 1 where the value is missing, else 0; absent where the file keeps no account of it. */
  readonly missing?: Uint8Array;
}

/** A column of integers of 64 bits as they are stored, where `integers: "bigint"` asks for that. */
export interface BigIntColumn {
  /** Tells the kinds of columns apart. */
  readonly kind: "bigint";
  /** The number of each row: up to 2⁶³ − 1, or without signs up to 2⁶⁴ − 1. */
  readonly values: BigInt64Array | BigUint64Array;
  /** 1 where the value is missing, else 0; absent where the file keeps no account of it. */
  readonly missing?: Uint8Array;
}

/** A column of booleans. */
export interface BooleanColumn {
  /** Tells the kinds of columns apart. */
  readonly kind: "boolean";
  /** 1 for true and 0 for false, for each row. */
  readonly values: Uint8Array;
  /** 1 where the value is missing, else 0; absent where the file keeps no account of it. */
  readonly missing?: Uint8Array;
}

/** A column of text. */
export interface StringColumn {
  /** Tells the kinds of columns apart. */
  readonly kind: "string";
  /** The text of each row. */
  readonly values: string[];
  /** 1 where the value is missing, else 0; absent where the file keeps no account of it. */
  readonly missing?: Uint8Array;
}

/**
 * A column of a data frame; `kind` tells which.
 *
 * @example The label of every cell
 * ```ts
 * import type { Column } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * function labels(column: Column): string[] {
 *   if (column.kind !== "categorical") return Array.from(column.values, String);
 *   return Array.from(column.codes, (code) => column.categories[code] ?? "unknown");
 * }
 *
 * const codes = Int32Array.of(1, 0, -1);
 * const column: Column = { kind: "categorical", codes, categories: ["B", "T"], ordered: false };
 * assertEquals(labels(column), ["T", "B", "unknown"]);
 * ```
 */
export type Column =
  | CategoricalColumn
  | NumericColumn
  | BigIntColumn
  | BooleanColumn
  | StringColumn;

/** What is behind a column: an array, or a group of arrays. */
export type ColumnNode = StoredArray | StoredGroup;

/** The names of the categories of a column that is an array of their codes. */
export interface CategoryNames {
  /** Where they are. */
  readonly names: ColumnNode;
  /** Whether they have an order. */
  readonly ordered: boolean;
}

/** A column as text, booleans as Python has them; missing values are empty. */
export function toText(column: Column): string[] {
  if (column.kind === "categorical") {
    return Array.from(column.codes, (code) => column.categories[code] ?? "");
  }
  const text = column.kind === "boolean" ? (flag: unknown) => flag ? "True" : "False" : String;
  return Array.from<string | number | bigint, string>(
    column.values,
    (value, i) => column.missing?.[i] ? "" : text(value),
  );
}

/** A column of a file; `categories` where it is an array of codes. */
export async function readColumn(
  path: string,
  node: ColumnNode,
  categories?: CategoryNames,
): Promise<Column> {
  if (node.kind === "group") return await readEncoded(path, node);
  if (categories !== undefined) {
    return await readCategorical(path, node, categories.names, categories.ordered);
  }
  return await readPlain(path, node);
}

/** A column that is an array. */
async function readPlain(
  path: string,
  node: StoredArray,
): Promise<Exclude<Column, CategoricalColumn>> {
  checkAxis(path, node);
  if (node.type === "string") return { kind: "string", values: await node.readStrings() };
  return isExact(node) ? await readExact(node) : withKind(await readTyped(path, node));
}

/** How many values a column has. */
export function lengthOf(column: Column): number {
  return column.kind === "categorical" ? column.codes.length : column.values.length;
}

/** A column that is a group of arrays. */
async function readEncoded(path: string, group: StoredGroup): Promise<Column> {
  const encoding = textAttribute(group, "encoding-type");
  if (encoding === "categorical") {
    const codes = await need(path, group, "codes");
    const categories = await group.get("categories");
    const ordered = flagAttribute(path, group, "ordered");
    return await readCategorical(path, codes, categories, ordered);
  }
  const kind = NULLABLE[encoding ?? ""];
  if (kind === undefined) {
    throw unreadable(
      path,
      group.key,
      `its encoding-type must be categorical, ${Object.keys(NULLABLE).join(", ")}: ` +
        `current value is ${encoding}`,
    );
  }
  const values = await need(path, group, "values");
  const missing = await readFlags(path, await need(path, group, "mask"));
  if (missing.length !== values.shape[0]) {
    const why = `its mask must have ${values.shape[0]} values, as many as values: ` +
      `it has ${missing.length}`;
    throw unreadable(path, group.key, why);
  }
  if (kind === "string") return { kind, values: await values.readStrings(), missing };
  if (kind === "boolean") return { kind, values: await readFlags(path, values, missing), missing };
  if (isExact(values)) return { ...await readExact(values), missing };
  return { ...withKind(await readTyped(path, values, missing)), missing };
}

const NULLABLE: Record<string, "numeric" | "boolean" | "string"> = {
  "nullable-integer": "numeric",
  "nullable-float": "numeric",
  "nullable-boolean": "boolean",
  "nullable-string-array": "string",
};

async function need(path: string, group: StoredGroup, name: string): Promise<StoredArray> {
  const part = await group.get(name);
  if (part?.kind === "array") {
    checkAxis(path, part);
    return part;
  }
  throw unreadable(path, group.key, `it must have an array "${name}"`);
}

/** Throws unless an array has one axis. */
function checkAxis(path: string, { key, shape }: StoredArray): void {
  if (shape.length === 1) return;
  throw unreadable(path, key, `it must have one axis: its shape is [${shape.join(", ")}]`);
}

/** Whether an array has integers that are read as they are. */
function isExact({ integers, type }: StoredArray): boolean {
  return integers === "bigint" && (type === "int64" || type === "uint64");
}

async function readExact(array: StoredArray): Promise<BigIntColumn> {
  return { kind: "bigint", values: await array.readNumbers() as BigInt64Array | BigUint64Array };
}

/** Numbers, or booleans, as a column. */
function withKind(values: TypedArray): NumericColumn | BooleanColumn {
  return values instanceof Uint8Array ? { kind: "boolean", values } : { kind: "numeric", values };
}

/** The numbers of an array, which must fit but where they are missing: then they become 0. */
async function readTyped(
  path: string,
  array: StoredArray,
  missing?: Uint8Array,
): Promise<TypedArray> {
  numberType(path, array);
  const raw = await array.readNumbers();
  missing?.forEach((isMissing, i) => {
    if (!isMissing || Number(raw[i]) === (Number(raw[i]) | 0)) return;
    raw[i] = typeof raw[i] === "bigint" ? 0n : 0;
  });
  return toTensor(path, array, raw);
}

/** Zeros and ones, of whatever type; 0 where something else is missing. */
async function readFlags(
  path: string,
  array: StoredArray,
  missing?: Uint8Array,
): Promise<Uint8Array> {
  const flags = await readTyped(path, array, missing);
  const wrong = flags.find((flag, i) => flag !== 0 && flag !== 1 && !missing?.[i]);
  if (wrong === undefined) return Uint8Array.from(flags, (flag) => flag === 1 ? 1 : 0);
  throw unreadable(path, array.key, `its values must be 0 or 1: current value is ${wrong}`);
}

async function readCategorical(
  path: string,
  codesOf: StoredArray,
  names: StoredArray | StoredGroup | undefined,
  ordered: boolean,
): Promise<CategoricalColumn> {
  checkAxis(path, codesOf);
  const codes = await readTyped(path, codesOf);
  if (names === undefined) throw unreadable(path, codesOf.key, "its categories are missing");
  const categories = toText(
    names.kind === "group" ? await readEncoded(path, names) : await readPlain(path, names),
  );
  const seen = new Set<string>();
  const twin = categories.find((name) => seen.size === seen.add(name).size);
  if (twin !== undefined) {
    throw unreadable(path, names.key, `categories must differ: ${describe(twin)} is there twice`);
  }
  const last = categories.length - 1;
  const wrong = codes.find((code) => !(code >= -1 && code <= last && Number.isInteger(code)));
  if (wrong === undefined) {
    return { kind: "categorical", codes: Int32Array.from(codes), categories, ordered };
  }
  const why = `its codes must be in [-1, ${last}]: current value is ${wrong}`;
  throw unreadable(path, codesOf.key, why);
}
