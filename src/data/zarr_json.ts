/**
 * The metadata of Zarr as JSON that Python's libraries write, and can read.
 *
 * @module
 */

/** What marks a number in a text; Unicode keeps this code for programs' own use. */
const MARK = "\ufdd0";

/** Texts, which stay as they are, and the numbers that JSON does not have. */
const WORDS = /"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)(?!\s*:)/g;

/** What JSON says, with NaN and the infinities, as Python writes them, for numbers. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const marked = text.replace(
    WORDS,
    (word: string, number?: string) => number === undefined ? word : `"${MARK}${number}"`,
  );
  return JSON.parse(marked, (_, value) => isMarked(value) ? Number(value.slice(1)) : value);
}

function isMarked(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(MARK);
}

/** JSON as bytes, of ASCII alone: Python's zarr reads no other before version 2.14. */
export function toJson(value: unknown): Uint8Array<ArrayBuffer> {
  const marked = JSON.stringify(
    value,
    (_, value) => typeof value === "number" && !Number.isFinite(value) ? MARK + value : value,
    2,
  );
  const text = marked.replaceAll(new RegExp(`"${MARK}(NaN|-?Infinity)"`, "g"), "$1").replaceAll(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new TextEncoder().encode(text);
}
