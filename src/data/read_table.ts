/**
 * Tables of delimited text: CSV, TSV, or columns between blanks.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkArray, checkBoolean, checkObject, checkText, refuseMore } from "../options.ts";
import { type DelimitedRow, detectDelimiter, splitRows } from "./delimited.ts";
import { type FieldReader, fieldReader, type TableColumn, toColumn } from "./field.ts";
import { gunzip, isGzip } from "./gzip.ts";
import { otherFormat } from "./signature.ts";
import { type DataSource, LONGEST_TEXT, readBytes, utf8Text } from "./source.ts";
import { listed, Table } from "./table.ts";

/** Options of {@linkcode readTable} and {@linkcode parseTable}. */
export interface TableOptions {
  /**
   * The character between fields; `" "` stands for any run of blanks and tabs. By default the
   * first of tab, comma and semicolon that the first row has, the tab also where that row is a
   * single name and the second has a tab; else blanks.
   */
  delimiter?: string | undefined;
  /** What lines to be left out begin with; `"#"` by default, `""` for none. */
  comment?: string | undefined;
  /**
   * Whether the columns are named. By default they are named by the first row where none of its
   * fields is a number, else by the comment line before it where that has as many fields and no
   * number among them. What pandas writes of an array is seen, too: 0, 1, 2, … behind an empty
   * field, and below it. `true` takes the first row where neither is so; `false` takes none.
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
  /** The names of the columns that {@linkcode Table.matrix} takes; by default all. */
  genes?: readonly string[] | undefined;
  /** The names of columns to leave out of the table; by default none. */
  ignore?: readonly string[] | undefined;
}

const OPTIONS = [
  "delimiter",
  "comment",
  "header",
  "rowNames",
  "missing",
  "decimal",
  "genes",
  "ignore",
];

/**
 * Reads a table from text in UTF-8, which may be compressed by gzip. See {@linkcode parseTable} for
 * what is understood.
 *
 * @param source Where the text is: see {@linkcode DataSource}.
 * @param options See {@linkcode TableOptions}.
 * @returns The table.
 * @throws {Error} If there is no such file.
 * @throws {SyntaxError} If it is not UTF-8, is damaged, of another compression or another format, which the message
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
export async function readTable(
  source: DataSource,
  options: TableOptions = {},
): Promise<Table> {
  if (arguments.length > 2) refuseMore("readTable", "options", 2, arguments);
  const { name, bytes } = await readBytes(source);
  return (await parseTableBytes("readTable", name, bytes, options)).table;
}

/** Who reads a table, as messages name it. */
type Caller = "readTable" | "parseTable" | "openCells";

/** The table of the bytes of a file, and what the file is. */
export async function parseTableBytes(
  caller: Caller,
  name: string,
  given: Uint8Array<ArrayBuffer>,
  options: TableOptions,
): Promise<{ table: Table; format: string }> {
  if (isParquet(given)) {
    const { parseParquet } = await import("./parquet.ts");
    checkTableOptions(caller, name, options);
    const { index, columns } = await parseParquet(name, given);
    const rowNames = options.rowNames ?? index;
    const table = assemble(name, [...columns.keys()], [...columns.values()], {
      ...options,
      rowNames,
    });
    return { table, format: "Parquet table" };
  }
  const bytes = isGzip(given) ? await gunzip(given, name, LONGEST_TEXT) : given;
  const other = otherFormat(bytes);
  if (other !== undefined) throw new SyntaxError(`Cannot read ${name} as ${other}`);
  const text = utf8Text(name, bytes);
  return { table: parse(caller, name, text, options), format: "table of delimited text" };
}

function isParquet(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 4)) === "PAR1";
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
  if (arguments.length > 2) refuseMore("parseTable", "options", 2, arguments);
  return parse("parseTable", "the table", text, options);
}

/** Throws where an option does not exist, or a list of columns is none. */
function checkTableOptions(caller: Caller, name: string, options: TableOptions): void {
  checkObject(caller, "options", options);
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) {
      throw new TypeError(
        `Cannot read ${name} as its options must be among ${OPTIONS.join(", ")}: ` +
          `current option is ${key}`,
      );
    }
  }
  for (const key of ["genes", "ignore"] as const) {
    const names = options[key];
    if (names === undefined) continue;
    checkArray(caller, key, names);
    names.forEach((name, i) => checkText(caller, `${key}[${i}]`, name));
  }
}

function parse(caller: Caller, name: string, text: string, options: TableOptions): Table {
  checkText(caller, "text", text);
  checkTableOptions(caller, name, options);
  const reader = fieldReader(name, options);
  const comment = options.comment ?? "#";
  checkText(caller, "comment", comment);
  if (options.header !== undefined) checkBoolean(caller, "header", options.header);
  if (typeof options.rowNames !== "string" && options.rowNames !== undefined) {
    checkBoolean(caller, "rowNames", options.rowNames);
  }
  const { separator, clean } = tidy(text);
  const delimiter = options.delimiter ?? separator ??
    detectDelimiter(clean, comment, reader.decimal);
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
  return assembleRows(name, rows, header?.fields, options, reader);
}

/** A text without its mark of order, with line feeds alone, and the separator that it declares. */
function tidy(text: string): { separator: string | undefined; clean: string } {
  const unmarked = text.startsWith("\ufeff") ? text.slice(1) : text;
  const lines = unmarked.includes("\n") ? unmarked : unmarked.replaceAll("\r", "\n");
  // What spreadsheets write in front.
  const declared = /^"?sep=(.)"?\r?\n/i.exec(lines.slice(0, 16));
  return declared === null
    ? { separator: undefined, clean: lines }
    : { separator: declared[1], clean: lines.slice(declared[0].length) };
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
  if (isNamed(rows[0]!) || isCounted(rows)) return rows.shift();
  const fits = commented?.fields.length === rows[0]!.fields.length && isNamed(commented);
  return fits ? commented : wanted === true ? rows.shift() : undefined;
}

/** Whether columns are named by their numbers, and so are the rows below them. */
function isCounted(rows: readonly DelimitedRow[]): boolean {
  const counts = (fields: readonly string[]) =>
    fields.length > 1 && fields.every((field, i) => field === (i === 0 ? "" : `${i - 1}`));
  return counts(rows[0]!.fields) && counts(rows.map(({ fields }) => fields[0]!));
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

/** A table of columns: those of row names and those to be left out are taken from them. */
function assemble(
  name: string,
  names: readonly string[],
  columns: readonly TableColumn[],
  { rowNames, genes, ignore = [] }: TableOptions,
): Table {
  const at = typeof rowNames === "string" ? names.indexOf(rowNames) : rowNames ? 0 : undefined;
  if (at === -1) {
    throw new RangeError(
      `Cannot read ${name} as rowNames must be one of ${listed(names)}: ` +
        `current value is ${rowNames}`,
    );
  }
  const absent = ignore.find((column) => !names.includes(column));
  if (absent !== undefined) {
    throw new RangeError(
      `Cannot read ${name} as ignore must be among ${listed(names)}: current value is ${absent}`,
    );
  }
  const ignored = new Set(ignore);
  const kept = names.flatMap((column, j) => j === at || ignored.has(column) ? [] : [j]);
  const own = at === undefined
    ? undefined
    : Array.from<string | number, string>(columns[at]!, String);
  const count = columns[0]?.length ?? 0;
  return new Table(
    name,
    kept.map((j) => names[j]!),
    kept.map((j) => columns[j]!),
    own,
    count,
    genes,
  );
}

/** A table of rows of text. */
function assembleRows(
  name: string,
  rows: DelimitedRow[],
  header: string[] | undefined,
  options: TableOptions,
  reader: FieldReader,
): Table {
  const width = rows[0]?.fields.length ?? header!.length;
  const names = header ?? Array.from({ length: width }, (_, j) => `${j}`);
  if (names.length < width) names.unshift("");
  const rowNames = options.rowNames ?? (header !== undefined && names[0] === "");
  const own = typeof rowNames === "string" ? names.indexOf(rowNames) : rowNames ? 0 : -1;
  const columns = names.map((_, j) => {
    const fields = rows.map((row) => row.fields[j]!);
    return j === own ? fields : toColumn(fields, reader);
  });
  return assemble(name, names, columns, { ...options, rowNames });
}
