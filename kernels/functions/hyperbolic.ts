/**
 * Hyperbolic functions and their inverses.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float } from "./algebra.ts";
import { halfExp } from "./elementary.ts";

/** `sinh x / x` in x² for `|x| ≤ 1`, to the tenth term. */
const SINH = [1];
for (let n = 3; n < 20; n += 2) SINH.push(SINH.at(-1)! / (n * (n - 1)));

/** How many terms a precision needs. */
const TERMS = { float32: 5, float64: 10 } as const;

/** `sinh x`: by its series, or from `½ e^|x|`. */
export function sinh(x: Float): Float {
  const half = halfExp(a.abs(x));
  const far = a.copySign(a.sub(half, a.div(0.25, half)), x);
  const square = a.mul(x, x);
  return a.choose(
    a.less(a.abs(x), 1),
    a.mul(x, a.polynomial(square, SINH.slice(0, TERMS[x.precision!]))),
    far,
  );
}

/** `cosh x` */
export function cosh(x: Float): Float {
  const half = halfExp(a.abs(x));
  return a.add(half, a.div(0.25, half));
}

/** `tanh x` within 2.5 ulp, from `e^(−2|x|) − 1`. */
export function tanh(x: Float): Float {
  const power = a.call("expm1", a.mul(a.abs(x), -2));
  return a.copySign(a.div(a.neg(power), a.add(power, 2)), x);
}

/** From here on, `x + √(x² ± 1)` is 2x, and x as good as 1 + x. */
const LARGE = { float32: 2 ** 28, float64: 2 ** 56 } as const;

/** `log(1 + y)`, where y is what x becomes if it is not large, and `log 2x` if it is. */
function growing(x: Float, y: Float): Float {
  const isLarge = a.less(LARGE[x.precision!], x);
  const shift = a.choose(isLarge, a.number(Math.LN2, x.precision!), 0);
  return a.add(a.call("log1p", a.choose(isLarge, x, y)), shift);
}

/** `asinh x = ± log(|x| + √(x² + 1))` */
export function asinh(x: Float): Float {
  const size = a.abs(x);
  const square = a.mul(size, size);
  const root = a.sqrt(a.add(square, 1));
  return a.copySign(growing(size, a.add(size, a.div(square, a.add(root, 1)))), x);
}

/** `acosh x = log(x + √(x² − 1))`; NaN below 1. */
export function acosh(x: Float): Float {
  const above = a.sub(x, 1);
  const root = a.sqrt(a.mul(above, a.add(x, 1)));
  return a.choose(a.less(x, 1), NaN, growing(x, a.add(above, root)));
}

/** `atanh x = ± ½ log(1 + 2|x| / (1 − |x|))`; NaN outside of [−1, 1]. */
export function atanh(x: Float): Float {
  const size = a.abs(x);
  const rest = a.opaque(a.sub(1, size));
  const value = a.mul(a.call("log1p", a.div(a.add(size, size), rest)), 0.5);
  return a.choose(a.less(1, size), NaN, a.copySign(a.choose(a.equal(size, 1), Infinity, value), x));
}
