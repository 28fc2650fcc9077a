/** Cells from a table that a reader brings along. */
import { tensor } from "@cellgrad/cellgrad";
import { parseTable } from "../../src/data/read_table.ts";
import type { Table } from "../../src/data/table.ts";
import { namesOfValues } from "../lib/cells/names.ts";
import { type Cells, prepareCells } from "./cells.ts";

/** Bounds of what the page takes. */
export const LIMITS: {
  readonly bytes: number;
  readonly cells: number;
  readonly genes: number;
  readonly classes: number;
  readonly least: number;
} = { bytes: 50e6, cells: 2000, genes: 500, classes: 50, least: 12 };

export interface TableFile {
  name: string;
  table: Table;
}

/** Reads a file of delimited text. */
export async function readTableFile(file: File): Promise<TableFile> {
  const fail = (why: string) => new SyntaxError(`Cannot read "${file.name}" as ${why}`);
  if (file.size > LIMITS.bytes) {
    throw new RangeError(
      `Cannot read "${file.name}" as it must have at most ${LIMITS.bytes / 1e6} MB: ` +
        `current size is ${(file.size / 1e6).toFixed(1)} MB`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw fail("it is not text in UTF-8: save it as CSV");
  }
  let table: Table;
  try {
    table = parseTable(text, { header: true });
  } catch (error) {
    throw new SyntaxError((error as Error).message.replace("the table", `"${file.name}"`));
  }
  const { columns, nRows } = table;
  if (columns.every((name) => name.trim() !== "" && Number.isFinite(Number(name)))) {
    throw fail("its first line must name the columns: current first line holds numbers");
  }
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) throw fail(`two of its columns are called ${twice}`);
  if (columns.length < 2) throw fail("it has a single column: cells need values and a type");
  if (nRows < LIMITS.least) {
    throw fail(
      `it must have at least ${LIMITS.least} rows, one per cell: current number is ${nRows}`,
    );
  }
  return { name: file.name, table };
}

/**
 * The column that most likely holds the types of cells: the last of text, else one of few values.
 */
export function guessLabels(table: Table): string {
  const few = table.columns.filter((name) => {
    const values: readonly (string | number)[] | Float64Array = table.column(name);
    return new Set<string | number>(values).size <= LIMITS.classes;
  });
  const text = few.filter((name) => Array.isArray(table.column(name)));
  const whole = few.filter((name) =>
    Array.from<string | number>(table.column(name)).every(Number.isInteger)
  );
  return text.at(-1) ?? whole.at(-1) ?? table.columns.at(-1)!;
}

/** Which columns say what cells are. */
export interface ColumnChoice {
  /** The column of the types. */
  labels: string;
  /** The column of the batches; without one, cells are put into two batches by turns. */
  batches: string | undefined;
}

/** Cells of a table: columns of numbers are genes, except for those that hold types and batches. */
export function cellsOfTable(
  { name, table }: TableFile,
  choice: ColumnChoice,
): { cells: Cells; notes: string[] } {
  const [types, given] = [choice.labels, choice.batches]
    .map((key) => key === undefined ? undefined : namesOfValues(key, table.column(key)).names);
  const labelled = [...Array(table.nRows).keys()]
    .filter((row) =>
      types![row] !== undefined && (given === undefined || given[row] !== undefined)
    );
  const rows = spread(labelled.length, LIMITS.cells).map((i) => labelled[i]!);
  const labels = codes(name, choice.labels, types!, rows, "types");
  const batches = given === undefined
    ? { codes: Int32Array.from(rows, (_, i) => i % 2), names: ["first half", "second half"] }
    : codes(name, choice.batches!, given, rows, "batches");
  const others = table.columns.filter((c) => c !== choice.labels && c !== choice.batches);
  const numeric = others.filter((c) => !Array.isArray(table.column(c)));
  if (numeric.length === 0) {
    throw new TypeError(`Cannot use "${name}" as it has no column of numbers besides the types`);
  }
  const genes = mostVariable(name, table, numeric, rows);
  const values = new Float64Array(rows.length * genes.length);
  genes.forEach((gene, j) => {
    const column = table.column(gene);
    rows.forEach((row, i) => values[i * genes.length + j] = column[row] as number);
  });
  const isPositive = values.every((x) => x >= 0);
  const isCount = isPositive && values.every(Number.isInteger);
  const x = tensor(values, { shape: [rows.length, genes.length] });
  const narrow = x.cast("float32");
  const cells = prepareCells({
    source:
      `${name}: ${rows.length} cells, ${genes.length} columns, ${labels.names.length} types, ` +
      `${batches.names.length} batches`,
    expression: isPositive ? narrow : undefined,
    counts: isCount ? narrow : undefined,
    motion: undefined,
    labels: tensor(labels.codes),
    classes: labels.names,
    batches: tensor(batches.codes),
    batchNames: batches.names,
  }, x);
  return { cells, notes: notesOn({ table, labelled, rows, others, numeric, genes, choice }) };
}

/** At most `most` of the rows, evenly spread. */
function spread(count: number, most: number): number[] {
  const kept = Math.min(count, most);
  return Array.from({ length: kept }, (_, i) => Math.floor(i * count / kept));
}

function codes(
  file: string,
  column: string,
  given: readonly (string | undefined)[],
  rows: readonly number[],
  what: string,
): { codes: Int32Array; names: string[] } {
  if (rows.length < LIMITS.least) {
    throw new RangeError(
      `Cannot use "${file}" as column ${column} must name one of the ${what} in at least ` +
        `${LIMITS.least} rows: current number is ${rows.length}`,
    );
  }
  const own = rows.map((row) => given[row]!);
  const names = [...new Set(own)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (names.length < 2 || names.length > LIMITS.classes) {
    throw new RangeError(
      `Cannot use "${file}" as column ${column} must hold 2 to ${LIMITS.classes} ${what}: ` +
        `current number is ${names.length}`,
    );
  }
  const positions = new Map(names.map((name, i) => [name, i]));
  return { codes: Int32Array.from(own, (value) => positions.get(value)!), names };
}

/** The columns that vary most, in the order of the file; throws where a number is missing. */
function mostVariable(
  file: string,
  table: Table,
  columns: readonly string[],
  rows: readonly number[],
): string[] {
  const variances = columns.map((name) => {
    const values = table.column(name);
    const own = rows.map((row) => values[row] as number);
    const bad = own.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new TypeError(
        `Cannot use "${file}" as every number must be there and finite: row ${rows[bad]! + 1} of ` +
          `column ${name} is ${Number.isNaN(own[bad]) ? "empty or not a number" : own[bad]}`,
      );
    }
    const mean = own.reduce((sum, x) => sum + x, 0) / own.length;
    return own.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  });
  const order = columns.map((_, i) => i).sort((a, b) => variances[b]! - variances[a]!);
  const chosen = new Set(order.slice(0, LIMITS.genes).filter((i) => variances[i]! > 0));
  if (chosen.size === 0) {
    throw new TypeError(`Cannot use "${file}" as none of its columns of numbers varies`);
  }
  return columns.filter((_, i) => chosen.has(i));
}

function notesOn(
  { table: { nRows }, labelled, rows, others, numeric, genes, choice }: {
    table: Table;
    labelled: readonly number[];
    rows: readonly number[];
    others: readonly string[];
    numeric: readonly string[];
    genes: readonly string[];
    choice: ColumnChoice;
  },
): string[] {
  const notes: string[] = [];
  const text = others.filter((column) => !numeric.includes(column));
  const unlabelled = nRows - labelled.length;
  if (unlabelled > 0) {
    const what = choice.batches === undefined ? "type" : "type or batch";
    notes.push(`Rows left out as their ${what} is missing: ${unlabelled} of ${nRows}.`);
  }
  if (rows.length < labelled.length) {
    notes.push(`Of ${labelled.length} rows, ${rows.length} are used, evenly spread.`);
  }
  if (text.length > 0) notes.push(`Left out as they hold text: ${text.join(", ")}.`);
  if (genes.length < numeric.length) {
    notes.push(
      `Of ${numeric.length} columns of numbers, the ${genes.length} that vary most are used.`,
    );
  }
  if (choice.batches === undefined) notes.push("Without batches, cells belong to two by turns.");
  return notes;
}
