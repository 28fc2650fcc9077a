/**
 * Samplers that may reject what they propose, in WGSL: gamma and Poisson numbers, by the methods of
 * `reference.ts`, from the same draws.
 *
 * What decides whether a proposal is accepted is written such that nothing cancels: logarithms of
 * ratios close to 1 as `log(1 + e) − e`, factorials by what Stirling's formula leaves over.
 *
 * @module
 */
import { createKernel, groupsFor, type WgslKernel } from "../wgsl/kernel.ts";
import { DRAW } from "./wgsl_bits.ts";
import { QUANTILE } from "./wgsl_quantile.ts";

/** `log(1 + e) − e`, for small e by the series of `2 artanh(e / (2 + e))`. */
const EXCESS = `fn excess(e: f32) -> f32 {
  if (abs(e) > 0.3) { return log(1.0 + e) - e; }
  let s = e / (2.0 + e);
  let z = s * s;
  return s * (2.0 * z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0)))) - e);
}
`;

function sampler(
  name: string,
  parameter: string,
  type: "f32" | "i32",
  counts: readonly [count: number, parameters: number],
  declarations: string,
): WgslKernel {
  const [count, parameters] = counts;
  return createKernel({
    name,
    inputs: [{ name: "key", type: "i32" }, { name: parameter, type: "f32" }],
    outputs: [{ name: "y", type }],
    groups: groupsFor(count),
    declarations: `${DRAW}\n${EXCESS}\n${declarations}`,
    body: `if (index >= ${count}u) { return; }
y[index] = ${name}At(index, ${parameter}[${parameters === 1 ? "0" : "index"}]);`,
  });
}

/**
 * `count` gamma numbers of scale 1, those of the CPU to 2e-5 of their size, but for one in about a
 * million that accepts another proposal. Inputs: key (int32, 2), concentration (float32, positive,
 * `concentrations`: 1 for all, or `count`).
 */
export function gammaKernel(count: number, concentrations: number): WgslKernel {
  return sampler(
    "gamma",
    "concentration",
    "f32",
    [count, concentrations],
    `${QUANTILE}
fn gammaAt(i: u32, alpha: f32) -> f32 {
  if (alpha >= 1.0) { return gammaFromOne(i, alpha); }
  let x = exp(log(gammaFromOne(i, alpha + 1.0)) + log(fraction(draw(i, 0u))) / alpha);
  return max(x, ${Math.fround(2 ** -126)}f);
}

fn gammaFromOne(i: u32, alpha: f32) -> f32 {
  let d = alpha - 1.0 / 3.0;
  let c = 1.0 / sqrt(9.0 * d);
  for (var attempt = 1u; attempt < 0xffffu; attempt += 2u) {
    let x = normalQuantile(draw(i, attempt));
    let e = c * x;
    let t = 1.0 + e;
    if (t <= 0.0) { continue; }
    let u = fraction(draw(i, attempt + 1u));
    let squared = x * x;
    // d (1 − v + log v) for v = (1 + e)³.
    let rest = d * (3.0 * excess(e) - e * e * (3.0 + e));
    if (u < 1.0 - 0.0331 * squared * squared || log(u) < 0.5 * squared + rest) {
      return d * t * t * t;
    }
  }
  return d;
}
`,
  );
}

/** What Stirling's formula lacks of `log k!` where its series does not hold yet. */
const LACKING = Array.from({ length: 16 }, (_, k) => {
  let sum = 0;
  for (let i = 2; i <= k; i++) sum += Math.log(i);
  return k === 0 ? 0 : sum - (k + 0.5) * Math.log(k) + k - 0.5 * Math.log(2 * Math.PI);
});

/**
 * `count` Poisson numbers, those of the CPU, but for one in about 2²⁴ / rate that is next to it:
 * float32 holds no more digits. From 2²⁴ on only numbers that it holds occur. Inputs: key (int32,
 * 2), rate (float32, at least 0, `rates`: 1 for all, or `count`).
 */
export function poissonKernel(count: number, rates: number): WgslKernel {
  return sampler(
    "poisson",
    "rate",
    "i32",
    [count, rates],
    `${LOG_FACTORIAL}
fn poissonAt(i: u32, lambda: f32) -> i32 {
  if (lambda < 10.0) { return poissonSearch(i, lambda); }
  return poissonReject(i, lambda);
}

fn poissonSearch(i: u32, lambda: f32) -> i32 {
  let u = fraction(draw(i, 0u));
  var probability = exp(-lambda);
  var cumulative = probability;
  var k = 0;
  while (cumulative < u && probability > 0x1p-60f) {
    k++;
    probability *= lambda / f32(k);
    cumulative += probability;
  }
  return k;
}

fn poissonReject(i: u32, lambda: f32) -> i32 {
  let b = 0.931 + 2.53 * sqrt(lambda);
  let a = -0.059 + 0.02483 * b;
  let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  let squeeze = 0.9277 - 3.6224 / (b - 2.0);
  for (var attempt = 0u; attempt < 0xffffu; attempt += 2u) {
    let n = draw(i, attempt);
    let isUpper = (n.x & 0x80000000u) != 0u;
    let size = fraction(select(~n, n, isUpper) & vec2u(0x7fffffffu, 0xfffffu));
    let us = fraction(select(n, ~n, isUpper) & vec2u(0x7fffffffu, 0xfffffu));
    let u = select(-size, size, isUpper);
    let v = fraction(draw(i, attempt + 1u));
    let k = floor((2.0 * a / us + b) * u + lambda + 0.43);
    if (us >= 0.07 && v <= squeeze) { return i32(k); }
    if (k < 0.0 || (us < 0.013 && v > us)) { continue; }
    if (log(v * inverseAlpha / (a / (us * us) + b)) <= logProbability(k, lambda)) { return i32(k); }
  }
  return i32(lambda);
}
`,
  );
}

/** `k log λ − λ − log k!`. */
const LOG_FACTORIAL = `var<private> lacking: array<f32, 16> = array<f32, 16>(
  ${LACKING.map((value) => `${Math.fround(value)}f`).join(", ")}
);

fn logProbability(k: f32, lambda: f32) -> f32 {
  if (k < 1.0) { return -lambda; }
  let e = (k - lambda) / lambda;
  let r = 1.0 / k;
  var rest = r * (1.0 / 12.0 - r * r * (1.0 / 360.0));
  if (k < 15.5) { rest = lacking[u32(k)]; }
  return -k * excess(e) - e * (k - lambda) - 0.5 * log(${2 * Math.PI} * k) - rest;
}
`;
