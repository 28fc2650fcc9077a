/**
 * The losses of the segmentation guide, configured as it recommends, with what it expects of them;
 * and variants that show where an effect comes from.
 */
import {
  classWeights,
  createLoss,
  focalLoss,
  type LossConfig,
  type Tensor,
  type TensorLike,
} from "@cellgrad/cellgrad";

/** What the guide's table expects of a loss. */
export interface Expectation {
  speed: string;
  meanIou: number;
  /** How much it over-predicts. */
  overPrediction: string;
  /** How stable it is. */
  stability: string;
}

/** A loss to be measured. */
export interface Configuration {
  id: string;
  /** Name as the guide has it. */
  name: string;
  /** What `createLoss` is given; class counts come from the training pixels. */
  config: LossConfig;
  /** Whether classes are weighed by their inverse frequency. */
  weighted: boolean;
  /** Whether focal loss takes p from the weighted cross entropy, as the guide's own code does. */
  ptFromWeighted?: true;
  /** What the guide expects; `undefined` for the variants. */
  guide?: Expectation;
}

/** The six losses of the guide's table, in its order, with its class weights. */
export const GUIDE_LOSSES: readonly Configuration[] = [
  {
    id: "ce",
    name: "CE",
    config: { lossType: "ce" },
    weighted: false,
    guide: { speed: "fast", meanIou: 0.35, overPrediction: "high", stability: "excellent" },
  },
  {
    id: "weighted_ce",
    name: "Weighted CE",
    config: { lossType: "weighted_ce" },
    weighted: true,
    guide: { speed: "fast", meanIou: 0.42, overPrediction: "moderate", stability: "excellent" },
  },
  {
    id: "focal",
    name: "Focal",
    config: { lossType: "focal", focalGamma: 2 },
    weighted: true,
    guide: { speed: "moderate", meanIou: 0.55, overPrediction: "low", stability: "good" },
  },
  {
    id: "dice",
    name: "Dice",
    config: { lossType: "dice", diceSmooth: 1 },
    weighted: false,
    guide: {
      speed: "moderate",
      meanIou: 0.52,
      overPrediction: "low",
      stability: "can be unstable",
    },
  },
  {
    id: "focal_dice",
    name: "Focal+Dice",
    config: { lossType: "focal_dice", focalGamma: 2, focalWeight: 0.5, diceWeight: 0.5 },
    weighted: true,
    guide: { speed: "moderate", meanIou: 0.62, overPrediction: "low", stability: "good" },
  },
  {
    id: "tversky",
    name: "Tversky",
    config: { lossType: "tversky", tverskyAlpha: 0.7, tverskyBeta: 0.3 },
    weighted: false,
    guide: { speed: "moderate", meanIou: 0.58, overPrediction: "adjustable", stability: "good" },
  },
];

/** What the guide mentions but does not measure. */
export const VARIANTS: readonly Configuration[] = [
  {
    id: "focal_plain",
    name: "Focal, no class weights",
    config: { lossType: "focal", focalGamma: 2 },
    weighted: false,
  },
  {
    id: "focal_upstream",
    name: "Focal as in the guide's code",
    config: { lossType: "focal", focalGamma: 2 },
    weighted: true,
    ptFromWeighted: true,
  },
  {
    id: "focal_dice_plain",
    name: "Focal+Dice, no class weights",
    config: { lossType: "focal_dice", focalGamma: 2 },
    weighted: false,
  },
  {
    id: "tversky_recall",
    name: "Tversky turned (α 0.3, β 0.7)",
    config: { lossType: "tversky", tverskyAlpha: 0.3, tverskyBeta: 0.7 },
    weighted: false,
  },
];

/** A loss of logits (pixels, classes) and labels (pixels). */
export type PixelLoss = (logits: TensorLike, labels: TensorLike) => Tensor;

/** The loss of a configuration, for training pixels with these class counts. */
export function lossOf(configuration: Configuration, classCounts: readonly number[]): PixelLoss {
  const { config, weighted, ptFromWeighted } = configuration;
  if (ptFromWeighted) {
    const options = { gamma: config.focalGamma, weight: classWeights(classCounts), ptFromWeighted };
    return (logits, labels) => focalLoss(logits, labels, options);
  }
  return createLoss(weighted ? { ...config, classCounts } : config);
}

/** The guide's printout of its recommended loss. */
export function describeRecommended(classCounts: readonly number[]): string {
  const { config } = GUIDE_LOSSES.find(({ id }) => id === "focal_dice")!;
  return createLoss({ ...config, classCounts }).describe();
}
