/**
 * Who is taken for whom.
 *
 * @module
 */
import {
  checkNumber,
  checkSameShape,
  type NumberRange,
  readOptions,
  refuseMore,
} from "../options.ts";
import { readLabels, type Values } from "./values.ts";

/** Options of {@linkcode confusionMatrix}. */
export interface ConfusionOptions {
  /** How many classes there are: labels are 0 to `numClasses` − 1. */
  numClasses: number;
  /** A target that is not counted, whatever is predicted there; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * The confusion matrix: how many items of each class were predicted as each class.
 *
 * `M[t][p]` counts the items of class t that were predicted as p: **rows are targets**, columns
 * predictions, as in scikit-learn. The sum of all entries is the number of items that are not
 * ignored; the diagonal holds the right ones.
 *
 * Plain arrays of numbers, so that it can be indexed, printed (`console.table`) and written as JSON.
 *
 * @param pred The predicted labels, of any shape: cells, pixels, voxels. Logits become labels by
 * `argMax(logits, { axis: 1 })`.
 * @param target The true labels, of the same shape.
 * @param options `numClasses`; `ignoreIndex`, none by default.
 * @returns `numClasses` rows of `numClasses` counts; zeros for an empty input.
 * @throws {TypeError} If the shapes differ, a label is not a whole number, or an option is unknown
 * or of the wrong kind.
 * @throws {RangeError} If a label that is not ignored is outside of [0, `numClasses`).
 *
 * @example Three cells of class 1, one of them taken for class 0
 * ```ts
 * import { confusionMatrix } from "@cellgrad/cellgrad/metrics";
 * import { assertEquals } from "@std/assert";
 *
 * const pred = [0, 1, 1, 0];
 * const target = [0, 1, 1, 1];
 * assertEquals(confusionMatrix(pred, target, { numClasses: 2 }), [[1, 0], [1, 2]]);
 * ```
 */
export function confusionMatrix(
  pred: Values,
  target: Values,
  options: ConfusionOptions,
): number[][] {
  if (arguments.length > 3) refuseMore("confusionMatrix", "options", 3, arguments);
  const { numClasses, ignoreIndex } = readOptions("confusionMatrix", options, {
    numClasses: undefined as unknown as number,
    ignoreIndex: undefined,
  });
  checkNumber("confusionMatrix", "numClasses", numClasses, CLASSES);
  return countPairs(
    numClasses,
    keptPairs("confusionMatrix", pred, target, numClasses, ignoreIndex),
  );
}

/** How many classes there may be: their table has a number for every pair of them. */
export const CLASSES: NumberRange = { min: 1, max: 2 ** 13, integer: true };

/** How often each target was predicted as each class. */
export function countPairs(numClasses: number, [pred, target]: Pairs): number[][] {
  const counts = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  for (let i = 0; i < target.length; i++) counts[target[i]!]![pred[i]!]!++;
  return counts;
}

/** Predicted and true labels, position by position. */
export type Pairs = readonly [pred: Int32Array, target: Int32Array];

/** The labels that are not ignored, checked: shapes, kinds, and ranges where `numClasses` is known. */
export function keptPairs(
  caller: string,
  pred: Values,
  target: Values,
  numClasses: number | undefined,
  ignoreIndex: number | undefined,
): Pairs {
  if (ignoreIndex !== undefined) checkNumber(caller, "ignoreIndex", ignoreIndex, { integer: true });
  const p = readLabels(caller, "pred", pred);
  const t = readLabels(caller, "target", target);
  checkSameShape(caller, { pred: p, target: t });
  const given = { pred: p.data as Int32Array, target: t.data as Int32Array };
  const [predicted, truth] = [new Int32Array(t.size), new Int32Array(t.size)];
  const count = numClasses ?? Infinity;
  const least = numClasses === undefined ? -Infinity : 0;
  let kept = 0;
  for (let i = 0; i < truth.length; i++) {
    const from = given.target[i]!;
    if (from === ignoreIndex) continue;
    const to = given.pred[i]!;
    if (from < least || from >= count) {
      throw outOfRange(caller, "target", from, i, count, ignoreIndex);
    }
    if (to < least || to >= count) throw outOfRange(caller, "pred", to, i, count);
    truth[kept] = from;
    predicted[kept++] = to;
  }
  return [predicted.subarray(0, kept), truth.subarray(0, kept)];
}

function outOfRange(
  caller: string,
  argument: string,
  label: number,
  position: number,
  numClasses: number,
  ignoreIndex?: number,
): RangeError {
  const ignored = ignoreIndex === undefined ? "" : ` or ignoreIndex ${ignoreIndex}`;
  return new RangeError(
    `Cannot compute ${caller} as ${argument} must be in [0, ${numClasses - 1}]${ignored}: ` +
      `current value at position ${position} is ${label}`,
  );
}

/** What a class's scores are made of. */
export interface ClassCounts {
  /** Items of the class that were found. */
  truePositives: number;
  /** Items of the class. */
  targets: number;
  /** Items that were predicted to be of the class. */
  predictions: number;
}

/** A quotient; 0 where the denominator is. */
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}

/** The F1 score of a class; 0 where it is neither present nor predicted. */
export function f1Of({ truePositives, targets, predictions }: ClassCounts): number {
  return ratio(2 * truePositives, targets + predictions);
}
