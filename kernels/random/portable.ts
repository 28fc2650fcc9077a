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
import { formatOf, logOfNormal, timesPowerOfTwo } from "../functions/elementary.ts";

/** `2 / 3`, `2 / 5`, …: of `2 artanh s` in `s²`. */
const ARTANH = Array.from({ length: 11 }, (_, i) => 2 / (2 * i + 3));

/** `1 / 2!`, `1 / 3!`, …: of `eʳ`. */
const EXPONENTIAL = [2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600]
  .concat(6227020800).map((factorial) => 1 / factorial);

/** The natural logarithm of a positive number with all its digits, below 2¹⁰²². */
export function log(x: Float): Float {
  return logOfNormal(x, x.precision === "float32" ? undefined : ARTANH.slice(0, 10));
}

/** The exponential: Taylor's series within half a factor of two of 1, times a power of two. */
export function exp(x: Float): Float {
  if (x.precision === "float32") return a.call("exp", x);
  const { log2: [high, low] } = formatOf(x);
  const limited = a.maximum(a.minimum(x, 710), -746);
  const k = a.floor(a.fma(limited, Math.LOG2E, 0.5));
  const r = a.fnma(k, low, a.fnma(k, high, limited));
  const tail = a.mul(a.mul(r, r), a.polynomial(r, EXPONENTIAL));
  return timesPowerOfTwo(a.add(1, a.add(r, tail)), a.toInteger(k));
}

/** `log(1 + e) − e`, for small e by the series of `2 artanh(e / (2 + e))`. */
export function excess(e: Float): Float {
  const s = a.div(e, a.add(2, e));
  const [square, terms] = [a.mul(s, s), e.precision === "float32" ? 4 : 11];
  const [last, ...others] = ARTANH.slice(0, terms).toReversed();
  const series = others.reduce((sum, c) => a.mul(square, a.add(c, sum)), a.mul(square, last!));
  const near = a.mul(s, a.sub(series, e));
  return a.choose(a.less(0.3, a.abs(e)), a.sub(log(a.add(1, e)), e), near);
}
