/**
 * Command lines of the examples: options are declared once, with their kind, range, default and
 * help; values come out typed, and every mistake is one clear line.
 */
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./usage_error.ts";
import { reasonOf } from "./write_error.ts";

export { UsageError } from "./usage_error.ts";

/** Any text, such as a file; the help has the placeholder for it, `TEXT` by default. */
export type TextOption = { kind: "string"; default?: string; placeholder?: string; help: string };

export interface NumberOption {
  kind: "integer" | "number";
  default?: number;
  min?: number;
  /** A bound that the value must exceed. */
  above?: number;
  max?: number;
  help: string;
}

/** One of a list. */
export interface ChoiceOption {
  kind: "choice";
  choices: readonly string[];
  default?: string;
  help: string;
}

/** An option without a value: present or not. */
export type SwitchOption = { kind: "boolean"; help: string };

/** Any option; the default is its value where it is absent. */
export type OptionSpec = TextOption | NumberOption | ChoiceOption | SwitchOption;

/** Options by name; `learningRate` is written `--learning-rate`. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export type ValueOf<S extends OptionSpec> = S extends SwitchOption ? boolean
  :
    | (S extends NumberOption ? number : S extends ChoiceOption ? S["choices"][number] : string)
    | (S extends { default: string | number } ? never : undefined);

/** The values of options: absent ones without a default are `undefined`. */
export type OptionValues<S extends OptionSpecs> = { readonly [K in keyof S]: ValueOf<S[K]> };

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function describeRange({ kind, min, above, max }: NumberOption): string {
  const noun = kind === "integer" ? "a whole number" : "a number";
  const low = above !== undefined ? `above ${above}` : min !== undefined ? `>= ${min}` : undefined;
  const high = max !== undefined ? `<= ${max}` : undefined;
  return [noun, [low, high].filter((bound) => bound !== undefined).join(" and ")].join(" ").trim();
}

function parseNumber(flag: string, spec: NumberOption, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  const known = spec.kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  const { min = -Infinity, above = -Infinity, max = Infinity } = spec;
  if (known && value >= min && value > above && value <= max) return value;
  throw new UsageError(`Option ${flag} must be ${describeRange(spec)}: current value is "${text}"`);
}

function parseValue(flag: string, spec: OptionSpec, text: string): string | number | boolean {
  if (spec.kind === "string") return text;
  if (spec.kind === "choice") {
    if (spec.choices.includes(text)) return text;
    throw new UsageError(
      `Option ${flag} must be one of ${spec.choices.join(", ")}: current value is "${text}"`,
    );
  }
  if (spec.kind === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new UsageError(`Option ${flag} takes no value: current value is "${text}"`);
  }
  return parseNumber(flag, spec, text);
}

/** Steps of inserting, deleting or replacing a letter between two words. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

function listOf(flags: readonly string[]): string {
  return [...flags, "--help"].join(", ");
}

function unknownOption(flag: string, flags: readonly string[]): UsageError {
  const nearest = [...flags, "--help"]
    .map((name) => ({ name, distance: editDistance(flag.replaceAll("_", "-"), name) }))
    .reduce((a, b) => b.distance < a.distance ? b : a);
  const hint = nearest.distance <= Math.max(2, flag.length / 4)
    ? `did you mean ${nearest.name}? Valid`
    : "valid";
  return new UsageError(`Unknown option ${flag}: ${hint} options are ${listOf(flags)}`);
}

function strayArgument(argument: unknown, flags: readonly string[]): UsageError {
  return new UsageError(
    `Unexpected argument "${argument}": valid options are ${listOf(flags)}`,
  );
}

/**
 * Checks the names and writes every option as `--name=value`, so that a value may be a negative
 * number and an option is never taken for the value of the one before it.
 */
function joinValues(specs: ReadonlyMap<string, OptionSpec>, args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (argument === "--") return [...joined, ...args.slice(i)];
    const [flag] = argument.split("=", 1) as [string];
    const kind = specs.get(flag)?.kind;
    if (kind === undefined && /^-./.test(argument)) throw unknownOption(flag, [...specs.keys()]);
    if (kind === undefined || argument.length > flag.length + 1) {
      joined.push(argument);
    } else if (kind === "boolean") {
      joined.push(`${flag}=true`);
    } else {
      const next = argument === flag ? args[++i] : undefined;
      if (!next || /^-(?!\.?\d|$)/.test(next)) throw missingValue(flag, next);
      joined.push(`${flag}=${next}`);
    }
  }
  return joined;
}

function missingValue(flag: string, next: string | undefined): UsageError {
  const found = next ? `${next} follows` : "there is none";
  return new UsageError(`Option ${flag} needs a value but ${found}: write ${flag}=VALUE`);
}

/** Drops the `--` that other task runners want before the arguments of a script. */
function withoutSeparator(args: readonly string[]): readonly string[] {
  return args[0] === "--" ? args.slice(1) : args;
}

/**
 * Reads a command line, `--name value` or `--name=value`: the values of all options, absent ones by
 * their defaults. Throws `UsageError` for unknown options, bad or missing values, and strays.
 */
export function parseOptions<const S extends OptionSpecs>(
  specs: S,
  args: readonly string[],
): OptionValues<S> {
  const byFlag = new Map(Object.entries(specs).map(([name, spec]) => [flagOf(name), spec]));
  const joined = joinValues(byFlag, withoutSeparator(args));
  const names = [...byFlag.keys()].map((flag) => flag.slice(2));
  const parsed: Record<string, unknown> & { _: unknown[] } = parseArgs(joined, { string: names });
  if (parsed._.length > 0) throw strayArgument(parsed._[0], [...byFlag.keys()]);
  const values = Object.entries(specs).map(([name, spec]) => {
    const flag = flagOf(name);
    const text = parsed[flag.slice(2)];
    if (typeof text === "string") return [name, parseValue(flag, spec, text)];
    return [name, spec.kind === "boolean" ? false : spec.default];
  });
  return Object.fromEntries(values) as OptionValues<S>;
}

export interface Program<S extends OptionSpecs> {
  /** How the program is called, such as `deno task demo`. */
  command: string;
  /** What it does, in a sentence or two. */
  summary: string;
  options: S;
}

function placeholder(spec: OptionSpec): string {
  if (spec.kind === "boolean") return "";
  if (spec.kind === "choice") return ` ${spec.choices.join("|")}`;
  return spec.kind === "string" ? ` ${spec.placeholder ?? "TEXT"}` : " N";
}

function details(spec: OptionSpec): string {
  if (spec.kind === "boolean") return "";
  const range = spec.kind === "integer" || spec.kind === "number" ? [describeRange(spec)] : [];
  const value = spec.default === undefined ? [] : [`default ${spec.default}`];
  const parts = [...range, ...value];
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

export function helpText<S extends OptionSpecs>(program: Program<S>): string {
  const entries = Object.entries<OptionSpec>(program.options).map(([name, spec]) => [
    flagOf(name) + placeholder(spec),
    spec.help + details(spec),
  ]);
  const rows = [...entries, ["--help", "Show this text"]] as [string, string][];
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [`Usage: ${program.command} [options]`, "", program.summary, "", "Options:", ...lines]
    .join("\n");
}

/**
 * Runs a program: `--help` prints the help; a {@linkcode UsageError}, and what the system says of
 * files, becomes one line on standard error and status 2. `main` may return a status.
 */
export async function runProgram<const S extends OptionSpecs>(
  program: Program<S>,
  args: readonly string[],
  main: (values: OptionValues<S>) => Promise<number | void> | number | void,
): Promise<number> {
  try {
    if (args.includes("--help") || args.includes("-h")) {
      console.log(helpText(program));
      return 0;
    }
    return await main(parseOptions(program.options, args)) ?? 0;
  } catch (error) {
    const known = error instanceof UsageError || reasonOf(error) !== undefined;
    if (!known) throw error;
    console.error(`error: ${new UsageError((error as Error).message).message}`);
    return 2;
  }
}
