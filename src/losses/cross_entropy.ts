/**
 * Cross entropy of class logits.
 *
 * @module
 */
import { add, expandDims, gather, mul, sub, sum, where } from "../ops/mod.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { alongClasses, pickClass, readWeight, shiftLogits } from "./class_logits.ts";
import { type ClassTargets, keptPositions, partOf, readClassTargets } from "./class_targets.ts";
import {
  checkEmptyMask,
  checkReduction,
  type EmptyMask,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";

/** The label of positions without one. */
const NO_LABEL = -100;

/** Options of {@linkcode crossEntropyLoss}. */
export interface CrossEntropyOptions {
  /** One weight per class, such as {@linkcode classWeights}; none by default. */
  weight?: TensorLike | undefined;
  /** The label of positions that do not count; −100 by default. */
  ignoreIndex?: number | undefined;
  /** The share of each target that is spread evenly over all classes; 0 by default. */
  labelSmoothing?: number | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
  /** What the mean over no labels gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Cross entropy of logits, the negative log-likelihood of the labels under `softmax(logits)`: the
 * standard loss of classification and segmentation. Lower is better; at least 0, and log C (in nats)
 * for equal logits of C classes.
 *
 * `ℓ = log Σ_c exp(z_c) − z_y`, and with class weights w the mean is `Σ w_y ℓ / Σ w_y`
 *
 * With label smoothing ε, `ℓ = (1 − ε) w_y ℓ_y + ε/C Σ_c w_c ℓ_c`, divided by the same `Σ w_y`.
 *
 * Targets of the logits' shape are shares of the classes: `ℓ = −Σ_c w_c y_c log softmax(z)_c`, and the
 * mean divides by the number of positions, not by weights. One-hot rows with weights so have another
 * mean than labels; rows of zeros cost nothing.
 *
 * The largest logit is taken off first, so logits of any size are safe. Positions labelled
 * `ignoreIndex` count in no sum and get exactly zero gradient, whatever their logits are.
 *
 * **Differs from the original**: where every position is ignored, PyTorch's mean is 0/0 = NaN; here
 * it is 0 with gradient 0, unless `emptyMask` says otherwise. A class with the logit −∞ and the share 0
 * costs nothing, where PyTorch has 0 · ∞ = NaN.
 *
 * Source: `torch.nn.functional.cross_entropy`, which scGPT (`loss_cls`, `loss_dab`), scFormer
 * and dinov3_playground (`"ce"`, `"weighted_ce"`) call; label smoothing of Szegedy et al. 2016,
 * arXiv:1512.00567.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param targets Labels (N, …spatial), whole numbers in [0, C) or `ignoreIndex`; or of the logits'
 * shape, one-hot or any shares in [0, 1].
 * @param options `weight`, none by default; `ignoreIndex`, −100; `labelSmoothing`, 0; `reduction`,
 * `"mean"`; `emptyMask`, `"zero"`.
 * @returns A scalar; with `reduction: "none"`, (N, …spatial), 0 at ignored positions.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, a share is out of [0, 1], or an option is out of
 * range.
 *
 * @example Two cells, three cell types, the third cell unlabelled
 * ```ts
 * import { crossEntropyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const logits = [[0, 0, 0], [0, 0, 1000], [5, 5, 5]];
 * assertAlmostEquals(crossEntropyLoss(logits, [1, 2, -100]).item(), Math.log(3) / 2, 1e-7);
 * ```
 */
export function crossEntropyLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("crossEntropyLoss", "options", 3, arguments);
  const settings = readOptions("crossEntropyLoss", options, {
    weight: undefined,
    ignoreIndex: NO_LABEL,
    labelSmoothing: 0,
    reduction: "mean",
    emptyMask: "zero",
  });
  const { ignoreIndex } = settings;
  checkReduction("crossEntropyLoss", settings.reduction);
  const reading = { ignoreIndex, unaware: NO_LABEL };
  const read = readClassTargets("crossEntropyLoss", logits, targets, reading);
  return crossEntropyOf("crossEntropyLoss", read, settings);
}

/** What {@linkcode crossEntropyOf} needs to know. */
export interface CrossEntropySettings {
  /** One weight per class. */
  weight: TensorLike | undefined;
  /** The share of each target that is spread evenly over all classes. */
  labelSmoothing: number;
  /** What is returned. */
  reduction: Reduction;
  /** What the mean over no labels gives. */
  emptyMask: EmptyMask;
}

/** The cross entropy, with its other options checked in the name of the caller. */
export function crossEntropyOf(
  caller: string,
  read: ClassTargets,
  { weight, labelSmoothing, reduction, emptyMask }: CrossEntropySettings,
): Tensor {
  checkNumber(caller, "labelSmoothing", labelSmoothing, { min: 0, max: 1 });
  const { keep, logits } = read;
  checkEmptyMask(caller, emptyMask, keptPositions(read), "labels");
  const weights = weight === undefined
    ? null
    : readWeight(caller, weight, read.classes, logits.dtype);
  if (read.labels === null) {
    const losses = softLosses(read.logits, read.shares, weights, labelSmoothing);
    return reduceLosses(losses, reduction, losses.size, emptyMask);
  }
  const kept = (x: Tensor) => keep === null ? x : where(keep, x, 0);
  const own = weights && gather(weights, read.labels);
  const losses = kept(hardLosses(logits, read.labels, weights, own, labelSmoothing));
  const count = own === null ? keep && sum(keep) : sum(kept(own));
  return reduceLosses(losses, reduction, count ?? losses.size, emptyMask);
}

/** One loss per position; `own` are the weights of the positions' own classes. */
function hardLosses(
  logits: Tensor,
  labels: Tensor,
  weights: Tensor | null,
  own: Tensor | null,
  smoothing: number,
): Tensor {
  const { shifted, logSum } = shiftLogits(logits);
  const hard = sub(logSum, pickClass(shifted, labels));
  const weighted = own === null ? hard : mul(own, hard);
  if (smoothing === 0) return weighted;
  const all = sub(expandDims(logSum, 1), shifted);
  const soft = sum(weights === null ? all : mul(alongClasses(weights, logits), all), { axis: 1 });
  return add(mul(weighted, 1 - smoothing), mul(soft, smoothing / logits.shape[1]!));
}

/** One loss per position, of the shares of all classes. */
function softLosses(
  logits: Tensor,
  shares: Tensor,
  weights: Tensor | null,
  smoothing: number,
): Tensor {
  const { shifted, logSum } = shiftLogits(logits);
  const all = sub(expandDims(logSum, 1), shifted);
  const parts = smoothing === 0
    ? partOf(shares, all)
    : partOf(add(mul(shares, 1 - smoothing), smoothing / logits.shape[1]!), all);
  return sum(weights === null ? parts : mul(alongClasses(weights, logits), parts), { axis: 1 });
}
