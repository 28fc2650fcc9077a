/**
 * The error function and its complement, in both precisions.
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
