/**
 * Graphs of scalars as lists of instructions on numbered registers, for where generating code is
 * forbidden, for a few values, and for what printers are compared with.
 *
 * Instructions neither take nor give numbers, which engines would put into objects.
 *
 * @module
 */
import { type HostFunction, type Loop, type Precision, ROUNDERS, type Scalar } from "./algebra.ts";
import { graphOf, PARAMETERS } from "./mod.ts";
import { print, type Printer } from "./print.ts";

const word = new Int32Array(1);
const single = new Float32Array(word.buffer);
const halves = new Int32Array(2);
const whole = new Float64Array(halves.buffer);
whole[0] = 1;
/** Where the upper half of a number lies: it depends on the machine. */
const UPPER = halves[1] === 0 ? 0 : 1;

/** What JavaScript has no operators for, on numbers of double precision; generated code calls it. */
export const DOUBLES = {
  /** The nearest whole number, an even one of two. */
  round(x: number): number {
    const r = Math.round(x);
    return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
  },
  /** The upper half of the bits. */
  upper(x: number): number {
    whole[0] = x;
    return halves[UPPER]!;
  },
  /** The lower half. */
  lower(x: number): number {
    whole[0] = x;
    return halves[1 - UPPER]!;
  },
  /** The number with other bits in its upper half. */
  withUpper(x: number, upper: number): number {
    whole[0] = x;
    halves[UPPER] = upper;
    return whole[0]!;
  },
};

type Instruction = (r: Float64Array) => void;
/** The instruction that leaves in one register what it computes of others. */
type Make = (to: number, x: number, y: number, z: number) => Instruction;

/** What a function of the host's `Math` computes. */
function ofMath(name: string): Make {
  const f: (x: number, y: number) => number = Math[name as HostFunction];
  return (to, x, y) => (r) => void (r[to] = f(r[x]!, r[y]!));
}

/** The operations before they are rounded, but for those of `Math`; truth is 1 or 0. */
const OPERATIONS: Partial<Record<Scalar["operation"], Make>> = {
  choose: (to, x, y, z) => (r) => void (r[to] = r[x] !== 0 ? r[y]! : r[z]!),
  add: (to, x, y) => (r) => void (r[to] = r[x]! + r[y]!),
  sub: (to, x, y) => (r) => void (r[to] = r[x]! - r[y]!),
  mul: (to, x, y) => (r) => void (r[to] = r[x]! * r[y]!),
  div: (to, x, y) => (r) => void (r[to] = r[x]! / r[y]!),
  neg: (to, x) => (r) => void (r[to] = -r[x]!),
  minimum: (to, x, y) => (r) => void (r[to] = Math.min(r[x]!, r[y]!)),
  maximum: (to, x, y) => (r) => void (r[to] = Math.max(r[x]!, r[y]!)),
  copySign: (to, x, y) => (r) => void (r[to] = r[y]! < 0 || 1 / r[y]! < 0 ? -r[x]! : r[x]!),
  round: (to, x) => (r) => void (r[to] = DOUBLES.round(r[x]!)),
  opaque: (to, x) => (r) => void (r[to] = r[x]!),
  toInteger: (to, x) => (r) =>
    void (r[to] = r[x] === r[x]
      ? Math.min(Math.max(Math.trunc(r[x]!), -(2 ** 31)), 2 ** 31 - 1)
      : 0),
  toFloat: (to, x) => (r) => void (r[to] = r[x]!),
  and: (to, x, y) => (r) => void (r[to] = r[x]! & r[y]!),
  or: (to, x, y) => (r) => void (r[to] = r[x]! | r[y]!),
  xor: (to, x, y) => (r) => void (r[to] = r[x]! ^ r[y]!),
  shl: (to, x, by) => (r) => void (r[to] = r[x]! << by),
  shrS: (to, x, by) => (r) => void (r[to] = r[x]! >> by),
  shrU: (to, x, by) => (r) => void (r[to] = r[x]! >>> by | 0),
  less: (to, x, y) => (r) => void (r[to] = r[x]! < r[y]! ? 1 : 0),
  lessEqual: (to, x, y) => (r) => void (r[to] = r[x]! <= r[y]! ? 1 : 0),
  equal: (to, x, y) => (r) => void (r[to] = r[x] === r[y] ? 1 : 0),
  notEqual: (to, x, y) => (r) => void (r[to] = r[x] === r[y] ? 0 : 1),
  isNaN: (to, x) => (r) => void (r[to] = r[x] === r[x] ? 0 : 1),
  both: (to, x, y) => (r) => void (r[to] = r[x]! & r[y]!),
  either: (to, x, y) => (r) => void (r[to] = r[x]! | r[y]!),
  not: (to, x) => (r) => void (r[to] = 1 - r[x]!),
};

/** Those that integers have to themselves. */
const INTEGERS: Partial<Record<Scalar["operation"], Make>> = {
  add: (to, x, y) => (r) => void (r[to] = r[x]! + r[y]! | 0),
  sub: (to, x, y) => (r) => void (r[to] = r[x]! - r[y]! | 0),
  mul: ofMath("imul"),
};

/** What reads and writes the bits of numbers. */
const BITS: Readonly<Record<Precision, Partial<Record<Scalar["operation"], Make>>>> = {
  float32: {
    bits: (to, x) => (r) => void (single[0] = r[x]!, r[to] = word[0]!),
    shiftedInteger: (to, x) => (r) => void (single[0] = r[x]!, r[to] = word[0]!),
    fromBits: (to, x) => (r) => void (word[0] = r[x]!, r[to] = single[0]!),
  },
  float64: {
    bits: (to, x) => (r) => void (r[to] = DOUBLES.upper(r[x]!)),
    shiftedInteger: (to, x) => (r) => void (r[to] = DOUBLES.lower(r[x]!)),
    fromBits: (to, x) => (r) => void (r[to] = DOUBLES.withUpper(0, r[x]!)),
    withBits: (to, x, y) => (r) => void (r[to] = DOUBLES.withUpper(r[x]!, r[y]!)),
  },
};

/** Operations whose results single precision may not hold. */
const INEXACT = new Set<string>(["add", "sub", "mul", "div", "sqrt", "toFloat"]);

/** One instruction after the other. */
function sequence(list: readonly Instruction[]): Instruction {
  return (r) => {
    for (const instruction of list) instruction(r);
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

  operate({ kind, operation, literal }: Scalar, operands: readonly number[]): number {
    const [x, y, z] = operands as [number, number, number];
    switch (operation) {
      case "number":
      case "integer":
        return this.#constant(literal as number);
      case "fma":
        return this.#compute("add", this.#compute("mul", x, y), z);
      case "fnma":
        return this.#compute("sub", z, this.#compute("mul", x, y));
      case "shift":
        return this.#compute("add", this.#compute("mul", x, y), this.#rounder());
      case "unshift":
        return this.#compute("sub", x, this.#rounder());
      case "host":
        return this.#round(this.#list(ofMath(literal as string), x, y));
      default: {
        // Shifts have their bits as a literal.
        const own = kind === "integer" ? INTEGERS[operation] : undefined;
        return own === undefined
          ? this.#compute(operation, x, y ?? literal, z)
          : this.#list(own, x, y);
      }
    }
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
    const once = this.#inside(() => {
      const [goes, next] = turn(values);
      const kept = next.map((x) => this.#copy(x));
      kept.forEach((x, i) => this.#copy(x, values[i]!));
      this.#copy(goes, going);
    });
    this.instructions.push((r) => {
      while (r[going] !== 0) once(r);
    });
    return values;
  }

  rarely(condition: number, exceptional: () => number, usual: number): number {
    const chosen = this.#copy(usual);
    const inside = this.#inside(() => this.#copy(exceptional(), chosen));
    this.instructions.push((r) => {
      if (r[condition] !== 0) inside(r);
    });
    return chosen;
  }

  /** What is listed meanwhile, as one instruction. */
  #inside(list: () => void): Instruction {
    const outside = this.instructions;
    this.instructions = [];
    list();
    const inside = sequence(this.instructions);
    this.instructions = outside;
    return inside;
  }

  #rounder(): number {
    return this.#constant(ROUNDERS[this.#precision]);
  }

  #constant(value: number): number {
    return this.registers.push(value) - 1;
  }

  #copy(x: number, to?: number): number {
    return this.#list(OPERATIONS.opaque!, x, 0, 0, to);
  }

  #compute(operation: Scalar["operation"], x: number, y = 0, z = 0): number {
    const make = BITS[this.#precision][operation] ?? OPERATIONS[operation] ?? ofMath(operation);
    const to = this.#list(make, x, y, z);
    return INEXACT.has(operation) ? this.#round(to) : to;
  }

  #round(to: number): number {
    if (this.#precision === "float32") {
      this.instructions.push((r) => void (r[to] = Math.fround(r[to]!)));
    }
    return to;
  }

  #list(make: Make, x = 0, y = 0, z = 0, to: number = this.#constant(0)): number {
    this.instructions.push(make(to, x, y, z));
    return to;
  }
}

/** The values of graphs' nodes as functions of named parameters, without generated code. */
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
  return (...args) => {
    args.forEach((x, i) => registers[i] = x);
    all(registers);
    return results.map((i) => registers[i]!);
  };
}
