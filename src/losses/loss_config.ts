/**
 * Configurations of segmentation losses, and how the guide prints them.
 *
 * @module
 */
import type { NumberRange, Settled } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import type { Activation } from "./class_targets.ts";
import type { ClassWeightNormalization } from "./class_weights.ts";
import type { OverlapOptions } from "./overlap_options.ts";

/** The losses that {@linkcode createLoss} knows. */
export type LossType =
  | "ce"
  | "weighted_ce"
  | "focal"
  | "dice"
  | "focal_dice"
  | "tversky"
  | "jaccard"
  | "generalized_dice"
  | "focal_tversky"
  | "dice_ce"
  | "unified_focal"
  | "bce"
  | "lovasz"
  | "matthews"
  | "poly"
  | "cldice"
  | "hausdorff"
  | "asymmetric";

/** The numbers of a configuration; each loss has its own defaults for those that it reads. */
export interface LossNumbers {
  /** γ of the focal loss; 2 by default. */
  focalGamma?: number | undefined;
  /** Weight of the focal part of `"focal_dice"`; 0.5 by default. */
  focalWeight?: number | undefined;
  /** Weight of the Dice part; 0.5 by default, 1 for `"dice_ce"`. */
  diceWeight?: number | undefined;
  /** Smoothing of overlaps, `"cldice"` among them; 1 by default, 1e-5 for `"generalized_dice"`. */
  diceSmooth?: number | undefined;
  /** Weight of false positives; 0.7 by default. */
  tverskyAlpha?: number | undefined;
  /** Weight of false negatives; 0.3 by default. */
  tverskyBeta?: number | undefined;
  /** The exponent of the focal Tversky loss; 0.75 by default. */
  focalTverskyGamma?: number | undefined;
  /** Weight of the cross entropy of `"dice_ce"`; 1 by default. */
  crossEntropyWeight?: number | undefined;
  /** A factor of what is there, of `"bce"`; 1 by default. */
  positiveWeight?: number | undefined;
  /** The share of the focal part of `"unified_focal"`; 0.5 by default. */
  unifiedWeight?: number | undefined;
  /** Its weight of the foreground; 0.6 by default. */
  unifiedDelta?: number | undefined;
  /** Its focusing; 0.5 by default. */
  unifiedGamma?: number | undefined;
  /** ε of `"poly"`; 1 by default. */
  polyEpsilon?: number | undefined;
  /** How often `"cldice"` erodes; 3 by default. */
  skeletonIterations?: number | undefined;
  /** The power of distances of `"hausdorff"`; 2 by default. */
  hausdorffAlpha?: number | undefined;
  /** γ⁻ of `"asymmetric"`; 4 by default. */
  gammaNegative?: number | undefined;
  /** Its γ⁺; 1 by default. */
  gammaPositive?: number | undefined;
  /** What its probabilities of labels that are not there are lowered by; 0.05 by default. */
  asymmetricClip?: number | undefined;
}

/** How the losses of overlaps look at regions; the other losses ignore it. */
export type LossRegions = Pick<
  OverlapOptions,
  "activation" | "includeBackground" | "absent" | "perSample"
>;

/** What {@linkcode createLoss} is configured by. */
export interface LossConfig extends LossNumbers, LossRegions {
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
  /** What makes probabilities of logits; `"softmax"` by default, for losses of overlaps. */
  activation?: Activation | undefined;
}

/** Options that are numbers. */
export type NumberName = keyof LossNumbers;

/** The numbers of a configuration, what the guide calls them, and their ranges. */
export const NUMBERS: Record<NumberName, [label: string, range: NumberRange]> = {
  focalGamma: ["Focal gamma", { min: 0 }],
  focalWeight: ["Focal weight", { min: 0 }],
  diceWeight: ["Dice weight", { min: 0 }],
  diceSmooth: ["Dice smooth", { min: 0 }],
  tverskyAlpha: ["Tversky alpha (FP weight)", { min: 0 }],
  tverskyBeta: ["Tversky beta (FN weight)", { min: 0 }],
  focalTverskyGamma: ["Focal Tversky gamma", { above: 0 }],
  crossEntropyWeight: ["Cross entropy weight", { min: 0 }],
  positiveWeight: ["Positive weight", { min: 0 }],
  unifiedWeight: ["Unified weight", { min: 0, max: 1 }],
  unifiedDelta: ["Unified delta", { min: 0, max: 1 }],
  unifiedGamma: ["Unified gamma", { min: 0, below: 1 }],
  polyEpsilon: ["Poly epsilon", { min: -1 }],
  skeletonIterations: ["Skeleton iterations", { min: 0, integer: true }],
  hausdorffAlpha: ["Hausdorff alpha", { above: 0 }],
  gammaNegative: ["Gamma negative", { min: 0 }],
  gammaPositive: ["Gamma positive", { min: 0 }],
  asymmetricClip: ["Clip", { min: 0, below: 1 }],
};

/** What the losses of overlaps read besides, and what it is called. */
export const REGIONS: Record<keyof LossRegions, string> = {
  activation: "Activation",
  includeBackground: "Include background",
  absent: "Absent classes",
  perSample: "Per sample",
};

/** The defaults of a configuration; numbers have those of the loss. */
export const DEFAULTS: Record<Exclude<keyof LossConfig, "classWeightNormalization">, undefined> & {
  classWeightNormalization: ClassWeightNormalization;
} = {
  lossType: undefined,
  useClassWeighting: undefined,
  classCounts: undefined,
  labels: undefined,
  numClasses: undefined,
  classWeightNormalization: "plain",
  ...undefinedOf(NUMBERS),
  ...undefinedOf(REGIONS),
};

function undefinedOf<K extends string>(names: Record<K, unknown>): Record<K, undefined> {
  const entries = Object.keys(names).map((name) => [name, undefined]);
  return Object.fromEntries(entries) as Record<K, undefined>;
}

/** A configuration with its defaults filled in. */
export type Settings = Settled<LossConfig, typeof DEFAULTS>;

/** What a loss makes use of. */
export interface LossTraits {
  /** The numbers that it reads, with its defaults, as they are printed. */
  numbers: Partial<Record<NumberName, number>>;
  /** Whether it takes class weights. */
  weights: boolean;
  /** Whether it looks at regions. */
  regions: boolean;
}

/** Whether classes are weighed where the loss can. */
export function weighsClasses({ useClassWeighting, classCounts, labels }: Settings): boolean {
  return useClassWeighting === undefined
    ? classCounts !== undefined || labels !== undefined
    : useClassWeighting;
}

/** The numbers that a loss reads, as given or by default. */
export function numbersOf(settings: Settings, { numbers }: LossTraits): Record<NumberName, number> {
  const entries = (Object.keys(numbers) as NumberName[]).map((name) => [
    name,
    settings[name] ?? numbers[name],
  ]);
  return Object.fromEntries(entries);
}

/** The guide's "Loss Configuration" block: what is in force. */
export function describeConfig(
  settings: Settings,
  traits: LossTraits,
  weight: Tensor | undefined,
): string {
  const { lossType } = settings;
  const lines = [`Loss type: ${lossType}`];
  for (const [name, value] of Object.entries(numbersOf(settings, traits))) {
    lines.push(`${NUMBERS[name as NumberName][0]}: ${formatNumber(value)}`);
  }
  for (const [name, label] of Object.entries(REGIONS)) {
    const value = settings[name as keyof LossRegions];
    if (traits.regions && value !== undefined) lines.push(`${label}: ${value}`);
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
  if (Number.isInteger(x)) return x.toFixed(1);
  return x < 1e-4 ? x.toExponential().replace(/e-(\d)$/, "e-0$1") : String(x);
}

/** A weight to three digits. */
function formatWeight(w: number): string {
  return w < 999.5 ? w.toPrecision(3) : w.toFixed(0);
}
