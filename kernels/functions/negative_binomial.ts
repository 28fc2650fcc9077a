/**
 * The negative binomial's `−log NB(x | μ, θ)` for one count, and its derivatives, to full precision
 * for every size of count, mean and inverse dispersion.
 *
 * As differences of log-gammas, terms of the size of `x log θ` cancel. With N = x + θ, s = θ + μ and
 * the expected share M = μ N / s, it is a sum of positive terms (Loader 2000, "Fast and accurate
 * computation of binomial probabilities"):
 *
 * `θ g((s − N) / N) + x g((x − M) / M) + ½ log(2π x N / θ) + β(x) + β(θ) − β(N)`
 *
 * where `g(u) = log(1 + u) − u / (1 + u)` and β is Binet's function, what log-gamma has beyond the
 * first terms of Stirling's series: at most a few units in size, and smooth.
 *
 * @module
 */
import * as a from "./algebra.ts";
import type { Float, Precision } from "./algebra.ts";
import {
  BERNOULLI,
  DIGAMMA_SERIES,
  HALF_LOG_TWO_PI,
  log,
  stirlingTail,
  sumOfInverses,
} from "./gamma.ts";

/** `y β(y)` in 1/y for y from 1 on. */
const BINET = [
  [0.0833333358, -3.49734535e-07, -0.00277068815, -6.09097333e-05, 0.00106353313],
  [-0.000645669876, 0.000142218938],
].flat();

/** `log Γ(y) − (y − ½) log y + y − ½ log 2π` of a positive number. */
export function binet(y: Float): Float {
  if (y.precision === "float64") return doubleBinet(y);
  const tail = (z: Float) => {
    const inverse = a.div(1, z);
    return a.mul(inverse, a.polynomial(inverse, BINET));
  };
  // The recurrence, where 1/y is beyond the polynomial.
  const step = a.sub(a.mul(a.add(y, 0.5), log1p(a.div(1, y))), 1);
  return a.rarely(a.less(y, 1), a.add(step, tail(a.add(y, 1))), tail(y));
}

function doubleBinet(y: Float): Float {
  const difference = a.sub(a.call("lgamma", y), a.mul(a.sub(y, 0.5), log(y)));
  const small = a.add(difference, a.sub(y, HALF_LOG_TWO_PI));
  return a.choose(a.less(y, 12), small, stirlingTail(a.div(1, y)));
}

function log1p(x: Float): Float {
  return a.call("log1p", x);
}

/** `(log((1 + w) / (1 − w)) / w − 2) / w²` in w² for `|w| ≤ 1/3`. */
const ARTANH_TAIL: Readonly<Record<Precision, readonly number[]>> = {
  float32: [0.666666687, 0.399997056, 0.28592357, 0.217065752, 0.232243299],
  float64: [
    [0.6666666666666666, 0.39999999999999525, 0.285714285716001, 0.2222222219823677],
    [0.18181819897962714, 0.1538454396486055, 0.13335178631449257, 0.11734279061303197],
    [0.10845178394880015, 0.07492143795550767, 0.1563057780092285],
  ].flat(),
};

/** `log(1 + u)`, and `g(u)`, which is what it has beyond `u / (1 + u)`; `ratio` is `1 + u`. */
function excess(u: Float, ratio: Float, inverse: Float) {
  const logarithm = log(ratio);
  const w = a.div(u, a.add(u, 2));
  const square = a.mul(w, w);
  const tail = a.mul(square, a.polynomial(square, ARTANH_TAIL[u.precision!]));
  const near = a.mul(w, a.fma(u, inverse, tail));
  const isNear = a.both(a.less(0.5, ratio), a.less(ratio, 2));
  const value = a.choose(isNear, near, a.add(a.sub(logarithm, 1), inverse));
  return { logarithm, isNear, value };
}

/**
 * What the functions share, of a count, its mean less ε, the inverse dispersion and ε, as what is small
 * is added last: `μ`, `μ − x`, `s`, `N` and inverses, and g of `u = (μ − x) / N`.
 */
function partsOf(x: Float, mean: Float, theta: Float, epsilon: Float) {
  const mu = a.add(mean, epsilon);
  const difference = a.add(a.sub(mean, x), epsilon);
  const [sum, total] = [a.add(theta, mu), a.add(x, theta)];
  const [ofSum, ofTotal] = [a.div(1, sum), a.div(1, total)];
  const ratio = a.mul(sum, ofTotal);
  const above = excess(a.mul(difference, ofTotal), ratio, a.mul(total, ofSum));
  return { mu, difference, sum, total, ofSum, ofTotal, ratio, above };
}

/** `−log NB(x | μ, θ)` of a count, but for `β(θ)` where the count is not 0. */
export function negativeBinomial(x: Float, mean: Float, theta: Float, epsilon: Float): Float {
  const parts = partsOf(x, mean, theta, epsilon);
  const { mu, difference, total, ofSum, ofTotal, ratio, above } = parts;
  const ofMean = a.div(1, mu);
  const v = a.neg(a.mul(a.mul(difference, ofMean), a.mul(theta, ofTotal)));
  const share = a.mul(a.mul(x, ofMean), ratio);
  const below = excess(v, share, a.div(1, share));
  const spread = log(a.fma(x, a.div(x, theta), x));
  const isEmpty = a.equal(x, 0);
  const tail = (y: Float) => binet(a.choose(isEmpty, 1, y));
  const rest = a.add(a.fma(spread, 0.5, HALF_LOG_TWO_PI), a.sub(tail(x), tail(total)));
  const deviance = a.fma(theta, above.value, a.mul(x, below.value));
  const near = a.fma(mu, ofSum, above.value);
  const empty = a.mul(theta, a.choose(above.isNear, near, above.logarithm));
  return a.choose(a.equal(mu, Infinity), mu, a.choose(isEmpty, empty, a.add(deviance, rest)));
}

/** What `digamma(y) − log y` has from its third term on, from `1/y`. */
function laterTerms(inverse: Float): Float {
  const { terms } = DIGAMMA_SERIES[inverse.precision!];
  const square = a.mul(inverse, inverse);
  const series = BERNOULLI.slice(1, terms).map((b, i) => -b / (2 * i + 4));
  return a.mul(a.mul(square, square), a.polynomial(square, series));
}

/** `digamma(y) − log y` of a positive number. */
function digammaTail(y: Float): Float {
  const { from } = DIGAMMA_SERIES[y.precision!];
  const isSmall = a.less(y, from);
  const inverse = a.div(1, a.choose(isSmall, a.add(y, from), y));
  const first = a.mul(inverse, a.fma(inverse, 1 / 12, 0.5));
  const shift = a.sub(log1p(a.div(from, y)), sumOfInverses(y, from));
  return a.add(a.sub(laterTerms(inverse), first), a.choose(isSmall, shift, 0));
}

/** Below this, a few terms of a series in ε/θ do. */
const SMALL = 2 ** -8;
const TERMS = { float32: 3, float64: 8 } as const;

/** `θ log(1 + ε/θ)` */
export function dispersionOffset(theta: Float, epsilon: Float): Float {
  const t = a.div(epsilon, theta);
  const terms = Array.from({ length: TERMS[t.precision!] }, (_, k) => (-1) ** k / (k + 1));
  const near = a.mul(epsilon, a.polynomial(t, terms));
  return a.rarely(a.lessEqual(SMALL, t), a.mul(theta, log1p(t)), near);
}

/** Its derivative: `log(1 + t) − t / (1 + t)` with `t = ε/θ`. */
export function offsetByDispersion(theta: Float, epsilon: Float): Float {
  const t = a.div(epsilon, theta);
  const terms = Array.from(
    { length: TERMS[t.precision!] },
    (_, k) => (-1) ** k * (k + 1) / (k + 2),
  );
  const near = a.mul(a.mul(t, t), a.polynomial(t, terms));
  const ratio = a.add(t, 1);
  return a.rarely(a.lessEqual(SMALL, t), excess(t, ratio, a.div(1, ratio)).value, near);
}

/** How much {@linkcode digammaTail} falls from θ to θ + x: differences taken before they cancel. */
function fallOfDigamma(x: Float, theta: Float): Float {
  const { from } = DIGAMMA_SERIES[x.precision!];
  const isSmall = a.less(theta, from);
  const t = a.choose(isSmall, a.add(theta, from), theta);
  const [first, second] = [a.div(1, t), a.div(1, a.add(t, x))];
  const main = a.mul(a.mul(a.mul(x, first), second), a.fma(a.add(first, second), 1 / 6, 1));
  const later = a.sub(laterTerms(first), laterTerms(second));
  const total = a.add(theta, x);
  let sum: Float | undefined;
  for (let j = 0; j < from; j += 2) {
    const one = a.mul(a.add(theta, j), a.add(total, j));
    const other = a.mul(a.add(theta, j + 1), a.add(total, j + 1));
    const both = a.div(a.add(one, other), a.mul(one, other));
    sum = sum === undefined ? both : a.add(sum, both);
  }
  const grown = a.mul(theta, a.add(total, from));
  const shift = a.fnma(x, sum!, log1p(a.div(a.mul(x, from), grown)));
  return a.add(a.fma(main, -0.5, later), a.choose(isSmall, shift, 0));
}

/** The derivative of `−log NB(x | μ, θ)` by θ. */
export function negativeBinomialByDispersion(
  x: Float,
  mean: Float,
  theta: Float,
  epsilon: Float,
): Float {
  return a.add(partsOf(x, mean, theta, epsilon).above.value, fallOfDigamma(x, theta));
}

/** The derivative of `−log NB(x | μ, θ)` by x. */
export function negativeBinomialByCount(
  x: Float,
  mean: Float,
  theta: Float,
  epsilon: Float,
): Float {
  const { mu, difference, sum, total } = partsOf(x, mean, theta, epsilon);
  const next = a.add(x, 1);
  const scale = a.mul(total, mu);
  // What the ratio of (x + 1) / N and μ / s has beyond 1.
  const change = a.div(a.fnma(theta, difference, sum), scale);
  const isNear = a.less(a.abs(change), 0.5);
  const far = log(a.mul(a.div(next, total), a.div(sum, mu)));
  const logarithm = a.choose(isNear, log1p(change), far);
  return a.add(a.sub(digammaTail(next), digammaTail(total)), logarithm);
}
