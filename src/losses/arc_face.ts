/**
 * Softmax with margins between the angles of classes.
 *
 * @module
 */
import {
  add,
  equal,
  expandDims,
  gather,
  l2Normalize,
  mean,
  mul,
  norm,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { rowProducts } from "../ops/linalg.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { negLogLikelihood, ownClass } from "./class_logits.ts";
import { readClassRows } from "./class_rows.ts";
import {
  checkNumber,
  type NumberRange,
  readOptions,
  refuseMore,
  type Settled,
} from "../options.ts";

/** Options of {@linkcode arcFaceLoss}. */
export interface ArcFaceOptions {
  /** What is added to the angle of the own class, in radians, from 0 to π; 0.5 by default. */
  margin?: number | undefined;
  /** What cosines are multiplied by, above 0; 64 by default. */
  scale?: number | undefined;
}

/** Options of {@linkcode cosFaceLoss}. */
export interface CosFaceOptions {
  /** What is taken off the cosine of the own class, at least 0; 0.35 by default. */
  margin?: number | undefined;
  /** What cosines are multiplied by, above 0; 64 by default. */
  scale?: number | undefined;
}

/**
 * ArcFace: the cross entropy of classes by the angles between an embedding and one direction for each
 * class, with a margin on the angle of the own class, so that classes keep apart on the sphere. Lower
 * is better; at least 0. With margin 0 it is the cross entropy of scaled cosines.
 *
 * `L = mean_i −log softmax(z_i)_y`, with `z_ic = s cos θ_ic`, but `z_iy = s cos(θ_iy + m)` of the own
 * class y, and θ_ic the angle between embedding i and weight c
 *
 * Lengths of embeddings and weights do not count. Beyond `θ + m = π` the cosine rises again, and what
 * lies there is drawn to the far side; the formula is left as it is. `cos(θ + m)` is
 * `cos θ cos m − sin θ sin m`, with the sine from the differences and sums of unit vectors, which keeps
 * its digits at small angles, where that of a cosine near 1 has lost them; where an embedding lies
 * on its own weight, or opposite to it, the gradient of the sine is 0, where that of the arccosine is
 * infinite. An embedding of all zeros has cosine 0 to all, and a finite, though steep, gradient.
 *
 * **Differs from the originals**: the authors' code takes `cos θ − m sin m` from `θ + m > π` on, and
 * pytorch-metric-learning takes its margin in degrees, 28.6 by default, which is refused here.
 *
 * Source: Deng et al. 2019, arXiv:1801.07698, equation 3.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param weights (C, d): one direction per class.
 * @param labels (n): for each cell its class, whole numbers in [0, C).
 * @param options `margin`, m, 0.5 by default; `scale`, s, 64.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, there is no cell or no class, labels are not whole
 * numbers, or an option does not exist.
 * @throws {RangeError} If a label names no class, `margin` is not in [0, π], or `scale` is not above
 * 0.
 *
 * @example A right angle to both classes
 * ```ts
 * import { arcFaceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const classes = [[1, 0, 0], [0, 2, 0]];
 * const loss = arcFaceLoss([[0, 0, 5]], classes, [1], { margin: Math.PI / 6, scale: 4 });
 * assertAlmostEquals(loss.item(), Math.log(1 + Math.exp(4 * 0.5)), 1e-6);
 * ```
 */
export function arcFaceLoss(
  embeddings: TensorLike,
  weights: TensorLike,
  labels: TensorLike,
  options: ArcFaceOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("arcFaceLoss", "options", 4, arguments);
  const settled = readMargin("arcFaceLoss", options, 0.5, { min: 0, max: Math.PI });
  return marginLoss(
    "arcFaceLoss",
    [embeddings, weights, labels],
    settled,
    (units, own, margin) =>
      sub(
        mul(cosines(units, own), Math.cos(margin)),
        mul(sines(units, own), Math.sin(margin)),
      ),
  );
}

/**
 * CosFace: the cross entropy of classes by the cosines between an embedding and one direction for
 * each class, with a margin on the cosine of the own class. Lower is better; at least 0. With margin
 * 0 it is the cross entropy of scaled cosines.
 *
 * `L = mean_i −log softmax(z_i)_y`, with `z_ic = s cos θ_ic`, but `z_iy = s (cos θ_iy − m)` of the own
 * class y
 *
 * {@linkcode arcFaceLoss} has its margin on the angle, and says the rest.
 *
 * Source: Wang et al. 2018, arXiv:1801.09414, equation 4.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param weights (C, d): one direction per class.
 * @param labels (n): for each cell its class, whole numbers in [0, C).
 * @param options `margin`, m, 0.35 by default; `scale`, s, 64.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, there is no cell or no class, labels are not whole
 * numbers, or an option does not exist.
 * @throws {RangeError} If a label names no class, `margin` is negative, or `scale` is not above 0.
 *
 * @example A right angle to both classes
 * ```ts
 * import { cosFaceLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const classes = [[1, 0, 0], [0, 2, 0]];
 * const loss = cosFaceLoss([[0, 0, 5]], classes, [1], { margin: 0.5, scale: 4 });
 * assertAlmostEquals(loss.item(), Math.log(1 + Math.exp(4 * 0.5)), 1e-6);
 * ```
 */
export function cosFaceLoss(
  embeddings: TensorLike,
  weights: TensorLike,
  labels: TensorLike,
  options: CosFaceOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("cosFaceLoss", "options", 4, arguments);
  const settled = readMargin("cosFaceLoss", options, 0.35, { min: 0 });
  return marginLoss(
    "cosFaceLoss",
    [embeddings, weights, labels],
    settled,
    (units, own, margin) => sub(cosines(units, own), margin),
  );
}

type Margin = Settled<CosFaceOptions, { margin: number; scale: number }>;

function readMargin(
  caller: string,
  options: CosFaceOptions,
  margin: number,
  range: NumberRange,
): Margin {
  const settled = readOptions(caller, options, { margin, scale: 64 });
  checkNumber(caller, "margin", settled.margin, range);
  checkNumber(caller, "scale", settled.scale, { above: 0 });
  return settled;
}

/** The mean cross entropy of scaled cosines, with that of the own class replaced. */
function marginLoss(
  caller: string,
  [embeddings, weights, given]: [TensorLike, TensorLike, TensorLike],
  { margin, scale }: Margin,
  ownCosine: (units: Tensor, own: Tensor, margin: number) => Tensor,
): Tensor {
  const { cells, rows, labels } = readClassRows(caller, embeddings, { weights }, given);
  const [units, classes] = [l2Normalize(cells), l2Normalize(rows)];
  const logits = rowProducts(units, classes);
  const isOwn = ownClass({ logits, labels, keep: null, classes: rows.shape[0]! });
  const own = expandDims(ownCosine(units, gather(classes, labels), margin), 1);
  return mean(negLogLikelihood(mul(where(isOwn, own, logits), scale), labels));
}

function cosines(a: Tensor, b: Tensor): Tensor {
  return sum(mul(a, b), { axis: 1 });
}

/** `½ ‖a − b‖ ‖a + b‖` of unit vectors, and 1 where one is 0, as the cosine is 0 there. */
function sines(a: Tensor, b: Tensor): Tensor {
  const length = (x: Tensor) => norm(x, { axis: 1 });
  const isNone = equal(mul(length(a), length(b)), 0);
  return where(isNone, 1, mul(mul(length(sub(a, b)), length(add(a, b))), 0.5));
}
