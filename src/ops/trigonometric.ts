/**
 * Trigonometric functions and their inverses.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import {
  applyFloating,
  applyFloatingBinary,
  type Elementwise,
  elementwise,
  unary,
} from "./elementwise.ts";
import { sqrt } from "./exponential.ts";

/** `sin x`. */
export const sinOp: Elementwise = unary("sin", "sin(a)", (g, _y, [x]) => mul(g, cos(x!)));

/** `cos x`. */
export const cosOp: Elementwise = unary("cos", "cos(a)", (g, _y, [x]) => neg(mul(g, sin(x!))));

/** `tan x`. */
export const tanOp: Elementwise = unary(
  "tan",
  "tan(a)",
  (g, y) => mul(g, add(square(y), 1)),
);

/** `√(1 − x²)`, with all its digits next to 1. */
function other(x: Tensor): Tensor {
  return mul(sqrt(sub(1, x)), sqrt(add(x, 1)));
}

/** `arcsin x`. */
export const asinOp: Elementwise = unary("asin", "asin(a)", (g, _y, [x]) => div(g, other(x!)));

/** `arccos x`. */
export const acosOp: Elementwise = unary("acos", "acos(a)", (g, _y, [x]) => neg(div(g, other(x!))));

/** `arctan x`. */
export const atanOp: Elementwise = unary(
  "atan",
  "atan(a)",
  (g, _y, [x]) => div(g, add(square(x!), 1)),
);

/** The angle of the point (b, a). */
export const atan2Op: Elementwise = elementwise("atan2", "atan2(a, b)", [
  (g, _y, [y, x]) => mul(g, div(x!, add(square(x!), square(y!)))),
  (g, _y, [y, x]) => neg(mul(g, div(y!, add(square(x!), square(y!))))),
]);

/**
 * Sine of an angle in radians.
 *
 * @param x Any shape.
 * @returns `sin x`.
 *
 * @example At zero
 * ```ts
 * import { sin } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sin([0]).toArray(), [0]);
 * ```
 */
export function sin(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("sin", "x", 1, arguments);
  return applyFloating(sinOp, x);
}

/**
 * Cosine of an angle in radians.
 *
 * @param x Any shape.
 * @returns `cos x`.
 *
 * @example At zero
 * ```ts
 * import { cos } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cos([0]).toArray(), [1]);
 * ```
 */
export function cos(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("cos", "x", 1, arguments);
  return applyFloating(cosOp, x);
}

/**
 * Tangent of an angle in radians.
 *
 * @param x Any shape.
 * @returns `tan x`.
 *
 * @example An eighth of a turn
 * ```ts
 * import { tan } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(tan([Math.PI / 4]).item(), 1, 1e-6);
 * ```
 */
export function tan(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("tan", "x", 1, arguments);
  return applyFloating(tanOp, x);
}

/**
 * The angle whose sine is x, in radians. The gradient is infinite at ±1.
 *
 * @param x Any shape.
 * @returns `arcsin x`, in [−π/2, π/2]; NaN outside of [−1, 1].
 *
 * @example A quarter of a turn
 * ```ts
 * import { asin } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(asin([0, 1]).toArray(), [0, Math.fround(Math.PI / 2)]);
 * ```
 */
export function asin(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("asin", "x", 1, arguments);
  return applyFloating(asinOp, x);
}

/**
 * The angle whose cosine is x, in radians. The gradient is infinite at ±1.
 *
 * @param x Any shape.
 * @returns `arccos x`, in [0, π]; NaN outside of [−1, 1].
 *
 * @example Half a turn
 * ```ts
 * import { acos } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(acos([1, -1]).toArray(), [0, Math.fround(Math.PI)]);
 * ```
 */
export function acos(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("acos", "x", 1, arguments);
  return applyFloating(acosOp, x);
}

/**
 * The angle whose tangent is x, in radians; {@linkcode atan2} knows of all quadrants.
 *
 * @param x Any shape.
 * @returns `arctan x`, in [−π/2, π/2].
 *
 * @example A quarter of a turn at infinity
 * ```ts
 * import { atan } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(atan([0, Infinity]).toArray(), [0, Math.fround(Math.PI / 2)]);
 * ```
 */
export function atan(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("atan", "x", 1, arguments);
  return applyFloating(atanOp, x);
}

/**
 * The angle of a point in the plane, in radians. Both gradients are NaN at the origin.
 *
 * @param y Its second coordinate, of any shape.
 * @param x Its first coordinate, of a shape that broadcasts with that of `y`.
 * @returns The angle from the first axis on, in [−π, π]; negative where `y` is.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Half a turn and a quarter
 * ```ts
 * import { atan2 } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(atan2([0, 1], [-1, 0]).toArray(), [Math.fround(Math.PI), Math.fround(Math.PI / 2)]);
 * ```
 */
export function atan2(y: TensorLike, x: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("atan2", "x", 2, arguments);
  return applyFloatingBinary(atan2Op, y, x);
}
