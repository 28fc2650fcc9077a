/**
 * Scalar functions as WGSL, to the digits of single precision.
 *
 * WGSL grants its own `exp`, `log`, `sin` and their kin errors of many digits near zero, and leaves
 * `pow` of negative numbers and whatever is infinite or NaN open. What is here is made of additions,
 * products and shifts, with the polynomials of `elementwise/coefficients.ts`, so that it is the same
 * on every adapter. Compilers may reorder and fuse sums: where a remainder is needed, it comes from
 * products that are exact either way, and NaN is told by its bits.
 *
 * Errors in units in the last place, measured on Mesa's llvmpipe (`wgsl_functions_test.ts`): exp 1.8,
 * expm1 1.6, log 0.8, log1p 2.4, tanh 2.5, sin and cos 2.4, and
 * pow 2 + |y|. Adapters may take subnormal numbers for 0, and -0 for 0.
 *
 * @module
 */
import {
  COS_TAIL,
  EXP_TAIL,
  HALF_PI_PARTS,
  LN2_HIGH,
  LN2_LOW,
  LOG_TAIL,
  SIN_TAIL,
} from "../elementwise/coefficients.ts";
import { UNKNOWN_ZERO } from "./kernel.ts";

/** A function's text, and the functions that it calls. */
interface WgslFunction {
  text: string;
  calls?: readonly WgslFunctionName[];
}

/** The name of a function that {@linkcode declareFunctions} knows. */
export type WgslFunctionName =
  | "zero_bits"
  | "is_nan"
  | "number_from_bits"
  | "opaque"
  | "power_of_two"
  | "exp_polynomial"
  | "log_mantissa"
  | "log_or_limit"
  | "sin_from_quarter"
  | "without_quarters"
  | "scalar_cos"
  | "scalar_exp"
  | "scalar_expm1"
  | "scalar_log"
  | "scalar_log1p"
  | "scalar_max"
  | "scalar_min"
  | "scalar_pow"
  | "scalar_sign"
  | "scalar_sin"
  | "scalar_tanh";

/** The digits that single precision has. */
function single(x: number): number {
  return Number(x.toPrecision(9));
}

/** The statements of Horner's rule, coefficients from the constant on. */
function polynomial(name: string, x: string, coefficients: readonly number[]): string {
  const [first, ...rest] = coefficients.map((c) => `${single(c)}f`).toReversed();
  return [
    `var ${name} = ${first};`,
    ...rest.map((c) => `  ${name} = fma(${name}, ${x}, ${c});`),
  ].join("\n");
}

/** Digits of 1/2π in words of 32 bits, from those before the point on. */
const INVERSE_TURN = [
  "0u",
  "0x28be60dbu",
  "0x9391054au",
  "0x7f09d5f4u",
  "0x7d4d3770u",
  "0x36d8a566u",
  "0x4f10e410u",
  "0x7f9458eau",
];

const FUNCTIONS: Readonly<Record<WgslFunctionName, WgslFunction>> = {
  zero_bits: { text: UNKNOWN_ZERO },
  is_nan: {
    text: `fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  },
  number_from_bits: {
    text: `// The only way to infinities and NaN, which constants must not be.
fn number_from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits | zero_bits);
}`,
    calls: ["zero_bits"],
  },
  opaque: {
    text: `// The number itself, of which compilers know nothing.
fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | zero_bits);
}`,
    calls: ["zero_bits"],
  },
  power_of_two: {
    text: `// 2ⁿ, n from -126 to 127.
fn power_of_two(n: i32) -> f32 {
  return bitcast<f32>((n + 127) << 23u);
}`,
  },
  exp_polynomial: {
    text: `// eʳ - 1, |r| ≤ ½ log 2.
fn exp_polynomial(r: f32) -> f32 {
  ${polynomial("tail", "r", EXP_TAIL)}
  return fma(r * r, tail, r);
}`,
  },
  log_mantissa: {
    text: `// log(1 + f) + k log 2, 1 + f from √½ to √2.
fn log_mantissa(f: f32, k: f32) -> f32 {
  let s = f / (f + 2f);
  let square = s * s;
  ${polynomial("tail", "square", LOG_TAIL)}
  let half_square = 0.5f * f * f;
  let rest = fma(s, fma(square, tail, half_square), k * ${single(LN2_LOW)}f);
  return fma(k, ${LN2_HIGH}f, f + (rest - half_square));
}`,
  },
  log_or_limit: {
    text: `// The logarithm of u where it is a positive number, else what logarithms are there.
fn log_or_limit(u: f32, logarithm: f32) -> f32 {
  let bits = bitcast<u32>(u);
  let infinite = select(0x7fc00000u, 0x7f800000u, bits == 0x7f800000u);
  let limit = select(infinite, 0xff800000u, (bits << 1u) == 0u);
  return select(number_from_bits(limit), logarithm, bits - 1u < 0x7f7fffffu);
}`,
    calls: ["number_from_bits"],
  },
  sin_from_quarter: {
    text: `// sin(x + quarters · π/2), |x| ≤ 8192.
fn sin_from_quarter(x: f32, quarters: i32) -> f32 {
  let n = round(x * ${single(2 / Math.PI)}f);
  var r = x;
${HALF_PI_PARTS.map((part) => `  r = fma(-n, ${single(part)}f, r);`).join("\n")}
  let square = r * r;
  ${polynomial("sine", "square", SIN_TAIL)}
  sine = fma(r * square, sine, r);
  ${polynomial("cosine", "square", COS_TAIL)}
  cosine = 1f - fma(square, 0.5f, -(square * square * cosine));
  let quarter = bitcast<u32>(i32(n) + quarters);
  let value = select(sine, cosine, (quarter & 1u) == 1u);
  return bitcast<f32>(bitcast<u32>(value) ^ ((quarter & 2u) << 30u));
}`,
  },
  without_quarters: {
    text:
      `// x without its multiples of π/2, whose number is added to quarters, |x| > 8192: the product with
// the digits of 1/2π that matter (Payne & Hanek, ACM SIGNUM Newsletter 18, 1983).
fn without_quarters(x: f32, quarters: ptr<function, i32>) -> f32 {
  var digits = array<u32, 8>(${INVERSE_TURN.join(", ")});
  let bits = bitcast<u32>(x);
  let exponent = ((bits >> 23u) & 0xffu) - 126u;
  if (exponent > 128u) { return number_from_bits(0x7fc00000u); }
  let mantissa = ((bits & 0x7fffffu) | 0x800000u) << 8u;
  let first = exponent >> 5u;
  let shift = exponent & 31u;
  var words = vec3u();
  for (var i = 0u; i < 3u; i++) {
    words[i] = (digits[first + i] << shift) | ((digits[first + i + 1u] >> 1u) >> (31u - shift));
  }
  let middle = mantissa * words.y;
  var low = middle + upper_product(mantissa, words.z);
  var high = mantissa * words.x + upper_product(mantissa, words.y) + select(0u, 1u, low < middle);
  let count = i32((high + 0x20000000u) >> 30u);
  let is_below = (high & 0x20000000u) != 0u;
  high &= 0x3fffffffu;
  if (is_below) {
    low = ~low;
    high = 0x3fffffffu - high;
  }
  let rest = (f32(high) * 4294967296f + f32(low)) * ${single(Math.PI / 2 * 2 ** -62)}f;
  let is_negative = bits >> 31u == 1u;
  *quarters += select(count, -count, is_negative);
  return select(rest, -rest, is_below != is_negative);
}

// The upper 32 of the 64 bits of a product.
fn upper_product(a: u32, b: u32) -> u32 {
  let cross = (a >> 16u) * (b & 0xffffu);
  let other = (a & 0xffffu) * (b >> 16u);
  let carry = (((a & 0xffffu) * (b & 0xffffu)) >> 16u) + (cross & 0xffffu) + (other & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u) + (carry >> 16u);
}`,
    calls: ["number_from_bits"],
  },
  scalar_cos: {
    text: `fn scalar_cos(x: f32) -> f32 {
  var quarters = 1;
  var rest = x;
  if (!(abs(x) <= 8192f)) { rest = without_quarters(x, &quarters); }
  return sin_from_quarter(rest, quarters);
}`,
    calls: ["sin_from_quarter", "without_quarters"],
  },
  scalar_exp: {
    text: `fn scalar_exp(x: f32) -> f32 {
  let limited = clamp(x, -104f, 89f);
  let n = round(limited * ${single(Math.LOG2E)}f);
  let r = fma(-n, ${single(LN2_LOW)}f, fma(-n, ${LN2_HIGH}f, limited));
  // Two factors, as neither 2¹²⁸ nor 2⁻¹⁵⁰ is a number.
  let whole = i32(n);
  let half = whole >> 1u;
  let result = (1f + exp_polynomial(r)) * power_of_two(half) * power_of_two(whole - half);
  return select(result, x, is_nan(x));
}`,
    calls: ["exp_polynomial", "power_of_two", "is_nan"],
  },
  scalar_expm1: {
    text: `// eˣ - 1.
fn scalar_expm1(x: f32) -> f32 {
  let limited = clamp(x, -20f, 88.9f);
  let n = round(limited * ${single(Math.LOG2E)}f);
  let change = exp_polynomial(fma(-n, ${single(LN2_LOW)}f, fma(-n, ${LN2_HIGH}f, limited)));
  // Half of it, as 2¹²⁸ is not a number.
  let half = power_of_two(i32(n) - 1);
  let result = 2f * fma(half, change, half - 0.5f);
  return select(select(result, change, n == 0f), x, is_nan(x) || x == 0f);
}`,
    calls: ["exp_polynomial", "power_of_two", "is_nan"],
  },
  scalar_log: {
    text: `fn scalar_log(x: f32) -> f32 {
  let small = x < ${single(2 ** -126)}f;
  let bits = bitcast<u32>(select(x, x * ${2 ** 23}f, small));
  let exponent = (bits - 0x3f3504f3u) & 0xff800000u;
  let k = f32(bitcast<i32>(exponent) >> 23u) - select(0f, 23f, small);
  return log_or_limit(x, log_mantissa(bitcast<f32>(bits - exponent) - 1f, k));
}`,
    calls: ["log_mantissa", "log_or_limit"],
  },
  scalar_log1p: {
    text: `// log(1 + x).
fn scalar_log1p(x: f32) -> f32 {
  let u = 1f + x;
  let bits = bitcast<u32>(u);
  let exponent = (bits - 0x3f3504f3u) & 0xff800000u;
  let k = f32(bitcast<i32>(exponent) >> 23u);
  // Near 0, x itself: 1 + x has lost digits.
  let f = select(bitcast<f32>(bits - exponent) - 1f, x, exponent == 0u);
  return select(log_or_limit(u, log_mantissa(f, k)), x, x == 0f);
}`,
    calls: ["log_mantissa", "log_or_limit"],
  },
  scalar_max: {
    text: `// The larger of two, 0 of both zeros; NaN wins.
fn scalar_max(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b));
  let larger = select(select(b, a, a > b), equal, a == b);
  return select(select(larger, b, is_nan(b)), a, is_nan(a));
}`,
    calls: ["is_nan"],
  },
  scalar_min: {
    text: `// The smaller of two, -0 of both zeros; NaN wins.
fn scalar_min(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b));
  let smaller = select(select(b, a, a < b), equal, a == b);
  return select(select(smaller, b, is_nan(b)), a, is_nan(a));
}`,
    calls: ["is_nan"],
  },
  scalar_pow: {
    text:
      `// xʸ; y k and its two parts are exact, so that errors do not grow with the exponent of x.
fn scalar_pow(x: f32, y: f32) -> f32 {
  let size = abs(x);
  let small = size < ${single(2 ** -126)}f;
  let bits = bitcast<u32>(select(size, size * ${2 ** 23}f, small));
  let exponent = (bits - 0x3f3504f3u) & 0xff800000u;
  let k = f32(bitcast<i32>(exponent) >> 23u) - select(0f, 23f, small);
  let logarithm = opaque(y * log_mantissa(bitcast<f32>(bits - exponent) - 1f, 0f));
  let y_high = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
  let high = y_high * k;
  let low = (y - y_high) * k;
  let n = clamp(round(fma(logarithm, ${single(Math.LOG2E)}f, high + low)), -151f, 129f);
  let r = fma((high - n) + low, ${single(Math.LN2)}f, logarithm);
  let whole = i32(n);
  let half = whole >> 1u;
  let power = scalar_exp(r) * power_of_two(half) * power_of_two(whole - half);
  let y_size = abs(y);
  let is_whole = floor(y_size) == y_size;
  let is_odd = is_whole && floor(0.5f * y_size) * 2f != y_size;
  var result = power;
  if (size == 0f || bits == 0x7f800000u) {
    result = number_from_bits(select(0x7f800000u, 0u, (size == 0f) == (y > 0f)));
  } else if (bitcast<u32>(y_size) == 0x7f800000u) {
    result = number_from_bits(select(0x7f800000u, 0u, (size < 1f) == (y > 0f)));
    if (size == 1f) { result = 1f; }
  } else if (x < 0f && !is_whole) {
    result = number_from_bits(0x7fc00000u);
  }
  if (bitcast<i32>(x) < 0 && is_odd) { result = -result; }
  if (is_nan(x) || is_nan(y)) { result = number_from_bits(0x7fc00000u); }
  return select(result, 1f, x == 1f || y == 0f);
}`,
    calls: ["log_mantissa", "opaque", "scalar_exp", "power_of_two", "number_from_bits", "is_nan"],
  },
  scalar_sign: {
    text: `fn scalar_sign(x: f32) -> f32 {
  return select(sign(x), x, is_nan(x) || x == 0f);
}`,
    calls: ["is_nan"],
  },
  scalar_sin: {
    text: `fn scalar_sin(x: f32) -> f32 {
  var quarters = 0;
  var rest = x;
  if (!(abs(x) <= 8192f)) { rest = without_quarters(x, &quarters); }
  return select(sin_from_quarter(rest, quarters), x, x == 0f);
}`,
    calls: ["sin_from_quarter", "without_quarters"],
  },
  scalar_tanh: {
    text: `fn scalar_tanh(x: f32) -> f32 {
  let change = scalar_expm1(-2f * abs(x));
  let size = -change / (change + 2f);
  return select(select(size, -size, x < 0f), x, x == 0f);
}`,
    calls: ["scalar_expm1"],
  },
};

/** The text of functions and of all that they call, each once, callees first. */
export function declareFunctions(names: Iterable<WgslFunctionName>): string {
  const texts = new Map<WgslFunctionName, string>();
  const visit = (name: WgslFunctionName): void => {
    if (texts.has(name)) return;
    const { text, calls = [] } = FUNCTIONS[name];
    calls.forEach(visit);
    texts.set(name, text);
  };
  for (const name of names) visit(name);
  return [...texts.values()].join("\n\n");
}
