/**
 * The inverse of the error function, in both precisions.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float } from "./algebra.ts";

/** What each precision takes: `erf⁻¹ x / x` in `w = −log(1 − x²)`, as Giles (2012) has it. */
interface Numbers {
  /** Up to here in w, beyond in √w. */
  readonly limit: number;
  /** In w less its middle. */
  readonly near: readonly number[];
  readonly nearMiddle: number;
  /** In √w less its middle. */
  readonly far: readonly number[];
  readonly farMiddle: number;
}

const NUMBERS: Readonly<Record<a.Precision, Numbers>> = {
  float32: {
    limit: 5,
    near: [
      [1.5014094, 0.24664028, -0.004177393, -0.0012527264, 0.00021834939, -4.97242e-06],
      [-3.4639852e-06, 4.6813136e-07, 2.3335968e-08, -8.931926e-09],
    ].flat(),
    nearMiddle: 2.5,
    far: [
      [2.9513285, 1.003618, 0.00716026, -0.0053789336, 0.0038747007, -0.0027085275],
      [0.0013174769, -8.672782e-05, -0.00017628593],
    ].flat(),
    farMiddle: 3.118033988749895,
  },
  float64: {
    limit: 6.25,
    near: [
      [1.6536545626831027, 0.24015818242558834, -0.006033670871426851],
      [-0.0007407025341546431, 0.00018673420801981186, -1.3882523393957483e-05],
      [-1.3654691758785656e-06, 4.23478816822246e-07, -2.907039127564132e-08],
      [-4.1126604371632185e-09, 1.051223377050429e-09, -5.414303283919504e-11],
      [-1.2978805369932565e-11, 2.6305268312595183e-12, -8.07192593899004e-14],
      [-4.0020031087558496e-14, 6.521333511502239e-15, -3.94018812230432e-17],
      [-1.2215637192404172e-16, 1.5510787009902526e-17, 6.075050702072414e-19],
      [-3.4734793888538036e-19, 1.999259988861535e-20, 3.194015548136271e-21],
      [-3.5932028927020693e-22],
    ].flat(),
    nearMiddle: 3.125,
    far: [
      [4.142724044720679, 1.0100450970686878, 0.0006246699907168887, -0.0005670163614639058],
      [0.0001968538346489371, -5.8322853623220336e-05, 1.8785619876619873e-05],
      [-8.142447534420034e-06, 4.519577397909832e-06, -2.5342193096382583e-06],
      [1.2229081326958482e-06, -4.555708294201763e-07, 1.038219663441913e-07],
      [7.85054158679267e-09, -2.100821019014245e-08, 1.0934598166312182e-08],
      [-3.0576308370219185e-09, 1.7136812354515062e-10, 2.9095227257399043e-10],
      [-1.6215910810152307e-10, 3.964084017768438e-11, 2.4181587065623194e-12],
      [-4.205669338523364e-12, 4.278833077833209e-13, 1.0732831821133789e-13],
      [1.338316603684903e-13, -4.6081778181039046e-14, -1.8369340295417047e-14],
      [7.104686952568636e-15, 5.931574040730956e-16, -3.0278227462693096e-16],
    ].flat(),
    farMiddle: 4.3,
  },
};

/** The number of which x is the error function: ±∞ at ±1, NaN beyond. */
export function erfinv(x: Float): Float {
  const { limit, near, nearMiddle, far, farMiddle } = NUMBERS[x.precision!];
  const size = a.abs(x);
  const w = a.neg(a.call("log", a.mul(a.opaque(a.sub(1, size)), a.add(1, size))));
  const root = a.sqrt(a.maximum(w, limit));
  const close = a.polynomial(a.sub(w, nearMiddle), near);
  const wide = a.polynomial(a.sub(root, farMiddle), far);
  const value = a.mul(x, a.choose(a.less(w, limit), close, wide));
  const inside = a.choose(a.less(1, size), NaN, value);
  return a.choose(a.equal(size, 1), a.copySign(a.number(Infinity, x.precision!), x), inside);
}
