/**
 * Selection: picking by position, adding up by position, sorting.
 *
 * @module
 */
import { gatherRows, scatterRows } from "../../kernels/select/reference.ts";
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { describe } from "../describe.ts";
import { checkLabels, outsidePositions, toIntegers } from "../labels.ts";
import { type LookupOp, perInput, type ScatterOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import {
  broadcastShapes,
  checkExtent,
  checkSize,
  extentsAround,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sizeOf,
} from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { arange, zeros } from "../create.ts";
import { apply } from "../trace.ts";
import { add, mul } from "./arithmetic.ts";
import { AXIS, GATHER, ONE_HOT } from "./checks.ts";
import { equal } from "./compare.ts";
import { numeric, promoteAll } from "./elementwise.ts";
import { broadcastTo, cast, expandDims, reshape, transpose } from "./layout.ts";

/** Slices along an axis by their positions. */
export const gatherOp: LookupOp<number> = {
  kind: "lookup",
  name: "gather",
  by: "slice",
  axis: (axis) => axis,
  lift: (axis) => axis + 1,
  infer: ([x, indices], axis) => ({
    shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
    dtype: x!.dtype,
  }),
  forward([x, indices], axis, { shape, dtype }) {
    const out = allocate(dtype, sizeOf(shape));
    const positions = checkPositions("gather", indices!, x!.shape[axis]!);
    gatherRows(out, x!.data, positions, "slice", extentsAround(x!.shape, axis));
    return out;
  },
  refuses: ([x], axis) => outsidePositions("gather", x!.shape[axis]!),
  vjp: perInput(
    (g, _y, [x, indices], axis) =>
      apply(scatterAddOp, [zeros(x!.shape, { dtype: g.dtype }), indices!, g], axis),
    () => null,
  ),
};

/** Slices added at their positions along an axis. */
export const scatterAddOp: ScatterOp<number> = {
  kind: "scatter",
  name: "scatterAdd",
  by: "slice",
  reduce: "sum",
  axis: (axis) => axis,
  lift: (axis) => axis + 1,
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  forward([x, indices, updates], axis, { shape, dtype }) {
    const sums = Float64Array.from(x!.data);
    const positions = checkPositions("scatterAdd", indices!, shape[axis]!);
    scatterRows(sums, updates!.data, positions, scatterAddOp, extentsAround(shape, axis));
    return narrow(sums, dtype);
  },
  refuses: ([x], axis) => outsidePositions("scatterAdd", x!.shape[axis]!),
  vjp: perInput(
    (g) => g,
    () => null,
    (g, _y, [, indices], axis) => apply(gatherOp, [g, indices!], axis),
  ),
};

/** Single values along an axis by their positions. */
export const takeAlongAxisOp: LookupOp<number> = {
  kind: "lookup",
  name: "takeAlongAxis",
  by: "value",
  axis: (axis) => axis,
  lift: (axis) => axis + 1,
  infer: ([x, indices]) => ({ shape: indices!.shape, dtype: x!.dtype }),
  forward([x, indices], axis, { dtype }) {
    const out = allocate(dtype, indices!.size);
    const positions = checkPositions("takeAlongAxis", indices!, x!.shape[axis]!);
    gatherRows(out, x!.data, positions, "value", extentsAround(x!.shape, axis));
    return out;
  },
  refuses: ([x], axis) => outsidePositions("takeAlongAxis", x!.shape[axis]!),
  vjp: perInput(
    (g, _y, [x, indices], axis) => apply(putAlongAxisOp, [g, indices!], { axis, shape: x!.shape }),
    () => null,
  ),
};

/** Single values added at their positions along an axis of zeros. */
export const putAlongAxisOp: ScatterOp<{ axis: number; shape: Shape }> = {
  kind: "scatter",
  name: "putAlongAxis",
  by: "value",
  reduce: "sum",
  axis: ({ axis }) => axis,
  lift: ({ axis, shape }, count) => ({ axis: axis + 1, shape: [count, ...shape] }),
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  forward([x, indices], { axis, shape }, { dtype }) {
    const sums = new Float64Array(sizeOf(shape));
    const positions = checkPositions("takeAlongAxis", indices!, shape[axis]!);
    scatterRows(sums, x!.data, positions, putAlongAxisOp, extentsAround(shape, axis));
    return narrow(sums, dtype);
  },
  refuses: (_inputs, { axis, shape }) => outsidePositions("takeAlongAxis", shape[axis]!),
  vjp: perInput(
    (g, _y, [, indices], { axis }) => apply(takeAlongAxisOp, [g, indices!], axis),
    () => null,
  ),
};

/** Sums in their type. */
export function narrow(sums: Float64Array, dtype: DType): TypedArray {
  if (dtype === "float64") return sums;
  const out = allocate(dtype, sums.length);
  (out as Float32Array).set(sums);
  return out;
}

function checkPositions(caller: string, indices: Tensor, extent: number): TypedArray {
  return checkLabels(caller, indices, extent, { argument: "indices" }).data;
}

/** Options of the functions that select along one axis. */
export interface AxisOptions {
  /** The axis, negative ones counted from the end. */
  axis?: number | undefined;
}

/** Options of {@linkcode gather}. */
export interface GatherOptions {
  /** The axis, negative ones counted from the end, or several of them; 0 by default. */
  axis?: number | readonly number[] | undefined;
}

/**
 * Slices of a tensor by their positions along an axis, or along several axes at once.
 *
 * With a list of axes, `indices` is a list of as many positions, one along each axis, which broadcast
 * against each other: `x[i, j]` of NumPy is `gather(x, [i, j], { axis: [0, 1] })`.
 *
 * @param x Any shape of rank 1 or more.
 * @param indices Positions, whole numbers of any shape; a list of them where `axis` is a list.
 * @param options `axis`, 0 by default.
 * @returns The shape of `x` with the axis replaced by the shape of `indices`. Of several axes, the
 * shape of the positions takes the place of the one that comes first in `x`, and the others go (NumPy
 * puts it in front of all where the axes are no neighbours). Gradients of slices that are picked
 * several times add up.
 * @throws {RangeError} If a position lies outside of the axis (negative ones are not wrapped).
 * @throws {TypeError} If there are not as many positions as axes, or their shapes do not broadcast.
 *
 * @example Embeddings of genes
 * ```ts
 * import { gather } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(gather([[1, 2], [3, 4]], [1, 1, 0]).toArray(), [[3, 4], [3, 4], [1, 2]]);
 * ```
 *
 * @example Values at pairs of positions
 * ```ts
 * import { gather } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(gather([[1, 2], [3, 4]], [[0, 1, 1], [1, 0, 1]], { axis: [0, 1] }).toArray(), [2, 3, 4]);
 * ```
 */
export function gather(
  x: TensorLike,
  indices: TensorLike | readonly TensorLike[],
  options: GatherOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("gather", GATHER, 2, arguments);
  const operand = asOperand("gather", x);
  const { axis = 0 } = options;
  if (typeof axis !== "number") return gatherTogether(operand, indices, axis);
  const own = toIntegers("gather", indices as TensorLike, "indices");
  return apply(gatherOp, [operand, own], normalizeAxis("gather", axis, operand.rank));
}

/** Slices at the places that positions along several axes name together. */
function gatherTogether(x: Tensor, indices: unknown, given: readonly number[]): Tensor {
  normalizeAxes("gather", given, x.rank);
  const axes = given.map((axis) => normalizeAxis("gather", axis, x.rank));
  if (axes.length === 0 || !Array.isArray(indices) || indices.length !== axes.length) {
    throw new TypeError(
      `Cannot compute gather as indices must be an array of positions for each of the axes ` +
        `${formatShape(given)}: current ${
          Array.isArray(indices) ? `number is ${indices.length}` : `value is ${describe(indices)}`
        }`,
    );
  }
  const positions = [...indices].map((values: TensorLike, i) => {
    const argument = `indices[${i}]`;
    const own = toIntegers("gather", values, argument);
    return checkLabels("gather", own, x.shape[axes[i]!]!, { argument });
  });
  const first = Math.min(...axes);
  const others = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const [before, behind] = [others.slice(0, first), others.slice(first)];
  const extentsOf = (list: readonly number[]) => list.map((axis) => x.shape[axis]!);
  const extents = extentsOf(axes);
  const flat = reshape(
    transpose(x, [...before, ...axes, ...behind]),
    [...extentsOf(before), sizeOf(extents), ...extentsOf(behind)],
  );
  const places = positions.reduce((sum, own, i) => add(mul(sum, extents[i]!), own));
  return apply(gatherOp, [flat, places], first);
}

/**
 * A tensor with slices added at positions along an axis: the adjoint of {@linkcode gather}. Sums of
 * `int32` begin again at −2³¹ beyond 2³¹ − 1, as all its additions.
 *
 * @param x Any shape of rank 1 or more.
 * @param indices Positions, whole numbers of any shape; equal ones add up.
 * @param updates What is added: the shape of `x` with the axis replaced by that of `indices`.
 * @param options `axis`, 0 by default.
 * @returns A tensor of the shape of `x`.
 * @throws {RangeError} If a position lies outside of the axis.
 * @throws {TypeError} If `updates` has another shape.
 *
 * @example Counts per batch
 * ```ts
 * import { scatterAdd } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scatterAdd([0, 0], [0, 1, 1], [1, 1, 1]).toArray(), [1, 2]);
 * ```
 */
export function scatterAdd(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  options: AxisOptions = {},
): Tensor {
  if (arguments.length > 3) checkOptions("scatterAdd", AXIS, 3, arguments);
  const [base, added] = promoteAll("scatterAdd", { x, updates }).map(numeric) as [Tensor, Tensor];
  const axis = normalizeAxis("scatterAdd", options.axis ?? 0, base.rank);
  const positions = toIntegers("scatterAdd", indices, "indices");
  const shape = [...base.shape.slice(0, axis), ...positions.shape, ...base.shape.slice(axis + 1)];
  if (formatShape(added.shape) !== formatShape(shape)) {
    throw new TypeError(
      `Cannot compute scatterAdd as updates must have the shape ${formatShape(shape)}: ` +
        `current shape is ${formatShape(added.shape)}`,
    );
  }
  return apply(scatterAddOp, [base, positions, added], axis);
}

/**
 * One value per position along an axis: `out[i, j] = x[i, indices[i, j]]` along the last of two.
 *
 * @param x Any shape of rank 1 or more.
 * @param indices Whole numbers of the same rank; the other axes broadcast with those of `x`.
 * @param options `axis`, −1 by default.
 * @returns A tensor of the shape of the indices.
 * @throws {RangeError} If a position lies outside of the axis.
 * @throws {TypeError} If the ranks differ, or the other axes do not broadcast.
 *
 * @example The logit of each cell's own class
 * ```ts
 * import { takeAlongAxis } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(takeAlongAxis([[1, 2], [3, 4]], [[1], [0]]).toArray(), [[2], [3]]);
 * ```
 */
export function takeAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  options: AxisOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("takeAlongAxis", AXIS, 2, arguments);
  const operand = asOperand("takeAlongAxis", x);
  const positions = toIntegers("takeAlongAxis", indices, "indices");
  if (positions.rank !== operand.rank) {
    throw new TypeError(
      `Cannot compute takeAlongAxis as x and indices must have the same rank: current shapes are ` +
        `${formatShape(operand.shape)} and ${formatShape(positions.shape)}`,
    );
  }
  const axis = normalizeAxis("takeAlongAxis", options.axis ?? -1, operand.rank);
  const single = (shape: Shape) => shape.map((n, i) => i === axis ? 1 : n);
  const shape = broadcastShapes("takeAlongAxis", single(operand.shape), single(positions.shape));
  const withExtent = (extent: number) => shape.map((n, i) => i === axis ? extent : n);
  return apply(takeAlongAxisOp, [
    broadcastTo(operand, withExtent(operand.shape[axis]!)),
    broadcastTo(positions, withExtent(positions.shape[axis]!)),
  ], axis);
}

/** Options of {@linkcode oneHot}. */
export interface OneHotOptions {
  /** The element type; `float32` by default. */
  dtype?: DType | undefined;
}

/**
 * Labels as rows with a single 1.
 *
 * @param labels Whole numbers in [0, numClasses), of any shape.
 * @param numClasses How many classes there are.
 * @param options `dtype`, `float32` by default.
 * @returns The shape of the labels with an axis of `numClasses` added at the end.
 * @throws {TypeError} If `numClasses` is no extent, or the labels are not whole numbers.
 * @throws {RangeError} If a label names no class.
 *
 * @example Two labels
 * ```ts
 * import { oneHot } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(oneHot([2, 0], 3).toArray(), [[0, 0, 1], [1, 0, 0]]);
 * ```
 */
export function oneHot(
  labels: TensorLike,
  numClasses: number,
  options: OneHotOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("oneHot", ONE_HOT, 2, arguments);
  checkExtent("oneHot", "numClasses", numClasses);
  const positions = checkLabels("oneHot", labels, numClasses);
  checkSize("oneHot", [...positions.shape, numClasses], "float32");
  const classes = arange(numClasses, { dtype: "int32" });
  return cast(equal(expandDims(positions, -1), classes), options.dtype ?? "float32");
}
