/**
 * Truth: what is finite, and, or, not.
 *
 * @module
 */
import { isFloating } from "../dtype.ts";
import { checkOptions, refuseMore } from "../options.ts";
import { broadcastShapes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { abs } from "./arithmetic.ts";
import { NAN_TO_NUM } from "./checks.ts";
import { equal, isNaN, less, notEqual, where } from "./compare.ts";

/**
 * Where the values are neither infinite nor NaN.
 *
 * @param x Any shape.
 * @returns A `bool` tensor.
 *
 * @example A logarithm of zero
 * ```ts
 * import { isFinite, log } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isFinite(log([1, 0, -1])).toArray(), [true, false, false]);
 * ```
 */
export function isFinite(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("isFinite", "x", 1, arguments);
  return less(abs(asOperand("isFinite", x)), Infinity);
}

/**
 * Where the values are ∞ or −∞.
 *
 * @param x Any shape.
 * @returns A `bool` tensor.
 *
 * @example A logarithm of zero
 * ```ts
 * import { isInf, log } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isInf(log([1, 0, -1])).toArray(), [false, true, false]);
 * ```
 */
export function isInf(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("isInf", "x", 1, arguments);
  return equal(abs(asOperand("isInf", x)), Infinity);
}

/** Numbers as truth, of which only 0 is false. */
function truthOf(caller: string, argument: string, x: TensorLike): Tensor {
  const operand = asOperand(caller, x, argument);
  return operand.dtype === "bool" ? operand : notEqual(operand, 0);
}

/**
 * Where something does not hold.
 *
 * @param x Any shape; of numbers, only 0 is false.
 * @returns A `bool` tensor.
 *
 * @example The other cells
 * ```ts
 * import { logicalNot } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logicalNot([true, false]).toArray(), [false, true]);
 * ```
 */
export function logicalNot(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("logicalNot", "x", 1, arguments);
  return equal(truthOf("logicalNot", "x", x), false);
}

/**
 * Where both hold.
 *
 * @param a Any shape; of numbers, only 0 is false.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Cells that pass two filters
 * ```ts
 * import { logicalAnd } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logicalAnd([true, true, false], [true, false, false]).toArray(), [true, false, false]);
 * ```
 */
export function logicalAnd(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("logicalAnd", "b", 2, arguments);
  const [x, y] = truths("logicalAnd", a, b);
  return where(x, y, false);
}

/**
 * Where at least one of two holds.
 *
 * @param a Any shape; of numbers, only 0 is false.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Cells that pass one of two filters
 * ```ts
 * import { logicalOr } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logicalOr([true, true, false], [true, false, false]).toArray(), [true, true, false]);
 * ```
 */
export function logicalOr(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("logicalOr", "b", 2, arguments);
  const [x, y] = truths("logicalOr", a, b);
  return where(x, true, y);
}

/**
 * Where exactly one of two holds.
 *
 * @param a Any shape; of numbers, only 0 is false.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Cells that two filters judge differently
 * ```ts
 * import { logicalXor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logicalXor([true, true, false], [true, false, false]).toArray(), [false, true, false]);
 * ```
 */
export function logicalXor(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("logicalXor", "b", 2, arguments);
  const [x, y] = truths("logicalXor", a, b);
  return notEqual(x, y);
}

/** Options of {@linkcode nanToNum}. */
export interface NanToNumOptions {
  /** What NaN becomes; 0 by default. */
  nan?: number | undefined;
  /** What ∞ becomes; the largest number of the type by default. */
  posInf?: number | undefined;
  /** What −∞ becomes; the least number of the type by default. */
  negInf?: number | undefined;
}

/** The largest number of single precision. */
const LARGEST_SINGLE = 3.4028234663852886e38;

/**
 * The values with numbers in place of NaN and infinities. The gradient is 0 there.
 *
 * @param x Any shape; integers and booleans are returned as they are.
 * @param options `nan`, 0 by default, `posInf` and `negInf`.
 * @returns The values, all of them finite by default.
 *
 * @example Missing values
 * ```ts
 * import { nanToNum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nanToNum([NaN, 2, Infinity], { nan: -1, posInf: 9 }).toArray(), [-1, 2, 9]);
 * ```
 */
export function nanToNum(x: TensorLike, options: NanToNumOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("nanToNum", NAN_TO_NUM, 1, arguments);
  const operand = asOperand("nanToNum", x);
  if (!isFloating(operand.dtype)) return operand;
  const largest = operand.dtype === "float64" ? Number.MAX_VALUE : LARGEST_SINGLE;
  const { nan = 0, posInf = largest, negInf = -largest } = options;
  const below = where(equal(operand, -Infinity), negInf, operand);
  return where(isNaN(operand), nan, where(equal(operand, Infinity), posInf, below));
}

/** Whether the operands hold, of shapes that broadcast. */
function truths(name: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const [x, y] = [truthOf(name, "a", a), truthOf(name, "b", b)];
  broadcastShapes(name, x.shape, y.shape);
  return [x, y];
}
