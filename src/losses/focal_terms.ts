/**
 * Focal losses of positions and of channels: what easy ones are turned down by.
 *
 * @module
 */
import {
  cast,
  equal,
  expandDims,
  expm1,
  gather,
  mul,
  neg,
  notEqual,
  pow,
  slice,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { checkBoolean, checkNumber } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { binaryEntries, type Entries } from "./binary_entries.ts";
import {
  alongClasses,
  type ClassLogits,
  negLogLikelihood,
  readWeight,
  shiftLogits,
} from "./class_logits.ts";
import { type Activation, type ClassTargets, finiteWherePresent } from "./class_targets.ts";

/** What {@linkcode focalLosses} needs to know. */
export interface FocalSettings {
  /** The focusing exponent. */
  gamma: number;
  /** One weight per class. */
  weight: TensorLike | undefined;
  /** Whether p_t is taken from the weighted cross entropy. */
  ptFromWeighted: boolean;
}

/** Throws unless γ and the kind of p_t will do. */
function checkFocal(caller: string, { gamma, ptFromWeighted }: FocalSettings): void {
  checkNumber(caller, "gamma", gamma, { min: 0 });
  checkBoolean(caller, "ptFromWeighted", ptFromWeighted);
}

/** The focal loss of every position, with its settings checked in the name of the caller. */
export function focalLosses(
  caller: string,
  { logits, labels, classes }: ClassLogits,
  settings: FocalSettings,
  isCounted?: Tensor,
): Tensor {
  checkFocal(caller, settings);
  const { gamma, weight, ptFromWeighted } = settings;
  const all = negLogLikelihood(logits, labels);
  const plain = isCounted === undefined ? all : finiteWherePresent(isCounted, all);
  if (weight === undefined) return focalTerms(plain, gamma);
  const weighted = mul(gather(readWeight(caller, weight, classes, logits.dtype), labels), plain);
  return focalTerms(weighted, gamma, ptFromWeighted ? weighted : plain);
}

/** Losses of positions, 0 where they do not count, and how many do. */
export function countPositions(losses: Tensor, { keep }: { keep: Tensor | null }): Entries {
  if (keep === null) return { losses, count: losses.size };
  return { losses: where(keep, losses, 0), count: sum(keep) };
}

/** The focal losses of positions, or of the channels by themselves, and how many count. */
export function focalEntries(
  caller: string,
  targets: ClassTargets,
  settings: FocalSettings & { activation: Activation; includeBackground: boolean },
): Entries {
  checkFocal(caller, settings);
  const { gamma, weight, ptFromWeighted, activation, includeBackground } = settings;
  const first = includeBackground ? 0 : 1;
  const focal = (plain: Tensor, weights: Tensor | null) => {
    const weighted = weights === null ? plain : mul(weights, plain);
    return focalTerms(weighted, gamma, ptFromWeighted ? weighted : plain);
  };
  if (activation === "sigmoid") {
    return binaryEntries(caller, targets, { first, weight, loss: focal });
  }
  if (targets.labels !== null) {
    if (first === 0) return countPositions(focalLosses(caller, targets, settings), targets);
    const isCounted = cast(notEqual(targets.labels, 0), targets.logits.dtype);
    const losses = focalLosses(caller, targets, settings, isCounted);
    return countPositions(mul(isCounted, losses), targets);
  }
  const { logits, shares, classes } = targets;
  const from = (x: Tensor) => first === 0 ? x : slice(x, [0, first]);
  const { shifted, logSum } = shiftLogits(logits);
  const y = from(shares);
  const plain = finiteWherePresent(y, from(sub(expandDims(logSum, 1), shifted)));
  const weights = weight === undefined ? null : readWeight(caller, weight, classes, logits.dtype);
  const terms = focal(plain, weights && from(alongClasses(weights, logits)));
  return countPositions(sum(mul(y, terms), { axis: 1 }), targets);
}

/** `(1 − p_t)^γ ℓ` of each position, from the losses ℓ and `−log p_t`, which are the same by default. */
export function focalTerms(loss: Tensor, gamma: number, negLogPt: Tensor = loss): Tensor {
  return gamma === 0 ? loss : mul(loss, focus(negLogPt, gamma));
}

/** `(1 − e^−ℓ)^γ`, with gradient 0 at ℓ = 0 and ℓ = ∞, for γ > 0. */
function focus(loss: Tensor, gamma: number): Tensor {
  const miss = neg(expm1(neg(loss)));
  return where(equal(loss, Infinity), 1, powerOfMiss(miss, gamma));
}

/** `x^γ` for γ > 0, with gradient 0 at 0. */
export function powerOfMiss(miss: Tensor, gamma: number): Tensor {
  const perfect = equal(miss, 0);
  return where(perfect, 0, pow(where(perfect, 1, miss), gamma));
}
