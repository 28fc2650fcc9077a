/** Cells of a table: a row per cell, a column per gene. */
import { readTable, type Table } from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import type { Measured } from "./expression.ts";
import { noGene } from "./genes.ts";
import { type CellNames, namesOfValues } from "./names.ts";
import { chosenNames, listed, type Reading } from "./options.ts";

export interface CellFile extends Measured {
  /** The names of types and, where they are wanted, batches. */
  columns: CellNames[];
  /** What was left out, in words. */
  notes: string[];
}

export async function readTableFile(
  path: string,
  where: string,
  reading: Reading,
): Promise<CellFile> {
  const table = await namedTable(path, where, reading);
  const columns = wantedColumns(reading).map(([option, key]) => {
    const at = positionOf(table, where, option, key);
    return { at, ...namesOfValues(key, table.column(at)) };
  });
  const cellName = namesOfRows(table);
  const { positions, notes } = genePositions(table, where, reading, columns, cellName);
  return {
    where,
    values: table.matrix({ columns: positions }),
    genes: positions.map((position) => table.columns[position]!),
    cellName,
    counts: false,
    columns,
    notes,
  };
}

/** The options that name columns, and the columns. */
export function wantedColumns({ labels, batch }: Reading): [string, string][] {
  if (labels === undefined) throw new UsageError("Option --data needs --labels KEY as well");
  return [["--labels", labels], ...batch === undefined ? [] : [["--batch", batch]] as const] as [
    string,
    string,
  ][];
}

/** The table; its first row names the columns where the column of the types is among them. */
async function namedTable(
  path: string,
  where: string,
  { labels, header = false, decimal }: Reading,
): Promise<Table> {
  const table = await readTable(path, header ? { header, decimal } : { decimal });
  if (header || (labels !== undefined && table.columns.includes(labels))) return table;
  const named = await readTable(path, { header: true, decimal });
  if (labels !== undefined && named.columns.includes(labels)) return named;
  throw noColumn(named, where, "--labels", labels);
}

function positionOf(table: Table, where: string, option: string, key: string): number {
  const at = table.columns.indexOf(key);
  if (at < 0) throw noColumn(table, where, option, key);
  if (table.columns.indexOf(key, at + 1) < 0) return at;
  throw new UsageError(`Option ${option} must name one column: ${where} has two called ${key}`);
}

function noColumn(
  table: Table,
  where: string,
  option: string,
  key: string | undefined,
): UsageError {
  const { columns } = table;
  const what = option === "--labels" ? "the cell types" : "the batches";
  const transposed = key !== undefined && hasGenesInRows(table, key)
    ? `; ${where} seems to have genes in rows and cells in columns: turn it round (transpose it)`
    : "";
  return new UsageError(
    `Option ${option} must name the column of ${what}, one of ${listed(columns)}: ` +
      `current value is ${key ?? "missing"}${transposed}`,
  );
}

const BARCODE = /^(?:.*[_:#-])?[ACGT]{8,}(?:-\d+)?$/;

/** Whether rows seem to be genes: one is called as the labels are, or columns as cells are. */
function hasGenesInRows(table: Table, key: string): boolean {
  const { columns, rowNames } = table;
  const first = rowNames ?? (columns.length > 0 ? table.column(0) : []);
  if (!Array.isArray(first)) return columns.some((name) => BARCODE.test(name));
  if (first.includes(key) || columns.some((name) => BARCODE.test(name))) return true;
  const others = columns.slice(rowNames === undefined ? 1 : 0);
  const isText = (_: string, i: number) =>
    Array.isArray(table.column(rowNames === undefined ? i + 1 : i));
  return new Set(first).size === first.length && others.length > 1 && !others.some(isText);
}

/** What cells are called: the names of rows, else the first column of different texts. */
function namesOfRows(table: Table): (cell: number) => string {
  const values = table.columns.map((_, position) => table.column(position));
  const names = table.rowNames ??
    values.find((column): column is string[] =>
      Array.isArray(column) && new Set(column).size === column.length && !isMostlyNumbers(column)
    );
  return (cell) =>
    names === undefined ? `row ${cell + 1}` : `cell ${names[cell]} (row ${cell + 1})`;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const COMMA_NUMBER = /^[+-]?\d*,\d+$/;

const isNumber = (field: string) => NUMBER.test(field.trim());

function isMostlyNumbers(fields: readonly string[]): boolean {
  return 2 * fields.filter(isNumber).length >= Math.max(1, fields.length);
}

/** Which columns are genes, and what to say of the others. */
function genePositions(
  table: Table,
  where: string,
  reading: Reading,
  labels: readonly (CellNames & { at: number })[],
  cellName: (cell: number) => string,
): { positions: number[]; notes: string[] } {
  const others = [...table.columns.keys()].filter((at) => !labels.some((label) => label.at === at));
  const { wanted, isChosen } = chosenNames(reading, table.columns, "columns", where);
  const nameOf = (at: number) => table.columns[at]!;
  const candidates = others.filter((at) => isChosen(nameOf(at)));
  const text: string[] = [];
  const suspects: string[] = [];
  const positions = candidates.filter((at) => {
    const values = table.column(at);
    if (Array.isArray(values)) {
      if (wanted !== undefined || isMostlyNumbers(values)) {
        throw notANumber(where, nameOf(at), values, cellName);
      }
      const comma = values.find((field) => COMMA_NUMBER.test(field.trim()));
      if (comma !== undefined) throw decimalComma(where, nameOf(at), comma);
      text.push(nameOf(at));
      return false;
    }
    const reason = wanted === undefined ? noGene(nameOf(at), values, labels) : undefined;
    if (reason !== undefined) suspects.push(`${nameOf(at)} (${reason})`);
    return reason === undefined;
  });
  const notes: string[] = [];
  if (text.length > 0) notes.push(`columns of text are left out: ${listed(text)}`);
  if (suspects.length > 0) {
    notes.push(
      `columns of numbers that seem to be no genes are left out: ${listed(suspects)}; ` +
        `--genes takes those that it names`,
    );
  }
  const twice = new Set(positions.map(nameOf)).size < positions.length;
  if (twice) notes.push("some genes have the same name: each column is a gene of its own");
  return { positions, notes };
}

function decimalComma(where: string, column: string, field: string): UsageError {
  return new UsageError(
    `Cannot use ${where} as column ${column} holds "${field}": where commas stand in front of ` +
      `decimals, give --decimal=, (and --ignore ${column} where they do not)`,
  );
}

function notANumber(
  where: string,
  gene: string,
  values: readonly string[],
  cellName: (cell: number) => string,
): UsageError {
  const cell = values.findIndex((field) => !isNumber(field));
  const { length } = values.filter((field) => !isNumber(field));
  const more = length > 1 ? `, as ${length - 1} more are` : "";
  return new UsageError(
    `Cannot use ${where} as gene ${gene} of ${cellName(cell)} is "${values[cell]}", which is no ` +
      `number${more}: mend it, or leave the column out with --ignore ${gene}`,
  );
}
