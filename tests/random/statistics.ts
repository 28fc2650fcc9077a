/** What the tests of the samplers measure, and the distributions they compare with. */
import { scalarFunction } from "../kernels/functions/scalar_function.ts";

const lgammaValue = scalarFunction("lgamma");

/** The mean. */
export function meanOf(x: ArrayLike<number>): number {
  return Array.from(x).reduce((a, b) => a + b, 0) / x.length;
}

/** The variance, n − 1 in the denominator. */
export function varianceOf(x: ArrayLike<number>): number {
  const mean = meanOf(x);
  return Array.from(x).reduce((a, b) => a + (b - mean) ** 2, 0) / (x.length - 1);
}

/** √n times the Kolmogorov–Smirnov distance: above 1.95 once in a thousand samples. */
export function kolmogorovSmirnov(x: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(x).sort();
  let distance = 0;
  sorted.forEach((value, i) => {
    const p = cdf(value);
    distance = Math.max(distance, p - i / sorted.length, (i + 1) / sorted.length - p);
  });
  return distance * Math.sqrt(sorted.length);
}

/** Pearson's χ² in standard deviations from its mean, cells of fewer than 5 expected joined. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  let [statistic, freedom, o, e] = [0, -1, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    o += observed[i]!;
    e += expected[i]!;
    if (e < 5 && i < expected.length - 1) continue;
    statistic += (o - e) ** 2 / e;
    freedom++;
    o = e = 0;
  }
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

/** The probability that a standard normal number is below x. */
export function normalCdf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= x * x / (2 * n + 1);
    total += term;
  }
  return 0.5 + total * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The probability that a gamma number of scale 1 is below x. */
export function gammaCdf(x: number, alpha: number): number {
  if (x <= 0) return 0;
  let [term, total] = [1, 1];
  for (let n = 1; term > 1e-17 * total; n++) {
    term *= x / (alpha + n);
    total += term;
  }
  return total * Math.exp(alpha * Math.log(x) - x - lgammaValue(alpha + 1));
}

/** The probability of the count k. */
export function poissonProbability(k: number, rate: number): number {
  return Math.exp(k * Math.log(rate) - rate - lgammaValue(k + 1));
}

/** The probability that a beta number is below x. */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return Number(x >= 1);
  if (x > 0.5) return 1 - betaCdf(1 - x, b, a);
  let [term, total] = [1, 1];
  for (let n = 1; term > 1e-17 * total; n++) {
    term *= x * (a + b + n - 1) / (a + n);
    total += term;
  }
  const logBeta = lgammaValue(a) + lgammaValue(b) - lgammaValue(a + b);
  return total * Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta) / a;
}
