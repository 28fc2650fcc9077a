/**
 * Activations of networks, as compositions.
 *
 * @module
 */
import { checkLimits, checkOptions, refuseMore } from "../options.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { add, clip, mul, square } from "./arithmetic.ts";
import { ELU, GELU, HARDTANH } from "./checks.ts";
import { greater, where } from "./compare.ts";
import { floating } from "./elementwise.ts";
import { expm1, sigmoid } from "./exponential.ts";
import { erfc } from "./special.ts";

/**
 * Sigmoid-weighted linear unit, also called swish.
 *
 * @param x Any shape.
 * @returns `x σ(x)`; NaN at −∞, as in PyTorch.
 *
 * @example Far to the right it is the identity
 * ```ts
 * import { silu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(silu([0, 100]).toArray(), [0, 100]);
 * ```
 */
export function silu(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("silu", "x", 1, arguments);
  const operand = floating(asOperand("silu", x));
  return mul(operand, sigmoid(operand));
}

/** Options of {@linkcode gelu}. */
export interface GeluOptions {
  /** The exact distribution function, or its approximation by a hyperbolic tangent; `"none"` by default. */
  approximate?: "none" | "tanh" | undefined;
}

/** `√(8/π)` */
const GELU_SCALE = Math.sqrt(8 / Math.PI);

/**
 * Gaussian error linear unit: x times the share of a standard normal distribution below it.
 *
 * @param x Any shape.
 * @param options `approximate`, `"none"` by default.
 * @returns `x Φ(x)`, computed as `½ x erfc(−x/√2)`, which keeps its digits where Φ is small; with
 * `"tanh"` `½ x (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`, computed as `x σ(2u)`. NaN at −∞, as
 * in PyTorch.
 * @throws {TypeError} If `approximate` is something else.
 *
 * @example Exact and approximate
 * ```ts
 * import { gelu } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(gelu([1]).item(), 0.8413447, 1e-6);
 * assertAlmostEquals(gelu([1], { approximate: "tanh" }).item(), 0.8411920, 1e-6);
 * ```
 */
export function gelu(x: TensorLike, options: GeluOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("gelu", GELU, 1, arguments);
  const operand = floating(asOperand("gelu", x));
  if (options.approximate !== "tanh") {
    return mul(mul(operand, 0.5), erfc(mul(operand, -Math.SQRT1_2)));
  }
  const slope = add(mul(square(operand), 0.044715), 1);
  return mul(operand, sigmoid(mul(mul(operand, slope), GELU_SCALE)));
}

/** Options of {@linkcode elu}. */
export interface EluOptions {
  /** What the negative side tends to, with the other sign; 1 by default. */
  alpha?: number | undefined;
}

/**
 * Exponential linear unit. Its gradient at 0 is that of its negative side, `alpha`.
 *
 * @param x Any shape.
 * @param options `alpha`, 1 by default.
 * @returns `x` where positive, else `alpha (e^x − 1)`.
 *
 * @example Both sides
 * ```ts
 * import { elu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(elu([-Infinity, 0, 2], { alpha: 0.5 }).toArray(), [-0.5, 0, 2]);
 * ```
 */
export function elu(x: TensorLike, options: EluOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("elu", ELU, 1, arguments);
  const operand = floating(asOperand("elu", x));
  const isPositive = greater(operand, 0);
  const negative = expm1(where(isPositive, 0, operand));
  return where(isPositive, operand, mul(negative, options.alpha ?? 1));
}

/** Options of {@linkcode hardtanh}. */
export interface HardtanhOptions {
  /** The lower limit; −1 by default. */
  min?: number | undefined;
  /** The upper limit; 1 by default. */
  max?: number | undefined;
}

/**
 * The identity between two limits: {@linkcode clip}, whose gradient passes at the limits too, where
 * PyTorch's is 0.
 *
 * @param x Any shape.
 * @param options `min`, −1 by default, and `max`, 1 by default.
 * @returns `min(max(x, min), max)`.
 * @throws {RangeError} If `min` is greater than `max`.
 *
 * @example The default limits
 * ```ts
 * import { hardtanh } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hardtanh([-2, 0.5, 2]).toArray(), [-1, 0.5, 1]);
 * ```
 */
export function hardtanh(x: TensorLike, options: HardtanhOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("hardtanh", HARDTANH, 1, arguments);
  const { min = -1, max = 1 } = options;
  checkLimits("hardtanh", min, max);
  return clip(floating(asOperand("hardtanh", x)), min, max);
}
