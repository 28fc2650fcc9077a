/**
 * Random numbers as arrays, evaluated from the texts of `samplers.ts`.
 *
 * @module
 */
import { integerParameter } from "../functions/algebra.ts";
import { evaluate } from "../functions/javascript.ts";
import { numberOf, precisionOf, type Sampling, SCHEDULE } from "./samplers.ts";
import { keySchedule, threefry, type Words } from "./threefry.ts";

/** A key's two words. */
export type Key = ArrayLike<number>;

/** An array to fill. */
export type Output = Float32Array | Float64Array | Int32Array | Uint8Array;

const KEY: Words = [integerParameter("k0"), integerParameter("k1")];

let schedule: ((...words: number[]) => number[]) | undefined;
let fold: ((...words: number[]) => number[]) | undefined;

/** The two words of the key that `data` leads to from `key`. */
export function foldedKey(key: Key, data: number): Int32Array {
  fold ??= evaluate(
    threefry(keySchedule(KEY), [0, integerParameter("data")]),
    "float64",
    ["k0", "k1", "data"],
  );
  return Int32Array.from(fold(key[0]!, key[1]!, data));
}

/** Numbers by their positions, from keys and parameters: one value or one per number. */
export type Sampler = (out: Output, key: Key, parameter?: Output) => void;

/** The reference of a sampler. */
export function referenceOf(sampling: Sampling): Sampler {
  const precision = precisionOf(sampling);
  const names = ["element", "parameter", ...SCHEDULE];
  const draw = evaluate([numberOf(sampling, precision)], precision, names);
  schedule ??= evaluate(keySchedule(KEY).flat(), "float64", ["k0", "k1"]);
  return (out, key, parameter) => {
    const words = schedule!(key[0]!, key[1]!);
    const step = sampling.moves ? 1 : 0;
    for (let i = 0; i < out.length; i++) out[i] = draw(i, parameter?.[i * step] ?? 0, ...words)[0]!;
  };
}
