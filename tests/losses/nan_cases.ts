/** Every loss, and every way of each that is a formula of its own, as functions of all that they read. */
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { LOSS_CASES } from "../program/loss_cases.ts";

type Tensor = cg.Tensor;

const random = (seed: number, shape: number[]) =>
  cg.normal(cg.key(seed), shape, { dtype: "float64" });
const shares = (seed: number, shape: number[]) => cg.softmax(random(seed, shape));
const f64 = (values: cg.NestedArray) => cg.tensor(values, { dtype: "float64" });

const logits = random(101, [6, 3]);
const labels = [0, 2, 1, 1, 2, 0];
const ignored = [0, 2, -1, 1, 2, 0];
const weight = f64([1, 2, 3]);
const cells = random(102, [6, 4]);
const batches = [0, 1, 0, 1, 1, 0];
const counts = f64([[0, 3, 1], [2, 0, 7]]);
const [a, b, c] = [103, 104, 105].map((seed) => random(seed, [2, 3])) as [Tensor, Tensor, Tensor];
const mask = [[true, false, true], [false, true, true]];
const hierarchy = {
  levels: Int32Array.of(0, 1, 1),
  membership: [cg.ones([3, 1]), cg.tensor([[0, 0], [1, 0], [0, 1]])],
};

/** A name, the tensors that are read, and the loss of them. */
export type NaNCase = readonly [name: string, inputs: Tensor[], loss: (x: Tensor[]) => Tensor];

const VARIANTS: readonly NaNCase[] = [
  [
    "crossEntropyLoss, weighted",
    [logits, weight],
    ([z, weight]) => losses.crossEntropyLoss(z!, labels, { weight, labelSmoothing: 0.1 }),
  ],
  ["crossEntropyLoss, plain", [logits], ([z]) => losses.crossEntropyLoss(z!, labels)],
  [
    "crossEntropyLoss, ignoring",
    [logits],
    ([z]) => losses.crossEntropyLoss(z!, ignored, { ignoreIndex: -1 }),
  ],
  [
    "focalLoss, weighted",
    [logits, weight],
    ([z, weight]) => losses.focalLoss(z!, labels, { weight, gamma: 0.5 }),
  ],
  [
    "focalLoss, as the original",
    [logits, weight],
    ([z, weight]) => losses.focalLoss(z!, labels, { weight, ptFromWeighted: true }),
  ],
  [
    "focalLoss, γ = 0, ignoring",
    [logits],
    ([z]) => losses.focalLoss(z!, ignored, { gamma: 0, ignoreIndex: -1 }),
  ],
  ["diceLoss, no smoothing", [logits], ([z]) => losses.diceLoss(z!, labels, { smooth: 0 })],
  [
    "diceLoss, pooled, ignoring",
    [logits],
    ([z]) => losses.diceLoss(z!, ignored, { perClass: false, ignoreIndex: -1 }),
  ],
  ["tverskyLoss, no smoothing", [logits], ([z]) => losses.tverskyLoss(z!, labels, { smooth: 0 })],
  [
    "focalDiceLoss, weighted",
    [logits, weight],
    ([z, weight]) => losses.focalDiceLoss(z!, labels, { weight, smooth: 0 }),
  ],
  [
    "lovaszLoss, ignoring",
    [logits],
    ([z]) => losses.lovaszLoss(z!, ignored, { ignoreIndex: -1 }),
  ],
  [
    "matthewsLoss, ignoring",
    [logits],
    ([z]) => losses.matthewsLoss(z!, ignored, { ignoreIndex: -1 }),
  ],
  [
    "polyLoss, ignoring",
    [logits],
    ([z]) => losses.polyLoss(z!, ignored, { ignoreIndex: -1, epsilon: -1 }),
  ],
  [
    "asymmetricLoss, no clip, no focus",
    [a, shares(117, [2, 3])],
    ([z, y]) => losses.asymmetricLoss(z!, y!, { clip: 0, gammaNegative: 0, gammaPositive: 0 }),
  ],
  [
    "asymmetricLoss, half a focus",
    [a, shares(118, [2, 3])],
    ([z, y]) =>
      losses.asymmetricLoss(z!, y!, { clip: 0.01, gammaNegative: 0.5, gammaPositive: 0.5 }),
  ],
  [
    "clDiceLoss, no smoothing",
    [random(119, [1, 2, 3, 3])],
    ([z]) => losses.clDiceLoss(z!, [[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], { smooth: 0 }),
  ],
  [
    "hausdorffLoss, α = 1",
    [random(120, [1, 2, 5])],
    ([z]) => losses.hausdorffLoss(z!, [[0, 1, 1, 0, 0]], { alpha: 1 }),
  ],
  [
    "maskedVoxelLoss, weighted",
    [logits, weight],
    ([z, weight]) => losses.maskedVoxelLoss(z!, labels, [1, 1, 0, 1, 1, 1], { weight }),
  ],
  ...([
    "diceLoss",
    "jaccardLoss",
    "tverskyLoss",
    "focalTverskyLoss",
    "generalizedDiceLoss",
  ] as const)
    .flatMap((name): NaNCase[] => [
      [
        `${name}, shares, weighted`,
        [logits, shares(117, [6, 3]), weight],
        ([z, y, weight]) => losses[name](z!, y!, { weight, absent: "skip" }),
      ],
      [
        `${name}, sigmoid, ignoring`,
        [logits],
        ([z]) => losses[name](z!, ignored, { activation: "sigmoid", ignoreIndex: -1, smooth: 0 }),
      ],
    ]),
  [
    "crossEntropyLoss, shares",
    [logits, shares(118, [6, 3]), weight],
    ([z, y, weight]) => losses.crossEntropyLoss(z!, y!, { weight, labelSmoothing: 0.1 }),
  ],
  [
    "focalLoss, sigmoid",
    [logits, weight],
    ([z, weight]) => losses.focalLoss(z!, labels, { activation: "sigmoid", weight }),
  ],
  [
    "focalLoss, shares",
    [logits, shares(119, [6, 3])],
    ([z, y]) => losses.focalLoss(z!, y!, { gamma: 0.5, weight: [1, 2, 3] }),
  ],
  [
    "focalLoss, no background",
    [logits],
    ([z]) => losses.focalLoss(z!, labels, { includeBackground: false }),
  ],
  [
    "binaryCrossEntropyLoss, weighted",
    [shares(120, [2, 3]), shares(121, [2, 3]), weight],
    ([p, y, w]) => losses.binaryCrossEntropyLoss(p!, y!, { weight: w, positiveWeight: w }),
  ],
  [
    "binaryCrossEntropyWithLogitsLoss, weighted",
    [a, shares(122, [2, 3]), weight],
    ([z, y, w]) =>
      losses.binaryCrossEntropyWithLogitsLoss(z!, y!, { weight: w, positiveWeight: w }),
  ],
  [
    "diceCrossEntropyLoss, weighted, ignoring",
    [logits, weight],
    ([z, weight]) => losses.diceCrossEntropyLoss(z!, ignored, { weight, ignoreIndex: -1 }),
  ],
  [
    "unifiedFocalLoss, symmetric, shares",
    [logits, shares(123, [6, 3])],
    ([z, y]) => losses.unifiedFocalLoss(z!, y!, { form: "symmetric" }),
  ],
  ["mmdLoss, rbf", [cells], ([x]) => losses.mmdLoss(x!, batches, { kernel: "rbf" })],
  ...(["laplacian", "energy", "rationalQuadratic"] as const).map((kernel): NaNCase => [
    `mmdLoss, ${kernel}, weighted, unbiased`,
    [cells, shares(117, [6])],
    ([x, weights]) => losses.mmdLoss(x!, batches, { kernel, weights, unbiased: true }),
  ]),
  [
    "mmdLoss, linear, weighted",
    [cells, shares(117, [6])],
    ([x, weights]) => losses.mmdLoss(x!, batches, { weights }),
  ],
  [
    "mmdLoss, rbf, median",
    [cells],
    ([x]) => losses.mmdLoss(x!, batches, { kernel: "rbf", bandwidths: "median" }),
  ],
  [
    "energyDistance, weighted, unbiased, root",
    [cells, random(118, [3, 4]), shares(117, [6]), shares(119, [3])],
    ([x, y, weightsX, weightsY]) =>
      losses.energyDistance(x!, y!, { weightsX, weightsY, unbiased: true, squared: false }),
  ],
  ["mmdLoss, gaps", [cells], ([x]) => losses.mmdLoss(x!, batches, { nBatches: 4 })],
  [
    "sinkhornDivergence, with a reach",
    [random(120, [2, 2]), random(121, [3, 2]), f64([1, 2])],
    ([x, y, weightsX]) =>
      losses.sinkhornDivergence(x!, y!, { epsilon: 1, p: 1, reach: 2, weightsX, iterations: 3 }),
  ],
  [
    "sinkhornDivergence, biased",
    [random(126, [3, 1]), random(122, [2, 1])],
    ([x, y]) =>
      losses.sinkhornDivergence(x!, y!, { epsilon: 1, p: 3, debias: false, iterations: 3 }),
  ],
  [
    "wasserstein1d, as many",
    [random(123, [5]), random(124, [5])],
    ([x, y]) => losses.wasserstein1d(x!, y!),
  ],
  [
    "wasserstein1d, weighted",
    [random(123, [5]), random(124, [4]), shares(119, [5]), shares(117, [4])],
    ([x, y, weightsX, weightsY]) => losses.wasserstein1d(x!, y!, { weightsX, weightsY }),
  ],
  [
    "coralLoss, weighted",
    [cells, random(118, [3, 4]), shares(117, [6]), shares(119, [3])],
    ([x, y, weightsX, weightsY]) => losses.coralLoss(x!, y!, { weightsX, weightsY }),
  ],
  [
    "hsic, weighted",
    [cells, random(118, [6, 2]), shares(117, [6])],
    ([x, y, weights]) => losses.hsic(x!, y!, { weights }),
  ],
  [
    "slicedWasserstein, p = 3",
    [cells, random(125, [5, 4])],
    ([x, y]) => losses.slicedWasserstein(x!, y!, { key: cg.key(1), projections: 4, p: 3 }),
  ],
  [
    "batchMixingLoss, soft",
    [cells],
    ([x]) => losses.batchMixingLoss(x!, batches, { nNeighbors: 3, nBatches: 2, selection: "soft" }),
  ],
  [
    "batchMixingLoss, all others",
    [cells],
    ([x]) => losses.batchMixingLoss(x!, batches, { nNeighbors: 9, nBatches: 2 }),
  ],
  [
    "elasticCellSimilarityLoss, θ = 0",
    [cells],
    ([x]) => losses.elasticCellSimilarityLoss(x!, { threshold: 0 }),
  ],
  [
    "clusteringCompactnessLoss, given centroids, hard hinge",
    [cells, shares(106, [6, 3]), random(107, [3, 4])],
    ([x, p, centroids]) =>
      losses.clusteringCompactnessLoss(x!, p!, { centroids, hingeSoftness: 0 }),
  ],
  [
    "hmcnLoss, logits",
    [random(108, [2, 2]), random(109, [2, 2])],
    ([global, local]) => {
      const options = { inputType: "scGPT", maskMissingLevels: true } as const;
      const found = losses.hmcnLoss(global!, [local!], [1, 2], hierarchy, options);
      return found.global.add(found.local);
    },
  ],
  [
    "hmcnLoss, membership",
    [f64([[1], [1], [1]]), f64([[0, 0], [1, 0], [0, 1]])],
    (membership) => {
      const own = { levels: hierarchy.levels, membership };
      const [global, local] = [110, 111].map((seed) => shares(seed, [2, 2]).cast("float32"));
      const found = losses.hmcnLoss(global!, [local!], [1, 2], own);
      return found.global.add(found.local);
    },
  ],
  [
    "maskedRelativeError, absolute",
    [a, b],
    ([x, t]) => losses.maskedRelativeError(x!, t!, mask, { denominator: "abs" }),
  ],
  [
    "maskedValueLoss, absolute",
    [a, b],
    ([x, t]) => losses.maskedValueLoss(x!, t!, mask, { lossType: "mae" }),
  ],
  [
    "zinbLoss, soft",
    [counts, a, b, c],
    ([x, rate, theta, pi]) => losses.zinbLoss(x!, rate!, theta!, pi!, { zeroIndicator: "soft" }),
  ],
  [
    "vaeLoss, logits",
    [shares(112, [2, 3]), a, b, c],
    ([x, z, mean, logVariance]) =>
      losses.vaeLoss(x!, z!, mean!, logVariance!, { reconstructionLoss: "bce" }),
  ],
  [
    "mvcDecoder, probabilities",
    [random(113, [2, 4]), random(114, [2, 3, 4]), random(115, [4, 4]), random(116, [4])],
    ([cell, gene, W, v]) => {
      const params = { Wq: W!, bq: v!, W: W!, Wz: W!, bz: v! };
      const { pred, zeroProbs } = losses.mvcDecoder(cell!, gene!, params, {
        explicitZeroProb: true,
      });
      return pred.sum().add(zeroProbs!.sum());
    },
  ],
  [
    "klDivergence, zeros",
    [f64([[0, 0.5, 0.5]]), f64([[0.2, 0.3, 0.5]])],
    ([p, q]) => losses.klDivergence(p!, q!),
  ],
  [
    "jensenShannonDivergence, zeros",
    [f64([[0, 0.5, 0.5]]), f64([[0, 1, 0]])],
    ([p, q]) => losses.jensenShannonDivergence(p!, q!),
  ],
  [
    "coxLoss, each",
    [random(117, [4]), f64([1, 3, 2, 2])],
    ([h, t]) => losses.coxLoss(h!, t!, [1, 0, 1, 1], { reduction: "none" }).sum(),
  ],
  [
    "negativeBinomialMixtureLoss, one θ",
    [counts, a.exp(), b.exp(), c.exp(), random(118, [3])],
    ([x, m1, m2, r, z]) => losses.negativeBinomialMixtureLoss(x!, m1!, m2!, r!, z!),
  ],
  ...(["nb", "poisson"] as const).map((likelihood): NaNCase => [
    `scviObjective, ${likelihood}`,
    [counts, a, ...likelihood === "nb" ? [b] : [], random(119, [2, 2]), random(120, [2, 2])],
    (x) => {
      const [logTheta, mean, logVariance] = likelihood === "nb" ? x.slice(2) : [b, ...x.slice(2)];
      const outputs = { logRate: x[1]!, logTheta, mean: mean!, logVariance: logVariance! };
      return losses.scviObjective(outputs, { counts: x[0]! }, { likelihood }).total;
    },
  ]),
  [
    "scanviObjective, by labels",
    [counts, a, random(121, [2, 2]), ...[122, 123].map((seed) => random(seed, [2, 2, 2]))]
      .concat([shares(124, [2])]),
    ([x, rate, z, latent, prior, labelPrior]) => {
      const { z1, mean, logVariance } = { z1: z!, mean: z!.sin(), logVariance: z!.cos() };
      const z2 = { z2Mean: latent!, z2LogVariance: latent!.sin() };
      const priors = { priorMean: prior!, priorLogVariance: prior!.cos() };
      const outputs = { logRate: rate!, classLogits: z!.mul(2), z1, mean, logVariance };
      return losses.scanviObjective(
        { ...outputs, ...z2, ...priors },
        { counts: x!, labels: [-1, 1], labelPrior: labelPrior! },
        { likelihood: "poisson", conditionOnLabels: true },
      ).total;
    },
  ],
  [
    "stateObjective, squared",
    [random(125, [2, 3, 2]), random(126, [2, 3, 2])],
    ([x, y]) => losses.stateObjective({ cells: x! }, { cells: y! }, { distance: "mse" }).total,
  ],
  ["classWeights", [weight], ([n]) => losses.classWeights(n!, { normalization: "meanOne" }).sum()],
  [
    "supervisedContrastiveLoss, a cell without positives",
    [cells],
    ([x]) => losses.supervisedContrastiveLoss(x!, [0, 1, 0, 1, 1, 7], { temperature: 1 }),
  ],
  [
    "tripletLoss, hard",
    [cells],
    ([x]) => losses.tripletLoss(x!, batches, { mining: "hard", margin: 9 }),
  ],
  [
    "tripletLoss, semi-hard",
    [cells],
    ([x]) => losses.tripletLoss(x!, batches, { mining: "semiHard" }),
  ],
  ["tripletLoss, no margin", [cells], ([x]) => losses.tripletLoss(x!, batches, { margin: 0 })],
  [
    "vicRegLoss, invariance",
    [cells, random(117, [6, 4])],
    ([x, y]) => losses.vicRegLoss(x!, y!, { variance: 0, covariance: 0 }),
  ],
  [
    "barlowTwinsLoss, constant columns",
    [f64([[1, 2], [1, 3], [1, 5]]), f64([[4, 2], [1, 2], [0, 2]])],
    ([x, y]) => losses.barlowTwinsLoss(x!, y!),
  ],
  ...[
    ...[
      "ce",
      "weighted_ce",
      "focal",
      "dice",
      "focal_dice",
      "tversky",
      "jaccard",
      "dice_ce",
    ] as const,
    ...["generalized_dice", "focal_tversky", "unified_focal", "bce"] as const,
    ...["lovasz", "matthews", "poly"] as const,
  ].map(
    (lossType): NaNCase => [
      `createLoss, ${lossType}`,
      [logits],
      ([z]) => losses.createLoss({ lossType, classCounts: [3, 2, 1] })(z!, labels),
    ],
  ),
];

/** Every loss, and its variants. */
export const NAN_CASES: readonly NaNCase[] = [
  ...LOSS_CASES.map(([name, inputs, fixed, loss]): NaNCase => [
    name,
    [...inputs, ...fixed],
    (x) => loss(x.slice(0, inputs.length), x.slice(inputs.length)),
  ]),
  ...VARIANTS,
];
