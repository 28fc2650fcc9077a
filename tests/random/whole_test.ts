import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { choice, foldIn, integers, key, split } from "../../src/random.ts";
import { stack } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { chiSquare } from "./statistics.ts";

const LEAST = -(2 ** 31);
const int = (values: number[]) => tensor(values, { dtype: "int32" });
const count = (x: Tensor, n: number) => {
  const counts = new Array<number>(n).fill(0);
  for (const value of x.data) counts[value]!++;
  return counts;
};

Deno.test("integers() draws all numbers of a range equally often", () => {
  for (const n of [2, 3, 7, 8, 9, 100]) {
    const x = integers(key(31), 0, n, { shape: [40000] });
    assertLess(chiSquare(count(x, n), new Array<number>(n).fill(40000 / n)), 3, `of ${n}`);
    assertEquals(x.dtype, "int32");
  }
});

Deno.test("integers() favours no third of a range of 3·2³⁰, as remainders would", () => {
  const x = integers(key(32), LEAST, 2 ** 30, { shape: [60000] });
  const thirds = Array.from(x.data, (v) => Math.floor((v - LEAST) / 2 ** 30));
  assertLess(chiSquare(count(int(thirds), 3), [20000, 20000, 20000]), 3);
});

Deno.test("integers() stays within any range", () => {
  const bound = fc.integer({ min: LEAST, max: 2 ** 31 });
  fc.assert(
    fc.property(bound, bound, fc.nat(), (a, b, seed) => {
      fc.pre(a !== b);
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const x = integers(key(seed), low, high, { shape: [30] }).data;
      assert(x.every((v) => v >= low && v < high));
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("integers() of one number, and of all that int32 holds", () => {
  assertEquals(integers(key(0), -5, -4, { shape: [3] }).toArray(), [-5, -5, -5]);
  assertEquals(integers(key(0), 2 ** 31 - 1, 2 ** 31).item(), 2 ** 31 - 1);
  const x = integers(key(1), LEAST, 2 ** 31, { shape: [40000] }).data;
  const eighths = Array.from(x, (v) => Math.floor((v - LEAST) / 2 ** 29));
  assertLess(chiSquare(count(int(eighths), 8), new Array<number>(8).fill(5000)), 3);
});

Deno.test("integers() takes a range per element, and repeats them along shape", () => {
  assertEquals(integers(key(0), [0, 10], [1, 11]).toArray(), [0, 10]);
  assertEquals(integers(key(0), [[0], [10]], [[1], [11]]).shape, [2, 1]);
  assertEquals(integers(key(0), [3, 5], 6, { shape: [4, 2] }).data.filter((v) => v < 3).length, 0);
  const own = integers(key(2), int([LEAST, 0]), int([2 ** 31 - 1, 4]), { shape: [1000, 2] });
  assert(own.data.every((v, i) => i % 2 === 0 || (v >= 0 && v < 4)));
});

Deno.test("integers() does not depend on the ranges and rejections of neighbours", () => {
  const x = integers(key(3), 0, [5, 1000, 70000]).data;
  const y = integers(key(3), 0, [9, 1000, 3]).data;
  assertEquals(x[1], y[1]);
});

Deno.test("integers() of no elements and of rank 0 keeps its shape", () => {
  assertEquals(integers(key(0), 0, 2, { shape: [0, 3] }).shape, [0, 3]);
  assertEquals(integers(key(0), 0, 2).shape, []);
});

Deno.test("integers() refuses empty ranges and what is not whole", () => {
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => integers(key(0), 3, 3),
      RangeError,
      "low must be less than high: current values are 3 and 3",
    ],
    [
      () => integers(key(0), [0, 2], [1, 2]),
      RangeError,
      "low must be less than high: in position 1 of the shape to which they broadcast it is not",
    ],
    [
      () => integers(key(0), 0, int([LEAST])),
      RangeError,
      "low must be less than high: in position 0 of the shape to which they broadcast it is not",
    ],
    [
      () => integers(key(0), 0, 2 ** 31 + 1),
      RangeError,
      "high must be a whole number at least -2147483647 and at most 2147483648: " +
      "current value is 2147483649",
    ],
    [
      () => integers(key(0), 0.5, 2),
      RangeError,
      "low must be a whole number at least -2147483648 and at most 2147483647: " +
      "current value is 0.5",
    ],
    [
      () => integers(key(0), tensor([0]), 2),
      TypeError,
      "low must be int32: current dtype is float32",
    ],
    [
      () => integers(key(0), [0, 1, 2], 5, { shape: [2] }),
      TypeError,
      "low must broadcast to shape: current shapes are [3] and [2]",
    ],
  ];
  for (const [act, kind, text] of cases) {
    assertEquals(assertThrows(act, kind).message, `Cannot compute integers as ${text}`);
  }
});

Deno.test("choice() chooses with probabilities in proportion to the weights", () => {
  const weights = [3, 0, 5, 0.5, 1.5];
  const x = choice(key(41), 5, { shape: [200, 200], weights });
  assertEquals([x.shape, x.dtype], [[200, 200], "int32"]);
  const counts = count(x, 5);
  assertEquals(counts[1], 0);
  assertLess(chiSquare(counts, weights.map((w) => 4000 * w)), 3);
});

Deno.test("choice() without weights chooses all equally often, one by default", () => {
  const x = choice(key(42), 6, { shape: [30000] });
  assertLess(chiSquare(count(x, 6), new Array<number>(6).fill(5000)), 3);
  assertEquals(choice(key(42), 6).shape, []);
  assertEquals(choice(key(42), 6, { shape: [0, 2] }).shape, [0, 2]);
});

Deno.test("choice() without replacement gives every ordered pair as often as it should", () => {
  const weights = [1, 2, 4, 0];
  const draws = 12000;
  const keys = Array.from({ length: draws }, (_, i) => foldIn(key(43), i));
  for (const own of [weights, undefined]) {
    const pairs = keys.map((k) => {
      const [a, b] = choice(k, 4, { shape: [2], replace: false, weights: own }).data;
      return 4 * a! + b!;
    });
    const w = own ?? [1, 1, 1, 1];
    const total = w.reduce((a, b) => a + b);
    const expected = Array.from({ length: 16 }, (_, pair) => {
      const [a, b] = [w[pair >> 2]!, w[pair & 3]!];
      return pair >> 2 === (pair & 3) ? 0 : draws * a / total * b / (total - a);
    });
    const seen = count(int(pairs), 16);
    expected.forEach((e, pair) => assertEquals(e === 0, seen[pair] === 0, `pair ${pair}`));
    const possible = (_: number, pair: number) => expected[pair]! > 0;
    assertLess(chiSquare(seen.filter(possible), expected.filter(possible)), 3);
  }
});

Deno.test("choice() without replacement chooses nothing twice, and all where all are asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.boolean(), (n, seed, weighted) => {
      const weights = weighted ? Array.from({ length: n }, (_, i) => 1e-30 + i ** 9) : undefined;
      const x = choice(key(seed), n, { shape: [n], replace: false, weights });
      assertEquals([...x.data].sort((a, b) => a - b), Array.from({ length: n }, (_, i) => i));
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("choice() keeps apart weights of 1e-30 and 1e-34, and of 1e38", () => {
  for (const scale of [1e-30, 1e34]) {
    const weights = [scale, scale * 1e-4, 3 * scale];
    const counts = count(choice(key(44), 3, { shape: [40000], weights }), 3);
    assertLess(chiSquare(counts, [9999.75, 0.999975, 29999.25]), 3);
  }
});

Deno.test("choice() without replacement never chooses what has weight 0, however weights differ", () => {
  const size = fc.integer({ min: -44, max: 38 }).map((power) => 10 ** power);
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 9 }), fc.nat(), (own, seed) => {
      const weights = own.flatMap((weight) => [0, weight]);
      const chosen = choice(key(seed), weights.length, {
        shape: [own.length],
        replace: false,
        weights,
      });
      assertEquals([...chosen.data].sort((a, b) => a - b), own.map((_, i) => 2 * i + 1));
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("choice() without replacement chooses the far larger weights first", () => {
  const weights = [1e-40, 0, 1e38, 1e-10];
  const order = choice(key(46), 4, { shape: [3], replace: false, weights });
  assertEquals(order.toArray(), [2, 3, 0]);
});

Deno.test("choice() and integers() draw for each mapped key what they draw for it alone", () => {
  const keys = split(key(45), 3);
  const draws = [
    (k: Tensor) => integers(k, 0, 1000, { shape: [4] }),
    (k: Tensor) => choice(k, 9, { shape: [4], weights: [1, 2, 3, 4, 5, 6, 7, 8, 9] }),
    (k: Tensor) => choice(k, 9, { shape: [4], replace: false }),
    (k: Tensor) => choice(k, 3, { shape: [2], replace: false, weights: [1, 2, 3] }),
  ];
  for (const f of draws) {
    assertEquals(vmap(f)(stack(keys)).toArray(), stack(keys.map(f)).toArray());
  }
});

Deno.test("choice() refuses weights and numbers that leave no choice", () => {
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => choice(key(0), 0),
      RangeError,
      "n must be a whole number at least 1 and at most 2147483647: current value is 0",
    ],
    [
      () => choice(key(0), 3, { weights: [1, 2] }),
      TypeError,
      "weights must have one number for each of n: current shape is [2], current n is 3",
    ],
    [
      () => choice(key(0), 2, { weights: [1, -1] }),
      RangeError,
      "weights must be finite and at least 0: current value at position 1 is -1",
    ],
    [
      () => choice(key(0), 2, { weights: [NaN, 1] }),
      RangeError,
      "weights must be finite and at least 0: current value at position 0 is NaN",
    ],
    [
      () => choice(key(0), 2, { weights: [Infinity, 1] }),
      RangeError,
      "weights must be finite and at least 0: current value at position 0 is Infinity",
    ],
    [
      () => choice(key(0), 2, { weights: [0, 0] }),
      RangeError,
      "weights must be above 0 for as many as are chosen, 1: " +
      "current count of those at position 0 is 0",
    ],
    [
      () => choice(key(0), 3, { weights: [1, 0, 1], shape: [3], replace: false }),
      RangeError,
      "weights must be above 0 for as many as are chosen, 3: " +
      "current count of those at position 0 is 2",
    ],
    [
      () => choice(key(0), 3, { shape: [2, 2], replace: false }),
      RangeError,
      "there must be no more choices than n without replacement: current values are 4 and 3",
    ],
    [
      () => choice(key(0), 3, { replace: 1 as unknown as boolean }),
      TypeError,
      "replace must be true or false: current value is 1",
    ],
  ];
  for (const [act, kind, text] of cases) {
    assertEquals(assertThrows(act, kind).message, `Cannot compute choice as ${text}`);
  }
});
