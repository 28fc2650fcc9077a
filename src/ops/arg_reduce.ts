/**
 * Positions of the extremes.
 *
 * @module
 */
import { argExtremeRows } from "../../kernels/row_reduce/reference.ts";
import { allocate } from "../dtype.ts";
import type { SortOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { reducedShape, sizeOf } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { REDUCE } from "./checks.ts";
import { numeric } from "./elementwise.ts";
import {
  type Axes,
  liftAxes,
  middleAxis,
  reduceBy,
  type ReduceOptions,
  requireValues,
} from "./reduce.ts";

function argExtreme(name: string, sign: 1 | -1): SortOp<Axes> {
  return {
    kind: "sort",
    name,
    order: ({ axes }) => ({ axes, descending: sign === 1, kept: 1, nanFirst: true }),
    lift: liftAxes,
    infer: ([x], p) => ({ shape: reducedShape(x!.shape, p.axes, p.keepDims), dtype: "int32" }),
    forward([x], { axes }, { shape }) {
      const out = allocate("int32", sizeOf(shape));
      const { source, extents } = middleAxis(x!, axes);
      argExtremeRows(out, source.data, extents, sign);
      return out;
    },
    vjp: null,
  };
}

/** The position of the largest value along an axis. */
export const argMaxOp: SortOp<Axes> = argExtreme("argMax", 1);

/** The position of the smallest value along an axis. */
export const argMinOp: SortOp<Axes> = argExtreme("argMin", -1);

/** Options of {@linkcode argMax} and {@linkcode argMin}. */
export type ArgReduceOptions = ReduceOptions;

function argReduce(op: SortOp<Axes>, x: TensorLike, options: ArgReduceOptions): Tensor {
  const operand = numeric(asOperand(op.name, x));
  requireValues(op.name, operand, options);
  return reduceBy(op, operand, options);
}

/**
 * Position of the largest value over axes; the first of equals, or the first NaN.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns An `int32` tensor of positions, of several axes in row-major order. No gradient passes.
 * @throws {RangeError} If the axis does not exist.
 * @throws {TypeError} If there is nothing to compare.
 *
 * @example The predicted class of each cell
 * ```ts
 * import { argMax } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(argMax([[0.1, 2.3], [0.7, -1]], { axis: 1 }).toArray(), [1, 0]);
 * ```
 */
export function argMax(x: TensorLike, options: ArgReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("argMax", REDUCE, 1, arguments);
  return argReduce(argMaxOp, x, options);
}

/**
 * Position of the smallest value over axes; the first of equals, or the first NaN.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns An `int32` tensor of positions, of several axes in row-major order. No gradient passes.
 * @throws {RangeError} If the axis does not exist.
 * @throws {TypeError} If there is nothing to compare.
 *
 * @example The nearest centroid of each cell
 * ```ts
 * import { argMin } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(argMin([[0.1, 2.3], [0.7, -1]], { axis: 1 }).toArray(), [0, 1]);
 * ```
 */
export function argMin(x: TensorLike, options: ArgReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("argMin", REDUCE, 1, arguments);
  return argReduce(argMinOp, x, options);
}
