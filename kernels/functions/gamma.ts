/**
 * The gamma family: log-gamma, digamma and its derivatives of any order, in both precisions.
 *
 * Small arguments are shifted by the recurrence, to a polynomial between 1 and 2 for log-gamma and to
 * asymptotic series in Bernoulli numbers otherwise (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.11); those
 * up to 0 are reflected.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Precision } from "./algebra.ts";

/** `log Γ(1 + t) / (t (t − 1))` in t − ½ for t from 0 to 1. */
const BETWEEN: Readonly<Record<Precision, readonly number[]>> = {
  float32: [
    [0.483128965, -0.145959899, 0.062911056, -0.0313082747, 0.0168080982, -0.00943241175],
    [0.00532599213, -0.00313773635, 0.00244674459, -0.00148748432],
  ].flat(),
  float64: [
    [0.4831289505409809, -0.14595989591430608, 0.06291140107456439, -0.031308487501010646],
    [0.01679709863127416, -0.009425622448525798, 0.005446457839126065, -0.0032120740737152814],
    [0.0019229163127905161, -0.0011644145847310124, 0.000711519067515296],
    [-0.00043799307479613914, 0.00027131373861446925, -0.0001689178215524898],
    [0.00010535512483785591, -6.614136022346414e-05, 4.30276814976503e-05],
    [-2.7201673025504752e-05, 1.3186019073996835e-05, -8.355075869795273e-06],
    [1.2140008083973407e-05, -7.760660152513446e-06],
  ].flat(),
};

/** B₂, B₄, … B₂₀. */
export const BERNOULLI: readonly number[] = [
  [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798],
  [-174611 / 330],
].flat();

/** From where on asymptotic series hold, and how many of their terms matter. */
const SERIES = {
  float32: { from: 8, terms: 5 },
  float64: { from: 12, terms: 10 },
} as const;

/** The same of digamma; its derivatives need one more for each order. */
export const DIGAMMA_SERIES = {
  float32: { from: 4, terms: 6 },
  float64: { from: 12, terms: 10 },
} as const;

/** `½ log 2π`. */
export const HALF_LOG_TWO_PI: number = Math.log(2 * Math.PI) / 2;

/** The logarithm, in the precision of its argument. */
export function log(x: Float): Float {
  return a.call("log", x);
}

/** `log Γ(y) − (y − ½) log y + y − ½ log 2π` of a large number, from its inverse. */
export function stirlingTail(inverse: Float): Float {
  const { terms } = SERIES[inverse.precision!];
  const coefficients = BERNOULLI.slice(0, terms).map((b, i) => b / ((2 * i + 2) * (2 * i + 1)));
  return a.mul(inverse, a.polynomial(a.mul(inverse, inverse), coefficients));
}

/** `log Γ(y)` of a positive number. */
function positiveLgamma(y: Float): Float {
  const { from } = SERIES[y.precision!];
  const isLarge = a.lessEqual(from, y);
  // Γ(y) = (y − 1) (y − 2) … Γ(1 + t), where t is what y has beyond a whole number.
  const t = a.sub(y, a.floor(y));
  let product = a.maximum(a.sub(y, 1), 1);
  for (let i = 2; i < from - 1; i++) product = a.mul(product, a.maximum(a.sub(y, i), 1));
  const isSmall = a.less(y, 1);
  const logarithm = log(a.choose(a.either(isLarge, isSmall), y, product));
  const between = a.polynomial(a.sub(t, 0.5), BETWEEN[y.precision!]);
  const shifted = a.fma(
    a.mul(t, a.sub(t, 1)),
    between,
    a.choose(isSmall, a.neg(logarithm), logarithm),
  );
  const tail = a.add(HALF_LOG_TWO_PI - 0.5, stirlingTail(a.div(1, y)));
  const stirling = a.fma(a.sub(y, 0.5), a.sub(logarithm, 1), tail);
  return a.choose(isLarge, stirling, shifted);
}

/** What `x` has beyond the nearest even number. */
function beyondEven(x: Float): Float {
  return a.sub(x, a.mul(2, a.round(a.mul(x, 0.5))));
}

/** `(sin πf / πf − 1) / f²` in f² for `|f| ≤ ½`. */
const SINE_TAIL = [-1.64493394, 0.811733544, -0.190573677, 0.0249999668];

/** `sin(πr) / π` for `|r| ≤ 1`. */
function sineOverPi(r: Float): Float {
  const folded = a.choose(a.less(0.5, a.abs(r)), a.sub(a.copySign(1, r), r), r);
  if (r.precision === "float64") return a.div(a.host("sin", a.mul(folded, Math.PI)), Math.PI);
  const square = a.mul(folded, folded);
  return a.fma(a.mul(folded, square), a.polynomial(square, SINE_TAIL), folded);
}

/** `log |Γ(x)|`; ∞ at its poles. */
export function lgamma(x: Float): Float {
  const isReflected = a.lessEqual(x, 0);
  const positive = positiveLgamma(a.choose(isReflected, a.sub(1, x), x));
  const sine = a.abs(sineOverPi(beyondEven(x)));
  const reflected = a.sub(a.neg(log(sine)), positive);
  const isPole = a.either(a.equal(sine, 0), a.equal(x, -Infinity));
  return a.rarely(isReflected, a.choose(isPole, Infinity, reflected), positive);
}

/** The product of some polynomials, coefficients from the constant on. */
function productOf(factors: readonly (readonly number[])[]): number[] {
  return factors.reduce<number[]>((product, factor) => {
    const next = new Array<number>(product.length + factor.length - 1).fill(0);
    product.forEach((p, i) => factor.forEach((f, j) => next[i + j]! += p * f));
    return next;
  }, [1]);
}

/**
 * `Σ 1 / (x + j)` for j below an even count, with one division: terms that mirror each other share
 * the numerator `2x + count − 1`, over `u + j (count − 1 − j)` with `u = x (x + count − 1)`.
 */
export function sumOfInverses(x: Float, count: number): Float {
  const u = a.mul(x, a.add(x, count - 1));
  const factors = Array.from({ length: count / 2 }, (_, j) => [j * (count - 1 - j), 1]);
  const numerator = factors.map((_, j) => productOf(factors.filter((_, i) => i !== j)))
    .reduce((sum, one) => sum.map((c, i) => c + one[i]!));
  const mirrored = a.fma(x, 2, count - 1);
  const quotient = a.div(a.polynomial(u, numerator), a.polynomial(u, productOf(factors)));
  return a.mul(mirrored, quotient);
}

/** Digamma of a positive number. */
function positiveDigamma(y: Float): Float {
  const { from, terms } = DIGAMMA_SERIES[y.precision!];
  const isSmall = a.less(y, from);
  const z = a.choose(isSmall, a.add(y, from), y);
  const shift = a.choose(isSmall, sumOfInverses(y, from), 0);
  const r = a.div(1, z);
  const square = a.mul(r, r);
  const series = BERNOULLI.slice(0, terms).map((b, i) => b / (2 * i + 2));
  const rest = a.fma(r, 0.5, a.mul(square, a.polynomial(square, series)));
  return a.choose(a.equal(y, Infinity), y, a.sub(a.sub(log(z), rest), shift));
}

/** `x^n` for a small whole n. */
function wholePower(x: Float, n: number): Float {
  if (n === 1) return x;
  const half = wholePower(x, Math.floor(n / 2));
  return n % 2 === 0 ? a.mul(half, half) : a.mul(a.mul(half, half), x);
}

/** The `n`-th derivative of digamma at a positive number, `n ≥ 1`. */
function positivePolygamma(n: number, y: Float): Float {
  const { from, terms } = DIGAMMA_SERIES[y.precision!];
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  const isSmall = a.less(y, from + n);
  const z = a.choose(isSmall, a.add(y, from + n), y);
  let shift = wholePower(a.div(1, y), n + 1);
  for (let i = 1; i < from + n; i++) {
    shift = a.add(shift, wholePower(a.div(1, a.add(y, i)), n + 1));
  }
  const r = a.div(1, z);
  const square = a.mul(r, r);
  let rising = (n + 1) / 2;
  const series = BERNOULLI.slice(0, terms).map((b, i) => {
    const term = b * rising;
    const k = 2 * i + 2;
    rising *= (k + n) * (k + n + 1) / ((k + 1) * (k + 2));
    return term;
  });
  const tail = a.fma(r, 0.5, a.fma(square, a.polynomial(square, series), 1 / n));
  const sum = a.fma(wholePower(r, n), tail, a.choose(isSmall, shift, 0));
  return a.mul(sum, n % 2 === 1 ? factorial : -factorial);
}

/** The `n`-th derivative of the cotangent, as the coefficients of a polynomial in its value. */
function cotangentDerivative(n: number): number[] {
  let coefficients = [0, 1];
  for (let order = 0; order < n; order++) {
    const next = new Array<number>(coefficients.length + 1).fill(0);
    for (let i = 1; i < coefficients.length; i++) {
      next[i - 1]! -= i * coefficients[i]!;
      next[i + 1]! -= i * coefficients[i]!;
    }
    coefficients = next;
  }
  return coefficients;
}

/** The derivative of digamma of order `n`, itself for 0. */
export function polygamma(n: number): (x: Float) => Float {
  return (x) => {
    const isReflected = a.lessEqual(x, 0);
    const y = a.choose(isReflected, a.sub(1, x), x);
    const positive = n === 0 ? positiveDigamma(y) : positivePolygamma(n, y);
    const r = beyondEven(x);
    const sine = sineOverPi(r);
    const cotangent = a.div(sineOverPi(a.sub(0.5, a.abs(r))), sine);
    const mirror = a.mul(a.polynomial(cotangent, cotangentDerivative(n)), Math.PI ** (n + 1));
    const reflected = a.sub(n % 2 === 1 ? a.neg(positive) : positive, mirror);
    return a.rarely(isReflected, a.choose(a.equal(sine, 0), pole(n, x), reflected), positive);
  };
}

/** The value at a pole: ∞ where its sign does not change there. */
function pole(n: number, x: Float): Float {
  const infinite = a.number(Infinity, x.precision!);
  if (n % 2 === 1) return infinite;
  return a.choose(a.equal(x, 0), a.copySign(infinite, a.neg(x)), NaN);
}
