/**
 * What an AnnData file holds, of every version of its form from 0.5 on.
 *
 * @module
 */
import { fromData, type Tensor } from "../tensor.ts";
import { exactNumber } from "./elements.ts";
import { type CellParts, type Members, NO_MEMBERS, type RawAnnData } from "./cell_parts.ts";
import { type Frame, openFrame } from "./frame.ts";
import { openMatrix, type StoredMatrix } from "./stored_matrix.ts";
import {
  numberType,
  type Store,
  type StoredArray,
  type StoredGroup,
  textAttribute,
  toTensor,
  unreadable,
} from "./store.ts";

/** What a store holds, which is AnnData at `root`. */
export async function openParts(
  store: Store,
  root: StoredGroup = store.root,
): Promise<CellParts> {
  const { path } = store;
  const obs = await openFrame(path, root, "obs");
  const vars = await openFrame(path, root, "var");
  const X = await openPresent(path, root, "X");
  const extents = [obs.length, vars.length];
  if (X !== undefined) checkExtents(path, keyIn(root, "X"), X.shape, extents);
  return {
    path,
    format: `AnnData in ${store.format}`,
    obs,
    var: vars,
    X,
    raw: await openRaw(path, root, obs.length),
    layers: await membersOf(root, "layers", async (group, key) => {
      const matrix = await openMember(path, group, key);
      checkExtents(path, `${group.key}/${key}`, matrix.shape, extents);
      return matrix;
    }),
    obsm: await membersOf(root, "obsm", (group, key) => readArray(path, group, key, obs.length)),
    close: () => store.close(),
  };
}

function keyIn(group: StoredGroup, name: string): string {
  return group.key === "" ? name : `${group.key}/${name}`;
}

async function membersOf<T>(
  root: StoredGroup,
  name: string,
  open: (group: StoredGroup, key: string) => Promise<T>,
): Promise<Members<T>> {
  const group = await root.get(name);
  if (group?.kind !== "group") return NO_MEMBERS;
  return { keys: await group.keys(), open: (key) => open(group, key) };
}

/** The matrix that was set aside; before AnnData 0.7, its parts lay beside the others. */
async function openRaw(
  path: string,
  root: StoredGroup,
  cells: number,
): Promise<RawAnnData | undefined> {
  const group = await root.get("raw");
  const [holder, prefix] = group?.kind === "group" ? [group, ""] : [root, "raw."];
  const node = await holder.get(`${prefix}X`);
  if (node === undefined && holder === root) return undefined;
  const vars = await openFrame(path, holder, `${prefix}var`);
  const X = await openMember(path, holder, `${prefix}X`);
  checkExtents(path, keyIn(holder, `${prefix}X`), X.shape, [cells, vars.length]);
  return { X, varNames: () => vars.names() };
}

/** The matrix of the name, unless there is none, which writers also say with a `null` array. */
async function openPresent(
  path: string,
  group: StoredGroup,
  name: string,
): Promise<StoredMatrix | undefined> {
  const node = await group.get(name);
  if (node === undefined || textAttribute(node, "encoding-type") === "null") return undefined;
  return await openMatrix(path, node);
}

async function openMember(path: string, group: StoredGroup, name: string): Promise<StoredMatrix> {
  const matrix = await openPresent(path, group, name);
  if (matrix !== undefined) return matrix;
  throw unreadable(path, keyIn(group, name), "it is not there");
}

/** An array with a row for each cell: of numbers, sparse, or a data frame of numbers. */
async function readArray(
  path: string,
  group: StoredGroup,
  name: string,
  cells: number,
): Promise<Tensor> {
  const node = await group.get(name);
  const key = keyIn(group, name);
  if (node?.kind === "array") return await readDense(path, node, cells);
  if (node !== undefined && textAttribute(node, "encoding-type") === "dataframe") {
    return await readFrame(path, key, await openFrame(path, group, name), cells);
  }
  const matrix = await openMember(path, group, name);
  checkExtents(path, key, matrix.shape, [cells]);
  return await matrix.read();
}

async function readDense(path: string, array: StoredArray, cells: number): Promise<Tensor> {
  checkExtents(path, array.key, array.shape, [cells]);
  numberType(path, array);
  return fromData(toTensor(path, array, await array.readNumbers()), array.shape);
}

/** The columns of a data frame side by side, in double precision; NaN where values are missing. */
async function readFrame(path: string, key: string, frame: Frame, cells: number): Promise<Tensor> {
  checkExtents(path, key, [frame.length], [cells]);
  const { columns } = frame;
  const out = new Float64Array(cells * columns.length);
  for (const [j, name] of columns.entries()) {
    const column = await frame.read(name);
    if (column.kind === "string" || column.kind === "categorical") {
      const why =
        `its columns must hold numbers to be read as an array: "${name}" is ${column.kind}`;
      throw unreadable(path, key, why);
    }
    const { values, missing } = column;
    for (let i = 0; i < cells; i++) {
      out[i * columns.length + j] = missing?.[i]
        ? NaN
        : exactNumber(values[i]!, `"${key}" of "${path}"`);
    }
  }
  return fromData(out, [cells, columns.length]);
}

function checkExtents(
  path: string,
  key: string,
  shape: readonly number[],
  expected: readonly number[],
): void {
  if (expected.every((extent, axis) => shape[axis] === extent)) return;
  const names = ["cells", "genes"];
  const text = expected.map((extent, axis) => `${extent} ${names[axis]}`).join(" and ");
  throw unreadable(path, key, `it must have ${text}: its shape is [${shape.join(", ")}]`);
}
