/**
 * Dice loss of segmentations, and the overlap of regions that it shares with the Tversky loss.
 *
 * @module
 */
import {
  add,
  cast,
  div,
  equal,
  expandDims,
  mean,
  mul,
  softmax,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type ClassLogits, ownClass, readClassLogits } from "./class_logits.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode diceLoss}. */
export interface DiceOptions {
  /** Added above and below, at least 0; 1 by default. */
  smooth?: number | undefined;
  /** Whether to average the Dice of classes, or to pool their voxels; `true` by default. */
  perClass?: boolean | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * Dice loss: one less the overlap of prediction and labels, averaged over classes, so that a small
 * organelle counts as much as the background. Lower is better; in [0, 1).
 *
 * `L = mean_c 1 − (2 Σ q_c y_c + s) / (Σ q_c + Σ y_c + s)`, with `q = softmax(z)` and one-hot y
 *
 * The sums run over the batch and all positions together, the mean over all classes, the background
 * included. With `perClass: false` one ratio is taken of all classes together; Σ q = Σ y = M then,
 * and it is one less the mean probability of the true class, but for s.
 *
 * A class that is not labelled has `s / (Σ q_c + s)`: any mass on it is penalised. Where it is not
 * predicted either and s is 0, that is 0/0, and taken as 1: no loss, no gradient.
 *
 * Without smoothing, Dice D and IoU J are one: `J = D / (2 − D)`. {@linkcode tverskyLoss} with α = β
 * = ½ and half the smoothing is this loss.
 *
 * **Differs from the original** only in taking any number of spatial axes, where that needs three,
 * and in `ignoreIndex`.
 *
 * Source: Milletari et al. 2016, arXiv:1606.04797; dinov3_playground `losses.py`, `DiceLoss`, with
 * linear, not squared, denominators.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `smooth`, 1 by default; `perClass`, `true`; `ignoreIndex`, none.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example Undecided between two classes
 * ```ts
 * import { diceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[0, 0], [0, 0]], [0, 1]];
 * assertEquals(diceLoss(logits, labels, { smooth: 0 }).item(), 0.5);
 * assertEquals(diceLoss([[99, 0], [0, 99]], labels).item(), 0);
 * ```
 */
export function diceLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: DiceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("diceLoss", "options", 3, arguments);
  const { smooth, perClass, ignoreIndex } = readOptions("diceLoss", options, {
    smooth: 1,
    perClass: true,
    ignoreIndex: undefined,
  });
  checkBoolean("diceLoss", "perClass", perClass);
  return diceOf(
    "diceLoss",
    readClassLogits("diceLoss", logits, labels, ignoreIndex),
    smooth,
    perClass,
  );
}

/** The Dice loss, with its smoothing checked in the name of the caller. */
export function diceOf(
  caller: string,
  read: ClassLogits,
  smooth: number,
  perClass: boolean,
): Tensor {
  checkNumber(caller, "smooth", smooth, { min: 0 });
  const overlap = countOverlap(read);
  const pool = (x: Tensor) => perClass ? x : sum(x);
  const both = pool(overlap.truePositives);
  const either = add(add(both, pool(overlap.falsePositives)), pool(overlap.labelled));
  const dice = overlapRatio(add(mul(both, 2), smooth), add(either, smooth));
  return mean(sub(1, dice));
}

/** Soft counts of voxels, one per class. */
export interface Overlap {
  /** `Σ q y`. */
  truePositives: Tensor;
  /** `Σ q (1 − y)`. */
  falsePositives: Tensor;
  /** `Σ y`. */
  labelled: Tensor;
}

/**
 * Soft counts over all positions that count, with `q = softmax(logits)`. Probabilities are selected
 * by the labels, not multiplied, so that a tiny denominator has no infinite gradient to multiply.
 */
export function countOverlap(read: ClassLogits): Overlap {
  const all = softmax(read.logits, { axis: 1 });
  const keep = read.keep && expandDims(read.keep, 1);
  const probs = keep === null ? all : where(keep, all, 0);
  const own = keep === null ? ownClass(read) : where(keep, ownClass(read), false);
  const axis = probs.shape.flatMap((_, i) => i === 1 ? [] : [i]);
  return {
    truePositives: sum(where(own, probs, 0), { axis }),
    falsePositives: sum(where(own, 0, probs), { axis }),
    labelled: cast(sum(own, { axis }), probs.dtype),
  };
}

/** `a / b`, and 1 where b is 0: a class that is neither labelled nor predicted is no mistake. */
export function overlapRatio(a: Tensor, b: Tensor): Tensor {
  const empty = equal(b, 0);
  return where(empty, 1, div(a, where(empty, 1, b)));
}
