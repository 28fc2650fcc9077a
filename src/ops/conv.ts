/**
 * Convolutions in one to three dimensions, as products of matrices that lie in their tensors.
 *
 * Three operations are the partial derivatives of one form that is linear in each of an image, a
 * kernel and an output, `Σ g · x · w`: each is the gradient of the others, in any order.
 *
 * @module
 */
import { mergeAxes } from "../../kernels/layout/axes.ts";
import type { Strides } from "../../kernels/layout/reference.ts";
import { describe } from "../describe.ts";
import { type Composite, perInput } from "../op.ts";
import { checkOptions } from "../options.ts";
import { checkSize, formatShape, type Shape, sizeOf, stridesOf } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { CONV } from "./checks.ts";
import { floating, promoteAll } from "./elementwise.ts";
import { reshape, transpose } from "./layout.ts";
import { productOf } from "./linalg.ts";
import { checkFit, perAxis, place, reachOf, spread, type Windows, windowsOf } from "./windows.ts";

/** What convolutions of images and kernels of given shapes are. */
interface Geometry extends Windows {
  /** Zeros before the first place along each axis. */
  readonly before: readonly number[];
  /** How many groups of channels stay apart. */
  readonly groups: number;
  /** Extents of images along the axes of space. */
  readonly space: readonly number[];
  /** Extents of outputs. */
  readonly out: readonly number[];
}

/** `y[n, o, p] = Σ x[n, c, p · stride + k · dilation − before] w[o, c, k]` over channels and places. */
export const convOp: Composite<Geometry> = {
  name: "conv",
  compose: ([x, w], geometry) => correlate(x!, w!, geometry),
  vjp: perInput(
    (g, _y, [, w], geometry) => apply(transposedConvOp, [g, w!], geometry),
    (g, _y, [x], geometry) => apply(convKernelOp, [x!, g], geometry),
  ),
};

/** The images of which outputs are made: each output adds its kernel where it was taken from. */
export const transposedConvOp: Composite<Geometry> = {
  name: "transposedConv",
  compose: ([y, w], geometry) => scatter(y!, w!, geometry),
  vjp: perInput(
    (g, _x, [, w], geometry) => apply(convOp, [g, w!], geometry),
    (g, _x, [y], geometry) => apply(convKernelOp, [g, y!], geometry),
  ),
};

/** The kernels by which images become outputs. */
export const convKernelOp: Composite<Geometry> = {
  name: "convKernel",
  compose: ([x, y], geometry) => correlateAll(x!, y!, geometry),
  vjp: perInput(
    (g, _w, [, y], geometry) => apply(transposedConvOp, [y!, g], geometry),
    (g, _w, [x], geometry) => apply(convOp, [x!, g], geometry),
  ),
};

/** An image with zeros around it, as far as windows reach. */
function frame(x: Tensor, { before, out, stride, ...windows }: Geometry): Tensor {
  const reach = reachOf(windows);
  const extents = out.map((n, i) => (n - 1) * stride[i]! + reach[i]!);
  return place(x, before.map((_, i) => i + 2), before, extents);
}

function correlate(x: Tensor, w: Tensor, geometry: Geometry): Tensor {
  const [outputs, inputs, ...within] = stridesOf(w.shape) as [number, number, ...number[]];
  const rows = w.shape[0]! / geometry.groups;
  const group = rows * outputs;
  const places = { offset: 0, strides: [group, ...within, outputs, inputs] };
  return multiplyWindows(frame(x, geometry), w, [rows, w.shape[1]!], places, geometry);
}

function scatter(y: Tensor, w: Tensor, { before, space, stride, ...windows }: Geometry): Tensor {
  const { groups, size, dilation } = windows;
  const reach = reachOf(windows);
  const axes = space.map((_, i) => i + 2);
  const starts = reach.map((n, i) => n - 1 - before[i]!);
  const extents = space.map((n, i) => n + reach[i]! - 1);
  const image = place(spread(y, stride), axes, starts, extents);
  const [outputs, inputs, ...within] = stridesOf(w.shape) as [number, number, ...number[]];
  const columns = w.shape[0]! / groups;
  const offset = within.reduce((sum, step, i) => sum + (size[i]! - 1) * step, 0);
  const backwards = within.map((step) => -step);
  const places = { offset, strides: [columns * outputs, ...backwards, inputs, outputs] };
  const once = { groups, size, dilation, stride: stride.map(() => 1), out: space };
  return multiplyWindows(image, w, [w.shape[1]!, columns], places, once);
}

function correlateAll(x: Tensor, y: Tensor, geometry: Geometry): Tensor {
  const { groups, size, out } = geometry;
  const image = frame(x, geometry);
  const { channel, within, windows } = stepsIn(image, geometry);
  const [batch, inputs, outputs] = [x.shape[0]!, x.shape[1]! / groups, y.shape[1]! / groups];
  const own = stridesOf(y.shape);
  const axes = mergeAxes(out, [own.slice(2), windows]);
  const row = axes.pop() ?? { extent: 1, strides: [1, 1] };
  const along = (view: 0 | 1) => axes.map(({ strides }) => strides[view]!);
  const kernels = productOf(y, image, {
    outer: [groups, ...size, batch, ...axes.map(({ extent }) => extent)],
    summed: axes.length + 1,
    ...{ m: outputs, k: row.extent, n: inputs },
    a: {
      offset: 0,
      strides: [
        outputs * own[1]!,
        ...size.map(() => 0),
        own[0]!,
        ...along(0),
        own[1]!,
        row.strides[0]!,
      ],
    },
    b: {
      offset: 0,
      strides: [
        ...[inputs * channel, ...within, groups * inputs * channel],
        ...[...along(1), row.strides[1]!, channel],
      ],
    },
  });
  const rank = size.length;
  const order = [0, rank + 1, rank + 2, ...size.map((_, i) => i + 1)];
  return reshape(transpose(kernels, order), [groups * outputs, inputs, ...size]);
}

/** What products of windows need of their geometry. */
type Sliding = Omit<Geometry, "before" | "space">;

/** Elements from channel to channel of an image, from place to place of a window, and to the next. */
function stepsIn(image: Tensor, { dilation, stride }: Pick<Windows, "dilation" | "stride">) {
  const [, channel, ...steps] = stridesOf(image.shape) as [number, number, ...number[]];
  return {
    channel,
    within: steps.map((step, i) => step * dilation[i]!),
    windows: steps.map((step, i) => step * stride[i]!),
  };
}

/**
 * Sums over the places of a window of a matrix of the kernel times the image as it lies there.
 * Windows that follow one another are a single row of the image, on over its ends: a row is so long
 * that this is faster than one product for each, and what windows over the ends give is left out.
 */
function multiplyWindows(
  image: Tensor,
  kernel: Tensor,
  [outputs, inputs]: readonly [number, number],
  { offset, strides: [group, ...strides] }: Strides,
  { groups, size, out, ...windows }: Sliding,
): Tensor {
  const batch = image.shape[0]!;
  const steps = stepsIn(image, windows);
  const isDense = windows.stride.every((n) => n === 1);
  const long = 1 + out.reduce((sum, n, i) => sum + (n - 1) * steps.windows[i]!, 0);
  const axes = isDense ? [{ extent: long, strides: [1] }] : mergeAxes(out, [steps.windows]);
  const row = axes.pop() ?? { extent: 1, strides: [1] };
  const channels = [groups * inputs * steps.channel, inputs * steps.channel];
  const rows = axes.map(({ extent }) => extent);
  const products = productOf(kernel, image, {
    outer: [batch, groups, ...rows, ...size],
    summed: size.length,
    ...{ m: outputs, k: inputs, n: row.extent },
    a: { offset, strides: [0, group!, ...rows.map(() => 0), ...strides] },
    b: {
      offset: 0,
      strides: [
        ...[...channels, ...axes.map(({ strides }) => strides[0]!)],
        ...[...steps.within, steps.channel, row.strides[0]!],
      ],
    },
  });
  const rank = rows.length;
  const turned = transpose(products, [0, 1, rank + 2, ...rows.map((_, i) => i + 2), rank + 3]);
  if (!isDense) return reshape(turned, [batch, groups * outputs, ...out]);
  return rowsOf(reshape(turned, [batch, groups * outputs, long]), out, steps.windows);
}

/** The windows of a long row that are not over an end. */
function rowsOf(products: Tensor, out: readonly number[], steps: readonly number[]): Tensor {
  return out.slice(0, -1).reduce((rest, n, i) => {
    const stride = [steps[i]!];
    const size = [rest.shape.at(-1)! - (n - 1) * stride[0]!];
    return windowsOf(rest, [rest.rank - 1], { size, stride, dilation: [1] });
  }, products);
}

/** Options of {@linkcode conv}. */
export interface ConvOptions {
  /** From a window to the next, one number or one per axis; 1 by default. */
  stride?: number | readonly number[] | undefined;
  /**
   * Zeros on both sides, one number or one per axis; `"valid"`, none, by default; or `"same"`: as
   * many as give `⌈n / stride⌉` places, of an odd number one more behind.
   */
  padding?: number | readonly number[] | "same" | "valid" | undefined;
  /** From a place of a window to the next, one number or one per axis; 1 by default. */
  dilation?: number | readonly number[] | undefined;
  /** How many groups of channels stay apart; 1 by default. */
  groups?: number | undefined;
  /** Whether to go the other way, from outputs to images; `false` by default. */
  transposed?: boolean | undefined;
}

/**
 * Convolution of images with a kernel, in one to three dimensions; as everywhere in the field, the
 * kernel is not turned around:
 * `y[n, o, p] = Σ x[n, c, p · stride + k · dilation − padding] w[o, c, k]` over channels c and places
 * k, with zeros around the image. A bias is added as `y.add(bias.reshape([-1, 1, 1]))`.
 *
 * `transposed` is the adjoint with the same options, which makes images larger: every output of that
 * convolution adds its kernel where it was taken from. The result has
 * `(n − 1) · stride − 2 · padding + dilation · (size − 1) + 1` places, with `"same"` n · stride.
 *
 * It runs as one product of matrices for each place of the kernel, which read images as they lie and
 * add up, so that windows are never copied; errors are those of {@linkcode matmul} over all terms,
 * which programs round to the type after each place, or after a few. Every value depends on its own
 * window alone: fewer products would do for tiles of several windows (Winograd's), where a pixel that
 * is no number, or far larger than the others, spoils what it is no part of. Values, layouts and
 * options are those of PyTorch's `conv1d`, `conv2d`, `conv3d` and `conv_transpose1d` … `3d`, but that
 * `"same"` goes with strides and with `transposed`, too.
 *
 * @param x Images (batch, channels, …space), with one to three axes of space.
 * @param kernel (channels out, channels / groups, …size); where `transposed`, (channels, channels
 * out / groups, …size).
 * @param options `stride` 1, `padding` "valid", `dilation` 1, `groups` 1, `transposed` `false`.
 * @returns (batch, channels out, …places), in the stronger of the types; integers give `float32`.
 * @throws {TypeError} If the ranks differ or are not 3 to 5, channels do not agree or cannot be
 * grouped, or an option has as many numbers as there are no axes.
 * @throws {RangeError} If the kernel does not fit into the padded image, or a number is too small.
 *
 * @example Edges of a step
 * ```ts
 * import { conv } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const signal = [[[0, 0, 1, 1]]];
 * assertEquals(conv(signal, [[[-1, 1]]]).toArray(), [[[0, 1, 0]]]);
 * assertEquals(conv(signal, [[[-1, 0, 1]]], { padding: "same" }).shape, [1, 1, 4]);
 * ```
 *
 * @example Twice as large
 * ```ts
 * import { conv } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const larger = conv([[[1, 2]]], [[[1, 1]]], { stride: 2, transposed: true });
 * assertEquals(larger.toArray(), [[[1, 1, 2, 2]]]);
 * ```
 */
export function conv(x: TensorLike, kernel: TensorLike, options: ConvOptions = {}): Tensor {
  if (arguments.length > 2) checkOptions("conv", CONV, 2, arguments);
  const [image, w] = promoteAll("conv", { x, kernel }).map(floating) as [Tensor, Tensor];
  const { groups = 1, transposed = false } = options;
  checkChannels(image, w, groups, transposed);
  const space = image.shape.slice(2);
  const [size, count] = [w.shape.slice(2), space.length];
  const windows = {
    size,
    stride: perAxis("conv", "stride", options.stride ?? 1, count, 1),
    dilation: perAxis("conv", "dilation", options.dilation ?? 1, count, 1),
  };
  const padding = options.padding ?? "valid";
  const own = transposed ? largerSpace(space, windows, padding) : space;
  const [before, whole] = pad(own, windows, padding);
  checkSize("conv", [...image.shape.slice(0, 2), ...whole], image.dtype);
  checkFit("conv", reachOf(windows), whole);
  const out = transposed ? space : countWindows(whole, windows);
  const geometry = { ...windows, before, groups, space: own, out };
  return apply(transposed ? transposedConvOp : convOp, [image, w], geometry);
}

/** How many windows there are along each axis. */
function countWindows(whole: Shape, windows: Windows): number[] {
  const reach = reachOf(windows);
  return whole.map((n, i) => Math.floor((n - reach[i]!) / windows.stride[i]!) + 1);
}

/** Zeros before images, and the extents with zeros on both sides. */
function pad(
  space: Shape,
  windows: Windows,
  padding: ConvOptions["padding"],
): [before: readonly number[], whole: number[]] {
  if (padding !== "same") {
    const zeros = padding === "valid" ? 0 : padding!;
    const before = perAxis("conv", "padding", zeros, space.length, 0);
    return [before, space.map((n, i) => n + 2 * before[i]!)];
  }
  const reach = reachOf(windows);
  const total = space.map((n, i) => {
    const stride = windows.stride[i]!;
    return Math.max(0, (Math.ceil(n / stride) - 1) * stride + reach[i]! - n);
  });
  return [total.map((n) => Math.floor(n / 2)), space.map((n, i) => n + total[i]!)];
}

/** The extents of images that a transposed convolution makes. */
function largerSpace(
  space: Shape,
  windows: Windows,
  padding: ConvOptions["padding"],
): readonly number[] {
  const { stride } = windows;
  if (padding === "same") return space.map((n, i) => n * stride[i]!);
  const reach = reachOf(windows);
  const zeros = perAxis("conv", "padding", padding === "valid" ? 0 : padding!, space.length, 0);
  return space.map((n, i) => (n - 1) * stride[i]! - 2 * zeros[i]! + reach[i]!);
}

/** Throws unless images and kernels are of one rank, and their channels agree. */
function checkChannels(x: Tensor, w: Tensor, groups: number, transposed: boolean): void {
  const refuse = (must: string) => {
    throw new TypeError(
      `Cannot compute conv as ${must}: current shapes are ${formatShape(x.shape)} and ` +
        `${formatShape(w.shape)}${groups === 1 ? "" : `, groups ${describe(groups)}`}`,
    );
  };
  if (x.rank < 3 || x.rank > 5 || w.rank !== x.rank) {
    refuse("x must be (batch, channels, …space) and kernel alike, with one to three axes of space");
  }
  if (sizeOf(w.shape.slice(2)) === 0) refuse("a kernel must have at least one place");
  const [channels, outputs, inputs] = [x.shape[1]!, w.shape[0]!, w.shape[1]!];
  if (transposed ? outputs !== channels : inputs * groups !== channels) {
    refuse(
      transposed
        ? "kernel must have as many rows as x has channels"
        : "kernel must have the channels of one group of x",
    );
  }
  if (outputs % groups !== 0) refuse("channels must be a multiple of groups");
}
