/**
 * Selection: picking by position, adding up by position, sorting.
 *
 * @module
 */
import { argSortRows } from "../../kernels/select/order.ts";
import {
  type Around,
  gatherAlong,
  gatherSlices,
  scatterAddAlong,
  scatterAddSlices,
} from "../../kernels/select/reference.ts";
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { checkLabels, outsidePositions, toIntegers } from "../labels.ts";
import { perInput, type Primitive } from "../op.ts";
import {
  broadcastShapes,
  checkExtent,
  formatShape,
  normalizeAxis,
  type Shape,
  sizeOf,
} from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { arange, zeros } from "../create.ts";
import { apply } from "../trace.ts";
import { equal } from "./compare.ts";
import { numeric, promoteAll } from "./elementwise.ts";
import { broadcastTo, cast, expandDims } from "./layout.ts";

/** Slices along an axis by their positions. */
export const gatherOp: Primitive<number> = {
  name: "gather",
  infer: ([x, indices], axis) => ({
    shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
    dtype: x!.dtype,
  }),
  forward([x, indices], axis, { shape, dtype }) {
    const out = allocate(dtype, sizeOf(shape));
    const positions = checkPositions("gather", indices!, x!.shape[axis]!);
    gatherSlices(out, x!.data, positions, around(x!.shape, axis));
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
export const scatterAddOp: Primitive<number> = {
  name: "scatterAdd",
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  forward([x, indices, updates], axis, { shape, dtype }) {
    const sums = Float64Array.from(x!.data);
    const positions = checkPositions("scatterAdd", indices!, shape[axis]!);
    scatterAddSlices(sums, updates!.data, positions, around(shape, axis));
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
export const takeAlongAxisOp: Primitive<number> = {
  name: "takeAlongAxis",
  infer: ([x, indices]) => ({ shape: indices!.shape, dtype: x!.dtype }),
  forward([x, indices], axis, { dtype }) {
    const out = allocate(dtype, indices!.size);
    const positions = checkPositions("takeAlongAxis", indices!, x!.shape[axis]!);
    gatherAlong(out, x!.data, positions, around(x!.shape, axis));
    return out;
  },
  refuses: ([x], axis) => outsidePositions("takeAlongAxis", x!.shape[axis]!),
  vjp: perInput(
    (g, _y, [x, indices], axis) => apply(putAlongAxisOp, [g, indices!], { axis, shape: x!.shape }),
    () => null,
  ),
};

/** Single values added at their positions along an axis of zeros. */
export const putAlongAxisOp: Primitive<{ axis: number; shape: Shape }> = {
  name: "putAlongAxis",
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  forward([x, indices], { axis, shape }, { dtype }) {
    const sums = new Float64Array(sizeOf(shape));
    const positions = checkPositions("takeAlongAxis", indices!, shape[axis]!);
    scatterAddAlong(sums, x!.data, positions, around(shape, axis));
    return narrow(sums, dtype);
  },
  vjp: perInput(
    (g, _y, [, indices], { axis }) => apply(takeAlongAxisOp, [g, indices!], axis),
    () => null,
  ),
};

/** How to sort: along which axis, in which direction, how many of the first to keep. */
export interface SortParams {
  /** The axis. */
  axis: number;
  /** Whether the largest come first. */
  descending: boolean;
  /** How many positions are kept. */
  kept: number;
}

/** The positions that would sort an axis. */
export const argSortOp: Primitive<SortParams> = {
  name: "argSort",
  infer: ([x], { axis, kept }) => ({
    shape: x!.shape.map((n, i) => i === axis ? kept : n),
    dtype: "int32",
  }),
  forward([x], { axis, descending, kept }, { shape }) {
    const out = new Int32Array(sizeOf(shape));
    argSortRows(out, x!.data, around(x!.shape, axis), descending, kept);
    return out;
  },
  vjp: null,
};

function around(shape: Shape, axis: number): Around {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    count: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

function narrow(sums: Float64Array, dtype: DType): TypedArray {
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

/**
 * Slices of a tensor by their positions along an axis.
 *
 * @param x Any shape of rank 1 or more.
 * @param indices Positions, whole numbers of any shape.
 * @param options `axis`, 0 by default.
 * @returns The shape of `x` with the axis replaced by the shape of `indices`. Gradients of slices
 * that are picked several times add up.
 * @throws {RangeError} If a position lies outside of the axis (negative ones are not wrapped).
 *
 * @example Embeddings of genes
 * ```ts
 * import { gather } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(gather([[1, 2], [3, 4]], [1, 1, 0]).toArray(), [[3, 4], [3, 4], [1, 2]]);
 * ```
 */
export function gather(x: TensorLike, indices: TensorLike, options: AxisOptions = {}): Tensor {
  const operand = asTensor(x);
  const axis = normalizeAxis("gather", options.axis ?? 0, operand.rank);
  return apply(gatherOp, [operand, toIntegers("gather", indices, "indices")], axis);
}

/**
 * A tensor with slices added at positions along an axis: the adjoint of {@linkcode gather}.
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
  const [base, added] = promoteAll(x, updates).map(numeric) as [Tensor, Tensor];
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
  const operand = asTensor(x);
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
  checkExtent("oneHot", "numClasses", numClasses);
  const positions = checkLabels("oneHot", labels, numClasses);
  const classes = arange(numClasses, { dtype: "int32" });
  return cast(equal(expandDims(positions, -1), classes), options.dtype ?? "float32");
}

/** Options of {@linkcode argSort} and {@linkcode sort}. */
export interface SortOptions {
  /** The axis, −1 by default. */
  axis?: number | undefined;
  /** Whether the largest come first; `false` by default. */
  descending?: boolean | undefined;
}

function sortedPositions(
  caller: string,
  x: Tensor,
  options: SortOptions,
  kept?: number,
): { axis: number; indices: Tensor } {
  const axis = normalizeAxis(caller, options.axis ?? -1, x.rank);
  const descending = options.descending ?? false;
  const params = { axis, descending, kept: kept ?? x.shape[axis]! };
  return { axis, indices: apply(argSortOp, [x], params) };
}

/**
 * The positions that would sort a tensor along an axis. Equal values keep their order; NaN is last.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `descending`, `false` by default.
 * @returns An `int32` tensor of the shape of `x`. No gradient passes.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example The order of three numbers
 * ```ts
 * import { argSort } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(argSort([3, 1, 2]).toArray(), [1, 2, 0]);
 * ```
 */
export function argSort(x: TensorLike, options: SortOptions = {}): Tensor {
  return sortedPositions("argSort", asTensor(x), options).indices;
}

/**
 * The values in order along an axis; NaN is last.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `descending`, `false` by default.
 * @returns The sorted tensor; gradients go back to where the values came from.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Three numbers
 * ```ts
 * import { sort } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sort([3, 1, 2]).toArray(), [1, 2, 3]);
 * ```
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  const operand = asTensor(x);
  const { axis, indices } = sortedPositions("sort", operand, options);
  return takeAlongAxis(operand, indices, { axis });
}

/** Options of {@linkcode topK}. */
export interface TopKOptions {
  /** The axis, −1 by default. */
  axis?: number | undefined;
  /** Whether the largest are taken, which is the default, or the smallest. */
  largest?: boolean | undefined;
}

/** What {@linkcode topK} returns. */
export interface TopK {
  /** The values, best first. */
  values: Tensor;
  /** Their positions, `int32`. */
  indices: Tensor;
}

/**
 * The k largest values along an axis, best first, and their positions; of equals, the first.
 *
 * @param x Any shape of rank 1 or more.
 * @param k How many, from 0 to the extent of the axis.
 * @param options `axis`, −1 by default; `largest`, `true` by default.
 * @returns `{ values, indices }`; gradients of the values go back to where they came from.
 * @throws {RangeError} If the axis does not exist, or `k` is out of range.
 *
 * @example The best two
 * ```ts
 * import { topK } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { values, indices } = topK([3, 1, 4], 2);
 * assertEquals(values.toArray(), [4, 3]);
 * assertEquals(indices.toArray(), [2, 0]);
 * ```
 */
export function topK(x: TensorLike, k: number, options: TopKOptions = {}): TopK {
  const operand = asTensor(x);
  const extent = operand.shape[normalizeAxis("topK", options.axis ?? -1, operand.rank)]!;
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    throw new RangeError(
      `Cannot compute topK as k must be an integer in [0, ${extent}]: current value is ${k}`,
    );
  }
  const descending = options.largest ?? true;
  const { axis, indices } = sortedPositions("topK", operand, { axis: options.axis, descending }, k);
  return { values: takeAlongAxis(operand, indices, { axis }), indices };
}
