/**
 * Scalar expressions as vector instructions: what operators and functions mean for numbers,
 * 32-bit integers and truth values.
 *
 * @module
 */
import { call, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { f32, f64, type Value } from "../wasm/value.ts";
import { f32x4, f64x2 } from "../wasm/simd.ts";
import { HOST_FUNCTIONS, type HostFunction } from "../functions/algebra.ts";
import { callWasm } from "../functions/wasm.ts";
import type { Expression, Operator } from "./expression.ts";
import {
  bits,
  float32,
  float64,
  type FloatInstructions,
  int32,
  type LaneCode,
  type Lanes,
  lift,
} from "./lanes.ts";

/** A value and how it is to be read; loops of double precision have no integers. */
export interface TypedLanes {
  /** Numbers of the loop's type; 32-bit integers; or bits, all set where something holds. */
  kind: "float" | "integer" | "truth";
  /** The registers. */
  lanes: Lanes;
  /** The number that a constant is. */
  literal?: number;
}

/** The host's functions as a module sees them. */
export type HostMath = Record<
  HostFunction,
  WasmFunction<{ x: "f64" } | { x: "f64"; y: "f64" }, "f64">
>;

/** Imports the functions of `Math`, before any function is added; hand `{ Math }` to the instance. */
export function importMath(module: ModuleBuilder): HostMath {
  const entries = Object.entries(HOST_FUNCTIONS).map(([name, arity]) => {
    const parameters: Record<string, "f64"> = arity === 1 ? { x: "f64" } : { x: "f64", y: "f64" };
    return [name, module.importFunction("Math", name, parameters, "f64")];
  });
  return Object.fromEntries(entries);
}

/** What the translation of an expression needs to know. */
export interface Scope {
  /** Where instructions go. */
  code: LaneCode;
  /** Functions that have no vector form. */
  math: HostMath;
  /** The values of names: variables. */
  valueOf: (name: string) => TypedLanes;
}

function instructionsOf(code: LaneCode): FloatInstructions {
  return code.float === "float32" ? float32 : float64;
}

/** The value as numbers of the loop's type; truth is 1 or 0. */
export function toFloat(code: LaneCode, value: TypedLanes): Lanes {
  if (value.kind === "float") return value.lanes;
  if (value.kind === "integer") return int32.toFloat32(value.lanes);
  return bits.and(value.lanes, code.number(1));
}

/** The value as 32-bit integers, in loops of single precision. */
export function toInteger(code: LaneCode, value: TypedLanes): Lanes {
  if (isWhole(value) && code.float === "float32") return code.integer(value.literal!);
  if (value.kind === "float" || code.float === "float64") {
    throw new TypeError(
      `Cannot emit a loop as numbers of a ${code.float} loop are no integers`,
    );
  }
  return value.kind === "integer" ? value.lanes : int32.neg(value.lanes);
}

/** The value as truth: whether it is neither 0 nor NaN. */
export function toTruth(code: LaneCode, value: TypedLanes): Lanes {
  if (value.kind === "truth") return value.lanes;
  if (value.kind === "integer") return int32.ne(value.lanes, code.integer(0));
  const { gt, abs } = instructionsOf(code);
  return gt(abs(value.lanes), code.number(0));
}

function isWhole({ literal }: TypedLanes): boolean {
  return literal !== undefined && literal === (literal | 0) && !Object.is(literal, -0);
}

/** Whether values meet as integers: one of them is, or is truth, and none has a fraction. */
function meetAsIntegers(code: LaneCode, values: readonly TypedLanes[]): boolean {
  return code.float === "float32" && values.some(({ literal }) => literal === undefined) &&
    values.every((value) => value.kind !== "float" || isWhole(value));
}

const float = (lanes: Lanes): TypedLanes => ({ kind: "float", lanes });

/** An expression in variables: its value is used once. */
export function translate(e: Expression, scope: Scope): TypedLanes {
  const { code } = scope;
  switch (e.kind) {
    case "number":
      return { kind: "float", lanes: code.number(e.value), literal: e.value };
    case "name":
      return scope.valueOf(e.name);
    case "negate":
      return negate(code, translate(e.operand, scope));
    case "binary":
      return operate(code, e.operator, translate(e.left, scope), translate(e.right, scope));
    case "choose":
      return choose(
        code,
        translate(e.condition, scope),
        translate(e.then, scope),
        translate(e.otherwise, scope),
      );
    case "call":
      return callFunction(scope, e.name, e.arguments.map((x) => translate(x, scope)));
  }
}

function negate(code: LaneCode, x: TypedLanes): TypedLanes {
  if (x.literal !== undefined) {
    return { kind: "float", lanes: code.number(-x.literal), literal: -x.literal };
  }
  if (meetAsIntegers(code, [x])) return { kind: "integer", lanes: int32.neg(toInteger(code, x)) };
  return float(instructionsOf(code).neg(toFloat(code, x)));
}

const ARITHMETIC = { "+": "add", "-": "sub", "*": "mul" } as const;
const COMPARISONS = { "==": "eq", "!=": "ne", "<": "lt", "<=": "le" } as const;

function operate(code: LaneCode, operator: Operator, x: TypedLanes, y: TypedLanes): TypedLanes {
  if (operator === "/") {
    return float(instructionsOf(code).div(toFloat(code, x), toFloat(code, y)));
  }
  const integers = meetAsIntegers(code, [x, y]);
  const known = integers ? int32 : instructionsOf(code);
  const convert = integers ? toInteger : toFloat;
  if (operator === "+" || operator === "-" || operator === "*") {
    const lanes = known[ARITHMETIC[operator]](convert(code, x), convert(code, y));
    return { kind: integers ? "integer" : "float", lanes };
  }
  if (operator === "!=" && x.kind === "truth" && y.literal === 0) return x;
  return { kind: "truth", lanes: known[COMPARISONS[operator]](convert(code, x), convert(code, y)) };
}

function choose(
  code: LaneCode,
  condition: TypedLanes,
  x: TypedLanes,
  y: TypedLanes,
): TypedLanes {
  const truth = x.kind === "truth" && y.kind === "truth";
  const integers = meetAsIntegers(code, [x, y]);
  const kind = truth ? "truth" : integers ? "integer" : "float";
  const convert = truth ? toTruth : integers ? toInteger : toFloat;
  const mask = toTruth(code, condition);
  if (Object.is(y.literal, 0)) return { kind, lanes: bits.and(mask, convert(code, x)) };
  if (Object.is(x.literal, 0)) return { kind, lanes: bits.andnot(convert(code, y), mask) };
  return { kind, lanes: bits.choose(mask, convert(code, x), convert(code, y)) };
}

function callFunction(scope: Scope, name: string, args: TypedLanes[]): TypedLanes {
  const { code } = scope;
  if (name === "min" || name === "max") return extreme(code, name, args);
  const [x, y] = args as [TypedLanes, TypedLanes | undefined];
  if (name === "abs" || name === "sign") {
    if (meetAsIntegers(code, [x])) {
      const operand = code.let(toInteger(code, x));
      if (name === "abs") return { kind: "integer", lanes: int32.abs(operand) };
      const zero = code.integer(0);
      const lanes = int32.sub(int32.lt(operand, zero), int32.gt(operand, zero));
      return { kind: "integer", lanes };
    }
    if (name === "abs") return float(instructionsOf(code).abs(toFloat(code, x)));
  }
  const operand = code.let(toFloat(code, x));
  if (name === "sign") return float(sign(code, operand));
  if (name === "sqrt") return float(instructionsOf(code).sqrt(operand));
  if (name === "pow" && y!.literal !== undefined) {
    const product = knownPower(code, operand, y!.literal);
    if (product !== undefined) return float(product);
  }
  const operands = [operand, ...args.slice(1).map((arg) => code.let(toFloat(code, arg)))];
  return float(callWasm(code, (host, all) => callHost(scope, host, all), name, operands));
}

/** Math.min and Math.max: NaN wins, and −0 is below 0. */
function extreme(code: LaneCode, name: "min" | "max", args: readonly TypedLanes[]): TypedLanes {
  return args.reduce((x, y) => {
    if (meetAsIntegers(code, [x, y])) {
      return { kind: "integer", lanes: int32[name](toInteger(code, x), toInteger(code, y)) };
    }
    const known = instructionsOf(code);
    const [a, b] = x.literal === undefined ? [x, y] : [y, x];
    const [left, right] = [toFloat(code, a), toFloat(code, b)];
    const limit = b.literal;
    if (limit === undefined || limit !== limit) return float(known[name](left, right));
    // One instruction instead of eight: it keeps a NaN on the left, and mistakes one zero only.
    const kept = known[name === "max" ? "pmax" : "pmin"](left, right);
    if (name === "max" && Object.is(limit, 0)) return float(known.add(kept, code.number(0)));
    return float(name === "min" && Object.is(limit, -0) ? known.min(left, right) : kept);
  });
}

function sign(code: LaneCode, x: Lanes): Lanes {
  const { abs, gt } = instructionsOf(code);
  const minusZero = code.number(-0);
  const one = bits.or(bits.and(x, minusZero), code.number(1));
  return bits.choose(gt(abs(x), code.number(0)), one, x);
}

/** Powers that are at least as exact by a product. */
function knownPower(code: LaneCode, x: Lanes, exponent: number): Lanes | undefined {
  if (exponent === 1) return x;
  if (code.float === "float64") return undefined;
  if (exponent === 2) return float32.mul(x, x);
  return exponent === -1 ? float32.div(code.number(1), x) : undefined;
}

/** Calls a function of the host for each element. */
function callHost(scope: Scope, name: HostFunction, args: readonly Lanes[]): Lanes {
  const { code, math } = scope;
  const single = code.float === "float32";
  const width = Math.max(...args.map((x) => x.length));
  const compute = (register: number, lane: number): Value<"f64"> => {
    const [x, y] = args.map((arg) => {
      const vector = arg[register] ?? arg[0]!;
      return single
        ? f64.promoteF32(f32x4.extractLane(vector, lane))
        : f64x2.extractLane(vector, lane);
    });
    return call(math[name], y === undefined ? { x: x! } : { x: x!, y });
  };
  return Array.from({ length: width }, (_, i) => {
    const first = compute(i, 0);
    const result = code.builder.let(
      single ? f32x4.splat(f32.demoteF64(first)) : f64x2.splat(first),
    );
    for (let lane = 1; lane < (single ? 4 : 2); lane++) {
      const value = compute(i, lane);
      code.builder.set(
        result,
        single
          ? f32x4.replaceLane(result, lane, f32.demoteF64(value))
          : f64x2.replaceLane(result, lane, value),
      );
    }
    return result;
  });
}

/** The value in the type of an element, so that later steps see what memory would hold. */
export function convertTo(
  code: LaneCode,
  dtype: "float32" | "float64" | "int32" | "bool",
  value: TypedLanes,
): TypedLanes {
  if (dtype === "bool") return { kind: "truth", lanes: toTruth(code, value) };
  if (dtype === "int32") {
    if (code.float === "float64" && value.kind === "truth") return float(toFloat(code, value));
    return { kind: "integer", lanes: toInteger(code, value) };
  }
  const lanes = toFloat(code, value);
  if (dtype === code.float) return float(lanes);
  if (code.float === "float32") {
    throw new TypeError(`Cannot emit a loop as it computes in float32: current type is float64`);
  }
  const rounded = lift(f32x4.demoteF64x2Zero)(lanes);
  return float(lift(f64x2.promoteLowF32x4)(rounded));
}
