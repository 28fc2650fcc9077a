/**
 * The losses that a configuration may name.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import { asymmetricLoss } from "./asymmetric.ts";
import { binaryCrossEntropyOf } from "./binary_entries.ts";
import { clDiceLoss } from "./cl_dice.ts";
import { readClassTargets } from "./class_targets.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { diceLoss } from "./dice.ts";
import { diceCrossEntropyLoss } from "./dice_cross_entropy.ts";
import { focalLoss } from "./focal.ts";
import { focalDiceLoss } from "./focal_dice.ts";
import { focalTverskyLoss } from "./focal_tversky.ts";
import { generalizedDiceLoss } from "./generalized_dice.ts";
import { hausdorffLoss } from "./hausdorff.ts";
import { jaccardLoss } from "./jaccard.ts";
import type { LossRegions, LossTraits, LossType, NumberName } from "./loss_config.ts";
import { lovaszLoss } from "./lovasz.ts";
import { matthewsLoss } from "./matthews.ts";
import { polyLoss } from "./poly.ts";
import { tverskyLoss } from "./tversky.ts";
import { unifiedFocalLoss } from "./unified_focal.ts";

/** What a configuration says to its loss. */
interface Given {
  /** The numbers that the loss reads. */
  n: Record<NumberName, number>;
  /** Class weights, where the loss takes them and there are some. */
  weight: Tensor | undefined;
  /** How it looks at regions. */
  regions: LossRegions;
}

/** A loss, and what it makes use of. */
export interface LossRow extends LossTraits {
  /** The loss of logits and targets, by what the configuration says. */
  loss: (logits: TensorLike, targets: TensorLike, given: Given) => Tensor;
}

const plain = { numbers: {}, weights: false, regions: false };
const overlap = { numbers: { diceSmooth: 1 }, weights: false, regions: true };
const tversky = { tverskyAlpha: 0.7, tverskyBeta: 0.3, diceSmooth: 1 };

/** One row per type: the numbers that it reads with its defaults, in the order of `describe()`. */
export const LOSS_TYPES: Record<LossType, LossRow> = {
  ce: { ...plain, loss: (z, y) => crossEntropyLoss(z, y) },
  weighted_ce: {
    ...plain,
    weights: true,
    loss: (z, y, { weight }) => crossEntropyLoss(z, y, { weight }),
  },
  focal: {
    ...plain,
    numbers: { focalGamma: 2 },
    weights: true,
    loss: (z, y, { n, weight }) => focalLoss(z, y, { gamma: n.focalGamma, weight }),
  },
  dice: {
    ...overlap,
    loss: (z, y, { n, regions }) => diceLoss(z, y, { smooth: n.diceSmooth, ...regions }),
  },
  focal_dice: {
    ...plain,
    numbers: { focalGamma: 2, focalWeight: 0.5, diceWeight: 0.5, diceSmooth: 1 },
    weights: true,
    loss: (z, y, { n, weight }) => {
      const { focalGamma: gamma, focalWeight, diceWeight, diceSmooth: smooth } = n;
      return focalDiceLoss(z, y, { gamma, focalWeight, diceWeight, smooth, weight });
    },
  },
  tversky: {
    ...overlap,
    numbers: tversky,
    loss: (z, y, { n, regions }) => {
      const { tverskyAlpha: alpha, tverskyBeta: beta, diceSmooth: smooth } = n;
      return tverskyLoss(z, y, { alpha, beta, smooth, ...regions });
    },
  },
  jaccard: {
    ...overlap,
    loss: (z, y, { n, regions }) => jaccardLoss(z, y, { smooth: n.diceSmooth, ...regions }),
  },
  generalized_dice: {
    ...overlap,
    numbers: { diceSmooth: 1e-5 },
    loss: (z, y, { n, regions }) => generalizedDiceLoss(z, y, { smooth: n.diceSmooth, ...regions }),
  },
  focal_tversky: {
    ...overlap,
    numbers: { focalTverskyGamma: 0.75, ...tversky },
    loss: (z, y, { n, regions }) => {
      const { tverskyAlpha: alpha, tverskyBeta: beta, diceSmooth: smooth } = n;
      return focalTverskyLoss(z, y, {
        alpha,
        beta,
        smooth,
        gamma: n.focalTverskyGamma,
        ...regions,
      });
    },
  },
  dice_ce: {
    numbers: { diceWeight: 1, crossEntropyWeight: 1, diceSmooth: 1 },
    weights: true,
    regions: true,
    loss: (z, y, { n, weight, regions }) => {
      const { diceWeight, crossEntropyWeight, diceSmooth: smooth } = n;
      const options = { diceWeight, crossEntropyWeight, smooth, weight };
      return diceCrossEntropyLoss(z, y, { ...options, ...regions });
    },
  },
  unified_focal: {
    ...plain,
    numbers: { unifiedWeight: 0.5, unifiedDelta: 0.6, unifiedGamma: 0.5 },
    loss: (z, y, { n }) =>
      unifiedFocalLoss(z, y, {
        weight: n.unifiedWeight,
        delta: n.unifiedDelta,
        gamma: n.unifiedGamma,
      }),
  },
  bce: {
    ...plain,
    numbers: { positiveWeight: 1 },
    weights: true,
    loss: (z, y, { n, weight }) => {
      const read = readClassTargets("createLoss", z, y, { activation: "sigmoid" });
      const { positiveWeight } = n;
      return binaryCrossEntropyOf("createLoss", read, {
        weight,
        positiveWeight,
        reduction: "mean",
      });
    },
  },
  lovasz: { ...plain, loss: (z, y) => lovaszLoss(z, y) },
  matthews: { ...plain, loss: (z, y) => matthewsLoss(z, y) },
  poly: {
    ...plain,
    numbers: { polyEpsilon: 1 },
    loss: (z, y, { n }) => polyLoss(z, y, { epsilon: n.polyEpsilon }),
  },
  cldice: {
    ...plain,
    numbers: { skeletonIterations: 3, diceSmooth: 1 },
    loss: (z, y, { n }) =>
      clDiceLoss(z, y, { iterations: n.skeletonIterations, smooth: n.diceSmooth }),
  },
  hausdorff: {
    ...plain,
    numbers: { hausdorffAlpha: 2 },
    loss: (z, y, { n }) => hausdorffLoss(z, y, { alpha: n.hausdorffAlpha }),
  },
  asymmetric: {
    ...plain,
    numbers: { gammaNegative: 4, gammaPositive: 1, asymmetricClip: 0.05 },
    loss: (z, y, { n }) => {
      const { gammaNegative, gammaPositive, asymmetricClip: clip } = n;
      return asymmetricLoss(z, y, { gammaNegative, gammaPositive, clip });
    },
  },
};
