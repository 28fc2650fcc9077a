/**
 * Remainders of divisions.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float } from "./algebra.ts";
import { upperPart } from "./elementary.ts";

/** The upper half of a number's digits: products of two such are exact. */
function upperHalf(x: Float): Float {
  if (x.precision === "float32") return upperPart(x);
  const scaled = a.mul(x, 2 ** 27 + 1);
  return a.sub(scaled, a.sub(scaled, x));
}

/** From where on products with parts of numbers may overflow, and by how much less they do not. */
const LARGE = {
  float32: { from: 2 ** 100, by: 2 ** 30 },
  float64: { from: 2 ** 990, by: 2 ** 60 },
} as const;

/** `x − q y` without rounding. */
function withoutMultiple(x: Float, q: Float, y: Float): Float {
  const { from, by } = LARGE[x.precision!];
  const isLarge = a.less(from, a.abs(x));
  const down = a.choose(isLarge, 1 / by, 1);
  const rest = smallWithoutMultiple(a.mul(x, down), q, a.mul(y, down));
  return a.mul(rest, a.choose(isLarge, by, 1));
}

function smallWithoutMultiple(x: Float, q: Float, y: Float): Float {
  const product = a.opaque(a.mul(q, y));
  const [qHigh, yHigh] = [upperHalf(q), upperHalf(y)];
  const [qLow, yLow] = [a.sub(q, qHigh), a.sub(y, yHigh)];
  const middle = a.add(a.sub(a.mul(qHigh, yHigh), product), a.mul(qHigh, yLow));
  const error = a.add(a.add(middle, a.mul(qLow, yHigh)), a.mul(qLow, yLow));
  return a.sub(a.sub(x, product), error);
}

/** `x` less the whole multiple of `y` next to it on the side of 0, or just beyond. */
function reduce(x: Float, y: Float): Float {
  const q = a.trunc(a.div(x, y));
  return a.choose(a.equal(q, 0), x, withoutMultiple(x, q, y));
}

/** What a quotient's digits are at a time, and how many times there are some. */
const STEPS = { float32: { bits: 23, count: 12 }, float64: { bits: 51, count: 41 } } as const;

/** The same where the quotient has more digits than a number: some of them after the other. */
function reduceFar(x: Float, y: Float): Float {
  const { bits, count } = STEPS[x.precision!];
  const multiples = [y];
  // The powers of two would overflow before their products with y do.
  while (multiples.length <= count) {
    multiples.push(a.opaque(a.mul(multiples.at(-1)!, 2 ** bits)));
  }
  return multiples.reduceRight(reduce, x);
}

/** The remainder of `x / y` that has the sign of `y`, without rounding but where `y` is added. */
export function mod(x: Float, y: Float): Float {
  const { bits } = STEPS[x.precision!];
  const isFar = a.both(a.less(2 ** bits, a.abs(a.div(x, y))), a.notEqual(y, 0));
  // Once more, as devices may divide with errors of some ulp.
  const rest = reduce(a.rarely(isFar, reduceFar(x, y), reduce(x, y)), y);
  const isOpposite = a.less(a.mul(a.copySign(1, rest), a.copySign(1, y)), 0);
  const moved = a.choose(isOpposite, a.add(rest, y), rest);
  const isDefined = a.both(a.less(a.abs(x), Infinity), a.not(a.isNaN(y)));
  const value = a.choose(a.equal(rest, 0), a.copySign(a.abs(rest), y), moved);
  return a.choose(a.both(isDefined, a.notEqual(y, 0)), value, NaN);
}
