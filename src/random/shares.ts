/**
 * Samplers of shares: numbers that add up to 1.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import {
  add,
  broadcastTo,
  cast,
  div,
  exp,
  max,
  mul,
  neg,
  slice,
  squeeze,
  stack,
  stopGradient,
  sub,
  sum,
} from "../ops/mod.ts";
import { checkTensorLike, readOptions, refuseMore } from "../options.ts";
import { checkRangeOp } from "../ranges.ts";
import { broadcastShapes, formatShape, type Shape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { waitingTimes } from "./exponential.ts";
import { split } from "./keys.ts";
import { checkDrawn, checkFits, checkFloating, checkKey, gammaOp } from "./ops.ts";

/** Options of {@linkcode beta} and {@linkcode dirichlet}. */
export interface SharesOptions {
  /** The extents of what is drawn; by default those of the distribution's parameters. */
  shape?: Shape | undefined;
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/** The options with their defaults, once the key and the type are what they must be. */
export function settle(
  caller: string,
  key: Tensor,
  options: SharesOptions,
): { shape: Shape | undefined; dtype: DType } {
  const { shape, dtype } = readOptions(caller, options, { shape: undefined, dtype: "float32" });
  checkKey(caller, key);
  checkFloating(caller, dtype as DType);
  return { shape, dtype: dtype as DType };
}

/**
 * Numbers from a beta distribution: density proportional to `x^(a − 1)·(1 − x)^(b − 1)` on [0, 1],
 * mean `a / (a + b)`.
 *
 * Drawn as the share of one gamma number in two, exactly also where `a` and `b` are so small that
 * all draws are next to 0 or 1. As {@linkcode gamma} has none, there is no gradient with respect to
 * `a` and `b`.
 *
 * @param key A random key.
 * @param a Positive numbers, from 2⁻¹²⁶ to 2¹⁰⁰.
 * @param b The same.
 * @param options `shape`, to which `a` and `b` broadcast, by default that to which they broadcast
 * together; `dtype`.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If `a` or `b` is out of range.
 *
 * @example Shares of methylated sites
 * ```ts
 * import { beta, key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const shares = beta(key(0), 2, 6, { shape: [10_000] });
 * assertAlmostEquals(shares.mean().item(), 0.25, 0.01);
 * ```
 */
export function beta(
  key: Tensor,
  a: TensorLike,
  b: TensorLike,
  options: SharesOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("beta", "options", 4, arguments);
  const settled = settle("beta", key, options);
  const [first, second] = [take("beta", "a", a), take("beta", "b", b)];
  const { dtype, shape = broadcastShapes("beta", first.shape, second.shape) } = settled;
  checkDrawn("beta", shape, 2);
  checkFits("beta", "a", first.shape, shape);
  checkFits("beta", "b", second.shape, shape);
  const both = stack([first, second].map((x) => broadcastTo(x, shape)), { axis: -1 });
  const start = shape.map(() => 0);
  return squeeze(slice(shares(key, both, dtype), [...start, 0], [...shape, 1]), -1);
}

/**
 * Rows of shares from a Dirichlet distribution: density proportional to `∏ xᵢ^(cᵢ − 1)`, each row
 * adds up to 1, means `cᵢ / Σ c`.
 *
 * Drawn as the shares of gamma numbers in their sum, exactly also where concentrations are so small
 * that nearly all of a row is one share. As {@linkcode gamma} has none, there is no gradient with
 * respect to the concentration.
 *
 * @param key A random key.
 * @param concentration Positive numbers, from 2⁻¹²⁶ to 2¹⁰⁰: (…, k).
 * @param options `shape`, that of the draws, to which the axes before the last one broadcast and
 * which they are by default; `dtype`.
 * @returns A tensor of shape (…shape, k).
 * @throws {TypeError} If `key` is no random key, the concentration has no axis or no entry, the
 * shapes do not fit, `dtype` is not floating, or an option is unknown.
 * @throws {RangeError} If a concentration is out of range.
 *
 * @example Shares of 3 cell types in 5 samples
 * ```ts
 * import { dirichlet, key } from "@cellgrad/cellgrad/random";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const shares = dirichlet(key(0), [5, 2, 1], { shape: [5] });
 * assertAllClose(shares.sum({ axis: 1 }), [1, 1, 1, 1, 1]);
 * ```
 */
export function dirichlet(
  key: Tensor,
  concentration: TensorLike,
  options: SharesOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("dirichlet", "options", 3, arguments);
  const settled = settle("dirichlet", key, options);
  const x = take("dirichlet", "concentration", concentration);
  const count = x.shape.at(-1) ?? 0;
  if (count === 0) {
    throw new TypeError(
      `Cannot compute dirichlet as concentration must have at least one entry along the last ` +
        `axis: current shape is ${formatShape(x.shape)}`,
    );
  }
  const batch = x.shape.slice(0, -1);
  const { dtype, shape = batch } = settled;
  checkDrawn("dirichlet", shape, count);
  checkFits("dirichlet", "the concentration without the last axis", batch, shape);
  return shares(key, broadcastTo(x, [...shape, count]), dtype);
}

function take(caller: string, argument: string, value: TensorLike): Tensor {
  checkTensorLike(caller, argument, value);
  const x = asTensor(value, "float64", caller, argument);
  apply(checkRangeOp, [x], {
    caller,
    must: `${argument} must be positive, from 2⁻¹²⁶ to 2¹⁰⁰`,
    low: 2 ** -126,
    high: 2 ** 100,
    nan: true,
  });
  return stopGradient(x);
}

/**
 * Gamma numbers in proportion to the sum of their row. One of a small concentration c would be 0 in
 * any type: it is that of c + 1 times a uniform number to the power 1/c, whose logarithm is kept.
 */
function shares(key: Tensor, concentration: Tensor, dtype: DType): Tensor {
  const [gammaKey, powerKey] = split(key) as [Tensor, Tensor];
  const { shape } = concentration;
  const x = apply(gammaOp, [gammaKey, add(concentration, 1)], { shape, dtype });
  // In parts of 2¹⁶, as times over the least concentrations are out of range.
  const times = mul(waitingTimes(powerKey, shape, dtype), 2 ** -16);
  const power = neg(div(times, cast(concentration, dtype)));
  const below = mul(sub(power, max(power, { axis: -1, keepDims: true })), 2 ** 16);
  const parts = mul(x, exp(below));
  return div(parts, sum(parts, { axis: -1, keepDims: true }));
}
