/**
 * Cells of an AnnData file.
 *
 * @module
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { type AnnDataFile, openAnnData, type StoredMatrix } from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import { formatCount } from "../format.ts";
import type { Measured } from "./expression.ts";
import { namesOfColumn } from "./names.ts";
import { listed, namesIn, type Reading } from "./options.ts";
import { type CellFile, wantedColumns } from "./table_file.ts";

/** Reads the cells of an AnnData file. */
export async function readAnnotatedFile(
  path: string,
  where: string,
  reading: Reading,
): Promise<CellFile> {
  await using file = await openAnnData(path);
  const columns = [];
  for (const [option, key] of columnsOf(file, reading)) {
    if (!file.keys.obs.includes(key)) throw noColumn(file, option, key);
    columns.push(namesOfColumn(key, await file.obs(key)));
  }
  const names = await file.obsNames();
  const cellName = (cell: number) => `cell ${names[cell]}`;
  const measured = await readExpression(file, where);
  return { ...chooseGenes({ ...measured, cellName }, reading), columns, notes: [] };
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
): Promise<Omit<Measured, "cellName">> {
  if (file.keys.layers.includes("counts")) {
    const values = await readAll(await file.layer("counts"), `layers/counts of ${name}`);
    const genes = await file.varNames();
    return { where: `layers/counts of ${name}`, values, genes, counts: true };
  }
  const { raw } = file;
  const [part, source] = raw === undefined ? ["X", file] as const : ["raw/X", raw] as const;
  const values = await readAll(source.X, `${part} of ${name}`);
  return { where: `${part} of ${name}`, values, genes: await source.varNames(), counts: false };
}

/** All of a matrix, after what is said where that takes much memory. */
async function readAll(matrix: StoredMatrix, where: string): Promise<Tensor> {
  const note = memoryNote(where, matrix.shape);
  if (note !== undefined) console.log(note);
  return await matrix.read();
}

/**
 * What is said before a matrix is read, where it takes much memory: the demo holds all cells.
 *
 * @param where What messages call it.
 * @param shape How many cells and genes it has.
 * @returns The line; `undefined` below one GiB.
 */
export function memoryNote(where: string, [cells, genes]: readonly number[]): string | undefined {
  const size = cells! * genes! * Float32Array.BYTES_PER_ELEMENT / 2 ** 30;
  if (size < 1) return undefined;
  return `${where}: ${formatCount(cells!)} × ${formatCount(genes!)} take ${
    size.toFixed(1)
  } GiB of ` +
    "memory when they are read, and more while they are prepared; cellLoader of ./data goes over " +
    "files that are larger than memory";
}

/** The genes that are wanted. */
function chooseGenes(measured: Measured, reading: Reading): Measured {
  const { genes, where } = measured;
  const [wanted, ignored] = [namesIn(reading.genes), namesIn(reading.ignore) ?? []];
  if (wanted === undefined && ignored.length === 0) return measured;
  const known = new Set(genes);
  for (const [option, names] of [["--genes", wanted ?? []], ["--ignore", ignored]] as const) {
    const unknown = names.find((name) => !known.has(name));
    if (unknown === undefined) continue;
    throw new UsageError(
      `Option ${option} must name genes of ${where}: there is no ${unknown} among ${listed(genes)}`,
    );
  }
  const chosen = [...genes.keys()].filter((gene) =>
    (wanted?.includes(genes[gene]!) ?? true) && !ignored.includes(genes[gene]!)
  );
  return {
    ...measured,
    values: measured.values.gather(chosen, { axis: 1 }),
    genes: chosen.map((gene) => genes[gene]!),
  };
}
