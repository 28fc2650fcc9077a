/**
 * Maximum mean discrepancy between batches.
 *
 * @module
 */
import { eye, zeros } from "../create.ts";
import { describe } from "../describe.ts";
import { checkLabels, distinctLabels } from "../labels.ts";
import {
  add,
  div,
  equal,
  exp,
  expandDims,
  greater,
  matmul,
  mul,
  oneHot,
  pairwiseSquaredDistance,
  scatterAdd,
  sqrt,
  square,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import type { Composite } from "../op.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { vjp } from "../transforms/grad.ts";
import { fitsAtOnce, mapCells, readCellLabels, readCells } from "./cells.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import { divideByCount } from "./reduction.ts";

/** Options of {@linkcode mmdLoss}. */
export interface MmdOptions {
  /** `"linear"`, UniCell's distance of means and the default, or `"rbf"`, Gaussian kernels. */
  kernel?: "linear" | "rbf" | undefined;
  /** The standard deviations σ of the Gaussians, all above 0; `[1, 2, 4, 8, 16]` by default. */
  bandwidths?: readonly number[] | undefined;
  /**
   * How many batches there are: labels are then 0 … nBatches − 1. By default the batches are the
   * distinct labels. Needed only where the labels are arguments of a compiled program.
   */
  nBatches?: number | undefined;
}

/**
 * Maximum mean discrepancy (MMD) between batches, averaged over all pairs of them. Lower is better;
 * 0 where the batches agree in their means (`"linear"`) or distributions (`"rbf"`).
 *
 * - `"linear"`: `L = mean_{i<j} ‖μ_i − μ_j‖`, the distance of the mean features, in their unit. It
 *   is not squared and sees nothing but means; its gradient is 0 where two means are equal.
 * - `"rbf"`: `L = mean_{i<j} [K_ii + K_jj − 2 K_ij]`, the biased estimate of the squared MMD, with
 *   `K_ij` the mean of `k(x, y)` over the cells x of batch i and y of batch j, and
 *   `k(x, y) = mean_σ exp(−‖x − y‖² / 2σ²)`. In [0, 2]. It compares all pairs of cells, in time of
 *   n²; above 2048 cells, memory is that of a block of cells, and the gradient computes each once
 *   more, in a program never. Choose bandwidths around the typical distance of two cells.
 *
 * A single batch gives 0 with gradient 0, and so does a batch without cells where `nBatches` says
 * that it exists: pairs with it do not count.
 *
 * **Differs from the original**, which looks for the labels 0 … B − 1, B being the number of distinct
 * ones: for the labels [0, 0, 2, 2] it averages nothing for batch 1 and gives NaN. Here the batches
 * are the distinct labels, and the example below gives 5. The values are the same for labels without
 * gaps. The Gaussian kernels are not in the original.
 *
 * Source: UniCell `unicell/loss.py`, `compute_mmd`; Gretton et al. 2012, A kernel two-sample test,
 * https://jmlr.org/papers/v13/gretton12a.html.
 *
 * @param features (n, d): one row per cell.
 * @param batchLabels (n), whole numbers from 0 on.
 * @param options `kernel`, `"linear"` by default; `bandwidths`, `[1, 2, 4, 8, 16]`, for `"rbf"` only;
 * `nBatches`, none.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the features are no matrix or hold no cell, the numbers of cells differ,
 * labels are not whole numbers, an option does not exist, or bandwidths are given for `"linear"`.
 * @throws {RangeError} If a label is negative or not below `nBatches`, or an option is out of range.
 *
 * @example Two batches, labelled 0 and 2
 * ```ts
 * import { mmdLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mmdLoss([[0, 0], [2, 0], [3, 4], [5, 4]], [0, 0, 2, 2]).item(), 5);
 * ```
 */
export function mmdLoss(
  features: TensorLike,
  batchLabels: TensorLike,
  options: MmdOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("mmdLoss", "options", 3, arguments);
  const caller = "mmdLoss";
  const { kernel, bandwidths, nBatches } = readOptions(caller, options, {
    kernel: "linear",
    bandwidths: undefined,
    nBatches: undefined,
  });
  checkChoice(caller, "kernel", kernel, ["linear", "rbf"]);
  const widths = readBandwidths(caller, kernel, bandwidths);
  const [x] = readCells(caller, { features: [features, "features"] }) as [Tensor];
  const labels = readCellLabels(caller, { features: x }, "batchLabels", batchLabels);
  const { codes, count } = readBatches(caller, labels, nBatches);
  const members = oneHot(codes, count, { dtype: x.dtype });
  const sizes = sum(members, { axis: 0 });
  const found = greater(sizes, 0);
  const divisors = where(found, sizes, 1);
  const discrepancy = kernel === "linear"
    ? distances(div(totals(x, codes, count), expandDims(divisors, 1)))
    : kernelDiscrepancy(x, div(members, divisors), widths);
  const pairs = sub(mul(expandDims(found, 1), found), eye(count, { dtype: "int32" }));
  const apart = greater(pairs, 0);
  return divideByCount(sum(where(apart, discrepancy, 0)), sum(apart));
}

/** The sums of each batch's rows: those of other batches, infinite ones too, stay out of it. */
function totals(x: Tensor, codes: Tensor, count: number): Tensor {
  return scatterAdd(zeros([count, x.shape[1]!], { dtype: x.dtype }), codes, x);
}

function readBandwidths(
  caller: string,
  kernel: string,
  bandwidths: readonly number[] | undefined,
): readonly number[] {
  if (bandwidths === undefined) return [1, 2, 4, 8, 16];
  if (kernel !== "rbf") {
    throw new TypeError(
      `Cannot compute ${caller} as bandwidths belong to the kernel rbf: current kernel is ${kernel}`,
    );
  }
  if (!Array.isArray(bandwidths) || bandwidths.length === 0 || bandwidths.includes(undefined)) {
    throw new TypeError(
      `Cannot compute ${caller} as bandwidths must be an array of at least one number: ` +
        `current value is ${describe(bandwidths)}`,
    );
  }
  bandwidths.forEach((width, i) => checkNumber(caller, `bandwidths[${i}]`, width, { above: 0 }));
  return bandwidths;
}

function readBatches(
  caller: string,
  labels: Tensor,
  nBatches: number | undefined,
): { codes: Tensor; count: number } {
  if (nBatches === undefined) return distinctLabels(caller, labels, "batchLabels");
  checkNumber(caller, "nBatches", nBatches, { min: 1, integer: true });
  const options = { argument: "batchLabels", remedy: "set nBatches to the number of batches" };
  return { codes: checkLabels(caller, labels, nBatches, options), count: nBatches };
}

/** Distances of all pairs of rows, with gradient 0 where they are 0. */
function distances(x: Tensor): Tensor {
  const squared = pairwiseSquaredDistance(x);
  const same = equal(squared, 0);
  return where(same, 0, sqrt(where(same, 1, squared)));
}

/** `K_ii + K_jj − 2 K_ij` for all pairs of batches; `shares` is 1 / n_i in the column of batch i. */
function kernelDiscrepancy(x: Tensor, shares: Tensor, widths: readonly number[]): Tensor {
  const means = batchMeans(x, shares, widths);
  const own = sum(mul(means, eye(means.shape[0]!, { dtype: means.dtype })), { axis: 1 });
  return sub(add(expandDims(own, 1), own), mul(means, 2));
}

/** The mean kernel of each pair of batches; `largest` is that of {@linkcode mapCells}. */
export function batchMeans(
  x: Tensor,
  shares: Tensor,
  widths: readonly number[],
  largest?: number,
): Tensor {
  const n = x.shape[0]!;
  const params = { widths, largest };
  return fitsAtOnce(n, n, largest)
    ? pairMeans(x, shares, params)
    : apply(batchMeansOp, [x, shares], params);
}

interface BatchMeansParams {
  widths: readonly number[];
  largest: number | undefined;
}

/**
 * Where blocks are computed again for the gradient. A cell is a row and a column, and as kernels are
 * symmetric, the gradient is that of the rows for both places: half the work.
 */
const batchMeansOp: Composite<BatchMeansParams> = {
  name: "mmdLoss",
  compose: ([x, shares], params) => pairMeans(x!, shares!, params),
  vjp(g, _means, inputs, { widths, largest }, wanted) {
    const [x, shares] = inputs as [Tensor, Tensor];
    const bothWays = add(g, transpose(g));
    const pullRows = (
      [rows, cotangents]: [Tensor, Tensor],
      [cells, members]: [Tensor, Tensor],
    ) => vjp((own: Tensor) => rowMeans(own, cells, members, widths), rows)[1](cotangents)[0];
    return [
      mapCells(pullRows, [x, matmul(shares, bothWays)], [x, shares], x.shape[0]!, largest),
      wanted[1] ? matmul(kernelMeans(x, x, shares, widths, largest), bothWays) : null,
    ];
  },
};

/** The mean kernel of each pair of batches, whole or in blocks. */
function pairMeans(x: Tensor, shares: Tensor, { widths, largest }: BatchMeansParams): Tensor {
  return matmul(transpose(shares), kernelMeans(x, x, shares, widths, largest));
}

/** The mean kernel of each row with the cells of each batch; `largest` is that of {@linkcode mapCells}. */
export function kernelMeans(
  x: Tensor,
  cells: Tensor,
  shares: Tensor,
  widths: readonly number[],
  largest?: number,
): Tensor {
  const meansOf = ([rows]: [Tensor], [cells, members]: [Tensor, Tensor]) =>
    rowMeans(rows, cells, members, widths);
  return mapCells(meansOf, [x], [cells, shares], cells.shape[0]!, largest);
}

/** The same of some rows, at once. */
function rowMeans(
  rows: Tensor,
  cells: Tensor,
  shares: Tensor,
  widths: readonly number[],
): Tensor {
  const kernels = gaussians(pairwiseSquaredDistance(rows, cells), widths);
  return matmul(div(kernels.reduce((a, b) => add(a, b)), widths.length), shares);
}

/**
 * `exp(−squared / 2w²)` for every width. That of half a width is its fourth power, which costs far
 * less than another exponential: at most twice in a row, so that 16 roundings are the worst.
 */
function gaussians(squared: Tensor, widths: readonly number[]): Tensor[] {
  const known = new Map<number, { kernel: Tensor; powers: number }>();
  for (const width of widths.toSorted((a, b) => b - a)) {
    const wider = known.get(2 * width);
    known.set(
      width,
      wider !== undefined && wider.powers < 2
        ? { kernel: square(square(wider.kernel)), powers: wider.powers + 1 }
        : { kernel: exp(mul(squared, -0.5 / width ** 2)), powers: 0 },
    );
  }
  return widths.map((width) => known.get(width)!.kernel);
}
