/** Losses of regression, counts, survival and divergence, each once. */
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import type { LossCase } from "./loss_cases.ts";

const random = (seed: number, shape: number[]) =>
  cg.normal(cg.key(seed), shape, { dtype: "float64" });
const positive = (seed: number, shape: number[]) => random(seed, shape).exp();
const shares = (seed: number, shape: number[]) => cg.softmax(random(seed, shape));
const int = (...labels: number[]) => cg.tensor(Int32Array.from(labels));
const f64 = (values: cg.NestedArray) => cg.tensor(values, { dtype: "float64" });

const [a, b, c] = [random(201, [2, 3]), random(202, [2, 3]), random(203, [2, 3])];
const counts = f64([[0, 3, 1], [2, 0, 7]]);
const byType = (seed: number) => random(seed, [2, 2, 2]);

/** Every one of them. */
export const COUNT_CASES: readonly LossCase[] = [
  ["huberLoss", [a, b], [], ([x, t]) => losses.huberLoss(x!, t!, { delta: 0.8 })],
  ["quantileLoss", [a, b], [], ([x, t]) => losses.quantileLoss(x!, t!, { quantile: 0.9 })],
  [
    "gaussianNllLoss",
    [a, b, positive(204, [3])],
    [],
    ([m, t, v]) => losses.gaussianNllLoss(m!, t!, v!),
  ],
  ["poissonLoss", [a], [counts], ([r], [x]) => losses.poissonLoss(r!, x!)],
  [
    "poissonDeviance",
    [positive(205, [2, 3])],
    [counts],
    ([mu], [x]) => losses.poissonDeviance(mu!, x!),
  ],
  [
    "coxLoss",
    [random(206, [6])],
    [f64([2, 1, 2, 4, 3, 1]), int(1, 1, 0, 1, 0, 1)],
    ([h], [t, e]) => losses.coxLoss(h!, t!, e!),
  ],
  [
    "klDivergence",
    [shares(207, [2, 3]), shares(208, [2, 3])],
    [],
    ([p, q]) => losses.klDivergence(p!, q!),
  ],
  [
    "jensenShannonDivergence",
    [shares(209, [2, 3]), shares(210, [2, 3])],
    [],
    ([p, q]) => losses.jensenShannonDivergence(p!, q!),
  ],
  ["normalKl", [a, b], [], ([m, v]) => losses.normalKl(m!, v!)],
  [
    "negativeBinomialMixtureLoss",
    [positive(211, [2, 3]), positive(212, [2, 3]), positive(213, [3]), positive(214, [3]), c],
    [counts],
    ([m1, m2, r1, r2, z], [x]) =>
      losses.negativeBinomialMixtureLoss(x!, m1!, m2!, r1!, z!, { theta2: r2! }),
  ],
  [
    "evidentialLoss",
    [a, b, positive(215, [2, 3]), positive(216, [2, 3]).mul(5), positive(217, [2, 3])],
    [],
    ([y, g, n, alpha, beta]) => losses.evidentialLoss(y!, g!, n!, alpha!, beta!, { lambda: 0.5 }),
  ],
  [
    "scviObjective",
    [
      a,
      random(218, [3]),
      b,
      random(219, [2, 2]),
      random(220, [2, 2]),
      ...[1, 2].map((i) => random(220 + i, [2])),
    ],
    [counts, int(1, 0), random(223, [2]), positive(224, [2])],
    ([logRate, logTheta, dropoutLogits, mean, logVariance, ...library], [x, batches, m, v]) =>
      losses.scviObjective(
        {
          logRate: logRate!,
          logTheta: logTheta!,
          dropoutLogits: dropoutLogits!,
          mean: mean!,
          logVariance: logVariance!,
          libraryMean: library[0]!,
          libraryLogVariance: library[1]!,
        },
        {
          counts: x!,
          batchLabels: batches!,
          libraryPriorMean: m!,
          libraryPriorVariance: v!,
        },
      ).total,
  ],
  [
    "scanviObjective",
    [
      a,
      random(225, [3]),
      ...[226, 227, 228].map((seed) => random(seed, [2, 2])),
      random(229, [2, 2]),
    ]
      .concat([230, 231, 232, 233].map(byType)),
    [counts, int(-1, 1)],
    ([logRate, logTheta, z1, mean, logVariance, classLogits, ...latent], [x, labels]) =>
      losses.scanviObjective(
        {
          logRate: logRate!,
          logTheta: logTheta!,
          z1: z1!,
          mean: mean!,
          logVariance: logVariance!,
          classLogits: classLogits!,
          z2Mean: latent[0]!,
          z2LogVariance: latent[1]!,
          priorMean: latent[2]!,
          priorLogVariance: latent[3]!,
        },
        { counts: x!, labels: labels! },
        { likelihood: "nb" },
      ).total,
  ],
  [
    "stateObjective",
    [random(234, [2, 3, 2]), random(235, [2, 3, 4]), random(236, [2, 3]), positive(237, [2])],
    [random(238, [2, 4, 2]), random(239, [2, 4, 4]), int(2, 0), random(240, [2, 3, 2])],
    ([cells, expression, batchLogits, confidence], [observed, values, batches, controls]) =>
      losses.stateObjective(
        {
          cells: cells!,
          expression: expression!,
          batchLogits: batchLogits!,
          confidence: confidence!,
        },
        {
          cells: observed!,
          expression: values!,
          batchLabels: batches!,
          controls: controls!,
        },
        { changeWeight: 0.1 },
      ).total,
  ],
];
