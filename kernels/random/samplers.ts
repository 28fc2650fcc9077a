/**
 * What samplers draw: one number for each element, which depends on the key and on its own position
 * alone.
 *
 * Samplers that may reject a candidate draw again at the same position with the next attempt, so
 * that no element's number depends on how often another one was drawn. What decides whether a
 * candidate is accepted is written such that nothing cancels: logarithms of ratios close to 1 as
 * `log(1 + e) − e`, factorials by what Stirling's formula leaves over.
 *
 * @module
 */
import type { DType } from "../../src/dtype.ts";
import * as a from "../functions/algebra.ts";
import type {
  Float,
  Integer,
  IntegerLike,
  Precision,
  Scalar,
  Truth,
} from "../functions/algebra.ts";
import { below } from "../functions/angles.ts";
import { excess, exp, log } from "./portable.ts";
import { BASES, digits, fraction, normal, sides, uniform } from "./normal.ts";
import { threefry, type Words } from "./threefry.ts";

/** The names of the words of a key's schedule. */
export const SCHEDULE: readonly string[] = Array.from({ length: 12 }, (_, i) => `added${i}`);

const ADDED = SCHEDULE.map(a.integerParameter);
/** The position of a number. */
export const ELEMENT: a.Integer = a.integerParameter("element");

/** What an element's number is made of. */
export interface Draw {
  /** Its random bits, by the number of the attempt. */
  readonly bits: (attempt: IntegerLike) => Words;
  /** The distribution's parameter. */
  readonly parameter: Float;
  /** The same as an integer. */
  readonly integer: Integer;
  readonly precision: Precision;
  /** The smallest number with all its digits that the result's type has. */
  readonly least: number;
}

/** Whether a draw is below a probability: exact, also where single precision holds no draw. */
function bernoulli({ bits, parameter, precision }: Draw): Truth {
  const words = bits(0);
  if (precision === "float64") return a.less(fraction(words, precision), parameter);
  let rest = parameter;
  const wholes = BASES.map((base) => {
    const scaled = a.mul(rest, base);
    const whole = a.floor(scaled);
    rest = a.sub(scaled, whole);
    return whole;
  });
  return digits(words, precision).reduceRight<Truth>(
    (below, digit, i) =>
      a.either(a.less(digit, wholes[i]!), a.both(a.equal(digit, wholes[i]!), below)),
    a.less(0.5, rest),
  );
}

/**
 * Whole numbers from 0 to the parameter, without a sign: the lowest bits that the parameter needs,
 * drawn anew where they make more than it, so that none is likelier than another.
 */
function integers({ bits, integer: last }: Draw): Integer {
  const mask = [1, 2, 4, 8, 16].reduce((x, by) => a.or(x, a.shrU(x, by)), last);
  return a.repeat({ attempt: a.integer(0), value: last }, ({ attempt }) => {
    const value = a.and(bits(attempt)[0], mask);
    const going = a.both(a.less(attempt, LAST_ATTEMPT), below(last, value));
    return { going, next: { attempt: a.add(attempt, 1), value } };
  }).value;
}

/**
 * Gamma numbers of scale 1: rejection from a cubed normal (Marsaglia and Tsang, "A simple method for
 * generating gamma variables", 2000, https://doi.org/10.1145/358407.358414); below 1, the number for
 * concentration + 1 times a power of a uniform one, raised to the smallest number at least.
 */
function gamma(draw: Draw): Float {
  const { bits, parameter: alpha, precision, least } = draw;
  const small = a.less(alpha, 1);
  const x = gammaFromOne(draw, a.choose(small, a.add(alpha, 1), alpha));
  const boost = a.div(log(fraction(bits(0), precision)), alpha);
  return a.rarely(small, a.maximum(exp(a.add(log(x), boost)), a.number(least, precision)), x);
}

/** None gets there, unless the parameter is not allowed: graphics cards must not go on for ever. */
const LAST_ATTEMPT = 0xffff;

/** Attempts 1, 3, 5, … propose, attempts 2, 4, 6, … decide. */
function gammaFromOne({ bits, precision }: Draw, alpha: Float): Float {
  const d = a.sub(alpha, 1 / 3);
  const c = a.div(1, a.sqrt(a.mul(9, d)));
  const start = { attempt: a.integer(1), value: d };
  return a.repeat(start, ({ attempt }) => {
    const x = normal(bits(attempt), precision);
    const e = a.mul(c, x);
    const t = a.add(1, e);
    const u = fraction(bits(a.add(attempt, 1)), precision);
    const square = a.mul(x, x);
    // d (1 − v + log v) for v = (1 + e)³.
    const rest = a.mul(d, a.sub(a.mul(3, excess(e)), a.mul(a.mul(e, e), a.add(3, e))));
    const margin = a.sub(a.add(a.mul(0.5, square), rest), log(u));
    const isUnsure = a.lessEqual(a.sub(1, a.mul(a.mul(0.0331, square), square)), u);
    const rejects = a.lessEqual(a.rarely(isUnsure, margin, a.number(1, precision)), 0);
    return {
      going: a.both(a.less(attempt, LAST_ATTEMPT), a.either(a.lessEqual(t, 0), rejects)),
      next: { attempt: a.add(attempt, 2), value: a.mul(d, a.mul(a.mul(t, t), t)) },
    };
  }).value;
}

/** From this rate on rejection needs fewer steps than a search. */
const LARGE_RATE = 10;

/** Poisson numbers. */
function poisson(draw: Draw): Integer {
  const large = a.lessEqual(LARGE_RATE, draw.parameter);
  return a.toInteger(a.choose(large, poissonByRejection(draw, large), poissonBySearch(draw)));
}

/** Where probabilities no longer add to those before: rounding may have left these below a draw. */
const LEAST_PROBABILITY = { float32: 2 ** -26, float64: 2 ** -60 } as const;

/** More steps than a search takes below that rate. */
const MOST_STEPS = 100;

/** Inversion: the first k whose cumulative probability exceeds a uniform number. */
function poissonBySearch({ bits, parameter: rate, precision }: Draw): Float {
  const u = fraction(bits(0), precision);
  const first = exp(a.neg(rate));
  const isBelow = (cumulative: Float, probability: Float) =>
    a.both(a.less(cumulative, u), a.less(LEAST_PROBABILITY[precision], probability));
  const start = { k: a.number(0, precision), probability: first, cumulative: first };
  return a.repeat(start, (state) => {
    const k = a.add(state.k, 1);
    const probability = a.mul(state.probability, a.div(rate, k));
    const cumulative = a.add(state.cumulative, probability);
    return {
      going: a.both(a.less(k, MOST_STEPS), isBelow(cumulative, probability)),
      next: { k, probability, cumulative },
    };
  }, a.both(a.less(rate, LARGE_RATE), isBelow(first, first))).k;
}

/**
 * Transformed rejection with squeeze (Hörmann, "The transformed rejection method for generating
 * Poisson random variables", 1993, https://doi.org/10.1016/0167-6687(93)90997-4).
 */
function poissonByRejection({ bits, parameter: rate, precision }: Draw, wanted: Truth): Float {
  const width = a.add(0.931, a.mul(2.53, a.sqrt(rate)));
  const slope = a.add(-0.059, a.mul(0.02483, width));
  const inverseAlpha = a.add(1.1239, a.div(1.1328, a.sub(width, 3.4)));
  const squeeze = a.sub(0.9277, a.div(3.6224, a.sub(width, 2)));
  const start = { attempt: a.integer(0), count: rate };
  return a.repeat(start, ({ attempt }) => {
    const { sign, central, outer: us } = sides(bits(attempt), precision);
    const u = a.mul(sign, central);
    const v = fraction(bits(a.add(attempt, 1)), precision);
    const x = a.mul(a.add(a.div(a.mul(2, slope), us), width), u);
    const k = a.floor(a.add(a.add(x, rate), 0.43));
    const outside = a.either(a.less(k, 0), a.both(a.less(us, 0.013), a.less(us, v)));
    const limit = a.div(a.mul(v, inverseAlpha), a.add(a.div(slope, a.mul(us, us)), width));
    const isUnsure = a.either(a.less(us, 0.07), a.less(squeeze, v));
    const margin = a.sub(logProbability(k, rate), log(limit));
    const rejects = a.less(a.rarely(isUnsure, margin, a.number(1, precision)), 0);
    return {
      going: a.both(
        a.less(attempt, LAST_ATTEMPT),
        a.either(a.both(isUnsure, outside), rejects),
      ),
      next: { attempt: a.add(attempt, 2), count: k },
    };
  }, wanted).count;
}

/** What Stirling's formula lacks of `log k!` for k = 0, 1, …, where its series does not hold yet. */
const LACKING = [
  ...[0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093],
  ...[0.016644691189821193, 0.013876128823070748, 0.01189670994589177, 0.010411265261972096],
  ...[0.009255462182712733, 0.00833056343336287, 0.007573675487951841, 0.00694284010720953],
  ...[0.006408994188004207, 0.0059513701127588475, 0.005554733551962801],
];

/** `k log λ − λ − log k!` */
function logProbability(k: Float, rate: Float): Float {
  const distance = a.sub(k, rate);
  const e = a.div(distance, rate);
  const r = a.div(1, k);
  const series = a.mul(r, a.polynomial(a.mul(r, r), [1 / 12, -1 / 360, 1 / 1260, -1 / 1680]));
  const known = LACKING.reduce((rest, value, i) => a.choose(a.equal(k, i), value, rest), series);
  const lacking = a.rarely(a.less(k, LACKING.length), known, series);
  const spread = a.add(a.mul(0.5, log(a.mul(2 * Math.PI, k))), lacking);
  const value = a.sub(a.neg(a.add(a.mul(k, excess(e)), a.mul(e, distance))), spread);
  return a.choose(a.less(k, 1), a.neg(rate), value);
}

/** The two words of the key that a number leads to from another key. */
function foldIn({ integer }: Draw): Integer {
  const [x, y] = threefry(ADDED, [0, integer]);
  return a.choose(a.equal(ELEMENT, 0), x, y);
}

/** The name of a sampler. */
export type SamplerName =
  | ("foldIn" | "uniform" | "fraction" | "normal" | "integers" | "bernoulli" | "gamma" | "poisson")
  /** Draws nothing: it is the parameter's exponential, to the same last bit on every machine. */
  | "exp";

/** What each sampler draws. */
export const SAMPLERS: Readonly<Record<SamplerName, (draw: Draw) => Scalar>> = {
  foldIn,
  uniform: ({ bits, precision }) => uniform(bits(0), precision),
  fraction: ({ bits, precision }) => fraction(bits(0), precision),
  normal: ({ bits, precision }) => normal(bits(0), precision),
  integers,
  bernoulli,
  gamma,
  poisson,
  exp: ({ parameter }) => exp(parameter),
};

/** What is to be drawn. */
export interface Sampling {
  readonly name: SamplerName;
  /** The type of the numbers. */
  readonly dtype: DType;
  /** The type of the distribution's parameter, where it has one. */
  readonly parameter: DType | undefined;
  /** Whether every element has a parameter of its own. */
  readonly moves: boolean;
}

/** The precision in which numbers are computed on the processor. */
export function precisionOf({ name, dtype }: Sampling): Precision {
  const isSingle = dtype === "float32" && (name === "uniform" || name === "normal");
  return isSingle || name === "integers" ? "float32" : "float64";
}

/**
 * The number in position `element`, by `parameter`, or `integer`, and the schedule of the key. The
 * bits of attempt 0 may be known.
 */
export function numberOf(
  { name, dtype }: Pick<Sampling, "name" | "dtype">,
  precision: Precision,
  first: Words = bitsOf(0),
): Scalar {
  return SAMPLERS[name]({
    bits: (attempt) => attempt === 0 ? first : bitsOf(attempt),
    parameter: a.parameter("parameter", precision),
    integer: a.integerParameter("integer"),
    precision,
    least: dtype === "float32" ? 2 ** -126 : 2 ** -1022,
  });
}

/** The bits of an attempt at the number in position `element`. */
export function bitsOf(attempt: IntegerLike): Words {
  return threefry(ADDED, [attempt, ELEMENT]);
}
