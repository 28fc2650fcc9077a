/** Every loss once, for tests of what becomes of it in programs. */
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { COUNT_CASES } from "./count_cases.ts";

type Tensor = cg.Tensor;

const random = (seed: number, shape: number[]) =>
  cg.normal(cg.key(seed), shape, { dtype: "float64" });
const positive = (seed: number, shape: number[]) => random(seed, shape).exp();
const shares = (seed: number, shape: number[]) => cg.softmax(random(seed, shape));
const int = (...labels: number[]) => cg.tensor(Int32Array.from(labels));
const mask = cg.tensor([[true, false, true], [false, true, true]]);

const [a, b, c] = [random(1, [2, 3]), random(2, [2, 3]), random(3, [2, 3])];
const cells = random(4, [6, 4]);
const others = random(5, [6, 4]);
const batches = int(0, 1, 0, 1, 1, 0);
const logits = random(6, [2, 3, 4]);
const labels = cg.tensor(int(0, 2, 1, 1, 2, 2, 0, 1), { shape: [2, 4] });
const weights = random(7, [4, 2]);
const soft = shares(34, [2, 3, 4]);

const images = random(32, [1, 3, 4, 3]);
const imageLabels = cg.tensor(int(0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 1), { shape: [1, 4, 3] });

/** A name, and the loss as a function of the inputs to differentiate by and of those that are not. */
export type LossCase = [string, Tensor[], Tensor[], (x: Tensor[], fixed: Tensor[]) => Tensor];

/** Every loss. */
export const LOSS_CASES: readonly LossCase[] = [
  ...COUNT_CASES,
  ["maskedMseLoss", [a, b], [mask], ([x, y], [m]) => losses.maskedMseLoss(x!, y!, m!)],
  [
    "negLogBernoulliLoss",
    [shares(8, [2, 3])],
    [b, mask],
    ([p], [t, m]) => losses.negLogBernoulliLoss(p!, t!, m!),
  ],
  [
    "negLogBernoulliWithLogitsLoss",
    [a],
    [b, mask],
    ([z], [t, m]) => losses.negLogBernoulliWithLogitsLoss(z!, t!, m!),
  ],
  [
    "maskedRelativeError",
    [a],
    [positive(9, [2, 3]), mask],
    ([x], [t, m]) => losses.maskedRelativeError(x!, t!, m!),
  ],
  ["maskedValueLoss", [a, b], [mask], ([x, y], [m]) => losses.maskedValueLoss(x!, y!, m!)],
  [
    "mvcDecoder",
    [random(10, [2, 4]), random(11, [2, 3, 4]), random(12, [4, 4]), random(13, [4])],
    [random(14, [4, 4])],
    ([cell, gene, Wq, bq], [W]) =>
      losses.mvcDecoder(cell!, gene!, { Wq: Wq!, bq: bq!, W: W! }).pred.square().sum(),
  ],
  ["elasticCellSimilarityLoss", [cells], [], ([x]) => losses.elasticCellSimilarityLoss(x!)],
  [
    "contrastiveCellEmbeddingLoss",
    [cells, others],
    [],
    ([x, y]) => losses.contrastiveCellEmbeddingLoss(x!, y!, { symmetric: true }),
  ],
  [
    "domainAdversarialLoss",
    [cells, weights],
    [batches],
    ([x, w], [y]) =>
      losses.domainAdversarialLoss(x!, y!, { discriminator: (z) => cg.matmul(z, w!), scale: 0.5 }),
  ],
  [
    "crossEntropyLoss",
    [logits],
    [labels],
    ([z], [y]) => losses.crossEntropyLoss(z!, y!, { weight: [1, 2, 3], labelSmoothing: 0.1 }),
  ],
  ["focalLoss", [logits], [labels], ([z], [y]) => losses.focalLoss(z!, y!)],
  [
    "unicellFocalLoss",
    [random(15, [6, 3])],
    [int(0, 1, 2, 2, 1, 0)],
    ([z], [y]) => losses.unicellFocalLoss(z!, y!),
  ],
  [
    "hmcnLoss",
    [shares(16, [2, 2]), shares(17, [2, 2])],
    [int(1, 2)],
    ([global, local], [y]) => {
      const hierarchy = {
        levels: Int32Array.of(0, 1, 1),
        membership: [cg.ones([3, 1]), cg.tensor([[0, 0], [1, 0], [0, 1]])],
      };
      const parts = losses.hmcnLoss(global!, [local!], y!, hierarchy);
      return parts.global.add(parts.local);
    },
  ],
  ["mmdLoss", [cells], [batches], ([x], [y]) => losses.mmdLoss(x!, y!, { nBatches: 2 })],
  [
    "energyDistance",
    [cells, others.slice([0, 0], [5, 4]), positive(32, [6])],
    [],
    ([x, y, weightsX]) => losses.energyDistance(x!, y!, { weightsX }),
  ],
  ["coralLoss", [cells, others], [], ([x, y]) => losses.coralLoss(x!, y!)],
  [
    "hsic",
    [cells, weights.matmul(random(33, [2, 3])).pad([[0, 2], [0, 0]])],
    [],
    ([x, y]) => losses.hsic(x!, y!),
  ],
  [
    "sinkhornDivergence",
    [random(39, [3, 2]), random(40, [2, 2]), positive(41, [3])],
    [positive(42, [2])],
    ([x, y, weightsX], [weightsY]) =>
      losses.sinkhornDivergence(x!, y!, { epsilon: 9, weightsX, weightsY, iterations: 20 }),
  ],
  [
    "wasserstein1d",
    [random(43, [6]), random(44, [4])],
    [],
    ([x, y]) => losses.wasserstein1d(x!, y!, { p: 2 }),
  ],
  [
    "slicedWasserstein",
    [cells, others],
    [],
    ([x, y]) => losses.slicedWasserstein(x!, y!, { key: cg.key(0), projections: 8 }),
  ],
  [
    "batchMixingLoss",
    [cells],
    [batches],
    ([x], [y]) => losses.batchMixingLoss(x!, y!, { nNeighbors: 3, nBatches: 2 }),
  ],
  [
    "clusteringCompactnessLoss",
    [cells, shares(18, [6, 3])],
    [],
    ([x, p]) => losses.clusteringCompactnessLoss(x!, p!),
  ],
  [
    "velocityConsistencyLoss",
    [a, b, c],
    [],
    ([x, v, f]) => losses.velocityConsistencyLoss(x!, v!, f!),
  ],
  ["shannonDiversityLoss", [shares(19, [4, 3])], [], ([p]) => losses.shannonDiversityLoss(p!)],
  ["simpsonDiversityLoss", [shares(20, [4, 3])], [], ([p]) => losses.simpsonDiversityLoss(p!)],
  ["diceLoss", [logits], [labels], ([z], [y]) => losses.diceLoss(z!, y!)],
  ["tverskyLoss", [logits], [labels], ([z], [y]) => losses.tverskyLoss(z!, y!)],
  ["focalDiceLoss", [logits], [labels], ([z], [y]) => losses.focalDiceLoss(z!, y!)],
  ["lovaszLoss", [logits], [labels], ([z], [y]) => losses.lovaszLoss(z!, y!)],
  ["matthewsLoss", [logits], [labels], ([z], [y]) => losses.matthewsLoss(z!, y!)],
  ["polyLoss", [logits], [labels], ([z], [y]) => losses.polyLoss(z!, y!)],
  [
    "asymmetricLoss",
    [a],
    [cg.tensor([[1, 0, 1], [0, 1, 0.5]], { dtype: "float64" })],
    ([z], [y]) => losses.asymmetricLoss(z!, y!, { gammaNegative: 2 }),
  ],
  [
    "clDiceLoss",
    [images],
    [imageLabels],
    ([z], [y]) => losses.clDiceLoss(z!, y!, { iterations: 1 }),
  ],
  [
    "boundaryLoss",
    [images],
    [random(33, [1, 3, 4, 3])],
    ([z], [maps]) => losses.boundaryLoss(z!, maps!),
  ],
  ["hausdorffLoss", [images], [imageLabels], ([z], [y]) => losses.hausdorffLoss(z!, y!)],
  [
    "maskedVoxelLoss",
    [logits],
    [labels, cg.tensor([[1, 0, 1, 1], [0, 1, 1, 0]])],
    ([z], [y, m]) => losses.maskedVoxelLoss(z!, y!, m!, { gamma: 2 }),
  ],
  ["jaccardLoss", [logits, soft], [], ([z, y]) => losses.jaccardLoss(z!, y!, { squared: true })],
  [
    "generalizedDiceLoss",
    [logits],
    [labels],
    ([z], [y]) => losses.generalizedDiceLoss(z!, y!, { perSample: true }),
  ],
  [
    "focalTverskyLoss",
    [logits],
    [labels],
    ([z], [y]) => losses.focalTverskyLoss(z!, y!, { absent: "skip", perClass: false }),
  ],
  [
    "binaryCrossEntropyLoss",
    [shares(32, [2, 3])],
    [mask],
    ([p], [y]) => losses.binaryCrossEntropyLoss(p!, y!, { weight: [1, 2, 3] }),
  ],
  [
    "binaryCrossEntropyWithLogitsLoss",
    [a, shares(33, [2, 3])],
    [],
    ([z, y]) => losses.binaryCrossEntropyWithLogitsLoss(z!, y!, { positiveWeight: 2 }),
  ],
  [
    "diceCrossEntropyLoss",
    [logits],
    [labels],
    ([z], [y]) => losses.diceCrossEntropyLoss(z!, y!, { activation: "sigmoid" }),
  ],
  ["unifiedFocalLoss", [logits], [labels], ([z], [y]) => losses.unifiedFocalLoss(z!, y!)],
  ["geneWeightSparsityLoss", [random(21, [5])], [], ([w]) => losses.geneWeightSparsityLoss(w!)],
  [
    "differentiableAuroc",
    [random(22, [6])],
    [batches],
    ([s], [y]) => losses.differentiableAuroc(s!, y!),
  ],
  [
    "negativeBinomialLoss",
    [positive(23, [2, 3]), positive(24, [3])],
    [cg.tensor([[0, 3, 1], [2, 0, 7]], { dtype: "float64" })],
    ([mu, theta], [x]) => losses.negativeBinomialLoss(x!, mu!, theta!),
  ],
  [
    "zinbLoss",
    [a, b, c],
    [cg.tensor([[0, 3, 1], [2, 0, 7]], { dtype: "float64" })],
    ([rate, theta, pi], [x]) => losses.zinbLoss(x!, rate!, theta!, pi!),
  ],
  [
    "vaeLoss",
    [a, b, c],
    [random(25, [2, 3])],
    ([reconstruction, mean, logVariance], [x]) =>
      losses.vaeLoss(x!, reconstruction!, mean!, logVariance!),
  ],
  [
    "scgptObjective",
    [a, shares(26, [2, 3]), b, random(27, [2, 4]), random(28, [2, 2])],
    [c, mask, int(0, 1)],
    ([mlmOutput, mlmZeroProbs, mvcOutput, cellEmbeddings, dabLogits], [values, m, batchLabels]) =>
      losses.scgptObjective(
        {
          mlmOutput: mlmOutput!,
          mlmZeroProbs: mlmZeroProbs!,
          mvcOutput: mvcOutput!,
          mvcZeroProbs: mlmZeroProbs!,
          cellEmbeddings: cellEmbeddings!,
          dabLogits: dabLogits!,
        },
        { values: values!, mask: m!, batchLabels: batchLabels! },
      ).total,
  ],
  [
    "scformerObjective",
    [a, b, random(29, [2, 3]), random(30, [2, 4]), random(31, [2, 4])],
    [c, mask, int(2, 0)],
    ([mlmOutput, mvcOutput, clsLogits, first, second], [values, m, clsLabels]) =>
      losses.scformerObjective(
        {
          mlmOutput: mlmOutput!,
          mvcOutput: mvcOutput!,
          clsLogits: clsLogits!,
          cellEmbeddings: first!,
          cellEmbeddings2: second!,
        },
        { values: values!, mask: m!, clsLabels: clsLabels! },
        { cls: true, cce: true, mvc: true, ecs: true },
      ).total,
  ],
  [
    "supervisedContrastiveLoss",
    [cells],
    [batches],
    ([x], [y]) => losses.supervisedContrastiveLoss(x!, y!),
  ],
  ["ntXentLoss", [cells, others], [], ([x, y]) => losses.ntXentLoss(x!, y!)],
  ["tripletLoss", [cells], [batches], ([x], [y]) => losses.tripletLoss(x!, y!)],
  [
    "arcFaceLoss",
    [cells, random(32, [3, 4])],
    [int(0, 1, 2, 2, 1, 0)],
    ([x, w], [y]) => losses.arcFaceLoss(x!, w!, y!, { scale: 4 }),
  ],
  [
    "cosFaceLoss",
    [cells, random(33, [3, 4])],
    [int(0, 1, 2, 2, 1, 0)],
    ([x, w], [y]) => losses.cosFaceLoss(x!, w!, y!, { scale: 4 }),
  ],
  ["vicRegLoss", [cells, others], [], ([x, y]) => losses.vicRegLoss(x!, y!)],
  ["barlowTwinsLoss", [cells, others], [], ([x, y]) => losses.barlowTwinsLoss(x!, y!)],
  [
    "centerLoss",
    [cells, random(34, [3, 4])],
    [int(0, 1, 2, 2, 1, 0)],
    ([x, c], [y]) => losses.centerLoss(x!, y!, c!),
  ],
  [
    "proxyAnchorLoss",
    [cells, random(35, [3, 4])],
    [int(0, 1, 0, 0, 1, 0)],
    ([x, p], [y]) => losses.proxyAnchorLoss(x!, p!, y!, { alpha: 4 }),
  ],
];
