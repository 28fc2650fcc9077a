/**
 * Segmentation losses from a configuration.
 *
 * @module
 */
import type { Tensor, TensorLike } from "../tensor.ts";
import { classWeights } from "./class_weights.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { diceLoss } from "./dice.ts";
import { focalLoss } from "./focal.ts";
import { focalDiceLoss } from "./focal_dice.ts";
import { checkBoolean, checkChoice, checkNumber, readOptions } from "../options.ts";
import {
  DEFAULTS,
  describeConfig,
  type LossConfig,
  type LossType,
  type NumberName,
  NUMBERS,
  type Settings,
  USES,
} from "./loss_config.ts";
import { tverskyLoss } from "./tversky.ts";

/** A loss that knows its configuration. */
export interface ConfiguredLoss {
  /** The loss of logits (N, C, …spatial) and labels (N, …spatial), a scalar. */
  (logits: TensorLike, labels: TensorLike): Tensor;
  /** The configuration in force, as the guide prints it. */
  describe(): string;
}

/**
 * Makes a segmentation loss from a configuration: the loss-function guide of dinov3_playground, in
 * camelCase. What a loss has no use for is ignored, as there, so that switching `lossType` is one
 * word; `describe()` tells what is in force.
 *
 * | `lossType` | loss | reads |
 * | --- | --- | --- |
 * | `"ce"` | {@linkcode crossEntropyLoss} | |
 * | `"weighted_ce"` | the same with class weights | `classCounts` |
 * | `"focal"` | {@linkcode focalLoss} | `focalGamma`, `classCounts` |
 * | `"dice"` | {@linkcode diceLoss} | `diceSmooth` |
 * | `"focal_dice"` | {@linkcode focalDiceLoss} | `focalGamma`, `focalWeight`, `diceWeight`, `diceSmooth`, `classCounts` |
 * | `"tversky"` | {@linkcode tverskyLoss} | `tverskyAlpha`, `tverskyBeta`, `diceSmooth` |
 *
 * {@linkcode recommendLoss} chooses one; {@linkcode diagnoseClasses} tells how it did.
 *
 * @param config `lossType`, and the options above.
 * @returns A function `(logits, labels) => Tensor` with `describe()`.
 * @throws {TypeError} If the type or a key is unknown, which lists the valid ones, or class weights
 * are asked for without `classCounts`.
 * @throws {RangeError} If a number is negative.
 *
 * @example The guide's recommendation, and the block that it prints
 * ```ts
 * import { createLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = createLoss({
 *   lossType: "focal_dice",
 *   useClassWeighting: true,
 *   classCounts: [80, 10, 7, 3],
 * });
 * assertEquals(
 *   loss.describe(),
 *   `Loss Configuration:
 *   - Loss type: focal_dice
 *   - Focal gamma: 2.0
 *   - Focal weight: 0.5
 *   - Dice weight: 0.5
 *   - Dice smooth: 1.0
 *   - Class weights: [1.25 10.0 14.3 33.3]`,
 * );
 * assertEquals(loss([[99, 0, 0, 0]], [0]).shape, []);
 * ```
 */
export function createLoss(config: LossConfig): ConfiguredLoss {
  const settings = readOptions("createLoss", config, DEFAULTS);
  checkChoice("createLoss", "lossType", settings.lossType, Object.keys(USES));
  checkChoice("createLoss", "classWeightNormalization", settings.classWeightNormalization, [
    "plain",
    "balanced",
    "meanOne",
  ]);
  for (const name of Object.keys(NUMBERS) as NumberName[]) {
    checkNumber("createLoss", name, settings[name], { min: 0 });
  }
  const weight = chooseWeights(settings);
  return Object.assign(chooseLoss(settings, weight), {
    describe: () => describeConfig(settings, weight),
  });
}

function chooseWeights(settings: Settings): Tensor | undefined {
  const { lossType, classCounts, classWeightNormalization: normalization } = settings;
  const weighting = settings.useClassWeighting ?? classCounts !== undefined;
  checkBoolean("createLoss", "useClassWeighting", weighting);
  if (lossType === "weighted_ce" && !weighting) {
    throw new TypeError(
      `Cannot compute createLoss as lossType "weighted_ce" needs class weights: give classCounts, ` +
        `without useClassWeighting false`,
    );
  }
  if (!weighting || !USES[lossType].weights) return undefined;
  if (classCounts === undefined) {
    throw new TypeError(
      `Cannot compute createLoss as useClassWeighting needs classCounts: ` +
        `give how often each class occurs`,
    );
  }
  return classWeights(classCounts, { normalization });
}

type LossFunction = (logits: TensorLike, labels: TensorLike) => Tensor;

function chooseLoss(s: Settings, weight: Tensor | undefined): LossFunction {
  const losses: Record<LossType, LossFunction> = {
    ce: (logits, labels) => crossEntropyLoss(logits, labels),
    weighted_ce: (logits, labels) => crossEntropyLoss(logits, labels, { weight }),
    focal: (logits, labels) => focalLoss(logits, labels, { gamma: s.focalGamma, weight }),
    dice: (logits, labels) => diceLoss(logits, labels, { smooth: s.diceSmooth }),
    focal_dice: (logits, labels) =>
      focalDiceLoss(logits, labels, {
        gamma: s.focalGamma,
        focalWeight: s.focalWeight,
        diceWeight: s.diceWeight,
        smooth: s.diceSmooth,
        weight,
      }),
    tversky: (logits, labels) =>
      tverskyLoss(logits, labels, {
        alpha: s.tverskyAlpha,
        beta: s.tverskyBeta,
        smooth: s.diceSmooth,
      }),
  };
  return losses[s.lossType];
}
