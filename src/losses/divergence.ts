/**
 * Divergences of probabilities.
 *
 * @module
 */
import { add, div, equal, mul, sub, sum, where } from "../ops/mod.ts";
import { relativeEntropy } from "../ops/relative_entropy.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkReduction,
  checkRows,
  readEntries,
  reduceLosses,
  type Reduction,
} from "./reduction.ts";
import { checkBoolean, readOptions, refuseMore } from "../options.ts";
import { checkShares } from "../ranges.ts";

/** Options of {@linkcode klDivergence} and {@linkcode jensenShannonDivergence}. */
export interface DivergenceOptions {
  /** What is returned; `"mean"` by default, over rows. */
  reduction?: Reduction | undefined;
  /** Whether to look that probabilities are in [0, 1]; `true` by default. */
  check?: boolean | undefined;
}

/**
 * Kullback-Leibler divergence of p from q: how many nats it costs to take q for p. Lower is better;
 * at least 0 where rows sum to 1, 0 where they are equal, and ∞ where q rules out what p has.
 *
 * `KL = Σ p log(p / q)`, over the last axis
 *
 * One value per row, and the mean is over rows. Where p is 0, the term is 0, and so is its gradient by
 * both: the slope of `p log p` at 0 is −∞, which nothing can follow. Probabilities are taken as they
 * are, not normalised. It is summed as `p log(p / q) − p + q` and `p − q`, so that close distributions
 * keep their digits: in float32, shares of 0.1 that are off by 1e-5 have 4 digits here and none as a
 * sum of `p log(p / q)`.
 *
 * **Mind the order**: PyTorch's `kl_div(log q, p)` and optax's `kl_divergence(log q, p)` name the
 * distribution that is predicted first, and take its logarithms. PyTorch's default averages over all
 * entries, which is this value divided by the number of classes.
 *
 * Source: Kullback & Leibler 1951, https://doi.org/10.1214/aoms/1177729694.
 *
 * @param p Probabilities, (…, classes).
 * @param q Those that p is compared with, of the same shape.
 * @param options `reduction`, `"mean"` by default, over rows; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, one value per row.
 * @throws {TypeError} If the shapes differ, there is no axis, or an option does not exist.
 * @throws {RangeError} If a probability is below 0, or above 1 by more than 1e-3, unless `check` is
 * `false`.
 *
 * @example A certain cell type against a guess
 * ```ts
 * import { klDivergence } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(klDivergence([[1, 0]], [[0.5, 0.5]]).item(), Math.LN2, 1e-6);
 * ```
 */
export function klDivergence(
  p: TensorLike,
  q: TensorLike,
  options: DivergenceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("klDivergence", "options", 3, arguments);
  const [one, other, reduction] = readPair("klDivergence", p, q, options);
  const isEmpty = equal(one, 0);
  const nothing = mul(other, 0); // NaN of NaN
  const terms = where(isEmpty, nothing, relativeEntropy(one, other));
  const excess = where(isEmpty, nothing, sub(one, other));
  const rows = add(sum(terms, { axis: -1 }), sum(excess, { axis: -1 }));
  return reduceLosses(rows, reduction);
}

/**
 * Jensen-Shannon divergence of two distributions: the mean of what each diverges from their mean.
 * Lower is better; where rows sum to 1, in [0, log 2] nats, 0 where they are equal and log 2 where no
 * class has both.
 *
 * `JS = ½ KL(p | m) + ½ KL(q | m)`, with `m = ½ (p + q)`, over the last axis
 *
 * It is the same both ways, and finite where probabilities are 0. One value per row, and the mean is
 * over rows. Where a probability is 0, it has gradient 0, as in {@linkcode klDivergence}.
 *
 * **Differs from SciPy's** `jensenshannon`, which is the square root of it, and normalises rows.
 *
 * Source: Lin 1991, https://doi.org/10.1109/18.61115.
 *
 * @param p Probabilities, (…, classes).
 * @param q Others, of the same shape.
 * @param options `reduction`, `"mean"` by default, over rows; `check`, `true`.
 * @returns A scalar; with `reduction: "none"`, one value per row.
 * @throws {TypeError} If the shapes differ, there is no axis, or an option does not exist.
 * @throws {RangeError} If a probability is below 0, or above 1 by more than 1e-3, unless `check` is
 * `false`.
 *
 * @example Distributions without a common class
 * ```ts
 * import { jensenShannonDivergence } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const divergence = jensenShannonDivergence([[1, 0]], [[0, 1]]);
 * assertAlmostEquals(divergence.item(), Math.LN2, 1e-6);
 * ```
 */
export function jensenShannonDivergence(
  p: TensorLike,
  q: TensorLike,
  options: DivergenceOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("jensenShannonDivergence", "options", 3, arguments);
  const [one, other, reduction] = readPair("jensenShannonDivergence", p, q, options);
  const middle = div(add(one, other), 2);
  const both = add(relativeEntropy(one, middle), relativeEntropy(other, middle));
  const terms = where(equal(middle, 0), 0, both);
  return reduceLosses(div(sum(terms, { axis: -1 }), 2), reduction);
}

function readPair(
  caller: string,
  p: TensorLike,
  q: TensorLike,
  options: DivergenceOptions,
): [Tensor, Tensor, Reduction] {
  const { reduction, check } = readOptions(caller, options, { reduction: "mean", check: true });
  checkReduction(caller, reduction);
  checkBoolean(caller, "check", check);
  const [one, other] = readEntries(caller, { p, q }) as [Tensor, Tensor];
  checkRows(caller, "p", one);
  if (check) checkShares(caller, "p", one);
  if (check) checkShares(caller, "q", other);
  return [one, other, reduction];
}
