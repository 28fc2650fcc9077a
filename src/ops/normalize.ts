/**
 * Rows brought to a common scale: softmax, unit length, layer normalisation.
 *
 * @module
 */
import { checkOptions } from "../options.ts";
import { broadcastShapes, normalizeAxes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { add, div, maximum, mul, square, sub } from "./arithmetic.ts";
import { L2_NORMALIZE, LAYER_NORM, SOFTMAX } from "./checks.ts";
import { floating } from "./elementwise.ts";
import { exp, log, sqrt } from "./exponential.ts";
import { stopGradient } from "./gradient.ts";
import { centre, norm, rootMeanSquare } from "./moments.ts";
import { constantMax, sum } from "./reduce.ts";

/** Options of {@linkcode softmax} and {@linkcode logSoftmax}. */
export interface SoftmaxOptions {
  /** The axis, or axes, over which the probabilities sum to 1; the last by default. */
  axis?: number | readonly number[] | undefined;
}

/**
 * Probabilities from logits, finite for every finite x.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, the last by default.
 * @returns `e^x / Σ e^x`: in [0, 1], with sum 1 over the axis.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Equal logits, equal chances
 * ```ts
 * import { softmax } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softmax([1000, 1000]).toArray(), [0.5, 0.5]);
 * ```
 */
export function softmax(x: TensorLike, options: SoftmaxOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("softmax", SOFTMAX, 1, arguments);
  const operand = floating(asOperand("softmax", x));
  const axis = options.axis ?? -1;
  const powers = exp(sub(operand, constantMax(operand, axis, "softmax")));
  return div(powers, sum(powers, { axis, keepDims: true }));
}

/**
 * Logarithms of the probabilities of {@linkcode softmax}, accurate where those underflow.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, the last by default.
 * @returns `x − log Σ e^x`, at most 0.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example A hopeless class keeps a finite logarithm
 * ```ts
 * import { logSoftmax } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logSoftmax([0, 1000]).toArray(), [-1000, 0]);
 * ```
 */
export function logSoftmax(x: TensorLike, options: SoftmaxOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("logSoftmax", SOFTMAX, 1, arguments);
  const operand = floating(asOperand("logSoftmax", x));
  const axis = options.axis ?? -1;
  const shifted = sub(operand, constantMax(operand, axis, "logSoftmax"));
  return sub(shifted, log(sum(exp(shifted), { axis, keepDims: true })));
}

/** Options of {@linkcode l2Normalize}. */
export interface L2NormalizeOptions {
  /** The axis, or axes, whose length becomes 1; the last by default. */
  axis?: number | readonly number[] | undefined;
  /** What shorter lengths are raised to; 1e-12 by default. */
  epsilon?: number | undefined;
}

/**
 * Vectors divided by their Euclidean length, which {@linkcode norm} finds for numbers of any size.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, the last by default; `epsilon`, 1e-12 by default.
 * @returns `x / max(‖x‖, epsilon)`; a vector of zeros stays one.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Direction of a vector
 * ```ts
 * import { l2Normalize } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(l2Normalize([0, 4]).toArray(), [0, 1]);
 * ```
 */
export function l2Normalize(x: TensorLike, options: L2NormalizeOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("l2Normalize", L2_NORMALIZE, 1, arguments);
  const operand = floating(asOperand("l2Normalize", x));
  const axis = normalizeAxes("l2Normalize", options.axis ?? -1, operand.rank);
  const length = norm(operand, { axis, keepDims: true });
  return div(operand, maximum(length, options.epsilon ?? 1e-12));
}

/** Options of {@linkcode layerNorm}. */
export interface LayerNormOptions {
  /** The axis, or axes, to normalize over; the last by default. */
  axis?: number | readonly number[] | undefined;
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number | undefined;
  /** What the normalized values are multiplied by; none by default. */
  scale?: TensorLike | undefined;
  /** What is added at last; none by default. */
  shift?: TensorLike | undefined;
}

/**
 * Layer normalisation: mean 0 and variance 1 over an axis (Ba et al. 2016, arXiv:1607.06450).
 * Numbers of any size, and far from the origin, keep their digits in float32.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, the last by default; `epsilon`, 1e-5 by default; `scale` and `shift`, which
 * broadcast with `x`, none by default.
 * @returns `(x − mean) / √(variance + epsilon) · scale + shift`, with the biased variance.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Two values
 * ```ts
 * import { layerNorm } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(layerNorm([1, 3], { epsilon: 0 }).toArray(), [-1, 1]);
 * ```
 */
export function layerNorm(x: TensorLike, options: LayerNormOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("layerNorm", LAYER_NORM, 1, arguments);
  const operand = floating(asOperand("layerNorm", x));
  const axis = normalizeAxes("layerNorm", options.axis ?? -1, operand.rank);
  const { centred, rest } = centre(operand, axis);
  const deviation = deviationOf(centred, rest, axis, options.epsilon ?? 1e-5);
  let result = div(sub(centred, rest), deviation);
  for (const name of ["scale", "shift"] as const) {
    const given = options[name];
    if (given === undefined) continue;
    broadcastShapes("layerNorm", operand.shape, asOperand("layerNorm", given, name).shape);
  }
  if (options.scale !== undefined) result = mul(result, options.scale);
  return options.shift === undefined ? result : add(result, options.shift);
}

/** `√(variance + ε)`, all divided by the largest of them, whose square may be out of range. */
function deviationOf(
  centred: Tensor,
  rest: Tensor,
  axis: readonly number[],
  epsilon: number,
): Tensor {
  const spread = rootMeanSquare(centred, axis);
  const unit = stopGradient(maximum(spread, Math.sqrt(epsilon)));
  const share = sub(square(div(spread, unit)), square(div(rest, unit)));
  return mul(unit, sqrt(add(share, square(div(Math.sqrt(epsilon), unit)))));
}
