/**
 * Proxies of classes as anchors.
 *
 * @module
 */
import {
  add,
  any,
  cast,
  cosineSimilarity,
  div,
  logicalNot,
  logSumExp,
  mul,
  softplus,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { ownClass } from "./class_logits.ts";
import { readClassRows } from "./class_rows.ts";
import { checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode proxyAnchorLoss}. */
export interface ProxyAnchorOptions {
  /** How far cosines should be above 0 for the own class, and below for others, δ; 0.1 by default. */
  margin?: number | undefined;
  /** How strongly the hardest cells count, α, above 0; 32 by default. */
  alpha?: number | undefined;
}

/**
 * Proxy anchor loss: each class has a learned proxy, which draws the cells of its class near and
 * pushes all others away, the hardest ones most. Lower is better; at least 0.
 *
 * `L = 1/|P⁺| Σ_{p ∈ P⁺} log(1 + Σ_{x ∈ p} exp(−α (s_xp − δ))) +
 *      1/C Σ_p log(1 + Σ_{x ∉ p} exp(α (s_xp + δ)))`,
 * with cosines s and the proxies P⁺ of classes that have cells in the batch
 *
 * It compares n cells with C proxies, in time and memory of n C. Only directions count. An embedding
 * of all zeros has cosine 0 to all proxies, and a finite, though steep, gradient. All is in log
 * space: no α overflows.
 *
 * Source: Kim et al. 2020, arXiv:2003.13911, equation 4; the authors' code,
 * https://github.com/tjddus9597/Proxy-Anchor-CVPR2020, takes the exponentials themselves, and is
 * infinite in float32 from `α (s + δ) = 89` on.
 *
 * @param embeddings (n, d): one embedding per cell.
 * @param proxies (C, d): one direction per class.
 * @param labels (n): for each cell its class, whole numbers in [0, C).
 * @param options `margin`, δ, 0.1 by default; `alpha`, α, 32.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the shapes do not fit, there is no cell or no class, labels are not whole
 * numbers, or an option does not exist.
 * @throws {RangeError} If a label names no class, `margin` is negative, or `alpha` is not above 0.
 *
 * @example A cell at a right angle to both proxies
 * ```ts
 * import { proxyAnchorLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const proxies = [[1, 0, 0], [0, 1, 0]];
 * const loss = proxyAnchorLoss([[0, 0, 1]], proxies, [0], { margin: 0.5, alpha: 2 });
 * assertAlmostEquals(loss.item(), 1.5 * Math.log(1 + Math.E), 1e-6); // 1/1 of one, 1/2 of the other
 * ```
 */
export function proxyAnchorLoss(
  embeddings: TensorLike,
  proxies: TensorLike,
  labels: TensorLike,
  options: ProxyAnchorOptions = {},
): Tensor {
  const caller = "proxyAnchorLoss";
  if (arguments.length > 4) refuseMore(caller, "options", 4, arguments);
  const { margin, alpha } = readOptions(caller, options, { margin: 0.1, alpha: 32 });
  checkNumber(caller, "margin", margin, { min: 0 });
  checkNumber(caller, "alpha", alpha, { above: 0 });
  const read = readClassRows(caller, embeddings, { proxies }, labels);
  const classes = read.rows.shape[0]!;
  const logits = cosineSimilarity(read.cells, read.rows);
  const isOwn = ownClass({ logits, labels: read.labels, keep: null, classes });
  const near = softplus(logSumOf(isOwn, mul(sub(logits, margin), -alpha)));
  const far = softplus(logSumOf(logicalNot(isOwn), mul(add(logits, margin), alpha)));
  const present = sum(cast(any(isOwn, { axis: 0 }), logits.dtype));
  return add(div(sum(near), present), div(sum(far), classes));
}

/** The logarithm of each column's sum of the exponentials that count: their exponential is 0 where none does. */
function logSumOf(counts: Tensor, x: Tensor): Tensor {
  return logSumExp(where(counts, x, -1e30), { axis: 0 });
}
