/**
 * The few functions of WGSL that scalar functions and loops are made with: what NaN, infinities and
 * zeros need where compilers may assume that they do not exist.
 *
 * @module
 */
import { UNKNOWN_ZERO } from "./kernel.ts";

/** The name of a helper. */
export type WgslHelper =
  | ("zero_bits" | "is_nan" | "number_from_bits" | "opaque")
  | ("scalar_max" | "scalar_min");

const zero: ReadonlySet<string> = new Set(["zero_bits"]);
const nan: ReadonlySet<string> = new Set(["is_nan"]);

/** Their texts, and the helpers that these use. */
export const HELPERS: Readonly<
  Record<WgslHelper, { readonly text: string; readonly uses: ReadonlySet<string> }>
> = {
  zero_bits: { text: UNKNOWN_ZERO, uses: new Set() },
  is_nan: {
    text: `fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
    uses: new Set(),
  },
  number_from_bits: {
    text: `// The only way to infinities and NaN, which constants must not be.
fn number_from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits | zero_bits);
}`,
    uses: zero,
  },
  opaque: {
    text: `// The number itself, of which compilers know nothing.
fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | zero_bits);
}`,
    uses: zero,
  },
  scalar_max: {
    text: `// The larger of two, 0 of both zeros; NaN wins.
fn scalar_max(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b));
  let larger = select(select(b, a, a > b), equal, a == b);
  return select(select(larger, b, is_nan(b)), a, is_nan(a));
}`,
    uses: nan,
  },
  scalar_min: {
    text: `// The smaller of two, -0 of both zeros; NaN wins.
fn scalar_min(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b));
  let smaller = select(select(b, a, a < b), equal, a == b);
  return select(select(smaller, b, is_nan(b)), a, is_nan(a));
}`,
    uses: nan,
  },
};
