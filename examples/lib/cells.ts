/** Cells to annotate: read from a file, or simulated. */
import { log1p, type Tensor } from "@cellgrad/cellgrad";
import { normalizeTotal, simulateCells } from "@cellgrad/cellgrad/data";
import { UsageError } from "./arguments.ts";
import { readAnnotatedFile } from "./cells/annotated_file.ts";
import { prepare } from "./cells/expression.ts";
import { type Expression, takeCells } from "./cells/matrix.ts";
import { coded, labelled } from "./cells/names.ts";
import type { Reading } from "./cells/options.ts";
import { type CellFile, readTableFile } from "./cells/table_file.ts";

/** Cells with known types; their expression is a tensor where nothing else is said. */
export interface Cells<X extends Expression = Tensor> {
  /** Where they come from, in words. */
  source: string;
  simulated: boolean;
  /** How many genes were measured. */
  genes: number;
  /** Normalized expression (cells, genes used), on a logarithmic scale unless it came scaled. */
  expression: X;
  /** The type of each cell. */
  labels: Int32Array;
  /** The names of the types, in the order of the file's categories where it has some. */
  classes: string[];
  /** What was left out and what was done, in words, for cells of a file. */
  notes: string[];
}

export interface CellsInBatches<X extends Expression = Tensor> extends Cells<X> {
  /** The batch of each cell, where they were asked for. */
  batches?: Int32Array;
  batchNames?: string[];
}

/** Simulated cells: 600 of 6 types. */
export function simulatedCells(seed: number): Cells {
  const { counts, labels, typeNames } = simulateCells({ seed });
  return {
    source: "simulateCells()",
    simulated: true,
    genes: counts.shape[1]!,
    expression: log1p(normalizeTotal(counts)),
    labels,
    classes: typeNames,
    notes: [],
  };
}

/** The most bytes of values and zeros that are held where few of them are not zero: 256 MiB. */
const MOST_BYTES = 2 ** 28;

/**
 * Cells of a file, all values of which are held; throws `UsageError`, in one line that names cell
 * and gene, where it cannot be used.
 */
export async function readCells(
  path: string,
  labels: string | undefined,
  reading: Omit<Reading, "labels"> = {},
): Promise<CellsInBatches> {
  return await readManyCells(path, labels, reading, Infinity) as CellsInBatches;
}

/**
 * The same without the zeros of an AnnData file that has many, where these take more bytes, as
 * `float32`.
 */
export async function readManyCells(
  path: string,
  labels: string | undefined,
  reading: Omit<Reading, "labels">,
  mostBytes: number = MOST_BYTES,
): Promise<CellsInBatches<Expression>> {
  try {
    const read = /\.(csv|tsv|tab|txt)$/i.test(path) ? readTableFile : readAnnotatedFile;
    const source = fileName(path);
    const file = await read(path, source, { ...reading, labels }, mostBytes);
    return { source, simulated: false, ...usable(file, reading.unlabelled ?? "drop") };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(error.message);
  }
}

/** The cells that are labelled, with prepared expression. */
function usable(file: CellFile, unlabelled: "drop" | "error") {
  const { kept, notes } = labelled(file.columns, file.cellName, unlabelled);
  const [types, batches] = file.columns;
  const { codes: labels, classes } = coded("--labels", "cell types", types!, kept);
  const all = kept.length === file.values.shape[0];
  const prepared = prepare({
    ...file,
    values: all ? file.values : takeCells(file.values, kept),
    cellName: (cell) => file.cellName(kept[cell]!),
  });
  const { genes, expression } = prepared;
  const said = [...file.notes, ...notes, ...prepared.notes];
  const cells = { genes, expression, labels, classes, notes: said };
  if (batches === undefined) return cells;
  const known = coded("--batch", "batches", batches, kept);
  return { ...cells, batches: known.codes, batchNames: known.classes };
}

/**
 * The same cells with their types in the order of their names, and where each name was before: what
 * is learned shall not depend on the order in which a file lists its categories.
 */
export function sortTypes(
  { labels, classes }: Pick<Cells, "labels" | "classes">,
): Pick<Cells, "labels" | "classes"> & { before: Int32Array } {
  const sorted = [...classes].sort();
  const position = new Map(sorted.map((name, i) => [name, i]));
  return {
    labels: labels.map((label) => position.get(classes[label]!)!),
    classes: sorted,
    before: Int32Array.from(sorted, (name) => classes.indexOf(name)),
  };
}

/**
 * Says what was left out of a file and what was done with it, a line each; nothing of simulated
 * cells.
 */
export function announceNotes({ notes }: Pick<Cells, "notes">, scaledBy: string): void {
  if (notes.length === 0) return;
  for (const note of [...notes, `genes are scaled to z-scores by ${scaledBy}`]) {
    console.log(`  ${note}`);
  }
}

function fileName(path: string): string {
  return path.split(/[\\/]/).filter((part) => part !== "").at(-1) ?? path;
}
