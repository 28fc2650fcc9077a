/**
 * Relative error over the masked entries.
 *
 * @module
 */
import { abs, add, div, sub, where } from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { checkEmptyMask, type EmptyMask, maskedMean, readMasked } from "./reduction.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode maskedRelativeError}. */
export interface MaskedRelativeErrorOptions {
  /** Added to the denominator; 1e-6 by default. */
  epsilon?: number | undefined;
  /** Whether errors are divided by the target or by its absolute value; `"signed"` by default. */
  denominator?: "signed" | "abs" | undefined;
  /** What a mask that selects nothing gives; `"zero"` by default. */
  emptyMask?: EmptyMask | undefined;
}

/**
 * Mean relative error over the entries that a mask selects: a number to watch during training (`mre`
 * in scGPT and scFormer). Lower is better where targets are at least 0; it has no unit.
 *
 * `L = Σ m |x − t| / (t + ε) / Σ m`
 *
 * The denominator is the target itself, as in the originals: negative targets count negatively, and
 * a target of 0 multiplies its error by 1/ε, a million. For data with negative values, such as
 * scaled expression, take `denominator: "abs"`, which divides by |t| + ε and is at least 0.
 *
 * The gradient by the input is `sign(x − t) / (t + ε)` over the count, and 0 where x = t and off the
 * mask.
 *
 * **Differs from the originals**, which fail on an empty mask (here 0, unless `emptyMask` says
 * otherwise) and, as their annotation invites, take an integer mask for row numbers: here zeros and
 * ones select, whatever their type.
 *
 * Source: scGPT `scgpt/loss.py`, `masked_relative_error`; the same text is in scFormer
 * `examples/perturbation/dev_perturb.py`.
 *
 * @param input Predictions, of any shape.
 * @param target True values, of the same shape.
 * @param mask Which entries count: booleans, or zeros and ones, of the same shape.
 * @param options `epsilon`, 1e-6 by default; `denominator`, `"signed"`; `emptyMask`, `"zero"`.
 * @returns The error, a scalar.
 * @throws {TypeError} If the shapes differ, or an option does not exist.
 * @throws {RangeError} If the mask holds anything but zeros and ones, or an option is out of range.
 *
 * @example A tenth too much, and a tenth too little
 * ```ts
 * import { maskedRelativeError } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const error = maskedRelativeError([1.1, 1.8, 7], [1, 2, 0], [1, 1, 0]);
 * assertAlmostEquals(error.item(), 0.1, 1e-6);
 * ```
 */
export function maskedRelativeError(
  input: TensorLike,
  target: TensorLike,
  mask: TensorLike,
  options: MaskedRelativeErrorOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("maskedRelativeError", "options", 4, arguments);
  const name = "maskedRelativeError";
  const { epsilon, denominator, emptyMask } = readOptions(name, options, {
    epsilon: 1e-6,
    denominator: "signed",
    emptyMask: "zero",
  });
  checkNumber(name, "epsilon", epsilon, { min: 0 });
  checkChoice(name, "denominator", denominator, ["signed", "abs"]);
  const { values: [x, t], mask: selected } = readMasked(name, { input, target }, mask);
  checkEmptyMask(name, emptyMask, selected);
  const error = abs(where(selected, sub(x, t), 0));
  const truth = where(selected, t, 1);
  const scale = add(denominator === "abs" ? abs(truth) : truth, epsilon);
  return maskedMean(div(error, scale), selected, emptyMask);
}
