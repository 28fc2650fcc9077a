/**
 * Unified Focal loss of segmentations.
 *
 * @module
 */
import { arange } from "../create.ts";
import { add, equal, expandDims, mean, mul, sub, sum, where } from "../ops/mod.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { alongClasses, negLogLikelihood, shiftLogits } from "./class_logits.ts";
import { type ClassTargets, finiteWherePresent, readClassTargets } from "./class_targets.ts";
import { focalTerms, powerOfMiss } from "./focal_terms.ts";
import { countOverlap } from "./overlap.ts";
import { CLASS_OVERLAP } from "./overlap_options.ts";
import { reduceLosses } from "./reduction.ts";
import { tverskyLosses } from "./tversky.ts";

/** Options of {@linkcode unifiedFocalLoss}. */
export interface UnifiedFocalOptions {
  /** The share of the focal part, in [0, 1]; 0.5 by default. */
  weight?: number | undefined;
  /** The weight of the foreground, and of misses, in [0, 1]; 0.6 by default. */
  delta?: number | undefined;
  /** How strongly what is easy is turned down, in [0, 1); 0.5 by default. */
  gamma?: number | undefined;
  /** Whether the exponents are those of all classes; `"asymmetric"` by default. */
  form?: "asymmetric" | "symmetric" | undefined;
}

/** What both parts need to know. */
interface Exponents {
  delta: number;
  gamma: number;
  symmetric: boolean;
}

/**
 * Unified Focal loss: focal cross entropy and focal Tversky loss under three numbers, with class 0 for
 * the background. Lower is better; at least 0.
 *
 * `L = λ F + (1 − λ) V`, with λ the `weight`,
 *
 * `F = mean_i −δ_y (1 − q_y)^γ_y log q_y`, `q = softmax(z)`, over positions i of class y, and
 *
 * `V = mean_c (1 − T_c)^(1 − τ_c)`, `T_c = TP / (TP + δ FN + (1 − δ) FP)`
 *
 * δ is the weight of the classes from 1 on, `1 − δ` that of the background.
 *
 * | `form` | background | the other classes |
 * | --- | --- | --- |
 * | `"asymmetric"` | focused by γ in F; to the power 1 in V | not focused in F; to the power 1 − γ in V |
 * | `"symmetric"` | focused by γ in F; to the power 1 − γ in V | the same |
 *
 * The asymmetric form turns down only what is easy in the background, and speeds up only the
 * foreground. T is taken over the batch and all positions, without smoothing: a class that is neither
 * labelled nor predicted is no mistake, one that is exactly right has gradient 0.
 *
 * **Differs from the originals**: the authors' code takes ratios sample by sample, cuts probabilities
 * at 1e-7 and multiplies V, not F, by `weight` (the paper: F); MONAI's
 * `AsymmetricUnifiedFocalLoss` averages F over classes, too: all background taken for class 1 of 3
 * with certainty, logits of ±10, costs 1.52 there and 4.50 here.
 *
 * Source: Yeung et al. 2022, arXiv:2102.04525.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C); or of the logits' shape, one-hot or
 * any shares in [0, 1].
 * @param options `weight`, 0.5 by default; `delta`, 0.6; `gamma`, 0.5; `form`, `"asymmetric"`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example Without focusing, cross entropy and Tversky loss
 * ```ts
 * import { crossEntropyLoss, tverskyLoss, unifiedFocalLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [logits, labels] = [[[1, 0], [2, 1], [0, 3]], [0, 1, 1]];
 * const tversky = tverskyLoss(logits, labels, { alpha: 0.5, beta: 0.5, smooth: 0 });
 * const both = crossEntropyLoss(logits, labels).div(2).add(tversky).div(2);
 * const loss = unifiedFocalLoss(logits, labels, { delta: 0.5, gamma: 0 });
 * assertAlmostEquals(loss.item(), both.item(), 1e-6);
 * ```
 */
export function unifiedFocalLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: UnifiedFocalOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("unifiedFocalLoss", "options", 3, arguments);
  const name = "unifiedFocalLoss";
  const settings = readOptions(name, options, {
    weight: 0.5,
    delta: 0.6,
    gamma: 0.5,
    form: "asymmetric",
  });
  const { weight, delta, gamma, form } = settings;
  checkNumber(name, "weight", weight, { min: 0, max: 1 });
  checkNumber(name, "delta", delta, { min: 0, max: 1 });
  checkNumber(name, "gamma", gamma, { min: 0, below: 1 });
  checkChoice(name, "form", form, ["asymmetric", "symmetric"]);
  const read = readClassTargets(name, logits, targets, {});
  const exponents = { delta, gamma, symmetric: form === "symmetric" };
  const focal = reduceLosses(focalPart(read, exponents), "mean");
  return add(mul(focal, weight), mul(tverskyPart(name, read, exponents), 1 - weight));
}

/** The focal part of each position. */
function focalPart(read: ClassTargets, { delta, gamma, symmetric }: Exponents): Tensor {
  const weigh = (loss: Tensor, isBackground: Tensor) => {
    const focused = focalTerms(loss, gamma);
    return where(isBackground, mul(focused, 1 - delta), mul(symmetric ? focused : loss, delta));
  };
  if (read.labels !== null) {
    return weigh(negLogLikelihood(read.logits, read.labels), equal(read.labels, 0));
  }
  const { shifted, logSum } = shiftLogits(read.logits);
  const losses = finiteWherePresent(read.shares, sub(expandDims(logSum, 1), shifted));
  const first = alongClasses(isFirst(read.classes), read.logits);
  return sum(mul(read.shares, weigh(losses, first)), { axis: 1 });
}

/** The focal Tversky part. */
function tverskyPart(
  caller: string,
  read: ClassTargets,
  { delta, gamma, symmetric }: Exponents,
): Tensor {
  const overlap = countOverlap(caller, read, CLASS_OVERLAP);
  const losses = tverskyLosses(overlap, { alpha: 1 - delta, beta: delta, smooth: 0 });
  const raised = powerOfMiss(losses, 1 - gamma);
  return mean(symmetric ? raised : where(isFirst(read.classes), losses, raised));
}

/** `bool`: class 0, and no other. */
function isFirst(classes: number): Tensor {
  return equal(arange(classes, { dtype: "int32" }), 0);
}
