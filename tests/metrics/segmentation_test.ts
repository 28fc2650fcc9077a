import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { segmentationMetrics } from "../../src/metrics/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { assertMessages, labelPairs, RUNS, shuffled } from "./helpers.ts";

const LISTS = ["recall", "precision", "f1", "iou"] as const;

Deno.test("segmentationMetrics() has IoU at most precision and recall, all in [0, 1]", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const found = segmentationMetrics(pred, target, { numClasses });
      for (const name of LISTS) {
        found[name].forEach((value) => assertLessOrEqual(Math.abs(value - 0.5), 0.5));
      }
      found.iou.forEach((iou, c) => {
        assertLessOrEqual(iou, Math.min(found.precision[c]!, found.recall[c]!));
      });
    }),
    RUNS,
  );
});

Deno.test("segmentationMetrics() has F1 = 2 IoU / (1 + IoU), and 2PR / (P + R)", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const { f1, iou, precision, recall } = segmentationMetrics(pred, target, { numClasses });
      f1.forEach((value, c) => {
        assertAlmostEquals(value, 2 * iou[c]! / (1 + iou[c]!), 1e-14);
        const [p, r] = [precision[c]!, recall[c]!];
        assertAlmostEquals(value, p + r === 0 ? 0 : 2 * p * r / (p + r), 1e-14);
      });
    }),
    RUNS,
  );
});

Deno.test("segmentationMetrics() exchanges precision and recall with predictions and targets", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const there = segmentationMetrics(pred, target, { numClasses });
      const back = segmentationMetrics(target, pred, { numClasses });
      assertEquals(back.precision, there.recall);
      assertEquals(back.iou, there.iou);
    }),
    RUNS,
  );
});

Deno.test("segmentationMetrics() does not depend on the order of the voxels", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      assertEquals(
        segmentationMetrics(shuffled(pred), shuffled(target), { numClasses }),
        segmentationMetrics(pred, target, { numClasses }),
      );
    }),
    RUNS,
  );
});

Deno.test("segmentationMetrics() renames the scores when the classes are renamed", () => {
  fc.assert(
    fc.property(labelPairs, ({ pred, target, numClasses }) => {
      const renamed = (labels: number[]) => labels.map((label) => numClasses - 1 - label);
      const found = segmentationMetrics(pred, target, { numClasses });
      const other = segmentationMetrics(renamed(pred), renamed(target), { numClasses });
      for (const name of LISTS) assertEquals(other[name], found[name].toReversed());
      assertAlmostEquals(other.meanIou, found.meanIou, 1e-14);
      assertEquals(other.accuracy, found.accuracy);
    }),
    RUNS,
  );
});

Deno.test("segmentationMetrics() gives ones where all is right", () => {
  const found = segmentationMetrics([0, 1, 2, 2], [0, 1, 2, 2], { numClasses: 3 });
  for (const name of LISTS) assertEquals(found[name], new Float64Array([1, 1, 1]));
  assertEquals([found.accuracy, found.meanIou], [1, 1]);
});

Deno.test("segmentationMetrics() gives zeros for an absent class, and counts it unless told not to", () => {
  const [pred, target] = [[0, 0, 1], [0, 1, 1]];
  const zero = segmentationMetrics(pred, target, { numClasses: 3 });
  const skip = segmentationMetrics(pred, target, { numClasses: 3, absent: "skip" });
  for (const name of LISTS) assertEquals([zero[name][2], skip[name][2]], [0, 0]);
  assertAllClose([zero.meanIou, skip.meanIou], [1 / 3, 1 / 2]);
});

Deno.test("segmentationMetrics() does not skip a class that is predicted only", () => {
  const found = segmentationMetrics([0, 1], [0, 0], { numClasses: 2, absent: "skip" });
  assertEquals(found.meanIou, 0.25);
});

Deno.test("segmentationMetrics() is finite where nothing is counted", () => {
  for (const absent of ["zero", "skip"] as const) {
    for (const [labels, ignoreIndex] of [[[], undefined], [[7, 7], 7]] as const) {
      const found = segmentationMetrics(labels, labels, { numClasses: 2, ignoreIndex, absent });
      for (const name of LISTS) assertEquals(found[name], new Float64Array(2));
      assertEquals([found.accuracy, found.meanIou], [0, 0]);
    }
  }
});

Deno.test("segmentationMetrics() agrees with the loss-function guide's monitoring table", () => {
  // Its table gives recall .95 and precision .92 for the background, hence IoU 1/(1/P + 1/R − 1).
  const [found, missed, wrong] = [17480, 920, 1520];
  const items = [[1, 1, found], [0, 1, missed], [1, 0, wrong]] as const;
  const list = (k: 0 | 1) => items.flatMap((item) => new Array<number>(item[2]).fill(item[k]));
  const { recall, precision, iou } = segmentationMetrics(list(0), list(1), { numClasses: 2 });
  assertAllClose([recall[1]!, precision[1]!], [0.95, 0.92]);
  assertAllClose(iou[1]!, 1 / (1 / 0.92 + 1 / 0.95 - 1));
});

Deno.test("segmentationMetrics() names itself and what it wants", () => {
  assertMessages(TypeError, [
    [
      () => segmentationMetrics([0], [0], { numClasses: 1, absent: "nan" as "zero" }),
      "Cannot compute segmentationMetrics as absent must be one of zero, skip: " +
      "current value is nan",
    ],
    [
      () => segmentationMetrics([0], [0], { numClasses: 1, average: "macro" } as { numClasses: 1 }),
      "Cannot compute segmentationMetrics as there is no option average: " +
      "the options are numClasses, ignoreIndex, absent",
    ],
    [
      () => segmentationMetrics([0, 0], [0], { numClasses: 1 }),
      "Cannot compute segmentationMetrics as pred and target must have the same shape: " +
      "current shapes are [2] and [1]",
    ],
  ]);
  assertMessages(RangeError, [
    [
      () => segmentationMetrics([0], [1], { numClasses: 1 }),
      "Cannot compute segmentationMetrics as target must be in [0, 0]: " +
      "current value at position 0 is 1",
    ],
    [
      () => segmentationMetrics([0], [0], { numClasses: -1 }),
      "Cannot compute segmentationMetrics as numClasses must be a whole number at least 1 " +
      "and at most 8192: current value is -1",
    ],
  ]);
});
