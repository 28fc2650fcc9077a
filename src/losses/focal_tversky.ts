/**
 * Focal Tversky loss of segmentations.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readClassTargets } from "./class_targets.ts";
import { powerOfMiss } from "./focal_terms.ts";
import { countOverlap, reduceRatios } from "./overlap.ts";
import { checkTversky, TVERSKY, tverskyLosses, type TverskyOptions } from "./tversky.ts";

/** Options of {@linkcode focalTverskyLoss}: those of {@linkcode tverskyLoss}, and an exponent. */
export interface FocalTverskyOptions extends TverskyOptions {
  /** The exponent of each class's Tversky loss, above 0; 0.75 by default. */
  gamma?: number | undefined;
}

/**
 * Focal Tversky loss: the Tversky loss of each class to a power below 1, which is steepest where a
 * class is nearly right, so that small regions are trained to the end. Lower is better; in [0, 1).
 *
 * `L = mean_c (1 − T_c)^γ`, with `T_c = (TP + s) / (TP + α FP + β FN + s)`
 *
 * With γ = 1 it is {@linkcode tverskyLoss}; an exponent above 1 turns to the classes that are found
 * worst instead. At T = 1 the slope of the power is infinite; a class that is exactly right has
 * gradient 0. The options are those of {@linkcode tverskyLoss}, and mean the same.
 *
 * **Mind the names**: the paper raises to 1/γ with γ = 4/3 in [1, 3], and writes α for the misses
 * and β for the false alarms. Here γ is the exponent itself, 0.75 as the authors' code has it, α
 * weighs false positives and β misses as in {@linkcode tverskyLoss}: the paper's α = 0.7 and β = 0.3
 * are `alpha: 0.3, beta: 0.7`.
 *
 * Source: Abraham & Khan 2019, arXiv:1810.07842.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `gamma`, 0.75 by default; `alpha`, 0.7; `beta`, 0.3; `smooth`, 1; `perClass`,
 * `true`; `ignoreIndex`, none; `activation`, `"softmax"`; `includeBackground`, `true`; `absent`,
 * `"count"`; `perSample`, `false`; `weight`, none; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"` one loss per class, (C), or (N, C) per sample.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, an option does not
 * exist, or `squared` is `true`.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example The power of the Tversky loss of each class
 * ```ts
 * import { focalTverskyLoss, tverskyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const [logits, labels] = [[[1, 0], [2, 1], [0, 3]], [0, 1, 1]];
 * const losses = tverskyLoss(logits, labels, { reduction: "none" });
 * assertAllClose(focalTverskyLoss(logits, labels), losses.pow(0.75).mean());
 * ```
 */
export function focalTverskyLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: FocalTverskyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("focalTverskyLoss", "options", 3, arguments);
  const name = "focalTverskyLoss";
  const settings = readOptions(name, options, { gamma: 0.75, ...TVERSKY });
  const { gamma } = settings;
  const read = readClassTargets(name, logits, targets, settings);
  checkNumber(name, "gamma", gamma, { above: 0 });
  checkTversky(name, settings);
  const overlap = countOverlap(name, read, settings);
  return reduceRatios(
    overlap,
    settings,
    (counts) => powerOfMiss(tverskyLosses(counts, settings), gamma),
  );
}
