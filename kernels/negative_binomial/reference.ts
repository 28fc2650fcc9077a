/**
 * The negative binomial's `−log NB(x | μ, θ)` for one count, and its derivatives, to full precision
 * for every size of count, mean and inverse dispersion.
 *
 * As differences of log-gammas, terms of the size of `x log θ` cancel. With N = x + θ, s = θ + μ and
 * the expected share M = μ N / s, it is a sum of positive terms (Loader 2000, "Fast and accurate
 * computation of binomial probabilities"):
 *
 * `θ g((s − N) / N) + x g((x − M) / M) + σ(x) + τ(θ) − τ(N)`
 *
 * where `g(u) = log(1 + u) − u / (1 + u)`, `σ(x) = log x! − x log x + x` and `τ(y) = log Γ(y) −
 * y log y + y`, whose difference has a series of its own.
 *
 * @module
 */
import { lgammaValue, polygammaValue } from "../gamma/reference.ts";

/** What can be derived by. */
export type Argument = "count" | "mean" | "dispersion";

/** From here on Stirling's series hold. */
const LARGE = 12;

/** The coefficients of Stirling's series: `B₂ₖ / (2k (2k − 1))`. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156] as const;

const HALF_LOG_TWO_PI = Math.log(2 * Math.PI) / 2;

/** `log(1 + u) − u / (1 + u)`, at least 0; `logarithm` is that of `1 + u`. */
function excess(u: number, logarithm: number): number {
  if (!(Math.abs(u) < 0.1)) return logarithm - 1 + 1 / (1 + u);
  const w = u / (2 + u);
  const z = w * w;
  return 2 * z * (1 / (1 + w) + w * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z / 11)))));
}

/** `log Γ(y) − (y − ½) log y + y − ½ log 2π` of a large number. */
function remainder(y: number): number {
  const z = 1 / (y * y);
  let sum = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = STIRLING[k]! + z * sum;
  return sum / y;
}

/** `log Γ(y) − y log y + y − ½ log 2π`. */
function stirling(y: number): number {
  if (y >= LARGE) return remainder(y) - Math.log(y) / 2;
  return lgammaValue(y) - y * Math.log(y) + y - HALF_LOG_TWO_PI;
}

/** `log x! − x log x + x` of a positive number. */
function factorial(x: number): number {
  if (x < LARGE) return lgammaValue(x + 1) - x * Math.log(x) + x;
  return Math.log(x) / 2 + HALF_LOG_TWO_PI + remainder(x);
}

/** How much {@linkcode stirling} falls from θ to θ + x. */
function fall(theta: number, x: number): number {
  const n = theta + x;
  if (theta < LARGE) return stirling(theta) - stirling(n);
  return Math.log1p(x / theta) / 2 + x / (12 * theta * n) +
    (remainder(theta) - 1 / (12 * theta)) - (remainder(n) - 1 / (12 * n));
}

/** The derivative of {@linkcode fall} by θ. */
function fallSlope(theta: number, x: number): number {
  const n = theta + x;
  if (theta < LARGE) {
    return polygammaValue(0, theta) - Math.log(theta) - polygammaValue(0, n) + Math.log(n);
  }
  const product = theta * n;
  return -x / (2 * product) * (1 + (theta + n) / (6 * product)) + later(theta) - later(n);
}

/** What digamma's series has from its third term on. */
function later(y: number): number {
  const z = 1 / (y * y);
  return z * z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760))));
}

/** `−log NB(x | μ, θ)`; `spread` is `log(1 + μ / θ)` and `counted` is `log(1 + θ / μ)`. */
function value(x: number, mu: number, theta: number, spread: number, counted: number): number {
  if (x === 0) return theta * spread;
  if (!(x > 0)) {
    return lgammaValue(theta) + lgammaValue(x + 1) - lgammaValue(x + theta) + theta * spread +
      x * counted;
  }
  const n = x + theta;
  const above = excess((mu - x) / n, spread - Math.log1p(x / theta));
  const below = excess((x / mu - 1) * (theta / n), counted - Math.log1p(theta / x));
  return theta * above + x * below + factorial(x) + fall(theta, x);
}

function byDispersion(x: number, mu: number, theta: number, spread: number): number {
  if (!(x >= 0)) {
    return polygammaValue(0, theta) - polygammaValue(0, x + theta) + spread +
      (x - mu) / (theta + mu);
  }
  const above = excess((mu - x) / (x + theta), spread - Math.log1p(x / theta));
  return x === 0 ? above : above + fallSlope(theta, x);
}

/** How means and dispersions are given. */
export interface CountOptions {
  /** Whether they are logarithms. */
  logs: boolean;
  /** What is added inside the logarithms: to the mean, and `−θ log(1 + ε / θ)` to the value. */
  epsilon: number;
}

/** What a loop over counts reads. */
export interface CountArrays {
  /** The counts. */
  x: ArrayLike<number>;
  /** The means. */
  mean: ArrayLike<number>;
  /** The inverse dispersions. */
  dispersion: ArrayLike<number>;
}

/** `log(1 + e^a)`. */
function softplus(a: number): number {
  return Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
}

/** Fills `out` with `−log NB` of every count. */
export function negativeBinomialValues(
  out: Float32Array | Float64Array,
  { x, mean, dispersion }: CountArrays,
  { logs, epsilon }: CountOptions,
): void {
  for (let i = 0; i < out.length; i++) {
    const theta = logs ? Math.exp(dispersion[i]!) : dispersion[i]!;
    const mu = (logs ? Math.exp(mean[i]!) : mean[i]!) + epsilon;
    const odds = logs ? logarithm(mu, mean[i]!) - dispersion[i]! : 0;
    const spread = logs ? softplus(odds) : Math.log1p(mu / theta);
    const counted = logs ? softplus(-odds) : Math.log1p(theta / mu);
    out[i] = value(x[i]!, mu, theta, spread, counted) - theta * Math.log1p(epsilon / theta);
  }
}

/** The logarithm of a mean, which may be too large for itself. */
function logarithm(mu: number, a: number): number {
  return mu === Infinity ? a : Math.log(mu);
}

/** Fills `out` with a derivative of every count's value. */
export function negativeBinomialSlopes(
  out: Float32Array | Float64Array,
  by: Argument,
  { x, mean, dispersion }: CountArrays,
  { logs, epsilon }: CountOptions,
): void {
  const slope = logs ? slopeByLogarithm : slopeByValue;
  for (let i = 0; i < out.length; i++) {
    out[i] = slope(by, x[i]!, mean[i]!, dispersion[i]!, epsilon);
  }
}

function slopeByValue(
  by: Argument,
  x: number,
  mean: number,
  theta: number,
  epsilon: number,
): number {
  const mu = mean + epsilon;
  if (by === "mean") return (1 - x / mu) * (theta / (theta + mu));
  if (by === "dispersion") {
    return byDispersion(x, mu, theta, Math.log1p(mu / theta)) - offsetSlope(theta, epsilon);
  }
  return polygammaValue(0, x + 1) - polygammaValue(0, x + theta) + Math.log1p(theta / mu);
}

function slopeByLogarithm(
  by: Argument,
  x: number,
  a: number,
  b: number,
  epsilon: number,
): number {
  const [mean, theta] = [Math.exp(a), Math.exp(b)];
  const mu = mean + epsilon;
  const odds = logarithm(mu, a) - b;
  const [spread, counted] = [softplus(odds), softplus(-odds)];
  if (by === "mean") {
    return (theta * Math.exp(-counted) - x * Math.exp(-spread)) / (1 + epsilon / mean);
  }
  if (by === "dispersion") {
    return theta * (byDispersion(x, mu, theta, spread) - offsetSlope(theta, epsilon));
  }
  return polygammaValue(0, x + 1) - polygammaValue(0, x + theta) + counted;
}

/** The derivative of `θ log(1 + ε / θ)`. */
function offsetSlope(theta: number, epsilon: number): number {
  return Math.log1p(epsilon / theta) - epsilon / (theta + epsilon);
}
