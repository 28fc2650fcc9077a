/**
 * Sums and extremes of the values that a loop passes over.
 *
 * @module
 */
import { f32, f64, i32 } from "../wasm/scalar.ts";
import { f32x4, f64x2, i32x4, i8x16 } from "../wasm/simd.ts";
import type { Local, Value } from "../wasm/value.ts";
import { bits, float32, float64, int32, type LaneCode, type Lanes, lift } from "./lanes.ts";
import { toFloat, toInteger, type TypedLanes } from "./typed.ts";

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
  reduce: "sum" | "max" | "min",
  rows: number,
  width: number,
): Accumulator {
  if (reduce !== "sum") return new Extreme(code, reduce, rows, width);
  return code.float === "float32" ? new PartialSums(code, rows) : new Sum(code, rows);
}

type V128 = Value<"v128">;

/** The register with its bytes moved round; by 8, its halves change places. */
function rotate(x: V128, by: 4 | 8): V128 {
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

/** Four sums in float64, of every fourth element; the last few elements go to the first sum. */
class PartialSums implements Accumulator {
  readonly #code: LaneCode;
  readonly #low: readonly Local<"v128">[];
  readonly #high: readonly Local<"v128">[];
  #integers = false;

  constructor(code: LaneCode, rows: number) {
    this.#code = code;
    const zeros = () => Array.from({ length: rows }, () => code.builder.let(f64x2.splat(0)));
    this.#low = zeros();
    this.#high = zeros();
  }

  add(value: TypedLanes, width: number): void {
    const { builder } = this.#code;
    const lanes = this.#read(value);
    const widen = this.#integers ? f64x2.convertLowI32x4S : f64x2.promoteLowF32x4;
    eachRegister(lanes, this.#low.length, width, (register, row) => {
      const [low, high] = [this.#low[row]!, this.#high[row]!];
      builder.set(low, f64x2.add(low, widen(register)));
      builder.set(high, f64x2.add(high, widen(rotate(register, 8))));
    });
  }

  addLane(value: TypedLanes, lane: number): void {
    const lanes = this.#read(value);
    eachRegister(lanes, this.#low.length, 1, (register, row) => {
      const element = this.#integers
        ? f64.convertI32S(i32x4.extractLane(register, lane))
        : f64.promoteF32(f32x4.extractLane(register, lane));
      const low = this.#low[row]!;
      const sum = f64.add(f64x2.extractLane(low, 0), element);
      this.#code.builder.set(low, f64x2.replaceLane(low, 0, sum));
    });
  }

  finish(): TypedLanes {
    const half = (x: V128) => f64.add(f64x2.extractLane(x, 0), f64x2.extractLane(x, 1));
    const sums = this.#low.map((low, i) => f64.add(half(low), half(this.#high[i]!)));
    return this.#integers
      ? { kind: "integer", lanes: sums.map((sum) => i32x4.splat(i32.truncSatF64S(sum))) }
      : { kind: "float", lanes: sums.map((sum) => f32x4.splat(f32.demoteF64(sum))) };
  }

  #read(value: TypedLanes): Lanes {
    this.#integers = value.kind !== "float";
    return this.#code.let(this.#integers ? toInteger(this.#code, value) : value.lanes);
  }
}

/** One element after the other. */
class Sum implements Accumulator {
  readonly #code: LaneCode;
  readonly #sums: readonly Local<"f64">[];

  constructor(code: LaneCode, rows: number) {
    this.#code = code;
    this.#sums = Array.from({ length: rows }, () => code.builder.let(f64.const(0)));
  }

  add(value: TypedLanes, width: number): void {
    this.#addLanes(value, width, [0, 1]);
  }

  addLane(value: TypedLanes, lane: number): void {
    this.#addLanes(value, 1, [lane]);
  }

  finish(): TypedLanes {
    return { kind: "float", lanes: this.#sums.map((sum) => f64x2.splat(sum)) };
  }

  #addLanes(value: TypedLanes, width: number, which: readonly number[]): void {
    const lanes = this.#code.let(toFloat(this.#code, value));
    eachRegister(lanes, this.#sums.length, width, (register, row) => {
      const sum = this.#sums[row]!;
      for (const lane of which) {
        this.#code.builder.set(sum, f64.add(sum, f64x2.extractLane(register, lane)));
      }
    });
  }
}

/** The largest or smallest, and apart from it whether there was a NaN. */
class Extreme implements Accumulator {
  readonly #code: LaneCode;
  readonly #reduce: "max" | "min";
  readonly #rows: number;
  readonly #best: Local<"v128">[];
  readonly #invalid: Local<"v128">[];
  readonly #start: (write: () => void) => void;
  #integers: boolean | undefined;

  constructor(code: LaneCode, reduce: "max" | "min", rows: number, width: number) {
    this.#code = code;
    this.#reduce = reduce;
    this.#rows = rows;
    this.#start = code.builder.place();
    const registers = (count: number) =>
      Array.from({ length: count }, () => code.builder.local("v128"));
    this.#best = registers(Math.max(rows, width));
    this.#invalid = registers(rows);
  }

  add(value: TypedLanes, width: number): void {
    const { builder } = this.#code;
    if (this.#integers === undefined) this.#begin(value.kind !== "float");
    const lanes = this.#code.let(
      this.#integers ? toInteger(this.#code, value) : toFloat(this.#code, value),
    );
    let at = 0;
    eachRegister(lanes, this.#rows, width, (register, row) => {
      const best = this.#best[at++]!;
      builder.set(best, this.#combine(best, register));
      if (this.#integers) return;
      const [invalid] = bits.or([this.#invalid[row]!], this.#floats.ne([register], [register]));
      builder.set(this.#invalid[row]!, invalid!);
    });
  }

  /** Lanes beyond the last element repeat the first, so that all of them may take part. */
  addLane(value: TypedLanes, lane: number): void {
    if (lane === 0) this.add(value, 1);
  }

  finish(): TypedLanes {
    const { builder } = this.#code;
    const turns = this.#code.float === "float32" ? [8, 4] as const : [8] as const;
    const merge = lift((x: V128, y: V128) => this.#combine(x, y));
    for (let i = this.#rows; i < this.#best.length; i++) {
      builder.set(this.#best[0]!, this.#combine(this.#best[0]!, this.#best[i]!));
    }
    const fold = (registers: Local<"v128">[], by: 4 | 8, combine: typeof merge) => {
      for (const register of registers) {
        builder.set(register, combine([register], [rotate(register, by)])[0]!);
      }
    };
    const best = this.#best.slice(0, this.#rows);
    for (const by of turns) {
      fold(best, by, merge);
      if (!this.#integers) fold(this.#invalid, by, bits.or);
    }
    return this.#integers
      ? { kind: "integer", lanes: best }
      : { kind: "float", lanes: bits.or(best, this.#invalid) };
  }

  get #floats(): typeof float32 {
    return this.#code.float === "float32" ? float32 : float64;
  }

  #begin(integers: boolean): void {
    const { builder, float } = this.#code;
    this.#integers = integers && float === "float32";
    const sign = this.#reduce === "max" ? -1 : 1;
    const limit = sign < 0 ? -(2 ** 31) : 2 ** 31 - 1;
    const [start] = this.#integers ? this.#code.integer(limit) : this.#code.number(sign * Infinity);
    const [zero] = this.#code.integer(0);
    this.#start(() => {
      for (const register of this.#best) builder.set(register, start!);
      for (const register of this.#invalid) builder.set(register, zero!);
    });
  }

  #combine(x: V128, y: V128): V128 {
    if (this.#integers) return int32[this.#reduce]([x], [y])[0]!;
    return this.#floats[this.#reduce === "max" ? "pmax" : "pmin"]([x], [y])[0]!;
  }
}
