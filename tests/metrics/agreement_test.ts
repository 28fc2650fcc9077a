import { assertAlmostEquals, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { adjustedRandIndex, normalizedMutualInformation } from "../../src/metrics/mod.ts";
import { assertMessages, labelPairs, RUNS, shuffled } from "./helpers.ts";

const BOTH = { adjustedRandIndex, normalizedMutualInformation };

for (const [name, agreement] of Object.entries(BOTH)) {
  Deno.test(`${name}() is symmetric, and ignores names and order`, () => {
    fc.assert(
      fc.property(labelPairs, ({ pred, target }) => {
        const value = agreement(pred, target);
        assertAlmostEquals(agreement(target, pred), value, 1e-13);
        assertAlmostEquals(agreement(pred.map((x) => 90 - 11 * x), target), value, 1e-13);
        assertAlmostEquals(agreement(shuffled(pred), shuffled(target)), value, 1e-13);
      }),
      RUNS,
    );
  });

  Deno.test(`${name}() is 1 for the same partition, and for nothing`, () => {
    fc.assert(
      fc.property(labelPairs, ({ target }) => {
        assertAlmostEquals(agreement(target, target.map((x) => -x)), 1, 1e-14);
      }),
      RUNS,
    );
    assertEquals(agreement([], []), 1);
  });

  Deno.test(`${name}() is 0 where one of them is a single group and the other is not`, () => {
    assertEquals(agreement([0, 0, 0, 0], [0, 1, 1, 2]), 0);
    assertEquals(agreement([0, 1, 1, 2], [5, 5, 5, 5]), 0);
  });

  Deno.test(`${name}() is 1 for all items together, and all items apart`, () => {
    assertEquals(agreement([3, 3, 3], [1, 1, 1]), 1);
    assertAlmostEquals(agreement([0, 1, 2], [5, 6, 7]), 1, 1e-15);
    assertEquals(agreement([0], [1]), 1);
  });

  Deno.test(`${name}() takes shapes of any rank, and wants them equal`, () => {
    assertEquals(
      agreement([[0, 1], [2, 2]], [[0, 1], [2, 2]]),
      agreement([0, 1, 2, 2], [0, 1, 2, 2]),
    );
    assertMessages(TypeError, [
      [
        () => agreement([0, 1], [0]),
        `Cannot compute ${name} as labelsA and labelsB must have the same shape: ` +
        "current shapes are [2] and [1]",
      ],
      [
        () => agreement([0, 1], [0, 0.5]),
        `Cannot compute ${name} as labelsB must be whole numbers (int32): ` +
        "current value at position 1 is 0.5",
      ],
    ]);
  });
}

Deno.test("adjustedRandIndex() is in [−½, 1]", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target }) => {
      assertLessOrEqual(Math.abs(adjustedRandIndex(pred, target) - 0.25), 0.75);
    }),
    RUNS,
  );
  assertAlmostEquals(adjustedRandIndex([0, 0, 1, 1], [0, 1, 0, 1]), -0.5, 1e-15);
});

Deno.test("adjustedRandIndex() is what counting pairs of items gives", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target }) => {
      const [n, counts] = [pred.length, { both: 0, a: 0, b: 0, all: 0 }];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) {
          const [a, b] = [pred[i] === pred[j], target[i] === target[j]];
          counts.all++;
          counts.a += Number(a);
          counts.b += Number(b);
          counts.both += Number(a && b);
        }
      }
      const expected = counts.all === 0 ? 0 : counts.a * counts.b / counts.all;
      const top = (counts.a + counts.b) / 2;
      const index = top === expected ? 1 : (counts.both - expected) / (top - expected);
      assertAlmostEquals(adjustedRandIndex(pred, target), index, 1e-12);
    }),
    RUNS,
  );
});

Deno.test("adjustedRandIndex() is near 0 for unrelated labels, where the other is not", () => {
  const a = Array.from({ length: 300 }, (_, i) => Math.floor(i * 0.61803 * 97) % 60);
  const b = Array.from({ length: 300 }, (_, i) => Math.floor(i * 0.41421 * 89) % 60);
  assertLess(Math.abs(adjustedRandIndex(a, b)), 0.05);
  assertLess(0.3, normalizedMutualInformation(a, b));
});

Deno.test("normalizedMutualInformation() is in [0, 1], and 0 for independent labels", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target }) => {
      assertLessOrEqual(Math.abs(normalizedMutualInformation(pred, target) - 0.5), 0.5);
      const independent = [pred.flatMap((p) => [p, p]), pred.flatMap(() => [0, 1])] as const;
      if (pred.length > 0) {
        assertAlmostEquals(normalizedMutualInformation(...independent), 0, 1e-14);
      }
    }),
    RUNS,
  );
});
