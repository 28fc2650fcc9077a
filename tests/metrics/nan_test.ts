/** NaN in, NaN or an error out: every metric, every entry of all that it reads. */
import { assert } from "@std/assert";
import * as cg from "../../mod.ts";
import * as metrics from "../../src/metrics/mod.ts";
import { assertError } from "../losses/laws.ts";
import { assertListed } from "../guards.ts";

const numbers = (seed: number, shape: number[]) =>
  Array.from(cg.normal(cg.key(seed), shape, { dtype: "float64" }).data);
const matrix = (data: readonly number[], width: number) =>
  cg.tensor(Float64Array.from(data), { shape: [data.length / width, width] });

const cells = numbers(1, [6, 2]);
const groups = [0, 1, 0, 1, 1, 0];
const genes = numbers(2, [2, 3]);
const options = { ctrlMean: [1, 2, 3], perturbation: [0, 0], deIndices: [[0, 1, 2]], topK: 3 };

/** A name, lists of numbers, and the metric of them. */
const CASES: readonly [string, number[][], (x: number[][]) => unknown][] = [
  ["accuracy", [groups, groups], ([p, t]) => metrics.accuracy(p!, t!)],
  ["balancedAccuracy", [groups, groups], ([p, t]) => metrics.balancedAccuracy(p!, t!)],
  ["macroF1", [groups, groups], ([p, t]) => metrics.macroF1(p!, t!)],
  [
    "confusionMatrix",
    [groups, groups],
    ([p, t]) => metrics.confusionMatrix(p!, t!, { numClasses: 2 }),
  ],
  [
    "segmentationMetrics",
    [groups, groups],
    ([p, t]) => metrics.segmentationMetrics(p!, t!, { numClasses: 2 }),
  ],
  ["adjustedRandIndex", [groups, groups], ([p, t]) => metrics.adjustedRandIndex(p!, t!)],
  [
    "normalizedMutualInformation",
    [groups, groups],
    ([p, t]) => metrics.normalizedMutualInformation(p!, t!),
  ],
  ["silhouette", [cells, groups], ([x, y]) => metrics.silhouette(matrix(x!, 2), y!)],
  ["silhouetteSamples", [cells, groups], ([x, y]) => metrics.silhouetteSamples(matrix(x!, 2), y!)],
  ["lisi", [cells, groups], ([x, y]) => metrics.lisi(matrix(x!, 2), y!, { perplexity: 2 })],
  [
    "batchEntropy",
    [cells, groups],
    ([x, y]) => metrics.batchEntropy(matrix(x!, 2), y!, { nNeighbors: 2 }),
  ],
  ["pearson", [cells, numbers(3, [12])], ([x, y]) => metrics.pearson(x!, y!)],
  [
    "perturbationMetrics",
    [genes, numbers(4, [2, 3])],
    ([x, y]) => metrics.perturbationMetrics(matrix(x!, 3), matrix(y!, 3), options).mean,
  ],
  ["perturbationMetrics", [options.ctrlMean, options.perturbation], ([ctrlMean, perturbation]) => {
    const { pearsonDelta, pearsonDeltaDe } = metrics.perturbationMetrics(
      matrix(genes, 3),
      matrix(numbers(4, [2, 3]), 3),
      { ...options, ctrlMean: ctrlMean!, perturbation: perturbation! },
    ).mean;
    return [pearsonDelta, pearsonDeltaDe];
  }],
];

Deno.test("every metric is among those that are given NaN", () => {
  const functions = Object.entries(metrics).filter(([, value]) => typeof value === "function");
  const listed = [...new Set(CASES.map(([name]) => name))];
  assertListed("CASES in tests/metrics/nan_test.ts", listed, functions.map(([name]) => name));
});

for (const [i, [name, inputs, metric]] of CASES.entries()) {
  Deno.test(`${name}() of NaN, case ${i}, is NaN or an error`, () => {
    inputs.forEach((values, index) =>
      values.forEach((_, at) => {
        const given = inputs.map((own, k) => k === index ? own.with(at, NaN) : own);
        const where = `entry ${at} of input ${index}`;
        let found: unknown;
        try {
          found = metric(given);
        } catch (error) {
          assert(error instanceof TypeError || error instanceof RangeError, String(error));
          assert(/^Cannot compute .* is NaN/.test(error.message), error.message);
          return;
        }
        const all = typeof found === "number" ? [found] : Object.values(found as number[]);
        assert(all.every(Number.isNaN), `${where} gives ${all}`);
      })
    );
  });
}

for (const value of [NaN, Infinity, -Infinity]) {
  Deno.test(`neighbours of ${value} are an error that says where it is`, () => {
    const points = [[0, 1], [value, 2]];
    for (const name of ["silhouette", "silhouetteSamples", "lisi", "batchEntropy"] as const) {
      assertError(
        () => metrics[name](points, [0, 1]),
        RangeError,
        `Cannot compute ${name} as embeddings must be finite: ` +
          `current value at position 2 is ${value}`,
      );
    }
  });
}
