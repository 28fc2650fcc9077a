/** One valid call of every loss, and of what losses return. */
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import type { ValidCall } from "./valid_calls.ts";

const wave = (shape: number[], phase = 0) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return cg.tensor(Array.from({ length }, (_, i) => Math.sin(3 * i + phase)), { shape });
};
const shares = (shape: number[], phase = 0) => cg.softmax(wave(shape, phase));
const counts = () => cg.tensor([[0, 3, 1], [2, 0, 7]]);
const cells = (phase = 0) => wave([6, 4], phase);
const logits = () => wave([4, 3]);
const labels = () => [0, 2, 1, 1];
const batches = () => Int32Array.of(0, 1, 0, 1, 1, 0);
const mask = () => [[true, false, true], [false, true, true]];
const weight = () => [1, 2, 3];
const hierarchy = () => ({
  levels: Int32Array.of(0, 1, 1),
  membership: [[[1], [1], [1]], [[0, 0], [1, 0], [0, 1]]],
});
const overlap = { smooth: 1, ignoreIndex: 2 };
const regions = {
  ...overlap,
  activation: "softmax",
  includeBackground: true,
  absent: "skip",
  perSample: false,
  reduction: "mean",
};
const perClass = () => ({ ...regions, perClass: true, weight: weight() });

const row = (
  name: keyof typeof losses,
  args: () => unknown[],
  options?: number,
): ValidCall => ({
  name,
  f: losses[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

const CLASSES: ValidCall[] = [
  row("classWeights", () => [[1, 2, 3], { normalization: "plain" }], 1),
  row("createLoss", () => [
    { lossType: "focal_dice", classCounts: [1, 2, 3], focalGamma: 2, diceSmooth: 1 },
  ], 0),
  row("createLoss", () => [
    { lossType: "dice_ce", activation: "sigmoid", absent: "skip", crossEntropyWeight: 1 },
  ], 0),
  {
    name: "createLoss()",
    f: losses.createLoss({ lossType: "ce" }),
    args: () => [logits(), labels()],
  },
  row("crossEntropyLoss", () => [
    logits(),
    labels(),
    { weight: weight(), labelSmoothing: 0.1, ignoreIndex: 2, reduction: "mean", emptyMask: "zero" },
  ], 2),
  row("diagnoseClasses", () => [
    { recall: [0.5, 0.2], precision: [0.4, 0.9] },
    { names: ["a", "b"], tolerance: 0.2 },
  ], 1),
  row("diagnosisTable", () => [
    losses.diagnoseClasses({ recall: [0.5, 0.2], precision: [0.4, 0.9] }),
  ]),
  row("diceLoss", () => [logits(), labels(), { ...perClass(), squared: true }], 2),
  row("tverskyLoss", () => [
    logits(),
    labels(),
    { ...perClass(), squared: false, alpha: 0.7, beta: 0.3 },
  ], 2),
  row("jaccardLoss", () => [logits(), labels(), { ...perClass(), squared: true }], 2),
  row("focalTverskyLoss", () => [
    logits(),
    labels(),
    { ...perClass(), squared: false, alpha: 0.7, beta: 0.3, gamma: 0.75 },
  ], 2),
  row("generalizedDiceLoss", () => [
    logits(),
    labels(),
    { ...regions, weight: weight(), squared: true },
  ], 2),
  row("diceCrossEntropyLoss", () => [
    logits(),
    labels(),
    {
      ...perClass(),
      squared: true,
      diceWeight: 1,
      crossEntropyWeight: 1,
      labelSmoothing: 0.1,
      positiveWeight: undefined,
      emptyMask: "zero",
    },
  ], 2),
  row("unifiedFocalLoss", () => [
    logits(),
    labels(),
    { weight: 0.5, delta: 0.6, gamma: 0.5, form: "symmetric" },
  ], 2),
  row("binaryCrossEntropyLoss", () => [
    shares([4, 3]),
    shares([4, 3], 1),
    { positiveWeight: weight(), weight: weight(), reduction: "mean" },
  ], 2),
  row("binaryCrossEntropyWithLogitsLoss", () => [
    logits(),
    shares([4, 3], 1),
    { positiveWeight: weight(), weight: weight(), reduction: "mean" },
  ], 2),
  row("focalLoss", () => [
    logits(),
    labels(),
    {
      gamma: 2,
      alpha: 1,
      weight: weight(),
      ptFromWeighted: true,
      activation: "sigmoid",
      includeBackground: false,
      reduction: "sum",
      ignoreIndex: 2,
      emptyMask: "zero",
    },
  ], 2),
  row("focalDiceLoss", () => [
    logits(),
    labels(),
    {
      ...overlap,
      gamma: 2,
      focalWeight: 0.5,
      diceWeight: 0.5,
      weight: weight(),
      ptFromWeighted: true,
    },
  ], 2),
  row("lovaszLoss", () => [logits(), labels(), { ignoreIndex: 2 }], 2),
  row("matthewsLoss", () => [logits(), labels(), { ignoreIndex: 2 }], 2),
  row("polyLoss", () => [
    logits(),
    labels(),
    { epsilon: 2, ignoreIndex: 2, reduction: "sum", emptyMask: "nan" },
  ], 2),
  row("asymmetricLoss", () => [
    wave([2, 3]),
    shares([2, 3]),
    { gammaNegative: 2, gammaPositive: 0.5, clip: 0.1, reduction: "sum" },
  ], 2),
  row("clDiceLoss", () => [
    wave([1, 2, 2, 3]),
    [[[0, 1, 0], [1, 1, 0]]],
    { iterations: 1, smooth: 0.5 },
  ], 2),
  row("boundaryLoss", () => [wave([2, 3, 4]), wave([2, 3, 4], 1)]),
  row("hausdorffLoss", () => [wave([1, 2, 3]), [[0, 1, 0]], { alpha: 1 }], 2),
  row(
    "maskedVoxelLoss",
    () => [logits(), labels(), [1, 0, 1, 1], {
      gamma: 2,
      weight: weight(),
      ptFromWeighted: true,
      emptyMask: "zero",
    }],
    3,
  ),
  row("unicellFocalLoss", () => [logits(), labels(), { alpha: 1, gamma: 2, reduction: "sum" }], 2),
  row("recommendLoss", () => [{ imbalance: true, problem: "baseline" }], 0),
  row("hmcnLoss", () => [
    shares([4, 2]),
    [shares([4, 2], 1)],
    [1, 0, 2, 2],
    hierarchy(),
    { inputType: "pca", maskMissingLevels: true, check: true },
  ], 4),
];

const RECONSTRUCTION: ValidCall[] = [
  row("maskedMseLoss", () => [wave([2, 3]), wave([2, 3]), mask(), { emptyMask: "zero" }], 3),
  row("maskedRelativeError", () => [
    wave([2, 3]),
    wave([2, 3]),
    mask(),
    { epsilon: 1e-6, denominator: "abs", emptyMask: "zero" },
  ], 3),
  row(
    "maskedValueLoss",
    () => [wave([2, 3]), wave([2, 3]), mask(), { lossType: "mae", emptyMask: "zero" }],
    3,
  ),
  row("mvcDecoder", () => [
    wave([2, 4]),
    wave([2, 3, 4]),
    { Wq: wave([4, 4]), bq: wave([4]), W: wave([4, 4]), Wz: wave([4, 4]), bz: wave([4]) },
    { archStyle: "inner product", explicitZeroProb: true },
  ], 3),
  row(
    "negativeBinomialLoss",
    () => [counts(), counts().add(1), [1, 2, 3], { epsilon: 1e-8, check: true }],
    3,
  ),
  row(
    "negLogBernoulliLoss",
    () => [shares([2, 3]), wave([2, 3]), mask(), { epsilon: 1e-7, emptyMask: "zero", check: true }],
    3,
  ),
  row(
    "negLogBernoulliWithLogitsLoss",
    () => [wave([2, 3]), wave([2, 3]), mask(), { emptyMask: "zero" }],
    3,
  ),
  row("vaeLoss", () => [
    shares([2, 3]),
    wave([2, 3]),
    wave([2, 2]),
    wave([2, 2]),
    { klWeight: 1, reconstructionLoss: "mse", check: true },
  ], 4),
  row("zinbLoss", () => [
    counts(),
    wave([2, 3]),
    wave([2, 3]),
    wave([2, 3]),
    { zeroIndicator: "soft", check: true },
  ], 4),
  row("geneWeightSparsityLoss", () => [wave([5])]),
];

const CELLS: ValidCall[] = [
  row("batchMixingLoss", () => [
    cells(),
    batches(),
    { nNeighbors: 3, temperature: 1, selection: "soft", nBatches: 2 },
  ], 2),
  row("clusteringCompactnessLoss", () => [
    cells(),
    shares([6, 3]),
    {
      separationWeight: 1,
      minSeparation: 1,
      hingeSoftness: 0.1,
      centroids: wave([3, 4]),
      check: true,
    },
  ], 2),
  row(
    "contrastiveCellEmbeddingLoss",
    () => [cells(), cells(1), { temperature: 1, symmetric: true }],
    2,
  ),
  row("differentiableAuroc", () => [wave([6]), batches(), { temperature: 1 }], 2),
  row("shannonDiversityLoss", () => [shares([4, 3]), { check: true }], 1),
  row("simpsonDiversityLoss", () => [shares([4, 3]), { check: true }], 1),
  row("domainAdversarialLoss", () => [
    cells(),
    batches(),
    { discriminator: (x: cg.Tensor) => x.matmul(wave([4, 2])), scale: 1 },
  ], 2),
  row("elasticCellSimilarityLoss", () => [cells(), { threshold: 0.5 }], 1),
  row("mmdLoss", () => [
    cells(),
    batches(),
    {
      kernel: "rbf",
      bandwidths: [0.5, 1],
      nBatches: 2,
      unbiased: true,
      weights: [1, 2, 3, 1, 2, 3],
    },
  ], 2),
  row("energyDistance", () => [
    cells(),
    wave([3, 4]),
    { weightsX: [1, 2, 3, 1, 2, 3], weightsY: [1, 2, 3], squared: true, unbiased: true },
  ], 2),
  row("coralLoss", () => [
    cells(),
    wave([3, 4]),
    { weightsX: [1, 2, 1, 1, 3, 1], weightsY: [1, 2, 1] },
  ], 2),
  row("hsic", () => [
    cells(),
    wave([6, 2]),
    { bandwidths: [0.5, 1], weights: [1, 2, 1, 1, 3, 1] },
  ], 2),
  row("sinkhornDivergence", () => [
    cells(),
    cells(1),
    {
      ...{ epsilon: 1, p: 2, debias: true, reach: 1, iterations: 10, tolerance: 1e-3 },
      weightsX: [1, 2, 1, 1, 3, 1],
      weightsY: [1, 1, 1, 2, 1, 1],
    },
  ], 2),
  row("wasserstein1d", () => [
    wave([6]),
    wave([4], 1),
    { p: 2, weightsX: [1, 2, 1, 1, 3, 1], weightsY: [1, 2, 1, 1] },
  ], 2),
  row("slicedWasserstein", () => [
    cells(),
    cells(1),
    {
      ...{ key: cg.key(0), projections: 8, p: 2 },
      weightsX: [1, 2, 1, 1, 3, 1],
      weightsY: [1, 1, 1, 2, 1, 1],
    },
  ], 2),
  row("velocityConsistencyLoss", () => [
    wave([4, 3]),
    wave([4, 3]),
    wave([4, 3]),
    { dt: 1, cosineWeight: 1, magnitudeWeight: 1 },
  ], 3),
];

const classes = () => wave([3, 4], 2);
const kinds = () => [0, 1, 2, 2, 1, 0];

const METRIC: ValidCall[] = [
  row("supervisedContrastiveLoss", () => [cells(), batches(), { temperature: 1 }], 2),
  row("ntXentLoss", () => [cells(), cells(1), { temperature: 1 }], 2),
  row("tripletLoss", () => [cells(), batches(), { margin: 0.5, mining: "semiHard" }], 2),
  row("arcFaceLoss", () => [cells(), classes(), kinds(), { margin: 0.3, scale: 4 }], 3),
  row("cosFaceLoss", () => [cells(), classes(), kinds(), { margin: 0.3, scale: 4 }], 3),
  row("vicRegLoss", () => [
    cells(),
    cells(1),
    { invariance: 1, variance: 2, covariance: 3 },
  ], 2),
  row("barlowTwinsLoss", () => [cells(), cells(1), { lambda: 0.1 }], 2),
  row("centerLoss", () => [cells(), kinds(), classes()]),
  row("proxyAnchorLoss", () => [cells(), classes(), kinds(), { margin: 0.2, alpha: 4 }], 3),
];

const targets = () => ({ values: wave([2, 2], 1), mask: [[1, 0], [1, 1]] });
const values = () => ({ mlmOutput: wave([2, 2]), mvcOutput: wave([2, 2], 2) });

const OBJECTIVES: ValidCall[] = [
  row("scgptObjective", () => [
    {
      ...values(),
      mlmZeroProbs: shares([2, 2]),
      mvcZeroProbs: shares([2, 2]),
      cellEmbeddings: wave([2, 4]),
      dabLogits: wave([2, 3]),
    },
    { ...targets(), batchLabels: [0, 2] },
    {
      gepc: true,
      ecsThreshold: 0.8,
      ecsWeight: 10,
      dabWeight: 1,
      explicitZeroProb: true,
      check: true,
    },
  ], 2),
  row("scformerObjective", () => [
    {
      ...values(),
      clsLogits: wave([2, 3]),
      cellEmbeddings: wave([2, 4]),
      cellEmbeddings2: wave([2, 4], 3),
    },
    { ...targets(), clsLabels: [2, 0] },
    {
      cls: true,
      cce: true,
      mvc: true,
      ecs: true,
      temperature: 0.5,
      cceWeight: 1,
      ecsWeight: 1,
      ecsThreshold: 0.5,
    },
  ], 2),
];

const positive = (shape: number[], phase = 0) => wave(shape, phase).exp();
const byType = (phase: number) => wave([2, 2, 3], phase);
const library = () => ({
  outputs: { libraryMean: wave([2]), libraryLogVariance: wave([2], 1) },
  targets: {
    batchLabels: [1, 0],
    libraryPriorMean: wave([2]),
    libraryPriorVariance: positive([2]),
  },
});
const decoded = () => ({
  logRate: wave([2, 3]),
  logTheta: wave([3]),
  dropoutLogits: wave([2, 3], 1),
  mean: wave([2, 3]),
  logVariance: wave([2, 3], 2),
});

const COUNTS: ValidCall[] = [
  row("huberLoss", () => [wave([2, 3]), wave([2, 3]), { delta: 1, reduction: "sum" }], 2),
  row("quantileLoss", () => [wave([2, 3]), wave([2, 3]), { quantile: 0.9, reduction: "mean" }], 2),
  row("gaussianNllLoss", () => [
    wave([2, 3]),
    wave([2, 3]),
    positive([3]),
    { reduction: "none", check: true },
  ], 3),
  row("poissonLoss", () => [wave([2, 3]), counts(), { reduction: "mean", check: true }], 2),
  row("poissonDeviance", () => [positive([2, 3]), counts(), { reduction: "mean", check: true }], 2),
  row("coxLoss", () => [
    wave([4]),
    [2, 1, 2, 3],
    [true, false, true, true],
    { reduction: "none" },
  ], 3),
  row("klDivergence", () => [
    shares([2, 3]),
    shares([2, 3], 1),
    { reduction: "sum", check: true },
  ], 2),
  row("jensenShannonDivergence", () => [
    shares([2, 3]),
    shares([2, 3], 1),
    { reduction: "sum", check: true },
  ], 2),
  row("normalKl", () => [wave([2, 3]), wave([2, 3]), { reduction: "none" }], 2),
  row("negativeBinomialMixtureLoss", () => [
    counts(),
    positive([2, 3]),
    positive([2, 3], 1),
    positive([3]),
    wave([3]),
    { theta2: positive([3], 1), epsilon: 1e-8, reduction: "mean", check: true },
  ], 5),
  row("negativeBinomialParameters", () => [{ totalCount: positive([3]), logits: wave([2, 3]) }]),
  row("evidentialLoss", () => [
    wave([2, 3]),
    wave([2, 3]),
    positive([2, 3]),
    positive([2, 3]),
    positive([2, 3]),
    { lambda: 1, reduction: "sum", check: true },
  ], 5),
  row("scviObjective", () => [
    { ...decoded(), ...library().outputs },
    { counts: counts(), ...library().targets },
    { likelihood: "zinb", klWeight: 1, check: true },
  ], 2),
  row("scanviObjective", () => [
    {
      ...decoded(),
      ...library().outputs,
      z1: wave([2, 3], 3),
      z2Mean: byType(0),
      z2LogVariance: byType(1),
      priorMean: byType(2),
      priorLogVariance: byType(3),
      classLogits: wave([2, 2]),
      classificationLogits: wave([2, 2], 1),
    },
    { counts: counts(), labels: [1, -1], labelPrior: [0.25, 0.75], ...library().targets },
    {
      likelihood: "zinb",
      klWeight: 1,
      classificationRatio: 50,
      conditionOnLabels: true,
      check: true,
    },
  ], 2),
  row("stateObjective", () => [
    {
      cells: wave([2, 3, 4]),
      expression: wave([2, 3, 2]),
      batchLogits: wave([2, 3]),
      confidence: positive([2]),
    },
    {
      cells: wave([2, 3, 4], 1),
      expression: wave([2, 3, 2], 1),
      batchLabels: [2, 0],
      controls: wave([2, 3, 4], 2),
    },
    {
      distance: "mse",
      expressionWeight: 1,
      batchWeight: 0.1,
      confidenceWeight: 0.01,
      confidenceScale: 10,
      changeWeight: 0.1,
    },
  ], 2),
];

/** All of them. */
export const VALID_LOSSES: readonly ValidCall[] = [
  ...CLASSES,
  ...RECONSTRUCTION,
  ...CELLS,
  ...METRIC,
  ...OBJECTIVES,
  ...COUNTS,
];
