/**
 * Scalar expressions as vector instructions.
 *
 * @module
 */
import { call, type WasmFunction } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import type { Value } from "../wasm/value.ts";
import { f32x4, f64x2 } from "../wasm/simd.ts";
import { HOST_FUNCTIONS, type HostFunction, type Kind, parameter } from "../functions/algebra.ts";
import { type CallHost, printWasm } from "../functions/wasm.ts";
import type { DType } from "../../src/dtype.ts";
import { type Expression, namesIn } from "./expression.ts";
import { type LaneCode, type Lanes, lift } from "./lanes.ts";
import { KINDS, toKind, toScalar } from "./scalars.ts";

/** A value and how it is to be read; loops of double precision have no integers. */
export interface TypedLanes {
  /** Numbers of the loop's type; 32-bit integers; or bits, all set where something holds. */
  kind: Kind;
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

/** The functions of `Math`, imported once, before any function is added. */
export function importMath(module: ModuleBuilder): HostMath {
  return module.once("Math", () => {
    const entries = HOST_FUNCTIONS.map((name) => {
      const isUnary = Math[name].length === 1;
      const parameters: Record<string, "f64"> = isUnary ? { x: "f64" } : { x: "f64", y: "f64" };
      return [name, module.importFunction("Math", name, parameters, "f64")];
    });
    return Object.fromEntries(entries);
  });
}

/** The value of an expression, in variables, by those of its names. */
export function translate(
  e: Expression,
  code: LaneCode,
  math: HostMath,
  values: ReadonlyMap<string, TypedLanes>,
): TypedLanes {
  const names = [...new Set(namesIn(e))].map((name) => [name, values.get(name)!] as const);
  const nodes = new Map(
    names.map(([name, { kind, literal }]) =>
      [name, literal ?? parameter(name, code.float, kind)] as const
    ),
  );
  const lanes = Object.fromEntries(names.map(([name, own]) => [name, own.lanes]));
  const value = toScalar(e, (name) => nodes.get(name)!, code.float);
  if (typeof value === "number") {
    return { kind: "float", lanes: code.number(value), literal: value };
  }
  // The host serves double precision only, one element after the other.
  const host: CallHost = (name, operands) =>
    lift((...registers: Value<"v128">[]) => {
      const valueOf = (lane: number) => {
        const [x, y] = registers.map((register) => f64x2.extractLane(register, lane));
        return call(math[name], y === undefined ? { x: x! } : { x: x!, y });
      };
      const values = code.builder.let(f64x2.splat(valueOf(0)));
      code.builder.set(values, f64x2.replaceLane(values, 1, valueOf(1)));
      return values;
    })(...operands);
  return { kind: value.kind, lanes: printWasm(code, [value], lanes, host)[0]! };
}

/** A value as one of the given kind. */
export function convert(kind: Kind, code: LaneCode, value: TypedLanes): Lanes {
  if (value.kind === kind) return value.lanes;
  const isRefused = value.kind === "float" || code.float === "float64";
  if (kind === "integer" && isRefused && value.literal === undefined) {
    throw new TypeError(
      `Cannot emit a loop as numbers of a ${code.float} loop are no integers`,
    );
  }
  const x = value.literal ?? parameter("x", code.float, value.kind);
  return printWasm(code, [toKind(kind, x, code.float)], { x: value.lanes })[0]!;
}

/** The value in the type of an element, so that later steps see what memory would hold. */
export function convertTo(code: LaneCode, dtype: DType, value: TypedLanes): TypedLanes {
  const isNumber = dtype === "int32" && code.float === "float64" && value.kind === "truth";
  const kind = isNumber ? "float" : KINDS[dtype];
  const lanes = convert(kind, code, value);
  if (kind !== "float" || isNumber || dtype === code.float) return { kind, lanes };
  if (code.float === "float32") {
    throw new TypeError(`Cannot emit a loop as it computes in float32: current type is float64`);
  }
  const rounded = lift(f32x4.demoteF64x2Zero)(lanes);
  return { kind, lanes: code.let(lift(f64x2.promoteLowF32x4)(rounded)) };
}
