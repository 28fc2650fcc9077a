/** What is wrong with what became of a misused function. */
import { type BadValue, OwnError } from "./bad_values.ts";

/** How engines word what they find out by themselves. */
const ENGINE = [
  /is not a function/,
  /Cannot read propert/,
  /Cannot (set|create|delete|define|redefine) propert/,
  /is not iterable/,
  /Invalid (typed )?array/i,
  /Invalid (Date|string|time|count|code point)/,
  /Array buffer allocation/,
  /allocation failed/,
  /Maximum call stack/,
  /Cannot (convert|mix)/,
  /WebAssembly/,
  /undefined is not/,
  /is not a constructor/,
  /cannot be invoked without/,
  /not an? (object|instance|symbol|typed array)/,
  /is not valid JSON|in JSON|circular structure/,
  /Class extends/,
  /detached ArrayBuffer/,
  /start offset|offset is out of bounds|out of bounds/,
  /Reduce of empty/,
  /The "\w+" (argument|property)/,
  /^\w+ is not defined|before initialization|null or undefined/,
  /private (member|field|method)|incompatible receiver/,
];

/** What came of a call. */
export type Outcome = { value: unknown } | { error: unknown };

/** What is wrong with it, `undefined` for nothing. */
export function faultIn(bad: BadValue, outcome: Outcome): string | undefined {
  if ("value" in outcome) return bad.meaningless ? "accepts it without a word" : undefined;
  const { error } = outcome;
  if (error instanceof OwnError) return undefined;
  if (!(error instanceof Error)) return `throws what is no error: ${String(error)}`;
  const told = `${error.name}: ${error.message}`;
  if (ENGINE.some((words) => words.test(error.message))) return `passes on the engine's ${told}`;
  if (!/^(Cannot|Expected) /.test(error.message)) return `says in a foreign style ${told}`;
  const isOfFiles = /^(Cannot (confirm|load|read|write) |Expected )/.test(error.message);
  if (!isOfFiles && !/^(Type|Range|Syntax)Error$/.test(error.name)) {
    return `throws an error of no kind, ${told}`;
  }
  return undefined;
}
