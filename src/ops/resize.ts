/**
 * Images in other sizes.
 *
 * @module
 */
import { checkChoice, checkOptions, checkWholes } from "../options.ts";
import { checkSize, formatShape } from "../shape.ts";
import { asOperand, type Tensor, tensor, type TensorLike } from "../tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { RESIZE } from "./checks.ts";
import { equal, where } from "./compare.ts";
import { floating } from "./elementwise.ts";
import { broadcastTo, expandDims, reshape } from "./layout.ts";
import { gather } from "./select.ts";
import { perAxis } from "./windows.ts";

/** Options of {@linkcode resize}. */
export interface ResizeOptions {
  /** `"nearest"`, by default, or `"linear"`. */
  mode?: "nearest" | "linear" | undefined;
}

/**
 * Images in another size. `"nearest"` takes the value at `⌊i · in / out⌋`; `"linear"` weighs the two
 * neighbours of `(i + ½) · in / out − ½` along each axis, without smoothing before images shrink: as
 * PyTorch's `interpolate` does, with `align_corners=False`.
 *
 * @param x Images (batch, channels, …space), with at least one axis of space.
 * @param space The new extents, one number or one per axis of space.
 * @param options `mode`, "nearest" by default.
 * @returns (batch, channels, …space); integers and booleans give `float32` where `"linear"`.
 * @throws {TypeError} If `x` has no axis of space, `space` has more or fewer numbers than axes, or
 * `mode` is none of the two.
 * @throws {RangeError} If an extent is below 1.
 *
 * @example Twice as large
 * ```ts
 * import { resize } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(resize([[[1, 2]]], 4).toArray(), [[[1, 1, 2, 2]]]);
 * assertEquals(resize([[[1, 2]]], 4, { mode: "linear" }).toArray(), [[[1, 1.25, 1.75, 2]]]);
 * ```
 */
export function resize(
  x: TensorLike,
  space: number | readonly number[],
  options: ResizeOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("resize", RESIZE, 2, arguments);
  const { mode = "nearest" } = options;
  checkChoice("resize", "mode", mode, ["nearest", "linear"]);
  checkWholes("resize", "space", space);
  const operand = asOperand("resize", x);
  const images = mode === "linear" ? floating(operand) : operand;
  const count = images.rank - 2;
  if (count < 1 || images.shape.slice(2).includes(0)) {
    throw new TypeError(
      `Cannot compute resize as x must be (batch, channels, …space), with at least one place: ` +
        `current shape is ${formatShape(images.shape)}`,
    );
  }
  const extents = perAxis("resize", "space", space, count, 1);
  checkSize("resize", [...images.shape.slice(0, 2), ...extents], images.dtype);
  const along = mode === "linear" ? blend : pick;
  return extents.reduce(
    (image, extent, i) => image.shape[i + 2] === extent ? image : along(image, i + 2, extent),
    images,
  );
}

/** The nearest values along an axis; whole multiples are repeats. */
function pick(x: Tensor, axis: number, extent: number): Tensor {
  const own = x.shape[axis]!;
  const target = x.shape.map((n, i) => i === axis ? extent : n);
  if (extent % own === 0) {
    const repeated = [...target.slice(0, axis), own, extent / own, ...target.slice(axis + 1)];
    return reshape(broadcastTo(expandDims(x, axis + 1), repeated), target);
  }
  return gather(x, positions(extent, (i) => Math.floor(i * own / extent)), { axis });
}

/** Weighted neighbours along an axis. */
function blend(x: Tensor, axis: number, extent: number): Tensor {
  const own = x.shape[axis]!;
  const at = Array.from(
    { length: extent },
    (_, i) => Math.max(0, (i + 0.5) * own / extent - 0.5),
  );
  const last = own - 1;
  const lower = gather(x, positions(extent, (i) => Math.min(last, Math.floor(at[i]!))), { axis });
  const upper = gather(x, positions(extent, (i) => Math.min(last, Math.ceil(at[i]!))), { axis });
  const shape = x.shape.slice(axis).map((_, i) => i === 0 ? extent : 1);
  const share = tensor(at.map((place) => place % 1), { shape, dtype: x.dtype });
  const between = add(mul(lower, sub(1, share)), mul(upper, share));
  // ∞ is nothing between others: it stays what it is where a place meets its centre.
  return where(equal(share, 0), lower, between);
}

function positions(count: number, at: (i: number) => number): Tensor {
  return tensor(Int32Array.from({ length: count }, (_, i) => at(i)));
}
