/**
 * Metrics: how good a classification, a segmentation, a prediction, an embedding or a clustering
 * is, in plain numbers.
 *
 * They take tensors, typed arrays or arrays of numbers, and return numbers and arrays; no gradient
 * passes through them. Each page says the range, which direction is better, and what comes out
 * where there is nothing to measure: a finite number, unless the input has NaN or infinities.
 *
 * @example A classification
 * ```ts
 * import { argMax, tensor } from "@cellgrad/cellgrad";
 * import { accuracy, macroF1, segmentationMetrics } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * const logits = tensor([[2, 0, 1], [0, 3, 1], [1, 2, 0], [0, 1, 4]]);
 * const pred = argMax(logits, { axis: 1 });
 * const target = [0, 1, 0, 2];
 * assertEquals(accuracy(pred, target), 0.75);
 * assertEquals(macroF1(pred, target), (2 / 3 + 2 / 3 + 1) / 3);
 * assertEquals(segmentationMetrics(pred, target, { numClasses: 3 }).confusion, [
 *   [1, 1, 0],
 *   [0, 1, 0],
 *   [0, 0, 1],
 * ]);
 * ```
 *
 * @module
 */
export { adjustedRandIndex, normalizedMutualInformation } from "./agreement.ts";
export { batchEntropy, type BatchEntropyOptions } from "./batch_entropy.ts";
export {
  accuracy,
  balancedAccuracy,
  type ClassificationOptions,
  macroF1,
} from "./classification.ts";
export { confusionMatrix, type ConfusionOptions } from "./confusion.ts";
export { type Lisi, lisi, type LisiOptions } from "./lisi.ts";
export { pearson } from "./pearson.ts";
export {
  type PerturbationMetrics,
  perturbationMetrics,
  type PerturbationOptions,
  type PerturbationScores,
  type PerturbationTable,
} from "./perturbation.ts";
export {
  type SegmentationMetrics,
  segmentationMetrics,
  type SegmentationOptions,
} from "./segmentation.ts";
export { silhouette, silhouetteSamples } from "./silhouette.ts";
export { type Values } from "./values.ts";
