/**
 * Samplers of whole numbers, and of choices among them.
 *
 * @module
 */
import {
  add,
  broadcastTo,
  cast,
  div,
  greater,
  greaterEqual,
  log,
  max,
  reshape,
  slice,
  sqrt,
  sub,
  sum,
  topK,
} from "../ops/mod.ts";
import { checkBoolean, checkNumber, checkTensorLike, readOptions, refuseMore } from "../options.ts";
import { checkRangeOp } from "../ranges.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import { asOperand, asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { categorical, permutation, type SampleOptions } from "./discrete.ts";
import { exponential } from "./exponential.ts";
import { checkDrawn, checkFits, checkKey, checkOrderOp, integersOp, MOST_DRAWN } from "./ops.ts";

/**
 * Whole numbers that are equally likely: `low`, `low + 1`, …, `high − 1`.
 *
 * None is likelier than another, whatever the range: as many bits as the range needs are drawn, and
 * drawn anew where they lead beyond it. `jax.random.randint` takes a remainder instead, which favours
 * some numbers of large ranges a little.
 *
 * @param key A random key.
 * @param low The smallest number, from −2³¹ on.
 * @param high The end of the range, itself never drawn, up to 2³¹.
 * @param options `shape`, by default that to which `low` and `high` broadcast; both broadcast to it.
 * @returns An `int32` tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, `low` or `high` is no whole number, the shapes do
 * not fit or an option is unknown.
 * @throws {RangeError} If `low` is not less than `high`, or one of them out of range.
 *
 * @example Throws of a die
 * ```ts
 * import { integers, key } from "@cellgrad/cellgrad/random";
 * import { assert } from "@std/assert";
 *
 * const throws = integers(key(0), 1, 7, { shape: [100] });
 * assert(throws.data.every((n) => n >= 1 && n <= 6));
 * ```
 */
export function integers(
  key: Tensor,
  low: TensorLike,
  high: TensorLike,
  options: SampleOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("integers", "options", 4, arguments);
  const settled = readOptions("integers", options, { shape: undefined });
  checkKey("integers", key);
  const first = wholeNumbers("low", low, 0);
  const last = wholeNumbers("high", high, 1);
  const { shape = broadcastShapes("integers", first.shape, last.shape) } = settled;
  checkDrawn("integers", shape);
  checkFits("integers", "low", first.shape, shape);
  checkFits("integers", "high", last.shape, shape);
  checkOrder(low, high, first, last);
  const width = sub(last, first);
  const most = width.size === 1 ? width : broadcastTo(width, shape);
  return add(first, apply(integersOp, [key, most], { shape: [...shape], dtype: "int32" }));
}

/** A bound as `int32`, less what it exceeds the last number by. */
function wholeNumbers(argument: string, value: TensorLike, excess: number): Tensor {
  checkTensorLike("integers", argument, value);
  if (typeof value === "number") {
    const limits = { min: -(2 ** 31) + excess, max: 2 ** 31 - 1 + excess, integer: true };
    checkNumber("integers", argument, value, limits);
    return asTensor(value - excess, "int32");
  }
  const x = asTensor(value, "int32", "integers", argument);
  if (x.dtype !== "int32") {
    throw new TypeError(
      `Cannot compute integers as ${argument} must be int32: current dtype is ${x.dtype}`,
    );
  }
  return excess === 0 ? x : sub(x, excess);
}

/** Throws a `RangeError` where there is no number to draw. */
function checkOrder(low: TensorLike, high: TensorLike, first: Tensor, last: Tensor): void {
  if (typeof low === "number" && typeof high === "number") {
    if (low < high) return;
    throw new RangeError(
      `Cannot compute integers as low must be less than high: ` +
        `current values are ${low} and ${high}`,
    );
  }
  // One less than the least number is the largest: an end that was given is looked at as it was.
  const holds = typeof high === "number" ? greaterEqual(last, first) : greater(add(last, 1), first);
  apply(checkOrderOp, [cast(holds, "int32")], null);
}

/** Options of {@linkcode choice}. */
export interface ChoiceOptions {
  /** The extents of the result; `[]`, one choice, by default. */
  shape?: Shape | undefined;
  /** Whether the same may be chosen again; `true` by default. */
  replace?: boolean | undefined;
  /** How likely each is, in proportion; by default all are equally likely. */
  weights?: TensorLike | undefined;
}

/**
 * Choices among the numbers 0 … n − 1, as positions of rows or cells: `gather(x, choice(…))`.
 *
 * Without replacement none is chosen twice; with weights, each choice is made among those that are
 * left, in proportion to their weights, as `numpy.random.choice` makes it (an exponential race:
 * Efraimidis and Spirakis 2006, https://doi.org/10.1016/j.ipl.2005.11.003).
 *
 * @param key A random key.
 * @param n Among how many.
 * @param options `shape`, `[]` by default; `replace`, `true` by default; `weights`, one number of at
 * least 0 for each of the `n`: they need not add up to 1, and what has weight 0 is never chosen.
 * @returns An `int32` tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, `weights` has another shape than [n] or an option is
 * unknown.
 * @throws {RangeError} If `n` is no whole number from 1 to 2³¹ − 1 (to 2²⁹ without replacement), a
 * weight is negative or not finite, all are 0, or without replacement there are fewer to choose from
 * than choices.
 *
 * @example Three of ten cells, none twice
 * ```ts
 * import { choice, key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const cells = choice(key(0), 10, { shape: [3], replace: false });
 * assertEquals(new Set(cells.data).size, 3);
 * ```
 */
export function choice(key: Tensor, n: number, options: ChoiceOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("choice", "options", 3, arguments);
  const defaults = { shape: [] as Shape, replace: true, weights: undefined };
  const { shape, replace, weights } = readOptions("choice", options, defaults);
  checkKey("choice", key);
  checkBoolean("choice", "replace", replace);
  checkNumber("choice", "n", n, { integer: true, min: 1, max: replace ? 2 ** 31 - 1 : MOST_DRAWN });
  checkDrawn("choice", shape);
  const count = sizeOf(shape);
  if (!replace && count > n) {
    throw new RangeError(
      `Cannot compute choice as there must be no more choices than n without replacement: ` +
        `current values are ${count} and ${n}`,
    );
  }
  if (weights !== undefined) {
    const rates = ratesOf(weights, n, replace ? 1 : count);
    if (replace) return categorical(key, log(div(rates, max(rates))), { shape });
    // Fourth roots keep the order of times, whose quotients might leave the range of numbers.
    const times = fourthRoot(exponential(key, [n], { dtype: rates.dtype }));
    const arrivals = div(times, fourthRoot(rates));
    return reshape(topK(arrivals, count, { largest: false }).indices, shape);
  }
  if (replace) return integers(key, 0, n, { shape });
  return reshape(slice(permutation(key, n), [0], [count]), shape);
}

function fourthRoot(x: Tensor): Tensor {
  return sqrt(sqrt(x));
}

/** Weights as floating numbers, of which at least some are not 0. */
function ratesOf(weights: TensorLike, n: number, least: number): Tensor {
  checkTensorLike("choice", "weights", weights);
  const given = asOperand("choice", weights, "weights");
  if (given.rank !== 1 || given.size !== n) {
    throw new TypeError(
      `Cannot compute choice as weights must have one number for each of n: ` +
        `current shape is ${formatShape(given.shape)}, current n is ${n}`,
    );
  }
  const x = given.dtype === "float64" ? given : cast(given, "float32");
  const limits = { low: 0, high: Number.MAX_VALUE, nan: true } as const;
  const caller = "choice";
  apply(checkRangeOp, [x], { caller, must: "weights must be finite and at least 0", ...limits });
  apply(checkRangeOp, [sum(cast(greater(x, 0), x.dtype))], {
    caller,
    must: `weights must be above 0 for as many as are chosen, ${least}`,
    low: least,
    high: n,
    what: "count of those at position",
  });
  return x;
}
