import type { FloatArray } from "../../src/dtype.ts";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { squaredDistances as between } from "../../kernels/matmul/reference.ts";
import { amongRows } from "./distances.ts";

const squaredDistances = amongRows(between);

/** Sizes around the block of 8 and powers of two. */
const sizes = fc.constantFrom(0, 1, 3, 7, 8, 9, 16, 63, 64, 65);

const TYPES = {
  float32: (length: number): FloatArray => new Float32Array(length),
  float64: (length: number): FloatArray => new Float64Array(length),
};

/** Quarters, of which squares and sums are exact in both types. */
function fill(data: FloatArray, seed: number): FloatArray {
  for (let i = 0; i < data.length; i++) data[i] = ((i * 11 + seed * 5 + (i >> 2)) % 37 - 18) / 4;
  return data;
}

function naive(a: FloatArray, b: FloatArray, n: number, m: number, d: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += (a[i * d + k]! - b[j * d + k]!) ** 2;
      out.push(sum);
    }
  }
  return out;
}

for (const [name, make] of Object.entries(TYPES)) {
  Deno.test(`squaredDistances() gives sums of squared differences in ${name} at odd sizes`, () => {
    fc.assert(
      fc.property(sizes, sizes, fc.constantFrom(0, 1, 2, 3, 5, 50), (n, m, d) => {
        const [a, b] = [fill(make(n * d), 1), fill(make(m * d), 2)];
        const out = make(n * m);
        squaredDistances(out, a, b, n, m, d);
        assertEquals([...out], naive(a, b, n, m, d));
      }),
      { seed: 29, numRuns: 100 },
    );
  });

  Deno.test(`squaredDistances() of rows with themselves is symmetric with zeros in ${name}`, () => {
    const [n, d] = [13, 5];
    const x = fill(make(n * d), 3);
    const out = make(n * n);
    squaredDistances(out, x, x, n, n, d);
    for (let i = 0; i < n; i++) {
      assertEquals(out[i * n + i], 0);
      for (let j = 0; j < n; j++) assertEquals(out[i * n + j], out[j * n + i]);
    }
  });
}

Deno.test("squaredDistances() keeps the digits of float32 far from the origin", () => {
  const shifted = (x: number[]) => Float32Array.from(x, (v) => v + 4096);
  const out = new Float32Array(1);
  squaredDistances(out, shifted([0.25, 0]), shifted([0, 0.5]), 1, 1, 2);
  assertEquals(out[0], 0.3125);
});

Deno.test("squaredDistances() accumulates float32 in float64", () => {
  const d = 100_001;
  const a = new Float32Array(d).fill(1);
  a[0] = 4096;
  const out = new Float32Array(1);
  squaredDistances(out, a, new Float32Array(d), 1, 1, d);
  assertAlmostEquals(out[0]!, 4096 ** 2 + 100_000, 1);
});

Deno.test("squaredDistances() of a row with NaN is NaN in its row and column only", () => {
  const x = Float64Array.of(0, NaN, 2);
  const out = new Float64Array(9);
  squaredDistances(out, x, x, 3, 3, 1);
  assertEquals([...out], [0, NaN, 4, NaN, NaN, NaN, 4, NaN, 0]);
});
