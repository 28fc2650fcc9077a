/**
 * Variance, invariance and covariance of two views.
 *
 * @module
 */
import { add, div, mean, mul, relu, sqrt, square, sub, sum, variance } from "../ops/mod.ts";
import { centre } from "../ops/moments.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { otherProducts } from "./barlow_twins.ts";
import { readViews } from "./cells.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode vicRegLoss}. */
export interface VicRegOptions {
  /** The weight of the distance of the views, λ, at least 0; 25 by default. */
  invariance?: number | undefined;
  /** The weight of the hinges on standard deviations, μ, at least 0; 25 by default. */
  variance?: number | undefined;
  /** The weight of the covariances between features, ν, at least 0; 1 by default. */
  covariance?: number | undefined;
}

/**
 * VICReg: two views of every cell are drawn together, while each feature keeps a standard deviation
 * of at least 1, and different features do not vary together, so that embeddings cannot collapse.
 * Lower is better; at least 0.
 *
 * `L = λ mean_ij (a_ij − b_ij)² + μ/2 [v(a) + v(b)] + ν [c(a) + c(b)]`, with
 * `v(x) = mean_j max(0, 1 − √(var x_j + 1e-4))` and `c(x) = 1/d Σ_{i≠j} Cov(x)_ij²`
 *
 * Variances and covariances divide by n − 1, so that it takes two cells at least. Nothing is compared
 * between cells; embeddings are not normalised. Time is n d²; above 2048 features, memory is that of a
 * block of features, and the gradient computes each once more.
 *
 * This is the authors' code, with the weights of its defaults. Their paper writes the same sum without
 * the factor ½ of v, and the distance without the mean over d: with its weights as printed, a value of
 * that formula is larger.
 *
 * Source: Bardes et al. 2022, arXiv:2105.04906, equations 1 to 6, and `main_vicreg.py`,
 * https://github.com/facebookresearch/vicreg.
 *
 * @param a (n, d): one embedding per cell.
 * @param b (n, d): another embedding of the same cells in the same order.
 * @param options `invariance`, λ, 25 by default; `variance`, μ, 25; `covariance`, ν, 1.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the views are no matrices of the same shape, hold less than two cells or no
 * feature, or an option does not exist.
 * @throws {RangeError} If an option is negative.
 *
 * @example Views that have collapsed to one point
 * ```ts
 * import { vicRegLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = vicRegLoss([[1, 2], [1, 2]], [[1, 2], [1, 2]]);
 * assertAlmostEquals(loss.item(), 25 * (1 - Math.sqrt(1e-4)), 1e-5);
 * ```
 */
export function vicRegLoss(a: TensorLike, b: TensorLike, options: VicRegOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("vicRegLoss", "options", 3, arguments);
  const weights = readOptions("vicRegLoss", options, {
    invariance: 25,
    variance: 25,
    covariance: 1,
  });
  for (const [name, weight] of Object.entries(weights)) {
    checkNumber("vicRegLoss", name, weight, { min: 0 });
  }
  const views = readViews("vicRegLoss", a, b);
  const [n, d] = views[0].shape as [number, number];
  if (n < 2 || d < 1) {
    throw new TypeError(
      `Cannot compute vicRegLoss as a and b must hold at least two cells and one feature: ` +
        `current shape is ${formatShape(views[0].shape)}`,
    );
  }
  const apart = mean(square(sub(...views)));
  const [hinges, covariances] = [hinge, covariance].map((f) => add(f(views[0]), f(views[1])));
  return add(
    add(mul(apart, weights.invariance), mul(hinges!, weights.variance / 2)),
    mul(covariances!, weights.covariance),
  );
}

/** How far standard deviations are below 1, in the mean over features. */
function hinge(x: Tensor): Tensor {
  const deviations = sqrt(add(variance(x, { axis: 0, correction: 1 }), 1e-4));
  return mean(relu(sub(1, deviations)));
}

/** The sum of the squared covariances of different features, divided by the number of features. */
function covariance(x: Tensor): Tensor {
  const { centred, rest } = centre(x, 0);
  const around = sub(centred, rest);
  return div(sum(otherProducts(around, around, x.shape[0]! - 1)), x.shape[1]!);
}
