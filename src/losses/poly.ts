/**
 * Poly loss: cross entropy with a term more of its expansion.
 *
 * @module
 */
import { ones } from "../create.ts";
import { add, expm1, mul, neg, sum, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { negLogLikelihood, readClassLogits } from "./class_logits.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  checkEmptyMask,
  checkReduction,
  type EmptyMask,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";

/** Options of {@linkcode polyLoss}. */
export interface PolyOptions {
  /** The weight of the further term, at least −1; 1 by default. */
  epsilon?: number | undefined;
  /** The label of positions that do not count; none by default. */
  ignoreIndex?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** What the mean over no labels gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Poly-1 loss: cross entropy plus ε times the probability that the true class lacks. Lower is better;
 * at least 0, and 0 only where the true class is certain.
 *
 * `L = mean −log p_y + ε (1 − p_y)`, where `p = softmax(z)`
 *
 * Cross entropy is `Σ_j (1 − p_y)^j / j`; ε is added to the coefficient of the first term. Above 0 it
 * has the model go on with what is nearly right; below 0 it holds it back, where labels are uncertain.
 * Below −1 the loss would reward mistakes, and is refused.
 *
 * `1 − p` is computed as `−expm1(log p)`, so that it keeps its digits near p = 1.
 *
 * **Differs from the original** in the refusal and in `ignoreIndex` alone. It has its own formula for
 * smoothed labels, which is not here.
 *
 * Source: Leng et al. 2022, PolyLoss, arXiv:2204.12511.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `epsilon`, 1 by default; `ignoreIndex`, none; `reduction`, `"mean"`; `emptyMask`,
 * `"zero"`.
 * @returns A scalar; with `reduction: "none"`, (N, …spatial), 0 at ignored positions.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
 *
 * @example An undecided cell
 * ```ts
 * import { polyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(polyLoss([[0, 0]], [1]).item(), Math.log(2) + 1 / 2, 1e-6);
 * assertAlmostEquals(polyLoss([[0, 0]], [1], { epsilon: -1 }).item(), Math.log(2) - 1 / 2, 1e-6);
 * ```
 */
export function polyLoss(
  logits: TensorLike,
  labels: TensorLike,
  options: PolyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("polyLoss", "options", 3, arguments);
  const { epsilon, ignoreIndex, reduction, emptyMask } = readOptions("polyLoss", options, {
    epsilon: 1,
    ignoreIndex: undefined,
    reduction: "mean",
    emptyMask: "zero",
  });
  checkNumber("polyLoss", "epsilon", epsilon, { min: -1 });
  checkReduction("polyLoss", reduction);
  const read = readClassLogits("polyLoss", logits, labels, ignoreIndex);
  const keep = read.keep ?? ones(read.labels.shape, { dtype: "bool" });
  checkEmptyMask("polyLoss", emptyMask, keep, "labels");
  const entropy = negLogLikelihood(read.logits, read.labels);
  const missing = neg(expm1(neg(entropy)));
  const losses = where(keep, add(entropy, mul(missing, epsilon)), 0);
  return reduceLosses(losses, reduction, sum(keep), emptyMask);
}
