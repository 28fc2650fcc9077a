/**
 * Values as messages show them.
 *
 * @module
 */

/** What tensors of all copies of the library bear, so that one knows those of another. */
export const BRAND: unique symbol = Symbol.for("cellgrad.tensor") as never;

/** What tensors of this copy bear there. */
export const COPY: symbol = Symbol("this copy");

function brandOf(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? (value as { [BRAND]?: unknown })[BRAND]
    : undefined;
}

/** Whether a value is a tensor of this copy of the library. */
export function isOwn(value: unknown): boolean {
  return brandOf(value) === COPY;
}

/** Whether a value is a tensor of another copy of the library. */
export function isForeign(value: unknown): boolean {
  return (brandOf(value) ?? COPY) !== COPY;
}

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
  if (isForeign(value)) return "a tensor of another copy of the library: import it from one place";
  if (value instanceof Promise) return "a promise: await it";
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

/** A number of bytes: `1.5 KiB`. */
export function formatBytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log2(n) / 10));
  return `${Number((n / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
