/**
 * Segmentation losses from a configuration.
 *
 * @module
 */
import { checkBoolean, checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkActivation } from "./class_targets.ts";
import { chooseWeights } from "./config_weights.ts";
import {
  DEFAULTS,
  describeConfig,
  type LossConfig,
  type LossRegions,
  type NumberName,
  NUMBERS,
  numbersOf,
  type Settings,
} from "./loss_config.ts";
import { LOSS_TYPES } from "./loss_types.ts";

/** A loss that knows its configuration. */
export interface ConfiguredLoss {
  /** The loss of logits (N, C, …spatial) and targets: labels (N, …spatial), or shares. A scalar. */
  (logits: TensorLike, targets: TensorLike): Tensor;
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
 * | `"weighted_ce"` | the same with class weights | class weights |
 * | `"focal"` | {@linkcode focalLoss} | `focalGamma`, class weights |
 * | `"dice"` | {@linkcode diceLoss} | `diceSmooth` |
 * | `"focal_dice"` | {@linkcode focalDiceLoss} | `focalGamma`, `focalWeight`, `diceWeight`, `diceSmooth`, class weights |
 * | `"tversky"` | {@linkcode tverskyLoss} | `tverskyAlpha`, `tverskyBeta`, `diceSmooth` |
 * | `"jaccard"` | {@linkcode jaccardLoss} | `diceSmooth` |
 * | `"generalized_dice"` | {@linkcode generalizedDiceLoss} | `diceSmooth`, 1e-5 by default |
 * | `"focal_tversky"` | {@linkcode focalTverskyLoss} | `focalTverskyGamma`, `tverskyAlpha`, `tverskyBeta`, `diceSmooth` |
 * | `"dice_ce"` | {@linkcode diceCrossEntropyLoss} | `diceWeight` and `crossEntropyWeight`, 1 by default, `diceSmooth`, class weights |
 * | `"unified_focal"` | {@linkcode unifiedFocalLoss} | `unifiedWeight`, `unifiedDelta`, `unifiedGamma` |
 * | `"bce"` | {@linkcode binaryCrossEntropyWithLogitsLoss} of channels | `positiveWeight`, class weights |
 * | `"lovasz"` | {@linkcode lovaszLoss} | |
 * | `"matthews"` | {@linkcode matthewsLoss} | |
 * | `"poly"` | {@linkcode polyLoss} | `polyEpsilon` |
 * | `"cldice"` | {@linkcode clDiceLoss} | `skeletonIterations`, `diceSmooth` |
 * | `"hausdorff"` | {@linkcode hausdorffLoss} | `hausdorffAlpha` |
 * | `"asymmetric"` | {@linkcode asymmetricLoss} of channels | `gammaNegative`, `gammaPositive`, `asymmetricClip` |
 *
 * The types after `"tversky"` are ours. The losses of overlaps, `"dice"`, `"tversky"` and those from
 * `"jaccard"` to `"dice_ce"`, also read `activation`, `includeBackground`, `absent` and `perSample`,
 * which `describe()` names where they are given. Targets may be labels or of the logits' shape up to
 * `"bce"`, but for `"focal_dice"`; from `"lovasz"` on they are labels, but of the logits' shape for
 * `"asymmetric"`. {@linkcode boundaryLoss} is not among them, as it takes distances in place of labels.
 *
 * Class weights are {@linkcode classWeights} of `classCounts`, or of how often each class occurs in
 * `labels`, scaled by `classWeightNormalization`. Labels are those of the whole training set, so that
 * the weights do not change from batch to batch; −100, PyTorch's "no label", is not counted. Where the
 * last classes may be missing from them, say how many there are with `numClasses`.
 * `useClassWeighting: false` leaves the weights out, and `true` insists on them.
 *
 * {@linkcode recommendLoss} chooses one; {@linkcode diagnoseClasses} tells how it did.
 *
 * @param config `lossType`, and the options above.
 * @returns A function `(logits, targets) => Tensor` with `describe()`.
 * @throws {TypeError} If the type or a key is unknown, which lists the valid ones, class weights are
 * asked for without `classCounts` or `labels`, or both are given.
 * @throws {RangeError} If a number is out of range, or a label names no class.
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
 *
 * @example Class weights from the labels
 * ```ts
 * import { createLoss } from "@cellgrad/cellgrad/losses";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const labels = [0, 0, 0, 0, 1, 1, 1, 2];
 * const loss = createLoss({ lossType: "weighted_ce", useClassWeighting: true, labels });
 * assertStringIncludes(loss.describe(), "Class weights: [2.00 2.67 8.00]");
 * ```
 */
export function createLoss(config: LossConfig): ConfiguredLoss {
  if (arguments.length > 1) refuseMore("createLoss", "config", 1, arguments);
  const settings: Settings = readOptions("createLoss", config, DEFAULTS);
  checkChoice("createLoss", "lossType", settings.lossType, Object.keys(LOSS_TYPES));
  checkChoice("createLoss", "classWeightNormalization", settings.classWeightNormalization, [
    "plain",
    "balanced",
    "meanOne",
  ]);
  for (const [name, [, range]] of Object.entries(NUMBERS)) {
    const value = settings[name as NumberName];
    if (value !== undefined) checkNumber("createLoss", name, value, range);
  }
  const regions = readRegions(settings);
  const row = LOSS_TYPES[settings.lossType];
  const weight = chooseWeights(settings, row);
  const given = { n: numbersOf(settings, row), weight, regions };
  const loss = (logits: TensorLike, targets: TensorLike, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore("createLoss", "targets", 0, rest);
    return row.loss(logits, targets, given);
  };
  return Object.assign(loss, { describe: () => describeConfig(settings, row, weight) });
}

function readRegions({ activation, includeBackground, absent, perSample }: Settings): LossRegions {
  if (activation !== undefined) checkActivation("createLoss", activation);
  if (absent !== undefined) checkChoice("createLoss", "absent", absent, ["count", "skip"]);
  for (const [name, value] of Object.entries({ includeBackground, perSample })) {
    if (value !== undefined) checkBoolean("createLoss", name, value);
  }
  return { activation, includeBackground, absent, perSample };
}
