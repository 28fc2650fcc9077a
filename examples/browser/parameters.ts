/** Parameters of losses: declared once, with range and default; read from what a reader types. */

/** A range of numbers. */
export interface Range {
  /** Whether only whole numbers are in it. */
  integer?: boolean;
  min?: number;
  /** A bound that the value must exceed. */
  above?: number;
  max?: number;
  /** A bound that the value must stay below. */
  below?: number;
}

/** A parameter: its kind and range, the value to begin with, and what it does, in one line. */
export type NumberParameter = Range & {
  kind: "number";
  /** `undefined` where the loss has a default of its own. */
  default: number | undefined;
  about: string;
};
type NumbersParameter = { kind: "numbers"; default: readonly number[]; about: string };
type ChoiceParameter = {
  kind: "choice";
  choices: readonly string[];
  default: string;
  about: string;
};
type SwitchParameter = { kind: "switch"; default: boolean; about: string };

export type Parameter = NumberParameter | NumbersParameter | ChoiceParameter | SwitchParameter;

export type Parameters = Readonly<Record<string, Parameter>>;

export type ValueOf<P extends Parameter> = P extends SwitchParameter ? boolean
  : P extends ChoiceParameter ? P["choices"][number]
  : P extends NumbersParameter ? readonly number[]
  : P["default"] extends number ? number
  : number | undefined;

export type ValuesOf<P extends Parameters> = { readonly [K in keyof P]: ValueOf<P[K]> };

export type ParameterValue = ValueOf<Parameter>;

export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** A number in a range. */
export function number<D extends number | undefined>(
  start: D,
  range: Range,
  about: string,
): NumberParameter & { default: D } {
  return { kind: "number", default: start, ...range, about };
}

/** One of several names, the first of them to begin with. */
export function choice<const C extends readonly [string, ...string[]]>(
  choices: C,
  about: string,
): ChoiceParameter & { choices: C } {
  return { kind: "choice", choices, default: choices[0], about };
}

export function flag(start: boolean, about: string): SwitchParameter {
  return { kind: "switch", default: start, about };
}

/** Numbers above 0. */
export function numbers(start: readonly number[], about: string): NumbersParameter {
  return { kind: "numbers", default: start, about };
}

/** The values to begin with, by name. */
export function defaultsOf(parameters: Parameters): ParameterValues {
  return Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.default]));
}

/** The range of a parameter in words, such as `0 to 1`. */
export function describeRange(parameter: Parameter): string {
  if (parameter.kind === "choice") return parameter.choices.join(", ");
  if (parameter.kind === "switch") return "on or off";
  if (parameter.kind === "numbers") return "numbers above 0, between blanks";
  const { integer, min, above, max, below, default: start } = parameter;
  const low = above !== undefined ? `above ${above}` : min;
  const high = below !== undefined ? `below ${below}` : max;
  const range = low === undefined
    ? "any"
    : high === undefined
    ? above !== undefined ? `${low}` : `${low} or more`
    : `${low} to ${high}`;
  return `${integer ? "whole, " : ""}${range}${start === undefined ? ", or nothing" : ""}`;
}

/** Reads what was typed, `"true"` or `"false"` for switches; throws `RangeError` for bad values. */
export function readParameter(name: string, parameter: Parameter, text: string): ParameterValue {
  const typed = text.trim();
  if (parameter.kind === "switch") return typed === "true";
  if (parameter.kind === "choice" && parameter.choices.includes(typed)) return typed;
  if (parameter.kind === "numbers") {
    const numbers = typed.split(/[\s,]+/).filter((part) => part !== "").map(Number);
    if (numbers.length > 0 && numbers.every((x) => x > 0 && Number.isFinite(x))) return numbers;
  }
  if (parameter.kind === "number") {
    if (typed === "" && parameter.default === undefined) return undefined;
    if (typed !== "" && isWithin(Number(typed), parameter)) return Number(typed);
  }
  throw new RangeError(
    `Cannot use ${name} as it must be ${describeRange(parameter)}: current value is ${
      typed === "" ? "empty" : typed
    }`,
  );
}

function isWithin(x: number, { integer, min, above, max, below }: Range): boolean {
  return Number.isFinite(x) && !(integer && !Number.isInteger(x)) &&
    !(min !== undefined && x < min) && !(above !== undefined && x <= above) &&
    !(max !== undefined && x > max) && !(below !== undefined && x >= below);
}
