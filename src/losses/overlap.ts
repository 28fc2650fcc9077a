/**
 * Overlap of predicted and labelled regions, as the Dice and Tversky losses share it.
 *
 * @module
 */
import { div, expandDims, greater, softmax, sum, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";
import { type ClassLogits, ownClass } from "./class_logits.ts";

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
    labelled: sum(own, { axis }),
  };
}

/** `a / b`, and 1 where b is 0: a class that is neither labelled nor predicted is no mistake. */
export function overlapRatio(a: Tensor, b: Tensor): Tensor {
  const positive = greater(b, 0);
  return where(positive, div(a, where(positive, b, 1)), 1);
}
