/** One valid call of every metric. */
import * as metrics from "../../src/metrics/mod.ts";
import type { ValidCall } from "./valid_calls.ts";

const points = () => [[0, 0], [0, 1], [5, 5], [5, 6]];
const groups = () => [0, 0, 1, 1];
const other = () => Int32Array.of(0, 1, 1, 1);

const row = (
  name: keyof typeof metrics,
  args: () => unknown[],
  options?: number,
): ValidCall => ({
  name,
  f: metrics[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

/** All of them. */
export const VALID_METRICS: readonly ValidCall[] = [
  row("adjustedRandIndex", () => [groups(), other()]),
  row("normalizedMutualInformation", () => [groups(), other()]),
  row("batchEntropy", () => [points(), groups(), { nNeighbors: 2, normalize: true }], 2),
  row("accuracy", () => [groups(), other(), { ignoreIndex: 2, numClasses: 3 }], 2),
  row("balancedAccuracy", () => [groups(), other(), { ignoreIndex: 2, numClasses: 3 }], 2),
  row("macroF1", () => [groups(), other(), { ignoreIndex: 2, numClasses: 3 }], 2),
  row("confusionMatrix", () => [groups(), other(), { numClasses: 2, ignoreIndex: -1 }], 2),
  row("lisi", () => [points(), groups(), { perplexity: 2 }], 2),
  row("pearson", () => [[1, 2, 3], [2, 1, 3]]),
  row("perturbationMetrics", () => [
    [[2, 3.5, 5], [1, 2, 3]],
    [[3, 3, 5], [1, 2, 3]],
    { ctrlMean: [1, 4, 5], perturbation: [0, 1], deIndices: [[0, 1], [1, 2]], topK: 2 },
  ], 2),
  row("segmentationMetrics", () => [
    groups(),
    other(),
    { numClasses: 2, ignoreIndex: -1, absent: "skip" },
  ], 2),
  row("silhouette", () => [points(), groups()]),
  row("silhouetteSamples", () => [points(), groups()]),
];
