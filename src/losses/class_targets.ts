/**
 * Targets of segmentations: labels, or a share of every class at each position.
 *
 * @module
 */
import { ones } from "../create.ts";
import {
  cast,
  equal,
  expandDims,
  logicalAnd,
  mul,
  sigmoid,
  slice,
  softmax,
  where,
} from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { checkChoice } from "../options.ts";
import { checkInUnit } from "../ranges.ts";
import { sameShape } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkClasses, type ClassLogits, ownClass, readClassLogits } from "./class_logits.ts";

/**
 * What makes probabilities of logits: of classes that exclude each other, of each channel by itself,
 * or nothing, where the logits are what should be compared already.
 */
export type Activation = "softmax" | "sigmoid" | "none";

/** Labels with their logits, or shares of classes with theirs. */
export type ClassTargets = ClassLogits & { shares: null } | {
  /** (N, C, …spatial), floating. */
  logits: Tensor;
  /** None: the targets are shares. */
  labels: null;
  /** (N, C, …spatial), in the type of the logits: one-hot, or any values in [0, 1]. */
  shares: Tensor;
  /** All positions count. */
  keep: null;
  /** C. */
  classes: number;
};

/** How {@linkcode readClassTargets} reads. */
export interface ClassTargetsOptions {
  /** What makes probabilities; softmax needs two classes, the others one. */
  activation?: Activation;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
  /** An `ignoreIndex` that is a default, and does not bother shares. */
  unaware?: number;
}

/**
 * Checks logits and targets against each other. Targets of the logits' shape are shares, those without
 * the class axis are labels.
 *
 * @param caller The function's name, for messages.
 * @param logits (N, C, …spatial)
 * @param targets (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or (N, C, …spatial), in
 * [0, 1].
 * @param options The activation, and what is ignored.
 * @returns The logits, with the labels or the shares.
 */
export function readClassTargets(
  caller: string,
  logits: TensorLike,
  targets: TensorLike,
  { activation = "softmax", ignoreIndex, unaware }: ClassTargetsOptions,
): ClassTargets {
  const scores = floating(asOperand(caller, logits, "logits"));
  const given = asTensor(targets, "float64", caller, "targets");
  const least = activation === "softmax" ? 2 : 1;
  if (scores.rank < 2 || !sameShape(given.shape, scores.shape)) {
    return { ...readClassLogits(caller, scores, given, ignoreIndex, least), shares: null };
  }
  checkClasses(caller, scores, least);
  if (ignoreIndex !== unaware) {
    throw new TypeError(
      `Cannot compute ${caller} as ignoreIndex belongs to labels of the shape [N, …spatial]: ` +
        `current targets have the shape of the logits`,
    );
  }
  checkInUnit(caller, "targets", given, "labels have the shape [N, …spatial]");
  const shares = cast(given, scores.dtype);
  return { logits: scores, labels: null, shares, keep: null, classes: scores.shape[1]! };
}

/** Throws a `TypeError` unless `activation` is one of those that a loss takes. */
export function checkActivation(
  caller: string,
  activation: unknown,
  choices: readonly Activation[] = ["softmax", "sigmoid", "none"],
): void {
  checkChoice(caller, "activation", activation, choices);
}

/** Throws a `TypeError` where no class is left without the background. */
export function checkForeground(
  caller: string,
  includeBackground: boolean,
  { classes }: ClassTargets,
): void {
  if (includeBackground || classes > 1) return;
  throw new TypeError(
    `Cannot compute ${caller} as includeBackground: false needs a class besides the background: ` +
      `current number of classes is ${classes}`,
  );
}

/** What of each class is at each position. */
export interface Shares {
  /** Probabilities (N, C, …spatial), 0 at ignored positions. */
  predicted: Tensor;
  /** The targets: `bool` by labels, else shares in the type of the probabilities. */
  actual: Tensor;
}

/** Predicted and actual shares of the classes from `first` on. */
export function sharesOf(targets: ClassTargets, activation: Activation, first: 0 | 1): Shares {
  const { logits, keep } = targets;
  const from = (x: Tensor) => first === 0 ? x : slice(x, [0, first]);
  const all = activation === "softmax"
    ? from(softmax(logits, { axis: 1 }))
    : activation === "sigmoid"
    ? sigmoid(from(logits))
    : from(logits);
  if (targets.shares !== null) return { predicted: all, actual: from(targets.shares) };
  // A single channel is that of the label 1.
  const own = targets.classes === 1
    ? ownClass({ ...targets, classes: 2 }, 1)
    : ownClass(targets, first);
  if (keep === null) return { predicted: all, actual: own };
  const kept = expandDims(keep, 1);
  return { predicted: where(kept, all, 0), actual: where(kept, own, false) };
}

/** Which positions count, as a mask (N, …spatial). */
export function keptPositions({ logits, keep }: ClassTargets): Tensor {
  if (keep !== null) return keep;
  return ones(logits.shape.filter((_, axis) => axis !== 1), { dtype: "bool" });
}

/** A loss ready to be multiplied by a share: 0 where it is infinite and the share 0. */
export function finiteWherePresent(y: Tensor, loss: Tensor): Tensor {
  return where(logicalAnd(equal(y, 0), equal(loss, Infinity)), 0, loss);
}

/** A share of a loss, `y ℓ`, and 0 where y is 0, even if the loss is infinite. */
export function partOf(y: Tensor, loss: Tensor): Tensor {
  return mul(y, finiteWherePresent(y, loss));
}
