/**
 * The gamma family for one number: log-gamma, digamma and its derivatives.
 *
 * All three shift the argument upwards by the recurrence until an asymptotic series in Bernoulli
 * numbers holds to machine precision (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.11), and reflect
 * negative arguments.
 *
 * @module
 */

/** B₂, B₄, … B₂₀. */
const BERNOULLI = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
] as const;

/** From here on the series hold. */
const LARGE = 12;

/** `log |Γ(x)|`. */
export function lgammaValue(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x) || x === -Infinity) return Infinity;
    return Math.log(Math.PI / Math.abs(sinPi(x))) - lgammaValue(1 - x);
  }
  if (x === 1 || x === 2) return 0;
  if (x === Infinity) return Infinity;
  let product = 1;
  let z = x;
  for (; z < LARGE; z++) product *= z;
  let series = 0;
  let power = z;
  for (let k = 1; k <= BERNOULLI.length; k++) {
    series += BERNOULLI[k - 1]! / (2 * k * (2 * k - 1) * power);
    power *= z * z;
  }
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** The `n`-th derivative of digamma, itself for `n = 0`. */
export function polygammaValue(n: number, x: number): number {
  if (x <= 0) {
    if (x === 0 && n % 2 === 0) return -1 / x;
    if (Number.isInteger(x)) return n % 2 === 1 ? Infinity : NaN;
    return (n % 2 === 1 ? -1 : 1) * polygammaValue(n, 1 - x) -
      Math.PI ** (n + 1) * cotangentDerivative(n, cosPi(x) / sinPi(x));
  }
  if (x === Infinity) return n === 0 ? Infinity : 0;
  return n === 0 ? digammaValue(x) : derivativeValue(n, x);
}

/** Digamma of a positive number. */
function digammaValue(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < LARGE; z++) shift += 1 / z;
  const r = 1 / (z * z);
  let series = 0;
  for (let k = BERNOULLI.length; k >= 1; k--) series = (BERNOULLI[k - 1]! / (2 * k) + series) * r;
  return Math.log(z) - 0.5 / z - series - shift;
}

/** The `n`-th derivative of digamma at a positive number, `n ≥ 1`. */
function derivativeValue(n: number, x: number): number {
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  let shift = 0;
  let z = x;
  for (; z < LARGE + n; z++) shift += inversePower(z, n + 1);
  const r = inversePower(z, 2);
  let series = 1 / (2 * z) + 1 / n;
  let rising = (n + 1) / 2;
  let power = r;
  for (let k = 1; k <= BERNOULLI.length; k++) {
    series += BERNOULLI[k - 1]! * rising * power;
    rising *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1) * (2 * k + 2));
    power *= r;
  }
  const sum = factorial * (inversePower(z, n) * series + shift);
  return n % 2 === 1 ? sum : -sum;
}

/** `z^−n` for a small whole n: powers of the language take as long as a dozen products. */
function inversePower(z: number, n: number): number {
  const inverse = 1 / z;
  let power = inverse;
  for (let i = 1; i < n; i++) power *= inverse;
  return power;
}

/** The `n`-th derivative of the cotangent, as a polynomial in its value. */
function cotangentDerivative(n: number, cot: number): number {
  let coefficients = [0, 1];
  for (let order = 0; order < n; order++) {
    const next = new Array<number>(coefficients.length + 1).fill(0);
    for (let i = 1; i < coefficients.length; i++) {
      next[i - 1]! -= i * coefficients[i]!;
      next[i + 1]! -= i * coefficients[i]!;
    }
    coefficients = next;
  }
  return coefficients.reduceRight((sum, c) => sum * cot + c, 0);
}

/** `sin πx` without losing digits for large x. */
function sinPi(x: number): number {
  const r = x - 2 * Math.round(x / 2);
  return Math.abs(r) <= 0.25
    ? Math.sin(Math.PI * r)
    : r > 0.75 || r < -0.75
    ? Math.sin(Math.PI * (Math.sign(r) - r))
    : Math.sign(r) * Math.cos(Math.PI * (Math.abs(r) - 0.5));
}

/** `cos πx` without losing digits for large x. */
function cosPi(x: number): number {
  return sinPi(x + 0.5);
}
