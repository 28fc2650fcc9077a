/**
 * Powers, as IEEE 754 has them.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Precision, Truth } from "./algebra.ts";
import {
  expOfReduced,
  formatOf,
  limitPower,
  powerOfReduced,
  type ReducedPower,
  upperPart,
} from "./elementary.ts";

/** What serves the powers of a precision. */
interface Format {
  /** `1.5 (log(1 + s) − log(1 − s) − 2 s) / s³ − 1` in s², less s² itself. */
  readonly tail: readonly number[];
  /** `2 / (3 log 2)` in two parts, of which the first has few bits. */
  readonly scale: readonly [number, number];
  /** `log₂ 1.5` in two parts. */
  readonly logarithm: readonly [number, number];
  /** Bits of √(3/2), and of √3, among those of a number from 1 to 2. */
  readonly limits: readonly [number, number];
  /** `log 2` in two parts, the second 0 where one is enough. */
  readonly log2: readonly [number, number];
}

/** `2 / (3 log 2)` */
const SCALE = 2 / (3 * Math.LN2);

/** Coefficients of double precision are those of FreeBSD's `e_pow.c`. */
const FORMATS: Readonly<Record<Precision, Format>> = {
  float32: {
    tail: [0.6, 0.42857143283, 0.33333334327, 0.27272811532, 0.23066075146, 0.20697501302],
    scale: [0.9619140625, SCALE - 0.9619140625],
    logarithm: [0.5849609375, Math.log2(1.5) - 0.5849609375],
    limits: [0x1cc471, 0x5db3d6],
    log2: [Math.LN2, 0],
  },
  float64: {
    tail: [
      ...[0.5999999999999946, 0.4285714285785502, 0.33333332981837743, 0.272728123808534],
      ...[0.23066074577556175, 0.20697501780033842],
    ],
    scale: [0.9617967009544373, -7.028461650952758e-9],
    logarithm: [0.5849624872207642, 1.350039202129749e-8],
    limits: [0x3988e, 0xbb679],
    log2: [0.6931471824645996, -1.904654299957768e-9],
  },
};

/**
 * `log₂ |x|` to 35 bits, in double precision to 70 (FreeBSD's `e_pow.c`), in two parts, of which the
 * first has few bits; NaN where it is none.
 */
function logarithm(given: Float) {
  const x = a.abs(given);
  const { tail: series, scale, logarithm: [logHigh, logLow], limits } = FORMATS[x.precision!];
  const { place, bits: { one }, normal: [smallest, digits] } = formatOf(x);
  const small = a.less(x, smallest);
  const normal = a.choose(small, a.mul(x, 2 ** digits), x);
  const all = a.bits(normal);
  const fraction = a.and(all, 2 ** place - 1);
  const isOver = a.less(limits[1], fraction);
  const isMiddle = a.both(a.less(limits[0], fraction), a.not(isOver));
  const mantissa = a.or(fraction, a.choose(isOver, a.integer(one - 2 ** place), one));
  const exponent = a.toFloat(a.shrS(a.sub(all, mantissa), place), x.precision!);
  const n = a.sub(exponent, a.choose(small, digits, 0));
  const m = a.withBits(normal, mantissa);
  // With c = 1 or 1.5: s = (m − c) / (m + c), in two parts.
  const c = a.choose(isMiddle, a.number(1.5, x.precision!), 1);
  const difference = a.sub(m, c);
  const inverse = a.div(1, a.add(m, c));
  const s = a.mul(difference, inverse);
  const sHigh = upperPart(s);
  const sumHigh = upperPart(a.add(m, c));
  const sumLow = a.sub(m, a.sub(sumHigh, c));
  const sLow = a.mul(
    inverse,
    a.sub(a.sub(difference, a.mul(sHigh, sumHigh)), a.mul(sHigh, sumLow)),
  );
  const square = a.mul(s, s);
  const tail = a.mul(a.mul(square, square), a.polynomial(square, series));
  const rest = a.add(tail, a.mul(sLow, a.add(sHigh, s)));
  const squareHigh = a.mul(sHigh, sHigh);
  const factorHigh = upperPart(a.add(a.add(3, squareHigh), rest));
  const factorLow = a.sub(rest, a.sub(a.sub(factorHigh, 3), squareHigh));
  const product = a.mul(sHigh, factorHigh);
  const productLow = a.add(a.mul(sLow, factorHigh), a.mul(factorLow, s));
  const high = upperPart(a.add(product, productLow));
  const low = a.sub(productLow, a.sub(high, product));
  const scaled = a.mul(high, scale[0]);
  const offset = a.choose(isMiddle, a.number(logLow, x.precision!), 0);
  const scaledLow = a.add(a.add(a.mul(high, scale[1]), a.mul(low, SCALE)), offset);
  const base = a.choose(isMiddle, a.number(logHigh, x.precision!), 0);
  const sum = upperPart(a.add(a.add(a.add(scaled, scaledLow), base), n));
  const isNumber = a.both(a.less(0, x), a.less(x, Infinity));
  return {
    high: a.choose(isNumber, sum, NaN),
    low: a.sub(scaledLow, a.sub(a.sub(a.sub(sum, n), base), scaled)),
  };
}

/** `y log₂ |x|` as `n + r / log 2`: of a product in two parts, and their sum, or its limit. */
function reduceExponent(product: Float, low: Float, sum: Float): ReducedPower {
  const { log2: [ln2, ln2Low] } = FORMATS[sum.precision!];
  const { number: n, integer } = a.nearest(sum, 1);
  const near = a.sub(product, n);
  if (ln2Low === 0) {
    return { n: integer, rest: a.mul(a.add(near, low), ln2), low: undefined };
  }
  const high = upperPart(a.add(near, low));
  const main = a.mul(high, ln2);
  const change = a.add(a.mul(a.sub(low, a.sub(high, near)), Math.LN2), a.mul(high, ln2Low));
  const rest = a.opaque(a.add(main, change));
  return { n: integer, rest, low: a.sub(change, a.sub(rest, main)) };
}

/** `x^y` within 1.1 ulp. */
export function pow(x: Float, y: Float): Float {
  const { high, low } = logarithm(x);
  return powOfLogarithm(x, high, low, y);
}

/** `x^y`, where the logarithm of `|x|` is known in two parts. */
export function powOfLogarithm(x: Float, high: Float, low: Float, y: Float): Float {
  const { place, powers: [, largest] } = formatOf(x);
  const yHigh = upperPart(y);
  const product = a.mul(yHigh, high);
  const productLow = a.add(a.mul(a.sub(y, yHigh), high), a.mul(y, low));
  const sum = a.add(product, productLow);
  const { n, ...parts } = reduceExponent(product, productLow, sum);
  const polynomial = x.precision === "float64" ? a.polynomialByHalves : a.polynomial;
  const power = powerOfReduced(parts.rest, parts.low, polynomial);
  const positive = a.withBits(power, a.add(a.bits(power), a.shl(n, place)));
  const isWhole = a.equal(a.floor(y), y);
  const half = a.mul(y, 0.5);
  const isOdd = a.both(isWhole, a.notEqual(a.floor(half), half));
  const value = a.choose(a.both(a.less(x, 0), isOdd), a.neg(positive), positive);
  const isDefined = a.either(isWhole, a.less(0, x));
  const isOrdinary = a.both(isDefined, a.less(a.abs(sum), largest - 4));
  const limited = limitPower(sum);
  const { n: last, rest, low: change } = reduceExponent(product, productLow, limited);
  const beyond = a.choose(a.less(0, sum), a.number(Infinity, x.precision!), 0);
  const size = a.choose(a.equal(limited, sum), expOfReduced(rest, last, change), beyond);
  const isNegative = a.both(isOdd, a.less(a.copySign(1, x), 0));
  return a.rarely(a.not(isOrdinary), specialPower(x, y, size, isNegative, isDefined), value);
}

/** Powers that may be zero, infinite, or none; `size` is what they are in size if not. */
function specialPower(
  x: Float,
  y: Float,
  size: Float,
  isNegative: Truth,
  isDefined: Truth,
): Float {
  const base = a.abs(x);
  const isShrinking = a.less(base, 1);
  const isEndless = a.equal(a.abs(y), Infinity);
  const vanishes = a.either(
    a.both(isShrinking, a.less(0, y)),
    a.both(a.not(isShrinking), a.less(y, 0)),
  );
  const isExtreme = a.either(a.either(a.equal(base, 0), a.equal(base, Infinity)), isEndless);
  const limit = a.choose(vanishes, a.number(0, x.precision!), Infinity);
  const value = a.choose(isExtreme, limit, a.choose(isDefined, size, NaN));
  const signed = a.choose(isNegative, a.neg(value), value);
  const isUnit = a.both(a.equal(base, 1), isEndless);
  const isOne = a.either(a.either(a.equal(x, 1), a.equal(y, 0)), isUnit);
  const isNone = a.either(a.isNaN(x), a.isNaN(y));
  return a.choose(isOne, 1, a.choose(isNone, NaN, signed));
}

/** The first part of the logarithm of `|x|`; NaN where there is none. */
export function logarithmHigh(x: Float): Float {
  return logarithm(x).high;
}

/** What the logarithm of `|x|` is beyond its first part. */
export function logarithmLow(x: Float): Float {
  return logarithm(x).low;
}
