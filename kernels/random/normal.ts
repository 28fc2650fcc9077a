/**
 * Draws of 52 bits as numbers, and the standard normal quantile of a draw (Wichura, "Algorithm
 * AS 241", Applied Statistics 37, 1988, https://doi.org/10.2307/2347330): its rational
 * approximations for 16 digits in double precision, for 7 in single.
 *
 * @module
 */
import * as a from "../functions/algebra.ts";
import type { Float, Integer, Precision } from "../functions/algebra.ts";
import { log } from "./portable.ts";
import type { Words } from "./threefry.ts";

/** How many digits of 16, 16 and 20 bits there are. */
export const BASES: readonly number[] = [2 ** 16, 2 ** 16, 2 ** 20];

/** The upper 52 of 64 bits as three digits, which both precisions hold. */
export function digits([x, y]: Words, precision: Precision): [Float, Float, Float] {
  const float = (part: typeof x) => a.toFloat(part, precision);
  return [float(a.shrU(x, 16)), float(a.and(x, 0xffff)), float(a.shrU(y, 12))];
}

/** A multiple of 2⁻⁵² in [0, 1), of the upper 52 of 64 bits, plus a share of that step. */
function fromWords(words: Words, precision: Precision, share: number): Float {
  const [high, middle, low] = digits(words, precision);
  const rest = a.add(
    a.mul(middle, 2 ** -32),
    a.mul(share === 0 ? low : a.add(low, share), 2 ** -52),
  );
  return a.add(a.mul(high, 2 ** -16), rest);
}

/**
 * A draw in the open interval (0, 1): a middle of one of 2⁵² equal parts, so that neither it nor its
 * complement is ever 0. In single precision it is rounded, to 1 at the end.
 */
export function fraction(words: Words, precision: Precision): Float {
  return fromWords(words, precision, 0.5);
}

/** A multiple of 2⁻²³ in single precision, of 2⁻⁵² in double, in [0, 1). */
export function uniform([x, y]: Words, precision: Precision): Float {
  return precision === "float64"
    ? fromWords([x, y], precision, 0)
    : a.mul(a.toFloat(a.shrU(a.xor(x, y), 9), precision), 2 ** -23);
}

/** How far a draw is from ½ and from the nearer end, and on which side; nothing cancels. */
export function sides(
  [x, y]: Words,
  precision: Precision,
): { sign: Float; central: Float; outer: Float } {
  const upper = a.shrS(x, 31);
  const distance = (mask: Integer) => {
    const [high, low] = [a.and(a.xor(x, mask), 0x7fffffff), a.shrU(a.xor(y, mask), 12)];
    const rest = a.mul(a.add(a.toFloat(low, precision), 0.5), 2 ** -52);
    return a.add(a.mul(a.toFloat(high, precision), 2 ** -32), rest);
  };
  return {
    sign: a.sub(-1, a.mul(a.toFloat(upper, precision), 2)),
    central: distance(a.xor(upper, -1)),
    outer: distance(upper),
  };
}

/** A numerator and a denominator, coefficients from the constant on. */
type Rational = readonly [readonly number[], readonly number[]];

/** Around ½, towards the ends, and close to them. */
const QUANTILE: Readonly<Record<Precision, readonly [Rational, Rational, Rational]>> = {
  float32: [
    [
      [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
      [1, 17.895169469, 78.757757664, 67.1875636],
    ],
    [
      [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103],
      [1, 0.7370016425, 0.12021132975],
    ],
    [
      [6.657905115, 3.081226386, 0.42868294337, 0.017337203997],
      [1, 0.24197894225, 0.012258202635],
    ],
  ],
  float64: [
    [
      [
        ...[3.3871328727963665, 133.14166789178438, 1971.5909503065514, 13731.69376550946],
        ...[45921.95393154987, 67265.7709270087, 33430.575583588128, 2509.0809287301227],
      ],
      [
        ...[1, 42.31333070160091, 687.1870074920579, 5394.196021424751],
        ...[21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854],
      ],
    ],
    [
      [
        ...[1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045],
        ...[1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 7.745450142783414e-4],
      ],
      [
        ...[1, 2.053191626637759, 1.6763848301838038, 0.6897673349851],
        ...[0.14810397642748008, 0.015198666563616457, 5.475938084995345e-4, 1.0507500716444169e-9],
      ],
    ],
    [
      [
        ...[6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487],
        ...[0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5],
        2.0103343992922881e-7,
      ],
      [
        ...[1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615],
        ...[7.868691311456133e-4, 1.8463183175100548e-5, 1.4215117583164459e-7],
        2.0442631033899397e-15,
      ],
    ],
  ],
};

/** The standard normal quantile of a draw: 1e-15 of its size in double precision, 1e-6 in single. */
export function normal(words: Words, precision: Precision): Float {
  const { sign, central, outer } = sides(words, precision);
  const [middle, near, far] = QUANTILE[precision];
  const ratio = (x: Float, [above, below]: Rational, factor?: Float) => {
    const numerator = a.polynomial(x, above);
    return a.div(factor ? a.mul(factor, numerator) : numerator, a.polynomial(x, below));
  };
  const r = a.sqrt(a.neg(log(outer)));
  const tail = a.rarely(a.less(5, r), ratio(a.sub(r, 5), far), ratio(a.sub(r, 1.6), near));
  const center = ratio(a.sub(0.180625, a.mul(central, central)), middle, central);
  return a.mul(sign, a.rarely(a.less(0.425, central), tail, center));
}
