/**
 * Scores per class of a segmentation or any other classification.
 *
 * @module
 */
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  type ClassCounts,
  CLASSES,
  type ConfusionOptions,
  countPairs,
  f1Of,
  keptPairs,
  ratio,
} from "./confusion.ts";
import { meanOf, type Values } from "./values.ts";

/** Options of {@linkcode segmentationMetrics}. */
export interface SegmentationOptions extends ConfusionOptions {
  /**
   * What a class that is neither present nor predicted is to the mean IoU: `"zero"`, which counts
   * it as 0 and is the default, or `"skip"`, which leaves it out.
   */
  absent?: "zero" | "skip" | undefined;
}

/** What {@linkcode segmentationMetrics} returns: one entry per class, and two numbers for all. */
export interface SegmentationMetrics {
  /** Counts, with targets in rows and predictions in columns. */
  confusion: number[][];
  /** The share of each class that was found. */
  recall: Float64Array;
  /** The share of right ones among those predicted as the class. */
  precision: Float64Array;
  /** The harmonic mean of recall and precision. */
  f1: Float64Array;
  /** Intersection over union. */
  iou: Float64Array;
  /** The share of right ones among all. */
  accuracy: number;
  /** The mean of the classes' IoU. */
  meanIou: number;
}

/**
 * Recall, precision, F1 and intersection over union of each class, accuracy and mean IoU.
 *
 * With TP right ones, FN missed ones and FP wrongly predicted ones of a class:
 *
 * - recall = TP / (TP + FN)
 * - precision = TP / (TP + FP)
 * - F1 = 2TP / (2TP + FP + FN), also known as the Dice coefficient
 * - IoU = TP / (TP + FP + FN), also known as the Jaccard index; F1 = 2·IoU / (1 + IoU)
 *
 * All are in [0, 1], higher is better, and IoU ≤ min(precision, recall). High recall with low IoU
 * means that a class is over-predicted. Where a denominator is 0, the score is 0: a class that is
 * not there and not predicted has zeros, as has everything of an empty input.
 *
 * Source: davidackerman/dinov3_playground, `memory_efficient_training.py`, which counts absent
 * classes as 0 in the mean; most papers leave them out, which is `absent: "skip"`. A class that is
 * predicted, but not present, counts as 0 either way.
 *
 * @param pred The predicted labels, of any shape; of logits, `argMax(logits, { axis: 1 })`.
 * @param target The true labels, of the same shape.
 * @param options `numClasses`; `ignoreIndex`, a target that is not counted, none by default;
 * `absent`, `"zero"` by default.
 * @returns The scores, as plain numbers and arrays.
 * @throws {TypeError} If the shapes differ, a label is not a whole number, or an option is unknown
 * or of the wrong kind.
 * @throws {RangeError} If a label that is not ignored is outside of [0, `numClasses`).
 *
 * @example Two pixels of a nucleus, one of them missed
 * ```ts
 * import { segmentationMetrics } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * const pred = [[0, 0], [0, 1]];
 * const target = [[0, 0], [1, 1]];
 * const { recall, precision, iou } = segmentationMetrics(pred, target, { numClasses: 2 });
 * assertEquals(recall[1], 1 / 2);
 * assertEquals(precision[0], 2 / 3);
 * assertEquals(iou[1], 1 / 2);
 * ```
 */
export function segmentationMetrics(
  pred: Values,
  target: Values,
  options: SegmentationOptions,
): SegmentationMetrics {
  if (arguments.length > 3) refuseMore("segmentationMetrics", "options", 3, arguments);
  const { numClasses, ignoreIndex, absent } = readOptions("segmentationMetrics", options, {
    numClasses: undefined as unknown as number,
    ignoreIndex: undefined,
    absent: "zero",
  });
  checkChoice("segmentationMetrics", "absent", absent, ["zero", "skip"]);
  checkNumber("segmentationMetrics", "numClasses", numClasses, CLASSES);
  const pairs = keptPairs("segmentationMetrics", pred, target, numClasses, ignoreIndex);
  const confusion = countPairs(numClasses, pairs);
  const classes = confusion.map((row, c): ClassCounts => ({
    truePositives: row[c]!,
    targets: row.reduce((a, b) => a + b, 0),
    predictions: confusion.reduce((sum, other) => sum + other[c]!, 0),
  }));
  const iou = Float64Array.from(
    classes,
    (c) => ratio(c.truePositives, c.targets + c.predictions - c.truePositives),
  );
  const right = classes.reduce((sum, c) => sum + c.truePositives, 0);
  const counted = absent === "zero"
    ? iou
    : iou.filter((_, c) => classes[c]!.targets + classes[c]!.predictions > 0);
  return {
    confusion,
    recall: Float64Array.from(classes, (c) => ratio(c.truePositives, c.targets)),
    precision: Float64Array.from(classes, (c) => ratio(c.truePositives, c.predictions)),
    f1: Float64Array.from(classes, f1Of),
    iou,
    accuracy: ratio(right, pairs[1].length),
    meanIou: meanOf(counted),
  };
}
