/**
 * Whole numbers near others, and remainders.
 *
 * @module
 */
import { isFloating } from "../dtype.ts";
import { refuseMore } from "../options.ts";
import { broadcastShapes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { add, div, minimum, mul, neg, sub } from "./arithmetic.ts";
import { equal, less, notEqual, where } from "./compare.ts";
import {
  applyFloatingBinary,
  applyUnary,
  type Elementwise,
  elementwise,
  numeric,
  promoteAll,
  unary,
} from "./elementwise.ts";
import { cast } from "./layout.ts";
import { logicalAnd } from "./logical.ts";

/** The greatest whole number that is at most x. */
export const floorOp: Elementwise = unary("floor", "floor(a)", null);

/** The least whole number that is at least x. */
export const ceilOp: Elementwise = unary("ceil", "ceil(a)", null);

/** The nearest whole number, an even one of two. */
export const roundOp: Elementwise = unary("round", "round(a)", null);

/** The whole part. */
export const truncOp: Elementwise = unary("trunc", "trunc(a)", null);

/** The remainder of `a / b` with the sign of `b`. */
export const modOp: Elementwise = elementwise("mod", "mod(a, b)", [
  (g) => g,
  // What was taken off is a whole multiple of b, but for rounding.
  (g, y, [a, b]) => neg(mul(g, round(div(sub(a!, y), b!)))),
]);

/** Integers are whole as they are. */
function toWhole(op: Elementwise, x: TensorLike): Tensor {
  const operand = numeric(asOperand(op.name, x));
  return isFloating(operand.dtype) ? applyUnary(op, operand) : operand;
}

/**
 * Rounds down. The gradient is 0 everywhere.
 *
 * @param x Any shape; integers are returned as they are.
 * @returns The greatest whole numbers that are at most x.
 *
 * @example Below zero, too
 * ```ts
 * import { floor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(floor([1.5, -1.5]).toArray(), [1, -2]);
 * ```
 */
export function floor(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("floor", "x", 1, arguments);
  return toWhole(floorOp, x);
}

/**
 * Rounds up. The gradient is 0 everywhere.
 *
 * @param x Any shape; integers are returned as they are.
 * @returns The least whole numbers that are at least x.
 *
 * @example Below zero, too
 * ```ts
 * import { ceil } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ceil([1.5, -1.5]).toArray(), [2, -1]);
 * ```
 */
export function ceil(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("ceil", "x", 1, arguments);
  return toWhole(ceilOp, x);
}

/**
 * Rounds to the nearest whole number, half-way to an even one, as NumPy does and `Math.round` does
 * not. The gradient is 0 everywhere.
 *
 * @param x Any shape; integers are returned as they are.
 * @returns The nearest whole numbers.
 *
 * @example Half-way
 * ```ts
 * import { round } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(round([0.5, 1.5, 2.5, 2.6]).toArray(), [0, 2, 2, 3]);
 * ```
 */
export function round(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("round", "x", 1, arguments);
  return toWhole(roundOp, x);
}

/**
 * Rounds towards 0. The gradient is 0 everywhere.
 *
 * @param x Any shape; integers are returned as they are.
 * @returns The whole parts.
 *
 * @example On both sides of zero
 * ```ts
 * import { trunc } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(trunc([1.5, -1.5]).toArray(), [1, -1]);
 * ```
 */
export function trunc(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("trunc", "x", 1, arguments);
  return toWhole(truncOp, x);
}

/**
 * The remainder of a division rounded down: it has the sign of the divisor, as in NumPy and PyTorch,
 * where JavaScript's `%` has that of the dividend. Exact, but where the divisor is added for its sign;
 * of two integers always exact, and an integer.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns `a − b ⌊a / b⌋`; NaN where b is 0 or a infinite, of integers 0 where b is 0.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example The hour of a clock
 * ```ts
 * import { mod } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mod([14, -1], 12).toArray(), [2, 11]);
 * ```
 */
export function mod(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("mod", "b", 2, arguments);
  const [x, y] = promoteAll("mod", { a, b }) as [Tensor, Tensor];
  broadcastShapes("mod", x.shape, y.shape);
  return isFloating(x.dtype) ? applyFloatingBinary(modOp, x, y) : wholeMod(numeric(x), numeric(y));
}

/** The largest number of single precision that `int32` holds. */
const LARGEST = 2 ** 31 - 128;

/**
 * The remainder of integers. Quotients are rounded to 24 bits: what is left after the first of them is
 * divided again, after which at most one divisor too many has been taken off.
 */
function wholeMod(a: Tensor, b: Tensor): Tensor {
  const none = equal(b, 0);
  const divisor = where(none, 1, b);
  const quotient = (x: Tensor) => cast(minimum(floor(div(x, divisor)), LARGEST), "int32");
  const reduce = (x: Tensor) => sub(x, mul(quotient(x), divisor));
  const left = reduce(reduce(a));
  const isOff = logicalAnd(notEqual(left, 0), notEqual(less(left, 0), less(divisor, 0)));
  return where(none, 0, where(isOff, add(left, divisor), left));
}
