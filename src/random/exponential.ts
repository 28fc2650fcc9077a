/**
 * Samplers of waiting times, and of what is made of them.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { log, neg, sub } from "../ops/mod.ts";
import { readOptions, refuseMore } from "../options.ts";
import type { Shape } from "../shape.ts";
import { asTensor, type Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { split } from "./keys.ts";
import { checkDrawn, checkFloating, checkKey, gammaOp } from "./ops.ts";

/** The type of what is drawn. */
export interface SampleTypeOptions {
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/** The type to draw, once the arguments are what they must be. */
function typeOf(caller: string, key: Tensor, shape: Shape, options: SampleTypeOptions): DType {
  const { dtype } = readOptions(caller, options, { dtype: "float32" });
  checkKey(caller, key);
  checkDrawn(caller, shape);
  checkFloating(caller, dtype as DType);
  return dtype as DType;
}

/** Exponential numbers: those of a gamma distribution of concentration 1. */
export function waitingTimes(key: Tensor, shape: Shape, dtype: DType): Tensor {
  return apply(gammaOp, [key, asTensor(1, "float64")], { shape: [...shape], dtype });
}

/**
 * Numbers from the exponential distribution of rate 1: density `e^(−x)` for x ≥ 0, mean 1.
 *
 * Divide by a rate for another one; gradients reach it. Drawn as gamma numbers of concentration 1,
 * which are never 0 and have all their digits near it; `−log(u)` of a `float32` number `u` would have
 * gaps there, and no value above 16.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `dtype`, `float32` by default.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, `shape` no shape, `dtype` not floating, or an option
 * is unknown.
 *
 * @example Waiting times of rate 2
 * ```ts
 * import { exponential, key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const times = exponential(key(0), [10_000]).div(2);
 * assertAlmostEquals(times.mean().item(), 0.5, 0.02);
 * ```
 */
export function exponential(key: Tensor, shape: Shape, options: SampleTypeOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("exponential", "options", 3, arguments);
  return waitingTimes(key, shape, typeOf("exponential", key, shape, options));
}

/**
 * Numbers from the Laplace distribution of mean 0 and scale 1: density `½·e^(−|x|)`, variance 2.
 *
 * Drawn as the difference of two exponential numbers; multiply by a scale and add a mean for others.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `dtype`, `float32` by default.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, `shape` no shape, `dtype` not floating, or an option
 * is unknown.
 *
 * @example Noise with heavy tails
 * ```ts
 * import { key, laplace } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const noise = laplace(key(0), [10_000]);
 * assertAlmostEquals(noise.abs().mean().item(), 1, 0.05);
 * ```
 */
export function laplace(key: Tensor, shape: Shape, options: SampleTypeOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("laplace", "options", 3, arguments);
  const dtype = typeOf("laplace", key, shape, options);
  const [above, below] = split(key).map((own) => waitingTimes(own, shape, dtype));
  return sub(above!, below!);
}

/**
 * Numbers from the standard Gumbel distribution: `P(x ≤ t) = exp(−e^(−t))`, mean 0.5772.
 *
 * The largest of `logits + gumbel` is a class drawn with the probabilities `softmax(logits)`, and
 * `softmax((logits + gumbel) / temperature)` its smooth form, through which gradients pass (Jang, Gu
 * and Poole 2017, https://arxiv.org/abs/1611.01144). Drawn as `−log` of exponential numbers.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `dtype`, `float32` by default.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, `shape` no shape, `dtype` not floating, or an option
 * is unknown.
 *
 * @example Soft assignments of 4 cells to 3 types
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { gumbel, key } from "@cellgrad/cellgrad/random";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const logits = tensor([1, 0, -1]);
 * const soft = gumbel(key(0), [4, 3]).add(logits).div(0.5).softmax();
 * assertAllClose(soft.sum({ axis: 1 }), [1, 1, 1, 1]);
 * ```
 */
export function gumbel(key: Tensor, shape: Shape, options: SampleTypeOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("gumbel", "options", 3, arguments);
  return neg(log(waitingTimes(key, shape, typeOf("gumbel", key, shape, options))));
}
