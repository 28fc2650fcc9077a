/**
 * Scalar functions as vector instructions of WebAssembly.
 *
 * Integers lie in 32-bit lanes: four beside numbers of single precision, and in the lower two beside
 * numbers of double precision. A truth value has all bits of a number's lane set, or none.
 *
 * @module
 */
import { floatsOf, type LaneCode, type Lanes, lift } from "../elementwise/lanes.ts";
import { f32x4, f64x2, i32x4, i64x2, i8x16, v128 } from "../wasm/simd.ts";
import type { Local, Value } from "../wasm/value.ts";
import { ROUNDERS } from "./algebra.ts";
import type { HostFunction, Kind, Loop, Operation, Precision, Scalar } from "./algebra.ts";
import { graphOf } from "./mod.ts";
import { print, type Printer } from "./print.ts";

/** Calls a function of the host's `Math` for every lane. */
export type CallHost = (name: HostFunction, operands: readonly Lanes[]) => Lanes;

const refuseHost: CallHost = (name) => {
  throw new TypeError(
    `Cannot emit instructions as they call the host: current function is ${name}`,
  );
};

type V128 = Value<"v128">;
type Instruction = (...registers: V128[]) => V128;

/** Operations that are an instruction on numbers. */
const FLOATS = {
  ...{ add: "add", sub: "sub", mul: "mul", div: "div", neg: "neg" } as const,
  ...{ abs: "abs", sqrt: "sqrt", floor: "floor", ceil: "ceil", trunc: "trunc" } as const,
  ...{ round: "nearest", less: "lt", lessEqual: "le", equal: "eq", notEqual: "ne" } as const,
};

/** Those that are one on integers. */
const INTEGERS = {
  ...{ add: "add", sub: "sub", mul: "mul", minimum: "minS", maximum: "maxS" } as const,
  ...{ less: "ltS", equal: "eq" } as const,
};

/** Those that are one on bits. */
const BITS = { and: "and", or: "or", xor: "xor", both: "and", either: "or", not: "not" } as const;

/** The instruction that an operation on values of some kind is, if it is one. */
function instructionOf(operation: Operation, kind: Kind, float: Precision) {
  const known: Instruction | undefined = kind === "integer"
    ? i32x4[INTEGERS[operation as keyof typeof INTEGERS]]
    : floatsOf(float)[FLOATS[operation as keyof typeof FLOATS]];
  return known ?? v128[BITS[operation as keyof typeof BITS]] as Instruction | undefined;
}

/** `x` where the mask holds, else `y`. */
const select = (mask: Lanes, x: Lanes, y: Lanes) => lift(v128.bitselect)(x, y, mask);

const widen = lift((x: V128) => i64x2.extendLowI32x4S(x));

/** The lower halves of both lanes, or the upper ones, side by side, and the other way round. */
const halves = (first: 0 | 4) =>
  lift((x: V128) =>
    i8x16.shuffle(x, x, Array.from({ length: 16 }, (_, i) => (i >> 2) % 2 * 8 + first + i % 4))
  );
const [narrow, upper] = [halves(0), halves(4)];
const toUpper = lift((x: V128) => i64x2.shl(i64x2.extendLowI32x4U(x), 32));
/** The lower halves of both lanes, and other upper ones. */
const withUpper = (x: V128, y: V128) =>
  i8x16.shuffle(x, y, Array.from({ length: 16 }, (_, i) => i & 4 ? 16 + (i >> 3) * 4 + i % 4 : i));

/** A condition on values of some kind, whose lanes are as wide as theirs. */
function maskOf({ float }: LaneCode, kind: Kind, condition: Lanes): Lanes {
  return float === "float64" && kind === "integer" ? narrow(condition) : condition;
}

function constantOf({ operation, literal }: Scalar): number | undefined {
  return operation === "number" || operation === "integer" ? literal as number : undefined;
}

type Write = (code: LaneCode, operands: readonly Lanes[], scalar: Scalar) => Lanes;

const shift = (name: "shl" | "shrS" | "shrU"): Write => (_code, [x], { literal }) =>
  x!.map((register) => i32x4[name](register, literal as number));

/** Where one of two is a constant of which all bits are alike, an instruction does for three. */
const choose: Write = (code, [condition, x, y], { kind, operands }) => {
  const mask = maskOf(code, kind, condition!);
  const [first, second] = operands.slice(1).map(constantOf);
  if (Object.is(second, 0)) return lift(v128.and)(mask, x!);
  if (Object.is(first, 0)) return lift(v128.andnot)(y!, mask);
  return Number.isNaN(first) ? lift(v128.or)(mask, y!) : select(mask, x!, y!);
};

/** One instruction for eight beside a constant: it keeps a NaN, and mistakes one zero only. */
const extreme = (name: "min" | "max"): Write => (code, [x, y], { operands }) => {
  const known = floatsOf(code.float);
  const [first, second] = operands.map(constantOf);
  const limit = first ?? second;
  if (limit === undefined || Number.isNaN(limit)) return lift(known[name])(x!, y!);
  const [value, constant] = first === undefined ? [x!, y!] : [y!, x!];
  const kept = lift(known[`p${name}`])(value, constant);
  if (name === "max" && Object.is(limit, 0)) return lift(known.add)(kept, code.number(0));
  return name === "min" && Object.is(limit, -0) ? lift(known.min)(value, constant) : kept;
};

/** The other operations. */
const OPERATIONS: Partial<Record<Operation, Write>> = {
  choose,
  minimum: extreme("min"),
  maximum: extreme("max"),
  copySign: (code, [x, y]) => lift(v128.or)(x!, lift(v128.and)(y!, code.number(-0))),
  fma: (code, [x, y, z]) => code.multiplyAdd(x!, y!, z!),
  fnma: (code, [x, y, z]) => code.multiplySubtract(x!, y!, z!),
  opaque: (_code, [x]) => x!,
  shift: (code, [x, y]) => code.multiplyAdd(x!, y!, code.number(ROUNDERS[code.float])),
  unshift: (code, [x]) => lift(floatsOf(code.float).sub)(x!, code.number(ROUNDERS[code.float])),
  shiftedInteger: (code, [x]) => code.float === "float32" ? x! : narrow(x!),
  toInteger: (code, [x]) =>
    lift(code.float === "float32" ? i32x4.truncSatF32x4S : i32x4.truncSatF64x2SZero)(x!),
  toFloat: (code, [x]) =>
    lift(code.float === "float32" ? f32x4.convertI32x4S : f64x2.convertLowI32x4S)(x!),
  bits: (code, [x]) => code.float === "float32" ? x! : upper(x!),
  fromBits: (code, [x]) => code.float === "float32" ? x! : toUpper(x!),
  withBits: (_code, [x, y]) => lift(withUpper)(x!, y!),
  shl: shift("shl"),
  shrS: shift("shrS"),
  shrU: shift("shrU"),
  isNaN: (code, [x]) => lift(floatsOf(code.float).ne)(x!, x!),
};

/** Writes graphs of scalars into a function. */
class WasmPrinter implements Printer<Lanes> {
  readonly #code: LaneCode;
  readonly #callHost: CallHost;
  readonly #width: number;

  /** `width`: how many registers a value takes that differs from element to element. */
  constructor(code: LaneCode, callHost: CallHost, width: number) {
    this.#code = code;
    this.#callHost = callHost;
    this.#width = width;
  }

  operate(scalar: Scalar, operands: readonly Lanes[]): Lanes {
    const code = this.#code;
    const { operation, literal } = scalar;
    if (operation === "number") return code.number(literal as number);
    if (operation === "integer") return code.integer(literal as number);
    if (operation === "host") return this.#callHost(literal as HostFunction, operands);
    const { kind } = scalar.operands[0]!;
    const instruction = instructionOf(operation, kind, code.float);
    if (instruction === undefined) return code.let(OPERATIONS[operation]!(code, operands, scalar));
    const value = lift(instruction)(...operands);
    const isNarrow = code.float === "float64" && kind === "integer" && scalar.kind === "truth";
    return code.let(isNarrow ? widen(value) : value);
  }

  call({ literal }: Scalar, operands: readonly Lanes[]): Lanes {
    const [x, y, z, w] = operands as [Lanes, Lanes, Lanes, Lanes];
    return print([graphOf(literal as string, this.#code.float)], { x, y, z, w }, this)[0]!;
  }

  repeat(
    { values: nodes }: Loop,
    first: readonly Lanes[],
    begins: Lanes,
    turn: (values: readonly Lanes[]) => [Lanes, Lanes[]],
  ): Lanes[] {
    const { builder } = this.#code;
    const values = first.map((x) => this.#variable(x));
    const going = this.#variable(begins);
    builder.while(v128.anyTrue(going.reduce<V128>((a, b) => v128.or(a, b), going[0]!)), () => {
      const [goes, next] = turn(values);
      // Elements that are done keep what they have.
      const kept = next.map((x, i) =>
        this.#code.let(select(maskOf(this.#code, nodes[i]!.kind, going), x, values[i]!))
      );
      kept.forEach((x, i) => x.forEach((register, r) => builder.set(values[i]![r]!, register)));
      lift(v128.and)(going, goes).forEach((register, r) => builder.set(going[r]!, register));
    });
    return values;
  }

  /** Variables that may differ from element to element. */
  #variable(x: Lanes): Local<"v128">[] {
    const register = (_: unknown, i: number) => this.#code.builder.let(x[i] ?? x[0]!);
    return Array.from({ length: this.#width }, register);
  }

  rarely(condition: Lanes, exceptional: () => Lanes, usual: Lanes): Lanes {
    const { builder } = this.#code;
    const chosen = this.#variable(usual);
    const any = condition.reduce((a, b) => v128.or(a, b));
    builder.if(v128.anyTrue(any), () => {
      const values = select(condition, exceptional(), chosen);
      values.forEach((value, i) => builder.set(chosen[i]!, value));
    });
    return chosen;
  }
}

/** The values of a graph's nodes, given those of its parameters. */
export function printWasm(
  code: LaneCode,
  roots: readonly Scalar[],
  parameters: Readonly<Record<string, Lanes>>,
  callHost: CallHost = refuseHost,
): Lanes[] {
  const width = Math.max(...Object.values(parameters).map((x) => x.length));
  return print(roots, parameters, new WasmPrinter(code, callHost, width));
}
