/**
 * The gamma family in WGSL: log-gamma, digamma and its derivatives, in float32.
 *
 * Small arguments are shifted by the recurrence, to Taylor's series around 2 for log-gamma and to
 * asymptotic series in Bernoulli numbers otherwise (Abramowitz & Stegun 6.1.33, 6.1.41, 6.3.18,
 * 6.4.11); those up to 0 are reflected. Relative errors stay below 1e-6 for positive arguments
 * (next to the root of digamma: absolute ones), and below 1e-5 for others but next to roots.
 *
 * @module
 */

/** The functions `lgamma` and `polygamma0` for other kernels, which declare what these call. */
export function declareGamma(): string {
  return [SINE_OF_PI, wgslLgamma(), wgslPolygamma(0)].join("\n");
}

/** What the functions of this file call. */
export const GAMMA_CALLS: readonly string[] = ["scalar_log", "number_from_bits"];

/** A number as WGSL has it. */
function literal(value: number): string {
  return `${Math.fround(value)}f`;
}

/** A polynomial in `x` by Horner's rule; the first coefficient is that of 1. */
function polynomial(coefficients: readonly number[], x: string): string {
  return coefficients.slice(0, -1).reduceRight(
    (rest, coefficient) => `(${literal(coefficient)} + ${x} * ${rest})`,
    literal(coefficients.at(-1)!),
  );
}

/** `sin πx` on half a period by Taylor's series, without its factor x, in x². */
const SINE = Array.from({ length: 7 }, (_, k) => {
  let coefficient = Math.PI;
  for (let i = 1; i <= k; i++) coefficient *= -(Math.PI ** 2) / (2 * i * (2 * i + 1));
  return coefficient;
});

/** `sin πx`. */
const SINE_OF_PI = `
fn sinPi(x: f32) -> f32 {
  let r = x - 2.0 * round(0.5 * x);
  let folded = select(r, sign(r) - r, abs(r) > 0.5);
  let squared = folded * folded;
  return folded * ${polynomial(SINE, "squared")};
}
`;

/** `ζ(k) − 1` for k from 2 on. */
const ZETA = [
  0.6449340668482264,
  0.2020569031595943,
  0.0823232337111382,
  0.0369277551433699,
  0.0173430619844491,
  0.0083492773819228,
  0.0040773561979443,
  0.0020083928260822,
  0.0009945751278181,
  0.0004941886041195,
  0.0002460865533080,
  0.0001227133475785,
];

/** One less Euler's constant: the derivative of log-gamma at 2. */
const SLOPE = 0.4227843350984671;

/** The coefficients of `log Γ(2 + t) / t`. */
const AROUND_TWO = [SLOPE, ...ZETA.map((zeta, i) => (i % 2 === 0 ? zeta : -zeta) / (i + 2))];

function wgslLgamma(): string {
  const stirling = polynomial([1 / 12, -1 / 360, 1 / 1260], "(r * r)");
  return `fn lgammaAroundTwo(t: f32) -> f32 {
  return t * ${polynomial(AROUND_TWO, "t")};
}

fn lgammaPositive(x: f32) -> f32 {
  if (x >= 8.0) {
    let r = 1.0 / x;
    return (x - 0.5) * (scalar_log(x) - 1.0) + (${literal(Math.log(2 * Math.PI) / 2 - 0.5)} +
      r * ${stirling});
  }
  if (x < 0.5) { return lgammaAroundTwo(x) - scalar_log(x * (1.0 + x)); }
  if (x < 1.5) { return lgammaAroundTwo(x - 1.0) - scalar_log(x); }
  var z = x;
  var product = 1.0;
  while (z >= 2.5) {
    z -= 1.0;
    product *= z;
  }
  return lgammaAroundTwo(z - 2.0) + scalar_log(product);
}

fn lgamma(x: f32) -> f32 {
  if (bitcast<u32>(abs(x)) == 0x7f800000u) { return abs(x); }
  if (x > 0.0) { return lgammaPositive(x); }
  let sine = abs(sinPi(x));
  if (sine == 0.0) { return number_from_bits(0x7f800000u); }
  return ${literal(Math.log(Math.PI))} - scalar_log(sine) - lgammaPositive(1.0 - x);
}
`;
}

/** B₂, B₄, … B₁₂. */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730];

/** Arguments are shifted up to this one, and by n more for the n-th derivative. */
const LARGE = 7;

/** At 0 the sign is that of the zero turned round. */
const POLE_AT_ZERO = `let bits = bitcast<u32>(x);
  if ((bits << 1u) == 0u) { return number_from_bits((bits ^ 0x80000000u) | 0x7f800000u); }`;

function wgslPolygamma(n: number): string {
  return `fn polygammaPositive(x: f32) -> f32 {
  var z = x;
  var shift = 0.0;
  while (z < ${literal(LARGE + n)}) {
    let r = 1.0 / z;
    shift += ${Array(n + 1).fill("r").join(" * ")};
    z += 1.0;
  }
  let r = 1.0 / z;
  let squared = r * r;
  return ${n === 0 ? digamma() : derivative(n)};
}

fn polygamma${n}(x: f32) -> f32 {
  if (bitcast<u32>(x) == 0x7f800000u) { return ${n === 0 ? "x" : "0.0"}; }
  if (x > 0.0) { return polygammaPositive(x); }
  ${n % 2 === 1 ? "" : POLE_AT_ZERO}
  let sine = sinPi(x);
  if (sine == 0.0) { return number_from_bits(${n % 2 === 1 ? "0x7f800000u" : "0x7fc00000u"}); }
  let r = x - 2.0 * round(0.5 * x);
  let cotangent = sinPi(0.5 - abs(r)) / sine;
  return ${n % 2 === 1 ? "-" : ""}polygammaPositive(1.0 - x) -
    ${literal(Math.PI ** (n + 1))} * ${polynomial(cotangentDerivative(n), "cotangent")};
}
`;
}

function digamma(): string {
  const series = BERNOULLI.map((b, i) => b / (2 * i + 2));
  return `scalar_log(z) - 0.5 * r - squared * ${polynomial(series, "squared")} - shift`;
}

/** Of `n ≥ 1`: the factorial times a sum of `z^−(n+1)`, and the asymptotic series. */
function derivative(n: number): string {
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  let rising = factorial * (n + 1) / 2;
  const series = BERNOULLI.map((b, i) => {
    const k = i + 1;
    const term = b * rising;
    rising *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1) * (2 * k + 2));
    return term;
  });
  const power = Array(n).fill("r").join(" * ");
  const sum = `${literal(factorial)} * shift + ${power} * (${literal(factorial / n)} + ` +
    `${literal(factorial / 2)} * r + squared * ${polynomial(series, "squared")})`;
  return n % 2 === 1 ? sum : `-(${sum})`;
}

/** The `n`-th derivative of the cotangent, as the coefficients of a polynomial in its value. */
function cotangentDerivative(n: number): number[] {
  let coefficients = [0, 1];
  for (let order = 0; order < n; order++) {
    const next = new Array<number>(coefficients.length + 1).fill(0);
    for (let i = 1; i < coefficients.length; i++) {
      next[i - 1]! -= i * coefficients[i]!;
      next[i + 1]! -= i * coefficients[i]!;
    }
    coefficients = next;
  }
  return coefficients;
}
