/**
 * Logits and labels of classifications and segmentations, as several losses share them.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import {
  cast,
  equal,
  exp,
  expandDims,
  log,
  notEqual,
  reshape,
  slice,
  squeeze,
  sub,
  sum,
  takeAlongAxis,
  where,
} from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { constantMax } from "../ops/reduce.ts";
import { arange } from "../create.ts";
import type { DType } from "../dtype.ts";
import { formatShape, sameShape } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes, checkNumber, checkTensorLike } from "../options.ts";
import { checkNotNegative } from "../ranges.ts";

/** Logits and labels that fit together. */
export interface ClassLogits {
  /** (N, C, …spatial), floating; 0 at ignored positions, whatever was there. */
  logits: Tensor;
  /** (N, …spatial), `int32` in [0, C); 0 at ignored positions. */
  labels: Tensor;
  /** (N, …spatial), `bool`: where a label counts; `null` where all do. */
  keep: Tensor | null;
  /** C. */
  classes: number;
}

/**
 * Checks logits and labels against each other.
 *
 * @param caller The function's name, for messages.
 * @param logits (N, C, …spatial)
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param ignoreIndex The label of positions that do not count; none by default.
 * @param least How few classes there may be; with one, labels are 0 and 1, whether it is there.
 * @returns The logits, the labels, and which of them count.
 */
export function readClassLogits(
  caller: string,
  logits: TensorLike,
  labels: TensorLike,
  ignoreIndex?: number,
  least: 1 | 2 = 2,
): ClassLogits {
  const scores = floating(asOperand(caller, logits, "logits"));
  const given = asTensor(labels, "float64", caller, "labels");
  const [n, classes, ...spatial] = scores.shape;
  if (scores.rank < 2 || !sameShape(given.shape, [n!, ...spatial])) {
    throw new TypeError(
      `Cannot compute ${caller} as logits must have the shape [N, C, …spatial] and labels ` +
        `[N, …spatial]: current shapes are ${formatShape(scores.shape)} and ` +
        formatShape(given.shape),
    );
  }
  checkClasses(caller, scores, least);
  const count = classes === 1 ? 2 : classes!;
  if (ignoreIndex === undefined) {
    const whole = checkLabels(caller, given, count);
    return { logits: scores, labels: whole, keep: null, classes: classes! };
  }
  checkNumber(caller, "ignoreIndex", ignoreIndex, { integer: true });
  const whole = checkLabels(caller, given, count, { ignore: ignoreIndex });
  const keep = notEqual(whole, ignoreIndex);
  return {
    logits: where(expandDims(keep, 1), scores, 0),
    labels: where(keep, whole, 0),
    keep,
    classes: classes!,
  };
}

/** Throws a `TypeError` unless logits have at least one class, or two. */
export function checkClasses(caller: string, logits: Tensor, least: 1 | 2): void {
  const classes = logits.shape[1]!;
  if (classes >= least) return;
  throw new TypeError(
    `Cannot compute ${caller} as logits must have at least ${
      least === 1 ? "one class" : "two classes"
    }: current shape is ${formatShape(logits.shape)}` +
      (classes === 1 ? "; for two classes by one logit, put zeros before it along axis 1" : ""),
  );
}

/** Class weights in the type of the logits. */
export function readWeight(
  caller: string,
  weight: TensorLike,
  classes: number,
  dtype: DType,
): Tensor {
  checkTensorLike(caller, "weight", weight);
  const weights = asTensor(weight, dtype, caller, "weight");
  checkAxes(caller, "weight", weights, [classes]);
  checkNotNegative(caller, "weight", weights);
  return cast(weights, dtype);
}

/** Logits with the largest of each position taken off, and the logarithm of their partition sum. */
export function shiftLogits(logits: Tensor): { shifted: Tensor; logSum: Tensor } {
  const shifted = sub(logits, constantMax(logits, 1, "max"));
  return { shifted, logSum: log(sum(exp(shifted), { axis: 1 })) };
}

/** The entry of each position's own class: (N, C, …) and (N, …) give (N, …). */
export function pickClass(x: Tensor, labels: Tensor): Tensor {
  return squeeze(takeAlongAxis(x, expandDims(labels, 1), { axis: 1 }), 1);
}

/** `−log softmax(logits)` of each position's own class, at least 0. */
export function negLogLikelihood(logits: Tensor, labels: Tensor): Tensor {
  const { shifted, logSum } = shiftLogits(logits);
  return sub(logSum, pickClass(shifted, labels));
}

/**
 * Whether a class is the position's own: `bool` of the shape (N, C, …spatial), or of the classes from
 * `first` on.
 */
export function ownClass({ logits, labels, classes }: ClassLogits, first: 0 | 1 = 0): Tensor {
  const numbers = arange(classes, { dtype: "int32" });
  const named = first === 1 ? slice(numbers, 1) : numbers;
  return equal(expandDims(labels, 1), alongClasses(named, logits));
}

/** One value per class, to broadcast along axis 1 of the logits. */
export function alongClasses(values: Tensor, logits: Tensor): Tensor {
  return reshape(values, logits.shape.map((_, axis) => axis === 1 ? -1 : 1));
}
