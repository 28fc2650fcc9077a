/**
 * Configurations of segmentation losses, and how the guide prints them.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import type { ClassWeightNormalization } from "./class_weights.ts";
import type { Settled } from "../options.ts";

/** The losses that {@linkcode createLoss} knows. */
export type LossType = "ce" | "weighted_ce" | "focal" | "dice" | "focal_dice" | "tversky";

/** What {@linkcode createLoss} is configured by. */
export interface LossConfig {
  /** Which loss; required. */
  lossType: LossType;
  /** Whether to weigh classes; by default, whether `classCounts` or `labels` are given. */
  useClassWeighting?: boolean | undefined;
  /** How often each class occurs, counts or shares; none by default. */
  classCounts?: TensorLike | undefined;
  /** The labels of the training set, of any shape, to count classes in; none by default. */
  labels?: TensorLike | undefined;
  /** How many classes `labels` has; one more than the largest of them by default. */
  numClasses?: number | undefined;
  /** The scale of the weights, as {@linkcode classWeights} has it; `"plain"` by default. */
  classWeightNormalization?: ClassWeightNormalization | undefined;
  /** γ of the focal loss; 2 by default. */
  focalGamma?: number | undefined;
  /** Weight of the focal part of `"focal_dice"`; 0.5 by default. */
  focalWeight?: number | undefined;
  /** Weight of the Dice part of `"focal_dice"`; 0.5 by default. */
  diceWeight?: number | undefined;
  /** Smoothing of Dice and Tversky; 1 by default. */
  diceSmooth?: number | undefined;
  /** Weight of false positives; 0.7 by default. */
  tverskyAlpha?: number | undefined;
  /** Weight of false negatives; 0.3 by default. */
  tverskyBeta?: number | undefined;
}

/** The defaults of a configuration. */
export const DEFAULTS: {
  lossType: LossType;
  useClassWeighting: undefined;
  classCounts: undefined;
  labels: undefined;
  numClasses: undefined;
  classWeightNormalization: ClassWeightNormalization;
  focalGamma: number;
  focalWeight: number;
  diceWeight: number;
  diceSmooth: number;
  tverskyAlpha: number;
  tverskyBeta: number;
} = {
  lossType: undefined as unknown as LossType,
  useClassWeighting: undefined,
  classCounts: undefined,
  labels: undefined,
  numClasses: undefined,
  classWeightNormalization: "plain",
  focalGamma: 2,
  focalWeight: 0.5,
  diceWeight: 0.5,
  diceSmooth: 1,
  tverskyAlpha: 0.7,
  tverskyBeta: 0.3,
};

/** A configuration with its defaults filled in. */
export type Settings = Settled<LossConfig, typeof DEFAULTS>;

/** Options that are numbers, at least 0. */
export type NumberName =
  | "focalGamma"
  | "focalWeight"
  | "diceWeight"
  | "diceSmooth"
  | "tverskyAlpha"
  | "tverskyBeta";

/** The numbers of a configuration, and what the guide calls them. */
export const NUMBERS: Record<NumberName, string> = {
  focalGamma: "Focal gamma",
  focalWeight: "Focal weight",
  diceWeight: "Dice weight",
  diceSmooth: "Dice smooth",
  tverskyAlpha: "Tversky alpha (FP weight)",
  tverskyBeta: "Tversky beta (FN weight)",
};

/** What each loss makes use of. */
export const USES: Record<LossType, { numbers: NumberName[]; weights: boolean }> = {
  ce: { numbers: [], weights: false },
  weighted_ce: { numbers: [], weights: true },
  focal: { numbers: ["focalGamma"], weights: true },
  dice: { numbers: ["diceSmooth"], weights: false },
  focal_dice: {
    numbers: ["focalGamma", "focalWeight", "diceWeight", "diceSmooth"],
    weights: true,
  },
  tversky: { numbers: ["tverskyAlpha", "tverskyBeta", "diceSmooth"], weights: false },
};

/** Whether classes are weighed where the loss can. */
export function weighsClasses({ useClassWeighting, classCounts, labels }: Settings): boolean {
  return useClassWeighting === undefined
    ? classCounts !== undefined || labels !== undefined
    : useClassWeighting;
}

/** The guide's "Loss Configuration" block: what is in force. */
export function describeConfig(settings: Settings, weight: Tensor | undefined): string {
  const { lossType } = settings;
  const lines = [`Loss type: ${lossType}`];
  for (const name of USES[lossType].numbers) {
    lines.push(`${NUMBERS[name]}: ${formatNumber(settings[name])}`);
  }
  if (weight !== undefined) {
    const weights = (weight.toArray() as number[]).map(formatWeight);
    lines.push(`Class weights: [${weights.join(" ")}]`);
  } else if (weighsClasses(settings)) {
    lines.push(`Class weights: none (${lossType} takes none)`);
  }
  return ["Loss Configuration:", ...lines.map((line) => `  - ${line}`)].join("\n");
}

/** A number as Python prints a float. */
function formatNumber(x: number): string {
  return Number.isInteger(x) ? x.toFixed(1) : String(x);
}

/** A weight to three digits. */
function formatWeight(w: number): string {
  return w < 999.5 ? w.toPrecision(3) : w.toFixed(0);
}
