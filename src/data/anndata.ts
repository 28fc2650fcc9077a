/**
 * AnnData files: annotated matrices of cells × genes.
 *
 * @module
 */
import type { AwaitUsingDisposable } from "../disposal.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type Column, type Frame, openFrame, readColumn, readIndex } from "./column.ts";
import { toTensorData } from "./elements.ts";
import { type FilePath, isDirectory, LocalFile, pathOf } from "./file.ts";
import { openMatrix, type StoredMatrix } from "./stored_matrix.ts";
import { foreignFormat } from "./signature.ts";
import {
  numberType,
  promised,
  type Store,
  type StoredGroup,
  textAttribute,
  unreadable,
} from "./store.ts";

/** The keys of what an AnnData file holds. */
export interface AnnDataKeys {
  /** The columns that annotate the cells, in order. */
  readonly obs: readonly string[];
  /** The columns that annotate the genes, in order. */
  readonly var: readonly string[];
  /** The other matrices of the shape of `X`. */
  readonly layers: readonly string[];
  /** The arrays with a row for each cell, such as embeddings. */
  readonly obsm: readonly string[];
}

/** The matrix that was set aside before genes were left out or values scaled. */
export interface RawAnnData {
  /** The matrix: as many rows as `X` has, often more columns. */
  readonly X: StoredMatrix;
  /** The names of its columns. */
  varNames(): Promise<string[]>;
}

/** What is known of a file once it is open. */
interface AnnDataParts {
  obs: Frame;
  var: Frame;
  X: StoredMatrix | undefined;
  raw: RawAnnData | undefined;
  layers: string[];
  obsm: string[];
}

/** The constructor, which only this module can call. */
let create: (store: Store, parts: AnnDataParts) => AnnDataFile;

/**
 * An open AnnData file. Matrices and columns are read when they are asked for, matrices also by
 * rows, so that the file may be larger than memory. Made by {@linkcode openAnnData}.
 *
 * @example Batches of cells
 * ```ts
 * import { type AnnDataFile, openAnnData } from "@cellgrad/cellgrad/data";
 * import { assertRejects } from "@std/assert";
 *
 * async function countCells(file: AnnDataFile): Promise<number> {
 *   let cells = 0;
 *   for await (const batch of file.X.rowBatches(256)) cells += batch.shape[0]!;
 *   return cells;
 * }
 *
 * await assertRejects(
 *   async () => {
 *     await using file = await openAnnData("missing.h5ad");
 *     return await countCells(file);
 *   },
 *   Error,
 *   'Cannot read "missing.h5ad" as it does not exist',
 * );
 * ```
 */
export class AnnDataFile {
  /** Where the file lies. */
  readonly path: string;
  /** How many cells there are. */
  readonly nObs: number;
  /** How many genes there are. */
  readonly nVars: number;
  /** What can be asked for. */
  readonly keys: AnnDataKeys;
  /** The matrix that was set aside, where there is one. */
  readonly raw: RawAnnData | undefined;
  readonly #store: Store;
  readonly #obs: Frame;
  readonly #var: Frame;
  readonly #X: StoredMatrix | undefined;

  static {
    create = (store, parts) => new AnnDataFile(store, parts);
    Object.defineProperty(this.prototype, Symbol.asyncDispose, {
      value(this: AnnDataFile) {
        return promised(() => this.close());
      },
    });
  }

  private constructor(store: Store, parts: AnnDataParts) {
    this.path = store.path;
    this.nObs = parts.obs.length;
    this.nVars = parts.var.length;
    this.keys = {
      obs: parts.obs.columns,
      var: parts.var.columns,
      layers: parts.layers,
      obsm: parts.obsm,
    };
    this.raw = parts.raw;
    this.#store = store;
    this.#obs = parts.obs;
    this.#var = parts.var;
    this.#X = parts.X;
  }

  /**
   * The main matrix, cells × genes.
   *
   * @throws {TypeError} If the file has none.
   */
  get X(): StoredMatrix {
    if (this.#X !== undefined) return this.#X;
    throw new TypeError(
      `Cannot read X of "${this.path}" as it has none: its layers are ` +
        `${this.keys.layers.join(", ") || "none either"}`,
    );
  }

  /** The names of the cells. */
  obsNames(): Promise<string[]> {
    return readIndex(this.path, this.#obs);
  }

  /** The names of the genes. */
  varNames(): Promise<string[]> {
    return readIndex(this.path, this.#var);
  }

  /**
   * A column that annotates the cells.
   *
   * @param key One of `keys.obs`.
   * @returns The column: categories, numbers, booleans or text.
   * @throws {RangeError} If there is no such column, or an integer in it does not fit `int32`.
   * @throws {SyntaxError} If it cannot be read.
   */
  async obs(key: string): Promise<Column> {
    this.#checkKey("obs column", key, this.keys.obs);
    return await readColumn(this.path, this.#obs, key);
  }

  /**
   * A column that annotates the genes.
   *
   * @param key One of `keys.var`.
   * @returns The column: categories, numbers, booleans or text.
   * @throws {RangeError} If there is no such column, or an integer in it does not fit `int32`.
   * @throws {SyntaxError} If it cannot be read.
   */
  async var(key: string): Promise<Column> {
    this.#checkKey("var column", key, this.keys.var);
    return await readColumn(this.path, this.#var, key);
  }

  /**
   * Another matrix of cells × genes, such as `counts`.
   *
   * @param key One of `keys.layers`.
   * @returns The matrix.
   * @throws {RangeError} If there is no such layer.
   * @throws {SyntaxError} If it cannot be read.
   */
  async layer(key: string): Promise<StoredMatrix> {
    this.#checkKey("layer", key, this.keys.layers);
    const layers = await this.#store.root.get("layers") as StoredGroup;
    const matrix = await openMember(this.path, layers, key);
    checkExtents(this.path, `layers/${key}`, matrix.shape, [this.nObs, this.nVars]);
    return matrix;
  }

  /**
   * An array with a row for each cell, such as `X_pca`.
   *
   * @param key One of `keys.obsm`.
   * @returns The array, dense; its first extent is `nObs`.
   * @throws {RangeError} If there is no such array, or an integer in it does not fit `int32`.
   * @throws {SyntaxError} If it cannot be read, or is a data frame.
   */
  async obsm(key: string): Promise<Tensor> {
    this.#checkKey("obsm array", key, this.keys.obsm);
    const members = await this.#store.root.get("obsm") as StoredGroup;
    const node = await members.get(key);
    const name = `obsm/${key}`;
    if (node?.kind !== "array") {
      const matrix = await openMember(this.path, members, key);
      checkExtents(this.path, name, matrix.shape, [this.nObs]);
      return await matrix.read();
    }
    checkExtents(this.path, name, node.shape, [this.nObs]);
    const type = numberType(this.path, node);
    const data = toTensorData(type, await node.readNumbers(), `"${name}" of "${this.path}"`);
    return fromData(data, node.shape);
  }

  /** Closes the file; a second time does nothing. What is asked for later throws a `TypeError`. */
  close(): void {
    this.#store.close();
  }

  #checkKey(what: string, key: string, keys: readonly string[]): void {
    if (keys.includes(key)) return;
    const why = keys.length === 0 ? "there is none" : `key must be one of ${keys.join(", ")}`;
    throw new RangeError(
      `Cannot read the ${what} of "${this.path}" as ${why}: current value is ${key}`,
    );
  }
}

/** A file is closed at the end of the block that declares it by `await using`. */
export interface AnnDataFile extends AwaitUsingDisposable {}

/**
 * Opens an AnnData file: `.h5ad` (HDF5), `.zarr` (a directory) or `.zarr.zip` (a zip archive of
 * one; Zarr versions 2 and 3). The content decides, not the name.
 *
 * Files of AnnData 0.7 and later are read. HDF5 datasets may be compressed with gzip, Zarr arrays
 * with zstd, gzip, zlib, lz4 or blosc.
 *
 * Source: the specification of AnnData's on-disk format.
 *
 * @param path The path of the file or directory.
 * @returns The open file; `await using` closes it.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is not AnnData, is damaged, or has a form that is not supported. The
 * message names the file and the key. Nothing is left open.
 *
 * @example Labels and expression
 * ```ts
 * import { openAnnData } from "@cellgrad/cellgrad/data";
 * import { assertRejects } from "@std/assert";
 *
 * async function load(path: string, key: string) {
 *   await using file = await openAnnData(path);
 *   const labels = await file.obs(key);
 *   if (labels.kind !== "categorical") throw new TypeError(`${key} must hold categories`);
 *   return { expression: await file.X.read(), labels };
 * }
 *
 * await assertRejects(() => load("missing.h5ad", "cell_type"), Error, "does not exist");
 * ```
 */
export async function openAnnData(path: FilePath): Promise<AnnDataFile> {
  const store = await openStore(await pathOf(path));
  try {
    return create(store, await openParts(store));
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Opens a directory, or a file by what its first bytes say it is. */
async function openStore(path: string): Promise<Store> {
  if (await isDirectory(path)) {
    const { ZarrDirectory } = await import("./zarr_files.ts");
    const { openZarr } = await import("./zarr.ts");
    return await openZarr(new ZarrDirectory(path));
  }
  const file = await LocalFile.open(path);
  try {
    return await openContent(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openContent(file: LocalFile): Promise<Store> {
  if (isH5(file)) {
    const { openH5 } = await import("./h5ad.ts");
    return await openH5(file);
  }
  if (startsWith(file, 0, [0x50, 0x4b])) {
    const { openZip } = await import("./zarr_files.ts");
    const { openZarr } = await import("./zarr.ts");
    return await openZarr(await openZip(file));
  }
  const why = file.size === 0
    ? "it is empty"
    : foreignFormat(file.read(0, Math.min(16, file.size))) ??
      "it is neither an HDF5 file (.h5ad) nor a zip archive (.zarr.zip)";
  throw unreadable(file.path, "", why);
}

/** Whether a file has the signature of HDF5, which may come after a block of the user's own. */
function isH5(file: LocalFile): boolean {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  for (let at = 0; at < file.size; at = Math.max(512, 2 * at)) {
    if (startsWith(file, at, signature)) return true;
  }
  return false;
}

function startsWith(file: LocalFile, position: number, bytes: number[]): boolean {
  if (position + bytes.length > file.size) return false;
  const found = file.read(position, bytes.length);
  return bytes.every((byte, i) => byte === found[i]);
}

async function openParts(store: Store): Promise<AnnDataParts> {
  const { path, root } = store;
  const obs = await openFrame(path, root, "obs");
  const vars = await openFrame(path, root, "var");
  const X = await openPresent(path, root, "X");
  if (X !== undefined) checkExtents(path, "X", X.shape, [obs.length, vars.length]);
  return {
    obs,
    var: vars,
    X,
    raw: await openRaw(path, root, obs.length),
    layers: await memberKeys(root, "layers"),
    obsm: await memberKeys(root, "obsm"),
  };
}

async function openRaw(
  path: string,
  root: StoredGroup,
  nObs: number,
): Promise<RawAnnData | undefined> {
  const group = await root.get("raw");
  if (group?.kind !== "group") return undefined;
  const vars = await openFrame(path, group, "var");
  const X = await openMember(path, group, "X");
  checkExtents(path, "raw/X", X.shape, [nObs, vars.length]);
  return { X, varNames: () => readIndex(path, vars) };
}

async function memberKeys(root: StoredGroup, name: string): Promise<string[]> {
  const group = await root.get(name);
  return group?.kind === "group" ? await group.keys() : [];
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
  throw unreadable(path, `${group.key}/${name}`, "it is not there");
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
