/**
 * AnnData files: annotated matrices of cells × genes.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { AwaitUsingDisposable } from "../disposal.ts";
import type { Tensor } from "../tensor.ts";
import { openParts } from "./anndata_parts.ts";
import type { CellParts, RawAnnData } from "./cell_parts.ts";
import type { Column } from "./column.ts";
import { openStore } from "./open_store.ts";
import { readOptions, refuseMore } from "../options.ts";
import { type DataSource, keepSource, type KeptSource } from "./source.ts";
import { checkIntegers, withIntegers } from "./wide_integers.ts";
import { promised } from "./store.ts";
import type { StoredMatrix } from "./stored_matrix.ts";

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

/** How a file was opened. */
export interface FileOrigin {
  /** The function that did. */
  readonly opener: "openAnnData" | "openCells";
  /** Where the file lies. */
  readonly source: KeptSource;
  /** The options. */
  readonly options: object;
}

/** What others must know of an open file. */
export interface FileState {
  /** How it was opened, unless it never was one. */
  readonly origin: FileOrigin | undefined;
  /** Whether it is closed. */
  closed: boolean;
  /** What is called once it is. */
  readonly ends: Set<() => void>;
}

/** The constructor, for files of any format. */
export let openCellParts: (parts: CellParts, origin?: FileOrigin) => AnnDataFile;

/** What others must know of a file. */
export let stateOf: (file: AnnDataFile) => FileState;

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
  /** What the file is, such as `AnnData in HDF5` or `10x Matrix Market folder`. */
  readonly format: string;
  /** How many cells there are. */
  readonly nObs: number;
  /** How many genes there are. */
  readonly nVars: number;
  /** What can be asked for. */
  readonly keys: AnnDataKeys;
  /** The matrix that was set aside, where there is one. */
  readonly raw: RawAnnData | undefined;
  readonly #parts: CellParts;
  readonly #state: FileState;

  static {
    openCellParts = (parts, origin) => new AnnDataFile(parts, origin);
    stateOf = (file) => file.#state;
    Object.defineProperty(this.prototype, Symbol.asyncDispose, {
      value(this: AnnDataFile) {
        return promised(() => this.close());
      },
    });
  }

  private constructor(parts: CellParts, origin: FileOrigin | undefined) {
    this.path = parts.path;
    this.format = parts.format;
    this.nObs = parts.obs.length;
    this.nVars = parts.var.length;
    this.keys = {
      obs: parts.obs.columns,
      var: parts.var.columns,
      layers: parts.layers.keys,
      obsm: parts.obsm.keys,
    };
    this.raw = parts.raw;
    this.#parts = parts;
    this.#state = { origin, closed: false, ends: new Set() };
  }

  /**
   * The main matrix, cells × genes.
   *
   * @throws {TypeError} If the file has none.
   */
  get X(): StoredMatrix {
    if (this.#parts.X !== undefined) return this.#parts.X;
    throw new TypeError(
      `Cannot read X of "${this.path}" as it has none: its layers are ` +
        `${this.keys.layers.join(", ") || "none either"}`,
    );
  }

  /** The names of the cells. */
  obsNames(): Promise<string[]> {
    return this.#parts.obs.names();
  }

  /** The names of the genes. */
  varNames(): Promise<string[]> {
    return this.#parts.var.names();
  }

  /**
   * A column that annotates the cells.
   *
   * @param key One of `keys.obs`.
   * @returns The column: categories, numbers, booleans or text.
   * @throws {RangeError} If there is no such column, or an integer in it does not fit what the
   * option `integers` says.
   * @throws {SyntaxError} If it cannot be read.
   */
  async obs(key: string): Promise<Column> {
    if (arguments.length > 1) refuseMore("obs", "key", 1, arguments);
    this.#checkKey("obs column", key, this.keys.obs);
    return await this.#parts.obs.read(key);
  }

  /**
   * A column that annotates the genes.
   *
   * @param key One of `keys.var`.
   * @returns The column: categories, numbers, booleans or text.
   * @throws {RangeError} If there is no such column, or an integer in it does not fit what the
   * option `integers` says.
   * @throws {SyntaxError} If it cannot be read.
   */
  async var(key: string): Promise<Column> {
    if (arguments.length > 1) refuseMore("var", "key", 1, arguments);
    this.#checkKey("var column", key, this.keys.var);
    return await this.#parts.var.read(key);
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
    if (arguments.length > 1) refuseMore("layer", "key", 1, arguments);
    this.#checkKey("layer", key, this.keys.layers);
    return await this.#parts.layers.open(key);
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
    if (arguments.length > 1) refuseMore("obsm", "key", 1, arguments);
    this.#checkKey("obsm array", key, this.keys.obsm);
    return await this.#parts.obsm.open(key);
  }

  /** Closes the file; a second time does nothing. What is asked for later throws a `TypeError`. */
  close(): void {
    this.#state.closed = true;
    for (const end of this.#state.ends) end();
    this.#parts.close();
  }

  #checkKey(what: string, key: string, keys: readonly string[]): void {
    if (keys.includes(key)) return;
    const why = keys.length === 0 ? "there is none" : `key must be one of ${keys.join(", ")}`;
    throw new RangeError(
      `Cannot read the ${what} of "${this.path}" as ${why}: ` +
        `current value is ${typeof key === "string" ? key : describe(key)}`,
    );
  }
}

/** A file is closed at the end of the block that declares it by `await using`. */
export interface AnnDataFile extends AwaitUsingDisposable {}

/** Options of {@linkcode openAnnData}. */
export interface OpenAnnDataOptions {
  /**
   * What integers of more than 32 bits become: `"int32"`, which refuses those that do not fit,
   * `"float64"`, which refuses those beyond 2⁵³, or `"bigint"`, which leaves columns of 64 bits as
   * they are ({@linkcode BigIntColumn}) and reads all else as `"float64"` does, as tensors have no
   * such type; `"int32"` by default.
   */
  integers?: "int32" | "float64" | "bigint" | undefined;
}

/**
 * Opens an AnnData file: `.h5ad` (HDF5), `.zarr` (a directory) or `.zarr.zip` (a zip archive of
 * one; Zarr versions 2 and 3). The content decides, not the name; {@linkcode openCells} opens other
 * formats, too.
 *
 * Files of AnnData 0.5 and later are read. HDF5 datasets may be compressed with gzip, LZF, zstd,
 * lz4, bzip2, blosc or bitshuffle, Zarr arrays with zstd, gzip, zlib, lz4 or blosc.
 *
 * Of a file on a server, or of one that was dropped on a page, only the pages are fetched that are
 * read: the server must know ranges, else the file is fetched whole. An address of a Zarr hierarchy
 * ends in `.zarr` or a slash, and its metadata must be consolidated, as a server cannot list what is
 * in a folder.
 *
 * Source: the specification of AnnData's on-disk format.
 *
 * @param source The path of the file or directory, or another source: see {@linkcode DataSource}.
 * @param options `integers`, `"int32"` by default.
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
export async function openAnnData(
  source: DataSource,
  options: OpenAnnDataOptions = {},
): Promise<AnnDataFile> {
  if (arguments.length > 2) refuseMore("openAnnData", "options", 2, arguments);
  const { integers } = readOptions("openAnnData", options, { integers: "int32" });
  checkIntegers("openAnnData", integers);
  const kept = await keepSource(source);
  const origin = { opener: "openAnnData", source: kept, options: { integers } } as const;
  const opened = await openStore(kept);
  const store = withIntegers(opened, integers);
  try {
    return openCellParts(await openParts(store), origin);
  } catch (error) {
    store.close();
    throw error;
  }
}
