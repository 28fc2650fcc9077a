/**
 * The negative binomial's `−log NB(x | μ, θ)` and its derivatives in WGSL, in float32: the sum of
 * positive terms of `reference.ts`, with differences taken before they lose their digits.
 *
 * @module
 */
import { declareGamma, GAMMA_CALLS } from "../gamma/wgsl.ts";
import { declareFunctions } from "../functions/wgsl.ts";
import { createKernel, groupsFor, type WgslKernel } from "../wgsl/kernel.ts";
import type { Argument, CountOptions } from "./reference.ts";

/** `y = −log NB` of `count` counts, or a derivative. Inputs: x, means, inverse dispersions. */
export function negativeBinomialKernel(
  by: Argument | "value",
  { logs, epsilon }: CountOptions,
  count: number,
): WgslKernel {
  const name = by === "value" ? "negativeBinomial" : `negativeBinomial by ${by}`;
  return createKernel({
    name: logs ? `${name} of logarithms` : name,
    inputs: ["counts", "means", "dispersions"].map((input) => ({ name: input, type: "f32" })),
    outputs: [{ name: "y", type: "f32" }],
    groups: groupsFor(count),
    declarations: [
      declareFunctions([...GAMMA_CALLS, "is_nan", "scalar_exp", "scalar_log1p"]),
      declareGamma(),
      FUNCTIONS,
    ].join("\n"),
    body: `if (index >= ${count}u) { return; }
let x = counts[index];
if (is_nan(x) || is_nan(means[index]) || is_nan(dispersions[index])) {
  y[index] = number_from_bits(0x7fc00000u);
  return;
}
let a = ${logs ? `min(means[index], ${LARGEST}f)` : "means[index]"};
let theta = ${logs ? "scalar_exp(dispersions[index])" : "dispersions[index]"};
let mean = ${logs ? "scalar_exp(a)" : "a"};
let epsilon = ${Math.fround(epsilon)}f;
let mu = mean + epsilon;
y[index] = ${logs ? BY_LOGARITHM[by] : BY_VALUE[by]};`,
  });
}

/** Logarithms of means are so large at most; beyond, the value is a line. */
const LARGEST = 70;

const BEYOND = `max(0f, means[index] - ${LARGEST}f)`;

const BY_VALUE: Readonly<Record<Argument | "value", string>> = {
  value: "value(x, mu, theta) - theta * scalar_log1p(epsilon / theta)",
  count: "by_count(x, mu, theta)",
  mean: "((mu - x) / mu) * (theta / (theta + mu))",
  dispersion: "by_dispersion(x, mu, theta) - offset_slope(theta, epsilon)",
};

const BY_LOGARITHM: Readonly<Record<Argument | "value", string>> = {
  value: `${BY_VALUE.value} + theta * ${BEYOND}`,
  count: BY_VALUE.count,
  mean: `${BY_VALUE.mean} * mean`,
  dispersion: `theta * (${BY_VALUE.dispersion} + ${BEYOND})`,
};

const HALF_LOG_TWO_PI = `${Math.fround(Math.log(2 * Math.PI) / 2)}f`;

const FUNCTIONS = `
// log(1 + u) - u / (1 + u), from the logarithm and the inverse of 1 + u.
fn excess(u: f32, logarithm: f32, inverse: f32) -> f32 {
  let w = u / (2f + u);
  let z = w * w;
  let near = 2f * z * (1f / (1f + w) + w * (1f / 3f + z * (1f / 5f + z / 7f)));
  return select(logarithm - 1f + inverse, near, abs(u) < 0.1f);
}

// log(1 + u), which is spread - log(1 + ratio) too.
fn logarithm_of(u: f32, spread: f32, ratio: f32) -> f32 {
  return select(spread - scalar_log1p(ratio), scalar_log1p(u), u > -0.5f && u < 1e30f);
}

fn lower_terms(r: f32) -> f32 {
  return r * r * r * (1f / 360f - r * r * (1f / 1260f - r * r / 1680f));
}

fn stirling(y: f32) -> f32 {
  if (y >= 8f) { return 1f / (12f * y) - lower_terms(1f / y) - 0.5f * scalar_log(y); }
  return lgammaPositive(y) - y * scalar_log(y) + y - ${HALF_LOG_TWO_PI};
}

fn stirling_slope(y: f32) -> f32 {
  if (y < 8f) { return polygamma0(y) - scalar_log(y); }
  let r = 1f / y;
  return -r * (0.5f + r * (1f / 12f - r * r * (1f / 120f - r * r / 252f)));
}

fn factorial(x: f32) -> f32 {
  if (x < 8f) { return lgammaPositive(x + 1f) - x * scalar_log(x) + x; }
  return 0.5f * scalar_log(x) + ${HALF_LOG_TWO_PI} + 1f / (12f * x) - lower_terms(1f / x);
}

fn fall(theta: f32, x: f32) -> f32 {
  let n = theta + x;
  if (theta < 8f) { return stirling(theta) - stirling(n); }
  return 0.5f * scalar_log1p(x / theta) + (x / theta) / (12f * n) -
    (lower_terms(1f / theta) - lower_terms(1f / n));
}

fn fall_slope(theta: f32, x: f32) -> f32 {
  var t = theta;
  var n = theta + x;
  var sum = 0f;
  while (t < 8f) {
    sum -= (x / t) / n;
    t += 1f;
    n += 1f;
  }
  if (theta < 8f) { sum += scalar_log1p(x / theta) - scalar_log1p(x / t); }
  return sum - (x / t) / (2f * n) * (1f + (1f / t + 1f / n) / 6f) + later_terms(1f / t) -
    later_terms(1f / n);
}

fn later_terms(r: f32) -> f32 {
  return r * r * r * r * (1f / 120f - r * r * (1f / 252f - r * r / 240f));
}

fn value(x: f32, mu: f32, theta: f32) -> f32 {
  let spread = scalar_log1p(mu / theta);
  if (x == 0f) { return theta * spread; }
  let counted = scalar_log1p(theta / mu);
  let n = x + theta;
  if (!(x > 0f)) {
    return lgamma(theta) + lgamma(x + 1f) - lgamma(n) + theta * spread + x * counted;
  }
  let u = (mu - x) / n;
  let v = ((x - mu) / mu) * (theta / n);
  let above = excess(u, logarithm_of(u, spread, x / theta), n / (theta + mu));
  let below = excess(v, logarithm_of(v, counted, theta / x), n / x / (1f + theta / mu));
  return theta * above + x * below + factorial(x) + fall(theta, x);
}

fn by_dispersion(x: f32, mu: f32, theta: f32) -> f32 {
  let spread = scalar_log1p(mu / theta);
  if (!(x >= 0f)) {
    return polygamma0(theta) - polygamma0(x + theta) + spread + (x - mu) / (theta + mu);
  }
  let n = x + theta;
  let u = (mu - x) / n;
  return excess(u, logarithm_of(u, spread, x / theta), n / (theta + mu)) + fall_slope(theta, x);
}

fn by_count(x: f32, mu: f32, theta: f32) -> f32 {
  let n = x + theta;
  let counted = scalar_log1p(theta / mu);
  if (!(x >= 0f) || (theta < 8f && x < 50f)) {
    return polygamma0(x + 1f) - polygamma0(n) + counted;
  }
  if (x < 8f) {
    let above = logarithm_of((mu - x) / n, scalar_log1p(mu / theta), x / theta);
    return polygamma0(x + 1f) - scalar_log(mu) + above - stirling_slope(n);
  }
  let below = logarithm_of(((x - mu) / mu) * (theta / n), counted, theta / x);
  return below + stirling_slope(x) + 1f / x - stirling_slope(n);
}

// The derivative of theta * log(1 + epsilon / theta).
fn offset_slope(theta: f32, epsilon: f32) -> f32 {
  return scalar_log1p(epsilon / theta) - epsilon / (theta + epsilon);
}
`;
