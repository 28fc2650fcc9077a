/**
 * Scalar functions in JavaScript: text for generated loops, in double precision, that calls some of
 * `DOUBLES` (`evaluate.ts`) by that name.
 *
 * @module
 */
import { ROUNDERS, type Scalar } from "./algebra.ts";
import { definitionOf, graphOf, PARAMETERS } from "./mod.ts";
import { type Declaration, declare, TextPrinter, type Texts } from "./text.ts";

const sum = (operator: string) => (x: string, y: string, _z: string, { kind }: Scalar) =>
  `${x} ${operator} ${y}${kind === "integer" ? " | 0" : ""}`;

/** A number as JavaScript has it. */
const constant = (_x: string, _y: string, _z: string, { literal }: Scalar): string => {
  const value = literal as number;
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value);
};

/** The operations as text, in double precision; others are functions of `Math`. */
const TEXTS: Texts = {
  number: constant,
  integer: constant,
  host: (x, y, _z, { literal }) => `Math.${literal}(${y === undefined ? x : `${x}, ${y}`})`,
  choose: (x, y, z) => `${x} ? ${y} : ${z}`,
  add: sum("+"),
  sub: sum("-"),
  mul: (x, y, _z, { kind }) => kind === "integer" ? `Math.imul(${x}, ${y})` : `${x} * ${y}`,
  neg: (x) => `-${x}`,
  minimum: "Math.min",
  maximum: "Math.max",
  copySign: (x, y) => `${y} < 0 || 1 / ${y} < 0 ? -${x} : ${x}`,
  fma: (x, y, z) => `${x} * ${y} + ${z}`,
  fnma: (x, y, z) => `${z} - ${x} * ${y}`,
  round: "DOUBLES.round",
  shift: (x, y) => `${x} * ${y} + ${ROUNDERS.float64}`,
  unshift: (x) => `${x} - ${ROUNDERS.float64}`,
  shiftedInteger: "DOUBLES.lower",
  bits: "DOUBLES.upper",
  fromBits: (x) => `DOUBLES.withUpper(0, ${x})`,
  withBits: "DOUBLES.withUpper",
  opaque: (x) => x,
  toInteger: (x) => `Math.min(Math.max(${x}, ${-(2 ** 31)}), ${2 ** 31 - 1}) | 0`,
  toFloat: (x) => x,
  shl: (x, _y, _z, { literal }) => `${x} << ${literal}`,
  shrS: (x, _y, _z, { literal }) => `${x} >> ${literal}`,
  shrU: (x, _y, _z, { literal }) => `${x} >>> ${literal} | 0`,
  notEqual: (x, y) => `${x} !== ${y}`,
  isNaN: (x) => `${x} !== ${x}`,
  not: (x) => `!${x}`,
};

/** Writes the statements of a graph. */
class JavaScriptPrinter extends TextPrinter {
  constructor() {
    super("const", "let", TEXTS, "Math.");
  }

  override call({ literal }: Scalar, operands: readonly string[]): string {
    const graph = graphOf(literal as string, "float64");
    if (graph.operation === "host") return this.operate(graph, operands);
    this.uses.add(literal as string);
    return this.let(`scalar_${literal}(${operands.join(", ")})`);
  }
}

/** Statements that do something with the value of a graph of named parameters, in double precision. */
export function toStatements(graph: Scalar, last: (value: string) => string): Declaration {
  const printer = new JavaScriptPrinter();
  return { text: printer.statements(graph, last), uses: printer.uses };
}

function declarationOf(name: string): Declaration {
  const parameters = PARAMETERS.slice(0, definitionOf(name)!.arity).join(", ");
  const head = `function scalar_${name}(${parameters})`;
  return new JavaScriptPrinter().declaration(head, graphOf(name, "float64"));
}

/** The text of functions, `scalar_` before their names, and of all that they call. */
export function declareJavaScript(names: Iterable<string>): string {
  return declare(names, declarationOf).join("\n");
}
