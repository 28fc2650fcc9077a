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
import { type Declaration, declare, TextPrinter, type Texts } from "./text.ts";
import { HELPERS } from "../wgsl/helpers.ts";

/** A number as a constant, or, where constants must not be it, from its bits. */
function wgslNumber(value: number): string {
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

/** The lesser or the larger; beside a finite constant but 0, the language's own if `x` is no NaN. */
const extreme = (name: "min" | "max") => (x: string, y: string, _z: string, scalar: Scalar) => {
  const [, { operation, literal }] = scalar.operands as [Scalar, Scalar];
  const own = `${name}(${x}, ${y})`;
  if (scalar.kind === "integer") return own;
  const isPlain = operation === "number" && Number.isFinite(literal) && literal !== 0;
  return isPlain ? `select(${own}, ${x}, is_nan(${x}))` : `scalar_${own}`;
};

/** The operations as text; others are functions of the language or of `helpers.ts`. */
const TEXTS: Texts = {
  number: (_x, _y, _z, { literal }) => wgslNumber(literal as number),
  integer: (_x, _y, _z, { literal }) => wgslInteger(literal as number),
  choose: (x, y, z) => `select(${z}, ${y}, ${x})`,
  neg: (x) => `-${x}`,
  minimum: extreme("min"),
  maximum: extreme("max"),
  copySign: (x, y) => `bitcast<f32>(bitcast<u32>(${x}) | (bitcast<u32>(${y}) & 0x80000000u))`,
  fnma: (x, y, z) => `${z} - ${x} * ${y}`,
  shift: (x, y) => `round(${x} * ${y})`,
  unshift: (x) => x,
  shiftedInteger: "i32",
  toInteger: "i32",
  toFloat: "f32",
  bits: "bitcast<i32>",
  fromBits: "bitcast<f32>",
  shl: (x, _y, _z, { literal }) => `${x} << ${literal}u`,
  shrS: (x, _y, _z, { literal }) => `${x} >> ${literal}u`,
  shrU: (x, _y, _z, { literal }) => `bitcast<i32>(bitcast<u32>(${x}) >> ${literal}u)`,
  notEqual: (x, y) => `!(${x} == ${y})`,
  isNaN: "is_nan",
  not: (x) => `!${x}`,
};

/** Writes the statements of graphs of scalars. */
export class WgslPrinter extends TextPrinter {
  constructor() {
    super("let", "var", TEXTS, "");
  }

  /** The text of an operation, with the helpers that it uses kept in mind. */
  protected override write(scalar: Scalar, operands: readonly string[]): string {
    const text = super.write(scalar, operands);
    for (const [called] of text.matchAll(/\w+(?=\()/g)) {
      if (HELPERS.has(called)) this.uses.add(called);
    }
    return text;
  }

  /** A call of another function. */
  override call({ literal }: Scalar, operands: readonly string[]): string {
    const name = `scalar_${literal}`;
    this.uses.add(name);
    return this.let(`${name}(${operands.join(", ")})`);
  }
}

const declarations = new Map(HELPERS);

function declarationOf(name: string): Declaration {
  const known = declarations.get(name);
  if (known !== undefined) return known;
  const own = name.slice("scalar_".length);
  const parameters = PARAMETERS.slice(0, definitionOf(own)!.arity).map((x) => `${x}: f32`);
  const head = `fn ${name}(${parameters.join(", ")}) -> f32`;
  const declaration = new WgslPrinter().declaration(head, graphOf(own, "float32"));
  declarations.set(name, declaration);
  return declaration;
}

/** The text of functions and of all that they call, each once, callees first. */
export function declareFunctions(names: Iterable<string>): string {
  return declare(names, declarationOf).join("\n\n");
}
