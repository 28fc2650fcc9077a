/**
 * Cells to annotate: read from a file, or simulated.
 *
 * @module
 */
import { log1p, type Tensor } from "@cellgrad/cellgrad";
import {
  type AnnDataFile,
  type Column,
  highlyVariableGenes,
  normalizeTotal,
  openAnnData,
  readTable,
  simulateCells,
} from "@cellgrad/cellgrad/data";
import { UsageError } from "./arguments.ts";

/** Cells with known types. */
export interface Cells {
  /** Where they come from, in words. */
  source: string;
  /** Whether they were simulated. */
  simulated: boolean;
  /** How many genes were measured. */
  genes: number;
  /** Normalized expression (cells, genes used), on a logarithmic scale unless it came scaled. */
  expression: Tensor;
  /** The type of each cell. */
  labels: Int32Array;
  /** The names of the types. */
  classes: string[];
}

/** Genes beyond this number are dropped, the least variable first. */
const MOST_GENES = 2000;

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
  };
}

/** Cells of a file; every mistake in the arguments is a `UsageError`. */
export async function readCells(path: string, labelKey: string | undefined): Promise<Cells> {
  try {
    return /\.(csv|tsv|txt)$/i.test(path)
      ? await readDelimited(path, labelKey)
      : await readAnnotated(path, labelKey);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(error.message);
  }
}

async function readAnnotated(path: string, labelKey: string | undefined): Promise<Cells> {
  await using file = await openAnnData(path);
  const key = requireKey(labelKey, file.keys.obs);
  const types = cellTypes(key, namesOf(await file.obs(key)));
  const selected = selectGenes(await readExpression(file));
  return { source: fileName(path), simulated: false, ...selected, ...types };
}

/** Counts where there are some, normalized; else what the file holds, best choice first. */
async function readExpression(file: AnnDataFile): Promise<Tensor> {
  if (file.keys.layers.includes("counts")) {
    return normalized(await (await file.layer("counts")).read());
  }
  return normalized(await (file.raw ?? file).X.read());
}

/** Whole numbers are counts: normalized and logarithmic. Anything else is left as it is. */
function normalized(x: Tensor): Tensor {
  const isCount = (value: number) => value >= 0 && Number.isInteger(value);
  return x.data.every(isCount) ? log1p(normalizeTotal(x)) : x;
}

function selectGenes(x: Tensor): { expression: Tensor; genes: number } {
  const genes = x.shape[1]!;
  if (genes <= MOST_GENES) return { expression: x, genes };
  const { indices } = highlyVariableGenes(x, { top: MOST_GENES });
  return { expression: x.gather(indices, { axis: 1 }), genes };
}

/** The names that a column gives the cells, `undefined` where there is none. */
function namesOf(column: Column): (string | undefined)[] {
  if (column.kind === "categorical") {
    return Array.from(column.codes, (code) => column.categories[code]);
  }
  return Array.from(
    column.values as ArrayLike<unknown>,
    (value, i) => column.missing?.[i] ? undefined : String(value),
  );
}

/** Names as types: the different ones in order, and the position of each cell's among them. */
function cellTypes(key: string, names: readonly (string | undefined)[]) {
  const missing = names.findIndex((name) => name === undefined || name === "");
  if (missing >= 0) {
    throw new UsageError(
      `Option --labels must name a complete column: ${key} of cell ${missing} is missing`,
    );
  }
  const classes = [...new Set(names as string[])].sort();
  if (classes.length < 2 || classes.length > names.length / 2) {
    throw new UsageError(
      `Option --labels must name a column of cell types: ${key} has ${classes.length} different ` +
        `values for ${names.length} cells`,
    );
  }
  return { labels: Int32Array.from(names, (name) => classes.indexOf(name!)), classes };
}

async function readDelimited(path: string, labelKey: string | undefined): Promise<Cells> {
  const table = await readTable(path);
  const key = requireKey(labelKey, table.columns);
  const types = cellTypes(key, Array.from(table.column(key), String));
  const numeric = table.columns.filter((name) =>
    name !== key && table.column(name) instanceof Float64Array
  );
  const selected = selectGenes(normalized(table.matrix({ columns: numeric })));
  return { source: fileName(path), simulated: false, ...selected, ...types };
}

function requireKey(key: string | undefined, columns: readonly string[]): string {
  if (key !== undefined && columns.includes(key)) return key;
  throw new UsageError(
    `Option --labels must name the column of the cell types, one of ${
      columns.join(", ") || "none"
    }: current value is ${key ?? "missing"}`,
  );
}

function fileName(path: string): string {
  return path.split(/[\\/]/).filter((part) => part !== "").at(-1) ?? path;
}
