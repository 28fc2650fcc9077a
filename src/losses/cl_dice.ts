/**
 * Centreline Dice loss of thin structures.
 *
 * @module
 */
import { add, cast, div, equal, mean, mul, slice, softmax, sub, sum, where } from "../ops/mod.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { ownClass, readClassLogits } from "./class_logits.ts";
import { overlapRatio } from "./overlap.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { softSkeleton } from "./soft_skeleton.ts";

/** Options of {@linkcode clDiceLoss}. */
export interface ClDiceOptions {
  /** How often to erode: half the width, in positions, of the widest structures; 3 by default. */
  iterations?: number | undefined;
  /** Added above and below, at least 0; 1 by default. */
  smooth?: number | undefined;
}

/**
 * Centreline Dice loss: whether the middle of what is predicted lies in what is labelled, and the
 * middle of what is labelled in what is predicted. For vessels, neurites and membranes, where a gap
 * matters more than a voxel. Lower is better; in [0, 1].
 *
 * `L = mean_{c ≥ 1} 1 − 2 P S / (P + S)`
 *
 * with the precision `P = (Σ S_q y + s) / (Σ S_q + s)` and the sensitivity
 * `S = (Σ S_y q + s) / (Σ S_y + s)` of class c, over the batch and all positions together;
 * `q = softmax(z)`, one-hot y, and `S_x` the soft skeleton of x: what is left of x less its opening,
 * and again after each of `iterations` erosions, as `S ← S + (1 − S) relu(x − open x)`. Erosion is
 * the least of each place and its neighbours along the axes, opening dilates that by the largest of
 * each place and all neighbours; outside there is nothing. Class 0 is the background and does not
 * count. A ratio of 0/0 is 1.
 *
 * What is wider than 2 · `iterations` + 1 places keeps no skeleton in its middle. The loss knows no
 * outline: add {@linkcode diceLoss}, of which the authors take half or more.
 *
 * **Differs from the original** for more than two classes, whose sums it takes together, so that the
 * largest class decides. Later versions of MONAI count the background too, unless told otherwise, and
 * take each sample for itself. For one class and one sample they are this.
 *
 * Source: Shit et al. 2021, arXiv:2003.07311; https://github.com/jocpae/clDice, `soft_cldice`.
 *
 * @param logits (N, C, …spatial): one score per class at each position, in two or three dimensions.
 * @param labels (N, …spatial), whole numbers in [0, C).
 * @param options `iterations`, 3 by default; `smooth`, 1.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example A line with a gap
 * ```ts
 * import { stack, tensor } from "@cellgrad/cellgrad";
 * import { clDiceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const line = tensor([[[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]]);
 * const broken = tensor([[[0, 0, 0, 0], [1, 0, 1, 1], [0, 0, 0, 0]]]);
 * const certain = (x: typeof line) => stack([x.mul(0), x.sub(0.5).mul(999)], { axis: 1 });
 * assertAlmostEquals(clDiceLoss(certain(line), line).item(), 0, 1e-6);
 * // All of its skeleton is right, 3 of the 4 places of the line's are met.
 * assertAlmostEquals(clDiceLoss(certain(broken), line).item(), 1 - 2 * 0.8 / 1.8, 1e-6);
 * ```
 */
export function clDiceLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: ClDiceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("clDiceLoss", "options", 3, arguments);
  const { iterations, smooth } = readOptions("clDiceLoss", options, { iterations: 3, smooth: 1 });
  checkNumber("clDiceLoss", "iterations", iterations, { min: 0, integer: true });
  checkNumber("clDiceLoss", "smooth", smooth, { min: 0 });
  const read = readClassLogits("clDiceLoss", logits, labels);
  const { rank, shape } = read.logits;
  if (rank !== 4 && rank !== 5) {
    throw new TypeError(
      `Cannot compute clDiceLoss as logits must have two or three axes of space: ` +
        `current shape is ${formatShape(shape)}`,
    );
  }
  const start = shape.map((_, axis) => axis === 1 ? 1 : 0);
  const probs = slice(softmax(read.logits, { axis: 1 }), start, shape);
  const members = slice(cast(ownClass(read), probs.dtype), start, shape);
  const axis = shape.flatMap((_, i) => i === 1 ? [] : [i]);
  const share = (skeleton: Tensor, of: Tensor) =>
    overlapRatio(
      add(sum(mul(skeleton, of), { axis }), smooth),
      add(sum(skeleton, { axis }), smooth),
    );
  const precision = share(softSkeleton(probs, iterations), members);
  const sensitivity = share(softSkeleton(members, iterations), probs);
  return mean(sub(1, harmonicMean(precision, sensitivity)));
}

/** `2 a b / (a + b)`, and 0 where both are. */
function harmonicMean(a: Tensor, b: Tensor): Tensor {
  const total = add(a, b);
  return mul(mul(a, 2), div(b, where(equal(total, 0), 1, total)));
}
