/**
 * One number for a whole classification.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { type ClassCounts, f1Of, keptPairs, ratio } from "./confusion.ts";
import { meanOf, type Values } from "./values.ts";

/** Options of {@linkcode accuracy}, {@linkcode balancedAccuracy} and {@linkcode macroF1}. */
export interface ClassificationOptions {
  /** How many classes there are; where given, labels must be in [0, `numClasses`). */
  numClasses?: number | undefined;
  /** A target that is not counted, whatever is predicted there; none by default. */
  ignoreIndex?: number | undefined;
}

/** The counts of the classes that are present or predicted. */
function countClasses(
  caller: string,
  pred: Values,
  target: Values,
  options: ClassificationOptions,
): ClassCounts[] {
  const { numClasses, ignoreIndex } = readOptions(caller, options, {
    numClasses: undefined,
    ignoreIndex: undefined,
  });
  if (numClasses !== undefined) {
    checkNumber(caller, "numClasses", numClasses, { min: 1, integer: true });
  }
  const [predicted, truth] = keptPairs(caller, pred, target, numClasses, ignoreIndex);
  const classes = new Map<number, ClassCounts>();
  const classOf = (label: number): ClassCounts => {
    let found = classes.get(label);
    if (found === undefined) {
      found = { truePositives: 0, targets: 0, predictions: 0 };
      classes.set(label, found);
    }
    return found;
  };
  truth.forEach((label, i) => {
    const own = classOf(label);
    own.targets++;
    classOf(predicted[i]!).predictions++;
    if (predicted[i] === label) own.truePositives++;
  });
  return [...classes.values()];
}

/**
 * The share of right predictions.
 *
 * In [0, 1], higher is better; 0 where nothing is counted. With rare classes it says little: whoever
 * always predicts the commonest class of 95 % has 0.95. See {@linkcode balancedAccuracy} and
 * {@linkcode macroF1}.
 *
 * @param pred The predicted labels, of any shape; of logits, `argMax(logits, { axis: 1 })`.
 * @param target The true labels, of the same shape.
 * @param options `numClasses`, for a check of the labels; `ignoreIndex`, none by default.
 * @returns The share.
 * @throws {TypeError} If the shapes differ, a label is not a whole number, or an option is unknown
 * or of the wrong kind.
 * @throws {RangeError} If `numClasses` is given and a label that is not ignored is outside of it.
 *
 * @example Two of three, the fourth being ignored
 * ```ts
 * import { accuracy } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(accuracy([0, 1, 1, 0], [0, 1, 2, 255], { ignoreIndex: 255 }), 2 / 3);
 * ```
 */
export function accuracy(
  pred: Values,
  target: Values,
  options: ClassificationOptions = {},
): number {
  if (arguments.length > 3) refuseMore("accuracy", "options", 3, arguments);
  const classes = countClasses("accuracy", pred, target, options);
  return ratio(
    classes.reduce((sum, c) => sum + c.truePositives, 0),
    classes.reduce((sum, c) => sum + c.targets, 0),
  );
}

/**
 * The mean recall of the classes: accuracy as if all classes were equally common.
 *
 * In [0, 1], higher is better; 1/K for a guess among K classes, and for predicting one of them
 * always; 0 where nothing is counted. Classes without targets are left out, as in scikit-learn's
 * `balanced_accuracy_score`.
 *
 * Source: Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764.
 *
 * @param pred The predicted labels, of any shape.
 * @param target The true labels, of the same shape.
 * @param options `numClasses`, for a check of the labels; `ignoreIndex`, none by default.
 * @returns The mean.
 * @throws {TypeError} If the shapes differ, a label is not a whole number, or an option is unknown
 * or of the wrong kind.
 * @throws {RangeError} If `numClasses` is given and a label that is not ignored is outside of it.
 *
 * @example Three of four are right, but nothing is told apart
 * ```ts
 * import { accuracy, balancedAccuracy } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * const [pred, target] = [[0, 0, 0, 0], [0, 0, 0, 1]];
 * assertEquals(accuracy(pred, target), 0.75);
 * assertEquals(balancedAccuracy(pred, target), 0.5);
 * ```
 */
export function balancedAccuracy(
  pred: Values,
  target: Values,
  options: ClassificationOptions = {},
): number {
  if (arguments.length > 3) refuseMore("balancedAccuracy", "options", 3, arguments);
  const classes = countClasses("balancedAccuracy", pred, target, options);
  const present = classes.filter((c) => c.targets > 0);
  return meanOf(present.map((c) => c.truePositives / c.targets));
}

/**
 * The mean F1 score of the classes: rare ones count as much as common ones.
 *
 * F1 = 2TP / (2TP + FP + FN) of each class that is present or predicted, as in scikit-learn's
 * `f1_score(average="macro")`. In [0, 1], higher is better; 0 where nothing is counted. To count
 * classes that are neither present nor predicted as 0, take the mean of the `f1` that
 * `segmentationMetrics` returns.
 *
 * @param pred The predicted labels, of any shape.
 * @param target The true labels, of the same shape.
 * @param options `numClasses`, for a check of the labels; `ignoreIndex`, none by default.
 * @returns The mean.
 * @throws {TypeError} If the shapes differ, a label is not a whole number, or an option is unknown
 * or of the wrong kind.
 * @throws {RangeError} If `numClasses` is given and a label that is not ignored is outside of it.
 *
 * @example One class perfect, one never found
 * ```ts
 * import { macroF1 } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(macroF1([0, 0, 2], [0, 0, 1]), 1 / 3);
 * ```
 */
export function macroF1(
  pred: Values,
  target: Values,
  options: ClassificationOptions = {},
): number {
  if (arguments.length > 3) refuseMore("macroF1", "options", 3, arguments);
  return meanOf(countClasses("macroF1", pred, target, options).map(f1Of));
}
