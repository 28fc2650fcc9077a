/**
 * Exponentials and logarithms.
 *
 * Arguments are reduced to a small interval, where a polynomial serves, fitted to the least largest
 * error (Remez) and listed from the constant on. Those of logarithms in double precision, and how
 * their parts are added up, are those of FreeBSD's `e_log.c`.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, FloatLike, Integer, Precision } from "./algebra.ts";

/** What the numbers of a precision are, and what serves them. */
interface Format {
  /** How many bits an exponent is moved up among (the upper half of) those of a number. */
  readonly place: number;
  /** The bits of an exponent with the sign, of 1, and of √½. */
  readonly bits: Readonly<Record<"exponent" | "one" | "sqrtHalf", number>>;
  /** Subnormal numbers are below the first, and normal ones times 2 to the power of the second. */
  readonly normal: readonly [smallest: number, digits: number];
  /** Where 2ⁿ becomes 0, and where it becomes infinite. */
  readonly powers: readonly [least: number, largest: number];
  /** `log 2` in two parts: times the first, whole exponents are exact. */
  readonly log2: readonly [number, number];
  /** `(e^r − 1 − r) / r²` for `|r| ≤ ½ log 2`. */
  readonly expTail: readonly number[];
  /** `(log((1 + s) / (1 − s)) / s − 2) / s²` in s² for numbers from √½ to √2. */
  readonly logTail: readonly number[];
}

const FORMATS: Readonly<Record<Precision, Format>> = {
  float32: {
    place: 23,
    bits: { exponent: 0xff800000, one: 0x3f800000, sqrtHalf: 0x3f3504f3 },
    normal: [2 ** -126, 23],
    powers: [-151, 129],
    log2: [0.693359375, Math.LN2 - 0.693359375],
    expTail: [
      ...[0.4999999403953552, 0.16666515171527863, 0.041668083518743515, 0.008369348011910915],
      0.0013840367319062352,
    ],
    logTail: [0.6666677594184875, 0.39977553486824036, 0.2987212836742401],
  },
  float64: {
    place: 20,
    bits: { exponent: 0xfff00000, one: 0x3ff00000, sqrtHalf: 0x3fe6a09e },
    normal: [2 ** -1022, 54],
    powers: [-1076, 1025],
    log2: [0.6931471803691238, 1.9082149292705877e-10],
    expTail: [
      ...[0.5000000000000011, 0.16666666666666413, 0.041666666666530267, 0.00833333333349433],
      ...[0.0013888888943596918, 0.00019841269506784, 2.4801493136848202e-5, 2.7557586263770262e-6],
      ...[2.7630233724629035e-7, 2.500007289130933e-8],
    ],
    logTail: [
      ...[0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784],
      ...[0.1818357216161805, 0.15313837699209373, 0.14798198605116586],
    ],
  },
};

/** What the precision of a number has. */
export function formatOf({ precision }: Float): Format {
  return FORMATS[precision!];
}

const SIGN_BIT = 0x80000000;

/** `x = n log 2 + r` with a whole `n`. */
export interface ReducedPower {
  /** `n` */
  n: Integer;
  /** `r` */
  rest: Float;
  /** What `r` lost to rounding; single precision does without. */
  low: Float | undefined;
}

/** Of a number limited to some powers of two. */
function reducePower(x: Float, [least, largest]: readonly [number, number]): ReducedPower {
  const { log2: [high, low] } = formatOf(x);
  const limited = a.maximum(a.minimum(x, largest * Math.LN2), least * Math.LN2);
  const { number: n, integer } = a.nearest(limited, Math.LOG2E);
  const above = a.fnma(n, high, limited);
  const rest = a.fnma(n, low, above);
  const lost = () => a.fnma(n, low, a.sub(above, rest));
  return { n: integer, rest, low: x.precision === "float32" ? undefined : lost() };
}

/** `e^r − 1 − r` */
function tailOfPower(r: Float, polynomial: typeof a.polynomial = a.polynomial): Float {
  return a.mul(a.mul(r, r), polynomial(r, formatOf(r).expTail));
}

/** `e^x` within 1 ulp, subnormal results included. */
export function exp(x: Float): Float {
  const { n, rest, low } = reducePower(x, formatOf(x).powers);
  return expOfReduced(rest, n, low);
}

/** The power of two that `2^x` is for, where it is neither 0 nor infinite, else one beyond. */
export function limitPower(x: Float): Float {
  const [least, largest] = formatOf(x).powers;
  return a.maximum(a.minimum(x, largest), least);
}

/** `2^x` within 1 ulp, exact for whole numbers. */
export function exp2(x: Float): Float {
  const limited = limitPower(x);
  const { number: n, integer } = a.nearest(limited, 1);
  return expOfReduced(a.mul(a.sub(limited, n), Math.LN2), integer);
}

/** `½ e^x` within 1 ulp, for x from 0 on: it overflows later than `e^x`. */
export function halfExp(x: Float): Float {
  const [least, largest] = formatOf(x).powers;
  const { n, rest, low } = reducePower(x, [least, largest + 1]);
  return expOfReduced(rest, a.sub(n, 1), low);
}

/** `1 + r + tail + low e^r`, with what the first sum lost. */
function sumOfPower(rest: Float, tail: Float, low: Float): Float {
  const first = a.opaque(a.add(1, rest));
  const lost = a.sub(rest, a.sub(first, 1));
  return a.add(first, a.add(lost, a.add(tail, a.fma(low, rest, low))));
}

/** `e^(r + low)` for `|r| ≤ ½ log 2`. */
export function powerOfReduced(
  rest: Float,
  low?: Float,
  polynomial?: typeof a.polynomial,
): Float {
  const tail = tailOfPower(rest, polynomial);
  return low === undefined ? a.add(1, a.add(rest, tail)) : sumOfPower(rest, tail, low);
}

/** `2ⁿ e^(r + low)` for `|r| ≤ ½ log 2`, and powers that are limited. */
export function expOfReduced(rest: Float, n: Integer, low?: Float): Float {
  return timesPowerOfTwo(powerOfReduced(rest, low), n);
}

/** `2ⁿ x`, rounded once, for powers that are limited. */
export function timesPowerOfTwo(x: Float, n: Integer): Float {
  const { place, bits } = formatOf(x);
  // In two factors, as neither the largest nor the least power is a number.
  const half = a.and(a.shl(n, place - 1), bits.exponent);
  const other = a.sub(a.shl(n, place), half);
  const scale = (exponent: Integer) => a.fromBits(a.add(exponent, bits.one), x.precision);
  return a.mul(a.mul(x, scale(half)), scale(other));
}

/** `e^x − 1` within 1.6 ulp. */
export function expm1(x: Float): Float {
  const { place, bits, normal: [, digits], powers: [, largest] } = formatOf(x);
  // Half of 2ⁿ, as the largest is not a number.
  const { n, rest } = reducePower(x, [-6 - digits, largest - 0.75]);
  const half = a.fromBits(a.add(a.shl(n, place), bits.one - 2 ** place), x.precision);
  const result = a.fma(half, a.add(rest, tailOfPower(rest)), a.sub(half, 0.5));
  return a.choose(a.less(a.abs(x), 2 ** (-2 - digits)), x, a.add(result, result));
}

/** `x = 2ᵏ (1 + f)` with `1 + f` from √½ to √2: the bits of `2ᵏ`, less those of 1, and `f`. */
function reduceNumber(x: Float): { exponent: Integer; rest: Float } {
  const { bits } = formatOf(x);
  const all = a.bits(x);
  const exponent = a.and(a.sub(all, bits.sqrtHalf), bits.exponent);
  return { exponent, rest: a.sub(a.withBits(x, a.sub(all, exponent)), 1) };
}

/** `k`, of the bits of `2ᵏ`. */
function powerOf(exponent: Integer, { precision }: Float): Float {
  return a.toFloat(a.shrS(exponent, FORMATS[precision!].place), precision!);
}

/** `f²/2`, and `log(1 + f) − f + f²/2`, of what `1 + f` from √½ to √2 has. */
function seriesOfLogarithm(f: Float, low: FloatLike, tail = formatOf(f).logTail) {
  const s = a.div(f, a.add(f, 2));
  const square = a.mul(s, s);
  const series = a.mul(square, a.polynomial(square, tail));
  const half = a.mul(a.mul(f, f), 0.5);
  return { half, rest: a.fma(s, a.add(half, series), low) };
}

/** `k log 2 + log(1 + f) + change` */
function sumLogarithm(k: Float, f: Float, change: FloatLike, tail?: readonly number[]): Float {
  const { log2: [high, low] } = formatOf(f);
  const { half, rest } = seriesOfLogarithm(f, a.fma(k, low, change), tail);
  return a.fma(k, high, a.add(f, a.sub(rest, half)));
}

/** `log x` of a positive number with all its digits, by the tail of the series that is to serve. */
export function logOfNormal(x: Float, tail?: readonly number[]): Float {
  const { exponent, rest } = reduceNumber(x);
  return sumLogarithm(powerOf(exponent, x), rest, 0, tail);
}

/** Puts −∞ where `u` is 0, NaN where it is negative, and ∞ where it is ∞. */
function limitLogarithm(u: Float, logarithm: Float): Float {
  const finite = a.choose(a.equal(u, Infinity), u, logarithm);
  const below = a.choose(a.notEqual(u, 0), a.number(NaN, u.precision!), -Infinity);
  return a.choose(a.less(0, u), finite, below);
}

/** `x = 2ᵏ (1 + f)`, of subnormal numbers too. */
function splitNumber(x: Float): { k: Float; f: Float } {
  const { normal: [smallest, digits] } = formatOf(x);
  const small = a.less(x, smallest);
  const { exponent, rest } = reduceNumber(a.choose(small, a.mul(x, 2 ** digits), x));
  return { k: a.sub(powerOf(exponent, x), a.choose(small, digits, 0)), f: rest };
}

/** `log x` within 0.85 ulp; −∞ at 0, NaN below. */
export function log(x: Float): Float {
  const { k, f } = splitNumber(x);
  return limitLogarithm(x, sumLogarithm(k, f, 0));
}

/** Logarithms of e and of 2 to a base, in two parts, the first of few bits. */
type Base = Readonly<Record<"e" | "two", readonly [number, number]>>;

const BASE_2: Readonly<Record<Precision, Base>> = {
  float32: { e: [1.4423828125, Math.LOG2E - 1.4423828125], two: [1, 0] },
  float64: { e: [1.4426950216293335, 1.9259629911266175e-8], two: [1, 0] },
};
const BASE_10: Readonly<Record<Precision, Base>> = {
  float32: {
    e: [0.434326171875, Math.LOG10E - 0.434326171875],
    two: [0.301025390625, Math.log10(2) - 0.301025390625],
  },
  float64: {
    e: [0.4342944920063019, -1.0103050052231683e-8],
    two: [0.3010300099849701, -1.4320988897559699e-8],
  },
};

/** The number's first bits, 12 of them, in double precision 21. */
export function upperPart(x: Float): Float {
  const bits = a.bits(x);
  return x.precision === "float32"
    ? a.fromBits(a.and(bits, 0xfffff000))
    : a.fromBits(bits, "float64");
}

/** The logarithm to a base; −∞ at 0, NaN below. */
function logarithmTo(bases: Readonly<Record<Precision, Base>>, x: Float): Float {
  const { e: [eHigh, eLow], two: [twoHigh, twoLow] } = bases[x.precision!];
  const { k, f } = splitNumber(x);
  const { half, rest } = seriesOfLogarithm(f, 0);
  // log(1 + f) in two parts, the first of few bits.
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
  const shift = a.sub(formatOf(x).bits.one, exponent);
  const scale = a.fromBits(a.maximum(shift, 0), x.precision);
  const scaled = a.mul(lost, scale);
  const change = a.fnma(scaled, rest, scaled);
  const result = limitLogarithm(u, sumLogarithm(powerOf(exponent, x), rest, change));
  return a.withBits(result, a.or(a.bits(result), a.and(a.bits(x), SIGN_BIT)));
}
