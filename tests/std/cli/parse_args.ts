/**
 * Offline stand-in for `@std/cli/parse-args`: the options that this repository
 * uses (`boolean`, `string`, `default`, `alias`, `unknown`), over `node:util`.
 *
 * @module
 */
import { parseArgs as parseTokens } from "node:util";

/** The options of {@linkcode parseArgs} that the stand-in covers. */
export interface ParseOptions {
  /** Flags without a value. */
  boolean?: readonly string[];
  /** Flags with a value, kept as text. */
  string?: readonly string[];
  /** Values of absent flags. */
  default?: Record<string, unknown>;
  /** Other names of a flag. */
  alias?: Record<string, string>;
  /** Called for what is not declared; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns: a value per flag, and the rest in `_`. */
// deno-lint-ignore no-explicit-any
export type Args = Record<string, any> & { _: Array<string | number> };

/** Parses command-line arguments as the real function does. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions = {},
): Args {
  const kinds = new Map<string, "boolean" | "string">();
  for (const name of options.boolean ?? []) kinds.set(name, "boolean");
  for (const name of options.string ?? []) kinds.set(name, "string");
  const aliases = Object.entries(options.alias ?? {});
  const canonical = new Map(aliases.map(([name, alias]) => [alias, name]));
  for (const [name, alias] of aliases) {
    kinds.set(alias, kinds.get(name) ?? "string");
  }

  const { tokens } = parseTokens({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      [...kinds].map(([name, type]) => [
        name,
        name.length === 1 ? { type, short: name } : { type },
      ]),
    ),
  });
  const result: Args = { _: [] };
  const set = (name: string, value: unknown) => {
    result[name] = value;
    for (const [key, alias] of aliases) if (key === name) result[alias] = value;
  };
  for (const name of options.boolean ?? []) set(name, false);
  for (const [name, value] of Object.entries(options.default ?? {})) {
    set(name, value);
  }
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (options.unknown?.(token.value) === false) continue;
      result._.push(
        /^\d+$/.test(token.value) ? Number(token.value) : token.value,
      );
    } else if (token.kind === "option") {
      const name = canonical.get(token.name) ?? token.name;
      const kind = kinds.get(name);
      const value = kind === "string" ? token.value ?? "" : token.value !== "false";
      if (kind === undefined) {
        const arg = token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`;
        if (options.unknown?.(arg, name, token.value ?? true) === false) {
          continue;
        }
        result[name] = token.value ?? true;
      } else set(name, value);
    }
  }
  return result;
}
