/**
 * Samplers of events, classes, counts and orders.
 *
 * @module
 */
import { checkNumber, readOptions, refuseMore } from "../options.ts";
import { gather, max } from "../ops/mod.ts";
import { formatShape, type Shape } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import {
  bernoulliOp,
  categoricalOp,
  checkDrawn,
  checkFits,
  checkKey,
  checkLargestOp,
  parameterFor,
  permutationOp,
  poissonOp,
} from "./ops.ts";

/** The shape of what is drawn. */
export interface SampleOptions {
  /** The extents of the result; by default those of the distribution's parameter. */
  shape?: Shape | undefined;
}

const DEFAULTS = { shape: undefined };

/**
 * Booleans that are true with a given probability: masks for dropout and for masked genes.
 *
 * @param key A random key.
 * @param probability Numbers from 0 (never) to 1 (always).
 * @param options `shape`, which `probability` broadcasts to.
 * @returns A `bool` tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit or an option is unknown.
 * @throws {RangeError} If a probability is not in [0, 1].
 *
 * @example A mask that hides 15 % of the genes
 * ```ts
 * import { mean } from "@cellgrad/cellgrad";
 * import { bernoulli, key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const mask = bernoulli(key(0), 0.15, { shape: [100, 100] });
 * assertAlmostEquals(mean(mask).item(), 0.15, 0.02);
 * ```
 */
export function bernoulli(
  key: Tensor,
  probability: TensorLike,
  options: SampleOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("bernoulli", "options", 3, arguments);
  checkKey("bernoulli", key);
  const { parameter, shape } = parameterFor(
    "bernoulli",
    "probability",
    probability,
    readOptions("bernoulli", options, DEFAULTS).shape,
  );
  return apply(bernoulliOp, [key, parameter], { shape, dtype: "bool" });
}

/**
 * Class numbers, drawn with the probabilities `softmax(logits)`.
 *
 * @param key A random key.
 * @param logits Unnormalised log-probabilities of the classes along the last axis; `-Infinity`
 * stands for a class that is never drawn.
 * @param options `shape`, by default that of the logits without the last axis, which broadcasts to
 * it.
 * @returns An `int32` tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the logits have no axis or no class, the shapes do
 * not fit or an option is unknown.
 * @throws {RangeError} If the largest logit of a row is not finite.
 *
 * @example Three cells of two possible types
 * ```ts
 * import { categorical, key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const types = categorical(key(0), [-Infinity, 0], { shape: [3] });
 * assertEquals(types.toArray(), [1, 1, 1]);
 * ```
 */
export function categorical(
  key: Tensor,
  logits: TensorLike,
  options: SampleOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("categorical", "options", 3, arguments);
  checkKey("categorical", key);
  const operand = asTensor(logits, "float64", "categorical", "logits");
  if (operand.rank === 0 || operand.shape[operand.rank - 1] === 0) {
    throw new TypeError(
      `Cannot compute categorical as logits must have at least one class along the last axis: ` +
        `current shape is ${formatShape(operand.shape)}`,
    );
  }
  const batch = operand.shape.slice(0, -1);
  const { shape = batch } = readOptions("categorical", options, DEFAULTS);
  checkDrawn("categorical", shape);
  checkFits("categorical", "the logits without the last axis", batch, shape);
  apply(checkLargestOp, [max(operand, { axis: -1 })], null);
  return apply(categoricalOp, [key, operand], { shape: [...shape], dtype: "int32" });
}

/**
 * Counts from a Poisson distribution.
 *
 * Exact at all rates: inversion below a rate of 10, transformed rejection from there on.
 *
 * @param key A random key.
 * @param rate The expected counts, from 0 to 2³⁰.
 * @param options `shape`, which `rate` broadcasts to.
 * @returns An `int32` tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit or an option is unknown.
 * @throws {RangeError} If a rate is negative, larger than 2³⁰ or NaN.
 *
 * @example Molecules of two genes
 * ```ts
 * import { mean } from "@cellgrad/cellgrad";
 * import { key, poisson } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = poisson(key(0), [0, 3], { shape: [1000, 2] });
 * assertEquals(Array.from(mean(counts, { axis: 0 }).data, Math.round), [0, 3]);
 * ```
 */
export function poisson(key: Tensor, rate: TensorLike, options: SampleOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("poisson", "options", 3, arguments);
  checkKey("poisson", key);
  const settled = readOptions("poisson", options, DEFAULTS);
  const { parameter, shape } = parameterFor("poisson", "rate", rate, settled.shape);
  return apply(poissonOp, [key, parameter], { shape, dtype: "int32" });
}

/**
 * The numbers 0 … n − 1, or the rows of a tensor, in random order; all orders are equally likely.
 *
 * Gradients reach the rows.
 *
 * @param key A random key.
 * @param x How many numbers, or the rows.
 * @returns An `int32` tensor of shape [n], or a tensor like `x` with its rows (first axis)
 * rearranged.
 * @throws {TypeError} If `key` is no random key or `x` a tensor without axes.
 * @throws {RangeError} If `x` is a number but not a whole one from 0 to 2³¹ − 1.
 *
 * @example Cells in random order
 * ```ts
 * import { key, permutation } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const order = permutation(key(0), 5);
 * assertEquals([...order.data].sort(), [0, 1, 2, 3, 4]);
 * ```
 */
export function permutation(key: Tensor, x: number | TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("permutation", "x", 2, arguments);
  checkKey("permutation", key);
  if (typeof x === "number") {
    checkNumber("permutation", "x", x, { integer: true, min: 0, max: 2 ** 31 - 1 });
    return apply(permutationOp, [key], { shape: [x], dtype: "int32" });
  }
  const rows = asOperand("permutation", x);
  if (rows.rank === 0) {
    throw new TypeError(
      `Cannot compute permutation as x must be a number of elements or a tensor with rows: ` +
        `current shape is []`,
    );
  }
  return gather(rows, permutation(key, rows.shape[0]!));
}
