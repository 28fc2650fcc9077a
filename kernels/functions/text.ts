/**
 * What printers of text have in common: statements that name each value, branches and loops.
 *
 * @module
 */
import type { Loop, Operation, Scalar } from "./algebra.ts";
import { print, type Printer } from "./print.ts";

/** Parameters under their own names. */
const NAMES: Readonly<Record<string, string>> = new Proxy({}, { get: (_, name) => name });

/** Operations that languages write alike, between their operands. */
const INFIX: Partial<Record<Operation, string>> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/", and: "&", or: "|", xor: "^" },
  ...{ less: "<", lessEqual: "<=", equal: "==", both: "&&", either: "||" },
};

/** The other operations as text, or the functions that they call, by default of their own name. */
export type Texts = Partial<
  Record<Operation, string | ((x: string, y: string, z: string, scalar: Scalar) => string)>
>;

/** A function's text, and the functions that it uses. */
export interface Declaration {
  /** The text. */
  text: string;
  /** Their names. */
  uses: ReadonlySet<string>;
}

/** The texts of functions and of all that they use, each once, what they use first. */
export function declare(
  names: Iterable<string>,
  declarationOf: (name: string) => Declaration,
): string[] {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    const { text, uses } = declarationOf(name);
    for (const use of uses) visit(use);
    texts.set(name, text);
  };
  for (const name of names) visit(name);
  return [...texts.values()];
}

/** Writes the statements of graphs of scalars in a language with braces. */
export abstract class TextPrinter implements Printer<string> {
  /** The statements. */
  lines: string[] = [];
  /** The functions that they call. */
  readonly uses: Set<string> = new Set();
  readonly #declare: Readonly<Record<"value" | "variable", string>>;
  readonly #texts: Texts;
  readonly #library: string;
  #count = 0;

  /**
   * How the language declares what keeps its value, and what does not, its operations, and what stands
   * before the names of functions.
   */
  constructor(value: string, variable: string, texts: Texts, library: string) {
    this.#declare = { value, variable };
    this.#texts = texts;
    this.#library = library;
  }

  /** A function of the parameters in a graph. */
  declaration(head: string, graph: Scalar): Declaration {
    this.#block(head, () => this.statements(graph, (value) => `return ${value};`).split("\n"));
    return { text: this.lines.join("\n"), uses: this.uses };
  }

  /** The statements so far, those of a graph whose parameters are names, and one with its value. */
  statements(graph: Scalar, last: (value: string) => string): string {
    const [value] = print([graph], NAMES, this);
    const start = `${this.#declare.value} ${value} = `;
    // The last operation needs no name.
    const text = this.lines.at(-1)?.startsWith(start)
      ? this.lines.pop()!.slice(start.length, -1)
      : value!;
    return [...this.lines.splice(0), last(text)].join("\n");
  }

  /** The value of an operation: itself where it is as short as a name. */
  operate(scalar: Scalar, operands: readonly string[]): string {
    const text = this.write(scalar, operands);
    const isShort = operands.length === 0 || /^(\w+|opaque\(\w+\))$/.test(text);
    return isShort ? text : this.let(text);
  }

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

  /** The text of an operation. */
  protected write(scalar: Scalar, operands: readonly string[]): string {
    const { operation } = scalar;
    const text = this.#texts[operation] ?? this.#library + operation;
    const [x, y, z] = operands as [string, string, string];
    if (typeof text === "function") return text(x, y, z, scalar);
    const operator = INFIX[operation];
    return operator === undefined ? `${text}(${operands.join(", ")})` : `${x} ${operator} ${y}`;
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
