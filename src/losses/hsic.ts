/**
 * Hilbert–Schmidt independence criterion.
 *
 * @module
 */
import { div, expandDims, mean, mul, split, square, squeeze, stack, sub, sum } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkWidths, WIDTHS } from "./bandwidths.ts";
import { mapCells, readCells } from "./cells.ts";
import { checkRows, othersOf, readMasses } from "./clouds.ts";
import { type Kernel, kernelOf } from "./kernels.ts";

/** Options of {@linkcode hsic}. */
export interface HsicOptions {
  /** The standard deviations σ of the Gaussians, all above 0; `[1, 2, 4, 8, 16]` by default. */
  bandwidths?: readonly number[] | undefined;
  /** What each cell counts, (n), at least 0; divided by their sum; all the same by default. */
  weights?: TensorLike | undefined;
}

/**
 * Hilbert–Schmidt independence criterion (HSIC): how much two descriptions of the same cells tell of
 * each other, in any way, not only along lines. At least 0; **lower is more independent**: minimise
 * it for an embedding that does not show a covariate, maximise it for one that does.
 *
 * `HSIC = tr(K H L H) / (n − 1)²`, `H = I − 1/n`, `K_ij = mean_σ exp(−‖x_i − x_j‖² / 2σ²)`, L of y
 *
 * It is the biased estimate, 0 where all rows of x or all of y are equal, and of the order of 1/n for
 * independent cells. Both have the same bandwidths: scale x and y so that these are about the typical
 * distance of two cells. Time is n²; above 2048 cells, memory is that of a block of cells, and the
 * gradient computes each once more, in a program never.
 *
 * With weights w, divided by their sum, means over cells are weighted, and `n − 1` of n is `1 − Σ w²`.
 *
 * The value is the paper's; weights are not in the original. It is computed as the mean covariance of the rows of K and L less the
 * covariance of their means: terms as small as the result, so that it keeps its digits.
 *
 * Source: Gretton et al. 2005, https://doi.org/10.1007/11564089_7, for one bandwidth.
 *
 * @param x (n, d): one row per cell, at least 2.
 * @param y (n, k): another description of the same cells.
 * @param options `bandwidths`, `[1, 2, 4, 8, 16]` by default; `weights`, none.
 * @returns The criterion, a scalar.
 * @throws {TypeError} If the arguments are no matrices, differ in the number of cells, or hold fewer
 * than 2, there is not one weight per cell, or an option does not exist.
 * @throws {RangeError} If a bandwidth is not above 0, a weight is negative, or fewer than two are
 * above 0.
 *
 * @example Two cells that differ in both, and in one of them only
 * ```ts
 * import { hsic } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const cells = [[0], [1]];
 * const loss = hsic(cells, cells, { bandwidths: [1] }).item();
 * assertAlmostEquals(loss, (1 - Math.exp(-0.5)) ** 2, 1e-6);
 * assertEquals(hsic(cells, [[3], [3]]).item(), 0);
 * ```
 */
export function hsic(x: TensorLike, y: TensorLike, options: HsicOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("hsic", "options", 3, arguments);
  const defaults = { bandwidths: WIDTHS, weights: undefined };
  const { bandwidths, weights } = readOptions("hsic", options, defaults);
  checkWidths("hsic", bandwidths);
  const cells = readCells("hsic", { x: [x, "features"], y: [y, "features"] }) as [Tensor, Tensor];
  checkRows("hsic", { x: cells[0] }, 2);
  const n = cells[0].shape[0]!;
  const shares = weights === undefined
    ? undefined
    : readMasses("hsic", { x: cells[0] }, { weights });
  const rows = rowMoments(cells, { name: "rbf", widths: bandwidths }, shares);
  const [within, k, l] = split(rows, 3, { axis: 1 }) as [Tensor, Tensor, Tensor];
  const all = (values: Tensor) => meanOf(values, 0, shares && expandDims(shares, 1));
  const between = mul(sub(k, all(k)), sub(l, all(l)));
  const found = squeeze(all(sub(within, between)));
  return shares === undefined
    ? mul(found, (n / (n - 1)) ** 2)
    : div(found, square(othersOf("hsic", shares, "weights")));
}

/** The mean along an axis, by shares where there are some. */
function meanOf(values: Tensor, axis: number, shares: Tensor | undefined): Tensor {
  return shares === undefined ? mean(values, { axis }) : sum(mul(values, shares), { axis });
}

/**
 * For each cell the covariance of its two rows of kernels, and their means; `largest` is that of
 * {@linkcode mapCells}.
 */
export function rowMoments(
  cells: readonly [Tensor, Tensor],
  kernel: Kernel,
  shares?: Tensor,
  largest?: number,
): Tensor {
  const momentsOf = (rows: readonly [Tensor, Tensor], all: readonly Tensor[]) => {
    const [k, l] = rows.map((x, i) => kernelOf(kernel, x, all[i]!)) as [Tensor, Tensor];
    const [ofK, ofL] = [meanOf(k, 1, all[2]), meanOf(l, 1, all[2])];
    const together = mul(sub(k, expandDims(ofK, 1)), sub(l, expandDims(ofL, 1)));
    return stack([meanOf(together, 1, all[2]), ofK, ofL], { axis: 1 });
  };
  const shared: readonly Tensor[] = shares === undefined ? cells : [...cells, shares];
  return mapCells(momentsOf, cells, shared, cells[0].shape[0]!, largest);
}
