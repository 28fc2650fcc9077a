/**
 * Sine, cosine, tangent and their inverses in single precision.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Integer } from "./algebra.ts";

/** `(sin r / r − 1) / r²` and `(cos r − 1 + r²/2) / r⁴`, in r² for `|r| ≤ π/4`. */
const SIN_TAIL = [-0.16666655242443085, 0.008332190103828907, -0.00019518405315466225];
const COS_TAIL = [0.04166664555668831, -0.00138873013202101, 2.4430670237052254e-5];

/** `π/2` in four parts: times the first three, whole numbers up to 2¹³ are exact. */
const HALF_PI_PARTS = [
  1.5703125,
  0.0004837512969970703,
  7.549533620476723e-08,
  2.5633440682570896e-12,
];

/** Up to here, whole multiples of π/2 are exact. */
const LARGEST_ANGLE = 8192;

/** Digits of 1/2π in words of 32 bits, from those before the point on. */
const INVERSE_TURN = [
  [0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410, 0x7f9458ea],
].flat();

/** An angle less its multiples of π/2, and how many they are. */
interface ReducedAngle {
  rest: Float;
  quarters: Integer;
}

function reduceSmall(x: Float): ReducedAngle {
  const { number: n, integer } = a.nearest(x, 2 / Math.PI);
  const rest = HALF_PI_PARTS.reduce((r, part) => a.fnma(n, part, r), x);
  return { rest, quarters: integer };
}

/** The upper 32 of the 64 bits of a product. */
export function upperProduct(x: Integer, y: Integer): Integer {
  const [xHigh, xLow] = [a.shrU(x, 16), a.and(x, 0xffff)];
  const [yHigh, yLow] = [a.shrU(y, 16), a.and(y, 0xffff)];
  const [cross, other] = [a.mul(xHigh, yLow), a.mul(xLow, yHigh)];
  const low = (z: Integer) => a.and(z, 0xffff);
  const carry = a.add(a.shrU(a.mul(xLow, yLow), 16), a.add(low(cross), low(other)));
  const high = a.add(a.mul(xHigh, yHigh), a.add(a.shrU(cross, 16), a.shrU(other, 16)));
  return a.add(high, a.shrU(carry, 16));
}

/** `x < y` of integers without a sign. */
export function below(x: Integer, y: Integer): a.Truth {
  const sign = a.integer(0x80000000);
  return a.less(a.xor(x, sign), a.xor(y, sign));
}

/** Digits of 1/2π from those on that have the weight `2^exponent` before the point. */
function digitsFrom(exponent: Integer): Integer[] {
  const isSet = (bit: number) => a.equal(a.and(exponent, bit), bit);
  let words = INVERSE_TURN.map(a.integer);
  for (const by of [128, 64, 32, 16, 8, 4, 2, 1]) {
    const moves = isSet(by);
    if (by === 16) words = words.slice(0, 4);
    words = words.map((x, i) => {
      const next = words[i + Math.ceil(by / 32)];
      if (by >= 32) return next === undefined ? x : a.choose(moves, next, x);
      const moved = a.shl(x, by);
      const all = next === undefined ? moved : a.or(moved, a.shrU(next, 32 - by));
      return a.choose(moves, all, x);
    });
  }
  return words;
}

/** By the product with the digits of 1/2π that matter (Payne & Hanek, SIGNUM Newsletter 18, 1983). */
function reduceLarge(x: Float): ReducedAngle {
  const bits = a.bits(x);
  const exponent = a.sub(a.and(a.shrU(bits, 23), 0xff), 126);
  const mantissa = a.shl(a.or(a.and(bits, 0x7fffff), 0x800000), 8);
  const [first, second, third] = digitsFrom(exponent) as [Integer, Integer, Integer];
  const middle = a.mul(mantissa, second);
  const low = a.add(middle, upperProduct(mantissa, third));
  const carry = a.choose(below(low, middle), a.integer(1), 0);
  const high = a.add(a.mul(mantissa, first), a.add(upperProduct(mantissa, second), carry));
  const count = a.shrU(a.add(high, 0x20000000), 30);
  const isBelow = a.equal(a.and(high, 0x20000000), 0x20000000);
  const part = a.and(high, 0x3fffffff);
  const highPart = a.choose(isBelow, a.sub(0x3fffffff, part), part);
  const lowPart = a.choose(isBelow, a.xor(low, -1), low);
  const upper = a.mul(a.toFloat(highPart, "float32"), 2 ** 31);
  const sum = a.add(upper, a.toFloat(a.shrU(lowPart, 1), "float32"));
  const size = a.mul(sum, Math.PI / 2 * 2 ** -61);
  const signed = a.choose(isBelow, a.neg(size), size);
  const isNegative = a.less(x, 0);
  return {
    rest: a.choose(isNegative, a.neg(signed), signed),
    quarters: a.choose(isNegative, a.sub(0, count), count),
  };
}

/** Sine and cosine of up to π/4. */
function seriesOf(rest: Float): [sine: Float, cosine: Float] {
  const square = a.mul(rest, rest);
  const sine = a.fma(a.mul(rest, square), a.polynomial(square, SIN_TAIL), rest);
  const series = a.mul(a.mul(square, square), a.polynomial(square, COS_TAIL));
  return [sine, a.add(1, a.fnma(square, 0.5, series))];
}

function isOddQuarter(quarters: Integer): a.Truth {
  return a.equal(a.and(quarters, 1), 1);
}

function sinOfReduced({ rest, quarters }: ReducedAngle): Float {
  const [sine, cosine] = seriesOf(rest);
  const sign = a.shl(a.and(quarters, 2), 30);
  return a.fromBits(a.xor(a.bits(a.choose(isOddQuarter(quarters), cosine, sine)), sign));
}

function tanOfReduced({ rest, quarters }: ReducedAngle): Float {
  const [sine, cosine] = seriesOf(rest);
  const isOdd = isOddQuarter(quarters);
  return a.div(a.choose(isOdd, a.neg(cosine), sine), a.choose(isOdd, sine, cosine));
}

/** A function of an angle of any size, `further · π/2` later. */
function ofAngle(x: Float, f: (reduced: ReducedAngle) => Float, further = 0): Float {
  const later = ({ rest, quarters }: ReducedAngle) =>
    f({ rest, quarters: a.add(quarters, further) });
  const isFinite = a.less(a.abs(x), Infinity);
  const isSmall = a.lessEqual(a.abs(x), LARGEST_ANGLE);
  const large = a.choose(isFinite, later(reduceLarge(x)), NaN);
  return a.rarely(a.not(isSmall), large, later(reduceSmall(x)));
}

/** `sin x` within 2.4 ulp. */
export function sin(x: Float): Float {
  return a.choose(a.equal(x, 0), x, ofAngle(x, sinOfReduced));
}

/** `cos x` within 2.4 ulp. */
export function cos(x: Float): Float {
  return ofAngle(x, sinOfReduced, 1);
}

/** `tan x` within 4 ulp. */
export function tan(x: Float): Float {
  return a.choose(a.equal(x, 0), x, ofAngle(x, tanOfReduced));
}

/** `arctan t / t` in t² for `|t| ≤ 1`. */
const ARCTAN = [
  [1.0, -0.333332777, 0.199980751, -0.142600164, 0.109323412, -0.0834972486, 0.057089556],
  [-0.0303518642, 0.0104876496, -0.00170117011],
].flat();

/** π in two parts, the first a number of single precision. */
const PI_HIGH = Math.fround(Math.PI);
const PI_LOW = Math.PI - PI_HIGH;

/** The angle of the point (x, y), from −π to π, within 2 ulp. */
export function atan2(y: Float, x: Float): Float {
  const [width, height] = [a.abs(x), a.abs(y)];
  const isSteep = a.less(width, height);
  const [larger, smaller] = [
    a.choose(isSteep, height, width),
    a.choose(isSteep, width, height),
  ];
  const isDiagonal = a.equal(larger, smaller);
  const equal = a.choose(a.equal(larger, 0), a.number(0, "float32"), 1);
  const t = a.choose(isDiagonal, equal, a.div(smaller, larger));
  const low = a.mul(t, a.polynomial(a.mul(t, t), ARCTAN));
  const complement = (angle: Float, factor: number) =>
    a.sub(PI_HIGH * factor, a.sub(angle, PI_LOW * factor));
  const right = a.choose(isSteep, complement(low, 0.5), low);
  const isLeft = a.less(a.bits(x), 0);
  const angle = a.copySign(a.choose(isLeft, complement(right, 1), right), y);
  return a.choose(a.either(a.isNaN(x), a.isNaN(y)), NaN, angle);
}

/** `arctan x`, from −π/2 to π/2. */
export function atan(x: Float): Float {
  return a.call("atan2", x, 1);
}

/** `√(1 − x²)`, with all its digits next to 1. */
function other(x: Float): Float {
  return a.sqrt(a.mul(a.opaque(a.sub(1, x)), a.add(1, x)));
}

/** `arcsin x`; NaN outside of [−1, 1]. */
export function asin(x: Float): Float {
  return a.choose(a.less(1, a.abs(x)), NaN, a.call("atan2", x, other(x)));
}

/** `arccos x`; NaN outside of [−1, 1]. */
export function acos(x: Float): Float {
  return a.choose(a.less(1, a.abs(x)), NaN, a.call("atan2", other(x), x));
}
