/**
 * What the losses of overlaps can be told: Dice, Jaccard, Tversky and their kin.
 *
 * @module
 */
import { checkBoolean, checkChoice, checkNumber, type Settled } from "../options.ts";
import type { TensorLike } from "../tensor.ts";
import {
  type Activation,
  checkActivation,
  checkForeground,
  type ClassTargets,
} from "./class_targets.ts";
import { checkReduction, type Reduction } from "./reduction.ts";

/** Options of all losses of overlaps. */
export interface OverlapOptions {
  /** Added above and below, at least 0; 1 by default, and 1e-5 for the generalized Dice loss. */
  smooth?: number | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
  /** What makes probabilities of logits; `"softmax"` by default. */
  activation?: Activation | undefined;
  /** Whether class 0 counts; `true` by default. */
  includeBackground?: boolean | undefined;
  /** Whether classes that are not labelled count, or are skipped; `"count"` by default. */
  absent?: "count" | "skip" | undefined;
  /** Whether each sample has ratios of its own, or the batch as a whole; `false` by default. */
  perSample?: boolean | undefined;
  /** A factor for each class, the background included; none by default. */
  weight?: TensorLike | undefined;
  /** Whether sizes of regions are sums of squares; `false` by default. */
  squared?: boolean | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
}

/** Options of losses of overlaps with a ratio for each class. */
export interface ClassOverlapOptions extends OverlapOptions {
  /** Whether to average over classes, or to pool their voxels; `true` by default. */
  perClass?: boolean | undefined;
}

/** The defaults of what all of them share. */
export const OVERLAP: {
  smooth: number;
  ignoreIndex: undefined;
  activation: Activation;
  includeBackground: boolean;
  absent: "count";
  perSample: boolean;
  weight: undefined;
  squared: boolean;
  reduction: Reduction;
} = {
  smooth: 1,
  ignoreIndex: undefined,
  activation: "softmax",
  includeBackground: true,
  absent: "count",
  perSample: false,
  weight: undefined,
  squared: false,
  reduction: "mean",
};

const { smooth, ...OTHERS } = OVERLAP;

/** The defaults of those with a ratio for each class. */
export const CLASS_OVERLAP: typeof OVERLAP & { perClass: boolean } = {
  smooth,
  perClass: true,
  ...OTHERS,
};

/** Options of losses of overlaps, settled. */
export type OverlapSettings = Settled<OverlapOptions, typeof OVERLAP> & {
  /** Whether classes have ratios of their own; where it is left out, the loss sees to them itself. */
  perClass?: boolean;
};

/** Throws unless the options of a loss of overlaps go with each other and with its targets. */
export function checkOverlap(
  caller: string,
  targets: ClassTargets,
  settings: OverlapSettings,
): void {
  checkNumber(caller, "smooth", settings.smooth, { min: 0 });
  checkActivation(caller, settings.activation);
  checkBoolean(caller, "includeBackground", settings.includeBackground);
  checkForeground(caller, settings.includeBackground, targets);
  checkChoice(caller, "absent", settings.absent, ["count", "skip"]);
  checkBoolean(caller, "perSample", settings.perSample);
  checkBoolean(caller, "squared", settings.squared);
  checkReduction(caller, settings.reduction);
  if (settings.perClass === undefined) return;
  checkBoolean(caller, "perClass", settings.perClass);
  if (settings.perClass || settings.weight === undefined) return;
  throw new TypeError(
    `Cannot compute ${caller} as weight belongs to the losses of classes: ` +
      `with perClass: false there is one for all`,
  );
}
