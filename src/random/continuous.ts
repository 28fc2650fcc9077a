/**
 * Samplers of real numbers.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { checkNumber, checkTensorLike, readOptions, refuseMore } from "../options.ts";
import { add, cast, less, mul, sub, where } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import {
  checkDrawn,
  checkFits,
  checkFloating,
  checkKey,
  gammaOp,
  normalOp,
  parameterFor,
  uniformOp,
} from "./ops.ts";

/** Options of {@linkcode uniform}. */
export interface UniformOptions {
  /** The smallest value; 0 by default. */
  min?: TensorLike | undefined;
  /** The end of the range, itself never drawn; 1 by default. */
  max?: TensorLike | undefined;
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * Numbers that are equally likely everywhere in `[min, max)`.
 *
 * The range is `min + (max − min)·u`, so gradients reach `min` and `max` where these are tensors.
 * `u` is a multiple of 2⁻²³ (`float32`) or 2⁻⁵² (`float64`), the same as `jax.random.uniform` gives
 * for the same key. Where rounding would reach `max`, the value is `min`.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `min` and `max`, numbers or tensors that broadcast to `shape`, and `dtype`.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If `min` and `max` are numbers and `min < max` does not hold.
 *
 * @example Between −1 and 1
 * ```ts
 * import { key, uniform } from "@cellgrad/cellgrad/random";
 * import { assert } from "@std/assert";
 *
 * const x = uniform(key(0), [100], { min: -1, max: 1 });
 * assert(x.data.every((value) => value >= -1 && value < 1));
 * ```
 */
export function uniform(key: Tensor, shape: Shape, options: UniformOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("uniform", "options", 3, arguments);
  const defaults = { min: 0, max: 1, dtype: "float32" };
  const { min, max, dtype } = readOptions("uniform", options, defaults);
  checkTensorLike("uniform", "min", min);
  checkTensorLike("uniform", "max", max);
  const u = draw("uniform", uniformOp, key, shape, dtype);
  if (min === 0 && max === 1) return u;
  if (typeof min === "number" && typeof max === "number") {
    const width = dtype === "float32" ? Math.fround(max - min) : max - min;
    if (!(width > 0 && width < Infinity)) {
      throw new RangeError(
        `Cannot compute uniform as min must be less than max, by a difference that ${dtype} ` +
          `holds: current values are ${min} and ${max}`,
      );
    }
  }
  const low = fitted("uniform", "min", min, shape, dtype);
  const high = fitted("uniform", "max", max, shape, dtype);
  const x = add(low, mul(sub(high, low), u));
  return where(less(x, high), x, low);
}

/** Options of {@linkcode normal}. */
export interface NormalOptions {
  /** The mean; 0 by default. */
  mean?: TensorLike | undefined;
  /** The standard deviation; 1 by default. */
  standardDeviation?: TensorLike | undefined;
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * Numbers from a normal distribution.
 *
 * Computed as `mean + standardDeviation·z`, so gradients reach the mean and the standard deviation
 * where these are tensors (the reparameterisation that variational autoencoders need). `z` is the
 * standard normal quantile of a uniform number of 52 bits: at most 8.2 in size, to 1e-15 of that in
 * `float64` and to 4e-7 in `float32`.
 *
 * @param key A random key.
 * @param shape The extents of the result.
 * @param options `mean` and `standardDeviation`, numbers or tensors that broadcast to `shape`, and
 * `dtype`.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If `standardDeviation` is a negative or infinite number.
 *
 * @example A latent sample whose mean has a gradient
 * ```ts
 * import { grad, sum, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const sample = (mean: Tensor) => sum(normal(key(0), [4, 2], { mean }));
 * assertEquals(grad(sample)(tensor([1, 2])).toArray(), [4, 4]);
 * ```
 */
export function normal(key: Tensor, shape: Shape, options: NormalOptions = {}): Tensor {
  if (arguments.length > 3) refuseMore("normal", "options", 3, arguments);
  const defaults = { mean: 0, standardDeviation: 1, dtype: "float32" };
  const { mean, standardDeviation, dtype } = readOptions("normal", options, defaults);
  checkTensorLike("normal", "mean", mean);
  checkTensorLike("normal", "standardDeviation", standardDeviation);
  let z = draw("normal", normalOp, key, shape, dtype);
  if (typeof standardDeviation === "number") {
    checkNumber("normal", "standardDeviation", standardDeviation, { min: 0 });
  }
  if (standardDeviation !== 1) {
    z = mul(z, fitted("normal", "standardDeviation", standardDeviation, shape, dtype));
  }
  return mean === 0 ? z : add(z, fitted("normal", "mean", mean, shape, dtype));
}

/** Options of {@linkcode gamma}. */
export interface GammaOptions {
  /** The extents of the result; by default those of the concentration. */
  shape?: Shape | undefined;
  /** What the numbers are multiplied with; 1 by default. */
  scale?: TensorLike | undefined;
  /** `float32` or `float64`; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * Numbers from a gamma distribution: mean `concentration·scale`, variance `concentration·scale²`.
 *
 * Exact rejection (Marsaglia and Tsang 2000). There is no gradient with respect to the
 * concentration; there is one with respect to the scale. Numbers are never 0: of a concentration far
 * below 1, those that are too small for the type are its smallest normal number, 2⁻¹²⁶ in float32.
 *
 * @param key A random key.
 * @param concentration Positive numbers (also called shape parameter or α).
 * @param options `shape`, `scale`, which broadcasts to it, and `dtype`.
 * @returns A tensor of `shape`.
 * @throws {TypeError} If `key` is no random key, the shapes do not fit, `dtype` is not floating, or
 * an option is unknown.
 * @throws {RangeError} If a concentration is not positive and finite.
 *
 * @example The mean of many
 * ```ts
 * import { mean } from "@cellgrad/cellgrad";
 * import { gamma, key } from "@cellgrad/cellgrad/random";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = gamma(key(0), 2, { shape: [10_000], scale: 3 });
 * assertAlmostEquals(mean(x).item(), 6, 0.2);
 * ```
 */
export function gamma(
  key: Tensor,
  concentration: TensorLike,
  options: GammaOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("gamma", "options", 3, arguments);
  const defaults = { shape: undefined, scale: 1, dtype: "float32" };
  const settled = readOptions("gamma", options, defaults);
  const { scale, dtype } = settled;
  checkTensorLike("gamma", "scale", scale);
  checkKey("gamma", key);
  checkFloating("gamma", dtype);
  const { parameter, shape } = parameterFor(
    "gamma",
    "concentration",
    concentration,
    settled.shape,
  );
  const x = apply(gammaOp, [key, parameter], { shape, dtype });
  return scale === 1 ? x : mul(x, fitted("gamma", "scale", scale, shape, dtype));
}

/** Numbers of a sampler without a parameter, once the arguments are what they must be. */
export function draw(
  caller: string,
  op: typeof uniformOp,
  key: Tensor,
  shape: Shape,
  dtype: DType,
): Tensor {
  checkKey(caller, key);
  checkDrawn(caller, shape);
  checkFloating(caller, dtype);
  return apply(op, [key], { shape: [...shape], dtype });
}

/** A parameter in the type that is drawn; throws unless it broadcasts to what is drawn. */
function fitted(
  caller: string,
  argument: string,
  value: TensorLike,
  shape: Shape,
  dtype: DType,
): Tensor {
  const tensor = cast(asTensor(value, dtype, caller, argument), dtype);
  checkFits(caller, argument, tensor.shape, shape);
  return tensor;
}
