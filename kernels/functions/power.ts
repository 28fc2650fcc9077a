/**
 * Powers in single precision, as IEEE 754 has them.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Truth } from "./algebra.ts";
import { expOfReduced, limitPower, upperPart } from "./elementary.ts";

/** `1.5 (log(1 + s) − log(1 − s) − 2 s) / s³ − 1` in s², less s² itself. */
const LOG_TAIL = [0.6, 0.42857143283, 0.33333334327, 0.27272811532, 0.23066075146, 0.20697501302];

/** `2 / (3 log 2)`, and in two parts of which the first has 12 bits. */
const SCALE = 2 / (3 * Math.LN2);
const SCALE_HIGH = 0.9619140625;
const SCALE_LOW = SCALE - SCALE_HIGH;

/** `log₂ 1.5` in two parts. */
const LOG_HIGH = 0.5849609375;
const LOG_LOW = Math.log2(1.5) - LOG_HIGH;

/** A number in two parts, of which the first has 12 bits. */
interface Parts {
  high: Float;
  low: Float;
}

/** `log₂ x` of a positive number, to 35 bits (e_powf.c of FreeBSD). */
function logarithm(x: Float): Parts {
  const small = a.less(x, 2 ** -126);
  const all = a.bits(a.choose(small, a.mul(x, 2 ** 24), x));
  const digits = a.and(all, 0x7fffff);
  const isOver = a.integerLess(0x5db3d6, digits);
  const isMiddle = a.both(a.integerLess(0x1cc471, digits), a.not(isOver));
  const mantissa = a.or(digits, a.chooseInteger(isOver, 0x3f000000, 0x3f800000));
  const exponent = a.isub(a.isub(all, mantissa), a.chooseInteger(small, 24 << 23, 0));
  const n = a.toFloat(a.shrS(exponent, 23), "float32");
  const m = a.fromBits(mantissa);
  // With c = 1 or 1.5: s = (m − c) / (m + c), in two parts.
  const c = a.choose(isMiddle, a.number(1.5, "float32"), 1);
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
  const tail = a.mul(a.mul(square, square), a.polynomial(square, LOG_TAIL));
  const rest = a.add(tail, a.mul(sLow, a.add(sHigh, s)));
  const squareHigh = a.mul(sHigh, sHigh);
  const factorHigh = upperPart(a.add(a.add(3, squareHigh), rest));
  const factorLow = a.sub(rest, a.sub(a.sub(factorHigh, 3), squareHigh));
  const product = a.mul(sHigh, factorHigh);
  const productLow = a.add(a.mul(sLow, factorHigh), a.mul(factorLow, s));
  const high = upperPart(a.add(product, productLow));
  const low = a.sub(productLow, a.sub(high, product));
  const scaled = a.mul(high, SCALE_HIGH);
  const offset = a.choose(isMiddle, a.number(LOG_LOW, "float32"), 0);
  const scaledLow = a.add(a.add(a.mul(high, SCALE_LOW), a.mul(low, SCALE)), offset);
  const base = a.choose(isMiddle, a.number(LOG_HIGH, "float32"), 0);
  const sum = upperPart(a.add(a.add(a.add(scaled, scaledLow), base), n));
  return { high: sum, low: a.sub(scaledLow, a.sub(a.sub(a.sub(sum, n), base), scaled)) };
}

/** `size^y` of a positive number. */
function positivePower(size: Float, y: Float): Float {
  const { high, low } = logarithm(size);
  const yHigh = upperPart(y);
  const productLow = a.add(a.mul(a.sub(y, yHigh), high), a.mul(y, low));
  const product = a.mul(yHigh, high);
  const sum = a.add(product, productLow);
  const limited = limitPower(sum);
  const { number: n, integer } = a.nearest(limited, 1);
  const r = a.mul(a.add(a.sub(product, n), productLow), Math.LN2);
  const isLarge = a.less(0, sum);
  const beyond = a.choose(isLarge, a.number(Infinity, "float32"), 0);
  return a.choose(a.equal(limited, sum), expOfReduced(r, integer), beyond);
}

/** `x^y`: the host's in double precision, but that 1 to any power is 1; else within 1.1 ulp. */
export function pow(x: Float, y: Float): Float {
  return x.precision === "float64" ? hostPower(x, y) : singlePower(x, y);
}

function hostPower(x: Float, y: Float): Float {
  const isUnit = a.both(a.equal(a.abs(x), 1), a.equal(a.abs(y), Infinity));
  const isOne = a.either(a.either(a.equal(x, 1), a.equal(y, 0)), isUnit);
  return a.choose(isOne, 1, a.host("pow", x, y));
}

function singlePower(x: Float, y: Float): Float {
  const size = a.abs(x);
  const half = a.mul(y, 0.5);
  const isWhole = a.equal(a.floor(y), y);
  const isOdd = a.both(isWhole, a.notEqual(a.floor(half), half));
  const isNegative = a.less(x, 0);
  const positive = positivePower(size, y);
  const value = a.choose(a.both(isNegative, isOdd), a.neg(positive), positive);
  const isFinite = a.both(a.less(size, Infinity), a.less(a.abs(y), Infinity));
  const isDefined = a.either(isWhole, a.less(0, x));
  const isOrdinary = a.both(a.both(a.less(0, size), isFinite), isDefined);
  const isNaN = a.either(a.isNaN(x), a.isNaN(y));
  const special = specialPower(x, y, a.both(isOdd, a.less(a.copySign(1, x), 0)), isNaN);
  return a.rarely(a.either(isNaN, a.not(isOrdinary)), special, value);
}

/** Powers of zeros and infinities, infinite ones, and what is none. */
function specialPower(x: Float, y: Float, isNegative: Truth, isNaN: Truth): Float {
  const size = a.abs(x);
  const isShrinking = a.less(size, 1);
  const isEndless = a.equal(a.abs(y), Infinity);
  const vanishes = a.either(
    a.both(isShrinking, a.less(0, y)),
    a.both(a.not(isShrinking), a.less(y, 0)),
  );
  const limit = a.choose(vanishes, a.number(0, "float32"), Infinity);
  const isExtreme = a.either(a.equal(size, 0), a.equal(size, Infinity));
  const isLimit = a.both(a.either(isExtreme, isEndless), a.not(isNaN));
  const signed = a.choose(isNegative, a.neg(limit), limit);
  const isOne = a.either(a.equal(x, 1), a.equal(y, 0));
  const isUnit = a.both(a.equal(size, 1), isEndless);
  return a.choose(a.either(isOne, isUnit), 1, a.choose(isLimit, signed, NaN));
}
