/**
 * The error function, its complement and its inverse, in both precisions.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float } from "./algebra.ts";

/** What each precision takes. */
interface Numbers {
  /** `erf x / x` in x² for `|x| ≤ 1`. */
  readonly near: readonly number[];
  /** `(1 + 2x) e^(x²) erfc x` in `(x − 3) / (x + 3)` for x from 0 on. */
  readonly far: readonly number[];
  /** From here on the complement is 0. */
  readonly end: number;
  /** Squares of multiples of its inverse, up to the end, are exact. */
  readonly steps: number;
  /** Terms of the exponential of what such a multiple leaves. */
  readonly terms: number;
  /** Of the inverse: up to here in w, beyond in √w. */
  readonly limit: number;
  /** `erf⁻¹ x / x` in `w = −log(1 − x²)` less its middle, as Giles (2012) has it, and in √w likewise. */
  readonly inverse: Readonly<Record<"near" | "far", readonly [middle: number, readonly number[]]>>;
}

const NUMBERS: Readonly<Record<a.Precision, Numbers>> = {
  float32: {
    near: [
      [1.12837911, -0.37612626, 0.112835944, -0.0268542115, 0.00518908724, -0.00080168643],
      [7.87587487e-05],
    ].flat(),
    far: [
      [1.25300801, -0.135621101, -0.0475621559, 0.129644722, -0.119275279, 0.0683131963],
      [-0.0237635598, 0.00250677858, 0.00187506026, -0.000734082074, -9.2537688e-05],
      [8.00745474e-05],
    ].flat(),
    end: 10.5,
    steps: 2 ** 8,
    terms: 5,
    limit: 5,
    inverse: {
      near: [
        2.5,
        [
          [1.5014094, 0.24664028, -0.004177393, -0.0012527264, 0.00021834939, -4.97242e-06],
          [-3.4639852e-06, 4.6813136e-07, 2.3335968e-08, -8.931926e-09],
        ].flat(),
      ],
      far: [
        3.118033988749895,
        [
          [2.9513285, 1.003618, 0.00716026, -0.0053789336, 0.0038747007, -0.0027085275],
          [0.0013174769, -8.672782e-05, -0.00017628593],
        ].flat(),
      ],
    },
  },
  float64: {
    near: [
      [1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792],
      [0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271],
      [-1.4925595266831182e-05, 1.6461000484121368e-06, -1.6350312701054695e-07],
      [1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11],
    ].flat(),
    far: [
      [1.2530080582697296, -0.1356211061245812, -0.04756229435341897, 0.12964515870276264],
      [-0.11927366341681594, 0.06830802734392144, -0.023770514890662273, 0.002529391816799663],
      [0.0018886900908332905, -0.0007798322772742547, -0.00010515828085467254],
      [0.00012509937435915822, 4.944031214882928e-06, -2.0100627664406107e-05],
      [-7.186149396303622e-07, 3.472520280065519e-06, 3.3649033965298255e-07],
      [-6.167709493550964e-07, -1.2038713923616526e-07, 1.0195717375790894e-07],
      [2.7779061599708634e-08, -1.3361953304404018e-08, -3.169592039553522e-09],
      [9.948820947537195e-10],
    ].flat(),
    end: 28,
    steps: 2 ** 12,
    terms: 8,
    limit: 6.25,
    inverse: {
      near: [
        3.125,
        [
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
      ],
      far: [
        4.3,
        [
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
      ],
    },
  },
};

/** `erfc x` of a number from 0 on. */
function positiveErfc(x: Float): Float {
  const { far, end, steps, terms } = NUMBERS[x.precision!];
  const y = a.minimum(x, end);
  // e^(−y²) in two factors, as the rounding of y² would be multiplied by y².
  const h = a.mul(a.round(a.mul(y, steps)), 1 / steps);
  const rest = a.mul(a.sub(y, h), a.add(y, h));
  let factorial = 1;
  const series = Array.from({ length: terms }, (_, k) => {
    factorial *= k === 0 ? 1 : -k;
    return 1 / factorial;
  });
  const power = a.mul(a.call("exp", a.neg(a.mul(h, h))), a.polynomial(rest, series));
  const q = a.div(a.sub(y, 3), a.add(y, 3));
  return a.mul(power, a.div(a.polynomial(q, far), a.fma(y, 2, 1)));
}

/** `erf x` for `|x| ≤ 1`. */
function nearErf(x: Float): Float {
  return a.mul(x, a.polynomial(a.mul(x, x), NUMBERS[x.precision!].near));
}

/** `erf x` */
export function erf(x: Float): Float {
  const size = a.abs(x);
  const far = a.copySign(a.sub(1, positiveErfc(size)), x);
  return a.choose(a.less(size, 1), nearErf(x), far);
}

/** `1 − erf x`, to all digits where that is small. */
export function erfc(x: Float): Float {
  const size = a.abs(x);
  const positive = positiveErfc(size);
  const far = a.choose(a.less(x, 0), a.sub(2, positive), positive);
  return a.choose(a.less(size, 0.5), a.sub(1, nearErf(x)), far);
}

/** The number of which x is the error function: ±∞ at ±1, NaN beyond. */
export function erfinv(x: Float): Float {
  const { limit, inverse: { near, far } } = NUMBERS[x.precision!];
  const size = a.abs(x);
  const w = a.neg(a.call("log", a.mul(a.opaque(a.sub(1, size)), a.add(1, size))));
  const root = a.sqrt(a.maximum(w, limit));
  const about = (y: Float, [middle, coefficients]: typeof near) =>
    a.polynomial(a.sub(y, middle), coefficients);
  const value = a.mul(x, a.choose(a.less(w, limit), about(w, near), about(root, far)));
  const inside = a.choose(a.less(1, size), NaN, value);
  return a.choose(a.equal(size, 1), a.copySign(a.number(Infinity, x.precision!), x), inside);
}
