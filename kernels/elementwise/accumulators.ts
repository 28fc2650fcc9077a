/**
 * Sums and extremes of the values that a loop passes over.
 *
 * @module
 */
import type { Local, Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i8x16, v128 } from "../wasm/simd.ts";
import { lanesOf } from "./elements.ts";
import { floatsOf, type LaneCode, type Lanes, lift, registerOf } from "./lanes.ts";
import type { Reduction } from "./passes.ts";
import { convert, type TypedLanes } from "./typed.ts";

/** What is left of the values so far: of integers where values are no numbers of single precision. */
export abstract class Accumulator {
  /** What is reduced, how, and what the result is called. */
  readonly reduction: Reduction;
  protected readonly code: LaneCode;
  /** Whether the results of lanes are kept apart. */
  protected readonly isApart: boolean;
  /** Known from the first values on. */
  protected integers: boolean | undefined;

  constructor(code: LaneCode, reduction: Reduction, isApart: boolean) {
    this.reduction = reduction;
    this.code = code;
    this.isApart = isApart;
  }

  /** Takes in groups of elements: `width` of the same row, or one of each row. */
  abstract add(value: TypedLanes, width: number): void;
  /** Takes in one element of each row's group. */
  abstract addLane(value: TypedLanes, lane: number): void;
  /** The results of one register per row: in all lanes, or where they are apart, lane by lane. */
  abstract finish(): TypedLanes;

  /** The registers of a value, as integers or as numbers. */
  protected read(value: TypedLanes): Lanes {
    this.integers ??= value.kind !== "float" && this.code.float === "float32";
    return this.code.let(convert(this.integers ? "integer" : "float", this.code, value));
  }

  protected result(lanes: Lanes): TypedLanes {
    return { kind: this.integers ? "integer" : "float", lanes };
  }
}

/**
 * A reduction that starts here, of some rows; up to `width` groups of one row come at a time. Where
 * lanes are kept apart, what is called a row here is a group of columns.
 */
export function createAccumulator(
  code: LaneCode,
  reduction: Reduction,
  rows: number,
  width: number,
  isApart = false,
): Accumulator {
  return reduction.reduce === "max" || reduction.reduce === "min"
    ? new Extremes(code, reduction, isApart, rows, width)
    : new Sums(code, reduction, isApart, rows);
}

type V128 = Value<"v128">;

/** The register with its bytes moved round; by 8, its halves change places. */
function rotate(x: V128, by: number): V128 {
  return by === 0 ? x : i8x16.shuffle(x, x, Array.from({ length: 16 }, (_, i) => (i + by) % 16));
}

/** Two numbers of single precision from two of double precision, and two from two others. */
function narrow(low: V128, high: V128): V128 {
  const halves = Array.from({ length: 16 }, (_, i) => i < 8 ? i : i + 8);
  return i8x16.shuffle(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), halves);
}

/**
 * Sums in float64, or of integers, lane by lane: of single precision, those of every fourth element
 * of a row, where the last few go to the first sum. Of double precision, elements of a row are added
 * one after the other in the first lane; what the other one holds is not used.
 */
class Sums extends Accumulator {
  /** The sums of each row, in two registers where four numbers are a group. */
  readonly #rows: readonly (readonly Local<"v128">[])[];

  constructor(code: LaneCode, reduction: Reduction, isApart: boolean, rows: number) {
    super(code, reduction, isApart);
    const zero = () => code.builder.let(f64x2.splat(0));
    const registers = lanesOf(code) / 2;
    this.#rows = Array.from({ length: rows }, () => Array.from({ length: registers }, zero));
  }

  add(value: TypedLanes, width: number): void {
    const isWhole = this.code.float === "float64" && this.isApart;
    this.#each(value, width, (register, sums) => {
      for (let half = 0; half < (this.integers || isWhole ? 1 : 2); half++) {
        const sum = sums[half % sums.length]!;
        this.code.builder.set(sum, this.#sum(sum, rotate(register, 8 * half)));
      }
    });
  }

  addLane(value: TypedLanes, lane: number): void {
    const bytes = 16 / lanesOf(this.code);
    this.#each(value, 1, (register, [first]) => {
      const more = this.#sum(first!, rotate(register, bytes * lane));
      const only = this.integers
        ? i32x4.replaceLane(first!, 0, i32x4.extractLane(more, 0))
        : f64x2.replaceLane(first!, 0, f64x2.extractLane(more, 0));
      this.code.builder.set(first!, only);
    });
  }

  finish(): TypedLanes {
    const { builder, float } = this.code;
    const add = (x: V128, y: V128) => builder.let((this.integers ? i32x4 : f64x2).add(x, y));
    return this.result(this.#rows.map(([low, high]) => {
      if (this.integers) {
        const by = this.isApart ? [] : [8, 4];
        return by.reduce<V128>((sum, bytes) => add(sum, rotate(sum, bytes)), low!);
      }
      if (this.isApart) {
        return high ? narrow(this.#resultOf(low!), this.#resultOf(high)) : this.#resultOf(low!);
      }
      if (float === "float64") return this.#resultOf(f64x2.splat(f64x2.extractLane(low!, 0)));
      const [left, right] = [low!, high!].map((sums) => add(sums, rotate(sums, 8)));
      const result = this.#resultOf(add(left!, right!));
      return narrow(result, result);
    }));
  }

  #each(
    value: TypedLanes,
    width: number,
    visit: (register: V128, sums: readonly Local<"v128">[]) => void,
  ): void {
    const lanes = this.read(value);
    const rows = this.#rows;
    const groups = rows.length * width;
    for (let i = 0; i < groups; i++) {
      visit(registerOf(lanes, i, groups), rows[Math.floor(i / width)]!);
    }
  }

  /** The sums with what a register adds, or the lower half of one of four numbers. */
  #sum(sums: V128, register: V128): V128 {
    const { builder, float } = this.code;
    if (this.integers) return i32x4.add(sums, register);
    const numbers = float === "float32" ? f64x2.promoteLowF32x4(register) : register;
    if (this.reduction.reduce !== "norm") return f64x2.add(sums, numbers);
    const x = builder.let(numbers);
    return f64x2.add(sums, builder.let(f64x2.mul(x, x)));
  }

  /** What sums side by side amount to. */
  #resultOf(sums: V128): V128 {
    const { reduce, divisor = 1 } = this.reduction;
    const shares = divisor === 1 ? sums : f64x2.div(sums, f64x2.splat(divisor));
    return this.code.builder.let(reduce === "norm" ? f64x2.sqrt(shares) : shares);
  }
}

/** Extremes lane by lane, and apart from them, as comparisons are blind to it, where NaN was. */
class Extremes extends Accumulator {
  readonly #rows: number;
  /** Each register of a group has extremes of its own until the end. */
  readonly #best: readonly Local<"v128">[];
  readonly #invalid: readonly Local<"v128">[];
  readonly #atStart: (write: () => void) => void;

  constructor(
    code: LaneCode,
    reduction: Reduction,
    isApart: boolean,
    rows: number,
    width: number,
  ) {
    super(code, reduction, isApart);
    this.#rows = rows;
    this.#atStart = code.builder.place();
    const registers = () => Array.from({ length: rows * width }, () => code.builder.local("v128"));
    this.#best = registers();
    this.#invalid = registers();
  }

  add(value: TypedLanes): void {
    const isFirst = this.integers === undefined;
    const lanes = this.read(value);
    if (isFirst) this.#start();
    const { ne } = floatsOf(this.code.float);
    this.#best.forEach((_, i) => {
      const register = registerOf(lanes, i, this.#best.length);
      this.#merge(i, register, ne(register, register));
    });
  }

  /** Lanes beyond the last element repeat the first, so that all of them may take part. */
  addLane(value: TypedLanes, lane: number): void {
    if (lane === 0) this.add(value);
  }

  finish(): TypedLanes {
    const [best, invalid] = [this.#best, this.#invalid];
    const rotations = lanesOf(this.code) === 4 ? [8, 4] : [8];
    const width = best.length / this.#rows;
    for (let first = 0; first < best.length; first += width) {
      for (let i = first + 1; i < first + width; i++) this.#merge(first, best[i]!, invalid[i]!);
      for (const by of this.isApart ? [] : rotations) {
        this.#merge(first, rotate(best[first]!, by), rotate(invalid[first]!, by));
      }
    }
    const lanes = this.integers ? best : lift(v128.or)(best, invalid);
    return this.result(lanes.filter((_, i) => i % width === 0));
  }

  /** Takes other extremes into a register. */
  #merge(i: number, best: V128, invalid: V128): void {
    const { builder, float } = this.code;
    const own = this.#best[i]!;
    const reduce = this.reduction.reduce as "max" | "min";
    if (this.integers) return builder.set(own, i32x4[`${reduce}S`](own, best));
    builder.set(own, floatsOf(float)[`p${reduce}`](own, best));
    builder.set(this.#invalid[i]!, v128.or(this.#invalid[i]!, invalid));
  }

  #start(): void {
    const isMax = this.reduction.reduce === "max";
    const [first] = this.integers
      ? this.code.integer(isMax ? -(2 ** 31) : 2 ** 31 - 1)
      : this.code.number(isMax ? -Infinity : Infinity);
    const [zero] = this.code.integer(0);
    this.#atStart(() => {
      for (const register of this.#best) this.code.builder.set(register, first!);
      for (const register of this.#invalid) this.code.builder.set(register, zero!);
    });
  }
}
