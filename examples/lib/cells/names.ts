/** What a column calls each cell: its type, or its batch. */
import type { Column } from "@cellgrad/cellgrad/data";
import { UsageError } from "../usage_error.ts";

/** The names that a column gives the cells. */
export interface CellNames {
  /** The column. */
  key: string;
  /** The name of each cell, `undefined` where it is missing. */
  names: readonly (string | undefined)[];
  /** The different names: as the file lists categories, numbers by size, text by its letters. */
  order: readonly string[];
}

/** Names that stand for none: alike in text, among categories and among numbers. */
const MISSING = /^(?:|[+-]?nan|#?na|#?n\/a|<na>|null|none|nil|--?|\.|\?|-1)$/i;

function clean(text: string): string | undefined {
  const name = text.trim();
  return MISSING.test(name) ? undefined : name;
}

/** The names in a column of an AnnData file. */
export function namesOfColumn(key: string, column: Column): CellNames {
  if (column.kind === "categorical") {
    const categories = column.categories.map(clean);
    const names = Array.from(column.codes, (code) => categories[code]);
    return { key, names, order: present(categories, names) };
  }
  const { kind, missing } = column;
  const text = (value: unknown) => kind === "boolean" ? String(value === 1) : String(value);
  const names = Array.from(
    column.values as ArrayLike<unknown>,
    (value, i) => missing?.[i] ? undefined : clean(text(value)),
  );
  return { key, names, order: sorted(names, kind === "numeric") };
}

/** The names in a column of a table. */
export function namesOfValues(key: string, values: Float64Array | readonly string[]): CellNames {
  const names = Array.from<string | number, string | undefined>(
    values,
    (value) => clean(String(value)),
  );
  return { key, names, order: sorted(names, !Array.isArray(values)) };
}

/** Those of the names that some cell has, once each. */
function present(
  order: readonly (string | undefined)[],
  names: readonly (string | undefined)[],
): string[] {
  const used = new Set(names);
  return [...new Set(order)].filter((name) => name !== undefined && used.has(name)) as string[];
}

function sorted(names: readonly (string | undefined)[], numeric: boolean): string[] {
  const different = [...new Set(names)].filter((name) => name !== undefined);
  return numeric ? different.sort((a, b) => Number(a) - Number(b)) : different.sort();
}

/** Names as numbers: which of `classes` each of some cells has. */
export interface Coded {
  /** The position of each cell's name in `classes`. */
  codes: Int32Array;
  /** The different names. */
  classes: string[];
}

/**
 * The names of the cells that are kept, as numbers; throws `UsageError` where there are fewer than
 * two different ones, or nearly as many as cells.
 */
export function coded(option: string, what: string, column: CellNames, kept: Int32Array): Coded {
  const own = Array.from(kept, (cell) => column.names[cell]!);
  const classes = present(column.order, own);
  if (classes.length < 2 || classes.length > kept.length / 2) {
    throw new UsageError(
      `Option ${option} must name a column of ${what}: ${column.key} has ${classes.length} ` +
        `different values for ${kept.length} cells`,
    );
  }
  const position = new Map(classes.map((name, i) => [name, i]));
  return { codes: Int32Array.from(own, (name) => position.get(name)!), classes };
}

/** The cells that have a name in each of the columns, and what to say of the others. */
export function labelled(
  columns: readonly CellNames[],
  cellName: (cell: number) => string,
  unlabelled: "drop" | "error",
): { kept: Int32Array; notes: string[] } {
  const count = columns[0]!.names.length;
  const notes: string[] = [];
  for (const { key, names } of columns) {
    const first = names.indexOf(undefined);
    if (first < 0) continue;
    const missing = names.filter((name) => name === undefined).length;
    const where = `${missing} of ${count} cells, the first of them ${cellName(first)}`;
    if (unlabelled === "error" || missing === count) {
      throw new UsageError(`Column ${key} must name every cell: it is missing in ${where}`);
    }
    notes.push(`${key} is missing in ${where}: left out (--unlabelled error refuses them)`);
  }
  const kept = Int32Array.from(Array(count).keys())
    .filter((cell) => columns.every(({ names }) => names[cell] !== undefined));
  return { kept, notes };
}
