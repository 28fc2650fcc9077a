/**
 * Area under the ROC curve with a gradient.
 *
 * @module
 */
import { cast, div, expandDims, notEqual, sigmoid, sub, sum, where } from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { checkMask } from "../labels.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes, checkNumber, checkSameShape, readOptions, refuseMore } from "../options.ts";
import { divideByCount } from "./reduction.ts";

/** Options of {@linkcode differentiableAuroc}. */
export interface DifferentiableAurocOptions {
  /** How soft the comparison of two scores is, above 0; 1 by default. */
  temperature?: number | undefined;
}

/**
 * The area under the ROC curve with a gradient: how surely positives score above negatives. **Higher
 * is better**: it is a score, in [0, 1], so minimise its negative.
 *
 * `A = mean over pairs of σ((s_p − s_n) / T)`, of a positive p and a negative n
 *
 * As T goes to 0 it becomes the exact area, the share of pairs in the right order, and its gradient
 * vanishes but for scores that nearly tie; equal scores give ½ at any T. With T = 1 even a perfect
 * order stays well below 1 where scores lie within a few units: compare values at one T only.
 *
 * Without a positive, or without a negative, there is no pair: 0 with gradient 0, as in the original.
 * Time and memory grow with the square of the number of cells.
 *
 * Source: DiffBio `src/diffbio/losses/metric_losses.py`, `DifferentiableAUROC`; the relaxation of
 * Yan et al. 2003, ICML, "Optimizing classifier performance via an approximation to the
 * Wilcoxon–Mann–Whitney statistic".
 *
 * @param predictions One score per cell, [cells].
 * @param labels Which cells are positive, [cells]: booleans, or zeros and ones.
 * @param options `temperature`, 1 by default.
 * @returns The score, a scalar.
 * @throws {TypeError} If the shapes do not fit, or an option does not exist.
 * @throws {RangeError} If a label is neither 0 nor 1, or the temperature is not above 0.
 *
 * @example Three of four pairs in order
 * ```ts
 * import { differentiableAuroc } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const auroc = differentiableAuroc([1, 2, 3, 4], [0, 1, 0, 1], { temperature: 0.01 });
 * assertAlmostEquals(auroc.item(), 0.75);
 * ```
 */
export function differentiableAuroc(
  predictions: TensorLike,
  labels: TensorLike,
  options: DifferentiableAurocOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("differentiableAuroc", "options", 3, arguments);
  const name = "differentiableAuroc";
  const { temperature } = readOptions(name, options, { temperature: 1 });
  checkNumber(name, "temperature", temperature, { above: 0 });
  const scores = floating(asOperand("differentiableAuroc", predictions, "predictions"));
  checkAxes(name, "predictions", scores, ["cells"]);
  const positive = checkMask(name, labels, "labels");
  checkSameShape(name, { predictions: scores, labels: positive });
  const row = (x: Tensor) => expandDims(x, 0);
  const column = (x: Tensor) => expandDims(x, 1);
  const order = sigmoid(div(sub(column(scores), row(scores)), temperature));
  const pairs = where(column(positive), notEqual(row(positive), true), false);
  return divideByCount(sum(where(pairs, order, 0)), sum(cast(pairs, scores.dtype)));
}
