/**
 * Arithmetic: sums, products, powers, extremes of two, absolute values.
 *
 * @module
 */
import { checkLimits, refuseMore } from "../options.ts";
import { apply } from "../trace.ts";
import { asOperand, Tensor, type TensorLike } from "../tensor.ts";
import { equal, greaterEqual, less, where } from "./compare.ts";
import {
  applyBinary,
  applyFloatingBinary,
  applyUnary,
  type Elementwise,
  elementwise,
  floating,
  numeric,
  unary,
} from "./elementwise.ts";
import { log } from "./exponential.ts";

/** `a + b`. */
export const addOp: Elementwise = elementwise("add", "a + b", [(g) => g]);

/** `a − b`. */
export const subOp: Elementwise = elementwise("sub", "a - b", [(g) => g, (g) => neg(g)]);

/** `a · b`. */
export const mulOp: Elementwise = elementwise("mul", "a * b", [
  (g, _y, [, b]) => mul(g, b!),
  (g, _y, [a]) => mul(g, a!),
]);

/** `a / b`. */
export const divOp: Elementwise = elementwise("div", "a / b", [
  (g, _y, [, b]) => div(g, b!),
  (g, y, [, b]) => neg(mul(g, div(y, b!))),
]);

/** `−x`. */
export const negOp: Elementwise = unary("neg", "-a", (g) => neg(g));

/** `|x|`, with gradient 0 at 0. */
export const absOp: Elementwise = unary("abs", "abs(a)", (g, _y, [x]) => mul(g, sign(x!)));

/** −1, 0 or 1. */
export const signOp: Elementwise = unary("sign", "sign(a)", null);

/** The larger of two; ties share the gradient. */
export const maximumOp: Elementwise = elementwise("maximum", "max(a, b)", [
  (g, _y, [a, b]) => mul(g, share(b!, a!)),
  (g, _y, [a, b]) => mul(g, share(a!, b!)),
]);

/** The smaller of two; ties share the gradient. */
export const minimumOp: Elementwise = elementwise("minimum", "min(a, b)", [
  (g, _y, [a, b]) => mul(g, share(a!, b!)),
  (g, _y, [a, b]) => mul(g, share(b!, a!)),
]);

/** 1 where `a < b`, 0 where `a > b`, ½ where they are equal, and NaN where either is. */
function share(a: Tensor, b: Tensor): Tensor {
  return where(less(a, b), 1, where(less(b, a), 0, where(equal(a, b), 0.5, NaN)));
}

/** `a` between `p` and `q`; the gradient passes on the closed interval. */
export const clipOp: Elementwise = unary(
  "clip",
  "min(max(a, p), q)",
  (g, _y, [x], [low, high]) => where(less(x!, low!), 0, where(less(high!, x!), 0, g)),
);

/** `a^b`. */
export const powOp: Elementwise = elementwise("pow", "pow(a, b)", [
  (g, _y, [a, b]) => {
    // 0 · a⁻¹ is NaN where a⁻¹ overflows. For larger bases it stays: its derivative by b counts.
    const zero = where(greaterEqual(a!, 1e-30), false, equal(b!, 0));
    const slope = mul(b!, pow(where(zero, 1, a!), where(zero, 1, sub(b!, 1))));
    return mul(g, where(zero, 0, slope));
  },
  (g, y, [a]) => {
    const zero = equal(a!, 0);
    return mul(g, where(zero, 0, mul(y, log(where(zero, 1, a!)))));
  },
]);

/** `a^p` for a constant exponent. */
export const powConstantOp: Elementwise = unary(
  "pow",
  "pow(a, p)",
  (g, _y, [x], [p]) => p === 0 ? null : mul(g, mul(p!, pow(x!, p! - 1))),
);

/**
 * Sum of two tensors, element by element, broadcast by NumPy's rules.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `a + b`.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example A column and a row
 * ```ts
 * import { add } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(add([[1], [2]], [10, 20]).toArray(), [[11, 21], [12, 22]]);
 * ```
 */
export function add(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("add", "b", 2, arguments);
  return applyBinary(addOp, a, b);
}

/**
 * Difference of two tensors, element by element.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `a − b`.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Subtracting a number
 * ```ts
 * import { sub } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sub([3, 4], 1).toArray(), [2, 3]);
 * ```
 */
export function sub(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("sub", "b", 2, arguments);
  return applyBinary(subOp, a, b);
}

/**
 * Product of two tensors, element by element ({@linkcode matmul} multiplies matrices).
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `a · b`.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Scaling rows
 * ```ts
 * import { mul } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mul([[1, 2], [3, 4]], [[10], [1]]).toArray(), [[10, 20], [3, 4]]);
 * ```
 */
export function mul(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("mul", "b", 2, arguments);
  const square = a === b && a instanceof Tensor ? SQUARES.get(a) : undefined;
  return square === undefined ? applyBinary(mulOp, a, b) : square();
}

/**
 * Quotient of two tensors, element by element. Integers give `float32`.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `a / b`; division by zero gives ±∞ or NaN.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Integers divide to fractions
 * ```ts
 * import { div, tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(div(tensor([1, 3], { dtype: "int32" }), 2).toArray(), [0.5, 1.5]);
 * ```
 */
export function div(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("div", "b", 2, arguments);
  return applyFloatingBinary(divOp, a, b);
}

/**
 * The negative.
 *
 * @param x Any shape.
 * @returns `−x`.
 *
 * @example Signs turned
 * ```ts
 * import { neg } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(neg([1, -2]).toArray(), [-1, 2]);
 * ```
 */
export function neg(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("neg", "x", 1, arguments);
  return applyUnary(negOp, x);
}

/**
 * Absolute value. Its gradient at 0 is 0.
 *
 * @param x Any shape.
 * @returns `|x|`.
 *
 * @example Distances from zero
 * ```ts
 * import { abs } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(abs([1, -2]).toArray(), [1, 2]);
 * ```
 */
export function abs(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("abs", "x", 1, arguments);
  return applyUnary(absOp, x);
}

/**
 * The sign: −1, 0 or 1. Its gradient is 0.
 *
 * @param x Any shape.
 * @returns The signs, in the type of `x`.
 *
 * @example Three signs
 * ```ts
 * import { sign } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sign([-3, 0, 7]).toArray(), [-1, 0, 1]);
 * ```
 */
export function sign(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("sign", "x", 1, arguments);
  return applyUnary(signOp, x);
}

/**
 * Power. `0^0` is 1 with gradient 0, as are `x^0` and `1^y` 1 for all numbers, NaN and infinities
 * included (IEEE 754); negative bases with fractional exponents give NaN.
 *
 * @param x The base, of any shape. Integers give `float32`.
 * @param exponent A number, or a shape that broadcasts with that of `x`.
 * @returns `x^exponent`.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Cubes
 * ```ts
 * import { pow } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pow([1, 2, 3], 3).toArray(), [1, 8, 27]);
 * ```
 */
export function pow(x: TensorLike, exponent: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("pow", "exponent", 2, arguments);
  if (typeof exponent === "number") {
    if (exponent === 2 && x instanceof Tensor && SQUARES.has(x)) return mul(x, x);
    return apply(powConstantOp, [floating(asOperand("pow", x))], [exponent]);
  }
  return applyFloatingBinary(powOp, x, exponent);
}

/**
 * The larger of two, element by element. Where they are equal, each gets half of the gradient.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `max(a, b)`; NaN where either is.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example At least one
 * ```ts
 * import { maximum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(maximum([0, 3], 1).toArray(), [1, 3]);
 * ```
 */
export function maximum(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("maximum", "b", 2, arguments);
  return applyBinary(maximumOp, a, b);
}

/**
 * The smaller of two, element by element. Where they are equal, each gets half of the gradient.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `min(a, b)`; NaN where either is.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example At most one
 * ```ts
 * import { minimum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(minimum([0, 3], 1).toArray(), [0, 1]);
 * ```
 */
export function minimum(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("minimum", "b", 2, arguments);
  return applyBinary(minimumOp, a, b);
}

/**
 * Values limited to an interval. The gradient passes where `min ≤ x ≤ max` and is 0 outside.
 *
 * @param x Any shape.
 * @param min The lower limit, a number (`-Infinity` for none).
 * @param max The upper limit, a number (`Infinity` for none).
 * @returns `min(max(x, min), max)`. Integers stay `int32` where both limits are whole or infinite.
 * @throws {RangeError} If `min` is greater than `max`, or all results were outside `int32`.
 *
 * @example Probabilities kept from 0 and 1
 * ```ts
 * import { clip } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(clip([-1, 0.5, 2], 0, 1).toArray(), [0, 0.5, 1]);
 * ```
 */
export function clip(x: TensorLike, min: number, max: number): Tensor {
  if (arguments.length > 3) refuseMore("clip", "max", 3, arguments);
  checkLimits("clip", min, max);
  const operand = numeric(asOperand("clip", x));
  const whole = [min, max].every((limit) => Number.isInteger(limit) || !Number.isFinite(limit));
  if (!whole || operand.dtype !== "int32") return apply(clipOp, [floating(operand)], [min, max]);
  if (min > LARGEST || max < SMALLEST) {
    throw new RangeError(
      `Cannot compute clip as int32 holds nothing between ${min} and ${max}: cast x first`,
    );
  }
  return apply(clipOp, [operand], [Math.max(min, SMALLEST), Math.min(max, LARGEST)]);
}

/** The ends of `int32`. */
const [SMALLEST, LARGEST] = [-(2 ** 31), 2 ** 31 - 1];

/**
 * Reciprocal.
 *
 * @param x Any shape.
 * @returns `1 / x`; ∞ at 0, −∞ at −0.
 *
 * @example Two and a quarter
 * ```ts
 * import { reciprocal } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reciprocal([2, 0.25]).toArray(), [0.5, 4]);
 * ```
 */
export function reciprocal(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("reciprocal", "x", 1, arguments);
  return div(1, asOperand("reciprocal", x));
}

/**
 * The square. Quicker than `pow(x, 2)`.
 *
 * @param x Any shape.
 * @returns `x²`.
 *
 * @example Squares
 * ```ts
 * import { square } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(square([1, -2]).toArray(), [1, 4]);
 * ```
 */
export function square(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("square", "x", 1, arguments);
  const operand = asOperand("square", x);
  return mul(operand, operand);
}

/** How to compute the squares of tensors that are roots. */
const SQUARES = new WeakMap<Tensor, () => Tensor>();

/** A root whose square is known without it: with all its derivatives where the root is 0, too. */
export function withSquare(root: Tensor, compute: () => Tensor): Tensor {
  SQUARES.set(root, compute);
  return root;
}
