/**
 * Barlow Twins.
 *
 * @module
 */
import { arange } from "../create.ts";
import {
  add,
  div,
  equal,
  expandDims,
  max,
  min,
  mul,
  square,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { rowProducts } from "../ops/linalg.ts";
import { centre, rootMeanSquare } from "../ops/moments.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mapCells, readViews } from "./cells.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode barlowTwinsLoss}. */
export interface BarlowTwinsOptions {
  /** The weight of the correlations between different features, at least 0; 0.005 by default. */
  lambda?: number | undefined;
}

/**
 * Barlow Twins: of two views of every cell, each feature should correlate with itself and with no
 * other. Lower is better; at least 0, and d where nothing correlates.
 *
 * `L = Σ_i (1 − C_ii)² + λ Σ_{i≠j} C_ij²`, with `C = âᵀ b̂ / n` the correlations, in [−1, 1], of the
 * features of a with those of b: columns have mean 0 and variance 1 over the batch
 *
 * A constant column has no direction: its correlations are 0, and so is its gradient; a single cell
 * gives d. Nothing is added to the variances, and columns far from the origin keep their digits in
 * float32. Time is n d²; above 2048 features, memory is that of a block of features, and the gradient
 * computes each once more.
 *
 * **Differs from the originals**: MONAI standardises with n − 1 and then divides by n, so that the
 * correlations of equal views are (n − 1) / n, and adds 1e-6 to the deviations; it refuses a single
 * cell. The authors' code is the formula with 1e-5 added to the variances, and λ = 0.0051.
 *
 * Source: Zbontar et al. 2021, arXiv:2103.03230, equations 1 and 2.
 *
 * @param a (n, d): one embedding per cell.
 * @param b (n, d): another embedding of the same cells in the same order.
 * @param options `lambda`, λ, 0.005 by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the views are no matrices of the same shape or hold no cell, or an option
 * does not exist.
 * @throws {RangeError} If `lambda` is negative.
 *
 * @example Two features that vary together
 * ```ts
 * import { barlowTwinsLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const view = [[0, 0], [1, 2]];
 * assertAlmostEquals(barlowTwinsLoss(view, view).item(), 2 * 0.005, 1e-7);
 * ```
 */
export function barlowTwinsLoss(
  a: TensorLike,
  b: TensorLike,
  options: BarlowTwinsOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("barlowTwinsLoss", "options", 3, arguments);
  const { lambda } = readOptions("barlowTwinsLoss", options, { lambda: 0.005 });
  checkNumber("barlowTwinsLoss", "lambda", lambda, { min: 0 });
  const [first, second] = readViews("barlowTwinsLoss", a, b).map(standardise) as [Tensor, Tensor];
  const n = first.shape[0]!;
  const own = div(sum(mul(first, second), { axis: 0 }), n);
  const others = sum(otherProducts(first, second, n));
  return add(sum(square(sub(1, own))), mul(others, lambda));
}

/** Columns with mean 0 and variance 1; constant ones become 0. */
function standardise(x: Tensor): Tensor {
  const options = { axis: 0, keepDims: true };
  const isConstant = equal(max(x, options), min(x, options));
  const { centred, rest } = centre(x, 0);
  const around = sub(centred, rest);
  const spread = rootMeanSquare(around, 0);
  return where(isConstant, 0, div(around, where(isConstant, 1, spread)));
}

/**
 * For each column of one matrix the sum of the squares of its products with the columns of another,
 * divided by a count, but for that in its own place; `largest` is that of {@linkcode mapCells}.
 */
export function otherProducts(
  first: Tensor,
  second: Tensor,
  divisor: number,
  largest?: number,
): Tensor {
  const columns = transpose(first);
  const others = first === second ? columns : transpose(second);
  const numbers = arange(columns.shape[0]!, { dtype: "int32" });
  const sumOf = ([rows, at]: [Tensor, Tensor], [all]: [Tensor]) => {
    const products = div(rowProducts(rows, all), divisor);
    return sum(where(equal(expandDims(at, 1), numbers), 0, square(products)), { axis: 1 });
  };
  return mapCells(sumOf, [columns, numbers], [others], columns.shape[0]!, largest);
}
