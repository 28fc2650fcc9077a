/**
 * Sums and extremes of columns.
 *
 * @module
 */
import { f32x4, f64x2, i32x4, i8x16 } from "../wasm/simd.ts";
import type { Local, Value } from "../wasm/value.ts";
import { Extremes, type Reducer, rotate, termsOf } from "./accumulators.ts";
import type { LaneCode } from "./lanes.ts";
import { convert, type TypedLanes } from "./typed.ts";

/** What is left of the rows so far, for each column. */
export interface ColumnAccumulator {
  /** Takes in a row. */
  add(value: TypedLanes): void;
  /** The results. */
  finish(): TypedLanes;
}

/** A reduction of columns that starts here, in groups of them side by side. */
export function createColumnAccumulator(
  code: LaneCode,
  reducer: Reducer,
  width: number,
): ColumnAccumulator {
  const { reduce } = reducer;
  return reduce === "max" || reduce === "min"
    ? new Extremes(code, reduce, width)
    : new ColumnSums(code, reducer, width);
}

/** Sums in float64; those of integers are integers. */
class ColumnSums implements ColumnAccumulator {
  readonly #code: LaneCode;
  readonly #reducer: Reducer;
  /** The sums, or those of the lower halves of groups of four. */
  readonly #low: readonly Local<"v128">[];
  readonly #high: readonly Local<"v128">[];
  #integers = false;

  constructor(code: LaneCode, reducer: Reducer, width: number) {
    this.#code = code;
    this.#reducer = reducer;
    const zeros = () => Array.from({ length: width }, () => code.builder.let(f64x2.splat(0)));
    this.#low = zeros();
    this.#high = code.float === "float32" ? zeros() : [];
  }

  add(value: TypedLanes): void {
    const { builder, float } = this.#code;
    this.#integers = value.kind !== "float" && float === "float32";
    const lanes = this.#code.let(
      convert(this.#integers ? "integer" : "float", this.#code, value),
    );
    const terms = (x: Value<"v128">) => termsOf(this.#code, this.#reducer, x);
    this.#low.forEach((low, i) => {
      const register = lanes[i] ?? lanes[0]!;
      if (this.#integers) builder.set(low, i32x4.add(low, register));
      else if (float === "float64") builder.set(low, f64x2.add(low, terms(register)));
      else {
        const high = this.#high[i]!;
        const second = rotate(register, 8);
        builder.set(low, f64x2.add(low, terms(f64x2.promoteLowF32x4(register))));
        builder.set(high, f64x2.add(high, terms(f64x2.promoteLowF32x4(second))));
      }
    });
  }

  finish(): TypedLanes {
    if (this.#integers) return { kind: "integer", lanes: this.#low };
    const low = this.#low.map((sum) => this.#result(sum));
    if (this.#code.float === "float64") return { kind: "float", lanes: low };
    const halves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
    const demote = f32x4.demoteF64x2Zero;
    const lanes = low.map((half, i) =>
      i8x16.shuffle(demote(half), demote(this.#result(this.#high[i]!)), halves)
    );
    return { kind: "float", lanes };
  }

  /** What sums amount to. */
  #result(sum: Value<"v128">): Value<"v128"> {
    const { reduce, divisor = 1 } = this.#reducer;
    const share = divisor === 1 ? sum : f64x2.div(sum, f64x2.splat(divisor));
    return reduce === "norm" ? f64x2.sqrt(share) : share;
  }
}
