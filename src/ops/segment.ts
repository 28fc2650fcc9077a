/**
 * Segments and replacement: what is known of groups of slices, by their numbers.
 *
 * @module
 */
import { scatterRows } from "../../kernels/select/reference.ts";
import { arange, zeros } from "../create.ts";
import { checkLabels, outsidePositions } from "../labels.ts";
import { perInput, type ScatterOp } from "../op.ts";
import { checkOptions, refuseMore } from "../options.ts";
import {
  checkExtent,
  checkSize,
  extentsAround,
  formatShape,
  normalizeAxis,
  sameShape,
  type Shape,
  sizeOf,
} from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { div, maximum, mul } from "./arithmetic.ts";
import { AXIS } from "./checks.ts";
import { equal, greaterEqual, where } from "./compare.ts";
import { floating, lowestOf, numeric, promoteAll } from "./elementwise.ts";
import { cast, reshape } from "./layout.ts";
import { type AxisOptions, gatherOp, narrow, scatterAddOp } from "./select.ts";

/** How many segments there are, and along which axis. */
interface Segments {
  readonly axis: number;
  readonly count: number;
}

/** The largest slices of segments; ties share the gradient. */
export const segmentMaxOp: ScatterOp<Segments> = {
  kind: "scatter",
  name: "segmentMax",
  by: "slice",
  reduce: "max",
  axis: ({ axis }) => axis,
  lift: ({ axis, count }) => ({ axis: axis + 1, count }),
  infer: ([x], { axis, count }) => ({
    shape: x!.shape.toSpliced(axis, 1, count),
    dtype: x!.dtype,
  }),
  forward([x, segments], { axis }, { shape, dtype }) {
    const maxima = new Float64Array(sizeOf(shape)).fill(lowestOf(dtype));
    const { data } = checkLabels("segmentMax", segments!, shape[axis]!, { argument: "segments" });
    scatterRows(maxima, x!.data, data, segmentMaxOp, extentsAround(shape, axis));
    return narrow(maxima, dtype);
  },
  refuses: (_inputs, { count }) => outsidePositions("segmentMax", count),
  vjp: perInput(
    (g, y, [x, segments], { axis }) => {
      const picked = (all: Tensor) => apply(gatherOp, [all, segments!], axis);
      const chosen = cast(equal(x!, picked(y)), x!.dtype);
      const none = zeros(y.shape, { dtype: x!.dtype });
      const ties = apply(scatterAddOp, [none, segments!, chosen], axis);
      return mul(chosen, div(picked(g), picked(ties)));
    },
    () => null,
  ),
};

/** What segments are made of, and their numbers. */
function readSegments(
  caller: string,
  x: Tensor,
  segments: TensorLike,
  count: number,
): Tensor {
  checkExtent(caller, "count", count);
  const numbers = checkLabels(caller, segments, count, { argument: "segments" });
  if (numbers.rank === 1 && numbers.size === x.shape[0]) return numbers;
  throw new TypeError(
    `Cannot compute ${caller} as segments must hold one number for each slice of x: current ` +
      `shapes are ${formatShape(numbers.shape)} and ${formatShape(x.shape)}`,
  );
}

/**
 * Sums of slices by segment: of messages by the cell that they reach, of cells by their donor. Those
 * of `int32` stay `int32` and begin again at −2³¹ beyond 2³¹ − 1: cast larger counts to `float64`.
 *
 * @param x Slices along the first axis; float32 is added up in float64.
 * @param segments The number of each slice's segment, whole numbers in [0, count), in any order.
 * @param count How many segments there are.
 * @returns The sums, with `count` in place of the first axis; 0 of an empty segment.
 * @throws {TypeError} If there is not one number for each slice, or `count` is no extent.
 * @throws {RangeError} If a number names no segment.
 *
 * @example A pseudobulk of three cells
 * ```ts
 * import { segmentSum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(segmentSum([[1, 2], [3, 4], [5, 6]], [0, 1, 0], 2).toArray(), [[6, 8], [3, 4]]);
 * ```
 */
export function segmentSum(x: TensorLike, segments: TensorLike, count: number): Tensor {
  if (arguments.length > 3) refuseMore("segmentSum", "count", 3, arguments);
  const operand = numeric(asOperand("segmentSum", x));
  const numbers = readSegments("segmentSum", operand, segments, count);
  const shape = [count, ...operand.shape.slice(1)];
  checkSize("segmentSum", shape, operand.dtype);
  return apply(scatterAddOp, [zeros(shape, { dtype: operand.dtype }), numbers, operand], 0);
}

/**
 * The largest values of segments. Equal ones share the gradient; NaN wins.
 *
 * @param x Slices along the first axis; integers become `float32`.
 * @param segments The number of each slice's segment, whole numbers in [0, count), in any order.
 * @param count How many segments there are.
 * @returns The largest values, with `count` in place of the first axis; −∞ of an empty segment.
 * @throws {TypeError} If there is not one number for each slice, or `count` is no extent.
 * @throws {RangeError} If a number names no segment.
 *
 * @example The highest expression in each cluster
 * ```ts
 * import { segmentMax } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(segmentMax([1, 5, 3], [0, 1, 0], 3).toArray(), [3, 5, -Infinity]);
 * ```
 */
export function segmentMax(x: TensorLike, segments: TensorLike, count: number): Tensor {
  if (arguments.length > 3) refuseMore("segmentMax", "count", 3, arguments);
  const operand = floating(asOperand("segmentMax", x));
  const numbers = readSegments("segmentMax", operand, segments, count);
  return apply(segmentMaxOp, [operand, numbers], { axis: 0, count });
}

/**
 * A tensor with slices replaced at positions along an axis.
 *
 * @param x Any shape of rank 1 or more.
 * @param indices Positions, whole numbers of any shape; of equal ones the last in row-major order
 * wins, and takes the gradient.
 * @param values What is put there: the shape of `x` with the axis replaced by that of `indices`.
 * @param options `axis`, 0 by default.
 * @returns A tensor of the shape of `x`. What was replaced has gradient 0.
 * @throws {RangeError} If a position lies outside of the axis.
 * @throws {TypeError} If `values` has another shape.
 *
 * @example Of two values for one place the last
 * ```ts
 * import { scatterSet } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scatterSet([1, 2, 3], [2, 0, 2], [7, 8, 9]).toArray(), [8, 2, 9]);
 * ```
 */
export function scatterSet(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  options: AxisOptions = {},
): Tensor {
  if (arguments.length > 3) checkOptions("scatterSet", AXIS, 3, arguments);
  const [base, given] = promoteAll("scatterSet", { x, values }) as [Tensor, Tensor];
  const axis = normalizeAxis("scatterSet", options.axis ?? 0, base.rank);
  const count = base.shape[axis]!;
  const positions = checkLabels("scatterSet", indices, count, { argument: "indices" });
  const around = (middle: Shape) => base.shape.toSpliced(axis, 1, ...middle);
  if (!sameShape(given.shape, around(positions.shape))) {
    throw new TypeError(
      `Cannot compute scatterSet as values must have the shape ` +
        `${formatShape(around(positions.shape))}: current shape is ${formatShape(given.shape)}`,
    );
  }
  if (positions.size === 0) return base;
  const { size } = positions;
  const flat = reshape(positions, [size]);
  const order = arange(size, { dtype: "int32" });
  const last = apply(segmentMaxOp, [order, flat], { axis: 0, count });
  const picked = apply(gatherOp, [reshape(given, around([size])), maximum(last, 0)], axis);
  const column = base.shape.map((extent, i) => i === axis ? extent : 1);
  return where(reshape(greaterEqual(last, 0), column), picked, base);
}
