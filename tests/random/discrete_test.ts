import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { sum } from "../../src/ops/reduce.ts";
import { bernoulli, categorical, foldIn, key, permutation, poisson } from "../../src/random.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import { chiSquare, meanOf, poissonProbability, varianceOf } from "./statistics.ts";

Deno.test("bernoulli() is true as often as it should be", () => {
  for (const p of [1e-3, 0.15, 0.5, 0.97]) {
    const x = bernoulli(key(13), p, { shape: [50000] });
    const deviation = Math.sqrt(p * (1 - p) / 50000);
    assertLess(Math.abs(meanOf(x.data) - p), 3.3 * deviation);
    assertEquals(x.dtype, "bool");
  }
});

Deno.test("bernoulli() is never true at 0 and always at 1", () => {
  assert(bernoulli(key(0), 0, { shape: [10000] }).data.every((v) => v === 0));
  assert(bernoulli(key(0), 1, { shape: [10000] }).data.every((v) => v === 1));
});

Deno.test("bernoulli() takes one probability per element, and repeats them along shape", () => {
  const x = bernoulli(key(0), [0, 1], { shape: [3, 2] });
  assertEquals(x.toArray(), [[false, true], [false, true], [false, true]]);
  assertEquals(bernoulli(key(0), [[0], [1]]).toArray(), [[false], [true]]);
});

Deno.test("bernoulli() refuses what is no probability", () => {
  assertThrows(
    () => bernoulli(key(0), 1.5),
    RangeError,
    "Cannot compute bernoulli as probability must be in [0, 1]: current value is 1.5",
  );
  assertThrows(
    () => bernoulli(key(0), [0.5, NaN]),
    RangeError,
    "Cannot compute bernoulli as probability must be in [0, 1]: " +
      "current value at position 1 is NaN",
  );
  assertThrows(
    () => bernoulli(key(0), [0.5, 0.5], { shape: [3] }),
    TypeError,
    "Cannot compute bernoulli as probability must broadcast to shape: " +
      "current shapes are [2] and [3]",
  );
});

Deno.test("categorical() draws classes with the probabilities of the softmax", () => {
  const probabilities = [0.5, 0.3, 0.15, 0.05];
  const x = categorical(key(14), probabilities.map((p) => Math.log(p) + 40), { shape: [40000] });
  const counts = [0, 1, 2, 3].map((c) => x.data.filter((v: number) => v === c).length);
  assertLess(chiSquare(counts, probabilities.map((p) => 40000 * p)), 3);
  assertEquals(x.dtype, "int32");
});

Deno.test("categorical() never draws a class of logit -Infinity", () => {
  const logits = [-Infinity, 0, -Infinity, 1, -Infinity];
  const x = categorical(key(15), logits, { shape: [2000] }).data;
  assert(x.every((c) => c === 1 || c === 3));
});

Deno.test("categorical() draws from one row of logits per element", () => {
  const rows = [[0, -Infinity, -Infinity], [-Infinity, -Infinity, 0]];
  assertEquals(categorical(key(0), rows).toArray(), [0, 2]);
  assertEquals(categorical(key(0), rows, { shape: [2, 2] }).toArray(), [[0, 2], [0, 2]]);
});

Deno.test("categorical() refuses logits without a largest one, or without classes", () => {
  const text = "Cannot compute categorical as the largest logit of every row must be finite: ";
  assertThrows(
    () => categorical(key(0), [[0, 1], [-Infinity, -Infinity]]),
    RangeError,
    text + "current value in row 1 is -Infinity",
  );
  assertThrows(
    () => categorical(key(0), [0, NaN]),
    RangeError,
    text + "current value in row 0 is NaN",
  );
  assertThrows(
    () => categorical(key(0), 3),
    TypeError,
    "Cannot compute categorical as logits must have at least one class along the last axis: " +
      "current shape is []",
  );
});

Deno.test("poisson() follows the Poisson distribution at small and large rates", () => {
  const n = 40000;
  for (const rate of [0.05, 0.7, 4, 9.99, 10, 35, 300]) {
    const x = poisson(key(20), rate, { shape: [n] }).data;
    const length = Math.ceil(rate + 10 * Math.sqrt(rate) + 10);
    const counts = new Array<number>(length).fill(0);
    for (const k of x) counts[k]!++;
    const expected = counts.map((_, k) => n * poissonProbability(k, rate));
    assertLess(chiSquare(counts, expected), 3, `rate ${rate}`);
  }
});

Deno.test("poisson() has the right mean and variance at huge rates", () => {
  const rate = 1e9;
  const x = Array.from(poisson(key(21), rate, { shape: [20000] }).data, (k) => k - rate);
  assertLess(Math.abs(meanOf(x)), 3.3 * Math.sqrt(rate / 20000));
  assertAlmostEquals(varianceOf(x) / rate, 1, 0.04);
});

Deno.test("poisson() is 0 at rate 0", () => {
  const x = poisson(key(0), 0, { shape: [1000] });
  assert(x.data.every((k) => k === 0));
  assertEquals(x.dtype, "int32");
});

Deno.test("poisson() refuses rates out of range", () => {
  for (const [bad, text] of [[-0.5, "-0.5"], [2 ** 31, "2147483648"], [NaN, "NaN"]] as const) {
    assertThrows(
      () => poisson(key(0), bad),
      RangeError,
      `Cannot compute poisson as rate must be in [0, 1073741824]: current value is ${text}`,
    );
  }
});

Deno.test("permutation() holds every number once", () => {
  fc.assert(
    fc.property(fc.nat({ max: 200 }), fc.nat(), (n, seed) => {
      const sorted = permutation(key(seed), n).data.slice().sort();
      assertEquals([...sorted], Array.from({ length: n }, (_, i) => i));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("permutation() draws all orders equally often", () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 12000; i++) {
    const order = permutation(foldIn(key(22), i), 4).data.join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  assertLess(chiSquare([...counts.values()], new Array<number>(24).fill(500)), 3);
});

Deno.test("permutation() rearranges rows and passes gradients to them", () => {
  const x = tensor([[1, 2], [3, 4], [5, 6]]);
  const order = permutation(key(23), 3).data;
  assertEquals(
    permutation(key(23), x).toArray(),
    [...order].map((row) => (x.toArray() as number[][])[row]!),
  );
  const slope = grad((rows: Tensor) => sum(permutation(key(23), rows)))(x);
  assertEquals(slope.toArray(), [[1, 1], [1, 1], [1, 1]]);
});

Deno.test("permutation() refuses what has no rows", () => {
  assertThrows(
    () => permutation(key(0), tensor(3)),
    TypeError,
    "Cannot compute permutation as x must be a number of elements or a tensor with rows: " +
      "current shape is []",
  );
  assertThrows(
    () => permutation(key(0), -1),
    RangeError,
    "Cannot compute permutation as x must be a whole number at least 0 and at most 2147483647: " +
      "current value is -1",
  );
});
