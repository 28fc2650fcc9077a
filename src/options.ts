/**
 * Checks of what functions are given: how many arguments, option names, option values, shapes.
 *
 * What is not understood is refused: an option that does not exist, an option of another kind, NaN
 * for a number, an argument where none is taken. `undefined` always stands for the default.
 *
 * @module
 */
import { describe, isOwn } from "./describe.ts";
import { checkDType } from "./dtype.ts";
import { nearestOption } from "./habits.ts";
import { broadcastShapes, checkShape, formatShape, sameShape } from "./shape.ts";
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
  if (!isPlainObject(options)) throw noObject(caller, options, Object.keys(defaults));
  const settled: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name)) throw noOption(caller, name, Object.keys(defaults));
    if (value !== undefined) settled[name] = value;
  }
  return settled as Settled<O, D>;
}

/** Throws unless the value of an option will do. */
export type Check = (caller: string, name: string, value: unknown) => void;

/** How each option of a function is checked. */
export type Checks<O> = { readonly [K in keyof Required<O>]: Check };

/**
 * Checks the options among a function's arguments, and that nothing follows them: for functions that
 * are called so often that defaults are not filled in first.
 *
 * @param caller The function's name, for messages.
 * @param checks How each option is checked.
 * @param at The place of the options among the arguments.
 * @param args The function's `arguments`.
 * @throws {TypeError} If the options are no plain object or name one that does not exist, or if there
 * are more arguments; and what the checks throw.
 */
export function checkOptions(
  caller: string,
  checks: Readonly<Record<string, Check>>,
  at: number,
  args: ArrayLike<unknown>,
): void {
  if (args.length > at + 1) refuseMore(caller, "options", at + 1, args);
  const options = args[at];
  if (options === undefined) return;
  if (!isPlainObject(options)) throw noObject(caller, options, Object.keys(checks), checks);
  for (const name in options) {
    if (!Object.hasOwn(checks, name)) throw noOption(caller, name, Object.keys(checks));
    const value = options[name];
    if (value !== undefined) checks[name]!(caller, name, value);
  }
}

/**
 * Throws a `TypeError` as a function was given more arguments than it takes.
 *
 * @param caller The function's name, for messages.
 * @param last The last argument that it takes.
 * @param count How many arguments it takes.
 * @param args The function's `arguments`.
 */
export function refuseMore(
  caller: string,
  last: string,
  count: number,
  args: ArrayLike<unknown>,
): never {
  const isMap = args.length === 3 && typeof args[1] === "number" && Array.isArray(args[2]);
  throw new TypeError(
    `Cannot compute ${caller} as it takes nothing after ${last}: ` +
      `current value is ${describe(args[count])}` +
      (isMap ? `; map passes positions too: write (${last}) => ${caller}(${last})` : ""),
  );
}

function noObject(
  caller: string,
  value: unknown,
  names: readonly string[],
  checks: Readonly<Record<string, Check>> = {},
): TypeError {
  const meant = value === null ? undefined : names.find((name) => passes(checks[name], value));
  return new TypeError(
    `Cannot compute ${caller} as options must be an object with any of ${names.join(", ")}: ` +
      `current value is ${describe(value)}` +
      (meant === undefined ? "" : `: did you mean { ${meant}: ${describe(value)} }?`),
  );
}

function passes(check: Check | undefined, value: unknown): boolean {
  try {
    check?.("", "", value);
    return check !== undefined;
  } catch {
    return false;
  }
}

function noOption(caller: string, name: string, names: readonly string[]): TypeError {
  const nearest = nearestOption(name, names);
  return new TypeError(
    `Cannot compute ${caller} as there is no option ${name}: ` +
      (nearest === undefined ? "the" : `did you mean ${nearest}? The`) +
      ` options are ${names.join(", ")}`,
  );
}

/** Whether a value is an object of no class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
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
      `current value is ${typeof value === "string" ? value : describe(value)}`,
  );
}

/** Throws a `TypeError` unless an option is the name of an element type. */
export function checkDTypeOption(caller: string, _name: string, value: unknown): void {
  checkDType(caller, value);
}

/** Throws a `TypeError` unless an option is a shape. */
export function checkShapeOption(caller: string, _name: string, value: unknown): void {
  checkShape(caller, value);
}

/** Throws a `TypeError` unless an option, or an argument, is a function. */
export function checkFunction(caller: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a function: current value is ${describe(value)}`,
  );
}

/** Throws a `TypeError` unless an option, or an argument, is a text. */
export function checkText(caller: string, name: string, value: unknown): asserts value is string {
  if (typeof value === "string") return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a text: current value is ${describe(value)}`,
  );
}

/** Throws a `TypeError` unless an argument is an object, of no class. */
export function checkObject(caller: string, name: string, value: unknown): void {
  if (isPlainObject(value)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a plain object: ` +
      `current value is ${describe(value)}`,
  );
}

/** Throws a `TypeError` unless an argument is an array without holes. */
export function checkArray(
  caller: string,
  name: string,
  value: unknown,
): asserts value is readonly unknown[] {
  const isArray = Array.isArray(value);
  if (isArray && !value.includes(undefined)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be an array${isArray ? " without holes" : ""}: ` +
      `current value is ${describe(value)}`,
  );
}

/** Throws a `TypeError` unless an option, or an argument, is a whole number, as axes are. */
export function checkWhole(caller: string, name: string, value: unknown): void {
  if (Number.isInteger(value)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a whole number: current value is ${
      describe(value)
    }`,
  );
}

/** Throws a `TypeError` unless an option, or an argument, is a whole number or an array of them. */
export function checkWholes(caller: string, name: string, value: unknown): void {
  if (Number.isInteger(value) || (Array.isArray(value) && allWhole(value))) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a whole number or an array of them: ` +
      `current value is ${describe(value)}`,
  );
}

/**
 * Whole numbers given as one array, or one by one: `reshape(x, [2, 3])` and `reshape(x, 2, 3)`.
 *
 * @param caller The function's name, for messages.
 * @param name The argument's name.
 * @param given What follows the other arguments.
 * @returns The numbers.
 * @throws {TypeError} If there are none, or something else.
 */
export function wholesAmong(
  caller: string,
  name: string,
  given: readonly unknown[],
): readonly number[] {
  const isArray = Array.isArray(given[0]);
  if (isArray && given.length > 1) refuseMore(caller, name, 1, given);
  const numbers: unknown[] = isArray ? given[0] as unknown[] : [...given];
  if ((isArray || numbers.length > 0) && allWhole(numbers)) return numbers as number[];
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be whole numbers, in an array or one by one: ` +
      `current value is ${describe(given.length === 1 ? given[0] : numbers)}`,
  );
}

function allWhole(values: readonly unknown[]): boolean {
  return values.findIndex((n) => !Number.isInteger(n)) < 0;
}

/** Throws a `TypeError` unless an option is a tensor, or looks like what becomes one. */
export function checkTensorLike(caller: string, name: string, value: unknown): void {
  const isNumber = typeof value === "number" && value === value;
  if (isNumber || isOwn(value) || Array.isArray(value) || ArrayBuffer.isView(value)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be a tensor, a number or an array: ` +
      `current value is ${describe(value)}`,
  );
}

/** What {@linkcode checkNumber} accepts. */
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
  /** Whether ±∞ will do. */
  infinite?: boolean;
}

/**
 * Throws unless an option is a number in a range: a `TypeError` where it is no number or NaN,
 * else a `RangeError`.
 */
export function checkNumber(
  caller: string,
  name: string,
  value: unknown,
  range: NumberRange = {},
): void {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = range;
  const { integer = false, infinite = false } = range;
  const kind = integer ? "a whole number" : infinite ? "a number" : "a finite number";
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must be ${kind}: current value is ${describe(value)}`,
    );
  }
  const isKind = integer ? Number.isInteger(value) : infinite || Number.isFinite(value);
  const isAbove = range.above === undefined || value > range.above;
  const isBelow = range.below === undefined || value < range.below;
  if (isKind && value >= min && value <= max && isAbove && isBelow) return;
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

/** Throws unless `min` and `max` are numbers, possibly infinite, and in this order. */
export function checkLimits(caller: string, min: unknown, max: unknown): void {
  checkNumber(caller, "min", min, { infinite: true });
  checkNumber(caller, "max", max, { infinite: true });
  if (min as number <= (max as number)) return;
  throw new RangeError(
    `Cannot compute ${caller} as min must be at most max: current values are ${min} and ${max}`,
  );
}

/** A check for a finite number in a range. */
export function numberIn(range: NumberRange): Check {
  return (caller, name, value) => checkNumber(caller, name, value, range);
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

/** Throws unless the one tensor broadcasts to the shape of the other. */
export function checkBroadcasts(
  caller: string,
  one: Readonly<Record<string, Tensor>>,
  target: Readonly<Record<string, Tensor>>,
): void {
  const [[name, x], [other, y]] = [Object.entries(one)[0]!, Object.entries(target)[0]!];
  if (sameShape(broadcastShapes(caller, y.shape, x.shape), y.shape)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must broadcast to the shape of ${other}: ` +
      `current shapes are ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
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
