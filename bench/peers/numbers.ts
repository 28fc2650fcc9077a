/**
 * Seeded numbers as inputs of workloads.
 *
 * @module
 */
import type { Inputs, NumberArray } from "./side.ts";

/** Numbers in [0, 1) from a seed (mulberry32), without the library, which is to start cold. */
export function uniform(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An array of what a function draws. */
export function numbers(shape: number[], draw: () => number): NumberArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, draw) };
}

/** Uniform numbers between limits. */
export function between(seed: number, shape: number[], low: number, high: number): NumberArray {
  const next = uniform(seed);
  return numbers(shape, () => low + (high - low) * next());
}

/** Draws normal numbers (Box and Muller); every input has a seed of its own. */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Normal numbers of a spread around a centre. */
export function gaussian(seed: number, shape: number[], scale = 1, shift = 0): NumberArray {
  const next = normal(seed);
  return numbers(shape, () => scale * next() + shift);
}

/** Labels 0 … count − 1 in turn. */
export function labels(shape: number[], count: number): NumberArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => (i * 7) % count) };
}

/** The exponentials of normal numbers. */
export function positive(seed: number, shape: number[]): NumberArray {
  const next = normal(seed);
  return numbers(shape, () => Math.exp(next()));
}

/** Counts of which half are 0 and few are large. */
export function counts(seed: number, shape: number[]): NumberArray {
  const next = normal(seed);
  return numbers(shape, () => Math.floor(Math.exp(1.5 * next())));
}

/** The weights and biases of layers. */
export function layers(seed: number, widths: readonly [inputs: number, outputs: number][]): Inputs {
  const entries = widths.flatMap(([inputs, outputs], i) => [
    [`w${i}`, gaussian(seed + 2 * i, [inputs, outputs], inputs ** -0.5)] as const,
    [`b${i}`, gaussian(seed + 2 * i + 1, [outputs], 0.01)] as const,
  ]);
  return Object.fromEntries(entries);
}

/** Parameters of a layer of a transformer's encoder, as PyTorch names and orders them. */
export function encoderLayer(seed: number, width: number, feedForward: number): Inputs {
  const weight = (at: number, rows: number, columns: number) =>
    gaussian(seed + at, [rows, columns], columns ** -0.5);
  const bias = (at: number, length: number) => gaussian(seed + at, [length], 0.05);
  const scale = (at: number) => gaussian(seed + at, [width], 0.1, 1);
  return {
    "self_attn.in_proj_weight": weight(0, 3 * width, width),
    "self_attn.in_proj_bias": bias(1, 3 * width),
    "self_attn.out_proj.weight": weight(2, width, width),
    "self_attn.out_proj.bias": bias(3, width),
    "linear1.weight": weight(4, feedForward, width),
    "linear1.bias": bias(5, feedForward),
    "linear2.weight": weight(6, width, feedForward),
    "linear2.bias": bias(7, width),
    "norm1.weight": scale(8),
    "norm1.bias": bias(9, width),
    "norm2.weight": scale(10),
    "norm2.bias": bias(11, width),
  };
}

/** The covariance of normal numbers, symmetric and positive definite. */
export function covariance(seed: number, n: number): NumberArray {
  const { data } = gaussian(seed, [n, n]);
  const at = (i: number, j: number) => {
    let sum = i === j ? n : 0;
    for (let k = 0; k < n; k++) sum += data[i * n + k]! * data[j * n + k]!;
    return sum / n;
  };
  const all = Float32Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n));
  return { shape: [n, n], data: all };
}
