/**
 * Hilbert–Schmidt independence criterion.
 *
 * @module
 */
import { expandDims, mean, mul, split, stack, sub } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkWidths, WIDTHS } from "./bandwidths.ts";
import { mapCells, readCells } from "./cells.ts";
import { checkRows } from "./clouds.ts";
import { type Kernel, kernelOf } from "./kernels.ts";

/** Options of {@linkcode hsic}. */
export interface HsicOptions {
  /** The standard deviations σ of the Gaussians, all above 0; `[1, 2, 4, 8, 16]` by default. */
  bandwidths?: readonly number[] | undefined;
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
 * The value is the paper's. It is computed as the mean covariance of the rows of K and L less the
 * covariance of their means: terms as small as the result, so that it keeps its digits.
 *
 * Source: Gretton et al. 2005, https://doi.org/10.1007/11564089_7, for one bandwidth.
 *
 * @param x (n, d): one row per cell, at least 2.
 * @param y (n, k): another description of the same cells.
 * @param options `bandwidths`, `[1, 2, 4, 8, 16]` by default.
 * @returns The criterion, a scalar.
 * @throws {TypeError} If the arguments are no matrices, differ in the number of cells, or hold fewer
 * than 2, or an option does not exist.
 * @throws {RangeError} If a bandwidth is not above 0.
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
  const { bandwidths } = readOptions("hsic", options, { bandwidths: WIDTHS });
  checkWidths("hsic", bandwidths);
  const cells = readCells("hsic", { x: [x, "features"], y: [y, "features"] }) as [Tensor, Tensor];
  checkRows("hsic", { x: cells[0] }, 2);
  const n = cells[0].shape[0]!;
  const rows = rowMoments(cells, { name: "rbf", widths: bandwidths });
  const [within, k, l] = split(rows, 3, { axis: 1 }) as [Tensor, Tensor, Tensor];
  const between = mul(sub(k, mean(k)), sub(l, mean(l)));
  return mul(mean(sub(within, between)), (n / (n - 1)) ** 2);
}

/**
 * For each cell the covariance of its two rows of kernels, and their means; `largest` is that of
 * {@linkcode mapCells}.
 */
export function rowMoments(
  cells: readonly [Tensor, Tensor],
  kernel: Kernel,
  largest?: number,
): Tensor {
  const momentsOf = (rows: readonly [Tensor, Tensor], all: readonly [Tensor, Tensor]) => {
    const [k, l] = rows.map((x, i) => kernelOf(kernel, x, all[i]!)) as [Tensor, Tensor];
    const [ofK, ofL] = [mean(k, { axis: 1 }), mean(l, { axis: 1 })];
    const together = mul(sub(k, expandDims(ofK, 1)), sub(l, expandDims(ofL, 1)));
    return stack([mean(together, { axis: 1 }), ofK, ofL], { axis: 1 });
  };
  return mapCells(momentsOf, cells, cells, cells[0].shape[0]!, largest);
}
