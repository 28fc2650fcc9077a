/**
 * Padding, turning and moving along axes.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkOptions, checkWhole } from "../options.ts";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { ones } from "../create.ts";
import { apply } from "../trace.ts";
import { FLIP, PAD, ROLL } from "./checks.ts";
import { where } from "./compare.ts";
import { promoteAll } from "./elementwise.ts";
import { type Block, concat, padOp, slice, turned } from "./join.ts";
import { broadcastTo, reshape } from "./layout.ts";

/** What {@linkcode pad} puts around: a number, the outermost values, or their mirror image. */
export type PadMode = "constant" | "edge" | "reflect";

/** Options of {@linkcode pad}. */
export interface PadOptions {
  /** `"constant"`, `"edge"` or `"reflect"`; `"constant"` by default. */
  mode?: PadMode | undefined;
  /** What constant padding consists of; 0 by default. */
  value?: number | undefined;
}

/**
 * A tensor with more around it.
 *
 * @param x Any shape.
 * @param widths For each axis, how much comes before and after it: `[[before, after], …]`.
 * @param options `mode`: `"constant"`, by default, puts the number `value` around, 0 by default; `"edge"`
 * the outermost values; `"reflect"` what lies on the other side of the outermost value, which itself
 * is not repeated.
 * @returns The padded tensor. Gradients of what was repeated add up.
 * @throws {TypeError} If there is not one pair of whole numbers for each axis, or `value` is given to
 * another mode.
 * @throws {RangeError} If a number is negative, or there is nothing to repeat or too little to reflect.
 *
 * @example A border of zeros, and a reflected one
 * ```ts
 * import { pad } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pad([1, 2], [[1, 2]]).toArray(), [0, 1, 2, 0, 0]);
 * assertEquals(pad([1, 2, 3], [[1, 2]], { mode: "reflect" }).toArray(), [2, 1, 2, 3, 2, 1]);
 * ```
 */
export function pad(
  x: TensorLike,
  widths: readonly (readonly [before: number, after: number])[],
  options: PadOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("pad", PAD, 2, arguments);
  const operand = asOperand("pad", x);
  checkWidths(operand.shape, widths);
  const { mode = "constant", value } = options;
  if (mode === "constant") return padConstant(operand, widths, value ?? 0);
  if (value !== undefined) {
    throw new TypeError(
      `Cannot compute pad as only the mode constant has a value: current mode is ${mode}`,
    );
  }
  return widths.reduce((padded, [before, after], axis) => {
    if (before + after === 0) return padded;
    checkEnough(mode, operand.shape[axis]!, Math.max(before, after), axis);
    const piece = mode === "edge" ? edge : mirrored;
    return concat([
      ...before > 0 ? [piece(padded, axis, before, "before")] : [],
      padded,
      ...after > 0 ? [piece(padded, axis, after, "after")] : [],
    ], { axis });
  }, operand);
}

function checkWidths(shape: Shape, widths: readonly unknown[]): void {
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && [...pair].every((n) => Number.isInteger(n));
  if (!Array.isArray(widths) || widths.length !== shape.length || ![...widths].every(isPair)) {
    throw new TypeError(
      `Cannot compute pad as widths must be a pair of whole numbers for each axis: current shape ` +
        `is ${formatShape(shape)}, widths are ${describe(widths)}`,
    );
  }
  const negative = widths.flat().find((n) => n < 0);
  if (negative === undefined) return;
  throw new RangeError(
    `Cannot compute pad as widths must not be negative: current value is ${negative}`,
  );
}

function checkEnough(mode: PadMode, extent: number, width: number, axis: number): void {
  const most = mode === "edge" ? (extent > 0 ? Infinity : 0) : Math.max(0, extent - 1);
  if (width <= most) return;
  throw new RangeError(
    `Cannot compute pad as axis ${axis} of extent ${extent} has only ${most} values to ` +
      `${mode === "edge" ? "repeat" : "reflect"}: current width is ${width}`,
  );
}

function padConstant(
  x: Tensor,
  widths: readonly (readonly [number, number])[],
  value: number,
): Tensor {
  const block: Block = {
    start: widths.map(([before]) => before),
    shape: x.shape.map((extent, axis) => extent + widths[axis]![0] + widths[axis]![1]),
  };
  if (sizeOf(block.shape) === x.size) return reshape(x, block.shape);
  if (Object.is(value, 0)) return apply(padOp, [x], block);
  const [own, around] = promoteAll("pad", { x, value }) as [Tensor, Tensor];
  const isInside = apply(padOp, [ones(x.shape, { dtype: "bool" })], block);
  return where(isInside, apply(padOp, [own], block), around);
}

/** A stretch along an axis. */
function stretch(x: Tensor, axis: number, start: number, end: number): Tensor {
  const whole = (at: number, other: Shape) => other.map((n, i) => i === axis ? at : n);
  return slice(x, whole(start, x.shape.map(() => 0)), whole(end, x.shape));
}

type Side = "before" | "after";

function edge(x: Tensor, axis: number, width: number, side: Side): Tensor {
  const at = side === "before" ? 0 : x.shape[axis]! - 1;
  const shape = x.shape.map((n, i) => i === axis ? width : n);
  return broadcastTo(stretch(x, axis, at, at + 1), shape);
}

function mirrored(x: Tensor, axis: number, width: number, side: Side): Tensor {
  const at = side === "before" ? 1 : x.shape[axis]! - 1 - width;
  return turned(stretch(x, axis, at, at + width), [axis]);
}

/** Options of {@linkcode flip}. */
export interface FlipOptions {
  /** The axis or axes; all by default. */
  axis?: number | readonly number[] | undefined;
}

/**
 * The values in reverse order along axes.
 *
 * @param x Any shape.
 * @param options `axis`: a number or an array, all by default.
 * @returns A tensor of the same shape. Loops read it where it lies.
 *
 * @example An image the other way round
 * ```ts
 * import { flip } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(flip([[1, 2, 3], [4, 5, 6]], { axis: 1 }).toArray(), [[3, 2, 1], [6, 5, 4]]);
 * ```
 */
export function flip(x: TensorLike, options: FlipOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("flip", FLIP, 1, arguments);
  const operand = asOperand("flip", x);
  return turned(operand, normalizeAxes("flip", options.axis, operand.rank));
}

/** Options of {@linkcode roll}. */
export interface RollOptions {
  /** The axis; by default the values are moved in their row-major order. */
  axis?: number | undefined;
}

/**
 * The values moved along an axis; what is moved beyond its end comes in at its start.
 *
 * @param x Any shape.
 * @param shift By how many places, backwards where it is negative.
 * @param options `axis`; by default all values are moved in their row-major order.
 * @returns A tensor of the same shape.
 *
 * @example One step on a circle
 * ```ts
 * import { roll } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(roll([1, 2, 3, 4], 1).toArray(), [4, 1, 2, 3]);
 * assertEquals(roll([[1, 2, 3]], -1, { axis: 1 }).toArray(), [[2, 3, 1]]);
 * ```
 */
export function roll(x: TensorLike, shift: number, options: RollOptions = {}): Tensor {
  if (arguments.length > 2) checkOptions("roll", ROLL, 2, arguments);
  checkWhole("roll", "shift", shift);
  const operand = asOperand("roll", x);
  if (options.axis === undefined) {
    return reshape(rolled(reshape(operand, [operand.size]), shift, 0), operand.shape);
  }
  return rolled(operand, shift, normalizeAxis("roll", options.axis, operand.rank));
}

function rolled(x: Tensor, shift: number, axis: number): Tensor {
  const extent = x.shape[axis]!;
  const by = extent === 0 ? 0 : (shift % extent + extent) % extent;
  if (by === 0) return x;
  return concat([stretch(x, axis, extent - by, extent), stretch(x, axis, 0, extent - by)], {
    axis,
  });
}
