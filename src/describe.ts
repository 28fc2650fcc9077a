/**
 * Values as messages show them.
 *
 * @module
 */

/** How many characters of a text, and how many entries of an array, a message shows. */
const SHOWN = 40;

/** A value of any kind, in a few words: `1.5`, `"mean"`, `[0, 1]`, `a Tensor`. */
export function describe(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return describeArray(value);
  const name: unknown = value.constructor?.name;
  return typeof name !== "string" || name === "Object" || name === ""
    ? "an object"
    : `${/^[AEIOU]/i.test(name) ? "an" : "a"} ${name}`;
}

function describeArray(values: readonly unknown[]): string {
  const isShort = values.length <= 8 && values.every((entry) => typeof entry !== "object");
  return isShort
    ? `[${values.map(describe).join(", ")}]`
    : `an array of ${values.length} ${values.length === 1 ? "entry" : "entries"}`;
}
