import { compile, grad, pairwiseDistance, type Tensor } from "@cellgrad/cellgrad";
import { key, normal } from "@cellgrad/cellgrad/random";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { medianDistance } from "../../src/losses/bandwidths.ts";
import { floats } from "../arbitraries.ts";
import { f64 } from "./cells.ts";

/** The mean of the middle two of all distances, 1 for 0. */
function expected(x: Tensor): number {
  const all = (pairwiseDistance(x).toArray() as number[][])
    .flatMap((row, i) => row.slice(i + 1)).sort((a, b) => a - b);
  const middle = (all[(all.length - 1) >> 1]! + all[all.length >> 1]!) / 2;
  return middle === 0 ? 1 : middle;
}

for (const dtype of ["float32", "float64"] as const) {
  const close = { rtol: dtype === "float32" ? 3e-7 : 1e-15, atol: 0 };

  Deno.test(`medianDistance() of ${dtype} is that of all pairs, at once and in blocks`, () => {
    for (const n of [2, 3, 4, 5, 40, 41]) {
      const x = normal(key(n), [n, 3], { dtype });
      const wanted = expected(x.cast("float64"));
      for (const largest of [Infinity, 2 * n, 7 * n]) {
        assertAllClose(medianDistance(x, largest), wanted, { ...close, rtol: close.rtol + 1e-7 });
        assertEquals(medianDistance(x, largest).dtype, dtype);
      }
    }
  });

  Deno.test(`medianDistance() of ${dtype} is exact where distances repeat`, () => {
    const cases: [number[], number][] = [
      [[0, 0, 0, 3], 1.5], // the middle two are 0 and 3
      [[0, 0, 0, 0, 0, 3], 1],
      [[0, 0, 3], 3],
      [[5, 5], 1],
      [[0, 1, 3], 2],
      [[0, 0, 3e4, 3e4], 3e4],
      [[1e-4, 0, 3e4, 3e4], 3e4 - 1e-4],
    ];
    for (const [cells, wanted] of cases) {
      const x = f64(cells.map((at) => [at])).cast(dtype);
      for (const largest of [Infinity, 2 * cells.length - 1]) {
        assertAllClose(medianDistance(x, largest), wanted, close);
      }
    }
  });
}

Deno.test("medianDistance() in blocks is that of all cells at once, of few numbers too", () => {
  fc.assert(
    fc.property(floats([6, 1], -0.003, 0.003), fc.integer({ min: 1, max: 35 }), (x, largest) => {
      assertAllClose(medianDistance(x, largest), expected(x), { rtol: 1e-13, atol: 0 });
    }),
    { seed: 20250, numRuns: 30 },
  );
});

Deno.test("medianDistance() in blocks looks further than one cell sees", () => {
  // From the middle, all are at 1; most pairs of the others are at the root of 2.
  const axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const x = f64([[0, 0, 0], ...axes, ...axes.map((axis) => axis.map((at) => -at))]);
  for (const largest of [Infinity, 7]) {
    assertAllClose(medianDistance(x, largest), Math.SQRT2, { rtol: 1e-14, atol: 0 });
  }
});

Deno.test("medianDistance() of a single cell is 1, and has no gradient", () => {
  assertEquals(medianDistance(f64([[3, 4]])).item(), 1);
  const x = f64([[0], [1], [5]]);
  for (const largest of [Infinity, 3]) {
    const slope = grad((y: Tensor) => medianDistance(y, largest).add(y.sum().mul(0)))(x);
    assertEquals(slope.toArray(), [[0], [0], [0]]);
  }
});

Deno.test("medianDistance() passes NaN on", () => {
  const x = f64([[0], [NaN], [1], [2]]);
  assertEquals([Infinity, 4].map((largest) => medianDistance(x, largest).item()), [NaN, NaN]);
});

Deno.test("medianDistance() in blocks compiles", async () => {
  const x = normal(key(0), [30, 2]);
  await using program = await compile((y: Tensor) => medianDistance(y, 100), [x]);
  assertAllClose(await program(x), medianDistance(x));
});
