/**
 * Shapes: sizes, strides, axes and NumPy's broadcasting rules.
 *
 * @module
 */
import { describe, formatBytes } from "./describe.ts";
import { BYTES, type DType } from "./dtype.ts";

/** The extents of a tensor, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

/** How many values a shape holds. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i]!;
  return size;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A shape as text, for messages: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** Strides that read `shape` as if it were broadcast to `target`: 0 along repeated axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const offset = target.length - shape.length;
  return target.map((_, i) => i < offset || shape[i - offset] === 1 ? 0 : own[i - offset]!);
}

/** A shape as seen from an axis, or from neighbouring ones. */
export interface AxisExtents {
  /** Slices before the axis. */
  readonly outer: number;
  /** Places along the axis. */
  readonly count: number;
  /** Neighbouring values behind the axis. */
  readonly inner: number;
}

/** The extents around the axes from one on and before another; by default, around one axis. */
export function extentsAround(shape: Shape, first: number, end: number = first + 1): AxisExtents {
  return {
    outer: sizeOf(shape.slice(0, first)),
    count: sizeOf(shape.slice(first, end)),
    inner: sizeOf(shape.slice(end)),
  };
}

/** The extents around sorted axes, those of extent 1 aside; `undefined` where they lie apart. */
export function extentsAroundAll(shape: Shape, axes: readonly number[]): AxisExtents | undefined {
  const long = axes.filter((axis) => shape[axis] !== 1);
  const first = long[0] ?? shape.length;
  const end = long.length === 0 ? first : long.at(-1)! + 1;
  const isApart = shape.slice(first, end).some((n, i) => n !== 1 && !long.includes(first + i));
  return isApart ? undefined : extentsAround(shape, first, end);
}

/** The shape in which operands meet by NumPy's rules; throws a `TypeError` that names the caller. */
export function broadcastShapes(caller: string, ...shapes: Shape[]): Shape {
  const first = shapes[0]!;
  if (shapes.every((shape) => sameShape(shape, first))) return first;
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const extent = shape[i]!;
      if (extent === 1 || extent === result[at]) continue;
      if (result[at] !== 1) {
        throw new TypeError(
          `Cannot compute ${caller} as the shapes do not broadcast: ` +
            `current shapes are ${shapes.map(formatShape).join(" and ")}`,
        );
      }
      result[at] = extent;
    }
  }
  return result;
}

/** The most bytes that a tensor takes, as the memory of a compiled program. */
export const MAX_BYTES: number = 2 ** 32;

/** The most axes that a tensor has. */
export const MAX_RANK = 64;

/** Throws a `RangeError` that names the caller, the shape and the bytes of what no tensor can hold. */
export function checkSize(caller: string, shape: Shape, dtype: DType): void {
  const bytes = sizeOf(shape) * BYTES[dtype];
  if (bytes <= MAX_BYTES) return;
  throw new RangeError(
    `Cannot compute ${caller} as a tensor must take at most ${formatBytes(MAX_BYTES)}: ` +
      `current shape is ${formatShape(shape)}, ${formatBytes(bytes)} of ${dtype}`,
  );
}

/** One axis, counted from the end where negative; throws a `RangeError` that names the caller. */
export function normalizeAxis(caller: string, axis: number, rank: number): number {
  if (Number.isInteger(axis)) {
    const normal = axis < 0 ? axis + rank : axis;
    if (normal >= 0 && normal < rank) return normal;
  }
  throw new RangeError(
    rank === 0
      ? `Cannot compute ${caller} as a tensor of rank 0 has no axes: ` +
        `current value of axis is ${describe(axis)}`
      : `Cannot compute ${caller} as axis must be an integer in [${-rank}, ${rank - 1}] ` +
        `for a tensor of rank ${rank}: current value is ${describe(axis)}`,
  );
}

/** Axes as a sorted list without repeats; `undefined` means all of them. */
export function normalizeAxes(
  caller: string,
  axis: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  checkAxes(caller, axis);
  const axes = (typeof axis === "number" ? [axis] : axis).map((a) => normalizeAxis(caller, a, rank))
    .sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length) {
    throw new RangeError(
      `Cannot compute ${caller} as axis names an axis twice: current value is [${axis}]`,
    );
  }
  return axes;
}

/** Throws a `TypeError` that names the caller unless `axis` is a number or an array without holes. */
export function checkAxes(caller: string, axis: unknown): asserts axis is number | number[] {
  if (typeof axis === "number" || (Array.isArray(axis) && !axis.includes(undefined))) return;
  throw new TypeError(
    `Cannot compute ${caller} as axis must be a whole number or an array of them: ` +
      `current value is ${describe(axis)}`,
  );
}

/** The shape that is left when `axes` (normalized) are reduced. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((extent, i) => axes.includes(i) ? 1 : extent)
    : shape.filter((_, i) => !axes.includes(i));
}

/** Throws a `TypeError` that names the caller unless `shape` is an array of extents. */
export function checkShape(caller: string, shape: unknown): asserts shape is Shape {
  if (Array.isArray(shape) && shape.length <= MAX_RANK && allExtents(shape)) return;
  const isDeep = Array.isArray(shape) && shape.length > MAX_RANK;
  throw new TypeError(
    `Cannot compute ${caller} as shape must be an array of ` +
      (isDeep ? `at most ${MAX_RANK} extents: ` : `non-negative integers: `) +
      `current value is ${describe(shape)}`,
  );
}

/** Whether an array holds extents and no hole. */
function allExtents(shape: readonly unknown[]): boolean {
  for (let i = 0; i < shape.length; i++) if (!isExtent(shape[i])) return false;
  return true;
}

function isExtent(n: unknown): boolean {
  return Number.isInteger(n) && (n as number) >= 0;
}

/** Throws a `TypeError` that names the caller and the argument unless `count` is an extent. */
export function checkExtent(caller: string, argument: string, count: number): void {
  if (isExtent(count)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must be a non-negative integer: ` +
      `current value is ${describe(count)}`,
  );
}
