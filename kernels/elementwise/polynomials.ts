/**
 * Exponentials, logarithms and their kin in single precision, without branches.
 *
 * Arguments are reduced to a small interval, where a polynomial serves (`coefficients.ts`). Errors are
 * stated in units in the last place (ulp) of the result, with or without fused multiply-add: the
 * largest of all numbers from 2⁻²⁶ to where a function is constant (`log`: from 2⁻⁴ to 16, `log1p`: to
 * 64), sampled beyond. Operands are variables.
 *
 * @module
 */
import {
  COS_TAIL,
  EXP_TAIL,
  HALF_PI_PARTS,
  LN2_HIGH,
  LN2_LOW,
  LOG_TAIL,
  SIN_TAIL,
} from "./coefficients.ts";
import { bits, float32, int32, type LaneCode, type Lanes } from "./lanes.ts";

const { add, sub, mul, div, neg, abs, eq, ne, lt, gt, pmin, pmax } = float32;

/** Added and taken off again, it rounds to whole numbers, which are then the lowest bits. */
const ROUNDER = 1.5 * 2 ** 23;

/** Up to here, sine and cosine are right: beyond, whole multiples of π/2 are not exact. */
export const LARGEST_ANGLE = 8192;

/** The bits of √½, of a sign, of an exponent, and of 1. */
const SQRT_HALF_BITS = 0x3f3504f3;
const SIGN_BIT = 0x80000000;
const EXPONENT_BITS = 0xff800000;
const ONE_BITS = 0x3f800000;

/** The smallest number with all its digits. */
const SMALLEST_NORMAL = 2 ** -126;

/** Horner's rule, coefficients from the constant on. */
function polynomial(code: LaneCode, x: Lanes, coefficients: readonly number[]): Lanes {
  const [first, ...rest] = coefficients.map((c) => code.number(c)).toReversed();
  return rest.reduce((sum, c) => code.let(code.multiplyAdd(sum, x, c)), first!);
}

/** `x = n log 2 + r` with a whole `n`, and `e^r − 1 − r`. */
interface ReducedPower {
  /** `n`, plus {@linkcode ROUNDER}: it is in the lowest bits. */
  shifted: Lanes;
  /** `r` */
  rest: Lanes;
  /** `e^r − 1 − r`. */
  tail: Lanes;
}

function reducePower(code: LaneCode, x: Lanes, lowest: number, highest: number): ReducedPower {
  const limited = code.let(pmax(pmin(x, code.number(highest)), code.number(lowest)));
  const rounder = code.number(ROUNDER);
  const shifted = code.let(code.multiplyAdd(limited, code.number(Math.LOG2E), rounder));
  const n = code.let(sub(shifted, rounder));
  const high = code.let(code.multiplySubtract(n, code.number(LN2_HIGH), limited));
  const rest = code.let(code.multiplySubtract(n, code.number(LN2_LOW), high));
  const square = code.let(mul(rest, rest));
  const tail = code.let(mul(square, polynomial(code, rest, EXP_TAIL)));
  return { shifted, rest, tail };
}

/** `e^x` within 1 ulp, subnormal results included. */
export function exp(code: LaneCode, x: Lanes): Lanes {
  const { shifted, rest, tail } = reducePower(code, x, -104, 89);
  const power = code.let(add(code.number(1), add(rest, tail)));
  // 2ⁿ in two factors, as neither 2¹²⁸ nor 2⁻¹⁵⁰ is a number.
  const half = code.let(bits.and(int32.shl(shifted, 22), code.integer(EXPONENT_BITS)));
  const other = code.let(int32.sub(int32.shl(shifted, 23), half));
  const one = code.integer(ONE_BITS);
  return mul(mul(power, int32.add(half, one)), int32.add(other, one));
}

/** `e^x − 1` within 1.6 ulp. */
export function expm1(code: LaneCode, x: Lanes): Lanes {
  const { shifted, rest, tail } = reducePower(code, x, -20, 88.9);
  const change = code.let(add(rest, tail));
  // Half of 2ⁿ, as 2¹²⁸ is not a number.
  const half = code.let(int32.add(int32.shl(shifted, 23), code.integer(ONE_BITS - (1 << 23))));
  const result = code.let(code.multiplyAdd(half, change, sub(half, code.number(0.5))));
  const tiny = lt(abs(x), code.number(2 ** -25));
  return bits.choose(tiny, x, add(result, result));
}

/** `x = 2ᵏ (1 + f)` with `1 + f` from √½ to √2. */
interface ReducedNumber {
  /** The bits of `2ᵏ`, less those of 1. */
  exponent: Lanes;
  /** `f` */
  rest: Lanes;
}

function reduceNumber(code: LaneCode, x: Lanes): ReducedNumber {
  const above = int32.sub(x, code.integer(SQRT_HALF_BITS));
  const exponent = code.let(bits.and(above, code.integer(EXPONENT_BITS)));
  return { exponent, rest: code.let(sub(int32.sub(x, exponent), code.number(1))) };
}

/** `k log 2 + log(1 + f) + change` */
function sumLogarithm(code: LaneCode, k: Lanes, f: Lanes, change: Lanes): Lanes {
  const s = code.let(div(f, add(f, code.number(2))));
  const square = code.let(mul(s, s));
  const series = code.let(mul(square, polynomial(code, square, LOG_TAIL)));
  const halfSquare = code.let(mul(mul(f, f), code.number(0.5)));
  const low = code.let(code.multiplyAdd(k, code.number(LN2_LOW), change));
  const rest = code.let(code.multiplyAdd(s, add(halfSquare, series), low));
  return code.let(code.multiplyAdd(k, code.number(LN2_HIGH), add(f, sub(rest, halfSquare))));
}

/** Puts −∞ where `u` is 0, NaN where it is negative, and ∞ where it is ∞. */
function limitLogarithm(code: LaneCode, u: Lanes, logarithm: Lanes): Lanes {
  const infinite = eq(u, code.number(Infinity));
  const finite = bits.choose(infinite, u, logarithm);
  const below = bits.or(ne(u, code.number(0)), code.number(-Infinity));
  return code.let(bits.choose(gt(u, code.number(0)), finite, below));
}

/** `log x` within 0.85 ulp; −∞ at 0, NaN below. */
export function log(code: LaneCode, x: Lanes): Lanes {
  const small = code.let(lt(x, code.number(SMALLEST_NORMAL)));
  const scaled = code.let(bits.choose(small, mul(x, code.number(2 ** 23)), x));
  const { exponent, rest } = reduceNumber(code, scaled);
  const shift = bits.and(small, code.number(23));
  const k = code.let(sub(int32.toFloat32(int32.shrS(exponent, 23)), shift));
  return limitLogarithm(code, x, sumLogarithm(code, k, rest, code.number(0)));
}

/** `log(1 + x)` within 1.1 ulp; −∞ at −1, NaN below. */
export function log1p(code: LaneCode, x: Lanes): Lanes {
  const u = code.let(add(x, code.number(1)));
  const { exponent, rest } = reduceNumber(code, u);
  // What 1 + x lost to rounding, scaled as f is, and then its share of the logarithm.
  const back = code.let(sub(u, code.number(1)));
  const lost = add(sub(code.number(1), sub(u, back)), sub(x, back));
  const scale = int32.max(int32.sub(code.integer(ONE_BITS), exponent), code.integer(0));
  const scaled = code.let(mul(lost, scale));
  const change = code.let(code.multiplySubtract(scaled, rest, scaled));
  const k = code.let(int32.toFloat32(int32.shrS(exponent, 23)));
  const result = limitLogarithm(code, u, sumLogarithm(code, k, rest, change));
  return bits.or(result, bits.and(x, code.integer(SIGN_BIT)));
}

/** `tanh x` within 2.5 ulp, from `e^(−2|x|) − 1`. */
export function tanh(code: LaneCode, x: Lanes): Lanes {
  const size = code.let(abs(x));
  const power = code.let(expm1(code, code.let(mul(size, code.number(-2)))));
  const result = div(neg(power), add(power, code.number(2)));
  return bits.or(result, bits.and(x, code.integer(SIGN_BIT)));
}

/** `sin(x + quarters · π/2)` where `|x|` is at most {@linkcode LARGEST_ANGLE}. */
function sinFromQuarter(code: LaneCode, x: Lanes, quarters: number): Lanes {
  const rounder = code.number(ROUNDER);
  const shifted = code.let(code.multiplyAdd(x, code.number(2 / Math.PI), rounder));
  const n = code.let(sub(shifted, rounder));
  const rest = HALF_PI_PARTS.reduce(
    (r, part) => code.let(code.multiplySubtract(n, code.number(part), r)),
    x,
  );
  const square = code.let(mul(rest, rest));
  const sine = code.multiplyAdd(mul(rest, square), polynomial(code, square, SIN_TAIL), rest);
  const series = mul(mul(square, square), polynomial(code, square, COS_TAIL));
  const cosine = add(code.number(1), code.multiplySubtract(square, code.number(0.5), series));
  const quarter = code.let(int32.add(shifted, code.integer(quarters)));
  const odd = int32.neg(bits.and(quarter, code.integer(1)));
  const sign = int32.shl(bits.and(quarter, code.integer(2)), 30);
  return code.let(bits.xor(bits.choose(odd, cosine, sine), sign));
}

/** `sin x` within 2.4 ulp where `|x|` is at most {@linkcode LARGEST_ANGLE}. */
export function sin(code: LaneCode, x: Lanes): Lanes {
  return bits.choose(eq(x, code.number(0)), x, sinFromQuarter(code, x, 0));
}

/** `cos x` within 2.4 ulp where `|x|` is at most {@linkcode LARGEST_ANGLE}. */
export function cos(code: LaneCode, x: Lanes): Lanes {
  return sinFromQuarter(code, x, 1);
}
