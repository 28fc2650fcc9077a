/**
 * Loom files: HDF5 with genes in rows and cells in columns.
 *
 * Source: the specification at https://linnarssonlab.org/loompy/format.
 *
 * @module
 */
import { fromData, type Tensor } from "../tensor.ts";
import type { CellParts } from "./cell_parts.ts";
import { readColumn } from "./column.ts";
import type { Frame } from "./frame.ts";
import { denseMatrix, type StoredMatrix } from "./stored_matrix.ts";
import {
  numberType,
  type Store,
  type StoredArray,
  type StoredGroup,
  toTensor,
  unreadable,
} from "./store.ts";

/** What the arrays are called that name cells, and genes, by those who write such files. */
const NAMES = {
  col_attrs: ["CellID", "cell_names", "obs_names", "cell_id", "barcode"],
  row_attrs: ["Gene", "gene_names", "var_names", "gene_symbol", "gene"],
} as const;

/** Whether a tree is that of a loom file. */
export async function isLoom(store: Store): Promise<boolean> {
  const names = await store.root.keys();
  return ["matrix", "row_attrs", "col_attrs"].every((name) => names.includes(name));
}

/** The cells of a loom file. */
export async function openLoom(store: Store): Promise<CellParts> {
  const { path, root } = store;
  const matrix = await root.get("matrix");
  if (matrix?.kind !== "array" || matrix.shape.length !== 2) {
    throw unreadable(path, "matrix", "it must be an array with two axes");
  }
  const [genes, cells] = matrix.shape as [number, number];
  const obs = await openAttributes(store, "col_attrs", cells);
  const vars = await openAttributes(store, "row_attrs", genes);
  const layers = await root.get("layers");
  return {
    path,
    format: "loom",
    obs: obs.frame,
    var: vars.frame,
    X: denseMatrix(path, matrix, true),
    layers: {
      keys: layers?.kind === "group" ? await layers.keys() : [],
      open: (key) => openLayer(path, layers as StoredGroup, key, [genes, cells]),
    },
    obsm: {
      keys: obs.wide.map(({ key }) => key.slice("col_attrs/".length)),
      open: (key) => readWide(path, obs.wide.find((array) => array.key === `col_attrs/${key}`)!),
    },
    close: () => store.close(),
  };
}

async function openLayer(
  path: string,
  layers: StoredGroup,
  name: string,
  shape: readonly number[],
): Promise<StoredMatrix> {
  const array = await layers.get(name);
  if (array?.kind === "array" && array.shape.join() === shape.join()) {
    return denseMatrix(path, array, true);
  }
  throw unreadable(
    path,
    `layers/${name}`,
    `it must be an array of the shape [${shape.join(", ")}]`,
  );
}

async function readWide(path: string, array: StoredArray): Promise<Tensor> {
  numberType(path, array);
  return fromData(toTensor(path, array, await array.readNumbers()), array.shape);
}

/** The attributes of cells, or genes: those with one value for each as a frame, wider ones aside. */
async function openAttributes(
  { path, root }: Store,
  name: "row_attrs" | "col_attrs",
  length: number,
): Promise<{ frame: Frame; wide: StoredArray[] }> {
  const group = await root.get(name);
  if (group?.kind !== "group") throw unreadable(path, name, "it must be a group");
  const columns = new Map<string, StoredArray>();
  const wide: StoredArray[] = [];
  for (const key of await group.keys()) {
    const array = await group.get(key);
    if (array?.kind !== "array" || array.shape[0] !== length) {
      throw unreadable(path, `${name}/${key}`, `it must be an array with ${length} entries`);
    }
    if (array.shape.length === 1) columns.set(key, array);
    else wide.push(array);
  }
  const index = NAMES[name].find((key) => columns.get(key)?.type === "string");
  const own = index === undefined ? undefined : columns.get(index)!;
  const rest = [...columns.keys()].filter((key) => key !== index);
  return {
    wide,
    frame: {
      columns: rest,
      length,
      names: () => own?.readStrings() ?? Promise.resolve(Array.from({ length }, (_, i) => `${i}`)),
      read: (key) => readColumn(path, columns.get(key)!),
    },
  };
}
