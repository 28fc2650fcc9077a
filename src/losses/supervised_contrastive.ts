/**
 * Supervised contrastive learning.
 *
 * @module
 */
import { arange } from "../create.ts";
import { checkLabels } from "../labels.ts";
import {
  cast,
  div,
  equal,
  exp,
  expandDims,
  l2Normalize,
  log,
  logicalAnd,
  notEqual,
  stack,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { rowProducts } from "../ops/linalg.ts";
import { constantMax } from "../ops/reduce.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mapCells, meanOfRows, readCellLabels, readCells } from "./cells.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode supervisedContrastiveLoss}. */
export interface SupervisedContrastiveOptions {
  /** What cosines are divided by, τ, above 0; 0.1 by default. */
  temperature?: number | undefined;
}

/**
 * Supervised contrastive loss (SupCon): each cell is to find the other cells of its label, its
 * positives, among all other cells of the batch. Lower is better; at least 0, and log(n − 1), in
 * nats, where all n embeddings are alike.
 *
 * `L = mean_i −1/|P(i)| Σ_{p ∈ P(i)} [s_ip − log Σ_{a ≠ i} exp(s_ia)]`, with
 * `s_ij = cos(x_i, x_j) / τ` and `P(i)` the other cells of the label of i
 *
 * It is L_out of the paper, with the mean outside of the logarithm. Only the directions of
 * embeddings count. Cells without a positive are no anchors, but the others see them; where no cell
 * has a positive, the loss is 0 with gradient 0. Labels are compared with each other only: any whole
 * numbers from 0 on do, with gaps too. A cell of all zeros has cosine 0 to all, and a finite, though
 * steep, gradient. Time is n²; above 2048 cells, memory is that of a block of cells, and the gradient
 * computes each once more.
 *
 * Two views of a cell are two rows with one label; with two rows per label and no other cells of it,
 * this is {@linkcode ntXentLoss}.
 *
 * **Differs from the original**: the authors' code multiplies by τ / τ_base, with τ_base = 0.07, which
 * is no part of the formula: at τ = 0.1 its value is 1.43 times as large. A cell without a positive
 * was 0/0 = NaN there, and counts as a 0 in the mean of later versions. pytorch-metric-learning gives
 * 0 where a batch has only one label, though its cells have positives.
 *
 * Source: Khosla et al. 2020, arXiv:2004.11362, equation 2, and the authors' `losses.py`,
 * https://github.com/HobbitLong/SupContrast.
 *
 * @param embeddings (n, d): one embedding per cell, of any length.
 * @param labels (n): for each cell a whole number from 0 on.
 * @param options `temperature`, τ, 0.1 by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the embeddings are no matrix or hold no cell, the labels do not fit or are
 * not whole numbers, or an option does not exist.
 * @throws {RangeError} If a label is negative, or `temperature` is not above 0.
 *
 * @example Two types of cells at a right angle
 * ```ts
 * import { supervisedContrastiveLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const cells = [[1, 0], [3, 0], [0, 2], [0, 1]];
 * const loss = supervisedContrastiveLoss(cells, [4, 4, 9, 9], { temperature: 0.5 });
 * assertAlmostEquals(loss.item(), Math.log(1 + 2 * Math.exp(-2)), 1e-6);
 * ```
 */
export function supervisedContrastiveLoss(
  embeddings: TensorLike,
  labels: TensorLike,
  options: SupervisedContrastiveOptions = {},
): Tensor {
  const caller = "supervisedContrastiveLoss";
  if (arguments.length > 3) refuseMore(caller, "options", 3, arguments);
  const { temperature } = readOptions(caller, options, { temperature: 0.1 });
  checkNumber(caller, "temperature", temperature, { above: 0 });
  const [cells] = readCells(caller, { embeddings: [embeddings, "features"] }) as [Tensor];
  const groups = readGroups(caller, cells, labels);
  return meanOfRows(contrasts(l2Normalize(cells), groups, temperature));
}

/** Labels that are only compared with each other. */
export function readGroups(caller: string, embeddings: Tensor, labels: TensorLike): Tensor {
  const given = readCellLabels(caller, { embeddings }, "labels", labels);
  return checkLabels(caller, given, 2 ** 31);
}

/**
 * For each cell its loss and 1, or 0 and 0 where it has no positive; `largest` is that of
 * {@linkcode mapCells}.
 */
export function contrasts(
  units: Tensor,
  labels: Tensor,
  temperature: number,
  largest?: number,
): Tensor {
  const n = units.shape[0]!;
  const numbers = arange(n, { dtype: "int32" });
  const lossesOf = (
    [rows, own, at]: [Tensor, Tensor, Tensor],
    [all, labels]: [Tensor, Tensor],
  ) => {
    const others = notEqual(expandDims(at, 1), numbers);
    const positive = logicalAnd(equal(expandDims(own, 1), labels), others);
    const count = cast(sum(positive, { axis: 1 }), rows.dtype);
    const isAnchor = notEqual(count, 0);
    const similarity = div(rowProducts(rows, all), temperature);
    const top = constantMax(where(others, similarity, -2 / temperature), 1, "max");
    const shifted = where(others, sub(similarity, top), 0);
    const total = sum(where(others, exp(shifted), 0), { axis: 1 });
    const near = div(sum(where(positive, shifted, 0), { axis: 1 }), where(isAnchor, count, 1));
    const losses = sub(log(where(isAnchor, total, 1)), near);
    return stack([losses, cast(isAnchor, rows.dtype)], { axis: 1 });
  };
  return mapCells(lossesOf, [units, labels, numbers], [units, labels], n, largest);
}
