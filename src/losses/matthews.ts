/**
 * Matthews correlation of segmentations, as a loss.
 *
 * @module
 */
import { eye } from "../create.ts";
import {
  add,
  div,
  equal,
  expandDims,
  matmul,
  mean,
  mul,
  softmax,
  sqrt,
  stack,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type ClassLogits, readClassLogits } from "./class_logits.ts";
import { readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode matthewsLoss}. */
export interface MatthewsOptions {
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * Matthews loss: one less the correlation of prediction and labels, which counts what is rightly left
 * out of a class as well as what is rightly in it. Lower is better; in [0, 2], and 1 for a guess.
 *
 * `L = mean_c 1 − (TP TN − FP FN) / √((TP + FP) (TP + FN) (TN + FP) (TN + FN))`
 *
 * with the soft counts `TP = Σ q y`, `FP = Σ q (1 − y)`, `FN = Σ (1 − q) y` and
 * `TN = Σ (1 − q) (1 − y)` of each class against the rest, over the batch and all positions
 * together, `q = softmax(z)` and one-hot y. Nothing is added below: where the labels, or the
 * predictions, are all of the class or none of them, 0/0 is taken as a correlation of 0, so that the
 * loss of that class is 1. It is not the correlation of all classes at once, Gorodkin's R_K.
 *
 * The counts are sums of probabilities of labelled and other classes, never `1 − q`: what is left of
 * a class predicted nearly everywhere keeps its digits.
 *
 * **Differs from the original**, which is for two classes: segmentation_models.pytorch's `MCCLoss`
 * takes one number per position as it is for a probability, where its other losses take logits, and
 * adds 1e-5 to each count, so that a class that is absent, and rightly so, has the loss ½. MONAI's
 * takes each sample for itself, and sets the loss to 0 where nothing is wrong.
 *
 * Source: Abhishek & Hamarneh 2021, arXiv:2010.13454.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `ignoreIndex`, none by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class.
 *
 * @example Right, wrong, and undecided
 * ```ts
 * import { matthewsLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const logits = [[999, 0], [0, 999]];
 * assertEquals(matthewsLoss(logits, [0, 1]).item(), 0);
 * assertEquals(matthewsLoss(logits, [1, 0]).item(), 2);
 * assertEquals(matthewsLoss([[0, 0], [0, 0]], [0, 1]).item(), 1);
 * ```
 */
export function matthewsLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: MatthewsOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("matthewsLoss", "options", 3, arguments);
  const { ignoreIndex } = readOptions("matthewsLoss", options, { ignoreIndex: undefined });
  const read = readClassLogits("matthewsLoss", logits, labels, ignoreIndex);
  return mean(sub(1, correlations(softConfusion(read))));
}

/** How much probability of each class (columns) positions of each label (rows) have. */
function softConfusion({ logits, labels, keep, classes }: ClassLogits): Tensor {
  const probs = softmax(logits, { axis: 1 });
  const known = keep === null ? labels : where(keep, labels, -1);
  const axis = probs.shape.flatMap((_, i) => i === 1 ? [] : [i]);
  const rows = Array.from({ length: classes }, (_, label) => {
    const chosen = expandDims(equal(known, label), 1);
    return sum(where(chosen, probs, 0), { axis });
  });
  return stack(rows);
}

/** The correlation of each class against the rest. */
function correlations(confusion: Tensor): Tensor {
  const own = eye(confusion.shape[0]!, { dtype: confusion.dtype });
  const others = sub(1, own);
  const among = (x: Tensor, chosen: Tensor) => sum(mul(x, chosen), { axis: 1 });
  const elsewhere = matmul(others, confusion);
  const [tp, fn] = [among(confusion, own), among(confusion, others)];
  const [fp, tn] = [among(elsewhere, own), among(elsewhere, others)];
  const [taken, left] = [rootOf(add(tp, fp)), rootOf(add(tn, fn))];
  // One root after the other, so that tiny counts do not vanish in a product.
  const agreement = mul(div(tp, taken), div(tn, left));
  const disagreement = mul(div(fp, taken), div(fn, left));
  const labelled = mul(rootOf(add(tp, fn)), rootOf(add(tn, fp)));
  return div(sub(agreement, disagreement), labelled);
}

/** The root, and 1 of 0: what is divided by it is 0 then. */
function rootOf(count: Tensor): Tensor {
  return sqrt(where(equal(count, 0), 1, count));
}
