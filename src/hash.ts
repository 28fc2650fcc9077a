/**
 * Numbers that stand for many bits: where two differ, the bits do.
 *
 * @module
 */
import type { TypedArray } from "./dtype.ts";

/**
 * Two words that stand for the bits of an array. Each step is reversible, so arrays of one length
 * that differ in one word always differ here; all others do by all but a chance of 2⁻⁶⁴.
 */
export function hashValues(values: TypedArray): [number, number] {
  // Words must be aligned; a copy always is.
  const { buffer, byteOffset, byteLength } = values.byteOffset % 4 === 0 ? values : values.slice();
  const whole = byteLength >> 2;
  let [a, b] = [0x9e3779b9, 0x243f6a88 ^ byteLength];
  const mix = (word: number): void => {
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0xc2b2ae35);
    b ^= b >>> 13;
  };
  new Int32Array(buffer, byteOffset, whole).forEach(mix);
  new Uint8Array(buffer, byteOffset + 4 * whole, byteLength % 4).forEach(mix);
  return [a | 0, b | 0];
}

/** A word that stands for a text. */
export function hashText(text: string): number {
  return hashValues(new TextEncoder().encode(text))[0];
}
