/**
 * Binary cross entropy of probabilities and of logits.
 *
 * @module
 */
import {
  add,
  cast,
  clip,
  equal,
  log,
  log1p,
  logicalAnd,
  mul,
  neg,
  softplus,
  sub,
  where,
} from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import {
  checkBroadcasts,
  checkSameShape,
  checkTensorLike,
  readOptions,
  refuseMore,
  type Settled,
} from "../options.ts";
import { checkInUnit, checkNotNegative, checkProbabilities } from "../ranges.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { partOf } from "./class_targets.ts";
import { checkReduction, reduceLosses, type Reduction } from "./reduction.ts";

/** Options of {@linkcode binaryCrossEntropyLoss} and {@linkcode binaryCrossEntropyWithLogitsLoss}. */
export interface BinaryCrossEntropyOptions {
  /** A factor of what is there, such as how rare it is; of any shape that broadcasts; none by default. */
  positiveWeight?: TensorLike | undefined;
  /** A factor of every entry, of any shape that broadcasts; none by default. */
  weight?: TensorLike | undefined;
  /** What is returned; `"mean"` by default. */
  reduction?: Reduction | undefined;
}

const DEFAULTS: { positiveWeight: undefined; weight: undefined; reduction: Reduction } = {
  positiveWeight: undefined,
  weight: undefined,
  reduction: "mean",
};

/**
 * Binary cross entropy of probabilities: whether something is there, entry by entry. Lower is better;
 * at least 0, and ∞ for what is certain and wrong.
 *
 * `ℓ = −w [v y log p + (1 − y) log(1 − p)]`, averaged over all entries
 *
 * with targets y in [0, 1], `positiveWeight` v and `weight` w. The mean divides by the number of
 * entries, not by weights. {@linkcode binaryCrossEntropyWithLogitsLoss} of the logits is finite, and
 * keeps the digits of 1 − p: prefer it where they are at hand.
 *
 * **Differs from the original**: PyTorch cuts logarithms at −100, so that a prediction that is certain
 * and wrong costs 100 and has no gradient; here it costs ∞. It has no `positiveWeight` for
 * probabilities.
 *
 * Source: `torch.nn.functional.binary_cross_entropy`.
 *
 * @param probs Probabilities, of any shape; out of [0, 1] by up to 1e-3, they count as 0 or 1.
 * @param targets Shares in [0, 1], of the same shape; 0 and 1 as a rule.
 * @param options `positiveWeight`, none by default; `weight`, none; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"` one loss per entry.
 * @throws {TypeError} If the shapes differ, weights do not broadcast to them, or an option does not
 * exist.
 * @throws {RangeError} If a probability or a target is out of [0, 1] by more than 1e-3, or a weight is
 * negative.
 *
 * @example An even chance costs log 2
 * ```ts
 * import { binaryCrossEntropyLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(binaryCrossEntropyLoss([0.5, 1], [0, 1]).item(), Math.LN2 / 2, 1e-7);
 * ```
 */
export function binaryCrossEntropyLoss(
  probs: TensorLike,
  targets: TensorLike,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("binaryCrossEntropyLoss", "options", 3, arguments);
  const name = "binaryCrossEntropyLoss";
  const settings = readOptions(name, options, DEFAULTS);
  const [p, y] = readEntries(name, "probs", probs, targets);
  checkProbabilities(name, "probs", p);
  const kept = clip(p, 0, 1);
  const [isNone, isAll] = [logicalAnd(equal(y, 0), equal(kept, 0)), equal(y, 1)];
  const there = neg(log(where(isNone, 1, kept)));
  const notThere = neg(log1p(neg(where(logicalAnd(isAll, equal(kept, 1)), 0, kept))));
  return reduceBinary(name, { probs: p }, y, there, notThere, settings);
}

/**
 * Binary cross entropy of logits: whether something is there, entry by entry, as it is for one channel
 * of a segmentation or for labels that do not exclude each other. Lower is better; at least 0, and log
 * 2 for a logit of 0.
 *
 * `ℓ = w [v y softplus(−z) + (1 − y) softplus(z)]`, averaged over all entries
 *
 * with targets y in [0, 1], `positiveWeight` v and `weight` w. Both terms are at least 0, so no digits
 * are lost for logits of any size. The mean divides by the number of entries, not by weights.
 *
 * Source: `torch.nn.functional.binary_cross_entropy_with_logits`, whose `pos_weight` is
 * `positiveWeight`.
 *
 * @param logits Log-odds, of any shape.
 * @param targets Shares in [0, 1], of the same shape; 0 and 1 as a rule.
 * @param options `positiveWeight`, none by default; `weight`, none; `reduction`, `"mean"`.
 * @returns A scalar; with `reduction: "none"` one loss per entry.
 * @throws {TypeError} If the shapes differ, weights do not broadcast to them, or an option does not
 * exist.
 * @throws {RangeError} If a target is out of [0, 1] by more than 1e-3, or a weight is negative.
 *
 * @example Certain and wrong, and still learning
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { binaryCrossEntropyWithLogitsLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = (z: Tensor) => binaryCrossEntropyWithLogitsLoss(z, [1], { positiveWeight: 3 });
 * assertEquals(grad(loss)([-1000]).toArray(), [-3]);
 * ```
 */
export function binaryCrossEntropyWithLogitsLoss(
  logits: TensorLike,
  targets: TensorLike,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("binaryCrossEntropyWithLogitsLoss", "options", 3, arguments);
  const name = "binaryCrossEntropyWithLogitsLoss";
  const settings = readOptions(name, options, DEFAULTS);
  const [z, y] = readEntries(name, "logits", logits, targets);
  return reduceBinary(name, { logits: z }, y, softplus(neg(z)), softplus(z), settings);
}

function readEntries(
  caller: string,
  argument: string,
  inputs: TensorLike,
  targets: TensorLike,
): [Tensor, Tensor] {
  const [x, y] = promoteAll(caller, { [argument]: inputs, targets }).map(floating) as [
    Tensor,
    Tensor,
  ];
  checkSameShape(caller, { [argument]: x, targets: y });
  checkInUnit(caller, "targets", y, undefined);
  return [x, y];
}

/** Weighs the terms of what is there and of what is not, and reduces them. */
function reduceBinary(
  caller: string,
  inputs: Readonly<Record<string, Tensor>>,
  targets: Tensor,
  there: Tensor,
  notThere: Tensor,
  { positiveWeight, weight, reduction }: Settled<BinaryCrossEntropyOptions, typeof DEFAULTS>,
): Tensor {
  checkReduction(caller, reduction);
  const weigh = (x: Tensor, name: string, factor: TensorLike | undefined) =>
    factor === undefined ? x : mul(x, readFactor(caller, name, factor, inputs));
  const found = weigh(there, "positiveWeight", positiveWeight);
  const losses = add(partOf(targets, found), partOf(sub(1, targets), notThere));
  return reduceLosses(weigh(losses, "weight", weight), reduction);
}

/** Weights that broadcast to the inputs, in their type. */
export function readFactor(
  caller: string,
  name: string,
  factor: TensorLike,
  inputs: Readonly<Record<string, Tensor>>,
): Tensor {
  checkTensorLike(caller, name, factor);
  const { dtype } = Object.values(inputs)[0]!;
  const factors = asTensor(factor, dtype, caller, name);
  checkBroadcasts(caller, { [name]: factors }, inputs);
  checkNotNegative(caller, name, factors);
  return cast(factors, dtype);
}
