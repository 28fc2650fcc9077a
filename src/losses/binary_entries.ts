/**
 * Losses of channels by themselves: is the class of the channel there, at each position?
 *
 * @module
 */
import { add, expandDims, mul, neg, slice, softplus, sub, sum, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { readFactor } from "./binary_cross_entropy.ts";
import { alongClasses, readWeight } from "./class_logits.ts";
import { type ClassTargets, finiteWherePresent, sharesOf } from "./class_targets.ts";
import { reduceLosses, type Reduction } from "./reduction.ts";

/** What {@linkcode binaryEntries} needs to know. */
export interface BinaryEntriesOptions {
  /** The first class that counts; 0 by default. */
  first?: 0 | 1;
  /** One weight per class; none by default. */
  weight?: TensorLike | undefined;
  /** A factor of what is there; none by default. */
  positiveWeight?: TensorLike | undefined;
  /** The loss of `−log p_t` and its weight; their product by default. */
  loss?: (negLogPt: Tensor, weight: Tensor | null) => Tensor;
}

/** Losses of all entries (N, C, …spatial), 0 where nothing counts, and how many count. */
export interface Entries {
  /** One per entry. */
  losses: Tensor;
  /** The number of entries of positions that count. */
  count: TensorLike;
}

/** The loss of each entry of logits, one channel per class, with `p = σ(z)`. */
export function binaryEntries(
  caller: string,
  targets: ClassTargets,
  { first = 0, weight, positiveWeight, loss = weighted }: BinaryEntriesOptions,
): Entries {
  const { keep, logits } = targets;
  const { predicted: z, actual: y } = sharesOf(targets, "none", first);
  const all = weight === undefined ? null : readWeight(caller, weight, targets.classes, z.dtype);
  const weights = all && alongClasses(slice(all, first), logits);
  const factor = positiveWeight === undefined
    ? 1
    : readFactor(caller, "positiveWeight", positiveWeight, { logits: z });
  if (y.dtype !== "bool") {
    const none = sub(1, y);
    const there = loss(finiteWherePresent(y, softplus(neg(z))), weights);
    const notThere = loss(finiteWherePresent(none, softplus(z)), weights);
    return { losses: add(mul(mul(y, there), factor), mul(none, notThere)), count: z.size };
  }
  const terms = mul(loss(softplus(where(y, neg(z), z)), weights), where(y, factor, 1));
  if (keep === null) return { losses: terms, count: terms.size };
  return { losses: where(expandDims(keep, 1), terms, 0), count: mul(sum(keep), z.shape[1]!) };
}

function weighted(negLogPt: Tensor, weight: Tensor | null): Tensor {
  return weight === null ? negLogPt : mul(negLogPt, weight);
}

/** The binary cross entropy of all channels, reduced. */
export function binaryCrossEntropyOf(
  caller: string,
  targets: ClassTargets,
  options: BinaryEntriesOptions & { reduction: Reduction },
): Tensor {
  const { losses, count } = binaryEntries(caller, targets, options);
  return reduceLosses(losses, options.reduction, count);
}
