/**
 * Counts as 10x Genomics' Cell Ranger writes them: a folder of Matrix Market, or HDF5.
 *
 * @module
 */
import { type CellParts, NO_MEMBERS } from "./cell_parts.ts";
import type { Column } from "./column.ts";
import { namesIn } from "./file.ts";
import { type Frame, memoryFrame } from "./frame.ts";
import { gunzip, isGzip } from "./gzip.ts";
import { parseMatrixMarket } from "./matrix_market.ts";
import { memoryArray } from "./memory_array.ts";
import { LONGEST_TEXT, readBytes, utf8Text } from "./source.ts";
import { sparseMatrix, sparseParts } from "./stored_matrix.ts";
import { checkText, type Store, type StoredArray, type StoredGroup, unreadable } from "./store.ts";

/** What the columns of a table of features, or its arrays, are called in AnnData. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: "gene_ids",
  genes: "gene_ids",
  feature_type: "feature_types",
  genome: "genome",
};

function textFrame(names: string[], columns: Record<string, string[]>): Frame {
  const entries = Object.entries(columns).map(([name, values]): [string, Column] => [
    name,
    { kind: "string", values },
  ]);
  return memoryFrame(names, new Map(entries));
}

const MATRIX = "matrix.mtx";

/** A matrix that becomes larger than 2 GiB is refused before it fills the memory. */
const LARGEST_MATRIX = 2 ** 31;

/** Whether a folder has the files of Cell Ranger. */
export async function isTenxFolder(path: string): Promise<boolean> {
  return (await namesIn(path)).some((name) => /^matrix\.mtx(\.gz)?$/.test(name));
}

/**
 * A folder of `matrix.mtx`, `barcodes.tsv` and `features.tsv` (`genes.tsv` of version 2), each of
 * which may be compressed by gzip.
 */
export async function openTenxFolder(path: string): Promise<CellParts> {
  const present = await namesIn(path);
  const file = async (...stems: string[]) => {
    const name = stems.flatMap((stem) => [stem, `${stem}.gz`]).find((n) => present.includes(n));
    if (name === undefined) {
      throw unreadable(path, "", `it is a 10x folder and must have ${stems.join(" or ")}`);
    }
    const { name: shown, bytes } = await readBytes(`${path}/${name}`);
    const most = stems[0] === MATRIX ? LARGEST_MATRIX : LONGEST_TEXT;
    return { shown, bytes: isGzip(bytes) ? await gunzip(bytes, shown, most) : bytes };
  };
  const matrix = await file(MATRIX);
  const cells = await file("barcodes.tsv");
  const genes = await file("features.tsv", "genes.tsv");
  let [barcodes, features]: [string[][], string[][]] = [[], []];
  const found = parseMatrixMarket(matrix.bytes, matrix.shown, (rows, columns) => {
    barcodes = lines(cells, columns, "cells");
    features = lines(genes, rows, "genes");
  });
  const [ids, names, types] = [0, 1, 2].map((j) => features.map((row) => row[j] ?? ""));
  const parts = {
    data: memoryArray("data", found.data),
    indices: memoryArray("indices", found.indices),
    indptr: memoryArray("indptr", found.indptr),
  };
  const hasNames = features.some((row) => row.length > 1);
  const hasTypes = features.some((row) => row.length > 2);
  const columns = { gene_ids: ids!, ...(hasTypes ? { feature_types: types! } : {}) };
  return {
    path,
    format: `10x Matrix Market folder${hasTypes ? " (version 3)" : " (version 2)"}`,
    obs: textFrame(barcodes.map((row) => row[0]!), {}),
    var: textFrame(hasNames ? names! : ids!, columns),
    X: sparseMatrix(path, "matrix.mtx", [found.columns, found.rows], "csr", parts),
    layers: NO_MEMBERS,
    obsm: NO_MEMBERS,
    close: () => {},
  };
}

/** The fields of every line, as many lines as the matrix has. */
function lines(
  { shown, bytes }: { shown: string; bytes: Uint8Array },
  count: number,
  what: string,
): string[][] {
  const rows = utf8Text(shown, bytes).split(/\r?\n/);
  if (rows.at(-1) === "") rows.pop();
  if (rows.length === count) return rows.map((row) => row.split("\t"));
  throw new SyntaxError(
    `Cannot read ${shown} as it must have a line for each of the ${count} ${what} of the matrix: ` +
      `it has ${rows.length}`,
  );
}

/** The groups of an HDF5 file that are matrices of Cell Ranger: `matrix`, or one for each genome. */
export async function tenxGroups(store: Store): Promise<StoredGroup[]> {
  const groups: StoredGroup[] = [];
  for (const name of await store.root.keys()) {
    const group = await store.root.get(name);
    if (group?.kind !== "group") continue;
    const keys = await group.keys();
    const wanted = ["barcodes", "data", "indices", "indptr", "shape"];
    if (wanted.every((key) => keys.includes(key))) groups.push(group);
  }
  return groups;
}

/** A matrix of Cell Ranger in HDF5, of version 2 (genomes) or 3 (features). */
export async function openTenxH5(
  store: Store,
  groups: readonly StoredGroup[],
  genome: string | undefined,
): Promise<CellParts> {
  const { path } = store;
  const group = chosen(path, groups, genome);
  const shape = await arrayOf(path, group, "shape");
  const [rows = NaN, columns = NaN] = Array.from(await shape.readNumbers(), Number);
  const barcodes = await textOf(path, group, "barcodes");
  const features = await group.get("features");
  const [holder, nameKey] = features?.kind === "group" ? [features, "name"] : [group, "gene_names"];
  const names = await textOf(path, holder, nameKey);
  const annotations: Record<string, string[]> = {};
  for (const [key, column] of Object.entries(COLUMNS)) {
    const array = await holder.get(key);
    if (array?.kind === "array" && array.type === "string") {
      annotations[column] = await array.readStrings();
    }
  }
  for (
    const [what, found, count] of [["barcodes", barcodes, columns], ["genes", names, rows]] as const
  ) {
    if (found.length === count) continue;
    throw unreadable(path, group.key, `it must have ${count} ${what}: it has ${found.length}`);
  }
  return {
    path,
    format: `10x HDF5 (version ${holder === group ? 2 : 3})`,
    obs: textFrame(barcodes, {}),
    var: textFrame(names, annotations),
    X: sparseMatrix(path, group.key, [columns, rows], "csr", await sparseParts(path, group)),
    layers: NO_MEMBERS,
    obsm: NO_MEMBERS,
    close: () => store.close(),
  };
}

function chosen(
  path: string,
  groups: readonly StoredGroup[],
  genome: string | undefined,
): StoredGroup {
  const found = genome === undefined && groups.length === 1
    ? groups[0]
    : groups.find(({ key }) => key === genome);
  if (found !== undefined) return found;
  const names = groups.map(({ key }) => key).join(", ");
  throw new RangeError(
    `Cannot read "${path}" as the option genome must be one of ${names}: current value is ${genome}`,
  );
}

async function arrayOf(path: string, group: StoredGroup, name: string): Promise<StoredArray> {
  const array = await group.get(name);
  if (array?.kind === "array") return array;
  throw unreadable(path, group.key, `it must have an array "${name}"`);
}

async function textOf(path: string, group: StoredGroup, name: string): Promise<string[]> {
  const array = await arrayOf(path, group, name);
  checkText(path, array);
  return await array.readStrings();
}
