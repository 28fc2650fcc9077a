/**
 * Lines of delimited text, as RFC 4180 has them, and with blanks or tabs between the fields.
 *
 * @module
 */

/** One row of fields, and the number of the line that it begins on. */
export interface DelimitedRow {
  /** The fields, without their quotes. */
  fields: string[];
  /** The line, counted from 1. */
  line: number;
}

/** The rows of a text, and the last comment line in front of the first of them. */
export interface DelimitedText {
  /** All rows; empty lines are left out. */
  rows: DelimitedRow[];
  /** The text of the last comment line before the first row, without its mark. */
  comment: string | undefined;
}

/**
 * The separator that the first row speaks for: tab, comma, semicolon, or else blanks; the mark of
 * decimals is none. At the ends of a row blanks and tabs are mere space, unless the next row tells
 * that a name is empty there.
 */
export function detectDelimiter(text: string, comment: string, decimal = "."): string {
  const [first = "", second] = firstRows(text, comment);
  const unquoted = first.replace(/"[^"]*"/g, "text");
  const inner = unquoted.trim();
  // Row names have no name in pandas' header, and one of R has no place for it.
  const hasTab = /^\t|\t$|^[^\s,;]+$/.test(unquoted) && second?.trimStart().includes("\t");
  if (hasTab || inner.includes("\t")) return "\t";
  const mark = [",", ";"].find((mark) => mark !== decimal && inner.includes(mark));
  if (mark !== undefined) return mark;
  const isIndented = second === undefined || /^\s/.test(second);
  return /\s/.test(isIndented ? inner : unquoted.trimEnd()) ? " " : decimal === "," ? ";" : ",";
}

/** The lines of the first two rows. */
function firstRows(text: string, comment: string): string[] {
  const rows: string[] = [];
  for (let at = 0; at < text.length && rows.length < 2;) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).replace(/\r$/, "");
    if (line.trim() !== "" && !isComment(line, comment)) rows.push(line);
    at = end + 1;
  }
  return rows;
}

/** What spreadsheets write in a cell without a value; a row may begin with it. */
const NO_VALUE = /^#(?:n\/?a|null!|num!|name\?|ref!|value!|div\/0!)(?:[\s,;|"]|$)/i;

function isComment(line: string, comment: string): boolean {
  const start = line.trimStart();
  return comment !== "" && start.startsWith(comment) && !NO_VALUE.test(start);
}

/** Splits a text into rows of fields; a blank as `delimiter` stands for any run of blanks. */
export function splitRows(
  name: string,
  source: string,
  delimiter: string,
  comment: string,
): DelimitedText {
  const text = source.replaceAll("\r\n", "\n");
  const empty = delimiter === " " ? /^[ \t]*$/ : /^ *$/;
  const rows: DelimitedRow[] = [];
  let lastComment: string | undefined;
  for (let at = 0, line = 1; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const first = text.slice(at, end);
    if (isComment(first, comment)) {
      if (rows.length === 0) lastComment = first.trimStart().slice(comment.length);
    } else if (!empty.test(first)) {
      const row = splitRow(name, text, at, line, delimiter);
      rows.push({ fields: row.fields, line });
      line = row.line + 1;
      at = row.end + 1;
      continue;
    }
    line++;
    at = end + 1;
  }
  return { rows, comment: lastComment };
}

/** The fields from a line's begin on, where the row ends, and on which line. */
function splitRow(
  name: string,
  text: string,
  start: number,
  firstLine: number,
  delimiter: string,
): { fields: string[]; end: number; line: number } {
  const blanks = delimiter === " ";
  const separates = blanks
    ? (char: string | undefined) => char === " " || char === "\t"
    : (char: string | undefined) => char === delimiter;
  const fields: string[] = [];
  let [at, line] = [start, firstLine];
  while (true) {
    while (blanks && separates(text[at])) at++;
    if (blanks && (at >= text.length || text[at] === "\n")) break;
    const begin = at;
    if (text[at] === '"') {
      at = closingQuote(name, text, at, line) + 1;
      const field = text.slice(begin + 1, at - 1);
      line += field.split("\n").length - 1;
      fields.push(field.replaceAll('""', '"'));
    } else {
      while (at < text.length && text[at] !== "\n" && !separates(text[at])) at++;
      fields.push(text.slice(begin, at));
    }
    if (at >= text.length || text[at] === "\n") break;
    if (!separates(text[at])) {
      throw new SyntaxError(
        `Cannot read ${name} as line ${line} has text after the closing quote of ` +
          `field ${fields.length}`,
      );
    }
    at++;
  }
  return { fields, end: at, line };
}

function closingQuote(name: string, text: string, open: number, line: number): number {
  for (let at = open + 1;; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) {
      throw new SyntaxError(`Cannot read ${name} as a quote of line ${line} is never closed`);
    }
    if (text[at + 1] !== '"') return at;
  }
}
