/**
 * Exponentials and logarithms in single precision.
 *
 * Arguments are reduced to a small interval, where a polynomial serves, fitted to the least largest
 * error (Remez) with coefficients of 24 bits and listed from the constant on.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Integer } from "./algebra.ts";

/** `log 2` in two parts: times the first, whole numbers up to 2¹⁴ are exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.LN2 - LN2_HIGH;

/** `(e^r − 1 − r) / r²` for `|r| ≤ ½ log 2`. */
const EXP_TAIL = [
  0.4999999403953552,
  0.16666515171527863,
  0.041668083518743515,
  0.008369348011910915,
  0.0013840367319062352,
];

/** `(log((1 + s) / (1 − s)) / s − 2) / s²` in s² for numbers from √½ to √2. */
const LOG_TAIL = [0.6666677594184875, 0.39977553486824036, 0.2987212836742401];

/** The bits of √½, of a sign, of an exponent, and of 1. */
const SQRT_HALF_BITS = 0x3f3504f3;
const SIGN_BIT = 0x80000000;
const EXPONENT_BITS = 0xff800000;
const ONE_BITS = 0x3f800000;

/** `x = n log 2 + r` with a whole `n`. */
interface ReducedPower {
  n: Integer;
  rest: Float;
}

function reducePower(x: Float, lowest: number, highest: number): ReducedPower {
  const limited = a.max(a.min(x, highest), lowest);
  const { number: n, integer } = a.nearest(limited, Math.LOG2E);
  const rest = a.fnma(n, LN2_LOW, a.fnma(n, LN2_HIGH, limited));
  return { n: integer, rest };
}

/** `e^r − 1 − r` */
function tailOfPower(r: Float): Float {
  return a.mul(a.mul(r, r), a.polynomial(r, EXP_TAIL));
}

/** `e^x` within 1 ulp, subnormal results included. */
export function exp(x: Float): Float {
  const { n, rest } = reducePower(x, -104, 89);
  return expOfReduced(rest, n);
}

/** `2^x` within 1 ulp, exact for whole numbers. */
export function exp2(x: Float): Float {
  const limited = a.max(a.min(x, 129), -151);
  const { number: n, integer } = a.nearest(limited, 1);
  return expOfReduced(a.mul(a.sub(limited, n), Math.LN2), integer);
}

/** `½ e^x` within 1 ulp, for x from 0 on: it overflows later than `e^x`. */
export function halfExp(x: Float): Float {
  const { n, rest } = reducePower(x, 0, 90);
  return expOfReduced(rest, a.isub(n, 1));
}

/** `2ⁿ e^r` for `|r| ≤ ½ log 2` and n from −151 to 129. */
export function expOfReduced(rest: Float, n: Integer): Float {
  const power = a.add(1, a.add(rest, tailOfPower(rest)));
  // 2ⁿ in two factors, as neither 2¹²⁸ nor 2⁻¹⁵⁰ is a number.
  const half = a.and(a.shl(n, 22), EXPONENT_BITS);
  const other = a.isub(a.shl(n, 23), half);
  const scale = (exponent: Integer) => a.fromBits(a.iadd(exponent, ONE_BITS));
  return a.mul(a.mul(power, scale(half)), scale(other));
}

/** `e^x − 1` within 1.6 ulp. */
export function expm1(x: Float): Float {
  const { n, rest } = reducePower(x, -20, 88.9);
  // Half of 2ⁿ, as 2¹²⁸ is not a number.
  const half = a.fromBits(a.iadd(a.shl(n, 23), ONE_BITS - (1 << 23)));
  const result = a.fma(half, a.add(rest, tailOfPower(rest)), a.sub(half, 0.5));
  return a.choose(a.less(a.abs(x), 2 ** -25), x, a.add(result, result));
}

/** `x = 2ᵏ (1 + f)` with `1 + f` from √½ to √2. */
interface ReducedNumber {
  /** The bits of `2ᵏ`, less those of 1. */
  exponent: Integer;
  /** `f` */
  rest: Float;
}

function reduceNumber(x: Float): ReducedNumber {
  const all = a.bits(x);
  const exponent = a.and(a.isub(all, SQRT_HALF_BITS), EXPONENT_BITS);
  return { exponent, rest: a.sub(a.fromBits(a.isub(all, exponent)), 1) };
}

/** `f²/2`, and `log(1 + f) − f + f²/2`, of what `1 + f` from √½ to √2 has. */
function seriesOfLogarithm(f: Float, low: Float | number): { half: Float; rest: Float } {
  const s = a.div(f, a.add(f, 2));
  const square = a.mul(s, s);
  const series = a.mul(square, a.polynomial(square, LOG_TAIL));
  const half = a.mul(a.mul(f, f), 0.5);
  return { half, rest: a.fma(s, a.add(half, series), low) };
}

/** `k log 2 + log(1 + f) + change` */
function sumLogarithm(k: Float, f: Float, change: Float | number): Float {
  const { half, rest } = seriesOfLogarithm(f, a.fma(k, LN2_LOW, change));
  return a.fma(k, LN2_HIGH, a.add(f, a.sub(rest, half)));
}

/** `log x` of a positive number with all its digits. */
export function logOfNormal(x: Float): Float {
  const { exponent, rest } = reduceNumber(x);
  return sumLogarithm(a.toFloat(a.shrS(exponent, 23), "float32"), rest, 0);
}

/** Puts −∞ where `u` is 0, NaN where it is negative, and ∞ where it is ∞. */
function limitLogarithm(u: Float, logarithm: Float): Float {
  const finite = a.choose(a.equal(u, Infinity), u, logarithm);
  const below = a.choose(a.notEqual(u, 0), a.number(NaN, "float32"), -Infinity);
  return a.choose(a.less(0, u), finite, below);
}

/** `x = 2ᵏ (1 + f)`, of subnormal numbers too. */
function splitNumber(x: Float): { k: Float; f: Float } {
  const small = a.less(x, 2 ** -126);
  const { exponent, rest } = reduceNumber(a.choose(small, a.mul(x, 2 ** 23), x));
  const whole = a.toFloat(a.shrS(exponent, 23), "float32");
  return { k: a.sub(whole, a.choose(small, 23, 0)), f: rest };
}

/** `log x` within 0.85 ulp; −∞ at 0, NaN below. */
export function log(x: Float): Float {
  const { k, f } = splitNumber(x);
  return limitLogarithm(x, sumLogarithm(k, f, 0));
}

/** What becomes the base of a logarithm: of e and of 2, in two parts, the first of few bits. */
interface Base {
  readonly e: readonly [number, number];
  readonly two: readonly [number, number];
}

const BASE_2: Base = { e: [1.4423828125, Math.LOG2E - 1.4423828125], two: [1, 0] };
const BASE_10: Base = {
  e: [0.434326171875, Math.LOG10E - 0.434326171875],
  two: [0.301025390625, Math.log10(2) - 0.301025390625],
};

/** The number's first 12 bits. */
export function upperPart(x: Float): Float {
  return a.fromBits(a.and(a.bits(x), 0xfffff000));
}

/** The logarithm to a base; −∞ at 0, NaN below. */
function logarithmTo({ e: [eHigh, eLow], two: [twoHigh, twoLow] }: Base, x: Float): Float {
  const { k, f } = splitNumber(x);
  const { half, rest } = seriesOfLogarithm(f, 0);
  // log(1 + f) in two parts, the first of 12 bits.
  const high = upperPart(a.sub(f, half));
  const low = a.add(a.sub(a.sub(f, high), half), rest);
  const change = a.mul(low, eHigh);
  const tail = a.fma(a.add(high, low), eLow, twoLow === 0 ? change : a.fma(k, twoLow, change));
  const main = a.mul(high, eHigh);
  const whole = twoHigh === 1 ? k : a.mul(k, twoHigh);
  const sum = a.opaque(a.add(whole, main));
  const lost = a.add(a.sub(whole, sum), main);
  return limitLogarithm(x, a.add(sum, a.add(lost, tail)));
}

/** `log₂ x` within 1 ulp; −∞ at 0, NaN below. */
export function log2(x: Float): Float {
  return logarithmTo(BASE_2, x);
}

/** `log₁₀ x` within 1 ulp; −∞ at 0, NaN below. */
export function log10(x: Float): Float {
  return logarithmTo(BASE_10, x);
}

/** `log(1 + x)` within 1.1 ulp; −∞ at −1, NaN below. */
export function log1p(x: Float): Float {
  const u = a.opaque(a.add(x, 1));
  const { exponent, rest } = reduceNumber(u);
  // What 1 + x lost to rounding, scaled as f is, and then its share of the logarithm.
  const back = a.opaque(a.sub(u, 1));
  const lost = a.add(a.sub(1, a.sub(u, back)), a.sub(x, back));
  const shift = a.isub(ONE_BITS, exponent);
  const scale = a.fromBits(a.imax(shift, 0));
  const scaled = a.mul(lost, scale);
  const change = a.fnma(scaled, rest, scaled);
  const k = a.toFloat(a.shrS(exponent, 23), "float32");
  const result = limitLogarithm(u, sumLogarithm(k, rest, change));
  return a.fromBits(a.or(a.bits(result), a.and(a.bits(x), SIGN_BIT)));
}
