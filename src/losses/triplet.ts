/**
 * Triplets of cells.
 *
 * @module
 */
import { arange, zeros } from "../create.ts";
import {
  add,
  any,
  argSort,
  cast,
  concat,
  cumsum,
  equal,
  expandDims,
  greater,
  logicalAnd,
  logicalNot,
  max,
  mul,
  neg,
  notEqual,
  pairwiseDistance,
  relu,
  reshape,
  stack,
  sub,
  sum,
  takeAlongAxis,
  where,
} from "../ops/mod.ts";
import { putAlongAxisOp } from "../ops/select.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { mapCells, meanOfRows, readCells } from "./cells.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import { readGroups } from "./supervised_contrastive.ts";

/** Options of {@linkcode tripletLoss}. */
export interface TripletOptions {
  /** How much farther negatives should be than positives, m, at least 0; 1 by default. */
  margin?: number | undefined;
  /** Which triplets count: `"all"`, by default, `"hard"` or `"semiHard"`. */
  mining?: "all" | "hard" | "semiHard" | undefined;
}

/**
 * Triplet loss: from each cell, the anchor, cells of other labels should be farther away than cells
 * of its own label, by a margin. Lower is better; at least 0, in the unit of the embeddings.
 *
 * `ℓ_apn = max(0, d_ap − d_an + m)`, with Euclidean distances d, a positive p of the anchor's label,
 * and a negative n of another one
 *
 * - `"all"`: the mean over all triplets with `ℓ > 0`, and 0 where there are none.
 * - `"hard"`: for each anchor with a positive and a negative the farthest positive and the nearest
 *   negative, and the mean over these anchors, those with `ℓ = 0` too.
 * - `"semiHard"`: the mean over the triplets with `d_ap < d_an < d_ap + m`, and 0 where there are none.
 *
 * Distances are not squared, and embeddings are taken as they are: normalise them first where only
 * directions should count. Cells at the same place have distance 0 with gradient 0; equally far
 * positives, or near negatives, share the gradient of `"hard"`. As `"all"` and `"semiHard"` divide by
 * the number of triplets that count, their value jumps where a triplet comes in or drops out, and
 * may rise while training goes well; their gradient takes the number as it is. Labels are compared
 * with each other only: any whole numbers from 0 on do.
 *
 * No triplet is ever made: how many negatives lie within reach of each positive follows from one sort
 * of the distances of each anchor, so that n³ triplets take time of n² log n. Memory is n²; above 1448
 * cells (`"semiHard"`: 1182, `"hard"`: 2048) it is that of a block of cells, and the gradient computes
 * each once more.
 *
 * **Differs from the originals**: FaceNet squares distances and sums; pytorch-metric-learning
 * normalises embeddings first, and its mean after `BatchHardMiner` leaves zeros out, where the paper
 * that defines batch hard has them in; TensorFlow Addons' "semi-hard" takes the farthest negative
 * where no semi-hard one exists.
 *
 * Source: Schroff et al. 2015, arXiv:1503.03832 (FaceNet), and Hermans et al. 2017, arXiv:1703.07737
 * ("batch all" with the mean over non-zero terms, and "batch hard").
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param labels (n): for each cell a whole number from 0 on.
 * @param options `margin`, m, 1 by default; `mining`, `"all"`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the embeddings are no matrix or hold no cell, the labels do not fit or are
 * not whole numbers, or an option does not exist.
 * @throws {RangeError} If a label or `margin` is negative.
 *
 * @example Four cells on a line
 * ```ts
 * import { tripletLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const [cells, labels] = [[[0], [2], [3], [9]], [0, 0, 1, 2]];
 * assertEquals(tripletLoss(cells, labels).item(), 2); // 2 − 1 + 1 of the second cell
 * assertEquals(tripletLoss(cells, labels, { mining: "hard" }).item(), 1); // of two anchors
 * ```
 */
export function tripletLoss(
  embeddings: TensorLike,
  labels: TensorLike,
  options: TripletOptions = {},
): Tensor {
  const caller = "tripletLoss";
  if (arguments.length > 3) refuseMore(caller, "options", 3, arguments);
  const { margin, mining } = readOptions(caller, options, { margin: 1, mining: "all" });
  checkNumber(caller, "margin", margin, { min: 0 });
  checkChoice(caller, "mining", mining, ["all", "hard", "semiHard"]);
  const [cells] = readCells(caller, { embeddings: [embeddings, "features"] }) as [Tensor];
  const groups = readGroups(caller, cells, labels);
  return meanOfRows(triplets(cells, groups, margin, mining));
}

/**
 * For each anchor the sum of the terms that count, and their number; `largest` is that of
 * {@linkcode mapCells}.
 */
export function triplets(
  cells: Tensor,
  labels: Tensor,
  margin: number,
  mining: "all" | "hard" | "semiHard",
  largest?: number,
): Tensor {
  const n = cells.shape[0]!;
  const numbers = arange(n, { dtype: "int32" });
  const sumsOf = (
    [rows, own, at]: [Tensor, Tensor, Tensor],
    [all, labels]: [Tensor, Tensor],
  ) => {
    const distances = pairwiseDistance(rows, all);
    const alike = equal(expandDims(own, 1), labels);
    const others = notEqual(expandDims(at, 1), numbers);
    const pairs = { distances, positive: logicalAnd(alike, others), negative: logicalNot(alike) };
    const found = mining === "hard" ? hardest(pairs, margin) : within(pairs, margin, mining);
    return stack(found, { axis: 1 });
  };
  const perRow = n * { all: 2, hard: 1, semiHard: 3 }[mining];
  return mapCells(sumsOf, [cells, labels, numbers], [cells, labels], perRow, largest);
}

/** Anchors in rows and all cells in columns. */
interface Pairs {
  distances: Tensor;
  positive: Tensor;
  negative: Tensor;
}

/** Beyond every distance. */
const FAR = 3e38;

function hardest({ distances, positive, negative }: Pairs, margin: number): Tensor[] {
  const farthest = max(where(positive, distances, 0), { axis: 1 });
  const nearest = neg(max(where(negative, neg(distances), -FAR), { axis: 1 }));
  const counts = logicalAnd(any(positive, { axis: 1 }), any(negative, { axis: 1 }));
  const terms = where(counts, relu(add(sub(farthest, nearest), margin)), 0);
  return [terms, cast(counts, distances.dtype)];
}

/**
 * All triplets at once, as `Σ ℓ` is linear in the distances between the places where terms come in:
 * a positive counts once for each negative within its reach, a negative against each positive that
 * reaches it. Both follow from the order of the distances, negatives after the equal reach of a
 * positive and before an equally far positive, so that terms of 0 do not count.
 */
function within(
  { distances, positive, negative }: Pairs,
  margin: number,
  mining: string,
): Tensor[] {
  const reach = add(distances, margin);
  // A margin below the rounding of distances reaches nothing.
  const reaching = mining === "all" ? positive : logicalAnd(positive, greater(reach, distances));
  const sign = cast(reaching, distances.dtype);
  const isNegative = cast(negative, distances.dtype);
  const none = zeros(distances.shape, { dtype: distances.dtype });
  const [keys, signs, negatives] = mining === "all"
    ? [[reach, distances], [sign, none], [none, isNegative]]
    : [[reach, distances, distances], [sign, none, neg(sign)], [none, isNegative, none]];
  const order = argSort(concat(keys, { axis: 1 }), { axis: 1 });
  const [s, t] = [signs, negatives].map((x) => takeAlongAxis(concat(x, { axis: 1 }), order));
  const ofPositives = mul(s!, cumsum(t!, { axis: 1 }));
  const ofNegatives = mul(t!, cumsum(s!, { axis: 1, reverse: true }));
  const [rows, n] = distances.shape as [number, number];
  const shape = [rows, keys.length * n];
  const unsorted = apply(putAlongAxisOp, [sub(ofPositives, ofNegatives), order], {
    axis: 1,
    shape,
  });
  const weights = sum(reshape(unsorted, [rows, keys.length, n]), { axis: 1 });
  const terms = mul(weights, where(positive, reach, distances));
  return [sum(terms, { axis: 1 }), sum(ofPositives, { axis: 1 })];
}
