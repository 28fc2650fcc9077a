/**
 * Data frames in files: columns of numbers, booleans, text or categories.
 *
 * @module
 */
import type { TypedArray } from "../dtype.ts";
import { toTensorData } from "./elements.ts";
import {
  numberType,
  type StoredArray,
  type StoredGroup,
  textAttribute,
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
export type Column = CategoricalColumn | NumericColumn | BooleanColumn | StringColumn;

/** A data frame of a file. */
export interface Frame {
  /** Its group. */
  readonly group: StoredGroup;
  /** The names of its columns, in order. */
  readonly columns: readonly string[];
  /** The name of the column that names the rows. */
  readonly index: string;
  /** How many rows it has. */
  readonly length: number;
}

/** Opens the data frame that has the key. */
export async function openFrame(
  path: string,
  parent: StoredGroup,
  name: string,
): Promise<Frame> {
  const group = await parent.get(name);
  const key = group?.key ?? name;
  if (group === undefined) {
    const found = (await parent.keys()).join(", ");
    throw unreadable(path, "", `it is not AnnData: it must have "${key}", and has ${found}`);
  }
  if (group.kind === "array") {
    const why = "it is a data frame in the form that AnnData wrote before version 0.7: " +
      "read it with AnnData and write it again";
    throw unreadable(path, key, why);
  }
  const encoding = textAttribute(group, "encoding-type");
  const index = textAttribute(group, "_index");
  if (encoding !== "dataframe" || index === undefined) {
    const why = `it must be a dataframe with an _index: its encoding-type is ${encoding}`;
    throw unreadable(path, key, why);
  }
  const names = await group.get(index);
  const length = (await partOf(names, "codes") ?? await partOf(names, "values"))?.shape[0];
  if (length === undefined) throw unreadable(path, key, `its index "${index}" must be an array`);
  const order = group.attributes["column-order"] ?? [];
  const columns = typeof order === "string" ? [order] : Array.from(order as Iterable<string>);
  return { group, columns, index, length };
}

/** The array itself, or the named part of a column that is a group. */
async function partOf(
  node: StoredArray | StoredGroup | undefined,
  name: string,
): Promise<StoredArray | undefined> {
  const part = node?.kind === "group" ? await node.get(name) : node;
  return part?.kind === "array" ? part : undefined;
}

/** The names of the rows of a data frame. */
export async function readIndex(path: string, frame: Frame): Promise<string[]> {
  return toText(await readColumn(path, frame, frame.index));
}

/** A column as text; missing values are empty. */
function toText(column: Column): string[] {
  if (column.kind === "categorical") {
    return Array.from(column.codes, (code) => column.categories[code] ?? "");
  }
  return Array.from<string | number, string>(
    column.values,
    (value, i) => column.missing?.[i] ? "" : String(value),
  );
}

/** A column of a data frame, which must have one of the name. */
export async function readColumn(path: string, frame: Frame, name: string): Promise<Column> {
  const node = await frame.group.get(name);
  const key = `${frame.group.key}/${name}`;
  if (node === undefined) throw unreadable(path, key, "column-order names it but it is not there");
  const column = node.kind === "group"
    ? await readEncoded(path, node)
    : await readPlain(path, frame, node, name);
  const { length } = column.kind === "categorical" ? column.codes : column.values;
  if (length === frame.length) return column;
  throw unreadable(path, key, `it must have ${frame.length} values: it has ${length}`);
}

/** A column that is an array; before AnnData 0.8, categories lay in a group beside the columns. */
async function readPlain(
  path: string,
  frame: Frame,
  array: StoredArray,
  name: string,
): Promise<Column> {
  if ("categories" in array.attributes) {
    const categories = await frame.group.get(`__categories/${name}`);
    const ordered = Boolean(categories?.attributes["ordered"]);
    return await readCategorical(path, array, categories, ordered);
  }
  if (array.type === "string") return { kind: "string", values: await array.readStrings() };
  const values = await readTyped(path, array);
  return values instanceof Uint8Array ? { kind: "boolean", values } : { kind: "numeric", values };
}

/** A column that is a group of arrays. */
async function readEncoded(path: string, group: StoredGroup): Promise<Column> {
  const encoding = textAttribute(group, "encoding-type");
  if (encoding === "categorical") {
    const codes = await need(path, group, "codes");
    const categories = await group.get("categories");
    const ordered = Boolean(group.attributes["ordered"]);
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
  const mask = await readTyped(path, await need(path, group, "mask"));
  const missing = Uint8Array.from(mask);
  if (kind === "string") return { kind, values: await values.readStrings(), missing };
  const numbers = await readTyped(path, values, missing);
  return kind === "boolean"
    ? { kind, values: Uint8Array.from(numbers), missing }
    : { kind, values: numbers as Int32Array, missing };
}

const NULLABLE: Record<string, "numeric" | "boolean" | "string"> = {
  "nullable-integer": "numeric",
  "nullable-boolean": "boolean",
  "nullable-string-array": "string",
};

async function need(path: string, group: StoredGroup, name: string): Promise<StoredArray> {
  const part = await group.get(name);
  if (part?.kind === "array") return part;
  throw unreadable(path, group.key, `it must have an array "${name}"`);
}

/** The numbers of an array, which must fit but where they are missing: then they become 0. */
async function readTyped(
  path: string,
  array: StoredArray,
  missing?: Uint8Array,
): Promise<TypedArray> {
  const type = numberType(path, array);
  const raw = await array.readNumbers();
  missing?.forEach((isMissing, i) => {
    if (!isMissing || Number(raw[i]) === (Number(raw[i]) | 0)) return;
    raw[i] = typeof raw[i] === "bigint" ? 0n : 0;
  });
  return toTensorData(type, raw, `"${array.key}" of "${path}"`);
}

async function readCategorical(
  path: string,
  codesOf: StoredArray,
  names: StoredArray | StoredGroup | undefined,
  ordered: boolean,
): Promise<CategoricalColumn> {
  const codes = Int32Array.from(await readTyped(path, codesOf));
  if (names === undefined) throw unreadable(path, codesOf.key, "its categories are missing");
  const categories = toText(
    names.kind === "group"
      ? await readEncoded(path, names)
      : names.type === "string"
      ? { kind: "string", values: await names.readStrings() }
      : { kind: "numeric", values: await readTyped(path, names) as Int32Array },
  );
  const wrong = codes.find((code) => code < -1 || code >= categories.length);
  if (wrong === undefined) return { kind: "categorical", codes, categories, ordered };
  const why = `its codes must be in [-1, ${categories.length - 1}]: current value is ${wrong}`;
  throw unreadable(path, codesOf.key, why);
}
