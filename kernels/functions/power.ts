/**
 * Powers as IEEE 754 has them, by the logarithm to twice the digits (`e_pow.c` of FreeBSD).
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Integer, Precision, Truth } from "./algebra.ts";
import { expOfReduced, formatOf, limitPower, upperPart } from "./elementary.ts";

/** What logarithms of a precision are made of; numbers in two parts, the first of few bits. */
interface Constants {
  /** `1.5 (log(1 + s) − log(1 − s) − 2 s) / s³ − 1` in s², less s² itself. */
  readonly tail: readonly number[];
  /** `2 / (3 log 2)` */
  readonly scale: readonly [number, number];
  /** `log₂ 1.5` */
  readonly middle: readonly [number, number];
  /** The digits of √1.5 and √3, between which 1.5 is nearer than 1. */
  readonly between: readonly [number, number];
}

const SCALE = 2 / (3 * Math.LN2);

const CONSTANTS: Readonly<Record<Precision, Constants>> = {
  float32: {
    tail: [0.6, 0.42857143283, 0.33333334327, 0.27272811532, 0.23066075146, 0.20697501302],
    scale: [0.9619140625, SCALE - 0.9619140625],
    middle: [0.5849609375, Math.log2(1.5) - 0.5849609375],
    between: [0x1cc471, 0x5db3d6],
  },
  float64: {
    tail: [
      ...[0.5999999999999946, 0.4285714285785502, 0.33333332981837743, 0.272728123808534],
      ...[0.23066074577556175, 0.20697501780033842],
    ],
    scale: [0.9617967009544373, -7.028461650952758e-9],
    middle: [0.5849624872207642, 1.350039202129749e-8],
    between: [0x3988e, 0xbb67a],
  },
};

/** A number in two parts, of which the first has few bits. */
interface Parts {
  high: Float;
  low: Float;
}

/** `log₂ x` of a positive number, to some ten bits more than its own. */
function logarithm(x: Float): Parts {
  const precision = x.precision!;
  const { place, bits, normal: [smallest, lift] } = formatOf(x);
  const { tail: series, scale, middle, between } = CONSTANTS[precision];
  const small = a.less(x, smallest);
  const scaledUp = a.choose(small, a.mul(x, 2 ** lift), x);
  const all = a.bits(scaledUp);
  const digits = a.and(all, 2 ** place - 1);
  const isOver = a.integerLess(between[1], digits);
  const isMiddle = a.both(a.integerLess(between[0], digits), a.not(isOver));
  const one = a.chooseInteger(isOver, bits.one - 2 ** place, bits.one);
  const mantissa = a.or(digits, one);
  const exponent = a.isub(a.isub(all, mantissa), a.chooseInteger(small, lift << place, 0));
  const n = a.toFloat(a.shrS(exponent, place), precision);
  const m = a.withBits(scaledUp, mantissa);
  // With c = 1 or 1.5: s = (m − c) / (m + c), in two parts.
  const c = a.choose(isMiddle, a.number(1.5, precision), 1);
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
  const offset = a.choose(isMiddle, a.number(middle[1], precision), 0);
  const scaledLow = a.add(a.add(a.mul(high, scale[1]), a.mul(low, SCALE)), offset);
  const base = a.choose(isMiddle, a.number(middle[0], precision), 0);
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
  const isLarge = a.less(0, sum);
  const beyond = a.choose(isLarge, a.number(Infinity, size.precision!), 0);
  const power = expOfParts(a.sub(product, n), productLow, integer);
  return a.choose(a.equal(limited, sum), power, beyond);
}

/** `log 2`, to multiply some of a number's first digits with. */
const LN2 = [Math.fround(Math.LN2), -1.904654299957768e-9] as const;

/** `2^(n + x + low)`: in double precision as right as whole powers of whole numbers need. */
function expOfParts(x: Float, low: Float, n: Integer): Float {
  const sum = a.add(x, low);
  if (x.precision === "float32") return expOfReduced(a.mul(sum, Math.LN2), n);
  const high = upperPart(sum);
  const product = a.mul(high, LN2[0]);
  const rest = a.add(a.mul(a.sub(low, a.sub(high, x)), Math.LN2), a.mul(high, LN2[1]));
  const r = a.add(product, rest);
  return expOfReduced(r, n, a.sub(rest, a.sub(r, product)));
}

/** `x^y` within 1.1 ulp, but that 1 to any power is 1. */
export function pow(x: Float, y: Float): Float {
  const value = positivePower(a.abs(x), y);
  const isFinite = a.both(a.less(x, Infinity), a.less(a.abs(y), Infinity));
  const isOrdinary = a.both(a.less(0, x), isFinite);
  const isNaN = a.either(a.isNaN(x), a.isNaN(y));
  return a.rarely(a.either(isNaN, a.not(isOrdinary)), specialPower(x, y, value, isNaN), value);
}

/** The power, of zeros, negative numbers, infinities and NaN too; `value` is that of `|x|`. */
function specialPower(x: Float, y: Float, value: Float, isNaN: Truth): Float {
  const size = a.abs(x);
  const ySize = a.abs(y);
  const half = a.mul(ySize, 0.5);
  const isWhole = a.equal(a.floor(ySize), ySize);
  const isOdd = a.both(isWhole, a.not(a.equal(a.floor(half), half)));
  // Powers of 0 and of infinity, and infinite ones.
  const isZero = a.equal(size, 0);
  const isExtreme = a.either(isZero, a.equal(size, Infinity));
  const isShrinking = a.either(isZero, a.less(size, 1));
  const vanishes = a.either(
    a.both(isShrinking, a.less(0, y)),
    a.both(a.not(isShrinking), a.less(y, 0)),
  );
  const limit = a.choose(vanishes, a.number(0, x.precision!), Infinity);
  const isEndless = a.equal(ySize, Infinity);
  const unsigned = a.choose(a.either(isExtreme, isEndless), limit, value);
  const isNegative = a.integerLess(a.bits(x), 0);
  const signed = a.choose(a.both(isNegative, isOdd), a.neg(unsigned), unsigned);
  const isDefined = a.both(
    a.either(a.either(isExtreme, isWhole), a.lessEqual(0, x)),
    a.not(isNaN),
  );
  const isOne = a.either(a.equal(x, 1), a.equal(y, 0));
  const isUnit = a.both(a.equal(size, 1), isEndless);
  return a.choose(a.either(isOne, isUnit), 1, a.choose(isDefined, signed, NaN));
}
