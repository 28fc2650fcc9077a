/**
 * Layout: the same values in other shapes, orders and types.
 *
 * @module
 */
import { copyAll, type Strides } from "../../kernels/layout/reference.ts";
import { allocate, checkDType, type DType, isFloating } from "../dtype.ts";
import { type MapOp, perInput, type ViewOp, type Vjp } from "../op.ts";
import { checkWholes, refuseMore, wholesAmong } from "../options.ts";
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import { convertData } from "../intake.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";

/** The same values in another type. */
export const castOp: MapOp<DType> = {
  kind: "map",
  name: "cast",
  expression: "a",
  infer: ([x], dtype) => ({ shape: x!.shape, dtype }),
  forward: ([x], dtype) => convertData("cast", x!.data, x!.dtype, dtype),
  vjp: perInput((g) => g),
  refuses([x], dtype) {
    const from = x!.dtype;
    if (from === dtype || from === "bool" || isFloating(dtype)) return undefined;
    return {
      inputs: [0],
      forbidden: { kind: dtype === "bool" ? "untrue" : "fraction" },
      verify: (x) => void convertData("cast", x!.data, from, dtype),
    };
  },
};

/** An operation that puts values in other places. */
export function view<P>(
  name: string,
  shapeOf: (inputs: readonly Shape[], params: P) => Shape,
  copies: ViewOp<P>["copies"],
  vjp: Vjp<P>,
): ViewOp<P> {
  const shapes = (inputs: readonly Tensor[]) => inputs.map((x) => x.shape);
  return {
    kind: "view",
    name,
    infer: (inputs, p) => ({ shape: shapeOf(shapes(inputs), p), dtype: inputs[0]!.dtype }),
    forward(inputs, params, { shape, dtype }) {
      const data = allocate(dtype, sizeOf(shape));
      copyAll(data, inputs.map((x) => x.data), copies(shapes(inputs), params, shape));
      return data;
    },
    copies,
    vjp,
  };
}

/** The view of an array, from a position on, by steps along its axes. */
export function blockOf(
  shape: Shape,
  start: readonly number[] = [],
  step: readonly number[] = [],
): Strides {
  const own = stridesOf(shape);
  const strides = own.map((stride, axis) => stride * (step[axis] ?? 1));
  return { offset: start.reduce((sum, at, i) => sum + at * own[i]!, 0), strides };
}

/** The same values in another shape. */
export const reshapeOp: ViewOp<Shape> = {
  ...view<Shape>(
    "reshape",
    (_inputs, shape) => shape,
    (_inputs, _shape, output) => {
      const flat = { offset: 0, strides: [1] };
      return [{ shape: [sizeOf(output)], to: flat, from: flat }];
    },
    perInput((g, _y, [x]) => reshape(g, x!.shape)),
  ),
  forward: ([x]) => x!.data,
  join: (_first, second) => second,
};

/** The axes in another order. */
export const transposeOp: ViewOp<readonly number[]> = {
  ...view<readonly number[]>(
    "transpose",
    ([x], axes) => axes.map((axis) => x![axis]!),
    ([x], axes, shape) => {
      const own = stridesOf(x!);
      const from = { offset: 0, strides: axes.map((axis) => own[axis]!) };
      return [{ shape, to: blockOf(shape), from }];
    },
    perInput((g, _y, _x, axes) => transpose(g, axes.map((_, i) => axes.indexOf(i)))),
  ),
  join: (first, second) => second.map((axis) => first[axis]!),
};

/** The values repeated along axes of extent 1. */
export const broadcastToOp: ViewOp<Shape> = view<Shape>(
  "broadcastTo",
  (_inputs, shape) => shape,
  ([x], _shape, shape) => {
    const from = { offset: 0, strides: broadcastStrides(x!, shape) };
    return [{ shape, to: blockOf(shape), from }];
  },
  perInput((g) => g),
);

/**
 * The same values in another element type.
 *
 * @param x Any shape.
 * @param dtype The type to convert to.
 * @returns A tensor of the same shape.
 * @throws {RangeError} If an integer type cannot hold a value: round first.
 *
 * @example Labels from numbers
 * ```ts
 * import { cast } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cast([0, 2], "int32").dtype, "int32");
 * ```
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  if (arguments.length > 2) refuseMore("cast", "dtype", 2, arguments);
  checkDType("cast", dtype);
  const operand = asOperand("cast", x);
  return operand.dtype === dtype ? operand : apply(castOp, [operand], dtype);
}

/**
 * The same values, in the same row-major order, in another shape.
 *
 * @param x Any shape.
 * @param shape The new extents, in an array or one by one; one of them may be −1, for what is left.
 * @returns A tensor of that shape, which shares the values.
 * @throws {TypeError} If the shape is not made of whole numbers, or does not hold as many values as
 * `x`.
 *
 * @example Rows of two
 * ```ts
 * import { reshape } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reshape([1, 2, 3, 4], [-1, 2]).toArray(), [[1, 2], [3, 4]]);
 * assertEquals(reshape([1, 2, 3, 4], -1, 2).shape, [2, 2]);
 * ```
 */
export function reshape(x: TensorLike, ...shape: [shape: Shape] | number[]): Tensor {
  const operand = asOperand("reshape", x);
  const given = wholesAmong("reshape", "shape", shape);
  const free = given.indexOf(-1);
  const target = [...given];
  if (free >= 0) {
    const rest = -sizeOf(given);
    target[free] = rest > 0 && operand.size % rest === 0 ? operand.size / rest : -1;
  }
  if (target.some((n) => n < 0) || sizeOf(target) !== operand.size) {
    throw new TypeError(
      `Cannot compute reshape as the shapes must hold equally many values: ` +
        `current shapes are ${formatShape(operand.shape)} and ${formatShape(given)}`,
    );
  }
  return apply(reshapeOp, [operand], target);
}

/**
 * The axes in another order. Given one by one, they must change places: `x.transpose(0, 1)` swaps
 * rows and columns in PyTorch, and would change nothing here.
 *
 * @param x Any shape.
 * @param axes For each axis of the result, which axis of `x` it is, in an array or one by one; by
 * default the reverse order.
 * @returns The tensor with its axes rearranged.
 * @throws {TypeError} If the axes are given one by one in the order that they have.
 * @throws {RangeError} If `axes` is not a permutation of the axes of `x`.
 *
 * @example Rows become columns
 * ```ts
 * import { transpose } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(transpose([[1, 2, 3]]).toArray(), [[1], [2], [3]]);
 * ```
 */
export function transpose(
  x: TensorLike,
  ...axes: [axes?: readonly number[] | undefined] | number[]
): Tensor {
  const operand = asOperand("transpose", x);
  const rank = operand.rank;
  const order = axes[0] === undefined && axes.length < 2
    ? operand.shape.map((_, i) => rank - 1 - i)
    : wholesAmong("transpose", "axes", axes).map((axis) => normalizeAxis("transpose", axis, rank));
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new RangeError(
      `Cannot compute transpose as axes must be a permutation of the ${rank} axes: ` +
        `current value is [${axes}]`,
    );
  }
  const isSame = order.every((axis, i) => axis === i);
  if (isSame && axes.length > 1) {
    throw new TypeError(
      `Cannot compute transpose as ${axes.join(", ")} is the order that the axes have: ` +
        `did you mean ${order.toReversed().join(", ")}? In an array, it is taken as it is`,
    );
  }
  return isSame ? operand : apply(transposeOp, [operand], order);
}

/**
 * New axes of extent 1.
 *
 * @param x Any shape.
 * @param axis Where the new axis, or axes, are in the result.
 * @returns The tensor with the axes added.
 * @throws {RangeError} If an axis lies outside of the result.
 *
 * @example A row of one column each
 * ```ts
 * import { expandDims } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(expandDims([1, 2], 1).shape, [2, 1]);
 * ```
 */
export function expandDims(x: TensorLike, axis: number | readonly number[]): Tensor {
  if (arguments.length > 2) refuseMore("expandDims", "axis", 2, arguments);
  const operand = asOperand("expandDims", x);
  checkWholes("expandDims", "axis", axis);
  const count = typeof axis === "number" ? 1 : axis.length;
  const axes = normalizeAxes("expandDims", axis, operand.rank + count);
  const rest = [...operand.shape];
  const shape = Array.from(
    { length: operand.rank + count },
    (_, i) => axes.includes(i) ? 1 : rest.shift()!,
  );
  return reshape(operand, shape);
}

/**
 * The tensor without axes of extent 1.
 *
 * @param x Any shape.
 * @param axis The axis, or axes, to drop; by default all of extent 1.
 * @returns The tensor with the axes dropped.
 * @throws {RangeError} If an axis does not exist.
 * @throws {TypeError} If an axis has another extent than 1.
 *
 * @example A column as a list
 * ```ts
 * import { squeeze } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(squeeze([[1], [2]]).toArray(), [1, 2]);
 * ```
 */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  if (arguments.length > 2) refuseMore("squeeze", "axis", 2, arguments);
  const operand = asOperand("squeeze", x);
  if (axis !== undefined) checkWholes("squeeze", "axis", axis);
  const all = operand.shape.flatMap((n, i) => n === 1 ? [i] : []);
  const axes = axis === undefined ? all : normalizeAxes("squeeze", axis, operand.rank);
  for (const dropped of axes) {
    if (operand.shape[dropped] === 1) continue;
    throw new TypeError(
      `Cannot compute squeeze as axis ${dropped} must have extent 1: ` +
        `current shape is ${formatShape(operand.shape)}`,
    );
  }
  return reshape(operand, operand.shape.filter((_, i) => !axes.includes(i)));
}

/**
 * The values repeated to a larger shape, by NumPy's rules.
 *
 * @param x Any shape.
 * @param shape The extents to repeat to, in an array or one by one.
 * @returns The repeated tensor; the gradient sums over the repeats.
 * @throws {TypeError} If `x` does not broadcast to exactly that shape.
 *
 * @example One row three times
 * ```ts
 * import { broadcastTo } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(broadcastTo([1, 2], [3, 2]).toArray(), [[1, 2], [1, 2], [1, 2]]);
 * ```
 */
export function broadcastTo(x: TensorLike, ...shape: [shape: Shape] | number[]): Tensor {
  const extents = wholesAmong("broadcastTo", "shape", shape);
  checkShape("broadcastTo", extents);
  const operand = asOperand("broadcastTo", x);
  if (
    formatShape(broadcastShapes("broadcastTo", operand.shape, extents)) !== formatShape(extents)
  ) {
    throw new TypeError(
      `Cannot compute broadcastTo as shape must be one that x broadcasts to: ` +
        `current shapes are ${formatShape(operand.shape)} and ${formatShape(extents)}`,
    );
  }
  return apply(broadcastToOp, [operand], [...extents]);
}

/**
 * One axis in another place; the others keep their order.
 *
 * @param x Any shape.
 * @param from The axis, negative ones counted from the end.
 * @param to Its place in the result, alike.
 * @returns The tensor with its axes in the new order.
 * @throws {RangeError} If there is no such axis.
 *
 * @example Channels last
 * ```ts
 * import { moveAxis } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(moveAxis([[[1, 2], [3, 4]]], 0, -1).shape, [2, 2, 1]);
 * ```
 */
export function moveAxis(x: TensorLike, from: number, to: number): Tensor {
  if (arguments.length > 3) refuseMore("moveAxis", "to", 3, arguments);
  const operand = asOperand("moveAxis", x);
  const [source, target] = [from, to].map((axis) => normalizeAxis("moveAxis", axis, operand.rank));
  const others = operand.shape.flatMap((_, axis) => axis === source ? [] : [axis]);
  return transpose(operand, others.toSpliced(target!, 0, source!));
}

/**
 * All values in one axis, in row-major order.
 *
 * @param x Any shape.
 * @returns A vector, which shares the values.
 *
 * @example Rows behind each other
 * ```ts
 * import { flatten } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(flatten([[1, 2], [3, 4]]).toArray(), [1, 2, 3, 4]);
 * ```
 */
export function flatten(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("flatten", "x", 1, arguments);
  const operand = asOperand("flatten", x);
  return reshape(operand, [operand.size]);
}
