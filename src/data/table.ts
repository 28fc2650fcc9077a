/**
 * Tables of named columns.
 *
 * @module
 */
import { checkArray, checkChoice, checkText, readOptions, refuseMore } from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import type { TableColumn } from "./field.ts";

/** Options of {@linkcode Table.matrix}. */
export interface MatrixOptions {
  /**
   * The columns to take, in this order, by name or by position from 0; by default those that the
   * table was read with as `genes`, else all of them.
   */
  columns?: readonly (string | number)[] | undefined;
  /** The names of columns to leave out; by default none. */
  ignore?: readonly string[] | undefined;
  /** The element type; `"float32"` by default. */
  dtype?: "float32" | "float64" | undefined;
}

const MATRIX = { columns: undefined, ignore: [], dtype: "float32" };

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
  /** The positions of each name. */
  readonly #positions = new Map<string, number[]>();
  readonly #genes: readonly string[] | undefined;
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
    genes?: readonly string[],
  ) {
    this.#name = name;
    this.columns = columns;
    this.#values = values;
    this.rowNames = rowNames;
    this.nRows = nRows;
    this.#genes = genes;
    columns.forEach((column, position) => {
      const same = this.#positions.get(column);
      if (same === undefined) this.#positions.set(column, [position]);
      else same.push(position);
    });
    genes?.forEach((gene) => this.#positionOf(gene));
  }

  /**
   * The values of one column. Empty fields, `NA` and their kind are `NaN` among numbers.
   *
   * @param name The name of the column; or its position, from 0, where names occur twice.
   * @returns Numbers where all fields are numbers or missing, else the text of the fields.
   * @throws {RangeError} If there is no such column, or more than one.
   */
  column(name: string | number): TableColumn {
    if (arguments.length > 1) refuseMore("column", "name", 1, arguments);
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
    const [at, second] = this.#positions.get(name) ?? [];
    if (at === undefined) {
      throw new RangeError(
        `Cannot read a column of ${this.#name} as name must be one of ` +
          `${listed(this.columns)}: current value is ${name}`,
      );
    }
    if (second !== undefined) {
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
    if (arguments.length > 1) refuseMore("matrix", "options", 1, arguments);
    const { columns, ignore, dtype } = readOptions("matrix", options, MATRIX);
    checkArray("matrix", "ignore", ignore);
    if (columns !== undefined) checkArray("matrix", "columns", columns);
    checkChoice("matrix", "dtype", dtype, ["float32", "float64"]);
    const unknown = ignore.find((name) => !this.#positions.has(name));
    if (unknown !== undefined) this.#positionOf(unknown);
    const chosen = (columns ?? this.#genes)?.map((name) => this.#positionOf(name)) ??
      this.columns.map((_, position) => position);
    const ignored = new Set(ignore);
    const positions = chosen.filter((position) => !ignored.has(this.columns[position]!));
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
export function listed(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(", ");
  return `${names.slice(0, LISTED).join(", ")}, … (${names.length} in all)`;
}
