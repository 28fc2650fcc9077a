import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import {
  accuracy,
  balancedAccuracy,
  confusionMatrix,
  macroF1,
  segmentationMetrics,
} from "../../src/metrics/mod.ts";
import { assertMessages, labelPairs, RUNS, shuffled } from "./helpers.ts";

const SCORES = { accuracy, balancedAccuracy, macroF1 };

Deno.test("confusionMatrix() counts every item once", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const counts = confusionMatrix(pred, target, { numClasses }).flat();
      assertEquals(counts.length, numClasses ** 2);
      assertEquals(counts.reduce((a, b) => a + b, 0), pred.length);
    }),
    RUNS,
  );
});

Deno.test("confusionMatrix() has targets in rows", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const rows = confusionMatrix(pred, target, { numClasses });
      rows.forEach((row, c) =>
        assertEquals(row.reduce((a, b) => a + b, 0), target.filter((t) => t === c).length)
      );
    }),
    RUNS,
  );
});

Deno.test("confusionMatrix() is transposed when predictions and targets change places", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const rows = confusionMatrix(pred, target, { numClasses });
      const columns = confusionMatrix(target, pred, { numClasses });
      assertEquals(columns, rows.map((_, i) => rows.map((row) => row[i]!)));
    }),
    RUNS,
  );
});

Deno.test("confusionMatrix() does not depend on the order of the items", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      assertEquals(
        confusionMatrix(shuffled(pred), shuffled(target), { numClasses }),
        confusionMatrix(pred, target, { numClasses }),
      );
    }),
    RUNS,
  );
});

Deno.test("confusionMatrix() with ignoreIndex is that of the other items", () => {
  fc.assert(
    fc.property(labelPairs, fc.boolean(), ({ pred, target, numClasses }, outside) => {
      const ignoreIndex = outside ? 255 : 0;
      const marked = target.map((t, i) => i % 3 === 0 ? ignoreIndex : t);
      const kept = (_: number, i: number) => marked[i] !== ignoreIndex;
      assertEquals(
        confusionMatrix(pred, marked, { numClasses, ignoreIndex }),
        confusionMatrix(pred.filter(kept), target.filter(kept), { numClasses }),
      );
    }),
    RUNS,
  );
});

Deno.test("confusionMatrix() does not look at predictions where the target is ignored", () => {
  const counts = confusionMatrix([255, 1], [255, 1], { numClasses: 2, ignoreIndex: 255 });
  assertEquals(counts, [[0, 0], [0, 1]]);
});

Deno.test("confusionMatrix() takes tensors, typed arrays of every kind, and nested arrays", () => {
  const expected = [[1, 1], [0, 2]];
  const [pred, target] = [[0, 1, 1, 1], [0, 0, 1, 1]];
  const forms = [
    (x: number[]) => tensor(x),
    (x: number[]) => tensor(x, { dtype: "int32" }).reshape([2, 2]),
    (x: number[]) => tensor(x).greater(0),
    (x: number[]) => [[x.slice(0, 2)], [x.slice(2)]],
    (x: number[]) => new Uint8Array(x),
    (x: number[]) => new Uint16Array(x),
    (x: number[]) => new Float64Array(x),
    (x: number[]) => x.map((v) => v === 1),
  ];
  for (const form of forms) {
    assertEquals(confusionMatrix(form(pred), form(target), { numClasses: 2 }), expected);
  }
});

Deno.test("accuracy(), balancedAccuracy() and macroF1() are in [0, 1], and 1 where all is right", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target }) => {
      for (const score of Object.values(SCORES)) {
        const value = score(pred, target);
        assertLessOrEqual(Math.abs(value - 0.5), 0.5);
        assertEquals(score(target, target), target.length === 0 ? 0 : 1);
      }
    }),
    RUNS,
  );
});

Deno.test("accuracy(), balancedAccuracy() and macroF1() ignore order and names of classes", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target }) => {
      const renamed = (labels: number[]) => shuffled(labels).map((label) => 100 - 7 * label);
      for (const score of Object.values(SCORES)) {
        assertAlmostEquals(score(renamed(pred), renamed(target)), score(pred, target), 1e-14);
      }
    }),
    RUNS,
  );
});

Deno.test("accuracy(), balancedAccuracy() and macroF1() leave out what is ignored", () => {
  for (const score of Object.values(SCORES)) {
    assertEquals(
      score([0, 1, 1, 2], [0, 1, -1, -1], { ignoreIndex: -1 }),
      score([0, 1], [0, 1]),
    );
    assertEquals(score([1, 1], [9, 9], { ignoreIndex: 9 }), 0);
  }
});

Deno.test("accuracy(), balancedAccuracy() and macroF1() are the same with numClasses", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      for (const score of Object.values(SCORES)) {
        assertEquals(score(pred, target, { numClasses: numClasses + 2 }), score(pred, target));
      }
    }),
    RUNS,
  );
});

Deno.test("accuracy() follows from the confusion matrix", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      assertEquals(
        accuracy(pred, target),
        segmentationMetrics(pred, target, { numClasses }).accuracy,
      );
    }),
    RUNS,
  );
});

Deno.test("accuracy() can be taken within a transform, as a constant", () => {
  let seen = -1;
  const slope = grad((x: ReturnType<typeof tensor>) => {
    seen = accuracy(x, [1, 2, 4]);
    return x.sum();
  })([1, 2, 3]);
  assertEquals([slope.toArray(), seen], [[1, 1, 1], 2 / 3]);
});

Deno.test("balancedAccuracy() of a constant guess is one over the number of classes", () => {
  assertAlmostEquals(balancedAccuracy([1, 1, 1, 1, 1], [0, 1, 1, 1, 2]), 1 / 3);
});

Deno.test("macroF1() counts classes that are only predicted", () => {
  assertAlmostEquals(macroF1([0, 0, 1], [0, 0, 0]), 0.4);
});

Deno.test("confusionMatrix() says which label is out of range, and where", () => {
  const options = { numClasses: 3, ignoreIndex: 255 };
  assertMessages(RangeError, [
    [
      () => confusionMatrix([0, 1], [0, 3], options),
      "Cannot compute confusionMatrix as target must be in [0, 2] or ignoreIndex 255: " +
      "current value at position 1 is 3",
    ],
    [
      () => confusionMatrix([0, 1], [0, -1], { numClasses: 3 }),
      "Cannot compute confusionMatrix as target must be in [0, 2]: " +
      "current value at position 1 is -1",
    ],
    [
      () => confusionMatrix([255, 255], [255, 1], options),
      "Cannot compute confusionMatrix as pred must be in [0, 2]: " +
      "current value at position 1 is 255",
    ],
    [
      () => accuracy([0, 3], [0, 1], { numClasses: 3 }),
      "Cannot compute accuracy as pred must be in [0, 2]: current value at position 1 is 3",
    ],
  ]);
});

Deno.test("confusionMatrix() wants labels that are whole numbers, of one shape", () => {
  assertMessages(TypeError, [
    [
      () => confusionMatrix([0, 0.5], [0, 1], { numClasses: 2 }),
      "Cannot compute confusionMatrix as pred must be whole numbers (int32): " +
      "current value at position 1 is 0.5",
    ],
    [
      () => confusionMatrix([0, 1], [0, NaN], { numClasses: 2 }),
      "Cannot compute confusionMatrix as target must be whole numbers (int32): " +
      "current value at position 1 is NaN",
    ],
    [
      () => confusionMatrix([0], [2 ** 31], { numClasses: 2 }),
      "Cannot compute confusionMatrix as target must be whole numbers (int32): " +
      "current value at position 0 is 2147483648",
    ],
    [
      () => confusionMatrix([[0, 1]], [0, 1], { numClasses: 2 }),
      "Cannot compute confusionMatrix as pred and target must have the same shape: " +
      "current shapes are [1, 2] and [2]",
    ],
    [
      () => macroF1([0, 1, 2], [0, 1]),
      "Cannot compute macroF1 as pred and target must have the same shape: " +
      "current shapes are [3] and [2]",
    ],
  ]);
});

Deno.test("confusionMatrix(), accuracy() and their kind want options that they know", () => {
  const unknown = { classes: 2 } as unknown as { numClasses: number };
  assertMessages(TypeError, [
    [
      () => confusionMatrix([0], [0], unknown),
      "Cannot compute confusionMatrix as there is no option classes: did you mean " +
      "numClasses? The options are numClasses, ignoreIndex",
    ],
    [
      () => confusionMatrix([0], [0], {} as unknown as { numClasses: number }),
      "Cannot compute confusionMatrix as numClasses must be a whole number: " +
      "current value is undefined",
    ],
    [
      () => confusionMatrix([0], [0], undefined as unknown as { numClasses: number }),
      "Cannot compute confusionMatrix as options must be an object with any of numClasses, " +
      "ignoreIndex: current value is undefined",
    ],
    [
      () => balancedAccuracy([0], [0], unknown),
      "Cannot compute balancedAccuracy as there is no option classes: did you mean " +
      "numClasses? The options are numClasses, ignoreIndex",
    ],
  ]);
  assertMessages(RangeError, [
    [
      () => confusionMatrix([0], [0], { numClasses: 0 }),
      "Cannot compute confusionMatrix as numClasses must be a whole number at least 1 and at " +
      "most 8192: current value is 0",
    ],
    [
      () => accuracy([0], [0], { numClasses: 1.5 }),
      "Cannot compute accuracy as numClasses must be a whole number at least 1: " +
      "current value is 1.5",
    ],
    [
      () => accuracy([0], [0], { ignoreIndex: 0.5 }),
      "Cannot compute accuracy as ignoreIndex must be a whole number: current value is 0.5",
    ],
  ]);
});
