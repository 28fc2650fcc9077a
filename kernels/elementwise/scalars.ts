/**
 * Scalar expressions as graphs of scalars: what operators and functions mean for numbers, 32-bit
 * integers and truth values.
 *
 * @module
 */
import * as a from "../functions/algebra.ts";
import type { Float, FloatLike, Integer, Kind, Precision, Scalar } from "../functions/algebra.ts";
import { evaluate } from "../functions/evaluate.ts";
import type { DType } from "../../src/dtype.ts";
import type { Expression, Operator } from "./expression.ts";

/** A value, or a constant, which becomes what it meets. */
export type ScalarLike = Scalar | number;

/** What elements are computed with. */
export const KINDS: Readonly<Record<DType, Kind>> = {
  float32: "float",
  float64: "float",
  int32: "integer",
  bool: "truth",
};

/** The value of an expression, given those of its names, each of them the same node throughout. */
export function toScalar(
  e: Expression,
  valueOf: (name: string) => ScalarLike,
  precision: Precision,
): ScalarLike {
  if (e.kind === "number") return e.value;
  if (e.kind === "name") return valueOf(e.name);
  const operands = e.operands.map((part) => toScalar(part, valueOf, precision));
  if (operands.some((x) => typeof x === "object")) return operate(e, operands);
  const constants = operands.map((x) => a.number(x as number, precision));
  return evaluate([operate(e, constants) as Scalar], precision, [])()[0]!;
}

/** A value as one of the given kind; truth is 1 or 0, and whatever is neither 0 nor NaN is true. */
export function toKind(kind: Kind, x: ScalarLike, precision: Precision): Scalar {
  if (typeof x === "object") {
    return kind === "float" ? toFloat(x) : kind === "integer" ? toInteger(x) : toTruth(x);
  }
  if (kind === "float") return a.number(x, precision);
  if (kind === "integer") return a.integer(limitToInt32(x));
  return a.equal(a.integer(Math.abs(x) > 0 ? 1 : 0), 1);
}

function toFloat(x: Scalar): Float {
  if (x.kind === "integer") return a.toFloat(x as Integer, x.precision!);
  return x.kind === "float" ? x as Float : a.choose(x as a.Truth, 1, 0);
}

function toInteger(x: Scalar): Integer {
  if (x.kind === "float") return a.toInteger(x as Float);
  return x.kind === "integer" ? x as Integer : a.choose(x as a.Truth, a.integer(1), 0);
}

function toTruth(x: Scalar): a.Truth {
  if (x.kind === "integer") return a.not(a.equal(x as Integer, 0));
  return x.kind === "float" ? a.less(0, a.abs(x as Float)) : x as a.Truth;
}

/** Constants stay what they are; as integers, within their limits. */
const floatLike = (x: ScalarLike): FloatLike => typeof x === "number" ? x : toFloat(x);
const integerLike = (x: ScalarLike): Integer =>
  typeof x === "number" ? a.integer(limitToInt32(x)) : toInteger(x);

function limitToInt32(x: number): number {
  return Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), x));
}

function isWhole(x: number): boolean {
  return x === (x | 0) && !Object.is(x, -0);
}

/**
 * Whether values meet as integers: each of them is one, or a constant without fraction, or truth,
 * which numbers of double precision are quicker for.
 */
function meetAsIntegers(
  values: readonly ScalarLike[],
  fits: (constant: number) => boolean = isWhole,
): boolean {
  return values.every((x) =>
    typeof x === "number"
      ? fits(x)
      : x.kind === "integer" || (x.kind === "truth" && x.precision === "float32")
  );
}

/** What an operator or function makes of values, of which one at least is no constant. */
function operate(
  e: Extract<Expression, { operands: Expression[] }>,
  operands: readonly ScalarLike[],
): ScalarLike {
  const [x, y, z] = operands as [ScalarLike, ScalarLike, ScalarLike];
  if (e.kind === "call") return callFunction(e.name, operands);
  if (e.kind === "binary") {
    return /[<=]/.test(e.operator) ? compare(e.operator, x, y) : compute(e.operator, x, y);
  }
  if (e.kind === "choose") return choose(x, y, z);
  return meetAsIntegers([x]) ? a.sub(0, integerLike(x)) : a.neg(floatLike(x) as Float);
}

const ARITHMETIC = { "+": "add", "-": "sub", "*": "mul", "/": "div" } as const;

function compute(operator: Operator, x: ScalarLike, y: ScalarLike): Scalar {
  const operation = ARITHMETIC[operator as keyof typeof ARITHMETIC];
  if (operation !== "div" && meetAsIntegers([x, y])) {
    return a[operation](integerLike(x), integerLike(y));
  }
  return a[operation](...guard(operator, floatLike(x), floatLike(y)));
}

/** Hides from compilers what they would simplify as if there were no NaN, infinity or -0. */
function guard(operator: Operator, x: FloatLike, y: FloatLike): [FloatLike, FloatLike] {
  const { precision } = [x, y].find((value) => typeof value === "object") as Float;
  const hidden = (value: FloatLike) =>
    a.opaque(typeof value === "number" ? a.number(value, precision!) : value);
  const isKnown = (value: FloatLike) => typeof value === "number" && value !== 0;
  if (operator === "/") return isKnown(y) ? [x, y] : [isKnown(x) ? x : hidden(x), hidden(y)];
  if (x === 0) return [hidden(x), y];
  return y === 0 || (x === y && operator === "-") ? [x, hidden(y)] : [x, y];
}

const COMPARISONS = { "==": "equal", "!=": "notEqual", "<": "less", "<=": "lessEqual" } as const;

function compare(operator: Operator, x: ScalarLike, y: ScalarLike): a.Truth {
  if (typeof x === "object" && x.kind === "truth" && y === 0) {
    if (operator === "!=") return x as a.Truth;
    if (operator === "==") return a.not(x as a.Truth);
  }
  if (meetAsIntegers([x, y])) return compareIntegers(operator, integerLike(x), integerLike(y));
  const [left, right] = [floatLike(x), floatLike(y)];
  if (left !== right || operator === "<") {
    return a[COMPARISONS[operator as keyof typeof COMPARISONS]](left, right);
  }
  // What is NaN equals nothing, itself neither.
  const isNaN = a.isNaN(left as Float);
  return operator === "!=" ? isNaN : a.not(isNaN);
}

function compareIntegers(operator: Operator, x: a.IntegerLike, y: a.IntegerLike): a.Truth {
  if (operator === "<") return a.less(x, y);
  if (operator === "<=") return a.not(a.less(y, x));
  const isEqual = a.equal(x, y);
  return operator === "==" ? isEqual : a.not(isEqual);
}

function choose(condition: ScalarLike, x: ScalarLike, y: ScalarLike): ScalarLike {
  if (typeof condition === "number") return Math.abs(condition) > 0 ? x : y;
  const holds = toTruth(condition);
  if ([x, y].every((value) => typeof value === "object" && value.kind === "truth")) {
    return a.choose(holds, x as a.Truth, y as a.Truth);
  }
  return meetAsIntegers([x, y])
    ? a.choose(holds, integerLike(x), integerLike(y))
    : a.choose(holds, floatLike(x), floatLike(y));
}

function callFunction(name: string, args: readonly ScalarLike[]): ScalarLike {
  if (name === "max" || name === "min") {
    return args.reduce((x, y) =>
      typeof x === "number" && typeof y === "number" ? Math[name](x, y) : extreme(name, x, y)
    );
  }
  if ((name === "abs" || name === "sign") && meetAsIntegers(args)) {
    return callOfInteger(name, integerLike(args[0]!));
  }
  const operands = args.map(floatLike);
  const [x] = operands as [Float];
  if (name === "abs" || name === "sqrt") return a[name](x);
  if (name === "sign") return a.choose(a.less(0, a.abs(x)), a.copySign(1, x), x);
  return (name === "pow" && knownPower(x, operands[1]!)) || a.call(name, ...operands);
}

function callOfInteger(name: "abs" | "sign", x: Integer): Integer {
  if (name === "abs") return a.maximum(x, a.sub(0, x));
  return a.choose(a.less(0, x), 1, a.choose(a.less(x, 0), a.integer(-1), 0));
}

/** The larger or the smaller of two; NaN wins, and -0 is below 0. */
export function extreme(name: "max" | "min", x: ScalarLike, y: ScalarLike): Scalar {
  const isIntegral = (limit: number) => isWhole(limit) || Math.abs(limit) === Infinity;
  return meetAsIntegers([x, y], isIntegral)
    ? a[`${name}imum`](integerLike(x), integerLike(y))
    : a[`${name}imum`](floatLike(x), floatLike(y));
}

/** Powers of single precision that are at least as exact by a product. */
function knownPower(x: Float, exponent: FloatLike): FloatLike | undefined {
  if (exponent === 0) return 1;
  if (exponent === 1) return x;
  if (x.precision !== "float32") return undefined;
  if (exponent === -1) return a.div(...guard("/", 1, x));
  return exponent === 2 ? a.mul(x, x) : exponent === 3 ? a.mul(a.mul(x, x), x) : undefined;
}
