/**
 * Windows that slide over axes, as views: what convolutions and pools are made of.
 *
 * @module
 */
import { perInput, type ViewOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { describe } from "../describe.ts";
import { formatShape, normalizeAxis, sameShape, type Shape } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { add } from "./arithmetic.ts";
import { SLIDING_WINDOW } from "./checks.ts";
import { padOp, sliceOp } from "./join.ts";
import { blockOf, reshape, transpose, view } from "./layout.ts";

/** How windows lie along some axes: one entry of each list per axis. */
export interface Windows {
  /** Places of a window. */
  readonly size: readonly number[];
  /** From a window to the next. */
  readonly stride: readonly number[];
  /** From a place of a window to the next. */
  readonly dilation: readonly number[];
}

/** Windows along the axes that they slide over. */
interface SlidingWindows extends Windows {
  readonly axes: readonly number[];
}

/** How far a window reaches along each axis. */
export function reachOf({ size, dilation }: Omit<Windows, "stride">): number[] {
  return size.map((n, i) => (n - 1) * dilation[i]! + 1);
}

/** All windows, whose places are new axes at the end. */
export const slidingWindowOp: ViewOp<SlidingWindows> = view<SlidingWindows>(
  "slidingWindow",
  ([x], { axes, size, stride, dilation }) => {
    const reach = reachOf({ size, dilation });
    const counts = [...x!];
    axes.forEach((axis, i) => counts[axis] = Math.floor((x![axis]! - reach[i]!) / stride[i]!) + 1);
    return [...counts, ...size];
  },
  ([x], { axes, stride, dilation }, shape) => {
    const { strides } = blockOf(x!);
    const steps = [...strides];
    axes.forEach((axis, i) => steps[axis]! *= stride[i]!);
    const within = axes.map((axis, i) => strides[axis]! * dilation[i]!);
    return [{ shape, to: blockOf(shape), from: { offset: 0, strides: [...steps, ...within] } }];
  },
  perInput((g, _y, [x], { axes, ...windows }) =>
    axes.reduceRight((sums, axis, i) => {
      const [size, stride, dilation] = [windows.size, windows.stride, windows.dilation]
        .map((own) => own[i]!) as [number, number, number];
      return addWindows(sums, axis, x!.shape[axis]!, { size, stride, dilation });
    }, g)
  ),
);

/** Windows along one axis. */
type Window = { readonly [K in keyof Windows]: number };

/**
 * The sums of what all windows along an axis have at each position, their places being the last
 * axis. Places that do not meet other windows' are put back together, as many as a stride has.
 */
function addWindows(
  g: Tensor,
  axis: number,
  extent: number,
  { size, stride, dilation }: Window,
): Tensor {
  const count = g.shape[axis]!;
  const last = g.rank - 1;
  const together = dilation === 1 ? Math.min(size, stride) : 1;
  const order = g.shape.flatMap((_, i) => i === axis ? [i, last] : i === last ? [] : [i]);
  const placed: Tensor[] = [];
  for (let k = 0; k < size; k += together) {
    const width = Math.min(together, size - k);
    const places = transpose(place(g, [last], [-k], [width]), order);
    const spread = place(places, [axis + 1], [0], [stride]);
    const flat = spread.shape.flatMap((n, i) =>
      i === axis ? [n * stride] : i === axis + 1 ? [] : [n]
    );
    const whole = place(reshape(spread, flat), [axis], [0], [(count - 1) * stride + width]);
    placed.push(place(whole, [axis], [k * dilation], [extent]));
  }
  return placed.reduce((sum, part) => add(sum, part));
}

/** A tensor from a position on, before 0 as well, along some axes: cut, with zeros around it. */
export function place(
  x: Tensor,
  axes: readonly number[],
  starts: readonly number[],
  extents: readonly number[],
): Tensor {
  const start = x.shape.map(() => 0);
  const around = [...x.shape];
  axes.forEach((axis, i) => [start[axis], around[axis]] = [starts[i]!, extents[i]!]);
  const kept = x.shape.map((n, i) =>
    Math.max(0, Math.min(n, around[i]! - start[i]!) - Math.max(0, -start[i]!))
  );
  const cut = sameShape(kept, x.shape) ? x : apply(sliceOp, [x], {
    start: start.map((at) => Math.max(0, -at)),
    shape: kept,
  });
  return sameShape(around, cut.shape) ? cut : apply(padOp, [cut], {
    start: start.map((at) => Math.max(0, at)),
    shape: around,
  });
}

/** A tensor with zeros between neighbours, so that they are a stride apart, along its last axes. */
export function spread(x: Tensor, strides: readonly number[]): Tensor {
  if (strides.every((stride) => stride === 1)) return x;
  const first = x.rank - strides.length;
  const outer = x.shape.slice(0, first);
  const space = x.shape.slice(first);
  const single = reshape(x, [...outer, ...space.flatMap((n) => [n, 1])]);
  const axes = strides.map((_, i) => first + 2 * i + 1);
  const apart = place(single, axes, strides.map(() => 0), strides);
  return reshape(apart, [...outer, ...space.map((n, i) => n * strides[i]!)]);
}

/**
 * One whole number per axis.
 *
 * @param caller The function's name, for messages.
 * @param name The option's name.
 * @param value One for all axes, or one per axis.
 * @param count How many axes there are.
 * @param least The least that will do.
 * @returns The numbers.
 * @throws {TypeError} If there are more or fewer than axes.
 * @throws {RangeError} If one is too small.
 */
export function perAxis(
  caller: string,
  name: string,
  value: number | readonly number[],
  count: number,
  least: number,
): readonly number[] {
  const numbers = typeof value === "number" ? Array.from({ length: count }, () => value) : value;
  if (numbers.length !== count) {
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must be one number, or one for each of ${count} axes: ` +
        `current value is ${describe(value)}`,
    );
  }
  if (numbers.every((n) => n >= least)) return numbers;
  throw new RangeError(
    `Cannot compute ${caller} as ${name} must be at least ${least}: current value is ${
      describe(value)
    }`,
  );
}

/** Throws a `RangeError` unless windows that reach so far fit into an extent along every axis. */
export function checkFit(caller: string, reach: Shape, extents: Shape): void {
  if (reach.every((n, i) => n <= extents[i]!)) return;
  throw new RangeError(
    `Cannot compute ${caller} as windows must fit: they reach over ${formatShape(reach)} ` +
      `of ${formatShape(extents)}`,
  );
}

/** Options of {@linkcode slidingWindow}. */
export interface SlidingWindowOptions {
  /** Places of a window: a number for one axis, or for each of `axes`; or one per axis. */
  size: number | readonly number[];
  /** From a window to the next, one or one per axis; 1 by default. */
  stride?: number | readonly number[] | undefined;
  /** From a place of a window to the next, one or one per axis; 1 by default. */
  dilation?: number | readonly number[] | undefined;
  /** The axes to slide over; by default the last ones, as many as `size` has. */
  axes?: number | readonly number[] | undefined;
}

/**
 * All windows of some size:
 * `out[…, i, …, k] = x[…, i · stride + k · dilation, …]`, for every axis that they slide over.
 *
 * Programs read windows where they lie in `x`; eagerly, they are a copy. The gradient adds up what
 * all windows have at each position. Positions at the end that no window reaches are left out.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `size`; `stride` and `dilation`, 1 by default; `axes`, the last ones by default.
 * @returns The shape of `x` with `⌊(n − (size − 1) · dilation − 1) / stride⌋ + 1` windows along each
 * of the axes, and the places of a window as new axes at the end, in the order of the axes.
 * @throws {RangeError} If a window does not fit, an axis does not exist or is named twice, or a
 * number is below 1.
 * @throws {TypeError} If the lists are not equally long, or `size` is missing.
 *
 * @example Means of three neighbours
 * ```ts
 * import { mean, slidingWindow } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const windows = slidingWindow([1, 2, 3, 6], { size: 3 });
 * assertEquals(windows.toArray(), [[1, 2, 3], [2, 3, 6]]);
 * assertEquals(slidingWindow([1, 2, 3, 6], { size: 2, stride: 2 }).toArray(), [[1, 2], [3, 6]]);
 * ```
 */
export function slidingWindow(x: TensorLike, options: SlidingWindowOptions): Tensor {
  checkOptions("slidingWindow", SLIDING_WINDOW, 1, arguments);
  const operand = asOperand("slidingWindow", x);
  const { size, stride = 1, dilation = 1, axes } = options ?? {};
  if (size === undefined) {
    throw new TypeError(
      "Cannot compute slidingWindow as it needs a size: current value is undefined",
    );
  }
  const count = typeof size === "number" ? 1 : size.length;
  const named = axes ?? Array.from({ length: count }, (_, i) => i - count);
  const chosen = (typeof named === "number" ? [named] : named)
    .map((axis) => normalizeAxis("slidingWindow", axis, operand.rank));
  if (new Set(chosen).size !== chosen.length) {
    throw new RangeError(
      `Cannot compute slidingWindow as axes names an axis twice: current value is [${named}]`,
    );
  }
  const read = (name: string, value: number | readonly number[]) =>
    perAxis("slidingWindow", name, value, chosen.length, 1);
  const windows = {
    size: read("size", size),
    stride: read("stride", stride),
    dilation: read("dilation", dilation),
  };
  checkFit("slidingWindow", reachOf(windows), chosen.map((axis) => operand.shape[axis]!));
  return windowsOf(operand, chosen, windows);
}

/** Windows that fit, along axes that exist. */
export function windowsOf(x: Tensor, axes: readonly number[], windows: Windows): Tensor {
  return apply(slidingWindowOp, [x], { axes, ...windows });
}
