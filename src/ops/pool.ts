/**
 * Pools: the largest value, or the mean, of windows over images.
 *
 * @module
 */
import { full } from "../create.ts";
import { checkOptions, checkWholes } from "../options.ts";
import { formatShape } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { POOL } from "./checks.ts";
import { floating, lowestOf, numeric } from "./elementwise.ts";
import { concat } from "./join.ts";
import { transpose } from "./layout.ts";
import { max, mean } from "./reduce.ts";
import { checkFit, perAxis, place, windowsOf } from "./windows.ts";

/** Options of {@linkcode maxPool} and {@linkcode avgPool}. */
export interface PoolOptions {
  /** From a window to the next, one number or one per axis; by default the size. */
  stride?: number | readonly number[] | undefined;
  /** Places around the image, at most half a window, one number or one per axis; 0 by default. */
  padding?: number | readonly number[] | undefined;
}

/**
 * The largest value of every window of an image. Equal ones share the gradient, where PyTorch gives
 * it to the first; NaN wins. Padding is
 * −∞, or the lowest number of `int32`.
 *
 * @param x Images (batch, channels, …space), with at least one axis of space.
 * @param size Places of a window, one number or one per axis of space.
 * @param options `stride`, the size by default; `padding`, 0 by default.
 * @returns (batch, channels, …windows), `⌊(n + 2 · padding − size) / stride⌋ + 1` along each axis.
 * @throws {TypeError} If `x` has no axis of space, or lists have more or fewer numbers than axes.
 * @throws {RangeError} If a window does not fit, or a number is too small or too large.
 *
 * @example The larger of two neighbours
 * ```ts
 * import { maxPool } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(maxPool([[[1, 3, 2, 0]]], 2).toArray(), [[[3, 2]]]);
 * assertEquals(maxPool([[[1, 3, 2]]], 3, { stride: 1, padding: 1 }).toArray(), [[[3, 3, 3]]]);
 * ```
 */
export function maxPool(
  x: TensorLike,
  size: number | readonly number[],
  options: PoolOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("maxPool", POOL, 2, arguments);
  const images = numeric(asOperand("maxPool", x));
  const { windows, axes } = poolWindows("maxPool", images, size, options, around);
  return max(windows, { axis: axes });
}

/**
 * The mean of every window of an image. The zeros of the padding count.
 *
 * @param x Images (batch, channels, …space), with at least one axis of space.
 * @param size Places of a window, one number or one per axis of space.
 * @param options `stride`, the size by default; `padding`, 0 by default.
 * @returns (batch, channels, …windows), `⌊(n + 2 · padding − size) / stride⌋ + 1` along each axis;
 * integers and booleans give `float32`.
 * @throws {TypeError} If `x` has no axis of space, or lists have more or fewer numbers than axes.
 * @throws {RangeError} If a window does not fit, or a number is too small or too large.
 *
 * @example Half as many places
 * ```ts
 * import { avgPool } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(avgPool([[[1, 3, 2, 0]]], 2).toArray(), [[[2, 1]]]);
 * assertEquals(avgPool([[[6, 3]]], 3, { stride: 1, padding: 1 }).toArray(), [[[3, 3]]]);
 * ```
 */
export function avgPool(
  x: TensorLike,
  size: number | readonly number[],
  options: PoolOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("avgPool", POOL, 2, arguments);
  const images = floating(asOperand("avgPool", x));
  const { windows, axes } = poolWindows("avgPool", images, size, options, place);
  return mean(windows, { axis: axes });
}

/** The windows of images, and which axes are their places. */
function poolWindows(
  caller: string,
  x: Tensor,
  size: number | readonly number[],
  options: PoolOptions,
  surround: typeof place,
): { windows: Tensor; axes: number[] } {
  checkWholes(caller, "size", size);
  const count = x.rank - 2;
  if (count < 1) {
    throw new TypeError(
      `Cannot compute ${caller} as x must be (batch, channels, …space): ` +
        `current shape is ${formatShape(x.shape)}`,
    );
  }
  const sizes = perAxis(caller, "size", size, count, 1);
  const stride = perAxis(caller, "stride", options.stride ?? sizes, count, 1);
  const padding = perAxis(caller, "padding", options.padding ?? 0, count, 0);
  if (padding.some((n, i) => 2 * n > sizes[i]!)) {
    throw new RangeError(
      `Cannot compute ${caller} as padding must be at most half of the size: ` +
        `current values are [${padding}] and [${sizes}]`,
    );
  }
  const axes = sizes.map((_, i) => i + 2);
  const whole = axes.map((axis, i) => x.shape[axis]! + 2 * padding[i]!);
  checkFit(caller, sizes, whole);
  const dilation = sizes.map(() => 1);
  const found = windowsOf(surround(x, axes, padding, whole), axes, {
    size: sizes,
    stride,
    dilation,
  });
  // With their places in front, programs reduce whole rows of windows at a time.
  const order = [...axes.map((axis) => axis + count), 0, 1, ...axes];
  return { windows: transpose(found, order), axes: sizes.map((_, i) => i) };
}

/** A tensor with the lowest number around it, as many places before it as behind. */
function around(x: Tensor, axes: readonly number[], starts: readonly number[]): Tensor {
  const lowest = lowestOf(x.dtype);
  return axes.reduce((inside, axis, i) => {
    if (starts[i] === 0) return inside;
    const shape = inside.shape.map((n, k) => k === axis ? starts[i]! : n);
    const border = full(shape, lowest, { dtype: inside.dtype });
    return concat([border, inside, border], { axis });
  }, x);
}
