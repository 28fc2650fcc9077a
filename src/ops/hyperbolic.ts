/**
 * Hyperbolic functions and their inverses.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { abs, add, div, mul, square, sub } from "./arithmetic.ts";
import { greater, where } from "./compare.ts";
import { applyFloating, type Elementwise, unary } from "./elementwise.ts";
import { sqrt } from "./exponential.ts";

/** `sinh x`. */
export const sinhOp: Elementwise = unary("sinh", "sinh(a)", (g, _y, [x]) => mul(g, cosh(x!)));

/** `cosh x`. */
export const coshOp: Elementwise = unary("cosh", "cosh(a)", (g, _y, [x]) => mul(g, sinh(x!)));

/** `tanh x`. */
export const tanhOp: Elementwise = unary("tanh", "tanh(a)", (g, y) => mul(g, sub(1, square(y))));

/** From here on, `√(x² + 1)` is |x|, whose square may overflow. */
const LARGE = 1e9;

/** `asinh x`. */
export const asinhOp: Elementwise = unary("asinh", "asinh(a)", (g, _y, [x]) => {
  const size = abs(x!);
  return div(g, where(greater(size, LARGE), size, sqrt(add(square(x!), 1))));
});

/** `acosh x`. */
export const acoshOp: Elementwise = unary(
  "acosh",
  "acosh(a)",
  (g, _y, [x]) => div(g, mul(sqrt(sub(x!, 1)), sqrt(add(x!, 1)))),
);

/** `atanh x`. */
export const atanhOp: Elementwise = unary(
  "atanh",
  "atanh(a)",
  (g, _y, [x]) => div(g, mul(sub(1, x!), add(x!, 1))),
);

/**
 * Hyperbolic sine, accurate near 0.
 *
 * @param x Any shape.
 * @returns `(e^x − e^−x) / 2`.
 *
 * @example A small number keeps its digits
 * ```ts
 * import { sinh, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = tensor(1e-12, { dtype: "float64" });
 * assertAlmostEquals(sinh(x).item(), 1e-12, 1e-27);
 * ```
 */
export function sinh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("sinh", "x", 1, arguments);
  return applyFloating(sinhOp, x);
}

/**
 * Hyperbolic cosine.
 *
 * @param x Any shape.
 * @returns `(e^x + e^−x) / 2`, at least 1.
 *
 * @example At zero
 * ```ts
 * import { cosh } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cosh([0]).toArray(), [1]);
 * ```
 */
export function cosh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("cosh", "x", 1, arguments);
  return applyFloating(coshOp, x);
}

/**
 * Hyperbolic tangent.
 *
 * @param x Any shape.
 * @returns `tanh x`, in [−1, 1].
 *
 * @example Saturation
 * ```ts
 * import { tanh } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tanh([0, 100]).toArray(), [0, 1]);
 * ```
 */
export function tanh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("tanh", "x", 1, arguments);
  return applyFloating(tanhOp, x);
}

/**
 * Inverse of the hyperbolic sine, accurate near 0: linear for small numbers of either sign, and
 * logarithmic for large ones. What flow and mass cytometry are transformed by.
 *
 * @param x Any shape.
 * @returns `log(x + √(x² + 1))`.
 *
 * @example Intensities by a cofactor of 5
 * ```ts
 * import { asinh, tensor } from "@cellgrad/cellgrad";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const x = tensor([0, 5, -5], { dtype: "float64" });
 * assertAllClose(asinh(x.div(5)), [0, Math.asinh(1), Math.asinh(-1)], { rtol: 1e-15 });
 * ```
 */
export function asinh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("asinh", "x", 1, arguments);
  return applyFloating(asinhOp, x);
}

/**
 * Inverse of the hyperbolic cosine, accurate near 1, where its gradient is infinite.
 *
 * @param x Any shape.
 * @returns `log(x + √(x² − 1))`; NaN below 1.
 *
 * @example At one
 * ```ts
 * import { acosh } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(acosh([1, 0]).toArray(), [0, NaN]);
 * ```
 */
export function acosh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("acosh", "x", 1, arguments);
  return applyFloating(acoshOp, x);
}

/**
 * Inverse of the hyperbolic tangent, accurate near 0: what correlations are transformed by (Fisher).
 *
 * @param x Any shape.
 * @returns `½ log((1 + x) / (1 − x))`; ±∞ at ±1, NaN beyond.
 *
 * @example At its ends
 * ```ts
 * import { atanh } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(atanh([0, 1, -1]).toArray(), [0, Infinity, -Infinity]);
 * ```
 */
export function atanh(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("atanh", "x", 1, arguments);
  return applyFloating(atanhOp, x);
}
