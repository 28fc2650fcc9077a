/**
 * The largest or smallest of what registers have held.
 *
 * @module
 */
import type { Local, Value } from "../wasm/value.ts";
import { bits, float32, float64, type FloatInstructions, int32, type LaneCode } from "./lanes.ts";
import { toFloat, toInteger, type TypedLanes } from "./typed.ts";

type V128 = Value<"v128">;

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
  add(value: TypedLanes, count: number): void {
    if (this.#integers === undefined) this.#start(value);
    const lanes = this.#code.let(
      this.#integers ? toInteger(this.#code, value) : toFloat(this.#code, value),
    );
    const { ne } = this.#floats;
    for (let i = 0; i < count; i++) {
      const register = lanes[i] ?? lanes[0]!;
      this.merge(i, [register, ne([register], [register])[0]!]);
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
    builder.set(this.#invalid[i]!, bits.or([this.#invalid[i]!], [invalid])[0]!);
  }

  /** The results. */
  finish(): TypedLanes {
    return this.#integers
      ? { kind: "integer", lanes: this.#best }
      : { kind: "float", lanes: bits.or(this.#best, this.#invalid) };
  }

  get #floats(): FloatInstructions {
    return this.#code.float === "float32" ? float32 : float64;
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
    if (this.#integers) return int32[this.#reduce]([x], [y])[0]!;
    return this.#floats[this.#reduce === "max" ? "pmax" : "pmin"]([x], [y])[0]!;
  }
}
