import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { tensor } from "../../src/tensor.ts";
import { pearson } from "../../src/metrics/mod.ts";
import { assertMessages, RUNS, shuffled } from "./helpers.ts";

const pairs = fc.array(
  fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })),
  { maxLength: 20 },
).map((list) => ({ x: list.map(([x]) => x), y: list.map(([, y]) => y) }));

Deno.test("pearson() is in [−1, 1], symmetric, and does not depend on the order", () => {
  fc.assert(
    fc.property(pairs, ({ x, y }) => {
      const r = pearson(x, y);
      assertLessOrEqual(Math.abs(r), 1);
      assertAlmostEquals(pearson(y, x), r, 1e-14);
      assertAlmostEquals(pearson(shuffled(x), shuffled(y)), r, 1e-13);
    }),
    RUNS,
  );
});

Deno.test("pearson() is the same for numbers of any size", () => {
  const [x, y] = [[1, -1, 0, 0.25], [1, 2, 3, 5]];
  for (const scale of [2 ** 1023, 2 ** 600, 2 ** -600, 2 ** -1000]) {
    assertAlmostEquals(pearson(x.map((v) => scale * v), y), pearson(x, y), 1e-14);
  }
});

Deno.test("pearson() changes only its sign under an affine map", () => {
  const factor = fc.double({ min: 0.01, max: 100, noNaN: true });
  const shift = fc.double({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(pairs, factor, shift, ({ x, y }, a, b) => {
      const r = pearson(x, y);
      assertAlmostEquals(pearson(x.map((v) => a * v + b), y), r, 1e-9);
      assertAlmostEquals(pearson(x, y.map((v) => b - a * v)), -r, 1e-9);
    }),
    RUNS,
  );
});

Deno.test("pearson() is 1 with itself, unless it is constant", () => {
  fc.assert(
    fc.property(pairs, ({ x }) => {
      const constant = x.every((v) => v === x[0]);
      assertAlmostEquals(pearson(x, x), constant ? 0 : 1, 1e-14);
    }),
    RUNS,
  );
});

Deno.test("pearson() of two different points is 1 or −1", () => {
  assertAlmostEquals(pearson([1, 2], [5, 9]), 1, 1e-15);
  assertAlmostEquals(pearson([1, 2], [5, -9]), -1, 1e-15);
});

Deno.test("pearson() is 0 where there is no correlation to speak of", () => {
  assertEquals(pearson([], []), 0);
  assertEquals(pearson([1], [2]), 0);
  assertEquals(pearson([0.1, 0.1, 0.1], [1, 2, 3]), 0);
  assertEquals(pearson([1, 2, 3], [1e300, 1e300, 1e300]), 0);
});

Deno.test("pearson() keeps its digits far from zero, and for extreme sizes", () => {
  const [x, y] = [[1, 2, 4, 3], [2, 1, 5, 4]];
  const r = pearson(x, y);
  assertAlmostEquals(pearson(x.map((v) => v + 1e12), y), r, 1e-14);
  assertAlmostEquals(pearson(x.map((v) => v * 1e300), y.map((v) => v * 1e-300)), r, 1e-14);
});

Deno.test("pearson() lets NaN show", () => {
  assert(Number.isNaN(pearson([1, NaN, 2], [1, 2, 3])));
  assert(Number.isNaN(pearson([1, 3, 2], [1, Infinity, 3])));
});

Deno.test("pearson() takes tensors, of any rank", () => {
  const x = tensor([[1, 2], [3, 5]], { dtype: "float64" });
  assertEquals(pearson(x, [[1, 2], [3, 4]]), pearson([1, 2, 3, 5], new Int16Array([1, 2, 3, 4])));
});

Deno.test("pearson() wants equal shapes", () => {
  assertMessages(TypeError, [
    [
      () => pearson([1, 2, 3], [1, 2]),
      "Cannot compute pearson as x and y must have the same shape: current shapes are [3] and [2]",
    ],
  ]);
});
