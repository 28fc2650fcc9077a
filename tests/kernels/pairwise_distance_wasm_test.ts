import type { Precision } from "../../kernels/functions/algebra.ts";
import type { FloatArray } from "../../src/dtype.ts";
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { innerProducts } from "../../kernels/matmul/eager.ts";
import { squaredDistances as between } from "../../kernels/matmul/reference.ts";
import { InnerProduct, innerProductsWasm, kernelOptions } from "../../kernels/matmul/wasm.ts";
import { fill } from "../../kernels/random/eager.ts";
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import { reserve } from "../../kernels/wasm/module.ts";
import * as cg from "../../mod.ts";
import { amongRows, type Distances } from "./distances.ts";

const squaredDistances = amongRows(between);
const squaredDistancesEager = amongRows(innerProducts.squaredDifference);

/** Those by WebAssembly. */
const byWasm = (relaxed?: boolean) => amongRows(innerProductsWasm("squaredDifference", relaxed));

/** The kernels: float32 with and without multiplication and addition at once, and float64. */
const KERNELS: { name: string; dtype: Precision; relaxed: boolean }[] = [
  ...(hasRelaxedSimd()
    ? [{ name: "relaxed float32", dtype: "float32", relaxed: true }] as const
    : []),
  { name: "float32", dtype: "float32", relaxed: false },
  { name: "float64", dtype: "float64", relaxed: false },
];

const allocate = (dtype: Precision, length: number): FloatArray =>
  dtype === "float32" ? new Float32Array(length) : new Float64Array(length);

/** Normal numbers around a centre, as the type holds them. */
function points(dtype: Precision, length: number, seed: number, centre = 0): FloatArray {
  const data = allocate(dtype, length);
  fill("normal", data, [seed, length]);
  for (let i = 0; i < length; i++) data[i]! += centre;
  return data;
}

/**
 * Asserts the bound that `innerProductsWasm` states, next to that of the reference itself. In
 * float64, sums of one stretch equal the reference.
 */
const check: Distances = (out, a, b, n, m, d) => {
  const expected = new Float64Array(n * m);
  squaredDistances(expected, a, b, n, m, d);
  const double = out instanceof Float64Array;
  if (double && d <= 256) return assertEquals(out, expected);
  const rounding = (Math.min(d, 256) + Math.ceil(d / 256) + 3) * (double ? 2 ** -53 : 2 ** -24);
  const bound = rounding + (d + 3) * 2 ** -53;
  for (let i = 0; i < out.length; i++) {
    assertLessOrEqual(Math.abs(out[i]! - expected[i]!), bound * expected[i]!);
  }
};

const sizes = fc.constantFrom(0, 1, 3, 5, 6, 7, 8, 9, 12, 63, 64, 65, 97, 200);
const depths = fc.constantFrom(0, 1, 2, 3, 4, 5, 50, 63, 256, 257, 513);

for (const { name, dtype, relaxed } of KERNELS) {
  Deno.test(`squaredDistancesWasm() is within its bound of the reference: ${name}`, () => {
    fc.assert(
      fc.property(sizes, sizes, depths, fc.constantFrom(0, 100), (n, m, d, centre) => {
        if (n * m * d > 4e6) return;
        const [a, b] = [points(dtype, n * d, 1, centre), points(dtype, m * d, 2, centre)];
        const out = allocate(dtype, n * m).fill(NaN);
        byWasm(relaxed)(out, a, b, n, m, d);
        check(out, a, b, n, m, d);
      }),
      { seed: 43, numRuns: 150 },
    );
  });

  for (const [n, m, d] of [[1000, 1100, 3], [3, 2, 2100], [1, 1030, 64]] as const) {
    Deno.test(`squaredDistancesWasm() of ${n} and ${m} rows in ${d} dimensions: ${name}`, () => {
      const [a, b] = [points(dtype, n * d, 3), points(dtype, m * d, 4)];
      const out = allocate(dtype, n * m);
      byWasm(relaxed)(out, a, b, n, m, d);
      check(out, a, b, n, m, d);
    });
  }

  Deno.test(`squaredDistancesWasm() is symmetric with zeros where rows are equal: ${name}`, () => {
    const [n, d] = [131, 50];
    const x = points(dtype, n * d, 5);
    const out = allocate(dtype, n * n);
    byWasm(relaxed)(out, x, x, n, n, d);
    for (let i = 0; i < n; i++) {
      assertEquals(out[i * n + i], 0);
      for (let j = 0; j < i; j++) assertEquals(out[i * n + j], out[j * n + i]);
    }
  });

  Deno.test(`squaredDistancesWasm() gives the same bits each time: ${name}`, () => {
    const [n, m, d] = [120, 90, 50];
    const [a, b] = [points(dtype, n * d, 6), points(dtype, m * d, 7)];
    const [first, again] = [allocate(dtype, n * m), allocate(dtype, n * m)];
    byWasm(relaxed)(first, a, b, n, m, d);
    // Enough rounds for the engine to compile the kernel anew, with optimizations.
    for (let round = 0; round < 50; round++) byWasm(relaxed)(again, a, b, n, m, d);
    assertEquals(again, first);
  });

  Deno.test(`InnerProduct compares rows in linear memory: ${name}`, () => {
    const [n, m, d] = [19, 33, 7];
    const memory = new WebAssembly.Memory({ initial: 1 });
    const kernel = new InnerProduct(memory, kernelOptions("squaredDifference", dtype, n, relaxed));
    const [a, b] = [points(dtype, n * d, 8), points(dtype, m * d, 9)];
    const out = a.byteLength + b.byteLength;
    const bytes = a.BYTES_PER_ELEMENT;
    reserve(memory, out + n * m * bytes + kernel.scratchBytes(d, m));
    const values = dtype === "float32"
      ? new Float32Array(memory.buffer)
      : new Float64Array(memory.buffer);
    values.set(a);
    values.set(b, a.length);
    kernel.run(
      { at: out, rowStride: m },
      { at: 0, rowStride: d, columnStride: 1 },
      { at: a.byteLength, rowStride: 1, columnStride: d },
      n,
      d,
      m,
      out + n * m * bytes,
    );
    check(values.slice(out / bytes, out / bytes + n * m), a, b, n, m, d);
  });
}

Deno.test("squaredDistancesWasm() keeps the digits of float32 far from the origin", () => {
  const shifted = (x: number[]) => Float32Array.from(x, (v) => v + 4096);
  const out = new Float32Array(1);
  byWasm()(out, shifted([0.25, 0]), shifted([0, 0.5]), 1, 1, 2);
  assertEquals(out[0], 0.3125);
});

Deno.test("the eager distances keep few sums in float64 and many within the bound", () => {
  for (const [n, m, d] of [[1, 2, 1001], [31, 31, 31], [33, 33, 33]] as const) {
    const [a, b] = [points("float32", n * d, 10), points("float32", m * d, 11)];
    const [out, reference] = [new Float32Array(n * m), new Float32Array(n * m)];
    squaredDistancesEager(out, a, b, n, m, d);
    squaredDistances(reference, a, b, n, m, d);
    check(out, a, b, n, m, d);
    assertEquals(String(out) === String(reference), n * m * d < 2 ** 15);
  }
});

Deno.test("pairwiseSquaredDistance() of many rows has the gradient of its formula", () => {
  const [n, d] = [60, 20];
  const x = cg.normal(cg.key(12), [n, d]).cast("float64");
  const gradient = cg.grad((y: cg.Tensor) => cg.pairwiseSquaredDistance(y).sum())(x);
  // Σ_ij |x_i − x_j|² pulls every row away from the mean.
  const expected = x.sub(x.mean({ axis: 0 })).mul(4 * n);
  const deviation = gradient.sub(expected).abs().max().item();
  assertLess(deviation, 1e-12 * expected.abs().max().item());
});

for (const dtype of ["float32", "float64"] as const) {
  Deno.test(`squaredDistancesWasm() of ${dtype} points among themselves are those to a copy`, () => {
    for (const [n, d] of [[300, 7], [2049, 3], [2100, 1], [40, 2100]] as const) {
      const a = points(dtype, n * d, 1);
      const [out, expected] = [allocate(dtype, n * n), allocate(dtype, n * n)];
      byWasm()(out, a, a, n, n, d);
      byWasm()(expected, a, a.slice(), n, n, d);
      assertEquals(out, expected);
    }
  });
}
