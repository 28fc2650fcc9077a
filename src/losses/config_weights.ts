/**
 * Class weights of a configuration, from counts or from labels.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import { checkBoolean, checkNumber, checkTensorLike } from "../options.ts";
import { fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { classWeights } from "./class_weights.ts";
import { type LossTraits, type Settings, weighsClasses } from "./loss_config.ts";

/** The class weights of a configuration, with what it says of them checked; none where none go. */
export function chooseWeights(settings: Settings, { weights }: LossTraits): Tensor | undefined {
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
  if (!weighting || !weights) return undefined;
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
  for (const label of data) counts[label]!++; // no label is no place
  return fromData(counts, [counts.length]);
}
