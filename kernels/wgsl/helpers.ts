/**
 * The few functions of WGSL that scalar functions and loops are made with: what NaN, infinities and
 * zeros need where compilers may assume that they do not exist.
 *
 * @module
 */
import type { Declaration } from "../functions/text.ts";
import { UNKNOWN_ZERO } from "./kernel.ts";

const TEXTS: Readonly<Record<string, string>> = {
  zero_bits: UNKNOWN_ZERO,
  is_nan: `fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  number_from_bits: `// The only way to infinities and NaN, which constants must not be.
fn number_from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits | zero_bits);
}`,
  opaque: `// The number itself, of which compilers know nothing.
fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | zero_bits);
}`,
  scalar_max: `// The larger of two, 0 of both zeros; NaN wins.
fn scalar_max(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b));
  let larger = select(select(b, a, a > b), equal, a == b);
  return select(select(larger, b, is_nan(b)), a, is_nan(a));
}`,
  scalar_min: `// The smaller of two, -0 of both zeros; NaN wins.
fn scalar_min(a: f32, b: f32) -> f32 {
  let equal = bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b));
  let smaller = select(select(b, a, a < b), equal, a == b);
  return select(select(smaller, b, is_nan(b)), a, is_nan(a));
}`,
};

/** Their texts by name, and the helpers that these use. */
export const HELPERS: ReadonlyMap<string, Declaration> = new Map(
  Object.entries(TEXTS).map(([name, text]) => {
    const words = new Set(text.match(/\w+/g));
    const uses = Object.keys(TEXTS).filter((other) => other !== name && words.has(other));
    return [name, { text, uses: new Set(uses) }];
  }),
);
