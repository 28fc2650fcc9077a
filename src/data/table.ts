/**
 * Tables of delimited text: CSV, TSV, or columns between blanks.
 *
 * @module
 */
import { describe } from "../describe.ts";
import {
  checkArray,
  checkBoolean,
  checkChoice,
  checkObject,
  checkText,
  readOptions,
} from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type DelimitedRow, detectDelimiter, splitRows } from "./delimited.ts";
import { type FieldReader, fieldReader, type TableColumn, toColumn } from "./field.ts";
import { type FilePath, pathOf, readBytes } from "./file.ts";
import { otherFormat } from "./signature.ts";

export type { TableColumn } from "./field.ts";

/** Options of {@linkcode readTable} and {@linkcode parseTable}. */
export interface TableOptions {
  /**
   * The character between fields; `" "` stands for any run of blanks and tabs. By default the
   * first of tab, comma and semicolon that the first row has, else blanks.
   */
  delimiter?: string | undefined;
  /** What lines to be left out begin with; `"#"` by default, `""` for none. */
  comment?: string | undefined;
  /**
   * Whether the columns are named. By default they are named by the first row where none of its
   * fields is a number, else by the comment line before it where that has as many fields and no
   * number among them. `true` takes the first row where neither is so; `false` takes none.
   */
  header?: boolean | undefined;
  /**
   * The column that names the rows: its name, `true` for the first or `false` for none. By default
   * the first where its name is empty, or where the header has one field less than the rows.
   */
  rowNames?: boolean | string | undefined;
  /**
   * The fields that stand for missing numbers, as they are written, numbers such as `"-1"` among
   * them; an empty field always does. By default, in any case: `NA`, `N/A`, `NaN`, `null`, `None`,
   * `nil`, `-`, `--`, `.`, `?`, and what spreadsheets and pandas write: `#N/A`, `#NA`, `<NA>`.
   */
  missing?: readonly string[] | undefined;
  /** The mark in front of decimals, `"."` by default, or `","`. */
  decimal?: "." | "," | undefined;
}

/** Options of {@linkcode Table.matrix}. */
export interface MatrixOptions {
  /** The columns to take, in this order, by name or by position from 0; by default all of them. */
  columns?: readonly (string | number)[] | undefined;
  /** The names of columns to leave out; by default none. */
  ignore?: readonly string[] | undefined;
  /** The element type; `"float32"` by default. */
  dtype?: "float32" | "float64" | undefined;
}

const MATRIX = { columns: undefined, ignore: [], dtype: "float32" };
const OPTIONS = ["delimiter", "comment", "header", "rowNames", "missing", "decimal"];

/**
 * A table of named columns, each of numbers or of text.
 *
 * @example Columns and a matrix
 * ```ts
 * import { parseTable } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const table = parseTable("cell,Gata1,Spi1\na,1,2\nb,3,4\n", { rowNames: "cell" });
 * assertEquals(table.rowNames, ["a", "b"]);
 * assertEquals(table.column("Gata1"), new Float64Array([1, 3]));
 * assertEquals(table.matrix().toArray(), [[1, 2], [3, 4]]);
 * ```
 */
export class Table {
  /** What the table is called in messages. */
  readonly #name: string;
  readonly #values: readonly TableColumn[];
  /** The names of the columns, in the order of the file. */
  readonly columns: readonly string[];
  /** The names of the rows, where a column names them. */
  readonly rowNames: readonly string[] | undefined;
  /** How many rows there are, the header not counted. */
  readonly nRows: number;

  /** Internal: use {@linkcode readTable} or {@linkcode parseTable}. */
  constructor(
    name: string,
    columns: readonly string[],
    values: readonly TableColumn[],
    rowNames: readonly string[] | undefined,
    nRows: number,
  ) {
    this.#name = name;
    this.columns = columns;
    this.#values = values;
    this.rowNames = rowNames;
    this.nRows = nRows;
  }

  /**
   * The values of one column. Empty fields, `NA` and their kind are `NaN` among numbers.
   *
   * @param name The name of the column; or its position, from 0, where names occur twice.
   * @returns Numbers where all fields are numbers or missing, else the text of the fields.
   * @throws {RangeError} If there is no such column, or more than one.
   */
  column(name: string | number): TableColumn {
    return this.#values[this.#positionOf(name)]!;
  }

  #positionOf(name: string | number): number {
    if (typeof name === "number") {
      if (name in this.#values) return name;
      throw new RangeError(
        `Cannot read a column of ${this.#name} as its position must be a whole number below ` +
          `${this.columns.length}: current value is ${name}`,
      );
    }
    checkText("column", "name", name);
    const at = this.columns.indexOf(name);
    if (at < 0) {
      throw new RangeError(
        `Cannot read a column of ${this.#name} as name must be one of ` +
          `${listed(this.columns)}: current value is ${name}`,
      );
    }
    if (this.columns.indexOf(name, at + 1) >= 0) {
      throw new RangeError(
        `Cannot read a column of ${this.#name} as more than one has the name ${name}`,
      );
    }
    return at;
  }

  /**
   * The numbers of the table as a tensor of shape [rows, columns].
   *
   * @param options `columns`, by default all; `ignore`, by default none; `dtype`, `"float32"` by
   * default.
   * @returns The tensor.
   * @throws {RangeError} If there is no such column.
   * @throws {TypeError} If a column holds text.
   */
  matrix(options: MatrixOptions = {}): Tensor {
    const { columns, ignore, dtype } = readOptions("matrix", options, MATRIX);
    checkArray("matrix", "ignore", ignore);
    if (columns !== undefined) checkArray("matrix", "columns", columns);
    checkChoice("matrix", "dtype", dtype, ["float32", "float64"]);
    const unknown = ignore.find((name) => !this.columns.includes(name));
    if (unknown !== undefined) this.#positionOf(unknown);
    const chosen = columns?.map((name) => this.#positionOf(name)) ??
      this.columns.map((_, position) => position);
    const positions = chosen.filter((position) => !ignore.includes(this.columns[position]!));
    const text = positions.filter((position) => Array.isArray(this.#values[position]));
    if (text.length > 0) {
      throw new TypeError(
        `Cannot make a matrix of ${this.#name} as its columns must hold numbers: ` +
          `current columns of text are ${listed(text.map((position) => this.columns[position]!))}`,
      );
    }
    const size = this.nRows * positions.length;
    const out = dtype === "float64" ? new Float64Array(size) : new Float32Array(size);
    positions.forEach((position, j) => {
      const column = this.#values[position]!;
      for (let i = 0; i < this.nRows; i++) out[i * positions.length + j] = column[i] as number;
    });
    return fromData(out, [this.nRows, positions.length]);
  }
}

/** How many names a message lists. */
const LISTED = 12;

/** Names in a message: the first ones, where there are many. */
function listed(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(", ");
  return `${names.slice(0, LISTED).join(", ")}, … (${names.length} in all)`;
}

/**
 * Reads a table from a text file in UTF-8. See {@linkcode parseTable} for what is understood.
 *
 * @param path The path of the file.
 * @param options See {@linkcode TableOptions}.
 * @returns The table.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is not UTF-8, is compressed or of another format, which the message
 * names, or rows have different numbers of fields.
 *
 * @example A file that is not there
 * ```ts
 * import { readTable } from "@cellgrad/cellgrad/data";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => readTable("missing.csv"), Error, "does not exist");
 * ```
 */
export async function readTable(path: FilePath, options: TableOptions = {}): Promise<Table> {
  const name = `"${await pathOf(path)}"`;
  const bytes = await readBytes(path);
  const other = otherFormat(bytes);
  if (other !== undefined) throw new SyntaxError(`Cannot read ${name} as ${other}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${name} as it is not text in UTF-8`, { cause });
  }
  return parse(name, text, options);
}

/**
 * Reads a table from delimited text: fields between commas, tabs, semicolons, another character or
 * blanks; quotes around fields, doubled within them, also around line ends; comment lines; names of
 * columns and rows.
 *
 * Source: RFC 4180 for quotes and line ends.
 *
 * @param text The text.
 * @param options See {@linkcode TableOptions}.
 * @returns The table.
 * @throws {SyntaxError} If there are no rows, rows have different numbers of fields, or a quote is
 * not closed. The message names the line.
 * @throws {TypeError} If an option is unknown, or does not have one of its values.
 * @throws {RangeError} If there is no column of the name `rowNames`.
 *
 * @example Columns between blanks, named by a comment
 * ```ts
 * import { parseTable } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const table = parseTable("# seed = 0\n# it  Gata2\n   0  0.80\n   1  0.72\n");
 * assertEquals(table.columns, ["it", "Gata2"]);
 * assertEquals(table.column("Gata2"), new Float64Array([0.80, 0.72]));
 * ```
 */
export function parseTable(text: string, options: TableOptions = {}): Table {
  return parse("the table", text, options);
}

function parse(name: string, text: string, options: TableOptions): Table {
  checkText("parseTable", "text", text);
  checkObject("parseTable", "options", options);
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) {
      throw new TypeError(
        `Cannot read ${name} as its options must be among ${OPTIONS.join(", ")}: ` +
          `current option is ${key}`,
      );
    }
  }
  const reader = fieldReader(name, options);
  const comment = options.comment ?? "#";
  checkText("parseTable", "comment", comment);
  if (options.header !== undefined) checkBoolean("parseTable", "header", options.header);
  if (typeof options.rowNames !== "string" && options.rowNames !== undefined) {
    checkBoolean("parseTable", "rowNames", options.rowNames);
  }
  const clean = text.replace(/^\ufeff/, "");
  const delimiter = options.delimiter ?? detectDelimiter(clean, comment, reader.decimal);
  if (
    typeof delimiter !== "string" || delimiter.length !== 1 || delimiter === '"' ||
    delimiter === "\n"
  ) {
    throw new TypeError(
      `Cannot read ${name} as delimiter must be one character, and neither a quote nor a line ` +
        `end: current value is ${describe(delimiter)}`,
    );
  }
  const { rows, comment: lastComment } = splitRows(name, clean, delimiter, comment);
  if (rows.length === 0) throw new SyntaxError(`Cannot read ${name} as it has no rows`);
  const commented = lastComment === undefined ? undefined : splitComment(lastComment, delimiter);
  const header = findHeader(rows, commented, options.header, reader);
  checkWidths(name, rows, header);
  return assemble(name, rows, header?.fields, options.rowNames, reader);
}

/** The fields of a comment, which need not be a row of fields at all. */
function splitComment(comment: string, delimiter: string): DelimitedRow | undefined {
  try {
    return splitRows("the comment", comment.trim(), delimiter, "").rows[0];
  } catch {
    return undefined;
  }
}

/** The row of names, taken out of `rows` where it is the first of them. */
function findHeader(
  rows: DelimitedRow[],
  commented: DelimitedRow | undefined,
  wanted: boolean | undefined,
  reader: FieldReader,
): DelimitedRow | undefined {
  if (wanted === false) return undefined;
  const isNamed = (row: DelimitedRow) => !row.fields.some((field) => reader.isNumber(field));
  if (isNamed(rows[0]!)) return rows.shift();
  const fits = commented?.fields.length === rows[0]!.fields.length && isNamed(commented);
  return fits ? commented : wanted === true ? rows.shift() : undefined;
}

function checkWidths(
  name: string,
  rows: DelimitedRow[],
  header: DelimitedRow | undefined,
): void {
  const named = header?.fields.length;
  const first = rows[0]?.fields.length ?? named;
  // Writers in R leave the name of the column of row names out.
  const width = first === named || first === named! + 1 ? first : named ?? first;
  for (const row of rows) {
    if (row.fields.length === width) continue;
    throw new SyntaxError(
      `Cannot read ${name} as line ${row.line} must have ${width} fields, as the ` +
        `${named === undefined ? "first row" : "header"} has: ` +
        `current number is ${row.fields.length}`,
    );
  }
}

function assemble(
  name: string,
  rows: DelimitedRow[],
  header: string[] | undefined,
  rowNames: boolean | string | undefined,
  reader: FieldReader,
): Table {
  const width = rows[0]?.fields.length ?? header!.length;
  const names = header ?? Array.from({ length: width }, (_, j) => `${j}`);
  if (names.length < width) names.unshift("");
  const at = typeof rowNames === "string"
    ? names.indexOf(rowNames)
    : rowNames ?? (header !== undefined && names[0] === "")
    ? 0
    : undefined;
  if (at === -1) {
    throw new RangeError(
      `Cannot read ${name} as rowNames must be one of ${listed(names)}: ` +
        `current value is ${rowNames}`,
    );
  }
  const columns = names.map((_, j) => rows.map((row) => row.fields[j]!));
  const own = at === undefined ? undefined : columns[at];
  const kept = <T>(values: T[]) => values.filter((_, j) => j !== at);
  const values = kept(columns).map((fields) => toColumn(fields, reader));
  return new Table(name, kept(names), values, own, rows.length);
}
