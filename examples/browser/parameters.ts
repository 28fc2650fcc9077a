/**
 * Parameters of losses: declared once, with their range and default; read from what a reader types.
 *
 * @module
 */

/** What all parameters have. */
interface Described {
  /** What it does, in one line. */
  about: string;
}

/** A parameter that is a number. */
export interface NumberParameter extends Described {
  /** The kind of value. */
  kind: "number";
  /** The value to begin with; `undefined` where the loss has a default of its own. */
  default: number | undefined;
  /** Whether it must be a whole number. */
  integer?: boolean;
  /** The smallest value allowed. */
  min?: number;
  /** A bound that the value must exceed. */
  above?: number;
  /** The largest value allowed. */
  max?: number;
  /** A bound that the value must stay below. */
  below?: number;
}

/** A parameter that is a list of numbers above 0. */
export interface NumbersParameter extends Described {
  /** The kind of value. */
  kind: "numbers";
  /** The values to begin with. */
  default: readonly number[];
}

/** A parameter that is one of a list. */
export interface ChoiceParameter extends Described {
  /** The kind of value. */
  kind: "choice";
  /** The values allowed. */
  choices: readonly string[];
  /** The value to begin with. */
  default: string;
}

/** A parameter that is true or false. */
export interface SwitchParameter extends Described {
  /** The kind of value. */
  kind: "switch";
  /** The value to begin with. */
  default: boolean;
}

/** Any parameter. */
export type Parameter = NumberParameter | NumbersParameter | ChoiceParameter | SwitchParameter;

/** Parameters by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The value of one parameter. */
export type ValueOf<P extends Parameter> = P extends SwitchParameter ? boolean
  : P extends ChoiceParameter ? P["choices"][number]
  : P extends NumbersParameter ? readonly number[]
  : P["default"] extends number ? number
  : number | undefined;

/** The values of parameters. */
export type ValuesOf<P extends Parameters> = { readonly [K in keyof P]: ValueOf<P[K]> };

/** The value of any parameter. */
export type ParameterValue = ValueOf<Parameter>;

/** The values of any parameters. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/**
 * The values to begin with.
 *
 * @param parameters The parameters.
 * @returns Their defaults by name.
 */
export function defaultsOf(parameters: Parameters): ParameterValues {
  return Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.default]));
}

/**
 * The range of a parameter in words.
 *
 * @param parameter The parameter.
 * @returns The text, such as `0 to 1`.
 */
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

/**
 * Reads what was typed.
 *
 * @param name What the parameter is called in messages.
 * @param parameter The parameter.
 * @param text What was typed; `"true"` and `"false"` for switches.
 * @returns The value.
 * @throws {RangeError} If the text is no value of the parameter.
 */
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

function isWithin(x: number, { integer, min, above, max, below }: NumberParameter): boolean {
  return Number.isFinite(x) && !(integer && !Number.isInteger(x)) &&
    !(min !== undefined && x < min) && !(above !== undefined && x <= above) &&
    !(max !== undefined && x > max) && !(below !== undefined && x >= below);
}
