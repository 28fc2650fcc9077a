import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { stratifiedFolds } from "../../src/data/folds.ts";

/** Labels of a few classes, some of them rare, and a number of folds. */
const problems = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 80 })
  .chain((labels) =>
    fc.tuple(fc.constant(labels), fc.integer({ min: 2, max: labels.length }), fc.nat())
  );

Deno.test("stratifiedFolds() tests every cell once and trains on all others", () => {
  fc.assert(
    fc.property(problems, ([labels, k, seed]) => {
      const folds = stratifiedFolds(labels, k, { seed });
      assertEquals(folds.length, k);
      const cells = labels.map((_, i) => i);
      assertEquals(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b), cells);
      for (const { train, test } of folds) {
        assertEquals([...train, ...test].sort((a, b) => a - b), cells);
        assertEquals([...test], [...test].sort((a, b) => a - b));
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("stratifiedFolds() spreads every class, and all cells, evenly", () => {
  fc.assert(
    fc.property(problems, ([labels, k, seed]) => {
      const folds = stratifiedFolds(labels, k, { seed });
      const spread = (counts: number[]) => Math.max(...counts) - Math.min(...counts);
      assertLessOrEqual(spread(folds.map(({ test }) => test.length)), 1);
      for (const label of new Set(labels)) {
        const counts = folds.map(({ test }) => test.filter((i) => labels[i] === label).length);
        assertLessOrEqual(spread(counts), 1);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("stratifiedFolds() gives the same folds for the same seed only", () => {
  const labels = Array.from({ length: 60 }, (_, i) => i % 3);
  assertEquals(stratifiedFolds(labels, 5, { seed: 1 }), stratifiedFolds(labels, 5, { seed: 1 }));
  assertNotEquals(stratifiedFolds(labels, 5, { seed: 1 }), stratifiedFolds(labels, 5, { seed: 2 }));
});

Deno.test("stratifiedFolds() does not follow the order of the cells", () => {
  const labels = new Int32Array(100);
  const [first] = stratifiedFolds(labels, 2);
  const even = first!.test.filter((cell) => cell % 2 === 0).length;
  const early = first!.test.filter((cell) => cell < 50).length;
  assert(even > 15 && even < 35 && early > 15 && early < 35);
});

Deno.test("stratifiedFolds() accepts classes smaller than k", () => {
  const folds = stratifiedFolds([0, 0, 0, 0, 0, 0, 7], 3);
  assertEquals(folds.filter(({ test }) => test.includes(6)).length, 1);
});

Deno.test("stratifiedFolds() refuses a k that does not fit the cells", () => {
  for (const k of [1, 2.5, 4, NaN]) {
    assertThrows(
      () => stratifiedFolds([0, 1, 1], k),
      RangeError,
      "Cannot compute stratifiedFolds as k must be a whole number from 2 to the number of cells, " +
        `3: current value is ${k}`,
    );
  }
});

Deno.test("stratifiedFolds() refuses labels that are no whole numbers", () => {
  assertThrows(
    () => stratifiedFolds([0, 0.5], 2),
    TypeError,
    "Cannot compute stratifiedFolds as labels must be whole numbers (int32): " +
      "current value at position 1 is 0.5",
  );
});
