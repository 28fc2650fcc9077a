/**
 * Data frames: named columns of as many values as there are cells, or genes.
 *
 * @module
 */
import { describe } from "../describe.ts";
import {
  type CategoryNames,
  type Column,
  type ColumnNode,
  lengthOf,
  readColumn,
  toText,
} from "./column.ts";
import { RECORDS } from "./records.ts";
import {
  flagAttribute,
  type StoredArray,
  type StoredGroup,
  textAttribute,
  unreadable,
} from "./store.ts";

/** A data frame, whose columns are read when they are asked for. */
export interface Frame {
  /** The names of its columns, in order. */
  readonly columns: readonly string[];
  /** How many rows it has. */
  readonly length: number;
  /** The names of the rows. */
  names(): Promise<string[]>;
  /** A column that it has. */
  read(name: string): Promise<Column>;
}

/** A data frame of columns in memory. */
export function memoryFrame(
  names: readonly string[],
  columns: ReadonlyMap<string, Column> = new Map(),
): Frame {
  return {
    columns: [...columns.keys()],
    length: names.length,
    names: () => Promise.resolve([...names]),
    read: (name) => Promise.resolve(columns.get(name)!),
  };
}

/** Opens the data frame that has the key. */
export async function openFrame(path: string, parent: StoredGroup, name: string): Promise<Frame> {
  const group = await parent.get(name);
  const key = group?.key ?? name;
  if (group === undefined) {
    const found = (await parent.keys()).join(", ");
    throw unreadable(path, "", `it is not AnnData: it must have "${key}", and has ${found}`);
  }
  if (group.kind === "array") {
    throw unreadable(path, key, `a data frame must be a group or an array of records with names`);
  }
  const encoding = textAttribute(group, "encoding-type");
  const index = textAttribute(group, "_index");
  if (encoding === RECORDS && index !== undefined) {
    return await openRecords(path, group, parent, index);
  }
  if (encoding !== "dataframe" || index === undefined) {
    const why = `it must be a dataframe with an _index: its encoding-type is ${encoding}`;
    throw unreadable(path, key, why);
  }
  const order = group.attributes["column-order"] ?? [];
  const columns = typeof order === "object" ? Array.from(order as string[]) : [order as string];
  const wrong = columns.find((column) => typeof column !== "string");
  if (wrong !== undefined) {
    throw unreadable(path, key, `column-order must be texts: current value is ${describe(wrong)}`);
  }
  const length = await rowsOf(path, group, index);
  return new StoredFrame({ path, group, columns, index, length, categoriesOf });

  /** Before AnnData 0.8, categories lay in a group beside the columns. */
  async function categoriesOf(name: string, column: StoredArray) {
    if (!("categories" in column.attributes)) return undefined;
    return categoriesIn(path, column, await (group as StoredGroup).get(`__categories/${name}`));
  }
}

/** A data frame of before AnnData 0.7: records whose first field names them. */
async function openRecords(
  path: string,
  group: StoredGroup,
  parent: StoredGroup,
  index: string,
): Promise<Frame> {
  const columns = (await group.keys()).filter((name) => name !== index);
  const length = await rowsOf(path, group, index);
  return new StoredFrame({ path, group, columns, index, length, categoriesOf });

  /** The names of categories lay beside the data frames then. */
  async function categoriesOf(name: string, column: StoredArray) {
    const names = await parent.get(`uns/${name}_categories`);
    return names && categoriesIn(path, column, names);
  }
}

function categoriesIn(
  path: string,
  column: StoredArray,
  names: ColumnNode | undefined,
): CategoryNames {
  if (names === undefined) throw unreadable(path, column.key, "its categories are missing");
  return { names, ordered: flagAttribute(path, names, "ordered") };
}

/** How many rows a data frame has: as many as they have names. */
async function rowsOf(path: string, group: StoredGroup, index: string): Promise<number> {
  const names = await group.get(index);
  const arrays = names?.kind === "group"
    ? [await names.get("codes"), await names.get("values")]
    : [names];
  const found = arrays.find((array) => array?.kind === "array") as StoredArray | undefined;
  const length = found?.shape[0];
  if (length !== undefined) return length;
  throw unreadable(path, group.key, `its index "${index}" must be an array`);
}

interface FrameParts {
  path: string;
  group: StoredGroup;
  columns: readonly string[];
  index: string;
  length: number;
  categoriesOf: (name: string, column: StoredArray) => Promise<CategoryNames | undefined>;
}

class StoredFrame implements Frame {
  readonly columns: readonly string[];
  readonly length: number;
  readonly #parts: FrameParts;

  constructor(parts: FrameParts) {
    this.columns = parts.columns;
    this.length = parts.length;
    this.#parts = parts;
  }

  async names(): Promise<string[]> {
    return toText(await this.read(this.#parts.index));
  }

  async read(name: string): Promise<Column> {
    const { path, group, categoriesOf } = this.#parts;
    const node = await group.get(name);
    const key = `${group.key}/${name}`;
    if (node === undefined) {
      throw unreadable(path, key, "column-order names it but it is not there");
    }
    const categories = node.kind === "array" ? await categoriesOf(name, node) : undefined;
    const column = await readColumn(path, node, categories);
    const length = lengthOf(column);
    if (length === this.length) return column;
    throw unreadable(path, key, `it must have ${this.length} values: it has ${length}`);
  }
}
