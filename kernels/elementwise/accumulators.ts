/**
 * Sums and extremes of the values that a loop passes over.
 *
 * @module
 */
import { f32, f64, i32, type Local, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i32x4, i8x16, v128 } from "../wasm/simd.ts";
import { floatsOf, type LaneCode, type Lanes, lift } from "./lanes.ts";
import type { Reduction } from "./passes.ts";
import { convert, type TypedLanes } from "./typed.ts";

/** How values are reduced. */
export type Reducer = Pick<Reduction, "reduce" | "divisor">;

/** What is left of the values so far. */
export interface Accumulator {
  /** Takes in groups of elements: `width` of the same row, or one of each row. */
  add(value: TypedLanes, width: number): void;
  /** Takes in one element of each row's group. */
  addLane(value: TypedLanes, lane: number): void;
  /** The results, in all lanes of one register per row. */
  finish(): TypedLanes;
}

/** A reduction that starts here, of some rows; up to `width` groups of one row come at a time. */
export function createAccumulator(
  code: LaneCode,
  reducer: Reducer,
  rows: number,
  width: number,
): Accumulator {
  const { reduce } = reducer;
  if (reduce === "max" || reduce === "min") return new Extreme(code, reduce, rows, width);
  return code.float === "float32"
    ? new PartialSums(code, reducer, rows)
    : new Sum(code, reducer, rows);
}

type V128 = Value<"v128">;

/** The register with its bytes moved round; by 8, its halves change places. */
export function rotate(x: V128, by: 4 | 8): V128 {
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

/** What an element adds. */
function termOf(code: LaneCode, { reduce }: Reducer, x: Value<"f64">): Value<"f64"> {
  if (reduce !== "norm") return x;
  const value = code.builder.let(x);
  return f64.mul(value, value);
}

/** What elements side by side add. */
export function termsOf(code: LaneCode, { reduce }: Reducer, x: V128): V128 {
  if (reduce !== "norm") return x;
  const value = code.builder.let(x);
  return f64x2.mul(value, value);
}

/** What a sum amounts to. */
function resultOf({ reduce, divisor = 1 }: Reducer, sum: Value<"f64">): Value<"f64"> {
  const share = divisor === 1 ? sum : f64.div(sum, f64.const(divisor));
  return reduce === "norm" ? f64.sqrt(share) : share;
}

/** Four sums in float64, of every fourth element; the last few elements go to the first sum. */
class PartialSums implements Accumulator {
  readonly #code: LaneCode;
  readonly #reducer: Reducer;
  readonly #low: readonly Local<"v128">[];
  readonly #high: readonly Local<"v128">[];
  #integers = false;

  constructor(code: LaneCode, reducer: Reducer, rows: number) {
    this.#code = code;
    this.#reducer = reducer;
    const zeros = () => Array.from({ length: rows }, () => code.builder.let(f64x2.splat(0)));
    this.#low = zeros();
    this.#high = zeros();
  }

  add(value: TypedLanes, width: number): void {
    const { builder } = this.#code;
    const lanes = this.#read(value);
    const widen = this.#integers ? f64x2.convertLowI32x4S : f64x2.promoteLowF32x4;
    const terms = (x: V128) => termsOf(this.#code, this.#reducer, widen(x));
    eachRegister(lanes, this.#low.length, width, (register, row) => {
      const [low, high] = [this.#low[row]!, this.#high[row]!];
      builder.set(low, f64x2.add(low, terms(register)));
      builder.set(high, f64x2.add(high, terms(rotate(register, 8))));
    });
  }

  addLane(value: TypedLanes, lane: number): void {
    const lanes = this.#read(value);
    eachRegister(lanes, this.#low.length, 1, (register, row) => {
      const element = this.#integers
        ? f64.convertI32S(i32x4.extractLane(register, lane))
        : f64.promoteF32(f32x4.extractLane(register, lane));
      const low = this.#low[row]!;
      const term = termOf(this.#code, this.#reducer, element);
      const sum = f64.add(f64x2.extractLane(low, 0), term);
      this.#code.builder.set(low, f64x2.replaceLane(low, 0, sum));
    });
  }

  finish(): TypedLanes {
    const half = (x: V128) => f64.add(f64x2.extractLane(x, 0), f64x2.extractLane(x, 1));
    const sums = this.#low.map((low, i) =>
      resultOf(this.#reducer, f64.add(half(low), half(this.#high[i]!)))
    );
    return this.#integers
      ? { kind: "integer", lanes: sums.map((sum) => i32x4.splat(i32.truncSatF64S(sum))) }
      : { kind: "float", lanes: sums.map((sum) => f32x4.splat(f32.demoteF64(sum))) };
  }

  #read(value: TypedLanes): Lanes {
    this.#integers = value.kind !== "float";
    return this.#code.let(this.#integers ? convert("integer", this.#code, value) : value.lanes);
  }
}

/** One element after the other. */
class Sum implements Accumulator {
  readonly #code: LaneCode;
  readonly #reducer: Reducer;
  readonly #sums: readonly Local<"f64">[];

  constructor(code: LaneCode, reducer: Reducer, rows: number) {
    this.#code = code;
    this.#reducer = reducer;
    this.#sums = Array.from({ length: rows }, () => code.builder.let(f64.const(0)));
  }

  add(value: TypedLanes, width: number): void {
    this.#addLanes(value, width, [0, 1]);
  }

  addLane(value: TypedLanes, lane: number): void {
    this.#addLanes(value, 1, [lane]);
  }

  finish(): TypedLanes {
    const lanes = this.#sums.map((sum) => f64x2.splat(resultOf(this.#reducer, sum)));
    return { kind: "float", lanes };
  }

  #addLanes(value: TypedLanes, width: number, which: readonly number[]): void {
    const lanes = this.#code.let(convert("float", this.#code, value));
    eachRegister(lanes, this.#sums.length, width, (register, row) => {
      const sum = this.#sums[row]!;
      for (const lane of which) {
        const term = termOf(this.#code, this.#reducer, f64x2.extractLane(register, lane));
        this.#code.builder.set(sum, f64.add(sum, term));
      }
    });
  }
}

/** The largest or smallest of each row. */
class Extreme implements Accumulator {
  readonly #code: LaneCode;
  readonly #rows: number;
  readonly #extremes: Extremes;

  constructor(code: LaneCode, reduce: "max" | "min", rows: number, width: number) {
    this.#code = code;
    this.#rows = rows;
    this.#extremes = new Extremes(code, reduce, Math.max(rows, width));
  }

  add(value: TypedLanes, width: number): void {
    this.#extremes.add(value, Math.max(this.#rows, width));
  }

  /** Lanes beyond the last element repeat the first, so that all of them may take part. */
  addLane(value: TypedLanes, lane: number): void {
    if (lane === 0) this.add(value, 1);
  }

  finish(): TypedLanes {
    const extremes = this.#extremes;
    for (let i = this.#rows; i < extremes.count; i++) extremes.merge(0, extremes.state(i));
    for (let row = 0; row < this.#rows; row++) {
      for (const by of this.#code.float === "float32" ? [8, 4] as const : [8] as const) {
        const [best, invalid] = extremes.state(row);
        extremes.merge(row, [rotate(best, by), rotate(invalid, by)]);
      }
    }
    const { kind, lanes } = extremes.finish();
    return { kind, lanes: lanes.slice(0, this.#rows) };
  }
}

/** Extremes lane by lane, and apart from them, as comparisons are blind to it, where NaN was. */
export class Extremes {
  /** How many registers there are. */
  readonly count: number;
  readonly #code: LaneCode;
  readonly #reduce: "max" | "min";
  readonly #best: readonly Local<"v128">[];
  readonly #invalid: readonly Local<"v128">[];
  readonly #atStart: (write: () => void) => void;
  #integers: boolean | undefined;

  /** They start here. */
  constructor(code: LaneCode, reduce: "max" | "min", count: number) {
    this.count = count;
    this.#code = code;
    this.#reduce = reduce;
    this.#atStart = code.builder.place();
    const registers = () => Array.from({ length: count }, () => code.builder.local("v128"));
    this.#best = registers();
    this.#invalid = registers();
  }

  /** Takes in a value of `count` registers, or of one for all of them. */
  add(value: TypedLanes, count: number = this.count): void {
    if (this.#integers === undefined) this.#start(value);
    const lanes = this.#code.let(
      convert(this.#integers ? "integer" : "float", this.#code, value),
    );
    for (let i = 0; i < count; i++) {
      const register = lanes[i] ?? lanes[0]!;
      this.merge(i, [register, floatsOf(this.#code.float).ne(register, register)]);
    }
  }

  /** The extremes of a register, and where NaN was. */
  state(i: number): [best: V128, invalid: V128] {
    return [this.#best[i]!, this.#invalid[i]!];
  }

  /** Takes other extremes into a register. */
  merge(i: number, [best, invalid]: [V128, V128]): void {
    const { builder } = this.#code;
    const own = this.#best[i]!;
    builder.set(own, this.#combine(own, best));
    if (this.#integers) return;
    builder.set(this.#invalid[i]!, v128.or(this.#invalid[i]!, invalid));
  }

  /** The results. */
  finish(): TypedLanes {
    return this.#integers
      ? { kind: "integer", lanes: this.#best }
      : { kind: "float", lanes: lift(v128.or)(this.#best, this.#invalid) };
  }

  #start(value: TypedLanes): void {
    const { builder, float } = this.#code;
    this.#integers = value.kind !== "float" && float === "float32";
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

  #combine(x: V128, y: V128): V128 {
    return this.#integers
      ? i32x4[`${this.#reduce}S`](x, y)
      : floatsOf(this.#code.float)[`p${this.#reduce}`](x, y);
  }
}
