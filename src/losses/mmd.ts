/**
 * Maximum mean discrepancy between batches.
 *
 * @module
 */
import { eye, zeros } from "../create.ts";
import { checkLabels, distinctLabels } from "../labels.ts";
import {
  add,
  div,
  expandDims,
  greater,
  mul,
  notEqual,
  oneHot,
  pairwiseDistance,
  scatterAdd,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { checkBoolean, checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkSize } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { isKnown } from "../trace.ts";
import { checkWidths, medianDistance, WIDTHS } from "./bandwidths.ts";
import { readCellLabels, readCells, readCellWeights } from "./cells.ts";
import { batchMeans, type Kernel, withoutSelf } from "./kernels.ts";
import { divideByCount } from "./reduction.ts";

/** Options of {@linkcode mmdLoss}. */
export interface MmdOptions {
  /** `"linear"`, UniCell's distance of means and the default, or one that compares distributions. */
  kernel?: "linear" | "rbf" | "laplacian" | "rationalQuadratic" | "energy" | undefined;
  /**
   * The widths σ, all above 0, `[1, 2, 4, 8, 16]` by default; or `"median"`, the median distance of
   * two cells.
   */
  bandwidths?: readonly number[] | "median" | undefined;
  /**
   * How many batches there are: labels are then 0 … nBatches − 1. By default the batches are the
   * distinct labels. Needed only where the labels are arguments of a compiled program.
   */
  nBatches?: number | undefined;
  /** Whether no cell is compared with itself; `false` by default. */
  unbiased?: boolean | undefined;
  /** What each cell counts in its batch, (n), at least 0; all the same by default. */
  weights?: TensorLike | undefined;
}

/** Kernels with widths. */
const WIDE = ["rbf", "laplacian", "rationalQuadratic"];

/**
 * Maximum mean discrepancy (MMD) between batches, averaged over all pairs of them. Lower is better;
 * 0 where the batches agree in their means (`"linear"`) or distributions (all other kernels).
 *
 * - `"linear"`: `L = mean_{i<j} ‖μ_i − μ_j‖`, the distance of the mean features, in their unit. It
 *   is not squared and sees nothing but means; its gradient is 0 where two means are equal.
 * - others: `L = mean_{i<j} [K_ii + K_jj − 2 K_ij]`, the biased estimate of the squared MMD, with
 *   `K_ij` the mean of `k(x, y)` over the cells x of batch i and y of batch j, and k the mean over σ of
 *   - `"rbf"`: `exp(−‖x − y‖² / 2σ²)`; the loss is in [0, 2];
 *   - `"laplacian"`: `exp(−‖x − y‖ / σ)`, which forgives outliers; in [0, 2];
 *   - `"rationalQuadratic"`: `1 / (1 + ‖x − y‖² / 2σ²)`, which still pulls at distant cells; in [0, 2];
 *   - `"energy"`: `−‖x − y‖`, without widths: the loss is then the {@linkcode energyDistance}.
 *
 * These compare all pairs of cells, in time of n²; above 2048 cells, memory is that of a block of
 * cells, and the gradient computes each once more, in a program never. Choose bandwidths around the
 * typical distance of two cells: `"median"` takes `σ = median_{i<j} ‖x_i − x_j‖` of all cells, held
 * fixed in the gradient; 1 where that is 0. Above 2048 cells it compares all pairs some 32 times.
 *
 * With `unbiased`, `K_ii` is the mean over pairs of different cells, `n_i (n_i − 1)` of them: the
 * estimate may be below 0. A batch of a single cell has none, and keeps `K_ii = k(x, x)`. With
 * `weights` w, means are weighted: by `w / Σ w` over the batch, pairs by products of these.
 *
 * A single batch gives 0 with gradient 0, and so does a batch without cells where `nBatches` says
 * that it exists, or whose weights are all 0: pairs with it do not count.
 *
 * **Differs from the original**, which looks for the labels 0 … B − 1, B being the number of distinct
 * ones: for the labels [0, 0, 2, 2] it averages nothing for batch 1 and gives NaN. Here the batches
 * are the distinct labels, and the example below gives 5. The values are the same for labels without
 * gaps. Kernels, weights and the unbiased estimate are not in the original.
 *
 * Source: UniCell `unicell/loss.py`, `compute_mmd`; Gretton et al. 2012, A kernel two-sample test,
 * https://jmlr.org/papers/v13/gretton12a.html, for the estimates and the median; Bińkowski et al.
 * 2018, arXiv:1801.01401, for the rational quadratic kernel; Sejdinovic et al. 2013, arXiv:1207.6076,
 * for that of the energy distance.
 *
 * @param features (n, d): one row per cell.
 * @param batchLabels (n), whole numbers from 0 on.
 * @param options `kernel`, `"linear"` by default; `bandwidths`, `[1, 2, 4, 8, 16]`, for kernels that
 * have some; `nBatches`, none; `unbiased`, `false`, not for `"linear"`; `weights`, none.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the features are no matrix or hold no cell, the numbers of cells differ,
 * labels are not whole numbers, an option does not exist, or does not belong to the kernel.
 * @throws {RangeError} If a label is negative or not below `nBatches`, a weight is negative, or an
 * option is out of range.
 *
 * @example Two batches, labelled 0 and 2
 * ```ts
 * import { mmdLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const cells = [[0, 0], [2, 0], [3, 4], [5, 4]];
 * assertEquals(mmdLoss(cells, [0, 0, 2, 2]).item(), 5);
 * assertEquals(mmdLoss([[0], [3]], [0, 1], { kernel: "energy" }).item(), 6);
 * ```
 */
export function mmdLoss(
  features: TensorLike,
  batchLabels: TensorLike,
  options: MmdOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("mmdLoss", "options", 3, arguments);
  const caller = "mmdLoss";
  const { kernel, bandwidths, nBatches, unbiased, weights } = readOptions(caller, options, {
    kernel: "linear",
    bandwidths: undefined,
    nBatches: undefined,
    unbiased: false,
    weights: undefined,
  });
  checkKernel(caller, kernel, bandwidths, unbiased);
  const [x] = readCells(caller, { features: [features, "features"] }) as [Tensor];
  const labels = readCellLabels(caller, { features: x }, "batchLabels", batchLabels);
  const given = readCellWeights(caller, { features: x }, { weights });
  const { codes, count } = readBatches(caller, labels, nBatches);
  const members = oneHot(codes, count, { dtype: x.dtype });
  const counted = given === null ? members : mul(members, expandDims(given, 1));
  const sizes = sum(counted, { axis: 0 });
  const found = notEqual(sizes, 0);
  const divisors = where(found, sizes, 1);
  const totals = () => totalsOf(given === null ? x : mul(x, expandDims(given, 1)), codes, count);
  const discrepancy = kernel === "linear"
    ? pairwiseDistance(div(totals(), expandDims(divisors, 1)))
    : kernelDiscrepancy(x, div(counted, divisors), { kernel, bandwidths, unbiased });
  const pairs = sub(mul(expandDims(found, 1), found), eye(count, { dtype: "int32" }));
  const apart = greater(pairs, 0);
  return divideByCount(sum(where(apart, discrepancy, 0)), sum(apart));
}

/** The sums of each batch's rows: those of other batches, infinite ones too, stay out of it. */
function totalsOf(x: Tensor, codes: Tensor, count: number): Tensor {
  return scatterAdd(zeros([count, x.shape[1]!], { dtype: x.dtype }), codes, x);
}

function checkKernel(
  caller: string,
  kernel: string,
  bandwidths: MmdOptions["bandwidths"],
  unbiased: boolean,
): void {
  checkChoice(caller, "kernel", kernel, ["linear", "energy", ...WIDE]);
  checkBoolean(caller, "unbiased", unbiased);
  if (unbiased && kernel === "linear") {
    throw new TypeError(
      `Cannot compute ${caller} as the kernel linear has no pairs of cells for unbiased: ` +
        `choose one of energy, ${WIDE.join(", ")}`,
    );
  }
  if (bandwidths === undefined) return;
  if (!WIDE.includes(kernel)) {
    throw new TypeError(
      `Cannot compute ${caller} as bandwidths belong to the kernels ${WIDE.join(", ")}: ` +
        `current kernel is ${kernel}`,
    );
  }
  if (bandwidths !== "median") checkWidths(caller, bandwidths, ', or "median"');
}

function readBatches(
  caller: string,
  labels: Tensor,
  nBatches: number | undefined,
): { codes: Tensor; count: number } {
  if (nBatches === undefined) {
    if (isKnown(labels)) return distinctLabels(caller, labels, "batchLabels");
    throw new TypeError(
      `Cannot compute ${caller} as nBatches must be given where batchLabels are an argument of a ` +
        `program, a loop or vmap: their values decide how many batches there are`,
    );
  }
  checkNumber(caller, "nBatches", nBatches, { min: 1, integer: true });
  checkSize(caller, [labels.size, nBatches], "float64");
  const options = { argument: "batchLabels", remedy: "set nBatches to the number of batches" };
  return { codes: checkLabels(caller, labels, nBatches, options), count: nBatches };
}

/** `K_ii + K_jj − 2 K_ij` for all pairs of batches; `shares` is 1 / n_i in the column of batch i. */
function kernelDiscrepancy(
  x: Tensor,
  shares: Tensor,
  { kernel, bandwidths = WIDTHS, unbiased }: {
    kernel: Kernel["name"];
    bandwidths: MmdOptions["bandwidths"];
    unbiased: boolean;
  },
): Tensor {
  const isMedian = bandwidths === "median";
  const scaled = isMedian ? div(x, medianDistance(x)) : x;
  const chosen = { name: kernel, widths: isMedian ? [1] : bandwidths };
  const means = batchMeans(scaled, shares, chosen);
  const own = sum(mul(means, eye(means.shape[0]!, { dtype: means.dtype })), { axis: 1 });
  const within = unbiased ? withoutSelf(own, shares, chosen) : own;
  return sub(add(expandDims(within, 1), within), mul(means, 2));
}
