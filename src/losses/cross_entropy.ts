/**
 * Cross entropy of class logits.
 *
 * @module
 */
import { add, expandDims, gather, mul, reshape, sub, sum, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  type ClassLogits,
  pickClass,
  readClassLogits,
  readWeight,
  shiftLogits,
} from "./class_logits.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  checkEmptyMask,
  checkReduction,
  type EmptyMask,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";

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
 * The largest logit is taken off first, so logits of any size are safe. Positions labelled
 * `ignoreIndex` count in no sum and get exactly zero gradient, whatever their logits are.
 *
 * **Differs from the original**: where every position is ignored, PyTorch's mean is 0/0 = NaN; here
 * it is 0 with gradient 0, unless `emptyMask` says otherwise.
 *
 * Source: `torch.nn.functional.cross_entropy`, which scGPT (`loss_cls`, `loss_dab`), scFormer
 * and dinov3_playground (`"ce"`, `"weighted_ce"`) call; label smoothing of Szegedy et al. 2016,
 * arXiv:1512.00567.
 *
 * @param logits (N, C, …spatial): one score per class at each position.
 * @param labels (N, …spatial), whole numbers in [0, C), or `ignoreIndex`.
 * @param options `weight`, none by default; `ignoreIndex`, −100; `labelSmoothing`, 0; `reduction`,
 * `"mean"`; `emptyMask`, `"zero"`.
 * @returns A scalar; with `reduction: "none"`, (N, …spatial), 0 at ignored positions.
 * @throws {TypeError} If the shapes do not fit, labels are not whole numbers, or an option does not
 * exist.
 * @throws {RangeError} If a label names no class, or an option is out of range.
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
  labels: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("crossEntropyLoss", "options", 3, arguments);
  const { weight, ignoreIndex, labelSmoothing, reduction, emptyMask } = readOptions(
    "crossEntropyLoss",
    options,
    {
      weight: undefined,
      ignoreIndex: -100,
      labelSmoothing: 0,
      reduction: "mean",
      emptyMask: "zero",
    },
  );
  checkReduction("crossEntropyLoss", reduction);
  checkNumber("crossEntropyLoss", "labelSmoothing", labelSmoothing, { min: 0, max: 1 });
  const read = readClassLogits("crossEntropyLoss", logits, labels, ignoreIndex);
  const keep = read.keep!;
  checkEmptyMask("crossEntropyLoss", emptyMask, keep, "labels");
  const weights = weight === undefined
    ? null
    : readWeight("crossEntropyLoss", weight, read.classes, read.logits.dtype);
  const own = weights && gather(weights, read.labels);
  const losses = where(keep, smoothedLosses(read, weights, own, labelSmoothing), 0);
  return reduceLosses(losses, reduction, sum(own ? where(keep, own, 0) : keep), emptyMask);
}

/** One loss per position; `own` are the weights of the positions' own classes. */
function smoothedLosses(
  { logits, labels, classes }: ClassLogits,
  weights: Tensor | null,
  own: Tensor | null,
  smoothing: number,
): Tensor {
  const { shifted, logSum } = shiftLogits(logits);
  const hard = sub(logSum, pickClass(shifted, labels));
  const weighted = own === null ? hard : mul(own, hard);
  if (smoothing === 0) return weighted;
  const column = logits.shape.map((_, axis) => axis === 1 ? classes : 1);
  const all = sub(expandDims(logSum, 1), shifted);
  const soft = sum(weights === null ? all : mul(reshape(weights, column), all), { axis: 1 });
  return add(mul(weighted, 1 - smoothing), mul(soft, smoothing / classes));
}
