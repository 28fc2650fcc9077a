/**
 * Reductions over any axes: sums, means, extremes, log-sum-exp.
 *
 * @module
 */
import { extremeRows, sumRows } from "../../kernels/row_reduce/reference.ts";
import { allocate, type TypedArray } from "../dtype.ts";
import { perInput, type Primitive, type ReduceOp, type Vjp } from "../op.ts";
import { checkOptions } from "../options.ts";
import {
  type AxisExtents,
  extentsAroundAll,
  formatShape,
  normalizeAxes,
  reducedShape,
  type Shape,
  sizeOf,
} from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { abs, add, div, mul, sub } from "./arithmetic.ts";
import { REDUCE } from "./checks.ts";
import { equal, less, where } from "./compare.ts";
import { floating, numeric } from "./elementwise.ts";
import { exp, log } from "./exponential.ts";
import { stopGradient } from "./gradient.ts";
import { broadcastTo, cast, reshape, transpose } from "./layout.ts";

/** The axes of a reduction, sorted, and whether they are kept with extent 1. */
export interface Axes {
  /** The axes. */
  axes: readonly number[];
  /** Whether they stay, with extent 1. */
  keepDims: boolean;
}

/** Options of the reductions. */
export interface ReduceOptions {
  /** The axis or axes to reduce, negative ones counted from the end; by default all. */
  axis?: number | readonly number[] | undefined;
  /** Whether the reduced axes stay, with extent 1; `false` by default. */
  keepDims?: boolean | undefined;
}

/** An operation that reduces axes to one value. */
function reduction<P extends Axes & Partial<Shared>>(
  reduce: ReduceOp<P>["reduce"],
  rows: (out: TypedArray, data: TypedArray, extents: AxisExtents, params: P) => void,
  vjp: Vjp<P>,
): ReduceOp<P> {
  return {
    kind: "reduce",
    name: reduce,
    infer: ([x], p) => ({ shape: reducedShape(x!.shape, p.axes, p.keepDims), dtype: x!.dtype }),
    forward([x], params, { shape, dtype }) {
      const out = allocate(dtype, sizeOf(shape));
      const { source, extents } = middleAxis(x!, params.axes);
      rows(out, source.data, extents, params);
      return out;
    },
    reduce,
    over: (params) => params,
    lift: liftAxes,
    vjp,
  };
}

/** The same axes where there is one more in front. */
export function liftAxes<P extends Axes>(params: P): P {
  return { ...params, axes: params.axes.map((axis) => axis + 1) };
}

/** The sum over axes. */
export const sumOp: ReduceOp<Axes> = reduction<Axes>(
  "sum",
  (out, data, extents) => sumRows(out, data, extents),
  perInput((g, _y, [x], p) => broadcastTo(keptAxes(g, x!.shape, p), x!.shape)),
);

/** The axes of a sum that is divided. */
export interface Shared extends Axes {
  /** What means, and norms before their root, are divided by. */
  divisor: number;
}

/** `Σ x / divisor`, in float64 to its end, so that no sum overflows. */
export const meanOp: ReduceOp<Shared> = reduction<Shared>(
  "mean",
  (out, data, extents, { divisor }) => sumRows(out, data, extents, { kind: "mean", divisor }),
  perInput((g, _y, [x], p) => broadcastTo(keptAxes(div(g, p.divisor), x!.shape, p), x!.shape)),
);

/** `√(Σ x² / divisor)`, in float64 to its end; its gradient at 0 is 0. */
export const normOp: ReduceOp<Shared> = reduction<Shared>(
  "norm",
  (out, data, extents, { divisor }) => sumRows(out, data, extents, { kind: "norm", divisor }),
  perInput((g, y, [x], p) => {
    const zero = equal(y, 0);
    const slope = where(zero, 0, div(g, mul(where(zero, 1, y), p.divisor)));
    return mul(x!, keptAxes(slope, x!.shape, p));
  }),
);

function extreme(reduce: "max" | "min", sign: 1 | -1): ReduceOp<Axes> {
  return reduction<Axes>(
    reduce,
    (out, data, extents) => extremeRows(out, data, extents, sign),
    perInput((g, y, [x], p) => {
      const chosen = cast(equal(x!, keptAxes(y, x!.shape, p)), x!.dtype);
      const ties = sum(chosen, { axis: p.axes, keepDims: true });
      return mul(chosen, div(keptAxes(g, x!.shape, p), ties));
    }),
  );
}

/** The largest value over axes; ties share the gradient. */
export const maxOp: ReduceOp<Axes> = extreme("max", 1);

/** The smallest value over axes; ties share the gradient. */
export const minOp: ReduceOp<Axes> = extreme("min", -1);

/** The tensor as (outer, count, inner) around the axes, moved to the end where they are apart. */
export function middleAxis(
  x: Tensor,
  axes: readonly number[],
): { source: Tensor; extents: AxisExtents } {
  const extents = extentsAroundAll(x.shape, axes);
  if (extents !== undefined) return { source: x, extents };
  const kept = x.shape.flatMap((_, i) => axes.includes(i) ? [] : [i]);
  const product = (some: readonly number[]) => sizeOf(some.map((axis) => x.shape[axis]!));
  return {
    source: transpose(x, [...kept, ...axes]),
    extents: { outer: product(kept), count: product(axes), inner: 1 },
  };
}

/** A reduced tensor with its axes put back as extents of 1. */
function keptAxes(reduced: Tensor, shape: Shape, { axes, keepDims }: Axes): Tensor {
  return keepDims ? reduced : reshape(reduced, reducedShape(shape, axes, true));
}

/** Reduces over the axes of the options. */
export function reduceBy(op: Primitive<Axes>, x: Tensor, options: ReduceOptions): Tensor {
  const axes = normalizeAxes(op.name, options.axis, x.rank);
  return apply(op, [x], { axes, keepDims: options.keepDims ?? false });
}

/** How many values each result of a reduction is made of. */
export function reducedCount(caller: string, x: Tensor, options: ReduceOptions): number {
  return sizeOf(normalizeAxes(caller, options.axis, x.rank).map((axis) => x.shape[axis]!));
}

/** A mean or norm over axes. */
export function reduceShared(
  op: ReduceOp<Shared>,
  x: Tensor,
  { axis, keepDims = false }: ReduceOptions,
  divisor: number,
): Tensor {
  return apply(op, [x], { axes: normalizeAxes(op.name, axis, x.rank), keepDims, divisor });
}

/** Throws a `TypeError` that names the caller where there is nothing to reduce. */
export function requireValues(caller: string, x: Tensor, options: ReduceOptions): void {
  if (reducedCount(caller, x, options) > 0) return;
  throw new TypeError(
    `Cannot compute ${caller} as there are no values to reduce: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/**
 * Sum over axes, accumulated in float64. Booleans are counted, as `int32`.
 *
 * The sum of `int32` is `float64`: exact up to 2⁵³, where 32 bits would wrap around at 2³¹. Graphics
 * cards have no float64, and refuse such a sum: there, cast the integers to `float32` first.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The sums; 0 where there is nothing to add.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Counts per cell
 * ```ts
 * import { sum } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sum([[1, 2], [3, 4]], { axis: 1 }).toArray(), [3, 7]);
 * ```
 *
 * @example Integers beyond 32 bits
 * ```ts
 * import { sum, tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = tensor([2147483647, 2147483647], { dtype: "int32" });
 * assertEquals(sum(counts).item(), 4294967294);
 * assertEquals(sum(counts).dtype, "float64");
 * ```
 */
export function sum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("sum", REDUCE, 1, arguments);
  const operand = asOperand("sum", x);
  const exact = operand.dtype === "int32" ? cast(operand, "float64") : numeric(operand);
  return reduceBy(sumOp, exact, options);
}

/**
 * Mean over axes, added up and divided in float64: of numbers of any size. Integers and booleans
 * give `float32`.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The means; NaN where there is nothing to average.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Mean per gene
 * ```ts
 * import { mean } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mean([[1, 2], [3, 4]], { axis: 0 }).toArray(), [2, 3]);
 * ```
 */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("mean", REDUCE, 1, arguments);
  const operand = floating(asOperand("mean", x));
  return reduceShared(meanOp, operand, options, reducedCount("mean", operand, options));
}

/**
 * Largest value over axes. Equal ones share the gradient; NaN wins.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The largest values.
 * @throws {RangeError} If an axis does not exist.
 * @throws {TypeError} If there is nothing to compare.
 *
 * @example The largest of each row
 * ```ts
 * import { max } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(max([[1, 2], [4, 3]], { axis: 1 }).toArray(), [2, 4]);
 * ```
 */
export function max(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("max", REDUCE, 1, arguments);
  const operand = numeric(asOperand("max", x));
  requireValues("max", operand, options);
  return reduceBy(maxOp, operand, options);
}

/**
 * Smallest value over axes. Equal ones share the gradient; NaN wins.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The smallest values.
 * @throws {RangeError} If an axis does not exist.
 * @throws {TypeError} If there is nothing to compare.
 *
 * @example The smallest of each row
 * ```ts
 * import { min } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(min([[1, 2], [4, 3]], { axis: 1 }).toArray(), [1, 3]);
 * ```
 */
export function min(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("min", REDUCE, 1, arguments);
  const operand = numeric(asOperand("min", x));
  requireValues("min", operand, options);
  return reduceBy(minOp, operand, options);
}

/**
 * Logarithm of the sum of exponentials over axes, with the largest value taken out first: finite
 * wherever the result is.
 *
 * @param x Any shape.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns `log Σ e^x`.
 * @throws {RangeError} If an axis does not exist.
 * @throws {TypeError} If there is nothing to add.
 *
 * @example Two equal logits
 * ```ts
 * import { logSumExp, tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = tensor([1000, 1000], { dtype: "float64" });
 * assertAlmostEquals(logSumExp(x).item(), 1000 + Math.LN2);
 * ```
 */
export function logSumExp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("logSumExp", REDUCE, 1, arguments);
  const operand = floating(asOperand("logSumExp", x));
  const largest = constantMax(operand, options.axis, "logSumExp");
  const top = where(less(abs(largest), Infinity), largest, 0);
  const sums = sum(exp(sub(operand, top)), { axis: options.axis, keepDims: true });
  const nothing = equal(sums, 0);
  const result = where(nothing, -Infinity, add(log(where(nothing, 1, sums)), top));
  const axes = normalizeAxes("logSumExp", options.axis, operand.rank);
  return options.keepDims ? result : reshape(result, reducedShape(operand.shape, axes, false));
}

/** The largest value with its axes kept, as a constant. */
export function constantMax(
  x: Tensor,
  axis: number | readonly number[] | undefined,
  caller: string,
): Tensor {
  requireValues(caller, x, { axis });
  return stopGradient(max(x, { axis, keepDims: true }));
}
