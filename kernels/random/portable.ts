/**
 * Exponentials and logarithms that samplers need, from additions, multiplications, divisions and
 * square roots alone in double precision.
 *
 * IEEE 754 fixes the last bit of those four, so these give the same number everywhere;
 * `Math.log` and `Math.exp` differ from engine to engine. Within 2 units in the last place of the
 * true value.
 *
 * @module
 */
import * as a from "../functions/algebra.ts";
import type { Float } from "../functions/algebra.ts";
import { logOfNormal } from "../functions/elementary.ts";

/** log 2 in two parts, the first short enough that a multiple of it by an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** The upper bits of √½ and of 1, and how many lie below the exponent. */
const SQRT_HALF = 0x3fe6a09e;
const ONE = 0x3ff00000;
const MANTISSA = 20;

/** `x·(c₀ + x·(c₁ + …))`, each step rounded twice. */
function series(x: Float, coefficients: readonly number[]): Float {
  return coefficients.reduceRight<Float | undefined>(
    (sum, c) => a.mul(x, sum === undefined ? c : a.add(c, sum)),
    undefined,
  )!;
}

/** `2 / 3`, `2 / 5`, …: of `2 artanh s` in `s²`. */
const ARTANH = Array.from({ length: 11 }, (_, i) => 2 / (2 * i + 3));

/** `1 / 3!`, `1 / 4!`, …: of `eʳ`. */
const EXPONENTIAL = [6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800]
  .map((factorial) => 1 / factorial);

/**
 * The natural logarithm of a positive number with all its digits, below 2¹⁰²². With x = 2ᵏ(1 + f)
 * and s = f/(2 + f), log(1 + f) is 2·artanh(s), a series in s² ≤ 0.03, summed such that its leading
 * part f stays exact.
 */
export function log(x: Float): Float {
  if (x.precision === "float32") return logOfNormal(x);
  const exponent = a.shrS(a.isub(a.bits(x), SQRT_HALF), MANTISSA);
  const k = a.toFloat(exponent, "float64");
  const f = a.sub(a.mul(x, a.fromBits(a.isub(ONE, a.shl(exponent, MANTISSA)), "float64")), 1);
  const s = a.div(f, a.add(2, f));
  const half = a.mul(a.mul(0.5, f), f);
  const low = a.add(
    a.mul(s, a.add(half, series(a.mul(s, s), ARTANH.slice(0, 10)))),
    a.mul(k, LN2_LOW),
  );
  return a.sub(a.mul(k, LN2_HIGH), a.sub(a.sub(half, low), f));
}

/** The exponential: Taylor's series within half a factor of two of 1, times a power of two. */
export function exp(x: Float): Float {
  if (x.precision === "float32") return a.call("exp", x);
  const limited = a.max(a.min(x, 710), -746);
  const k = a.floor(a.add(a.mul(limited, Math.LOG2E), 0.5));
  const r = a.sub(a.sub(limited, a.mul(k, LN2_HIGH)), a.mul(k, LN2_LOW));
  const y = a.add(1, a.add(r, a.mul(a.mul(r, r), a.add(0.5, series(r, EXPONENTIAL)))));
  // 2ᵏ in two factors, as neither 2¹⁰²⁴ nor 2⁻¹⁰⁷⁵ is a number with all its digits.
  const whole = a.toInteger(k);
  const part = a.shrS(whole, 1);
  const power = (n: typeof part) => a.fromBits(a.shl(a.iadd(n, 1023), MANTISSA), "float64");
  return a.mul(a.mul(y, power(part)), power(a.isub(whole, part)));
}

/** `log(1 + e) − e`, for small e by the series of `2 artanh(e / (2 + e))`. */
export function excess(e: Float): Float {
  const s = a.div(e, a.add(2, e));
  const terms = e.precision === "float32" ? 4 : 11;
  const near = a.mul(s, a.sub(series(a.mul(s, s), ARTANH.slice(0, terms)), e));
  return a.choose(a.less(0.3, a.abs(e)), a.sub(log(a.add(1, e)), e), near);
}
