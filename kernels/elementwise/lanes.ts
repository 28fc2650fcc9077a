/**
 * Registers side by side: the values of neighbouring elements that a loop works on at once.
 *
 * A polynomial is a chain in which every instruction waits for the one before. Four chains side by
 * side keep the processor busy, so every instruction is written for all registers before the next.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { f32x4, f64x2, i32x4, v128 } from "../wasm/simd.ts";
import { type Binary, f32, f64, type Operand, type Unary, type Value } from "../wasm/value.ts";

type V128 = Value<"v128">;

/** A value: one register for each group of elements, or a single one where all groups share it. */
export type Lanes = readonly V128[];

/** An instruction on one value. */
export type UnaryLanes = (x: Lanes) => Lanes;

/** An instruction on two values. */
export type BinaryLanes = (x: Lanes, y: Lanes) => Lanes;

/** An instruction on registers as one on values. */
export function lift<A extends V128[]>(
  instruction: (...operands: A) => V128,
): (...operands: { [I in keyof A]: Lanes }) => Lanes {
  return (...operands) => {
    const width = Math.max(...operands.map((x) => x.length));
    const register = (i: number) => operands.map((x) => x[i] ?? x[0]!) as A;
    return Array.from({ length: width }, (_, i) => instruction(...register(i)));
  };
}

/** What both floating types can do. */
export type FloatInstructions =
  & Record<"neg" | "abs" | "sqrt", UnaryLanes>
  & Record<
    | ("add" | "sub" | "mul" | "div" | "min" | "max" | "pmin" | "pmax")
    | ("eq" | "ne" | "lt" | "le" | "gt"),
    BinaryLanes
  >;

/** The instruction of that name, looked up when it is written. */
function one<N extends string>(set: Record<N, Unary<"v128">>, name: N): UnaryLanes {
  return lift((x: V128) => set[name](x));
}

function two<N extends string>(set: Record<N, Binary<"v128">>, name: N): BinaryLanes {
  return lift((x: V128, y: V128) => set[name](x, y));
}

function floatInstructions(type: typeof f32x4 | typeof f64x2): FloatInstructions {
  return {
    neg: one(type, "neg"),
    abs: one(type, "abs"),
    sqrt: one(type, "sqrt"),
    add: two(type, "add"),
    sub: two(type, "sub"),
    mul: two(type, "mul"),
    div: two(type, "div"),
    min: two(type, "min"),
    max: two(type, "max"),
    pmin: two(type, "pmin"),
    pmax: two(type, "pmax"),
    eq: two(type, "eq"),
    ne: two(type, "ne"),
    lt: two(type, "lt"),
    le: two(type, "le"),
    gt: two(type, "gt"),
  };
}

/** Instructions on values of single precision. */
export const float32: FloatInstructions = floatInstructions(f32x4);

/** Instructions on values of double precision. */
export const float64: FloatInstructions = floatInstructions(f64x2);

/** Instructions on 32-bit integers. */
export const int32:
  & {
    [N in "neg" | "abs" | "toFloat32"]: UnaryLanes;
  }
  & {
    [N in "add" | "sub" | "mul" | "min" | "max" | "eq" | "ne" | "lt" | "le" | "gt"]: BinaryLanes;
  }
  & {
    [N in "shl" | "shrS" | "shrU"]: (x: Lanes, bits: number) => Lanes;
  } = {
    neg: one(i32x4, "neg"),
    abs: one(i32x4, "abs"),
    toFloat32: one(f32x4, "convertI32x4S"),
    add: two(i32x4, "add"),
    sub: two(i32x4, "sub"),
    mul: two(i32x4, "mul"),
    min: two(i32x4, "minS"),
    max: two(i32x4, "maxS"),
    eq: two(i32x4, "eq"),
    ne: two(i32x4, "ne"),
    lt: two(i32x4, "ltS"),
    le: two(i32x4, "leS"),
    gt: two(i32x4, "gtS"),
    shl: (x, bits) => x.map((register) => i32x4.shl(register, bits)),
    shrS: (x, bits) => x.map((register) => i32x4.shrS(register, bits)),
    shrU: (x, bits) => x.map((register) => i32x4.shrU(register, bits)),
  };

/** Instructions on bits; a truth value has all bits of its lane set, or none. */
export const bits:
  & {
    [N in "and" | "andnot" | "or" | "xor"]: BinaryLanes;
  }
  & {
    not: UnaryLanes;
    /** `x` where `mask` holds, else `y`. */
    choose: (mask: Lanes, x: Lanes, y: Lanes) => Lanes;
  } = {
    and: two(v128, "and"),
    andnot: two(v128, "andnot"),
    or: two(v128, "or"),
    xor: two(v128, "xor"),
    not: one(v128, "not"),
    choose: lift((mask: V128, x: V128, y: V128) => v128.bitselect(x, y, mask)),
  };

/** Writes instructions on values into a function, with its constants where it starts. */
export class LaneCode {
  /** The function. */
  readonly builder: CodeBuilder;
  /** The floating type of the function's values. */
  readonly float: "float32" | "float64";
  readonly #relaxed: boolean;
  readonly #atStart: (write: () => void) => void;
  readonly #constants = new Map<string, Lanes>();

  /** `relaxed`: multiply and add at once, where the processor can. Constants go to this place. */
  constructor(builder: CodeBuilder, float: "float32" | "float64", relaxed: boolean) {
    this.builder = builder;
    this.float = float;
    this.#relaxed = relaxed;
    this.#atStart = builder.place();
  }

  /** The value in variables, so that it can be used more than once. */
  let(x: Lanes): Lanes {
    return x.map((register) => this.builder.let(register));
  }

  /** A number of the function's floating type. */
  number(value: number): Lanes {
    return this.#constant(
      `${Object.is(value, -0) ? "-0" : value}`,
      () =>
        this.float === "float32" ? f32x4.splat(f32.const(value)) : f64x2.splat(f64.const(value)),
    );
  }

  /** A 32-bit integer, which may stand for any bits. */
  integer(value: number): Lanes {
    return this.#constant(`${value | 0} as integer`, () => i32x4.splat(value | 0));
  }

  /** A parameter of the function in all lanes. */
  parameter(value: Operand<"f64">): Lanes {
    if (this.float === "float64") return this.let([f64x2.splat(value)]);
    return this.let([f32x4.splat(f32.demoteF64(value))]);
  }

  /** `x · y + z` in polynomials; rounded once or twice in single precision, twice in double. */
  multiplyAdd(x: Lanes, y: Lanes, z: Lanes): Lanes {
    if (this.float === "float64") return float64.add(float64.mul(x, y), z);
    return this.#relaxed ? lift(f32x4.relaxedMadd)(x, y, z) : float32.add(float32.mul(x, y), z);
  }

  /** `z − x · y` in polynomials, rounded likewise. */
  multiplySubtract(x: Lanes, y: Lanes, z: Lanes): Lanes {
    if (this.float === "float64") return float64.sub(z, float64.mul(x, y));
    return this.#relaxed ? lift(f32x4.relaxedNmadd)(x, y, z) : float32.sub(z, float32.mul(x, y));
  }

  #constant(key: string, write: () => V128): Lanes {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    let constant: Lanes = [];
    this.#atStart(() => constant = this.let([write()]));
    this.#constants.set(key, constant);
    return constant;
  }
}
