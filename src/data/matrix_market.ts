/**
 * The Matrix Market format: a sparse matrix as lines of a row, a column and a value.
 *
 * Source: the description of the exchange formats at https://math.nist.gov/MatrixMarket.
 *
 * @module
 */
import { losesDigits } from "./field.ts";

/** A matrix by the entries that are stored, in the order of its columns: CSR of the transpose. */
export interface ByColumns {
  /** How many rows there are. */
  rows: number;
  /** How many columns there are. */
  columns: number;
  /** The values. */
  data: Float32Array | Float64Array | Int32Array;
  /** The row of each. */
  indices: Int32Array;
  /** Where the entries of each column begin. */
  indptr: Float64Array;
}

const NEWLINE = 10, SPACE = 32, TAB = 9, RETURN = 13, PERCENT = 37;

/** Reads words, and whole numbers, from bytes. */
class Words {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #at = 0;
  line = 1;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  fail(why: string): SyntaxError {
    return new SyntaxError(`Cannot read ${this.#name} as line ${this.line} ${why}`);
  }

  /** The rest of the line. */
  rest(): string {
    const newline = this.#bytes.indexOf(NEWLINE, this.#at);
    const end = newline < 0 ? this.#bytes.length : newline;
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    this.line++;
    return text.trim();
  }

  /** Goes to the next line that is neither empty nor a comment; `false` at the end. */
  nextLine(): boolean {
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at]!;
      if (byte === PERCENT) this.rest();
      else if (byte === NEWLINE) [this.#at, this.line] = [this.#at + 1, this.line + 1];
      else if (byte === SPACE || byte === TAB || byte === RETURN) this.#at++;
      else return true;
    }
    return false;
  }

  /** A whole number from `min` to `max`. */
  whole(what: string, min: number, max: number): number {
    const [start, end] = this.#word();
    let value = end > start ? 0 : NaN;
    for (let i = start; i < end; i++) {
      const digit = this.#bytes[i]! - 48;
      value = digit >= 0 && digit <= 9 ? 10 * value + digit : NaN;
    }
    if (value >= min && value <= max) return value;
    const text = new TextDecoder().decode(this.#bytes.subarray(start, Math.min(end, start + 20)));
    throw this.fail(`must have ${what} from ${min} to ${max}: current value is "${text}"`);
  }

  /** A number, of which no digit is lost where it must be `exact`. */
  number(exact: boolean): number {
    const [start, end] = this.#word();
    const bytes = this.#bytes.subarray(start, end);
    const isShort = bytes.length <= 40;
    const text = isShort ? String.fromCharCode(...bytes) : new TextDecoder().decode(bytes);
    const value = Number(text);
    const isNumber = end > start && !Number.isNaN(value) && !/^0[xob]/i.test(text);
    if (isNumber && !(exact && losesDigits(text, value))) return value;
    if (/^[+-]?nan$/i.test(text)) return NaN;
    const kind = isNumber ? "an integer that double precision holds" : "a number";
    throw this.fail(`must end in ${kind}: current value is "${text.slice(0, 40)}"`);
  }

  /** Goes to the end of the line, where nothing must follow. */
  endLine(what: string): void {
    const [start, end] = this.#word();
    if (start === end) return;
    const text = new TextDecoder().decode(this.#bytes.subarray(start, Math.min(end, start + 20)));
    throw this.fail(`must end after ${what}: current value there is "${text}"`);
  }

  #word(): [number, number] {
    const bytes = this.#bytes;
    while (bytes[this.#at] === SPACE || bytes[this.#at] === TAB) this.#at++;
    const start = this.#at;
    while (this.#at < bytes.length && bytes[this.#at]! > SPACE) this.#at++;
    return [start, this.#at];
  }
}

/**
 * Reads a matrix that is stored by its coordinates.
 *
 * @param bytes The text.
 * @param name What messages call it.
 * @param check Is told how many rows and columns there are, before memory is taken for them.
 * @returns The entries by columns; entries that occur twice are both there, as sums have them.
 * @throws {SyntaxError} If it is not in the format, is dense or complex, or an entry lies outside.
 */
export function parseMatrixMarket(
  bytes: Uint8Array,
  name: string,
  check: (rows: number, columns: number) => void = () => {},
): ByColumns {
  const words = new Words(bytes, name);
  const [mark, , layout, field, symmetry] = words.rest().toLowerCase().split(/\s+/);
  const isKnown = mark === "%%matrixmarket" && layout === "coordinate" &&
    ["integer", "real", "pattern"].includes(field!) &&
    ["general", "symmetric"].includes(symmetry!);
  if (!isKnown) {
    throw new SyntaxError(
      `Cannot read ${name} as it must begin with "%%MatrixMarket matrix coordinate", then ` +
        `integer, real or pattern, then general or symmetric: it begins with ` +
        [mark, "matrix", layout, field, symmetry].join(" "),
    );
  }
  if (!words.nextLine()) throw words.fail("must have the numbers of rows, columns and entries");
  const [rows, columns] = [words.whole("rows", 0, 2 ** 31), words.whole("columns", 0, 2 ** 31)];
  if (symmetry === "symmetric" && rows !== columns) {
    throw words.fail(`must have as many rows as columns to be symmetric: ${rows} and ${columns}`);
  }
  check(rows, columns);
  // An entry takes four bytes at least, the last one three.
  const count = words.whole("entries", 0, Math.ceil(bytes.length / 4));
  words.endLine("the numbers of rows, columns and entries");
  const [at, across] = [new Int32Array(count), new Int32Array(count)];
  const values = field === "real" ? new Float64Array(count) : new Float64Array(count).fill(1);
  for (let i = 0; i < count; i++) {
    if (!words.nextLine()) throw words.fail(`must be entry ${i + 1} of ${count}: there is none`);
    at[i] = words.whole("a row", 1, rows) - 1;
    across[i] = words.whole("a column", 1, columns) - 1;
    if (field !== "pattern") values[i] = words.number(field === "integer");
    words.endLine("an entry");
  }
  if (words.nextLine()) throw words.fail(`must not be there: there are ${count} entries`);
  const mirrored = symmetry === "symmetric";
  const isWhole = field !== "real";
  return byColumns({ rows, columns, at, across, values, mirrored, isWhole });
}

interface Triplets {
  rows: number;
  columns: number;
  at: Int32Array;
  across: Int32Array;
  values: Float64Array;
  /** Whether entries stand for those on the other side of the diagonal, too. */
  mirrored: boolean;
  isWhole: boolean;
}

/** The smallest type that holds all values as they are written. */
function arrayFor(values: Float64Array, isWhole: boolean) {
  if (isWhole && values.every((value) => value === (value | 0))) return Int32Array;
  return values.every((value) => Object.is(Math.fround(value), value))
    ? Float32Array
    : Float64Array;
}

function byColumns({ rows, columns, at, across, values, mirrored, isWhole }: Triplets): ByColumns {
  const indptr = new Float64Array(columns + 1);
  const each = (visit: (row: number, column: number, value: number) => void) => {
    for (let i = 0; i < at.length; i++) {
      visit(at[i]!, across[i]!, values[i]!);
      if (mirrored && at[i] !== across[i]) visit(across[i]!, at[i]!, values[i]!);
    }
  };
  each((_row, column) => indptr[column + 1]!++);
  for (let j = 0; j < columns; j++) indptr[j + 1]! += indptr[j]!;
  const total = indptr[columns]!;
  const data = new (arrayFor(values, isWhole))(total);
  const indices = new Int32Array(total);
  const next = indptr.slice();
  each((row, column, value) => {
    const place = next[column]!++;
    data[place] = value;
    indices[place] = row;
  });
  return { rows, columns, data, indices, indptr };
}
