/**
 * Random numbers as arrays: every element's number depends on the key and its own position alone.
 *
 * Samplers that may reject a candidate draw again at the same position with the next attempt, so
 * that no element's number depends on how often another one was drawn.
 *
 * @module
 */
import { normalQuantile, portableExp, portableLog, portableLogFactorial } from "./portable.ts";
import { draw, threefry2x32, type Words } from "./threefry.ts";

/** An array to fill. */
type Output = Float32Array | Float64Array | Int32Array | Uint8Array;

const bits = new Int32Array(2);

/** The two words of the key that `data` leads to from `key`. */
export function foldedKey(key: Words, data: number): Int32Array {
  const out = new Int32Array(2);
  threefry2x32(out, key[0]!, key[1]!, 0, data);
  return out;
}

/** Multiples of 2⁻²³ in [0, 1). */
export function fillUniform32(out: Float32Array, key: Words): void {
  const k0 = key[0]!, k1 = key[1]!;
  for (let i = 0; i < out.length; i++) {
    threefry2x32(bits, k0, k1, 0, i);
    out[i] = ((bits[0]! ^ bits[1]!) >>> 9) * 2 ** -23;
  }
}

/** Multiples of 2⁻⁵² in [0, 1). */
export function fillUniform64(out: Float64Array, key: Words): void {
  const k0 = key[0]!, k1 = key[1]!;
  for (let i = 0; i < out.length; i++) {
    threefry2x32(bits, k0, k1, 0, i);
    out[i] = ((bits[0]! >>> 0) * 0x100000 + (bits[1]! >>> 12)) * 2 ** -52;
  }
}

/** Standard normal numbers, by inversion. */
export function fillNormal(out: Output, key: Words): void {
  for (let i = 0; i < out.length; i++) out[i] = normalQuantile(draw(key, i, 0));
}

/** 1 with the probability given, else 0. `probability` holds one value or one per element. */
export function fillBernoulli(out: Output, key: Words, probability: ArrayLike<number>): void {
  const step = probability.length === 1 ? 0 : 1;
  for (let i = 0; i < out.length; i++) out[i] = draw(key, i, 0) < probability[i * step]! ? 1 : 0;
}

/**
 * Gamma numbers of scale 1. `concentration` holds one positive value or one per element.
 *
 * Rejection from a cubed normal (Marsaglia and Tsang, "A simple method for generating gamma
 * variables", 2000, https://doi.org/10.1145/358407.358414); below 1, the number for
 * concentration + 1 times a power of a uniform one, raised to the smallest normal number at least.
 */
export function fillGamma(out: Output, key: Words, concentration: ArrayLike<number>): void {
  const step = concentration.length === 1 ? 0 : 1;
  const least = out instanceof Float32Array ? LEAST_FLOAT32 : LEAST_FLOAT64;
  for (let i = 0; i < out.length; i++) {
    const alpha = concentration[i * step]!;
    if (alpha >= 1) out[i] = gammaFromOne(key, i, alpha);
    else {
      const boost = portableLog(draw(key, i, 0)) / alpha;
      const x = portableExp(portableLog(gammaFromOne(key, i, alpha + 1)) + boost);
      out[i] = x < least ? least : x;
    }
  }
}

/** The smallest numbers with all digits: a gamma number is never 0. */
const [LEAST_FLOAT32, LEAST_FLOAT64] = [2 ** -126, 2 ** -1022];

/** Attempts 1, 3, 5, … propose, attempts 2, 4, 6, … decide. */
function gammaFromOne(key: Words, i: number, alpha: number): number {
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let attempt = 1;; attempt += 2) {
    const x = normalQuantile(draw(key, i, attempt));
    const t = 1 + c * x;
    if (t <= 0) continue;
    const v = t * t * t;
    const u = draw(key, i, attempt + 1);
    const x2 = x * x;
    if (u < 1 - 0.0331 * x2 * x2) return d * v;
    if (portableLog(u) < 0.5 * x2 + d * (1 - v + portableLog(v))) return d * v;
  }
}

/** From this rate on rejection needs fewer steps than a search. */
const LARGE_RATE = 10;

/** Poisson numbers. `rate` holds one value of at least 0, or one per element. */
export function fillPoisson(out: Output, key: Words, rate: ArrayLike<number>): void {
  const step = rate.length === 1 ? 0 : 1;
  for (let i = 0; i < out.length; i++) {
    const lambda = rate[i * step]!;
    out[i] = lambda < LARGE_RATE ? poissonSearch(key, i, lambda) : poissonReject(key, i, lambda);
  }
}

/** Inversion: the first k whose cumulative probability exceeds a uniform number. */
function poissonSearch(key: Words, i: number, lambda: number): number {
  const u = draw(key, i, 0);
  let probability = portableExp(-lambda);
  let cumulative = probability;
  let k = 0;
  // Past 2⁻⁶⁰ the sum no longer grows, and rounding may have left it below u.
  while (cumulative < u && probability > 2 ** -60) {
    probability *= lambda / ++k;
    cumulative += probability;
  }
  return k;
}

/**
 * Transformed rejection with squeeze (Hörmann, "The transformed rejection method for generating
 * Poisson random variables", 1993, https://doi.org/10.1016/0167-6687(93)90997-4).
 */
function poissonReject(key: Words, i: number, lambda: number): number {
  const logLambda = portableLog(lambda);
  const b = 0.931 + 2.53 * Math.sqrt(lambda);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  for (let attempt = 0;; attempt += 2) {
    const u = draw(key, i, attempt) - 0.5;
    const v = draw(key, i, attempt + 1);
    const us = 0.5 - Math.abs(u);
    const k = Math.floor((2 * a / us + b) * u + lambda + 0.43);
    if (us >= 0.07 && v <= squeeze) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accept = k * logLambda - lambda - portableLogFactorial(k);
    if (portableLog(v * inverseAlpha / (a / (us * us) + b)) <= accept) return k;
  }
}

/**
 * Class numbers with probabilities proportional to the exponentials of a row of logits, by
 * inversion. `rows[i]` tells the row of element i.
 */
export function fillCategorical(
  out: Output,
  key: Words,
  logits: ArrayLike<number>,
  classes: number,
  rows: ArrayLike<number>,
): void {
  const cumulative = new Float64Array(classes);
  let current = -1;
  for (let i = 0; i < out.length; i++) {
    const row = rows[i]!;
    if (row !== current) accumulate(cumulative, logits, (current = row) * classes);
    const target = draw(key, i, 0) * cumulative[classes - 1]!;
    let c = 0;
    while (cumulative[c]! <= target) c++;
    out[i] = c;
  }
}

/** Running sums of the exponentials of one row, its largest taken as 1. */
function accumulate(out: Float64Array, logits: ArrayLike<number>, start: number): void {
  let largest = -Infinity;
  for (let c = 0; c < out.length; c++) largest = Math.max(largest, logits[start + c]!);
  let sum = 0;
  for (let c = 0; c < out.length; c++) {
    sum += portableExp(logits[start + c]! - largest);
    out[c] = sum;
  }
}

/** The numbers 0 … n − 1 in random order (Fisher and Yates). */
export function fillPermutation(out: Int32Array, key: Words): void {
  for (let i = 0; i < out.length; i++) out[i] = i;
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draw(key, i, 0) * (i + 1));
    const last = out[i]!;
    out[i] = out[j]!;
    out[j] = last;
  }
}
