/**
 * Mixing of batches among the neighbours of each cell.
 *
 * @module
 */
import { arange, zeros } from "../create.ts";
import { checkLabels } from "../labels.ts";
import {
  add,
  div,
  equal,
  exp,
  expandDims,
  gather,
  log,
  matmul,
  max,
  mean,
  min,
  mul,
  neg,
  oneHot,
  pairwiseSquaredDistance,
  sigmoid,
  softmax,
  sqrt,
  stopGradient,
  sub,
  sum,
  tanh,
  topK,
  variance,
  where,
} from "../ops/mod.ts";
import { checkSize } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { mapCells, readCellLabels, readCells } from "./cells.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode batchMixingLoss}. */
export interface BatchMixingOptions {
  /** How many nearest neighbours of each cell count, at least 1; 15 by default, at most n − 1. */
  nNeighbors?: number | undefined;
  /** How many batches there are: labels are 0 … nBatches − 1; 3 by default. */
  nBatches?: number | undefined;
  /** What squared distances are divided by before the softmax, above 0; 1 by default. */
  temperature?: number | undefined;
  /** `"topk"`, exactly the nearest neighbours, by default; `"soft"` as DiffBio has it today. */
  selection?: "topk" | "soft" | undefined;
}

/**
 * Batch mixing: the entropy of the batches among the nearest neighbours of each cell, negated.
 * Lower is better; from about 0, where every neighbourhood holds a single batch, to −1, where all
 * batches have equal shares everywhere.
 *
 * `L = 1 / log K · mean_i Σ_c p_ic log p_ic`, with `p_ic = Σ_j w_ij [batch_j = c]` and
 * `w_i = softmax_j(−‖e_i − e_j‖² / T)` over the other cells, cut to the k nearest and rescaled to 1
 *
 * **Minimise it as it is.** The entropy is negated already: DiffBio's own example of combined
 * training negates it once more, and so trains against mixing.
 *
 * The temperature has the unit of a squared distance; where it is far below those of the neighbours,
 * only the nearest counts and the loss is near 0. Which cells are the neighbours (of equals, the
 * first) is a constant for the gradient; their weights are not. `nNeighbors` above n − 1 takes all
 * other cells. A single cell, or `nBatches: 1`, gives 0. Time is n², `"soft"` needs n³; above 2048
 * cells, `"soft"` above 161, memory is that of a block of cells, and the gradient computes each once
 * more.
 *
 * **Differs from the original.** `"topk"` is DiffBio before 2026-03-30 (d2ce864) and what its
 * documentation says. The code since then, here `"soft"`, sorts softly, but next to the distance
 * 10¹⁰ that keeps a cell from being its own neighbour all others look alike, and `nNeighbors` has no
 * effect: on 24 random cells, 1, 3, 5, 15 and 23 neighbours all give −0.57964, where `"topk"` gives
 * 0, −0.425, −0.523, −0.57942 and −0.57964. It is kept for comparison. With one batch, the original
 * divides by 1e-8 and gives noise such as −0.085. A label that is not below `nBatches` is an error
 * here; the original drops it without a word.
 *
 * Source: DiffBio `src/diffbio/losses/singlecell_losses.py`, `BatchMixingLoss`; the soft sort is
 * that of Grover et al. 2019, arXiv:1903.08850.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param batchLabels (n), whole numbers in [0, nBatches).
 * @param options `nNeighbors`, k, 15 by default; `nBatches`, K, 3; `temperature`, T, 1; `selection`,
 * `"topk"`.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the embeddings are no matrix or hold no cell, the numbers of cells differ,
 * labels are not whole numbers, or an option does not exist.
 * @throws {RangeError} If a label is not below `nBatches`, or an option is out of range.
 *
 * @example Two batches on the same spot, and far apart
 * ```ts
 * import { batchMixingLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const options = { nNeighbors: 3, nBatches: 2 };
 * const mixed = batchMixingLoss([[5], [5], [5], [5]], [0, 1, 0, 1], options);
 * const apart = batchMixingLoss([[5], [6], [90], [91]], [0, 0, 1, 1], options);
 * assertAlmostEquals(mixed.item(), -0.918, 1e-3); // one third against two thirds
 * assertAlmostEquals(apart.item(), 0, 1e-6);
 * ```
 */
export function batchMixingLoss(
  embeddings: TensorLike,
  batchLabels: TensorLike,
  options: BatchMixingOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("batchMixingLoss", "options", 3, arguments);
  const caller = "batchMixingLoss";
  const { nNeighbors, nBatches, temperature, selection } = readOptions(caller, options, {
    nNeighbors: 15,
    nBatches: 3,
    temperature: 1,
    selection: "topk",
  });
  checkNumber(caller, "nNeighbors", nNeighbors, { min: 1, integer: true });
  checkNumber(caller, "nBatches", nBatches, { min: 1, integer: true });
  checkNumber(caller, "temperature", temperature, { above: 0 });
  checkChoice(caller, "selection", selection, ["topk", "soft"]);
  const [cells] = readCells(caller, { embeddings: [embeddings, "features"] }) as [Tensor];
  const given = readCellLabels(caller, { embeddings: cells }, "batchLabels", batchLabels);
  const labels = checkLabels(caller, given, nBatches, {
    argument: "batchLabels",
    remedy: "set nBatches to the number of batches",
  });
  const n = cells.shape[0]!;
  if (n === 1 || nBatches === 1) return zeros([], { dtype: cells.dtype });
  checkSize(caller, [n, nBatches], cells.dtype);
  const batches = oneHot(labels, nBatches, { dtype: cells.dtype });
  const settings = { neighbours: Math.min(nNeighbors, n - 1), temperature };
  const entropy = mixingEntropy(cells, batches, settings, selection);
  return mul(mean(entropy), -1 / (Math.log(nBatches) + 1e-8));
}

/** The entropy around each cell; `largest` is that of {@linkcode mapCells}. */
export function mixingEntropy(
  cells: Tensor,
  batches: Tensor,
  settings: Neighbourhood,
  selection: "topk" | "soft",
  largest?: number,
): Tensor {
  const n = cells.shape[0]!;
  const numbers = arange(n, { dtype: "int32" });
  const around = selection === "topk" ? nearestBatches : softBatches;
  const entropyOf = ([rows, at]: [Tensor, Tensor], [all, members]: [Tensor, Tensor]) => {
    const self = equal(expandDims(at, 1), numbers);
    return batchEntropy(around(rows, self, all, members, settings));
  };
  const perRow = selection === "topk" ? n : n * n;
  return mapCells(entropyOf, [cells, numbers], [cells, batches], perRow, largest);
}

/** How neighbours are chosen and weighed. */
interface Neighbourhood {
  /** How many there are: at least 1, and fewer than there are cells. */
  neighbours: number;
  /** What squared distances are divided by. */
  temperature: number;
}

/** Keeps shares that add up to nothing, and logarithms of no share, finite. */
const TINY = 1e-8;

const ROWS = { axis: 1, keepDims: true };

/**
 * The shares of the batches among the nearest neighbours, each weighed by
 * `exp(−squared distance / temperature)`.
 *
 * @param rows (r, d): some of the cells.
 * @param self (r, n), `bool`: which of the cells each row is.
 * @param cells (n, d), at least 2.
 * @param batches (n, K): 1 in the column of each cell's batch.
 * @param settings How many neighbours, and the temperature.
 * @returns (r, K).
 */
function nearestBatches(
  rows: Tensor,
  self: Tensor,
  cells: Tensor,
  batches: Tensor,
  { neighbours, temperature }: Neighbourhood,
): Tensor {
  const squared = pairwiseSquaredDistance(rows, cells);
  // Beyond all others, a cell is never its own neighbour, whatever the scale of the distances.
  const beyond = stopGradient(add(mul(max(squared, ROWS), 2), 1));
  const distances = where(self, beyond, squared);
  const nearest = stopGradient(min(distances, ROWS));
  const weigh = (distance: Tensor) => exp(div(sub(nearest, distance), temperature));
  const all = where(self, 0, weigh(distances));
  const total = sum(all, ROWS);
  // Shares of all others add up to 1, which is what rescaling would find.
  if (neighbours === cells.shape[0]! - 1) return matmul(div(all, mul(total, 1 + TINY)), batches);
  const { values, indices } = topK(distances, neighbours, { largest: false });
  const weights = rescale(div(weigh(values), total));
  return sum(mul(expandDims(weights, 2), gather(batches, indices)), { axis: 1 });
}

/**
 * The shares of the batches as DiffBio computes them today: the k-th smallest distance of a soft
 * sort, and a soft comparison with it. Arguments as those of {@linkcode nearestBatches}.
 */
function softBatches(
  rows: Tensor,
  self: Tensor,
  cells: Tensor,
  batches: Tensor,
  { neighbours, temperature }: Neighbourhood,
): Tensor {
  const distances = where(self, 1e10, pairwiseSquaredDistance(rows, cells));
  // The original adds 1e-6 to the variance and 1e-10 to the excess: lost next to 10¹⁰.
  const deviation = sqrt(variance(distances, ROWS));
  const ranks = sigmoid(div(sub(distances, mean(distances, ROWS)), deviation));
  const differences = sub(expandDims(ranks, 2), expandDims(ranks, 1));
  // 2σ(x) − 1 = tanh(x / 2)
  const signs = tanh(div(differences, 2 * temperature));
  const spread = sum(mul(differences, signs), { axis: 1 });
  const place = cells.shape[0]! + 1 - 2 * neighbours;
  const chosen = softmax(div(neg(add(mul(ranks, place), spread)), temperature));
  const limit = sum(mul(chosen, distances), ROWS);
  const excess = div(sub(distances, limit), temperature);
  const within = sub(1, sigmoid(excess));
  return matmul(rescale(mul(softmax(neg(div(distances, temperature))), within)), batches);
}

/** Weights divided by their sums. */
function rescale(weights: Tensor): Tensor {
  return div(weights, add(sum(weights, ROWS), TINY));
}

/** The entropy of each row of shares, in nats. */
function batchEntropy(shares: Tensor): Tensor {
  return neg(sum(mul(shares, log(add(shares, TINY))), { axis: 1 }));
}
