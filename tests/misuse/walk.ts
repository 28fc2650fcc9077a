/** The parts of valid calls, and how another value comes to stand in one. */
import { Tensor } from "../../mod.ts";

/** Where something is replaced: an argument, and the way into it. */
export type Place = readonly (string | number)[];

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

/** All arguments, options and leaves of plain arrays and objects; of long arrays the ends. */
export function placesOf(args: readonly unknown[]): Place[] {
  const places: Place[] = [];
  const visit = (value: unknown, place: Place): void => {
    if (place.length > 0) places.push(place);
    if (Array.isArray(value) && (place.length === 0 || place.length < 4)) {
      const last = value.length - 1;
      value.forEach((child, i) => {
        if (place.length === 0 || i === 0 || i === last) visit(child, [...place, i]);
      });
    } else if (isPlainObject(value)) {
      for (const key of Object.keys(value)) visit(value[key], [...place, key]);
    }
  };
  visit(args, []);
  return places;
}

/** Stands for nothing at all: an entry that an array skips, an option that is not there. */
export const HOLE: unique symbol = Symbol("a hole");

/** The arguments with another value in a place. */
export function replaced(args: unknown, [at, ...rest]: Place, value: unknown): unknown {
  if (at === undefined) return value;
  const copy: Record<string | number, unknown> = Array.isArray(args)
    ? [...args] as never
    : { ...args as object };
  if (rest.length === 0 && value === HOLE) delete copy[at];
  else copy[at] = replaced(copy[at], rest, value);
  return copy;
}

/** A place as text: `argument 1.axis`. */
export function formatPlace([argument, ...rest]: Place): string {
  const way = rest.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
  return `argument ${argument}${way}`;
}

/** Stands for a value in the text of a call. */
class Literal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A call as it can be pasted, with `text` in a place. */
export function formatCall(
  name: string,
  args: readonly unknown[],
  place: Place,
  text: string,
): string {
  const shown = replaced(args, place, new Literal(text)) as readonly unknown[];
  return `${name.replace(/\(\)$/, "(…)")}(${shown.map(formatValue).join(", ")})`;
}

function formatValue(value: unknown): string {
  if (value instanceof Literal) return value.text;
  if (value instanceof Tensor) {
    return `tensor(${JSON.stringify(value.toArray())}, { dtype: "${value.dtype}" })`;
  }
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name}.of(${(value as Uint8Array).join(", ")})`;
  }
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (isPlainObject(value)) {
    const fields = Object.entries(value).map(([key, field]) => `${key}: ${formatValue(field)}`);
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
