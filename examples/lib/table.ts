/** Text tables for terminals. */
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

// Letters that terminals draw two columns wide: CJK, Hangul, full-width forms, and emoji.
const WIDE_SCRIPT = /^(?![\uFF61-\uFFDC])[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const WIDE_SIGN = /^[\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6\p{Emoji_Presentation}]|\uFE0F/u;
const ZERO = /^[\p{Mark}\p{Format}]+$/u;

/** Columns that a text without control characters takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    const wide = WIDE_SCRIPT.test(segment) || WIDE_SIGN.test(segment);
    width += wide ? 2 : ZERO.test(segment) ? 0 : 1;
  }
  return width;
}

/**
 * Text without anything that could move the cursor or colour a terminal: control characters, escape
 * sequences' first characters and line breaks become `�`.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Control}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD");
}

/** Cuts a text to a number of terminal columns, with `…` at its end. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let result = "";
  let width = 1;
  for (const { segment } of segmenter.segment(text)) {
    width += displayWidth(segment);
    if (width > columns) break;
    result += segment;
  }
  return `${result}…`;
}

/** An aligned table: the first column to the left, the others to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((line) => line.map(printable));
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => displayWidth(line[column] ?? "")))
  );
  const cell = (text: string, column: number) => {
    const padding = " ".repeat(widths[column]! - displayWidth(text));
    return column === 0 ? text + padding : padding + text;
  };
  const rule = widths.map((width) => "─".repeat(width));
  return [lines[0]!, rule, ...lines.slice(1)]
    .map((line) => header.map((_, column) => cell(line[column] ?? "", column)).join("  ").trimEnd())
    .join("\n");
}
