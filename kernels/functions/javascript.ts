/**
 * Scalar functions in JavaScript: text for generated loops in double precision, and instructions for
 * where generating code is forbidden, which round to single precision too.
 *
 * @module
 */
import type { HostFunction, Loop, Precision, Scalar } from "./algebra.ts";
import { definitionOf, graphOf, PARAMETERS } from "./mod.ts";
import { print, type Printer } from "./print.ts";
import { TextPrinter } from "./text.ts";

/** A scalar function as one of JavaScript. */
export type NumberFunction = (...args: number[]) => number;

const ROUNDER = 1.5 * 2 ** 23;

/** The nearest whole number, an even one of two. */
function roundEven(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

const word = new Int32Array(1);
const single = new Float32Array(word.buffer);

function bitsOf(x: number): number {
  single[0] = x;
  return word[0]!;
}

function fromBits(x: number): number {
  word[0] = x;
  return single[0]!;
}

const halves = new Int32Array(2);
const whole = new Float64Array(halves.buffer);
whole[0] = 1;
/** Where the upper half of a number lies: it depends on the machine. */
const UPPER = halves[1] === 0 ? 0 : 1;

function upperBitsOf(x: number): number {
  whole[0] = x;
  return halves[UPPER]!;
}

function fromUpperBits(x: number): number {
  halves[1 - UPPER] = 0;
  halves[UPPER] = x;
  return whole[0]!;
}

/** What a value is rounded to. */
type Round = (x: number) => number;
type Compute = (x: number, y: number, z: number, round: Round) => number;

/** The operations on numbers; truth is 1 or 0, and what is exact needs no rounding. */
const COMPUTE: Partial<Record<Scalar["operation"], Compute>> = {
  choose: (x, y, z) => x ? y : z,
  rarely: (x, y, z) => x ? y : z,
  add: (x, y, _z, round) => round(x + y),
  sub: (x, y, _z, round) => round(x - y),
  mul: (x, y, _z, round) => round(x * y),
  div: (x, y, _z, round) => round(x / y),
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: (x, _y, _z, round) => round(Math.sqrt(x)),
  min: (x, y) => y < x ? y : x,
  max: (x, y) => x < y ? y : x,
  copySign: (x, y) => y < 0 || 1 / y < 0 ? -x : x,
  fma: (x, y, z, round) => round(round(x * y) + z),
  fnma: (x, y, z, round) => round(z - round(x * y)),
  floor: (x) => Math.floor(x),
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: roundEven,
  opaque: (x) => x,
  shift: (x, y, _z, round) => round(round(x * y) + ROUNDER),
  unshift: (x) => x - ROUNDER,
  shiftedInteger: bitsOf,
  toInteger: (x) => x === x ? Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1) : 0,
  toFloat: (x, _y, _z, round) => round(x),
  bits: bitsOf,
  fromBits,
  iadd: (x, y) => x + y | 0,
  isub: (x, y) => x - y | 0,
  imul: Math.imul,
  imax: (x, y) => Math.max(x, y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y) => x << y,
  shrS: (x, y) => x >> y,
  shrU: (x, y) => x >>> y | 0,
  less: (x, y) => x < y ? 1 : 0,
  lessEqual: (x, y) => x <= y ? 1 : 0,
  equal: (x, y) => x === y ? 1 : 0,
  notEqual: (x, y) => x === y ? 0 : 1,
  isNaN: (x) => x === x ? 0 : 1,
  integerLess: (x, y) => x < y ? 1 : 0,
  integerEqual: (x, y) => x === y ? 1 : 0,
  both: (x, y) => x & y,
  either: (x, y) => x | y,
  not: (x) => 1 - x,
};

/** An instruction on the registers. */
type Instruction = (registers: Float64Array, round: Round) => void;

/** One instruction after the other. */
function sequence(list: readonly Instruction[]): Instruction {
  return (registers, round) => {
    for (const instruction of list) instruction(registers, round);
  };
}

/** Lists the instructions of a graph; values are numbers of registers. */
class Evaluator implements Printer<number> {
  readonly registers: number[];
  instructions: Instruction[] = [];
  readonly #precision: Precision;

  constructor(precision: Precision, parameters: number) {
    this.#precision = precision;
    this.registers = new Array<number>(parameters).fill(0);
  }

  operate({ operation, literal }: Scalar, operands: readonly number[]): number {
    if (operation === "number" || operation === "integer") return this.#constant(literal as number);
    if (operation === "host") {
      const f: NumberFunction = Math[literal as HostFunction];
      return this.#compute((x, y, _z, round) => round(f(x, y)), operands);
    }
    if (this.#precision === "float64" && operation === "bits") {
      return this.#compute(upperBitsOf, operands);
    }
    if (this.#precision === "float64" && operation === "fromBits") {
      return this.#compute(fromUpperBits, operands);
    }
    const isShift = operation === "shl" || operation === "shrS" || operation === "shrU";
    const all = isShift ? [...operands, this.#constant(literal as number)] : operands;
    return this.#compute(COMPUTE[operation]!, all);
  }

  call({ literal }: Scalar, operands: readonly number[]): number {
    const parameters = Object.fromEntries(operands.map((x, i) => [PARAMETERS[i]!, x]));
    return print([graphOf(literal as string, this.#precision)], parameters, this)[0]!;
  }

  repeat(
    _loop: Loop,
    first: readonly number[],
    begins: number,
    turn: (values: readonly number[]) => [number, number[]],
  ): number[] {
    const values = first.map((x) => this.#copy(x));
    const going = this.#copy(begins);
    const outside = this.instructions;
    this.instructions = [];
    const [goes, next] = turn(values);
    const kept = next.map((x) => this.#copy(x));
    kept.forEach((x, i) => this.#copy(x, values[i]!));
    this.#copy(goes, going);
    const once = sequence(this.instructions);
    this.instructions = [...outside, (registers, round) => {
      while (registers[going] !== 0) once(registers, round);
    }];
    return values;
  }

  rarely(condition: number, exceptional: () => number, usual: number): number {
    const chosen = this.#copy(usual);
    const outside = this.instructions;
    this.instructions = [];
    this.#copy(exceptional(), chosen);
    const inside = sequence(this.instructions);
    this.instructions = [...outside, (registers, round) => {
      if (registers[condition] !== 0) inside(registers, round);
    }];
    return chosen;
  }

  #constant(value: number): number {
    return this.registers.push(value) - 1;
  }

  #copy(x: number, to?: number): number {
    return this.#compute((x) => x, [x], to);
  }

  #compute(
    compute: Compute,
    [x = 0, y = 0, z = 0]: readonly number[],
    to: number = this.#constant(0),
  ): number {
    this.instructions.push((registers, round) =>
      registers[to] = compute(registers[x]!, registers[y]!, registers[z]!, round)
    );
    return to;
  }
}

/** The values of graphs' nodes as functions of up to four parameters, without generated code. */
export function evaluate(
  roots: readonly Scalar[],
  precision: Precision,
  names: readonly string[] = PARAMETERS,
): (...args: number[]) => number[] {
  const evaluator = new Evaluator(precision, names.length);
  const parameters = Object.fromEntries(names.map((name, i) => [name, i]));
  const results = print(roots, parameters, evaluator);
  const all = sequence(evaluator.instructions);
  const registers = Float64Array.from(evaluator.registers);
  const round: Round = precision === "float32" ? Math.fround : (x) => x;
  return (...args) => {
    args.forEach((x, i) => registers[i] = x);
    all(registers, round);
    return results.map((i) => registers[i]!);
  };
}

const functions = new Map<string, NumberFunction>();

/** A scalar function: the host's where it has it, else evaluated. */
export function scalarFunction(name: string, precision: Precision = "float64"): NumberFunction {
  const key = `${name} ${precision}`;
  const known = functions.get(key);
  if (known !== undefined) return known;
  const host = precision === "float64" || definitionOf(name)!.texts === undefined
    ? hostName(name)
    : undefined;
  const made = host === undefined ? evaluated(name, precision) : Math[host];
  functions.set(key, made);
  return made;
}

function evaluated(name: string, precision: Precision): NumberFunction {
  const all = evaluate([graphOf(name, precision)], precision);
  return (...args) => all(...args)[0]!;
}

type Write = (x: string, y: string, z: string, literal: number) => string;

const infix = (operator: string): Write => (x, y) => `${x} ${operator} ${y}`;
const integers = (operator: string): Write => (x, y) => `${x} ${operator} ${y} | 0`;
const shift = (operator: string): Write => (x, _y, _z, by) => `${x} ${operator} ${by} | 0`;
const math = (name: string): Write => (x) => `Math.${name}(${x})`;

/** The operations as text, in double precision. */
const TEXT: Partial<Record<Scalar["operation"], Write>> = {
  choose: (x, y, z) => `${x} ? ${y} : ${z}`,
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: infix("/"),
  neg: (x) => `-${x}`,
  abs: math("abs"),
  sqrt: math("sqrt"),
  min: (x, y) => `${y} < ${x} ? ${y} : ${x}`,
  max: (x, y) => `${x} < ${y} ? ${y} : ${x}`,
  copySign: (x, y) => `${y} < 0 || 1 / ${y} < 0 ? -${x} : ${x}`,
  fma: (x, y, z) => `${x} * ${y} + ${z}`,
  fnma: (x, y, z) => `${z} - ${x} * ${y}`,
  floor: math("floor"),
  ceil: math("ceil"),
  trunc: math("trunc"),
  round: (x) => `roundEven(${x})`,
  opaque: (x) => x,
  toInteger: (x) => `Math.min(Math.max(${x}, ${-(2 ** 31)}), ${2 ** 31 - 1}) | 0`,
  toFloat: (x) => x,
  iadd: integers("+"),
  isub: integers("-"),
  imul: (x, y) => `Math.imul(${x}, ${y})`,
  imax: (x, y) => `Math.max(${x}, ${y})`,
  and: infix("&"),
  or: infix("|"),
  xor: infix("^"),
  shl: shift("<<"),
  shrS: shift(">>"),
  shrU: shift(">>>"),
  less: infix("<"),
  lessEqual: infix("<="),
  equal: infix("==="),
  notEqual: infix("!=="),
  isNaN: (x) => `${x} !== ${x}`,
  integerLess: infix("<"),
  integerEqual: infix("==="),
  both: infix("&&"),
  either: infix("||"),
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
    const write = TEXT[operation];
    if (write === undefined) {
      throw new TypeError(`Cannot print ${operation} as JavaScript as it is of single precision`);
    }
    if (operation === "round") this.uses.add("roundEven");
    return this.let(write(x, y, z, literal as number));
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
function hostName(name: string): HostFunction | undefined {
  if (definitionOf(name)!.texts === undefined) return name as HostFunction;
  const { operation, literal } = graphOf(name, "float64");
  return operation === "host" ? literal as HostFunction : undefined;
}

/** A function's statements, and the functions that it calls. */
interface Body {
  text: string;
  calls: ReadonlySet<string>;
}

/** A graph as the body of a function of its parameters, in double precision. */
export function toFunctionBody(graph: Scalar): Body {
  const printer = new JavaScriptPrinter();
  const named = new Proxy({}, { get: (_, name) => name });
  const [value] = print([graph], named, printer);
  return { text: [...printer.lines, `return ${value};`].join("\n"), calls: printer.uses };
}

/** The text of functions and of all that they call. */
export function declareJavaScript(names: Iterable<string>): string {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    if (name === "roundEven") return void texts.set(name, String(roundEven));
    if (hostName(name) !== undefined) return;
    const { text, calls } = toFunctionBody(graphOf(name, "float64"));
    const parameters = PARAMETERS.slice(0, definitionOf(name)!.arity).join(", ");
    texts.set(name, `function scalar_${name}(${parameters}) {\n${text}\n}`);
    for (const callee of calls) visit(callee);
  };
  for (const name of names) visit(name);
  return [...texts.values()].join("\n");
}
