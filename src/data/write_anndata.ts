/**
 * AnnData files, written and added to.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkBoolean, checkChoice, readOptions, refuseMore } from "../options.ts";
import { toAdditions, type Update } from "./addition.ts";
import { openAnnData } from "./anndata.ts";
import { type FilePath, isDirectory, LocalFile, pathOf } from "./file.ts";
import { updateH5 } from "./h5_update.ts";
import { writeH5 } from "./h5_writer.ts";
import { MemoryOutput, replaceFile } from "./output.ts";
import { type AnnDataContent, type Axis, toMembers, toRoot } from "./written_parts.ts";
import type { Compression, WrittenGroup } from "./written_tree.ts";
import { type Place, wrongKind } from "./written_values.ts";
import { replaceZarr, updateZarr } from "./zarr_folder.ts";
import type { ZarrVersion } from "./zarr_writer.ts";

/** Options of {@linkcode writeAnnData}. */
export interface WriteAnnDataOptions {
  /** The format; by default what the path ends in: `.h5ad` (also `.h5`, `.hdf5`) or `.zarr`. */
  format?: "h5ad" | "zarr" | undefined;
  /** How arrays of numbers are compressed; `"none"` by default. */
  compression?: "none" | "gzip" | undefined;
  /** The version of Zarr; 2 by default, which every version of AnnData reads. */
  zarrVersion?: 2 | 3 | undefined;
}

/** Options of {@linkcode encodeAnnData}. */
export interface EncodeAnnDataOptions {
  /** How arrays of numbers are compressed; `"none"` by default. */
  compression?: "none" | "gzip" | undefined;
}

/** Options of {@linkcode updateAnnData}. */
export interface UpdateAnnDataOptions {
  /** Whether what has a key already is replaced; `false` by default: it is refused. */
  overwrite?: boolean | undefined;
}

const COMPRESSIONS = ["none", "gzip"];

/**
 * Writes an AnnData file: `.h5ad` (HDF5) or `.zarr` (a folder), in the encodings of AnnData 0.8,
 * which every later version reads.
 *
 * What `openAnnData` reads can be written again, missing values included: categories by the code
 * −1, integers, booleans and text by `missing`. Text with `missing` is read by AnnData from 0.11 on;
 * a floating-point column says NaN where `missing` does. Numbers without a type (`number[]`, and a
 * number in `uns`) become `float64`; a `bigint` becomes `int64`. A list of texts with repetitions
 * stays one: as a categorical column it is smaller.
 *
 * The file is written beside its place, under a name that ends in `.tmp`, and put there by a rename
 * once the disk has all of it: a program that is killed, or a full disk, leaves what was there, and
 * at most the file beside it. Where a Zarr folder takes the place of another, two renames follow each
 * other: between them there is none, and both lie whole beside the place. A folder that is not Zarr
 * is never replaced.
 *
 * Arrays are not copied, and must not change until the promise resolves: memory holds beside them the
 * texts of one column and one chunk of about a megabyte.
 *
 * Source: the specification of AnnData's on-disk format; HDF5's file format 3.0; Zarr 2 and 3.
 *
 * @param path Where the file shall lie; what lies there is replaced.
 * @param content What it holds; see {@linkcode AnnDataContent}.
 * @param options Format and compression.
 * @throws {TypeError} If the content is not understood, lengths do not fit, a name has a slash, or
 * the path does not say a format.
 * @throws {RangeError} If a value is out of range: a code, an index, a text that is no whole Unicode.
 * @throws {Error} If the file cannot be written: the message says why, and what is kept.
 *
 * @example Cells with their types
 * ```ts
 * import { openAnnData, simulateCells, writeAnnData } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const { counts, labels } = simulateCells({ cells: 4, genes: 3, types: 2 });
 * const folder = await Deno.makeTempDir();
 * await writeAnnData(`${folder}/cells.h5ad`, {
 *   X: counts,
 *   obs: {
 *     _index: ["AAAC-1", "AAAG-1", "AACC-1", "AACG-1"], // the names of the cells
 *     cell_type: {
 *       kind: "categorical",
 *       codes: labels,
 *       categories: ["B", "T"],
 *       ordered: false,
 *     },
 *     score: [0.5, 0.1, NaN, 1],
 *   },
 *   var: { _index: ["CD3D", "CD19", "NKG7"] },
 *   uns: { model: { name: "demo", learning_rate: 0.1 } },
 * });
 * const file = await openAnnData(`${folder}/cells.h5ad`);
 * assertEquals(await file.varNames(), ["CD3D", "CD19", "NKG7"]);
 * assertEquals((await file.X.read()).toArray(), counts.toArray());
 * file.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeAnnData(
  path: FilePath,
  content: AnnDataContent,
  options: WriteAnnDataOptions = {},
): Promise<void> {
  if (arguments.length > 3) refuseMore("writeAnnData", "options", 3, arguments);
  const { format: asked, compression, zarrVersion } = readOptions("writeAnnData", options, {
    format: undefined,
    compression: "none",
    zarrVersion: 2,
  });
  checkChoice("writeAnnData", "compression", compression, COMPRESSIONS);
  if (zarrVersion !== 2 && zarrVersion !== 3) {
    const current = describe(zarrVersion);
    throw new RangeError(
      `Cannot compute writeAnnData as zarrVersion must be 2 or 3: current value is ${current}`,
    );
  }
  const file = await writablePath(path);
  const format = formatOf(file, asked);
  const root = await toTree({ file: `"${file}"`, key: "", format }, content);
  if (format === "h5ad") {
    await replaceFile(file, (output) => writeH5(output, root, compression as Compression));
  } else {
    await replaceZarr(file, root, {
      version: zarrVersion as ZarrVersion,
      compression: compression as Compression,
    });
  }
}

/**
 * The bytes of an `.h5ad` file, for where there is no disk, as in browsers. Memory holds them beside
 * the arrays that are given, twice while they grow.
 *
 * @param content What the file holds; see {@linkcode AnnDataContent} and {@linkcode writeAnnData}.
 * @param options Compression.
 * @returns The bytes.
 * @throws {TypeError} If the content is not understood; see {@linkcode writeAnnData}.
 * @throws {RangeError} If a value is out of range.
 *
 * @example A file to download
 * ```ts
 * import { encodeAnnData } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = await encodeAnnData({ obsm: { X_umap: [[0, 1], [2, 3], [4, 5]] } });
 * const download = new Blob([bytes], { type: "application/x-hdf5" });
 * assertEquals(await download.slice(1, 4).text(), "HDF");
 * ```
 */
export async function encodeAnnData(
  content: AnnDataContent,
  options: EncodeAnnDataOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (arguments.length > 2) refuseMore("encodeAnnData", "options", 2, arguments);
  const { compression } = readOptions("encodeAnnData", options, { compression: "none" });
  checkChoice("encodeAnnData", "compression", compression, COMPRESSIONS);
  const root = await toTree({ file: "an AnnData file", key: "", format: "h5ad" }, content);
  const output = new MemoryOutput();
  await writeH5(output, root, compression as Compression);
  return output.take();
}

/**
 * Adds to an AnnData file, `.h5ad` or `.zarr`: predictions to `obs`, embeddings to `obsm`. All else
 * stays as it is, byte for byte, also what `openAnnData` cannot read.
 *
 * Where `_index` is given in `obs` or `var`, it must be the file's names in the file's order, so
 * that predictions in another order are noticed. A key of `uns` is added as a whole. What is added is
 * not compressed.
 *
 * An `.h5ad` file is copied, which takes as much room on the disk as it has itself; the copy is added
 * to, read to be sure, and takes the file's place by a rename. What `overwrite` replaces still takes
 * room in it, until a program such as h5repack writes the file anew. In a Zarr folder, members are
 * written beside it and put in their places by a rename each: a program that is killed in between
 * leaves each of them whole, but not all of them there; a member that is replaced is missing for the
 * moment between two renames.
 *
 * @param path The file.
 * @param content What is added; see {@linkcode AnnDataContent}. Lengths must be those of the file.
 * @param options Whether keys are replaced.
 * @throws {TypeError} If the content is not understood, lengths do not fit, or a key is there already.
 * @throws {RangeError} If a value is out of range, or names of rows are not those of the file.
 * @throws {SyntaxError} If the file cannot be read, or is an archive (`.zarr.zip`).
 * @throws {Error} If there is no such file, or it cannot be written.
 *
 * @example Predictions
 * ```ts
 * import { openAnnData, updateAnnData, writeAnnData } from "@cellgrad/cellgrad/data";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const path = `${folder}/cells.zarr`;
 * await writeAnnData(path, { X: [[1, 0], [0, 2], [3, 0]] });
 * const prediction = { predicted: ["B", "T", "B"], confidence: Float32Array.of(0.9, 0.6, 0.8) };
 * await updateAnnData(path, { obs: prediction, obsm: { X_umap: [[0, 1], [2, 3], [4, 5]] } });
 *
 * const file = await openAnnData(path);
 * assertEquals(file.keys.obs, ["predicted", "confidence"]);
 * assertEquals((await file.obsm("X_umap")).toArray(), [[0, 1], [2, 3], [4, 5]]);
 * file.close();
 * await assertRejects(() => updateAnnData(path, { obs: prediction }), TypeError, "is there already");
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function updateAnnData(
  path: FilePath,
  content: AnnDataContent,
  options: UpdateAnnDataOptions = {},
): Promise<void> {
  if (arguments.length > 3) refuseMore("updateAnnData", "options", 3, arguments);
  const { overwrite } = readOptions("updateAnnData", options, { overwrite: false });
  checkBoolean("updateAnnData", "overwrite", overwrite);
  const file = await writablePath(path);
  const format = await isDirectory(file) ? "zarr" : "h5ad";
  const place: Place = { file: `"${file}"`, key: "", format };
  const additions = await plan(place, file, content);
  if (additions.size === 0) return;
  const update: Update = { place, overwrite, additions };
  if (format === "h5ad") {
    await updateH5(file, update, async (copy) => (await openAnnData(copy)).close());
  } else {
    await updateZarr(file, update);
  }
}

async function toTree(place: Place, content: unknown): Promise<WrittenGroup> {
  const axes: { cells: Axis; genes: Axis } = { cells: { name: "cell" }, genes: { name: "gene" } };
  return toRoot(place, await toMembers(place, content, axes), axes);
}

/** What the content adds to a file that exists. */
async function plan(place: Place, path: string, content: unknown): Promise<Update["additions"]> {
  const file = await openAnnData(path);
  try {
    if (place.format === "h5ad" && await isZip(path)) {
      throw wrongKind(place, "it is a zip archive, to which nothing can be added: unpack it");
    }
    const axes = {
      cells: { name: "cell", length: file.nObs, origin: "the file" },
      genes: { name: "gene", length: file.nVars, origin: "the file" },
    } as const;
    return await toAdditions(place, file, await toMembers(place, content, axes));
  } finally {
    file.close();
  }
}

/** Whether a file begins as zip archives do. */
async function isZip(path: string): Promise<boolean> {
  const file = await LocalFile.open(path);
  try {
    return file.bytesAt(0, 1)[0] === 0x50;
  } finally {
    file.close();
  }
}

async function writablePath(path: unknown): Promise<string> {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  if (path instanceof URL && path.protocol === "file:") return await pathOf(path as FilePath);
  const current = path instanceof URL ? path.href : describe(path);
  throw new TypeError(
    "Cannot write a file as its path must be a text that is not empty, or a URL that begins with " +
      `file: current value is ${current}`,
  );
}

function formatOf(path: string, asked: unknown): "h5ad" | "zarr" {
  if (asked !== undefined) {
    checkChoice("writeAnnData", "format", asked, ["h5ad", "zarr"]);
    return asked as "h5ad" | "zarr";
  }
  if (/\.(h5ad|h5|hdf5)$/i.test(path)) return "h5ad";
  if (/\.zarr[\\/]*$/i.test(path)) return "zarr";
  throw new TypeError(
    `Cannot write "${path}" as its name says no format: let it end in .h5ad or .zarr, or give ` +
      "the option format",
  );
}
