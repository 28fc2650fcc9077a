/**
 * Scalar functions as WGSL, in single precision.
 *
 * WGSL grants its own `exp`, `log`, `sin` and their kin errors of many digits near zero, and leaves
 * `pow` of negative numbers and whatever is infinite or NaN open; what is printed here is made of
 * additions, products and shifts, so that it is the same on every adapter. Compilers may reorder and
 * fuse sums, and may assume that there is no NaN, which is told by its bits. Adapters may take
 * subnormal numbers for 0, and -0 for 0.
 *
 * @module
 */
import type { Scalar } from "./algebra.ts";
import { definitionOf, graphOf, PARAMETERS } from "./mod.ts";
import { INFIX } from "./print.ts";
import { TextPrinter } from "./text.ts";
import { HELPERS, type WgslHelper } from "../wgsl/helpers.ts";
import { indent } from "../wgsl/kernel.ts";

/** A number as a constant, or, where constants must not be it, from its bits. */
export function wgslNumber(value: number): string {
  const single = Math.fround(value);
  const isPlain = Number.isFinite(single) &&
    (Math.abs(single) >= 2 ** -126 || Object.is(single, 0));
  if (isPlain) return single < 0 ? `(${single}f)` : `${single}f`;
  const bits = new Uint32Array(Float32Array.of(single).buffer)[0]!;
  return `number_from_bits(0x${bits.toString(16).padStart(8, "0")}u)`;
}

function wgslInteger(value: number): string {
  return value === -(2 ** 31) ? `i32(${value})` : value < 0 ? `(${value}i)` : `${value}i`;
}

type Write = (x: string, y: string, z: string, literal: number) => string;

const infix = (operator: string): Write => (x, y) => `${x} ${operator} ${y}`;
const prefix = (name: string): Write => (x, y, z) =>
  `${name}(${[x, y, z].filter((operand) => operand !== undefined).join(", ")})`;
const same: Write = (x) => x;

const OPERATIONS: Partial<Record<Scalar["operation"], Write>> = {
  number: (_x, _y, _z, literal) => wgslNumber(literal),
  integer: (_x, _y, _z, literal) => wgslInteger(literal),
  choose: (x, y, z) => `select(${z}, ${y}, ${x})`,
  neg: (x) => `-${x}`,
  abs: prefix("abs"),
  sqrt: prefix("sqrt"),
  min: (x, y) => `select(min(${x}, ${y}), ${x}, is_nan(${x}))`,
  max: (x, y) => `select(max(${x}, ${y}), ${x}, is_nan(${x}))`,
  minimum: prefix("scalar_min"),
  maximum: prefix("scalar_max"),
  copySign: (x, y) => `bitcast<f32>(bitcast<u32>(${x}) | (bitcast<u32>(${y}) & 0x80000000u))`,
  fma: prefix("fma"),
  fnma: (x, y, z) => `${z} - ${x} * ${y}`,
  floor: prefix("floor"),
  ceil: prefix("ceil"),
  trunc: prefix("trunc"),
  round: prefix("round"),
  opaque: prefix("opaque"),
  shift: (x, y) => `round(${x} * ${y})`,
  unshift: same,
  shiftedInteger: prefix("i32"),
  toInteger: prefix("i32"),
  toFloat: prefix("f32"),
  bits: prefix("bitcast<i32>"),
  fromBits: prefix("bitcast<f32>"),
  iadd: infix("+"),
  isub: infix("-"),
  imul: infix("*"),
  imin: prefix("min"),
  imax: prefix("max"),
  shl: (x, _y, _z, by) => `${x} << ${by}u`,
  shrS: (x, _y, _z, by) => `${x} >> ${by}u`,
  shrU: (x, _y, _z, by) => `bitcast<i32>(bitcast<u32>(${x}) >> ${by}u)`,
  notEqual: (x, y) => `!(${x} == ${y})`,
  isNaN: prefix("is_nan"),
  not: (x) => `!${x}`,
};

/** What a function is declared as, and what it uses. */
interface Declaration {
  text: string;
  uses: ReadonlySet<string>;
}

/** Writes the statements of graphs of scalars. */
export class WgslPrinter extends TextPrinter {
  constructor() {
    super("let", "var");
  }

  /** The value of an operation. */
  override operate(scalar: Scalar, operands: readonly string[]): string {
    const [x, y, z] = operands as [string, string, string];
    const operator = INFIX[scalar.operation];
    const text = operator === undefined
      ? OPERATIONS[scalar.operation]!(x, y, z, scalar.literal as number)
      : `${x} ${operator} ${y}`;
    for (const [called] of text.matchAll(/\w+(?=\()/g)) {
      if (Object.hasOwn(HELPERS, called)) this.uses.add(called);
    }
    return /^(\w+|opaque\(\w+\))$/.test(text) || scalar.operands.length === 0
      ? text
      : this.let(text);
  }

  /** A call of another function. */
  override call({ literal }: Scalar, operands: readonly string[]): string {
    const name = `scalar_${literal}`;
    this.uses.add(name);
    return this.let(`${name}(${operands.join(", ")})`);
  }
}

const declarations = new Map<string, Declaration>();

function declarationOf(name: string): Declaration {
  const known = declarations.get(name);
  if (known !== undefined) return known;
  const declaration = Object.hasOwn(HELPERS, name)
    ? HELPERS[name as WgslHelper]
    : declareScalar(name);
  declarations.set(name, declaration);
  return declaration;
}

function declareScalar(name: string): Declaration {
  const graph = graphOf(name.slice("scalar_".length), "float32");
  const printer = new WgslPrinter();
  const value = printer.textOf(graph);
  const { arity } = definitionOf(name.slice("scalar_".length))!;
  const parameters = PARAMETERS.slice(0, arity).map((x) => `${x}: f32`).join(", ");
  const body = indent(printer.take(`return ${value};`));
  return { text: `fn ${name}(${parameters}) -> f32 {\n${body}\n}`, uses: printer.uses };
}

/** The text of functions and of all that they call, each once, callees first. */
export function declareFunctions(names: Iterable<string>): string {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    const { text, uses } = declarationOf(name);
    for (const use of uses) visit(use);
    texts.set(name, text);
  };
  for (const name of names) visit(name);
  return [...texts.values()].join("\n\n");
}
