import type { FloatArray } from "../../src/dtype.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { matmul, type MatrixView } from "../../kernels/matmul/reference.ts";

/** Sizes around the tile of 4, powers of two and the depth of 256. */
const SIZES = [0, 1, 3, 4, 5, 63, 64, 65, 257] as const;

type Make = (length: number) => FloatArray;

const TYPES: Record<string, Make> = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
};

/** Small whole numbers, of which sums are exact in both types. */
function fill(data: FloatArray, seed: number): FloatArray {
  for (let i = 0; i < data.length; i++) data[i] = (i * 7 + seed * 13 + (i >> 3)) % 17 - 8;
  return data;
}

/** A matrix at an offset, with gaps between the rows, by rows or by columns. */
function view(make: Make, rows: number, columns: number, transposed: boolean): MatrixView {
  const [outer, inner] = transposed ? [columns, rows] : [rows, columns];
  const [offset, gap] = [3, 2];
  const stride = inner + gap;
  const data = fill(make(offset + outer * stride), rows + 3 * columns);
  return transposed
    ? { data, offset, rowStride: 1, columnStride: stride }
    : { data, offset, rowStride: stride, columnStride: 1 };
}

const at = (x: MatrixView, i: number, j: number) =>
  x.data[x.offset + i * x.rowStride + j * x.columnStride]!;

function naive(a: MatrixView, b: MatrixView, m: number, k: number, n: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += at(a, i, l) * at(b, l, j);
      out.push(sum);
    }
  }
  return out;
}

const sizes = fc.constantFrom(...SIZES);

for (const [name, make] of Object.entries(TYPES)) {
  Deno.test(`matmul() gives the sum of products in ${name}, in any layout and at odd sizes`, () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, fc.boolean(), fc.boolean(), (m, k, n, left, right) => {
        if (m * k * n > 2e6) return;
        const [a, b] = [view(make, m, k, left), view(make, k, n, right)];
        const out = make(m * n);
        matmul(out, 0, a, b, m, k, n);
        assertEquals([...out], naive(a, b, m, k, n));
      }),
      { seed: 23, numRuns: 80 },
    );
  });

  Deno.test(`matmul() of 257 by 257 matrices is right in ${name}`, () => {
    const [a, b] = [view(make, 257, 257, true), view(make, 257, 257, false)];
    const out = make(257 * 257);
    matmul(out, 0, a, b, 257, 257, 257);
    assertEquals([...out], naive(a, b, 257, 257, 257));
  });
}

Deno.test("matmul() writes at its place and leaves the rest alone", () => {
  const out = Float64Array.of(9, 9, 0, 9);
  const one = { data: Float64Array.of(2, 3), offset: 0, rowStride: 2, columnStride: 1 };
  matmul(out, 2, one, { ...one, rowStride: 1 }, 1, 2, 1);
  assertEquals([...out], [9, 9, 13, 9]);
});

Deno.test("matmul() writes every row of a matrix that repeats one", () => {
  const out = new Float64Array(6);
  const row = { data: Float64Array.of(2, 3), offset: 0, rowStride: 0, columnStride: 1 };
  matmul(out, 0, row, { ...row, rowStride: 1, columnStride: 0 }, 3, 2, 2);
  assertEquals([...out], [13, 13, 13, 13, 13, 13]);
});

Deno.test("matmul() of nothing to add is zeros", () => {
  const out = new Float64Array(4);
  const none = { data: new Float64Array(0), offset: 0, rowStride: 0, columnStride: 1 };
  matmul(out, 0, none, none, 2, 0, 2);
  assertEquals([...out], [0, 0, 0, 0]);
});

Deno.test("matmul() accumulates float32 in float64", () => {
  const k = 1001;
  const data = new Float32Array(k).fill(1);
  data[0] = 1e8;
  const a = { data, offset: 0, rowStride: k, columnStride: 1 };
  const b = { data: new Float32Array(k).fill(1), offset: 0, rowStride: 1, columnStride: 1 };
  const out = new Float32Array(1);
  matmul(out, 0, a, b, 1, k, 1);
  assertEquals(out[0], Math.fround(1e8 + 1000));
});

Deno.test("matmul() carries NaN and infinities to their row and column only", () => {
  const a = { data: Float64Array.of(NaN, 1, 1, 1), offset: 0, rowStride: 2, columnStride: 1 };
  const b = { data: Float64Array.of(1, Infinity, 1, 1), offset: 0, rowStride: 2, columnStride: 1 };
  const out = new Float64Array(4);
  matmul(out, 0, a, b, 2, 2, 2);
  assertEquals([...out], [NaN, NaN, 2, Infinity]);
});
