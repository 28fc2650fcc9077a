/**
 * The parts of an AnnData file as they are given, made into what is written: lengths and names are
 * checked here.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { isPlainObject } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import type { Column } from "./column.ts";
import type { ElementArray } from "./elements.ts";
import {
  checkName,
  checkTexts,
  isColumn,
  type Place,
  toArray,
  toColumn,
  toSparse,
  within,
  wrongKind,
  wrongValue,
} from "./written_values.ts";
import {
  encoding,
  groupNode,
  mappingNode,
  numbersNode,
  textsAttribute,
  textsNode,
  type WrittenArray,
  type WrittenGroup,
  type WrittenNode,
} from "./written_tree.ts";

/** The entries of a sparse matrix, by rows or by columns. */
export interface WritableSparse {
  /** `"csr"`: the entries are in the order of the rows; `"csc"`: of the columns. */
  readonly format: "csr" | "csc";
  /** How many rows and columns there are. */
  readonly shape: readonly number[];
  /** The value of each entry. */
  readonly data: Tensor | ElementArray | readonly number[];
  /** The column (csc: the row) of each entry. */
  readonly indices: Tensor | ElementArray | readonly number[];
  /** Where the entries of each row (csc: column) begin, and last where they all end. */
  readonly indptr: Tensor | ElementArray | readonly number[];
}

/** A matrix to be written: dense, or sparse. */
export type WritableMatrix = TensorLike | WritableSparse;

/**
 * A column to be written: text, numbers, booleans, or a column as `openAnnData(…).obs(key)` reads it.
 *
 * A `number[]` becomes `float64`, a typed array keeps its type (`Uint8Array` holds booleans), a
 * `bigint[]` becomes `int64`.
 */
export type WritableColumn =
  | Column
  | Tensor
  | ElementArray
  | readonly string[]
  | readonly number[]
  | readonly boolean[]
  | readonly bigint[];

/** What may be written under a key of `uns`: values, arrays, and objects of them. */
export type WritableValue =
  | string
  | number
  | bigint
  | boolean
  | WritableColumn
  | WritableMatrix
  | { readonly [name: string]: WritableValue };

/** What an AnnData file holds; all parts may be left out, but not all of them at once. */
export interface AnnDataContent {
  /** The main matrix, cells × genes. */
  readonly X?: WritableMatrix | undefined;
  /** The columns that annotate the cells, in order; `_index` names the cells: "0", "1", … else. */
  readonly obs?: Readonly<Record<string, WritableColumn>> | undefined;
  /** The columns that annotate the genes, in order; `_index` names the genes: "0", "1", … else. */
  readonly var?: Readonly<Record<string, WritableColumn>> | undefined;
  /** Other matrices of the shape of `X`. */
  readonly layers?: Readonly<Record<string, WritableMatrix>> | undefined;
  /** Arrays with a row for each cell, such as embeddings. */
  readonly obsm?: Readonly<Record<string, WritableMatrix>> | undefined;
  /** Arrays with a row for each gene, such as loadings. */
  readonly varm?: Readonly<Record<string, WritableMatrix>> | undefined;
  /** Matrices of cells × cells, such as graphs of neighbours. */
  readonly obsp?: Readonly<Record<string, WritableMatrix>> | undefined;
  /** Matrices of genes × genes. */
  readonly varp?: Readonly<Record<string, WritableMatrix>> | undefined;
  /** Anything else: values, arrays, and objects of them. */
  readonly uns?: Readonly<Record<string, WritableValue>> | undefined;
}

/** The names of the parts. */
export const PARTS = ["X", "obs", "var", "layers", "obsm", "varm", "obsp", "varp", "uns"] as const;

/** The key of the names of the rows of a data frame. */
export const INDEX = "_index";

/** The most columns that HDF5 can list in one attribute. */
const MOST_COLUMNS = 4000;

/** How deep objects in `uns` may lie in each other. */
const DEEPEST = 100;

/** How many cells or genes there are, once something has said it. */
export interface Axis {
  /** What is counted. */
  readonly name: "cell" | "gene";
  /** How many there are. */
  length?: number;
  /** What says so. */
  origin?: string;
}

/** Throws unless something has as many rows or columns as there are cells or genes. */
function fit(place: Place, axis: Axis, length: number, what: string): void {
  if (axis.length === undefined) {
    axis.length = length;
    axis.origin = `"${place.key}"`;
  } else if (axis.length !== length) {
    const why = `it must have ${axis.length} ${what}, one for each ${axis.name} of ` +
      `${axis.origin}: it has ${length}`;
    throw wrongKind(place, why);
  }
}

/** The members to be written of each group, by the group's name; that of the root is empty. */
export type Members = Map<string, Map<string, WrittenNode>>;

/** Checks the parts, and makes nodes of them. The names of rows are members of their data frame. */
export async function toMembers(
  place: Place,
  content: unknown,
  axes: { readonly cells: Axis; readonly genes: Axis },
): Promise<Members> {
  if (!isPlainObject(content)) {
    throw wrongKind(place, `its content must be a plain object: it is ${describe(content)}`);
  }
  const given = Object.entries(content).filter(([, part]) => part !== undefined);
  const unknown = given.find(([name]) => !PARTS.includes(name as "X"));
  if (unknown !== undefined) {
    throw wrongKind(place, `there is no part ${unknown[0]}: the parts are ${PARTS.join(", ")}`);
  }
  if (given.length === 0) throw wrongKind(place, `no part is given: they are ${PARTS.join(", ")}`);
  const { cells, genes } = axes;
  const members: Members = new Map();
  const add = async (
    name: string,
    convert: (at: Place, value: unknown) => Promise<WrittenNode>,
  ) => {
    const part = content[name];
    if (part !== undefined) members.set(name, await toNamed(within(place, name), part, convert));
  };
  if (content["X"] !== undefined) {
    const X = await toMatrix(within(place, "X"), content["X"], [cells, genes]);
    members.set("", new Map([["X", X]]));
  }
  await add("obs", (at, value) => toFitting(at, value, cells));
  await add("var", (at, value) => toFitting(at, value, genes));
  await add("layers", (at, value) => toMatrix(at, value, [cells, genes]));
  await add("obsm", (at, value) => toMatrix(at, value, [cells]));
  await add("varm", (at, value) => toMatrix(at, value, [genes]));
  await add("obsp", (at, value) => toMatrix(at, value, [cells, cells]));
  await add("varp", (at, value) => toMatrix(at, value, [genes, genes]));
  await add("uns", (at, value) => toValue(at, value, 0));
  return members;
}

async function toNamed(
  place: Place,
  part: unknown,
  convert: (at: Place, value: unknown) => Promise<WrittenNode>,
): Promise<Map<string, WrittenNode>> {
  if (!isPlainObject(part)) {
    throw wrongKind(place, `it must be a plain object of what it holds: it is ${describe(part)}`);
  }
  const out = new Map<string, WrittenNode>();
  for (const [name, value] of Object.entries(part)) {
    checkName(place, name);
    out.set(name, await convert(within(place, name), value));
  }
  return out;
}

/** A column, or the names of the rows. */
async function toFitting(place: Place, given: unknown, axis: Axis): Promise<WrittenNode> {
  const name = place.key.slice(place.key.indexOf("/") + 1);
  if (name === "__categories") {
    throw wrongKind(place, "AnnData keeps this name for itself: take another one");
  }
  const node = name === INDEX ? toNames(place, given) : await toColumn(place, given);
  fit(place, axis, lengthOf(node), "values");
  return node;
}

function toNames(place: Place, given: unknown): WrittenArray {
  const names = isColumn(given) && given["kind"] === "string" && given["missing"] === undefined
    ? given["values"]
    : given;
  if (Array.isArray(names)) return textsNode(checkTexts(place, names).slice());
  throw wrongKind(place, `names must be an array of texts: they are ${describe(given)}`);
}

/** How many rows a column has. */
function lengthOf(node: WrittenNode | undefined): number {
  if (node?.kind !== "group") return node?.shape[0] ?? 0;
  return lengthOf(node.members.get("codes") ?? node.members.get("values"));
}

async function toMatrix(place: Place, given: unknown, axes: readonly Axis[]): Promise<WrittenNode> {
  const sparse = await toSparse(place, given);
  const node = sparse ?? await toArray(place, given);
  if (node === undefined || (node.kind === "array" && node.type === "string")) {
    const why = isStored(given)
      ? "it is a matrix in a file: give what its read() resolves to"
      : "it must be a tensor, nested arrays of numbers, or a sparse matrix with format, data, " +
        `indices, indptr and shape: it is ${describe(given)}`;
    throw wrongKind(place, why);
  }
  const shape = node.kind === "array" ? node.shape : (given as WritableSparse).shape;
  if (axes.length === 2 ? shape.length !== 2 : shape.length < 2) {
    const needs = axes.length === 2 ? "two axes" : "at least two axes";
    throw wrongKind(place, `it must have ${needs}: its shape is [${shape.join(", ")}]`);
  }
  axes.forEach((axis, i) => fit(place, axis, shape[i]!, i === 0 ? "rows" : "columns"));
  return node;
}

function isStored(given: unknown): boolean {
  return typeof (given as { rowBatches?: unknown } | null)?.rowBatches === "function";
}

/** A value of `uns`. */
async function toValue(place: Place, given: unknown, depth: number): Promise<WrittenNode> {
  const single = toSingle(place, given);
  if (single !== undefined) return single;
  if (isColumn(given)) return await toColumn(place, given);
  const array = await toSparse(place, given) ?? await toArray(place, given);
  if (array !== undefined) return array;
  if (isPlainObject(given)) {
    if (depth < DEEPEST) {
      return mappingNode(await toNamed(place, given, (at, value) => toValue(at, value, depth + 1)));
    }
    throw wrongValue(place, `objects lie in each other more than ${DEEPEST} deep`);
  }
  const advice = given === null
    ? ": AnnData before 0.11 could not read the file: leave it out, or say it by a text"
    : "";
  const why = "it must be a text, a number, a boolean, an array, a tensor, a column, a sparse " +
    `matrix or an object of these: it is ${describe(given)}${advice}`;
  throw wrongKind(place, why);
}

function toSingle(place: Place, given: unknown): WrittenArray | undefined {
  const scalar = (array: WrittenArray, name: string) => ({
    ...array,
    shape: [],
    attributes: encoding(name, "0.2.0"),
  });
  switch (typeof given) {
    case "string":
      return scalar(textsNode(checkTexts(place, [given])), "string");
    case "number":
      return scalar(numbersNode(Float64Array.of(given)), "numeric-scalar");
    case "boolean":
      return scalar(numbersNode(Uint8Array.of(Number(given)), [1], "bool"), "numeric-scalar");
    case "bigint":
      if (BigInt.asIntN(64, given) !== given) {
        throw wrongValue(place, `int64 cannot hold it: current value is ${given}`);
      }
      return scalar(numbersNode(BigInt64Array.of(given)), "numeric-scalar");
    default:
      return undefined;
  }
}

/** A whole file. */
export function toRoot(
  place: Place,
  members: Members,
  axes: { readonly cells: Axis; readonly genes: Axis },
): WrittenGroup {
  const { cells, genes } = axes;
  const named = ["layers", "obsm", "varm", "obsp", "varp", "uns"].map((name) =>
    [name, mappingNode(members.get(name) ?? [])] as const
  );
  return groupNode(encoding("anndata", "0.1.0"), [
    ...members.get("") ?? [],
    ["obs", frameNode(within(place, "obs"), members.get("obs"), cells)],
    ["var", frameNode(within(place, "var"), members.get("var"), genes)],
    ...named,
  ]);
}

function frameNode(
  place: Place,
  given: ReadonlyMap<string, WrittenNode> = new Map(),
  axis: Axis,
): WrittenGroup {
  const columns = [...given.keys()].filter((name) => name !== INDEX);
  const index = given.get(INDEX) ??
    textsNode(Array.from({ length: axis.length ?? 0 }, (_, i) => `${i}`));
  return groupNode(frameAttributes(place, INDEX, columns), new Map([...given, [INDEX, index]]));
}

/** The attributes of a data frame. */
export function frameAttributes(
  place: Place,
  index: string,
  columns: readonly string[],
): WrittenGroup["attributes"] {
  if (place.format === "h5ad" && columns.length > MOST_COLUMNS) {
    const why = `HDF5 can list ${MOST_COLUMNS} columns: there are ${columns.length}; obsm and ` +
      "varm hold more, and Zarr does";
    throw wrongValue(place, why);
  }
  return encoding("dataframe", "0.2.0", { "column-order": textsAttribute(columns), _index: index });
}
