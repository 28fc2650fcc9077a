/**
 * Comparisons, which give `bool`, and the choice between two tensors that they serve.
 *
 * @module
 */
import { refuseMore } from "../options.ts";
import { broadcastShapes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Elementwise, elementwise, promotePair } from "./elementwise.ts";

/** `a = b`. */
export const equalOp: Elementwise = elementwise("equal", "a == b", null, () => "bool");

/** `a ≠ b`. */
export const notEqualOp: Elementwise = elementwise("notEqual", "a != b", null, () => "bool");

/** `a < b`. */
export const lessOp: Elementwise = elementwise("less", "a < b", null, () => "bool");

/** `a ≤ b`. */
export const lessEqualOp: Elementwise = elementwise("lessEqual", "a <= b", null, () => "bool");

/** `b` where `a` holds, else `c`. */
export const whereOp: Elementwise = elementwise("where", "a != 0 ? b : c", [
  () => null,
  (g, _y, [condition]) => where(condition!, g, 0),
  (g, _y, [condition]) => where(condition!, 0, g),
], (inputs) => inputs[1]!.dtype);

/**
 * Where two tensors are equal.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; NaN equals nothing.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Cells of one type
 * ```ts
 * import { equal } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(equal([0, 2, 1], 2).toArray(), [false, true, false]);
 * ```
 */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("equal", "b", 2, arguments);
  return apply(equalOp, promotePair("equal", a, b), []);
}

/**
 * Where two tensors differ.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; NaN differs from everything, itself included.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example The negation of a mask
 * ```ts
 * import { notEqual } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(notEqual([true, false], true).toArray(), [false, true]);
 * ```
 */
export function notEqual(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("notEqual", "b", 2, arguments);
  return apply(notEqualOp, promotePair("notEqual", a, b), []);
}

/**
 * Where `a < b`.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; false where either is NaN.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Below two
 * ```ts
 * import { less } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(less([1, 2, 3], 2).toArray(), [true, false, false]);
 * ```
 */
export function less(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("less", "b", 2, arguments);
  return apply(lessOp, promotePair("less", a, b), []);
}

/**
 * Where `a ≤ b`.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; false where either is NaN.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Up to two
 * ```ts
 * import { lessEqual } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(lessEqual([1, 2, 3], 2).toArray(), [true, true, false]);
 * ```
 */
export function lessEqual(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("lessEqual", "b", 2, arguments);
  return apply(lessEqualOp, promotePair("lessEqual", a, b), []);
}

/**
 * Where `a > b`.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; false where either is NaN.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example Expressed genes
 * ```ts
 * import { greater } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(greater([0, 4, 1], 0).toArray(), [false, true, true]);
 * ```
 */
export function greater(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("greater", "b", 2, arguments);
  return swapped("greater", lessOp, a, b);
}

/**
 * Where `a ≥ b`.
 *
 * @param a Any shape.
 * @param b A shape that broadcasts with that of `a`.
 * @returns A `bool` tensor; false where either is NaN.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example From two on
 * ```ts
 * import { greaterEqual } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(greaterEqual([1, 2, 3], 2).toArray(), [false, true, true]);
 * ```
 */
export function greaterEqual(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("greaterEqual", "b", 2, arguments);
  return swapped("greaterEqual", lessEqualOp, a, b);
}

/** A comparison of the operands in the other order, under a name of its own in messages. */
function swapped(name: string, op: Elementwise, a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = promotePair(name, a, b) as [Tensor, Tensor];
  broadcastShapes(name, x.shape, y.shape);
  return apply(op, [y, x], []);
}

/**
 * Where the values are not numbers.
 *
 * @param x Any shape.
 * @returns A `bool` tensor.
 *
 * @example Finding a hole
 * ```ts
 * import { isNaN } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isNaN([1, NaN]).toArray(), [false, true]);
 * ```
 */
export function isNaN(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("isNaN", "x", 1, arguments);
  const operand = asOperand("isNaN", x);
  return notEqual(operand, operand);
}

/**
 * Chooses between two tensors, element by element. The gradient reaches only what was chosen, so a
 * NaN in what was not chosen does no harm to the value; to keep it out of the gradients as well,
 * select the input of the unsafe operation (`log(where(x > 0, x, 1))`), not its output alone.
 *
 * @param condition A `bool` tensor, or numbers of which 0 is false.
 * @param a What is taken where the condition holds.
 * @param b What is taken elsewhere. The three shapes broadcast.
 * @returns A tensor in the stronger of the types of `a` and `b`.
 * @throws {TypeError} If the shapes do not broadcast.
 *
 * @example A logarithm that is 0 at 0
 * ```ts
 * import { greater, log, tensor, where } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([0, 1]);
 * const positive = greater(x, 0);
 * assertEquals(where(positive, log(where(positive, x, 1)), 0).toArray(), [0, 0]);
 * ```
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 3) refuseMore("where", "b", 3, arguments);
  const given = asOperand("where", condition, "condition");
  const chosen = given.dtype === "bool" ? given : notEqual(given, 0);
  return apply(whereOp, [chosen, ...promotePair("where", a, b)], []);
}
