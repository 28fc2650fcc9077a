/**
 * Exponentials, logarithms, roots and what activations are made of.
 *
 * @module
 */
import { checkOptions, refuseMore } from "../options.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { add, div, mul, neg } from "./arithmetic.ts";
import { LEAKY } from "./checks.ts";
import { greater, lessEqual, where } from "./compare.ts";
import { applyFloating, type Elementwise, floating, unary } from "./elementwise.ts";

/** `√x`. */
export const sqrtOp: Elementwise = unary("sqrt", "sqrt(a)", (g, y) => div(g, mul(y, 2)));

/** `e^x`. */
export const expOp: Elementwise = unary("exp", "exp(a)", (g, y) => mul(g, y));

/** `e^x − 1`. */
export const expm1Op: Elementwise = unary("expm1", "expm1(a)", (g, _y, [x]) => mul(g, exp(x!)));

/** `log x`. */
export const logOp: Elementwise = unary("log", "log(a)", (g, _y, [x]) => div(g, x!));

/** `log₂ x`. */
export const log2Op: Elementwise = unary(
  "log2",
  "log2(a)",
  (g, _y, [x]) => div(g, mul(x!, Math.LN2)),
);

/** `2^x`. */
export const exp2Op: Elementwise = unary("exp2", "exp2(a)", (g, y) => mul(g, mul(y, Math.LN2)));

/** `log₁₀ x`. */
export const log10Op: Elementwise = unary(
  "log10",
  "log10(a)",
  (g, _y, [x]) => div(g, mul(x!, Math.LN10)),
);

/** `log(1 + x)`. */
export const log1pOp: Elementwise = unary(
  "log1p",
  "log1p(a)",
  (g, _y, [x]) => div(g, add(x!, 1)),
);

/** The logistic function; its derivative `σ(x) σ(−x)` keeps its digits where `1 − σ` loses them. */
export const sigmoidOp: Elementwise = unary(
  "sigmoid",
  "1 / (1 + exp(-a))",
  (g, y, [x]) => mul(g, mul(y, sigmoid(neg(x!)))),
);

/** `log(1 + e^x)`. */
export const softplusOp: Elementwise = unary(
  "softplus",
  "max(a, 0) + log1p(exp(-abs(a)))",
  (g, _y, [x]) => mul(g, sigmoid(x!)),
);

/**
 * Square root. Negative values give NaN; the gradient at 0 is infinite.
 *
 * @param x Any shape.
 * @returns `√x`.
 *
 * @example Two roots
 * ```ts
 * import { sqrt } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sqrt([1, 4]).toArray(), [1, 2]);
 * ```
 */
export function sqrt(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("sqrt", "x", 1, arguments);
  return applyFloating(sqrtOp, x);
}

/**
 * Reciprocal of the square root.
 *
 * @param x Any shape.
 * @returns `1 / √x`; ∞ at 0.
 *
 * @example A quarter's
 * ```ts
 * import { rsqrt } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rsqrt([0.25, 4]).toArray(), [2, 0.5]);
 * ```
 */
export function rsqrt(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("rsqrt", "x", 1, arguments);
  return div(1, sqrt(asOperand("rsqrt", x)));
}

/**
 * The exponential function.
 *
 * @param x Any shape.
 * @returns `e^x`.
 *
 * @example At zero
 * ```ts
 * import { exp } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exp([0, -Infinity]).toArray(), [1, 0]);
 * ```
 */
export function exp(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("exp", "x", 1, arguments);
  return applyFloating(expOp, x);
}

/**
 * Power of 2, exact for whole numbers. Undoes {@linkcode log2}.
 *
 * @param x Any shape.
 * @returns `2^x`.
 *
 * @example Doublings
 * ```ts
 * import { exp2 } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exp2([0, 3, -2]).toArray(), [1, 8, 0.25]);
 * ```
 */
export function exp2(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("exp2", "x", 1, arguments);
  return applyFloating(exp2Op, x);
}

/**
 * `e^x − 1`, accurate near 0. Undoes {@linkcode log1p}.
 *
 * @param x Any shape.
 * @returns `e^x − 1`.
 *
 * @example A small number keeps its digits
 * ```ts
 * import { expm1, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(expm1(tensor(1e-12, { dtype: "float64" })).item(), 1e-12, 1e-20);
 * ```
 */
export function expm1(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("expm1", "x", 1, arguments);
  return applyFloating(expm1Op, x);
}

/**
 * Natural logarithm.
 *
 * @param x Any shape.
 * @returns `log x`; −∞ at 0, NaN below.
 *
 * @example At one
 * ```ts
 * import { log } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log([1, 0]).toArray(), [0, -Infinity]);
 * ```
 */
export function log(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("log", "x", 1, arguments);
  return applyFloating(logOp, x);
}

/**
 * Logarithm to base 2, exact for powers of 2.
 *
 * @param x Any shape.
 * @returns `log₂ x`; −∞ at 0, NaN below.
 *
 * @example A fold change in doublings
 * ```ts
 * import { log2 } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log2([1, 8, 0.25]).toArray(), [0, 3, -2]);
 * ```
 */
export function log2(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("log2", "x", 1, arguments);
  return applyFloating(log2Op, x);
}

/**
 * Logarithm to base 10.
 *
 * @param x Any shape.
 * @returns `log₁₀ x`; −∞ at 0, NaN below.
 *
 * @example Orders of magnitude of p-values
 * ```ts
 * import { log10 } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log10([1, 1000, 0]).toArray(), [0, 3, -Infinity]);
 * ```
 */
export function log10(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("log10", "x", 1, arguments);
  return applyFloating(log10Op, x);
}

/**
 * `log(1 + x)`, accurate near 0: what normalized counts are transformed by.
 *
 * @param x Any shape.
 * @returns `log(1 + x)`; −∞ at −1, NaN below.
 *
 * @example No counts stay none
 * ```ts
 * import { log1p } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log1p([0]).toArray(), [0]);
 * ```
 */
export function log1p(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("log1p", "x", 1, arguments);
  return applyFloating(log1pOp, x);
}

/**
 * The logistic function.
 *
 * @param x Any shape.
 * @returns `1 / (1 + e^−x)`, in [0, 1].
 *
 * @example A logit of zero is an even chance
 * ```ts
 * import { sigmoid } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sigmoid([0, -1000]).toArray(), [0.5, 0]);
 * ```
 */
export function sigmoid(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("sigmoid", "x", 1, arguments);
  return applyFloating(sigmoidOp, x);
}

/**
 * Logarithm of the logistic function, finite for every finite x.
 *
 * @param x Any shape.
 * @returns `log σ(x) = −softplus(−x)`.
 *
 * @example Where `log(sigmoid(x))` would be −∞
 * ```ts
 * import { logSigmoid } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logSigmoid([-1000]).toArray(), [-1000]);
 * ```
 */
export function logSigmoid(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("logSigmoid", "x", 1, arguments);
  return neg(softplus(neg(floating(asOperand("logSigmoid", x)))));
}

/**
 * `log(1 + e^x)`, computed as `max(x, 0) + log1p(e^−|x|)`: finite for every finite x.
 *
 * @param x Any shape.
 * @returns The softplus of each value.
 *
 * @example Far to the right it is the identity
 * ```ts
 * import { softplus } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softplus([1000, -1000]).toArray(), [1000, 0]);
 * ```
 */
export function softplus(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("softplus", "x", 1, arguments);
  return applyFloating(softplusOp, x);
}

/**
 * Rectifier. Its gradient at 0 is 0.
 *
 * @param x Any shape.
 * @returns `max(x, 0)`.
 *
 * @example Negative values vanish
 * ```ts
 * import { relu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(relu([-1, 2]).toArray(), [0, 2]);
 * ```
 */
export function relu(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("relu", "x", 1, arguments);
  const operand = asOperand("relu", x);
  return where(lessEqual(operand, 0), 0, operand);
}

/** Options of {@linkcode leakyRelu}. */
export interface LeakyReluOptions {
  /** The slope of the negative side; 0.01 by default. */
  negativeSlope?: number | undefined;
}

/**
 * Rectifier with a small slope on the negative side, which is also its gradient at 0.
 *
 * @param x Any shape.
 * @param options `negativeSlope`, 0.01 by default.
 * @returns `x` where positive, else `negativeSlope · x`.
 *
 * @example Both sides
 * ```ts
 * import { leakyRelu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(leakyRelu([-2, 2], { negativeSlope: 0.5 }).toArray(), [-1, 2]);
 * ```
 */
export function leakyRelu(x: TensorLike, options: LeakyReluOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("leakyRelu", LEAKY, 1, arguments);
  const operand = floating(asOperand("leakyRelu", x));
  return where(greater(operand, 0), operand, mul(operand, options.negativeSlope ?? 0.01));
}
