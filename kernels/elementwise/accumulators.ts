/**
 * Sums and extremes of the values that a loop passes over.
 *
 * @module
 */
import { f64, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i8x16, v128 } from "../wasm/simd.ts";
import { floatsOf, type LaneCode, type Lanes, lift } from "./lanes.ts";
import type { Reduction } from "./passes.ts";
import { convert, type TypedLanes } from "./typed.ts";

/** What is left of the values so far. */
export interface Accumulator {
  /** Takes in groups of elements: `width` of the same row, or one of each row. */
  add(value: TypedLanes, width: number): void;
  /** Takes in one element of each row's group. */
  addLane(value: TypedLanes, lane: number): void;
  /** The results of one register per row: in all lanes, or where they are apart, lane by lane. */
  finish(): TypedLanes;
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
  const { reduce } = reduction;
  if (reduce === "max" || reduce === "min") {
    return new Extremes(code, reduce, rows, width, isApart);
  }
  return isApart || code.float === "float32"
    ? new LaneSums(code, reduction, rows, isApart)
    : new Sum(code, reduction, rows);
}

type V128 = Value<"v128">;

/** The register with its bytes moved round; by 8, its halves change places. */
function rotate(x: V128, by: number): V128 {
  return i8x16.shuffle(x, x, Array.from({ length: 16 }, (_, i) => (i + by) % 16));
}

/** The registers of a value, each with the row that it belongs to. */
function eachRegister(
  lanes: Lanes,
  rows: number,
  width: number,
  visit: (register: V128, row: number) => void,
): void {
  for (let i = 0; i < Math.max(rows, width); i++) visit(lanes[i] ?? lanes[0]!, i % rows);
}

/** Whether values are reduced as integers: what are no numbers, in single precision. */
function isIntegral({ float }: LaneCode, { kind }: TypedLanes): boolean {
  return kind !== "float" && float === "float32";
}

/** The registers of a value as integers or as numbers. */
function readAs(integers: boolean, code: LaneCode, value: TypedLanes): Lanes {
  return code.let(convert(integers ? "integer" : "float", code, value));
}

/** What elements side by side add. */
function termsOf({ builder }: LaneCode, { reduce }: Reduction, x: V128): V128 {
  if (reduce !== "norm") return x;
  const value = builder.let(x);
  return builder.let(f64x2.mul(value, value));
}

/** What sums side by side amount to. */
function resultsOf({ reduce, divisor = 1 }: Reduction, sums: V128): V128 {
  const shares = divisor === 1 ? sums : f64x2.div(sums, f64x2.splat(divisor));
  return reduce === "norm" ? f64x2.sqrt(shares) : shares;
}

/** Two numbers of single precision from two of double precision, and two from two others. */
function narrow(low: V128, high: V128): V128 {
  const halves = Array.from({ length: 16 }, (_, i) => i < 8 ? i : i + 8);
  return i8x16.shuffle(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), halves);
}

/**
 * Sums in float64, or of integers, lane by lane: of single precision, those of every fourth element
 * of a row, where the last few go to the first sum.
 */
class LaneSums implements Accumulator {
  readonly #code: LaneCode;
  readonly #reduction: Reduction;
  readonly #isApart: boolean;
  /** The sums, or those of the lower halves of groups of four numbers. */
  readonly #low: readonly Local<"v128">[];
  readonly #high: readonly Local<"v128">[];
  #integers = false;

  constructor(code: LaneCode, reduction: Reduction, rows: number, isApart: boolean) {
    this.#code = code;
    this.#reduction = reduction;
    this.#isApart = isApart;
    const zeros = () => Array.from({ length: rows }, () => code.builder.let(f64x2.splat(0)));
    this.#low = zeros();
    this.#high = code.float === "float32" ? zeros() : [];
  }

  add(value: TypedLanes, width: number): void {
    const { builder } = this.#code;
    const lanes = this.#read(value);
    eachRegister(lanes, this.#low.length, width, (register, row) => {
      const [low, high] = [this.#low[row]!, this.#high[row]];
      builder.set(low, this.#sum(low, register));
      if (high === undefined || this.#integers) return;
      builder.set(high, this.#sum(high, rotate(register, 8)));
    });
  }

  addLane(value: TypedLanes, lane: number): void {
    const lanes = this.#read(value);
    eachRegister(lanes, this.#low.length, 1, (register, row) => {
      const low = this.#low[row]!;
      const more = this.#sum(low, rotate(register, 4 * lane));
      const first = this.#integers
        ? i32x4.replaceLane(low, 0, i32x4.extractLane(more, 0))
        : f64x2.replaceLane(low, 0, f64x2.extractLane(more, 0));
      this.#code.builder.set(low, first);
    });
  }

  finish(): TypedLanes {
    const { builder } = this.#code;
    if (this.#integers) {
      const whole = (x: Local<"v128">) =>
        [8, 4].reduce<V128>((sum, by) => builder.let(i32x4.add(sum, rotate(sum, by))), x);
      return { kind: "integer", lanes: this.#isApart ? this.#low : this.#low.map(whole) };
    }
    const results = (sums: V128) => builder.let(resultsOf(this.#reduction, sums));
    const half = (sums: V128) => f64x2.add(sums, rotate(sums, 8));
    const lanes = this.#low.map((low, i) => {
      const high = this.#high[i];
      if (high === undefined) return results(low);
      if (this.#isApart) return narrow(results(low), results(high));
      const result = results(f64x2.add(half(low), half(high)));
      return narrow(result, result);
    });
    return { kind: "float", lanes };
  }

  #read(value: TypedLanes): Lanes {
    this.#integers = isIntegral(this.#code, value);
    return readAs(this.#integers, this.#code, value);
  }

  /** The sums with what a register adds. */
  #sum(sums: V128, register: V128): V128 {
    if (this.#integers) return i32x4.add(sums, register);
    const isSingle = this.#code.float === "float32";
    const numbers = isSingle ? f64x2.promoteLowF32x4(register) : register;
    return f64x2.add(sums, termsOf(this.#code, this.#reduction, numbers));
  }
}

/** One element after the other, in double precision. */
class Sum implements Accumulator {
  readonly #code: LaneCode;
  readonly #reduction: Reduction;
  readonly #sums: readonly Local<"f64">[];

  constructor(code: LaneCode, reduction: Reduction, rows: number) {
    this.#code = code;
    this.#reduction = reduction;
    this.#sums = Array.from({ length: rows }, () => code.builder.let(f64.const(0)));
  }

  add(value: TypedLanes, width: number): void {
    this.#addLanes(value, width, [0, 1]);
  }

  addLane(value: TypedLanes, lane: number): void {
    this.#addLanes(value, 1, [lane]);
  }

  finish(): TypedLanes {
    const lanes = this.#sums.map((sum) => resultsOf(this.#reduction, f64x2.splat(sum)));
    return { kind: "float", lanes };
  }

  #addLanes(value: TypedLanes, width: number, which: readonly number[]): void {
    const lanes = readAs(false, this.#code, value);
    eachRegister(lanes, this.#sums.length, width, (register, row) => {
      const sum = this.#sums[row]!;
      const terms = termsOf(this.#code, this.#reduction, register);
      for (const lane of which) {
        this.#code.builder.set(sum, f64.add(sum, f64x2.extractLane(terms, lane)));
      }
    });
  }
}

/** Extremes lane by lane, and apart from them, as comparisons are blind to it, where NaN was. */
class Extremes implements Accumulator {
  readonly #code: LaneCode;
  readonly #reduce: "max" | "min";
  readonly #rows: number;
  readonly #isApart: boolean;
  readonly #best: readonly Local<"v128">[];
  readonly #invalid: readonly Local<"v128">[];
  readonly #atStart: (write: () => void) => void;
  #integers: boolean | undefined;

  constructor(
    code: LaneCode,
    reduce: "max" | "min",
    rows: number,
    width: number,
    isApart: boolean,
  ) {
    this.#code = code;
    this.#reduce = reduce;
    this.#rows = rows;
    this.#isApart = isApart;
    this.#atStart = code.builder.place();
    const registers = () =>
      Array.from({ length: Math.max(rows, width) }, () => code.builder.local("v128"));
    this.#best = registers();
    this.#invalid = registers();
  }

  add(value: TypedLanes, width: number): void {
    if (this.#integers === undefined) this.#start(value);
    const lanes = readAs(this.#integers!, this.#code, value);
    const { ne } = floatsOf(this.#code.float);
    // Each register has extremes of its own until the end.
    eachRegister(lanes, Math.max(this.#rows, width), 1, (register, i) => {
      this.#merge(i, register, ne(register, register));
    });
  }

  /** Lanes beyond the last element repeat the first, so that all of them may take part. */
  addLane(value: TypedLanes, lane: number): void {
    if (lane === 0) this.add(value, 1);
  }

  finish(): TypedLanes {
    const [best, invalid] = [this.#best, this.#invalid];
    for (let i = this.#rows; i < best.length; i++) this.#merge(0, best[i]!, invalid[i]!);
    const moves = this.#isApart
      ? []
      : this.#code.float === "float32"
      ? [8, 4] as const
      : [8] as const;
    for (let row = 0; row < this.#rows; row++) {
      for (const by of moves) this.#merge(row, rotate(best[row]!, by), rotate(invalid[row]!, by));
    }
    const lanes = this.#integers ? best : lift(v128.or)(best, invalid);
    return { kind: this.#integers ? "integer" : "float", lanes: lanes.slice(0, this.#rows) };
  }

  /** Takes other extremes into a register. */
  #merge(i: number, best: V128, invalid: V128): void {
    const { builder, float } = this.#code;
    const own = this.#best[i]!;
    if (this.#integers) return builder.set(own, i32x4[`${this.#reduce}S`](own, best));
    builder.set(own, floatsOf(float)[`p${this.#reduce}`](own, best));
    builder.set(this.#invalid[i]!, v128.or(this.#invalid[i]!, invalid));
  }

  #start(value: TypedLanes): void {
    const { builder } = this.#code;
    this.#integers = isIntegral(this.#code, value);
    const isMax = this.#reduce === "max";
    const [first] = this.#integers
      ? this.#code.integer(isMax ? -(2 ** 31) : 2 ** 31 - 1)
      : this.#code.number(isMax ? -Infinity : Infinity);
    const [zero] = this.#code.integer(0);
    this.#atStart(() => {
      for (const register of this.#best) builder.set(register, first!);
      for (const register of this.#invalid) builder.set(register, zero!);
    });
  }
}
