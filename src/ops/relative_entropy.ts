/**
 * What a number is off another, in nats, as operations of their own: composed of logarithms, they
 * would lose all digits where the two are close.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { div, mul, neg, sub } from "./arithmetic.ts";
import { equal, where } from "./compare.ts";
import { type Elementwise, elementwise } from "./elementwise.ts";

/** Beyond these ratios, quotients may be out of range, and logarithms have digits to spare. */
const FAR = 60;

/** `g / x` where a is not 0, and 0 there. */
function unlessEmpty(a: Tensor, g: Tensor, x: Tensor): Tensor {
  const isEmpty = equal(a, 0);
  return where(isEmpty, 0, div(g, where(isEmpty, 1, x)));
}

/** `log(a / b)`; 0 where a is 0, with gradient 0; NaN where one of them is negative. */
export const logRatioOp: Elementwise = elementwise(
  "logRatio",
  `a == 0 ? 0 * b : a < 0 ? log(a) : b < 0 ? log(b) : abs(log(a) - log(b)) <= ${FAR} ? (a / b < 0.5 ? log(a / b) : ` +
    "2 < a / b ? log(a / b) : log1p((a - b) / b)) : log(a) - log(b)",
  [
    (g, _y, [a]) => unlessEmpty(a!, g, a!),
    (g, _y, [a, b]) => neg(unlessEmpty(a!, g, b!)),
  ],
);

/**
 * `a log(a / b) − a + b`, at least 0; b where a is 0. With t the larger of a / b and b / a less 1, it
 * is made of `log(1 + t) − t / (1 + t)`, which is what an offset of dispersions changes, too. NaN
 * where one of them is negative.
 */
export const relativeEntropyOp: Elementwise = elementwise(
  "relativeEntropy",
  "a == 0 ? b : 0 < a ? (0 <= b ? (a < b ? " +
    `(log(a) - log(b) < -${FAR} ? b : (b - a) * ((b - a) / b) - a * offsetByDispersion(a, b - a)) : ` +
    `${FAR} < log(a) - log(b) ? a * (log(a) - log(b) - 1) + b : a * offsetByDispersion(b, a - b)) : ` +
    "log(b)) : log(a)",
  [
    (g, _y, [a, b]) => mul(g, apply(logRatioOp, [a!, b!], [])),
    (g, _y, [a, b]) => {
      const isEmpty = equal(a!, 0);
      return mul(g, where(isEmpty, 1, div(sub(b!, a!), where(isEmpty, 1, b!))));
    },
  ],
);

/** `a log(a / b) − a + b` of numbers of at least 0 that broadcast. */
export function relativeEntropy(a: Tensor, b: Tensor): Tensor {
  return apply(relativeEntropyOp, [a, b], []);
}
