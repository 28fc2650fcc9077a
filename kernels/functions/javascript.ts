/**
 * Scalar functions in JavaScript: text for generated loops, in double precision, that calls some of
 * `DOUBLES` (`evaluate.ts`) by that name.
 *
 * @module
 */
import { type HostFunction, ROUNDERS, type Scalar } from "./algebra.ts";
import { definitionOf, graphOf, PARAMETERS } from "./mod.ts";
import { INFIX } from "./print.ts";
import { TextPrinter } from "./text.ts";

type Write = (x: string, y: string, z: string, literal: number) => string;

const integers = (operator: string): Write => (x, y) => `${x} ${operator} ${y} | 0`;
const shift = (operator: string): Write => (x, _y, _z, by) => `${x} ${operator} ${by} | 0`;
const math = (name: string): Write => (x) => `Math.${name}(${x})`;

/** The operations as text, in double precision. */
const TEXT: Partial<Record<Scalar["operation"], Write>> = {
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
  shl: shift("<<"),
  shrS: shift(">>"),
  shrU: shift(">>>"),
  notEqual: (x, y) => `${x} !== ${y}`,
  isNaN: (x) => `${x} !== ${x}`,
  not: (x) => `!${x}`,
};

/** Writes the statements of a graph. */
class JavaScriptPrinter extends TextPrinter {
  constructor() {
    super("const", "let");
  }

  override operate(scalar: Scalar, operands: readonly string[]): string {
    const { operation, literal } = scalar;
    if (operation === "number" || operation === "integer") {
      return javaScriptNumber(literal as number);
    }
    if (operation === "host") return this.let(`Math.${literal}(${operands.join(", ")})`);
    const [x, y, z] = operands as [string, string, string];
    const operator = INFIX[operation];
    if (operator !== undefined) return this.let(`${x} ${operator} ${y}`);
    return this.let(TEXT[operation]!(x, y, z, literal as number));
  }

  override call({ literal }: Scalar, operands: readonly string[]): string {
    this.uses.add(literal as string);
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

/** A function's statements, and the functions that it calls. */
interface Body {
  text: string;
  calls: ReadonlySet<string>;
}

/** Statements that do something with the value of a graph of named parameters, in double precision. */
export function toStatements(graph: Scalar, last: (value: string) => string): Body {
  const printer = new JavaScriptPrinter();
  return { text: printer.take(last(printer.textOf(graph))), calls: printer.uses };
}

/** The text of functions and of all that they call. */
export function declareJavaScript(names: Iterable<string>): string {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    if (hostName(name) !== undefined) return;
    const { text, calls } = toStatements(graphOf(name, "float64"), (value) => `return ${value};`);
    const parameters = PARAMETERS.slice(0, definitionOf(name)!.arity).join(", ");
    texts.set(name, `function scalar_${name}(${parameters}) {\n${text}\n}`);
    for (const callee of calls) visit(callee);
  };
  for (const name of names) visit(name);
  return [...texts.values()].join("\n");
}
