/**
 * Random numbers as arrays, evaluated from the texts of `samplers.ts`.
 *
 * @module
 */
import type { TypedArray } from "../../src/dtype.ts";
import { integerParameter } from "../functions/algebra.ts";
import { evaluate } from "../functions/evaluate.ts";
import { numberOf, precisionOf, type Sampling, SCHEDULE } from "./samplers.ts";
import { keySchedule } from "./threefry.ts";

/** A key's two words. */
export type Key = ArrayLike<number>;

/** Numbers by their positions, from keys and parameters: one value or one per number. */
export type Sampler = (out: TypedArray, key: Key, parameter?: TypedArray) => void;

let scheduleOf: ((...words: number[]) => number[]) | undefined;

/** The reference of a sampler. */
export function referenceOf(sampling: Sampling): Sampler {
  const precision = precisionOf(sampling);
  const names = ["element", "parameter", "integer", ...SCHEDULE];
  const draw = evaluate([numberOf(sampling, precision)], precision, names);
  scheduleOf ??= evaluate(
    keySchedule([integerParameter("k0"), integerParameter("k1")]),
    "float64",
    ["k0", "k1"],
  );
  return (out, key, parameter) => {
    const schedule = scheduleOf!(key[0]!, key[1]!);
    for (let i = 0; i < out.length; i++) {
      const value = parameter?.[sampling.moves ? i : 0] ?? 0;
      out[i] = draw(i, value, value, ...schedule)[0]!;
    }
  };
}
