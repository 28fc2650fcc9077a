/**
 * What printers of text have in common: statements that name each value, branches and loops.
 *
 * @module
 */
import type { Loop, Scalar } from "./algebra.ts";
import { print, type Printer } from "./print.ts";

/** Parameters under their own names. */
const NAMES: Readonly<Record<string, string>> = new Proxy({}, { get: (_, name) => name });

/** Writes the statements of graphs of scalars in a language with braces. */
export abstract class TextPrinter implements Printer<string> {
  /** The statements. */
  lines: string[] = [];
  /** The functions that they call. */
  readonly uses: Set<string> = new Set();
  readonly #declare: Readonly<Record<"value" | "variable", string>>;
  #count = 0;

  /** How the language declares what keeps its value, and what does not. */
  constructor(value: string, variable: string) {
    this.#declare = { value, variable };
  }

  /** The value of a graph whose parameters are names; its last operation needs none. */
  textOf(graph: Scalar): string {
    const [value] = print([graph], NAMES, this);
    const start = `${this.#declare.value} ${value} = `;
    return this.lines.at(-1)?.startsWith(start)
      ? this.lines.pop()!.slice(start.length, -1)
      : value!;
  }

  /** The statements so far, and the last ones. */
  take(last: string): string {
    return [...this.lines.splice(0), last].join("\n");
  }

  /** The value of an operation. */
  abstract operate(scalar: Scalar, operands: readonly string[]): string;

  /** A call of another function. */
  abstract call(scalar: Scalar, operands: readonly string[]): string;

  /** A branch. */
  rarely(condition: string, exceptional: () => string, usual: string): string {
    const chosen = this.let(usual, "variable");
    this.#block(`if (${condition})`, () => [`${chosen} = ${exceptional()};`]);
    return chosen;
  }

  /** A loop. */
  repeat(
    _loop: Loop,
    first: readonly string[],
    begins: string,
    turn: (values: readonly string[]) => [string, string[]],
  ): string[] {
    const [going, ...values] = [begins, ...first].map((x) => this.let(x, "variable"));
    this.#block(`while (${going})`, () => {
      const [goes, next] = turn(values);
      const kept = next.map((x) => this.let(x));
      return [`${going} = ${goes};`, ...kept.map((x, i) => `${values[i]} = ${x};`)];
    });
    return values;
  }

  /** A new name for a value. */
  protected let(text: string, kind: "value" | "variable" = "value"): string {
    const name = `t${this.#count++}`;
    this.lines.push(`${this.#declare[kind]} ${name} = ${text};`);
    return name;
  }

  /** Statements in braces; `write` gives the last ones. */
  #block(head: string, write: () => string[]): void {
    const outside = this.lines;
    this.lines = [];
    const last = write();
    const inside = [...this.lines, ...last].map((line) => `  ${line}`);
    this.lines = [...outside, `${head} {`, ...inside, "}"];
  }
}
