/**
 * Samplers in WGSL: the numbers of `reference.ts` from the same bits.
 *
 * Keys, uniform numbers, booleans and orders are the same to the last bit; normal numbers are those
 * of the CPU to about 1e-6. Class numbers compare sums in float32 with a draw: one in about a million
 * falls on the other side.
 *
 * @module
 */
import { broadcastStrides, sizeOf } from "../../src/shape.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import { createKernel, groupsFor, type WgslKernel, type WgslPlan } from "../wgsl/kernel.ts";
import { DRAW, THREEFRY } from "./wgsl_bits.ts";
import { QUANTILE } from "./wgsl_quantile.ts";

const KEY = { name: "key", type: "i32" } as const;

/** The key that a number leads to from another key. Inputs: key (int32, 2), data (int32, 1). */
export function foldInKernel(): WgslKernel {
  return createKernel({
    name: "foldIn",
    inputs: [KEY, { name: "data", type: "i32" }],
    outputs: [{ name: "y", type: "i32" }],
    groups: 1,
    workgroupSize: 1,
    declarations: THREEFRY,
    body: `let words = threefry(0u, bitcast<u32>(data[0]));
y[0] = bitcast<i32>(words.x);
y[1] = bitcast<i32>(words.y);`,
  });
}

/** `count` multiples of 2⁻²³ in [0, 1), bit for bit those of the CPU. Input: key (int32, 2). */
export function uniformKernel(count: number): WgslKernel {
  return createKernel({
    name: "uniform",
    inputs: [KEY],
    outputs: [{ name: "y", type: "f32" }],
    groups: groupsFor(count),
    declarations: THREEFRY,
    body: `if (index >= ${count}u) { return; }
let words = threefry(0u, index);
y[index] = f32((words.x ^ words.y) >> 9u) * 0x1p-23f;`,
  });
}

/** `count` standard normal numbers, by inversion. Input: key (int32, 2). */
export function normalKernel(count: number): WgslKernel {
  return createKernel({
    name: "normal",
    inputs: [KEY],
    outputs: [{ name: "y", type: "f32" }],
    groups: groupsFor(count),
    declarations: `${DRAW}\n${QUANTILE}`,
    body: `if (index >= ${count}u) { return; }
y[index] = normalQuantile(draw(index, 0u));`,
  });
}

/**
 * `count` booleans that are true with a probability, the same as on the CPU where that has the
 * same probabilities in float32. Inputs: key (int32, 2), probability (float32, `probabilities`: 1
 * for all, or `count`).
 */
export function bernoulliKernel(count: number, probabilities: number): WgslKernel {
  return createKernel({
    name: "bernoulli",
    inputs: [KEY, { name: "probability", type: "f32" }],
    outputs: [{ name: "y", type: "u32" }],
    groups: groupsFor(count),
    declarations: `${DRAW}
// Whether (N + ½) 2⁻⁵² < p. Every step is exact: p has 24 digits.
fn isBelow(n: vec2u, p: f32) -> bool {
  if (p >= 1.0) { return true; }
  if (p <= 0.0) { return false; }
  let upper = floor(p * 0x1p32f);
  let rest = (p * 0x1p32f - upper) * 0x1p20f;
  let lower = floor(rest);
  let limit = u32(lower) + select(0u, 1u, rest - lower > 0.5);
  return n.x < u32(upper) || (n.x == u32(upper) && n.y < limit);
}
`,
    body: `if (index >= ${count}u) { return; }
y[index] = u32(isBelow(draw(index, 0u), probability[${probabilities === 1 ? "0" : "index"}]));`,
  });
}

/**
 * Class numbers (int32) of a shape, with probabilities proportional to the exponentials of a row of
 * logits. Inputs: key (int32, 2), logits (float32, the shape `batch`, which broadcasts to the
 * shape, and an axis of `classes`).
 */
export function categoricalKernel(
  shape: readonly number[],
  batch: readonly number[],
  classes: number,
): WgslKernel {
  const count = sizeOf(shape);
  const row = offsetOf("index", shape, broadcastStrides(batch, shape));
  return createKernel({
    name: "categorical",
    inputs: [KEY, { name: "logits", type: "f32" }],
    outputs: [{ name: "y", type: "i32" }],
    groups: groupsFor(count),
    declarations: DRAW,
    body: `if (index >= ${count}u) { return; }
let start = (${row}) * ${classes}u;
var largest = logits[start];
for (var c = 1u; c < ${classes}u; c++) { largest = max(largest, logits[start + c]); }
var total = 0.0;
for (var c = 0u; c < ${classes}u; c++) { total += exp(logits[start + c] - largest); }
let limit = fraction(draw(index, 0u)) * total;
var cumulative = 0.0;
var chosen = 0u;
// Where rounding lifts the limit to the total, the last class that is possible is taken.
for (var c = 0u; c < ${classes}u && (c == 0u || cumulative <= limit); c++) {
  let weight = exp(logits[start + c] - largest);
  cumulative += weight;
  chosen = select(chosen, c, weight > 0.0);
}
y[index] = i32(chosen);`,
  });
}

/**
 * The numbers 0 … n − 1 in random order, that of the CPU. Input: key (int32, 2); output: int32.
 *
 * The positions to exchange are drawn side by side; the exchanges, each of which depends on those
 * before it, are done one after the other.
 */
export function permutationPlan(n: number): WgslPlan {
  const partners = createKernel({
    name: "permutation partners",
    inputs: [KEY],
    outputs: [{ name: "order", type: "i32" }, { name: "partners", type: "u32" }],
    groups: groupsFor(n),
    declarations: `${DRAW}
// The upper 32 of the 64 bits of a product.
fn upperHalf(x: u32, y: u32) -> u32 {
  let low = (x & 0xffffu) * (y & 0xffffu);
  let middle = (x >> 16u) * (y & 0xffffu) + (low >> 16u);
  let other = (x & 0xffffu) * (y >> 16u) + (middle & 0xffffu);
  return (x >> 16u) * (y >> 16u) + (middle >> 16u) + (other >> 16u);
}
`,
    // ⌊(N + ½) 2⁻⁵² (i + 1)⌋, from the products of the two words of N.
    body: `if (index >= ${n}u) { return; }
order[index] = i32(index);
let drawn = draw(index, 0u);
let extent = index + 1u;
let lower = upperHalf((drawn.y << 12u) | 0x800u, extent);
let sum = drawn.x * extent + lower;
partners[index] = upperHalf(drawn.x, extent) + select(0u, 1u, sum < lower);`,
  });
  const exchanges = createKernel({
    name: "permutation exchanges",
    inputs: [{ name: "partners", type: "u32" }],
    outputs: [{ name: "order", type: "i32" }],
    groups: 1,
    workgroupSize: 1,
    body: `for (var i = ${Math.max(n, 1) - 1}u; i > 0u; i--) {
  let j = partners[i];
  let last = order[i];
  order[i] = order[j];
  order[j] = last;
}`,
  });
  return {
    kernels: [
      { kernel: partners, inputs: [0], outputs: [1, 2] },
      { kernel: exchanges, inputs: [2], outputs: [1] },
    ],
    temporaries: [n],
  };
}
