/**
 * Every combination of the options of every loss, but for those that turn gradients around on purpose
 * (`domainAdversarialLoss`, `archStyle` of `mvcDecoder`).
 */
import { softmax, type Tensor, tensor } from "@cellgrad/cellgrad";
import * as losses from "@cellgrad/cellgrad/losses";
import { key } from "@cellgrad/cellgrad/random";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";

type Options = Record<string, unknown>;

interface Case {
  /** The loss, or the total of an objective, of some tensors. */
  loss: (options: Options, ...inputs: Tensor[]) => Tensor;
  /** The tensors, with values away from kinks. */
  inputs: Tensor[];
  /** Values of each option, none of them the default. */
  options: Record<string, readonly unknown[]>;
}

/** Irregular numbers between −2 and 2. */
function waves(shape: number[], phase = 0): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length }, (_, i) => 2 * Math.sin(12.9 * i + phase + 0.5));
  return tensor(data, { shape, dtype: "float64" });
}

/** Irregular numbers between 0 and 1. */
const shares = (shape: number[], phase = 0) => waves(shape, phase).mul(0.2).add(0.5);

const classes = [0, 2, 1, 2];
const mask = [[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]];
const batches = [0, 1, 0, 2];
const weight = [0.5, 2, 3];
const empty = ["error", "nan"];
const reduction = ["sum", "none"];
const oneHot = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]];
const regions = {
  smooth: [0],
  activation: ["sigmoid"],
  includeBackground: [false],
  absent: ["skip"],
  perSample: [true],
  weight: [weight],
  reduction,
};
const hierarchy = {
  levels: new Int32Array([0, 1, 1]),
  membership: [[[1], [1], [1]], [[0, 0], [1, 0], [0, 1]]],
};

const counts = [[2, 0, 5]];
const positive = (shape: number[], phase = 0) => waves(shape, phase).exp();
const latent = { mean: waves([2, 2], 3), logVariance: waves([2, 2], 4) };
const library = {
  batchLabels: [1, 0],
  libraryPriorMean: waves([2]),
  libraryPriorVariance: positive([2]),
};

const CASES: Record<string, Case> = {
  "asymmetricLoss()": {
    loss: (options, z, y) => losses.asymmetricLoss(z, y, options),
    inputs: [waves([4, 3]), shares([4, 3], 1)],
    options: { gammaNegative: [0, 0.5], gammaPositive: [0, 3], clip: [0, 0.3], reduction },
  },
  "clDiceLoss()": {
    loss: (options, z) => losses.clDiceLoss(z, [classes, [0, 1, 1, 0]].map((y) => [y]), options),
    inputs: [waves([2, 3, 1, 4])],
    options: { iterations: [0, 1], smooth: [0, 3] },
  },
  "hausdorffLoss()": {
    loss: (options, z) => losses.hausdorffLoss(z, [classes], options),
    inputs: [waves([1, 3, 4])],
    options: { alpha: [0.5, 1, 3] },
  },
  "lovaszLoss()": {
    loss: (options, z) => losses.lovaszLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { ignoreIndex: [2] },
  },
  "matthewsLoss()": {
    loss: (options, z) => losses.matthewsLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { ignoreIndex: [2] },
  },
  "polyLoss()": {
    loss: (options, z) => losses.polyLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { epsilon: [-1, 0, 3], ignoreIndex: [2], reduction, emptyMask: empty },
  },
  "huberLoss()": {
    loss: (options, x, t) => losses.huberLoss(x, t, options),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { delta: [0.3, 5], reduction },
  },
  "quantileLoss()": {
    loss: (options, x, t) => losses.quantileLoss(x, t, { quantile: 0.3, ...options }),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { reduction },
  },
  "gaussianNllLoss()": {
    loss: (options, m, t, v) => losses.gaussianNllLoss(m, t, v, options),
    inputs: [waves([4, 3]), waves([4, 3], 1), positive([3])],
    options: { reduction, check: [false] },
  },
  "poissonLoss()": {
    loss: (options, r) => losses.poissonLoss(r, counts, options),
    inputs: [waves([1, 3])],
    options: { reduction, check: [false] },
  },
  "poissonDeviance()": {
    loss: (options, mu) => losses.poissonDeviance(mu, counts, options),
    inputs: [positive([1, 3])],
    options: { reduction, check: [false] },
  },
  "coxLoss()": {
    loss: (options, h) => losses.coxLoss(h, [2, 1, 2, 3], [1, 1, 1, 0], options),
    inputs: [waves([4])],
    options: { reduction },
  },
  "klDivergence()": {
    loss: (options, p, q) => losses.klDivergence(p, q, options),
    inputs: [shares([4, 3]), shares([4, 3], 1)],
    options: { reduction, check: [false] },
  },
  "jensenShannonDivergence()": {
    loss: (options, p, q) => losses.jensenShannonDivergence(p, q, options),
    inputs: [shares([4, 3]), shares([4, 3], 1)],
    options: { reduction, check: [false] },
  },
  "normalKl()": {
    loss: (options, m, v) => losses.normalKl(m, v, options),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { reduction },
  },
  "negativeBinomialMixtureLoss()": {
    loss: (options, m1, m2, r, z) =>
      losses.negativeBinomialMixtureLoss(counts, m1, m2, r, z, options),
    inputs: [positive([1, 3]), positive([1, 3], 1), positive([3], 2), waves([1, 3], 3)],
    options: { theta2: [positive([3], 4)], epsilon: [0.01], reduction, check: [false] },
  },
  "evidentialLoss()": {
    loss: (options, y, g, n, a, b) => losses.evidentialLoss(y, g, n, a, b, options),
    inputs: [0, 1, 2, 3, 4].map((i) => i < 2 ? waves([4], i) : positive([4], i).mul(3)),
    options: { lambda: [0, 0.1], reduction, check: [false] },
  },
  "scviObjective()": {
    loss: (options, logRate, logTheta, dropoutLogits, libraryMean) =>
      losses.scviObjective(
        {
          ...latent,
          ...{ logRate, logTheta, dropoutLogits, libraryMean },
          libraryLogVariance: libraryMean.sin(),
        },
        { ...library, counts: [[0, 2, 1], [3, 0, 0]] },
        options,
      ).total,
    inputs: [waves([2, 3]), waves([3], 1), waves([2, 3], 2), waves([2], 3)],
    options: { likelihood: ["nb", "poisson"], klWeight: [0, 0.5], check: [false] },
  },
  "scanviObjective()": {
    loss: (options, logRate, logTheta, z1, classLogits, byType) =>
      losses.scanviObjective(
        {
          ...latent,
          ...{ logRate, logTheta, dropoutLogits: logRate.sin(), z1, classLogits },
          ...{ z2Mean: byType, z2LogVariance: byType.sin() },
          ...{ priorMean: byType.cos(), priorLogVariance: byType.mul(0.5) },
        },
        { counts: [[0, 2, 1], [3, 0, 0]], labels: [-1, 2] },
        options,
      ).total,
    inputs: [
      ...[waves([2, 3]), waves([3], 1), waves([2, 2], 2), waves([2, 3], 3)],
      waves([3, 2, 2], 4),
    ],
    options: {
      likelihood: ["nb", "poisson"],
      klWeight: [0.5],
      classificationRatio: [0, 3],
      conditionOnLabels: [true],
      check: [false],
    },
  },
  "stateObjective()": {
    loss: (options, cells, expression, batchLogits) =>
      losses.stateObjective(
        { cells, expression, batchLogits },
        {
          ...{ cells: waves([2, 3, 2], 3), expression: waves([2, 3, 1], 4) },
          ...{ batchLabels: [2, 0], controls: waves([2, 3, 2], 5) },
        },
        options,
      ).total,
    inputs: [waves([2, 3, 2]), waves([2, 3, 1], 1), waves([2, 3], 2)],
    options: {
      distance: ["mse", (x: Tensor, y: Tensor) => x.mean().sub(y.mean()).square()],
      expressionWeight: [0.5],
      batchWeight: [2],
      changeWeight: [0.1],
    },
  },
  "batchMixingLoss()": {
    loss: (options, x) => losses.batchMixingLoss(x, batches, options),
    inputs: [waves([4, 2])],
    options: { nNeighbors: [1, 2], nBatches: [4], temperature: [3], selection: ["soft"] },
  },
  "clusteringCompactnessLoss()": {
    loss: (options, x, a) => losses.clusteringCompactnessLoss(x, a, options),
    inputs: [waves([4, 2]), shares([4, 3])],
    options: {
      centroids: [waves([3, 2], 1)],
      separationWeight: [0, 2],
      minSeparation: [3],
      hingeSoftness: [0, 0.5],
      check: [false],
    },
  },
  "contrastiveCellEmbeddingLoss()": {
    loss: (options, a, b) => losses.contrastiveCellEmbeddingLoss(a, b, options),
    inputs: [waves([4, 2]), waves([4, 2], 1)],
    options: { temperature: [2], symmetric: [true] },
  },
  "crossEntropyLoss()": {
    loss: (options, z) => losses.crossEntropyLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: {
      weight: [weight],
      ignoreIndex: [2],
      labelSmoothing: [0.2],
      reduction,
      emptyMask: empty,
    },
  },
  "diceLoss()": {
    loss: (options, z) => losses.diceLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { smooth: [0, 3], perClass: [false], ignoreIndex: [2] },
  },
  "diceLoss() of regions": {
    loss: (options, z) => losses.diceLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { ...regions, squared: [true] },
  },
  "jaccardLoss()": {
    loss: (options, z) => losses.jaccardLoss(z, oneHot, options),
    inputs: [waves([4, 3])],
    options: { ...regions, squared: [true] },
  },
  "generalizedDiceLoss()": {
    loss: (options, z) => losses.generalizedDiceLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { ...regions, squared: [true] },
  },
  "focalTverskyLoss()": {
    loss: (options, z) => losses.focalTverskyLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { ...regions, smooth: [0.5], alpha: [0.2], gamma: [1.5] },
  },
  "diceCrossEntropyLoss()": {
    loss: (options, z) => losses.diceCrossEntropyLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: {
      diceWeight: [0],
      crossEntropyWeight: [0, 2],
      weight: [weight],
      ignoreIndex: [2],
      labelSmoothing: [0.2],
      reduction: ["sum"],
    },
  },
  "diceCrossEntropyLoss() of channels": {
    loss: (options, z) =>
      losses.diceCrossEntropyLoss(z, classes, { activation: "sigmoid", ...options }),
    inputs: [waves([4, 3])],
    options: { positiveWeight: [weight], weight: [weight], ignoreIndex: [2], reduction: ["sum"] },
  },
  "unifiedFocalLoss()": {
    loss: (options, z) => losses.unifiedFocalLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { weight: [0, 1], delta: [0.2], gamma: [0, 0.8], form: ["symmetric"] },
  },
  "binaryCrossEntropyLoss()": {
    loss: (options, p, y) => losses.binaryCrossEntropyLoss(p, y, options),
    inputs: [shares([4, 3]), shares([4, 3], 1)],
    options: { positiveWeight: [weight], weight: [weight], reduction },
  },
  "binaryCrossEntropyWithLogitsLoss()": {
    loss: (options, z, y) => losses.binaryCrossEntropyWithLogitsLoss(z, y, options),
    inputs: [waves([4, 3]), shares([4, 3], 1)],
    options: { positiveWeight: [weight], weight: [weight], reduction },
  },
  "differentiableAuroc()": {
    loss: (options, x) => losses.differentiableAuroc(x, [1, 0, 0, 1], options),
    inputs: [waves([4])],
    options: { temperature: [0.5] },
  },
  "shannonDiversityLoss()": {
    loss: (options, a) => losses.shannonDiversityLoss(softmax(a), options),
    inputs: [waves([4, 3])],
    options: { check: [false] },
  },
  "simpsonDiversityLoss()": {
    loss: (options, a) => losses.simpsonDiversityLoss(softmax(a), options),
    inputs: [waves([4, 3])],
    options: { check: [false] },
  },
  "elasticCellSimilarityLoss()": {
    loss: (options, x) => losses.elasticCellSimilarityLoss(x, options),
    inputs: [waves([4, 2])],
    options: { threshold: [0.7] },
  },
  "focalDiceLoss()": {
    loss: (options, z) => losses.focalDiceLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: {
      gamma: [0.5],
      focalWeight: [0.3],
      diceWeight: [2],
      smooth: [0],
      weight: [weight],
      ptFromWeighted: [true],
      ignoreIndex: [2],
    },
  },
  "focalLoss()": {
    loss: (options, z) => losses.focalLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: {
      gamma: [0, 0.5],
      alpha: [3],
      weight: [weight],
      ptFromWeighted: [true],
      ignoreIndex: [2],
      reduction,
      emptyMask: ["error"],
    },
  },
  "focalLoss() of channels": {
    loss: (options, z) => losses.focalLoss(z, classes, { activation: "sigmoid", ...options }),
    inputs: [waves([4, 3])],
    options: {
      gamma: [0, 0.5],
      weight: [weight],
      ptFromWeighted: [true],
      ignoreIndex: [2],
      includeBackground: [false],
      reduction,
    },
  },
  "focalLoss() of shares": {
    loss: (options, z) => losses.focalLoss(z, shares([4, 3]), options),
    inputs: [waves([4, 3])],
    options: {
      gamma: [0, 0.5],
      weight: [weight],
      ptFromWeighted: [true],
      includeBackground: [false],
      reduction,
    },
  },
  "crossEntropyLoss() of shares": {
    loss: (options, z, y) => losses.crossEntropyLoss(z, y, options),
    inputs: [waves([4, 3]), shares([4, 3])],
    options: { weight: [weight], labelSmoothing: [0.2], reduction, emptyMask: ["error"] },
  },
  "hmcnLoss()": {
    loss: (options, all, level) => {
      const { global, local } = losses.hmcnLoss(all, [level], [1, 0, 2, 2], hierarchy, options);
      return global.add(local.mul(2));
    },
    inputs: [shares([4, 2]), shares([4, 2], 1)],
    options: {
      inputType: ["pca", "scFoundation", "GeneFormer", "scGPT"],
      maskMissingLevels: [true],
      check: [false],
    },
  },
  "maskedMseLoss()": {
    loss: (options, x, t) => losses.maskedMseLoss(x, t, mask, options),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { emptyMask: empty },
  },
  "maskedRelativeError()": {
    loss: (options, x, t) => losses.maskedRelativeError(x, t, mask, options),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { epsilon: [0.1], denominator: ["abs"], emptyMask: empty },
  },
  "maskedValueLoss()": {
    loss: (options, x, t) => losses.maskedValueLoss(x, t, mask, options),
    inputs: [waves([4, 3]), waves([4, 3], 1)],
    options: { lossType: ["mae"], emptyMask: empty },
  },
  "maskedVoxelLoss()": {
    loss: (options, z) => losses.maskedVoxelLoss(z, classes, [1, 0, 1, 1], options),
    inputs: [waves([4, 3])],
    options: { weight: [weight], gamma: [0, 0.5], ptFromWeighted: [false], emptyMask: empty },
  },
  "sinkhornDivergence()": {
    loss: (options, x, y) => {
      const converged = { iterations: 500, tolerance: 1e-12 };
      return losses.sinkhornDivergence(x, y, { ...converged, ...options });
    },
    inputs: [shares([4, 2]), shares([3, 2], 1)],
    options: {
      epsilon: [1],
      p: [1],
      debias: [false],
      reach: [1],
      weightsX: [[1, 2, 3, 4]],
      weightsY: [[3, 1, 1]],
    },
  },
  "wasserstein1d()": {
    loss: (options, x, y) => losses.wasserstein1d(x, y, options),
    inputs: [waves([4]), waves([3], 1)],
    options: { p: [2], weightsX: [[1, 2, 0.5, 3]], weightsY: [[1, 2, 0.5]] },
  },
  "slicedWasserstein()": {
    loss: (options, x, y) => losses.slicedWasserstein(x, y, { key: key(0), ...options }),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: {
      projections: [3],
      p: [1],
      weightsX: [[1, 2, 0.5, 3]],
      weightsY: [[1, 2, 0.5]],
    },
  },
  "coralLoss()": {
    loss: (options, x, y) => losses.coralLoss(x, y, options),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: { weightsX: [[1, 2, 0.5, 3]], weightsY: [[1, 2, 0.5]] },
  },
  "mmdLoss()": {
    loss: (options, x) => losses.mmdLoss(x, batches, options),
    inputs: [waves([4, 2])],
    options: { nBatches: [5], weights: [[1, 2, 0.5, 3]] },
  },
  "energyDistance()": {
    loss: (options, x, y) => losses.energyDistance(x, y, options),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: {
      weightsX: [[1, 2, 0.5, 3]],
      weightsY: [[1, 2, 0.5]],
      squared: [false],
      unbiased: [true],
    },
  },
  "hsic()": {
    loss: (options, x, y) => losses.hsic(x, y, options),
    inputs: [waves([4, 2]), waves([4, 1], 1)],
    options: { bandwidths: [[0.5, 3]], weights: [[1, 2, 0.5, 3]] },
  },
  ...Object.fromEntries(
    ["rbf", "laplacian", "rationalQuadratic", "energy"].map((kernel): [string, Case] => [
      `mmdLoss() with ${kernel}`,
      {
        loss: (options, x) => losses.mmdLoss(x, batches, { kernel: kernel as "rbf", ...options }),
        inputs: [waves([4, 2])],
        options: {
          ...kernel === "energy" ? {} : { bandwidths: [[0.5, 3]] },
          nBatches: [5],
          unbiased: [true],
          weights: [[1, 2, 0.5, 3]],
        },
      },
    ]),
  ),
  "mvcDecoder()": {
    loss: (options, c, e, square, vector) => {
      const params = { Wq: square, bq: vector, W: square, Wz: square, bz: vector };
      const { pred, zeroProbs } = losses.mvcDecoder(c, e, params, options);
      return zeroProbs === undefined ? pred : pred.add(zeroProbs.mul(2));
    },
    inputs: [waves([4, 2]), waves([4, 3, 2]), waves([2, 2]), waves([2])],
    options: { explicitZeroProb: [true] },
  },
  "negativeBinomialLoss()": {
    loss: (options, mu, theta) => losses.negativeBinomialLoss([[2, 0, 5]], mu, theta, options),
    inputs: [shares([1, 3]), shares([3])],
    options: { epsilon: [0.01], check: [false] },
  },
  "negLogBernoulliLoss()": {
    loss: (options, p) => losses.negLogBernoulliLoss(p, waves([4, 3]), mask, options),
    inputs: [shares([4, 3])],
    options: { epsilon: [0.3], emptyMask: empty, check: [false] },
  },
  "negLogBernoulliWithLogitsLoss()": {
    loss: (options, z) => losses.negLogBernoulliWithLogitsLoss(z, waves([4, 3], 1), mask, options),
    inputs: [waves([4, 3])],
    options: { emptyMask: empty },
  },
  "scformerObjective()": {
    loss: (options, values, logits, cells) =>
      losses.scformerObjective(
        {
          mlmOutput: values,
          clsLogits: logits,
          mvcOutput: values.mul(2),
          cellEmbeddings: cells,
          cellEmbeddings2: cells.sin(),
        },
        { values: waves([2, 2], 1), mask: [[1, 0], [1, 1]], clsLabels: [0, 2] },
        options,
      ).total,
    inputs: [waves([2, 2]), waves([2, 3]), waves([2, 2])],
    options: {
      cls: [true],
      cce: [true],
      mvc: [true],
      ecs: [true],
      cceWeight: [2],
      ecsWeight: [2],
      ecsThreshold: [0.3],
      temperature: [2],
    },
  },
  "scgptObjective()": {
    loss: (options, values, probs, cells, logits) =>
      losses.scgptObjective(
        {
          mlmOutput: values,
          mlmZeroProbs: probs,
          mvcOutput: values.mul(2),
          mvcZeroProbs: probs.square(),
          cellEmbeddings: cells,
          dabLogits: logits,
        },
        { values: waves([2, 2], 1), mask: [[1, 0], [1, 1]], batchLabels: [0, 2] },
        options,
      ).total,
    inputs: [waves([2, 2]), shares([2, 2]), waves([2, 2]), waves([2, 3])],
    options: {
      gepc: [false],
      explicitZeroProb: [false],
      ecsThreshold: [0, 0.3],
      ecsWeight: [2],
      dabWeight: [2],
      check: [false],
    },
  },
  "tverskyLoss()": {
    loss: (options, z) => losses.tverskyLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { alpha: [0.2], beta: [2], smooth: [0], ignoreIndex: [2] },
  },
  "unicellFocalLoss()": {
    loss: (options, z) => losses.unicellFocalLoss(z, classes, options),
    inputs: [waves([4, 3])],
    options: { alpha: [3], gamma: [0, 0.5], reduction },
  },
  "vaeLoss()": {
    loss: (options, x, decoded, m, v) => losses.vaeLoss(x, decoded, m, v, options),
    inputs: [shares([4, 3]), waves([4, 3]), waves([4, 2]), waves([4, 2], 1)],
    options: { klWeight: [0, 3], reconstructionLoss: ["bce"], check: [false] },
  },
  "velocityConsistencyLoss()": {
    loss: (options, x, v, f) => losses.velocityConsistencyLoss(x, v, f, options),
    inputs: [waves([4, 3]), waves([4, 3], 1), waves([4, 3], 2)],
    options: { dt: [1], cosineWeight: [0, 2], magnitudeWeight: [0, 2] },
  },
  "zinbLoss()": {
    loss: (options, rate, theta, pi) => losses.zinbLoss([[2, 0, 5]], rate, theta, pi, options),
    inputs: [waves([1, 3]), waves([1, 3], 1), waves([1, 3], 2)],
    options: { zeroIndicator: ["soft"], check: [false] },
  },
};

const METRIC: Record<string, Case> = {
  "supervisedContrastiveLoss()": {
    loss: (options, x) => losses.supervisedContrastiveLoss(x, [0, 1, 0, 1], options),
    inputs: [waves([4, 2])],
    options: { temperature: [2] },
  },
  "ntXentLoss()": {
    loss: (options, a, b) => losses.ntXentLoss(a, b, options),
    inputs: [waves([4, 2]), waves([4, 2], 1)],
    options: { temperature: [2] },
  },
  "tripletLoss()": {
    loss: (options, x) => losses.tripletLoss(x, [0, 1, 0, 1], options),
    inputs: [waves([4, 2])],
    options: { margin: [0, 3], mining: ["hard", "semiHard"] },
  },
  "arcFaceLoss()": {
    loss: (options, x, w) => losses.arcFaceLoss(x, w, classes, options),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: { margin: [0, 2], scale: [3] },
  },
  "cosFaceLoss()": {
    loss: (options, x, w) => losses.cosFaceLoss(x, w, classes, options),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: { margin: [0, 2], scale: [3] },
  },
  "vicRegLoss()": {
    loss: (options, a, b) => losses.vicRegLoss(a, b, options),
    inputs: [waves([4, 2]), waves([4, 2], 1)],
    options: { invariance: [0, 2], variance: [0, 3], covariance: [0, 4] },
  },
  "barlowTwinsLoss()": {
    loss: (options, a, b) => losses.barlowTwinsLoss(a, b, options),
    inputs: [waves([4, 2]), waves([4, 2], 1)],
    options: { lambda: [0, 1] },
  },
  "proxyAnchorLoss()": {
    loss: (options, x, p) => losses.proxyAnchorLoss(x, p, classes, options),
    inputs: [waves([4, 2]), waves([3, 2], 1)],
    options: { margin: [0, 0.5], alpha: [3] },
  },
};

/** Every combination of options, each with its default or one of its values. */
function combinations(options: Case["options"]): Options[] {
  return Object.entries(options).reduce<Options[]>(
    (all, [name, values]) =>
      all.flatMap((others) => [others, ...values.map((value) => ({ ...others, [name]: value }))]),
    [{}],
  );
}

for (const [name, { loss, inputs, options }] of Object.entries({ ...CASES, ...METRIC })) {
  Deno.test(`${name} has the right gradient with every combination of options`, () => {
    for (const chosen of combinations(options)) {
      try {
        checkGradients((...xs) => loss(chosen, ...xs), inputs, { rtol: 1e-5, maxSkipped: 0 });
      } catch (error) {
        throw new Error(`with the options ${JSON.stringify(chosen)}`, { cause: error });
      }
    }
  });

  Deno.test(`${name} takes undefined for the default of every option`, () => {
    for (const option of Object.keys(options)) {
      assertEquals(
        loss({ [option]: undefined }, ...inputs).toArray(),
        loss({}, ...inputs).toArray(),
      );
    }
  });
}
