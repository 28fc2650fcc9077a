/**
 * Checks of what functions are given: option names, option values, shapes.
 *
 * @module
 */
import { formatShape, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Options with their defaults filled in. */
export type Settled<O, D> = {
  [K in keyof D]: K extends keyof O ? undefined extends D[K] ? O[K] : Exclude<O[K], undefined>
    : never;
};

/**
 * The options with defaults for those that are missing or `undefined`.
 *
 * @param caller The function's name, for messages.
 * @param options What the user gave.
 * @param defaults A value for every option, `undefined` for those without a default.
 * @returns The settled options.
 * @throws {TypeError} If `options` is no plain object, or names an option that does not exist.
 */
export function readOptions<O extends object, D extends Record<keyof O, unknown>>(
  caller: string,
  options: O,
  defaults: D,
): Settled<O, D> {
  const names = Object.keys(defaults);
  if (!isPlainObject(options)) {
    throw new TypeError(
      `Cannot compute ${caller} as options must be an object with any of ${names.join(", ")}: ` +
        `current value is ${describe(options)}`,
    );
  }
  const settled: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) {
      throw new TypeError(
        `Cannot compute ${caller} as there is no option "${name}": ` +
          `the options are ${names.join(", ")}`,
      );
    }
    if (value !== undefined) settled[name] = value;
  }
  return settled as Settled<O, D>;
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  const kind = value.constructor?.name ?? "object";
  return `${/^[AEIOU]/i.test(kind) ? "an" : "a"} ${kind}`;
}

/** Throws a `TypeError` unless an option is `true` or `false`. */
export function checkBoolean(caller: string, name: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be true or false: current value is ${
      describe(value)
    }`,
  );
}

/** Throws a `TypeError` that lists the choices unless `value` is one of them. */
export function checkChoice(
  caller: string,
  name: string,
  value: unknown,
  choices: readonly string[],
): void {
  if (choices.includes(value as string)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be one of ${choices.join(", ")}: ` +
      `current value is ${String(value)}`,
  );
}

/** What {@linkcode checkNumber} accepts, besides being a finite number. */
export interface NumberRange {
  /** The least value. */
  min?: number;
  /** The largest value. */
  max?: number;
  /** A value that must be exceeded. */
  above?: number;
  /** A value that must not be reached. */
  below?: number;
  /** Whether only whole numbers will do. */
  integer?: boolean;
}

/**
 * Throws unless an option is a finite number in a range: a `TypeError` where it is no number, else a
 * `RangeError`.
 */
export function checkNumber(
  caller: string,
  name: string,
  value: unknown,
  range: NumberRange = {},
): void {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = range;
  const kind = range.integer ? "a whole number" : "a finite number";
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must be ${kind}: current value is ${describe(value)}`,
    );
  }
  const whole = !range.integer || Number.isInteger(value);
  const inside = value >= min && value <= max && value > above && value < below;
  if (Number.isFinite(value) && whole && inside) return;
  const limits = [
    min > -Infinity ? `at least ${min}` : "",
    above > -Infinity ? `above ${above}` : "",
    max < Infinity ? `at most ${max}` : "",
    below < Infinity ? `below ${below}` : "",
  ].filter((limit) => limit !== "").join(" and ");
  throw new RangeError(
    `Cannot compute ${caller} as ${name} must be ${kind}${limits && ` ${limits}`}: ` +
      `current value is ${value}`,
  );
}

/** Throws a `TypeError` that shows all shapes unless they are the same. */
export function checkSameShape(caller: string, tensors: Readonly<Record<string, Tensor>>): void {
  const shapes = Object.values(tensors).map((x) => x.shape);
  if (shapes.every((shape) => sameShape(shape, shapes[0]!))) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${listNames(Object.keys(tensors))} must have the same shape: ` +
      `current shapes are ${listNames(shapes.map(formatShape))}`,
  );
}

/**
 * Throws a `TypeError` unless a tensor has the given axes.
 *
 * @param caller The function's name, for messages.
 * @param name The argument's name.
 * @param x The tensor.
 * @param axes One entry per axis: a name where any extent will do, else the extent that it must have.
 */
export function checkAxes(
  caller: string,
  name: string,
  x: Tensor,
  axes: readonly (string | number)[],
): void {
  const fits = x.rank === axes.length &&
    axes.every((axis, i) => typeof axis === "string" || axis === x.shape[i]);
  if (fits) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must have the shape [${axes.join(", ")}]: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/** `a`, `a and b`, `a, b and c`. */
function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
