/**
 * Registers side by side: the values of neighbouring elements that a loop works on at once.
 *
 * A polynomial is a chain in which every instruction waits for the one before. Four chains side by
 * side keep the processor busy, so every instruction is written for all registers before the next.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { f32x4, f64x2, i32x4 } from "../wasm/simd.ts";
import { f32, f64, type Operand, type Value } from "../wasm/value.ts";

type V128 = Value<"v128">;

/** A value: one register for each group of elements, row by row, or for each row, or for all. */
export type Lanes = readonly V128[];

/** The register of one of so many groups, of which neighbours may share one. */
export function registerOf(lanes: Lanes, group: number, groups: number): V128 {
  return lanes[Math.floor(group * lanes.length / groups)]!;
}

/** An instruction on registers as one on values. */
export function lift<A extends V128[]>(
  instruction: (...operands: A) => V128,
): (...operands: { [I in keyof A]: Lanes }) => Lanes {
  return (...operands) => {
    const width = Math.max(...operands.map((x) => x.length));
    const register = (i: number) => operands.map((x) => registerOf(x, i, width)) as A;
    return Array.from({ length: width }, (_, i) => instruction(...register(i)));
  };
}

/** The instructions on registers of numbers of that type. */
export function floatsOf(float: "float32" | "float64"): typeof f32x4 | typeof f64x2 {
  return float === "float32" ? f32x4 : f64x2;
}

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
    if (this.float === "float32" && this.#relaxed) return lift(f32x4.relaxedMadd)(x, y, z);
    const { add, mul } = floatsOf(this.float);
    return lift(add)(lift(mul)(x, y), z);
  }

  /** `z − x · y` in polynomials, rounded likewise. */
  multiplySubtract(x: Lanes, y: Lanes, z: Lanes): Lanes {
    if (this.float === "float32" && this.#relaxed) return lift(f32x4.relaxedNmadd)(x, y, z);
    const { sub, mul } = floatsOf(this.float);
    return lift(sub)(z, lift(mul)(x, y));
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
