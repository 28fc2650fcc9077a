/** Cells of an AnnData file. */
import { type AnnDataFile, openAnnData, type StoredMatrix } from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import { evenlySpread } from "../evenly_spread.ts";
import { formatCount } from "../format.ts";
import type { Measured } from "./expression.ts";
import { type Expression, takeGenes } from "./matrix.ts";
import { namesOfColumn } from "./names.ts";
import { chosenNames, listed, type Reading } from "./options.ts";
import { type CellFile, wantedColumns } from "./table_file.ts";

/** Reads the cells of an AnnData file; beyond so many bytes without their zeros, where these are many. */
export async function readAnnotatedFile(
  path: string,
  where: string,
  reading: Reading,
  mostBytes: number,
): Promise<CellFile> {
  await using file = await openAnnData(path);
  const columns = [];
  for (const [option, key] of columnsOf(file, reading)) {
    if (!file.keys.obs.includes(key)) throw noColumn(file, option, key);
    columns.push(namesOfColumn(key, await file.obs(key)));
  }
  const names = await file.obsNames();
  const cellName = (cell: number) => `cell ${names[cell]}`;
  const { notes, ...measured } = await readExpression(file, where, mostBytes);
  return { ...chooseGenes({ ...measured, cellName }, reading), columns, notes };
}

function columnsOf(file: AnnDataFile, reading: Reading): [string, string][] {
  if (reading.labels === undefined) throw noColumn(file, "--labels", undefined);
  return wantedColumns(reading);
}

function noColumn({ keys }: AnnDataFile, option: string, key: string | undefined): UsageError {
  const what = option === "--labels" ? "the column of the cell types" : "a column of the cells";
  return new UsageError(
    `Option ${option} must name ${what}, one of ${listed(keys.obs)}: ` +
      `current value is ${key ?? "missing"}`,
  );
}

/** Counts where the file names them, else what was set aside, else the main matrix. */
async function readExpression(
  file: AnnDataFile,
  name: string,
  mostBytes: number,
): Promise<Omit<Measured & CellFile, "cellName" | "columns">> {
  const { raw } = file;
  const counts = file.keys.layers.includes("counts");
  const [part, matrix, source] = counts
    ? ["layers/counts", await file.layer("counts"), file] as const
    : raw === undefined
    ? ["X", file.X, file] as const
    : ["raw/X", raw.X, raw] as const;
  const where = `${part} of ${name}`;
  return {
    where,
    ...await readAll(matrix, where, mostBytes),
    genes: await source.varNames(),
    counts,
  };
}

/** All of a matrix, after what is said where that takes much memory. */
async function readAll(
  matrix: StoredMatrix,
  where: string,
  mostBytes: number,
): Promise<{ values: Expression; notes: string[] }> {
  const { shape } = matrix;
  const dense = shape[0] * shape[1] * Float32Array.BYTES_PER_ELEMENT;
  const sparse = dense > mostBytes ? 2 * dense * await shareOfEntries(matrix) : Infinity;
  const note = memoryNote(where, shape, Math.min(dense, sparse));
  if (note !== undefined) console.log(note);
  if (dense <= sparse) return { values: await matrix.read(), notes: [] };
  const values = (await matrix.readSparse()).asFormat("csr");
  return { values, notes: [`zeros are not held: with them expression takes ${inGiB(dense)}`] };
}

/** How many cells are looked at to say how many zeros there are. */
const LOOKED_AT = 256;

/** The share of the values that are not zero, of which each takes its column's place in memory, too. */
async function shareOfEntries(matrix: StoredMatrix): Promise<number> {
  const { data } = await matrix.readRows(evenlySpread(matrix.shape[0], LOOKED_AT));
  let entries = 0;
  for (let i = 0; i < data.length; i++) entries += Number(data[i] !== 0);
  return entries / data.length;
}

/** What is said before a matrix is read that takes a GiB of memory or more. */
export function memoryNote(
  where: string,
  [cells, genes]: readonly number[],
  bytes: number,
): string | undefined {
  if (bytes < GIB) return undefined;
  return `${where}: ${formatCount(cells!)} × ${formatCount(genes!)} take ${inGiB(bytes)} of ` +
    "memory when they are read, and more while they are prepared; cellLoader of ./data goes over " +
    "files that are larger than memory";
}

const GIB = 2 ** 30;

function inGiB(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function chooseGenes(measured: Measured, reading: Reading): Measured {
  const { genes, where } = measured;
  const { isChosen } = chosenNames(reading, genes, "genes", where);
  const chosen = [...genes.keys()].filter((gene) => isChosen(genes[gene]!));
  if (chosen.length === genes.length) return measured;
  return {
    ...measured,
    values: takeGenes(measured.values, Int32Array.from(chosen)),
    genes: chosen.map((gene) => genes[gene]!),
  };
}
