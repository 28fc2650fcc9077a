/**
 * Segmentation losses from a configuration.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import { fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { classWeights } from "./class_weights.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { diceLoss } from "./dice.ts";
import { focalLoss } from "./focal.ts";
import { focalDiceLoss } from "./focal_dice.ts";
import {
  checkBoolean,
  checkChoice,
  checkNumber,
  checkTensorLike,
  readOptions,
  refuseMore,
} from "../options.ts";
import {
  DEFAULTS,
  describeConfig,
  type LossConfig,
  type LossType,
  type NumberName,
  NUMBERS,
  type Settings,
  USES,
  weighsClasses,
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
 * | `"weighted_ce"` | the same with class weights | class weights |
 * | `"focal"` | {@linkcode focalLoss} | `focalGamma`, class weights |
 * | `"dice"` | {@linkcode diceLoss} | `diceSmooth` |
 * | `"focal_dice"` | {@linkcode focalDiceLoss} | `focalGamma`, `focalWeight`, `diceWeight`, `diceSmooth`, class weights |
 * | `"tversky"` | {@linkcode tverskyLoss} | `tverskyAlpha`, `tverskyBeta`, `diceSmooth` |
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
 * @returns A function `(logits, labels) => Tensor` with `describe()`.
 * @throws {TypeError} If the type or a key is unknown, which lists the valid ones, class weights are
 * asked for without `classCounts` or `labels`, or both are given.
 * @throws {RangeError} If a number is negative, or a label names no class.
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
  const chosen = chooseLoss(settings, weight);
  const loss: LossFunction = (logits, labels, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore("createLoss", "labels", 0, rest);
    return chosen(logits, labels);
  };
  return Object.assign(loss, {
    describe: () => describeConfig(settings, weight),
  });
}

function chooseWeights(settings: Settings): Tensor | undefined {
  const { lossType, classWeightNormalization: normalization } = settings;
  const weighting = weighsClasses(settings);
  checkBoolean("createLoss", "useClassWeighting", weighting);
  if (lossType === "weighted_ce" && !weighting) {
    throw new TypeError(
      `Cannot compute createLoss as lossType "weighted_ce" needs class weights: ` +
        `give classCounts or labels, without useClassWeighting false`,
    );
  }
  const counts = readCounts(settings);
  if (!weighting || !USES[lossType].weights) return undefined;
  if (counts === undefined) {
    throw new TypeError(
      `Cannot compute createLoss as useClassWeighting needs classCounts or labels: ` +
        `give how often each class occurs, or the labels to count`,
    );
  }
  return classWeights(counts, { normalization });
}

/** How often each class occurs, as given or counted. */
function readCounts({ classCounts, labels, numClasses }: Settings): TensorLike | undefined {
  if (labels === undefined) {
    if (numClasses === undefined) {
      if (classCounts !== undefined) checkTensorLike("createLoss", "classCounts", classCounts);
      return classCounts;
    }
    throw new TypeError(
      `Cannot compute createLoss as numClasses belongs to labels: current labels are not given`,
    );
  }
  if (classCounts === undefined) return countClasses(labels, numClasses);
  throw new TypeError(
    `Cannot compute createLoss as classCounts and labels must not be given together: ` +
      `both say how often each class occurs`,
  );
}

/** More classes than there are: a label beyond is no class. */
const MOST_CLASSES = 1_000_000;

/** PyTorch's label for "no label". */
const NO_LABEL = -100;

function countClasses(labels: TensorLike, numClasses: number | undefined): Tensor {
  const range = { integer: true, min: 1, max: MOST_CLASSES };
  if (numClasses !== undefined) checkNumber("createLoss", "numClasses", numClasses, range);
  const ignore = { ignore: NO_LABEL };
  const { data } = checkLabels("createLoss", labels, numClasses ?? MOST_CLASSES, ignore);
  let largest = -1;
  for (const label of data) largest = Math.max(largest, label);
  if (largest < 0) {
    throw new RangeError(
      `Cannot compute createLoss as labels must name at least one class: ` +
        `0 of ${data.length} do`,
    );
  }
  const counts = new Float64Array(numClasses ?? largest + 1);
  for (const label of data) if (label !== NO_LABEL) counts[label]!++;
  return fromData(counts, [counts.length]);
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
