/**
 * Scalar functions in JavaScript: text for generated loops, in double precision, that calls some of
 * `DOUBLES` (`evaluate.ts`) by that name.
 *
 * @module
 */
import { type HostFunction, ROUNDERS, type Scalar } from "./algebra.ts";
import { definitionOf, graphOf, PARAMETERS } from "./mod.ts";
import { type Declaration, declare, TextPrinter, type Texts } from "./text.ts";

const integers = (operator: string) => (x: string, y: string) => `${x} ${operator} ${y} | 0`;
const math = (name: string) => (x: string) => `Math.${name}(${x})`;

/** The operations as text, in double precision. */
const TEXTS: Texts = {
  number: (_x, _y, _z, literal) => javaScriptNumber(literal as number),
  integer: (_x, _y, _z, literal) => javaScriptNumber(literal as number),
  host: (x, y, _z, name) => `Math.${name}(${y === undefined ? x : `${x}, ${y}`})`,
  choose: (x, y, z) => `${x} ? ${y} : ${z}`,
  neg: (x) => `-${x}`,
  abs: math("abs"),
  sqrt: math("sqrt"),
  min: (x, y) => `${y} < ${x} ? ${y} : ${x}`,
  max: (x, y) => `${x} < ${y} ? ${y} : ${x}`,
  minimum: (x, y) => `Math.min(${x}, ${y})`,
  maximum: (x, y) => `Math.max(${x}, ${y})`,
  copySign: (x, y) => `${y} < 0 || 1 / ${y} < 0 ? -${x} : ${x}`,
  fma: (x, y, z) => `${x} * ${y} + ${z}`,
  fnma: (x, y, z) => `${z} - ${x} * ${y}`,
  floor: math("floor"),
  ceil: math("ceil"),
  trunc: math("trunc"),
  round: (x) => `DOUBLES.round(${x})`,
  shift: (x, y) => `${x} * ${y} + ${ROUNDERS.float64}`,
  unshift: (x) => `${x} - ${ROUNDERS.float64}`,
  shiftedInteger: (x) => `DOUBLES.lower(${x})`,
  bits: (x) => `DOUBLES.upper(${x})`,
  fromBits: (x) => `DOUBLES.withUpper(0, ${x})`,
  withBits: (x, y) => `DOUBLES.withUpper(${x}, ${y})`,
  opaque: (x) => x,
  toInteger: (x) => `Math.min(Math.max(${x}, ${-(2 ** 31)}), ${2 ** 31 - 1}) | 0`,
  toFloat: (x) => x,
  iadd: integers("+"),
  isub: integers("-"),
  imul: (x, y) => `Math.imul(${x}, ${y})`,
  imin: (x, y) => `Math.min(${x}, ${y})`,
  imax: (x, y) => `Math.max(${x}, ${y})`,
  shl: (x, _y, _z, by) => `${x} << ${by}`,
  shrS: (x, _y, _z, by) => `${x} >> ${by}`,
  shrU: (x, _y, _z, by) => `${x} >>> ${by} | 0`,
  notEqual: (x, y) => `${x} !== ${y}`,
  isNaN: (x) => `${x} !== ${x}`,
  not: (x) => `!${x}`,
};

/** Writes the statements of a graph. */
class JavaScriptPrinter extends TextPrinter {
  constructor() {
    super("const", "let", TEXTS);
  }

  override call({ literal }: Scalar, operands: readonly string[]): string {
    if (hostName(literal as string) === undefined) this.uses.add(literal as string);
    return this.let(callJavaScript(literal as string, operands));
  }
}

/** A number as JavaScript has it. */
export function javaScriptNumber(value: number): string {
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value);
}

/** A call of a function as text, which {@linkcode declareJavaScript} declares. */
export function callJavaScript(name: string, operands: readonly string[]): string {
  const host = hostName(name);
  return `${host === undefined ? `scalar_${name}` : `Math.${host}`}(${operands.join(", ")})`;
}

/** What the host calls a function that it has. */
export function hostName(name: string): HostFunction | undefined {
  if (definitionOf(name)!.texts === undefined) return name as HostFunction;
  const { operation, operands, literal } = graphOf(name, "float64");
  const isHost = operation === "host" && operands.every((x) => x.operation === "parameter");
  return isHost ? literal as HostFunction : undefined;
}

/** Statements that do something with the value of a graph of named parameters, in double precision. */
export function toStatements(graph: Scalar, last: (value: string) => string): Declaration {
  const printer = new JavaScriptPrinter();
  return { text: printer.statements(graph, last), uses: printer.uses };
}

function declarationOf(name: string): Declaration {
  const { text, uses } = toStatements(graphOf(name, "float64"), (value) => `return ${value};`);
  const parameters = PARAMETERS.slice(0, definitionOf(name)!.arity).join(", ");
  return { text: `function scalar_${name}(${parameters}) {\n${text}\n}`, uses };
}

/** The text of functions and of all that they call, but for those of the host. */
export function declareJavaScript(names: Iterable<string>): string {
  const written = [...names].filter((name) => hostName(name) === undefined);
  return declare(written, declarationOf).join("\n");
}
