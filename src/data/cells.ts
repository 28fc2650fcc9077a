/**
 * Cells from files of any format.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkObject, checkText, readOptions, refuseMore } from "../options.ts";
import { type AnnDataFile, type OpenAnnDataOptions, openCellParts } from "./anndata.ts";
import type { CellParts } from "./cell_parts.ts";
import { openParts } from "./anndata_parts.ts";
import { partsOfNpy, partsOfNpz, partsOfTable } from "./array_cells.ts";
import type { ByteFile } from "./file.ts";
import { isLoom, openLoom } from "./loom.ts";
import { folderOf, isH5, openStore } from "./open_store.ts";
import type { TableOptions } from "./read_table.ts";
import { addressOf, type DataSource, keepSource, type KeptSource, openSource } from "./source.ts";
import { type Store, type StoredGroup, unreadable } from "./store.ts";
import { checkIntegers, withIntegers } from "./wide_integers.ts";
import { isTenxFolder, openTenxFolder, openTenxH5, tenxGroups } from "./tenx.ts";

/** Options of {@linkcode openCells}. */
export interface OpenCellsOptions extends OpenAnnDataOptions {
  /** Which part of MuData, such as `"rna"`; needed where it has several. */
  modality?: string | undefined;
  /** Which genome of a file of Cell Ranger 2; needed where it has several. */
  genome?: string | undefined;
  /** How a table is read; with `genes`, all other columns annotate the cells. */
  table?: TableOptions | undefined;
}

/**
 * Opens cells of any format that is read, recognised by the content, not by the name:
 *
 * | format | cells | genes |
 * | --- | --- | --- |
 * | AnnData 0.5 to 0.12, `.h5ad`, `.zarr` (2, 3), `.zarr.zip` | `obs` | `var` |
 * | MuData, `.h5mu` and Zarr: one modality | its `obs` | its `var` |
 * | a folder of 10x: `matrix.mtx`, `barcodes.tsv`, `features.tsv` or `genes.tsv`, each also `.gz` | barcodes | names of genes; `gene_ids`, `feature_types` |
 * | 10x HDF5, `.h5`, of Cell Ranger 2 and 3 | barcodes | the same, and `genome` |
 * | loom | `CellID` | `Gene` |
 * | SciPy's sparse `.npz`, `.npy` with two axes | `0`, `1`, … | `0`, `1`, … |
 * | CSV, TSV, text between blanks (also `.gz`), Parquet | rows | columns of numbers, or those of `table.genes`; the others are `obs` |
 *
 * `format` of what is returned says what was found. Features of 10x that are no genes (antibodies,
 * guides) stay in, as `feature_types` tells.
 *
 * **Differs from scanpy** in that names of genes that occur twice stay as they are (scanpy warns
 * and leaves them, too), and antibodies are not left out (`gex_only` there).
 *
 * @param source Where the cells are: see {@linkcode DataSource}; folders by their paths.
 * @param options `modality`, of MuData; `genome`, of Cell Ranger 2; `table`, the options of
 * {@linkcode readTable}; `integers`, `"int32"`.
 * @returns The open file, as {@linkcode openAnnData} returns it.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it holds no cells, is damaged, or has a form that is not read. The
 * message names the file, and what it is.
 * @throws {RangeError} If there is no such modality or genome, or several and none is chosen.
 *
 * @example Whatever the file is
 * ```ts
 * import { openCells } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const table = new Blob(["cell,CD3E,CD19,type\nc1,4,0,T\nc2,0,7,B\n"]);
 * await using file = await openCells(table);
 * assertEquals(file.format, "table of delimited text");
 * assertEquals(await file.varNames(), ["CD3E", "CD19"]);
 * assertEquals((await file.X.read()).toArray(), [[4, 0], [0, 7]]);
 * assertEquals(file.keys.obs, ["cell", "type"]);
 * ```
 */
export async function openCells(
  source: DataSource,
  options: OpenCellsOptions = {},
): Promise<AnnDataFile> {
  if (arguments.length > 2) refuseMore("openCells", "options", 2, arguments);
  const settled = readOptions("openCells", options, {
    modality: undefined,
    genome: undefined,
    table: undefined,
    integers: "int32",
  });
  checkIntegers("openCells", settled.integers);
  for (const name of ["modality", "genome"] as const) {
    if (settled[name] !== undefined) checkText("openCells", name, settled[name]);
  }
  if (settled.table !== undefined) checkObject("openCells", "table", settled.table);
  const kept = await keepSource(source);
  const origin = { opener: "openCells", source: kept, options: settled } as const;
  return openCellParts(await partsOf(kept, settled), origin);
}

async function partsOf(source: KeptSource, options: OpenCellsOptions): Promise<CellParts> {
  const folder = await folderOf(source);
  if (folder !== undefined && await isTenxFolder(folder)) {
    noOption(folder, options, "a 10x folder");
    return await openTenxFolder(folder);
  }
  const isTree = folder !== undefined || /(\/|\.zarr)$/i.test(addressOf(source)?.pathname ?? "");
  if (isTree) return await partsOfStore(await openStore(source), options);
  const file = await openSource(source);
  try {
    if (await isH5(file)) {
      const { openH5 } = await import("./h5ad.ts");
      return await partsOfStore(await openH5(file), options);
    }
    return await partsOfContent(file, options);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The cells of a tree; the store is closed where there are none. */
async function partsOfStore(opened: Store, options: OpenCellsOptions): Promise<CellParts> {
  const store = withIntegers(opened, options.integers ?? "int32");
  try {
    const { root } = store;
    const modalities = await root.get("mod");
    if (modalities?.kind === "group") return await openModality(store, modalities, options);
    if (await root.get("obs") !== undefined) {
      noOption(store.path, options, "AnnData");
      return await openParts(store);
    }
    if (await isLoom(store)) {
      noOption(store.path, options, "loom");
      return await openLoom(store);
    }
    const groups = await tenxGroups(store);
    if (groups.length > 0) {
      noOption(store.path, options, "10x HDF5", "genome");
      return await openTenxH5(store, groups, options.genome);
    }
    const found = (await root.keys()).join(", ") || "nothing";
    const why = `it is ${store.format}, and neither AnnData, MuData, loom nor 10x: it has ${found}`;
    throw unreadable(store.path, "", why);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function openModality(
  store: Store,
  modalities: StoredGroup,
  options: OpenCellsOptions,
): Promise<CellParts> {
  noOption(store.path, options, "MuData", "modality");
  const { modality } = options;
  const names = await modalities.keys();
  const name = modality ?? (names.length === 1 ? names[0] : undefined);
  const group = name !== undefined && names.includes(name) ? await modalities.get(name) : undefined;
  if (group?.kind !== "group") {
    throw new RangeError(
      `Cannot read "${store.path}" as it is MuData and the option modality must be one of ` +
        `${names.join(", ")}: current value is ${describe(modality)}`,
    );
  }
  const parts = await openParts(store, group);
  return { ...parts, format: `MuData in ${store.format}, modality ${name}` };
}

/** The options that belong to one format. */
const FORMATS = [["modality", "MuData"], ["genome", "Cell Ranger 2"], ["table", "tables"]] as const;

/** Throws where an option is given that belongs to another format; `own` is that of this one. */
function noOption(
  path: string,
  options: OpenCellsOptions,
  what: string,
  own?: "modality" | "genome" | "table",
): void {
  for (const [name, format] of FORMATS) {
    if (options[name] === undefined || name === own) continue;
    throw new TypeError(
      `Cannot read "${path}" as the option ${name} belongs to ${format}, and it is ${what}`,
    );
  }
}

async function partsOfContent(file: ByteFile, options: OpenCellsOptions): Promise<CellParts> {
  const [first, second] = await file.read(0, Math.min(2, file.size));
  if (first === 0x50 && second === 0x4b) {
    const { openZip } = await import("./zarr_files.ts");
    const zip = await openZip(file);
    if (!zip.names.some((name) => name.endsWith(".npy"))) {
      const { openZarr } = await import("./zarr.ts");
      return await partsOfStore(await openZarr(zip), options);
    }
    noOption(file.path, options, "NumPy's .npz");
    const parts = await partsOfNpz(zip);
    zip.close();
    return parts;
  }
  const name = `"${file.path}"`;
  const isNpy = first === 0x93;
  noOption(file.path, options, "one matrix", isNpy ? undefined : "table");
  const bytes = await file.read(0, file.size);
  const parts = isNpy
    ? partsOfNpy(name, file.path, bytes)
    : await partsOfTable(name, file.path, bytes, options.table ?? {});
  file.close();
  return parts;
}
