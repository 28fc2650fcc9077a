/**
 * Medians and quantiles over any axes.
 *
 * @module
 */
import { checkArray, checkNumber, checkOptions } from "../options.ts";
import { normalizeAxes, reducedShape } from "../shape.ts";
import { asOperand, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { mul, sub } from "./arithmetic.ts";
import { REDUCE } from "./checks.ts";
import { isNaN, where } from "./compare.ts";
import { type Elementwise, elementwise, floating } from "./elementwise.ts";
import { slice } from "./join.ts";
import { cast, reshape, transpose } from "./layout.ts";
import { middleAxis, type ReduceOptions, requireValues } from "./reduce.ts";
import { gather, takeAlongAxis } from "./select.ts";
import { argSort } from "./sort.ts";

/** Between `a` and `b`, which is not smaller, in the proportion `c`; exact where both are equal. */
export const interpolateOp: Elementwise = elementwise(
  "interpolate",
  "a == b ? a : max(a, min(b, a * (1 - c) + b * c))",
  [
    (g, _y, [, , c]) => mul(g, sub(1, c!)),
    (g, _y, [, , c]) => mul(g, c!),
    (g, _y, [a, b]) => mul(g, sub(b!, a!)),
  ],
);

/**
 * Quantiles over axes, between two values linearly (NumPy's default): of n sorted values, the one at
 * the place `q (n − 1)`. NaN anywhere gives NaN. The gradient goes to the two values in their
 * proportion; of equal ones, to those that a stable sort puts there.
 *
 * @param x Any shape; integers become `float32`.
 * @param q A number in [0, 1], or a list of them.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The quantiles; those of a list along a new first axis.
 * @throws {RangeError} If an axis does not exist, or `q` is outside of [0, 1].
 * @throws {TypeError} If there are no values, or `q` is neither a number nor an array of them.
 *
 * @example Quartiles
 * ```ts
 * import { quantile } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(quantile([4, 1, 3, 2], 0.5).item(), 2.5);
 * assertEquals(quantile([0, 10, 20, 30, 40], [0.25, 0.75]).toArray(), [10, 30]);
 * ```
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  options: ReduceOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("quantile", REDUCE, 2, arguments);
  checkShares(q);
  const shares = typeof q === "number" ? [q] : q;
  const [first, shape] = quantilesOf(
    "quantile",
    floating(asOperand("quantile", x)),
    shares,
    options,
  );
  return reshape(first, typeof q === "number" ? shape : [shares.length, ...shape]);
}

/**
 * Median over axes: the middle value, of an even count the mean of the middle two (as NumPy;
 * PyTorch takes the lower one). NaN anywhere gives NaN.
 *
 * @param x Any shape; integers become `float32`.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns The medians.
 * @throws {RangeError} If an axis does not exist.
 * @throws {TypeError} If there are no values.
 *
 * @example Of each row
 * ```ts
 * import { median } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(median([[3, 1, 100], [2, 4, 6]], { axis: 1 }).toArray(), [3, 4]);
 * ```
 */
export function median(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("median", REDUCE, 1, arguments);
  const [middle, shape] = quantilesOf("median", floating(asOperand("median", x)), [
    0.5,
  ], options);
  return reshape(middle, shape);
}

function checkShares(q: unknown): asserts q is number | readonly number[] {
  if (Array.isArray(q)) checkArray("quantile", "q", q);
  for (const share of [q].flat()) checkNumber("quantile", "q", share, { min: 0, max: 1 });
}

/** The quantiles, (shares, …), and the shape of the result of one. */
function quantilesOf(
  caller: string,
  x: Tensor,
  shares: readonly number[],
  options: ReduceOptions,
): [Tensor, readonly number[]] {
  requireValues(caller, x, options);
  const axes = normalizeAxes(caller, options.axis, x.rank);
  const { source, extents: { outer, count, inner } } = middleAxis(x, axes);
  const lines = reshape(source, [outer, count, inner]);
  const places = shares.map((share) => share * (count - 1));
  const picked = Int32Array.from([
    ...places.map(Math.floor),
    ...places.map(Math.ceil),
    count - 1,
  ]);
  const order = gather(argSort(lines, { axis: 1 }), picked, { axis: 1 });
  const values = takeAlongAxis(lines, order, { axis: 1 });
  const part = (from: number, to: number) => slice(values, [0, from], [outer, to]);
  const n = shares.length;
  const weights = Float64Array.from(places, (place) => place - Math.floor(place));
  const proportion = cast(fromData(weights, [n, 1]), x.dtype);
  const found = apply(interpolateOp, [part(0, n), part(n, 2 * n), proportion], []);
  const result = where(isNaN(part(2 * n, 2 * n + 1)), NaN, found);
  return [transpose(result, [1, 0, 2]), reducedShape(x.shape, axes, options.keepDims ?? false)];
}
