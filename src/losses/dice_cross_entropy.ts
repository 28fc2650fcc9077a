/**
 * Dice loss and cross entropy together.
 *
 * @module
 */
import { add, mul } from "../ops/mod.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { binaryCrossEntropyOf } from "./binary_entries.ts";
import { checkClasses } from "./class_logits.ts";
import { type ClassTargets, readClassTargets } from "./class_targets.ts";
import { crossEntropyOf } from "./cross_entropy.ts";
import { diceOf } from "./dice.ts";
import { CLASS_OVERLAP, type ClassOverlapOptions } from "./overlap_options.ts";
import type { EmptyMask } from "./reduction.ts";

/** Options of {@linkcode diceCrossEntropyLoss}: those of both parts, and their weights. */
export interface DiceCrossEntropyOptions extends ClassOverlapOptions {
  /** Weight of the Dice part, at least 0; 1 by default. */
  diceWeight?: number | undefined;
  /** Weight of the cross entropy, at least 0; 1 by default. */
  crossEntropyWeight?: number | undefined;
  /** The share of each target that is spread evenly over all classes, for softmax; 0 by default. */
  labelSmoothing?: number | undefined;
  /** A factor of what is there in the cross entropy, for sigmoid; none by default. */
  positiveWeight?: TensorLike | undefined;
  /** What the cross entropy of no labels is, for softmax; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: "mean" | "sum" | undefined;
}

const NAME = "diceCrossEntropyLoss";

const DEFAULTS = {
  diceWeight: 1,
  crossEntropyWeight: 1,
  ...CLASS_OVERLAP,
  labelSmoothing: 0,
  positiveWeight: undefined,
  emptyMask: "zero",
  reduction: "mean",
};

type Settings = ReturnType<typeof settle>;

function settle(options: DiceCrossEntropyOptions) {
  return readOptions(NAME, options, DEFAULTS);
}

/**
 * A weighted sum of {@linkcode diceLoss} and cross entropy: the loss that nnU-Net and MONAI train
 * segmentations with. Cross entropy is smooth everywhere and looks at each voxel, Dice at the overlap.
 * Lower is better; at least 0.
 *
 * `L = w_d dice + w_c ce`
 *
 * The cross entropy always reads logits: {@linkcode crossEntropyLoss} for `activation: "softmax"` and
 * `"none"`, {@linkcode binaryCrossEntropyWithLogitsLoss} for `"sigmoid"`, where each channel is asked
 * by itself, one channel alone included. `weight`, `ignoreIndex` and `reduction` go to both, the
 * other options to the part that has them.
 *
 * | there | here |
 * | --- | --- |
 * | nnU-Net's `DC_and_CE_loss` with `batch_dice` | `{ includeBackground: false, smooth: 1e-5 }`, less its 1: nnU-Net's Dice part is −D, ours 1 − D |
 * | MONAI's `DiceCELoss(softmax=True)` | `{ perSample: true, smooth: 1e-5 }` |
 * | MONAI's `weight` with `sigmoid=True` | `positiveWeight` |
 *
 * Source: Isensee et al. 2021, https://doi.org/10.1038/s41592-020-01008-z; MONAI's `DiceCELoss`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `diceWeight`, 1 by default; `crossEntropyWeight`, 1; those of {@linkcode diceLoss},
 * but for `reduction: "none"`; `labelSmoothing`, 0, and `emptyMask`, `"zero"`, for softmax;
 * `positiveWeight`, none, for sigmoid.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist or belongs to the other activation.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example The sum of both
 * ```ts
 * import { crossEntropyLoss, diceCrossEntropyLoss, diceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[1, 0], [2, 1], [0, 3]], [0, 1, 1]];
 * const sum = diceLoss(logits, labels).add(crossEntropyLoss(logits, labels));
 * assertAlmostEquals(diceCrossEntropyLoss(logits, labels).item(), sum.item(), 1e-6);
 * ```
 */
export function diceCrossEntropyLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: DiceCrossEntropyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore(NAME, "options", 3, arguments);
  const settings = settle(options);
  checkNumber(NAME, "diceWeight", settings.diceWeight, { min: 0 });
  checkNumber(NAME, "crossEntropyWeight", settings.crossEntropyWeight, { min: 0 });
  checkChoice(NAME, "reduction", settings.reduction, ["mean", "sum"]);
  const read = readClassTargets(NAME, logits, targets, settings);
  const dice = diceOf(NAME, read, settings);
  return add(
    mul(dice, settings.diceWeight),
    mul(crossEntropyPart(read, settings), settings.crossEntropyWeight),
  );
}

function crossEntropyPart(read: ClassTargets, settings: Settings): Tensor {
  if (settings.activation === "sigmoid") {
    refuseOption(settings, "labelSmoothing", settings.labelSmoothing === DEFAULTS.labelSmoothing);
    refuseOption(settings, "emptyMask", settings.emptyMask === DEFAULTS.emptyMask);
    return binaryCrossEntropyOf(NAME, read, settings);
  }
  refuseOption(settings, "positiveWeight", settings.positiveWeight === undefined);
  checkClasses(NAME, read.logits, 2);
  return crossEntropyOf(NAME, read, settings);
}

/** Throws where an option was given that the cross entropy of the activation does not have. */
function refuseOption({ activation }: Settings, name: string, isDefault: boolean): void {
  if (isDefault) return;
  throw new TypeError(
    `Cannot compute ${NAME} as ${name} does not go with the activation: ` +
      `current activation is ${activation}`,
  );
}
