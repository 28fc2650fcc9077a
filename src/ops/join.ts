/**
 * Joining tensors and cutting them.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { perInput, type ViewOp } from "../op.ts";
import { checkNumber, checkOptions, checkWholes, wholesAmong } from "../options.ts";
import { formatShape, normalizeAxis, type Shape } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { JOIN, SLICE } from "./checks.ts";
import { promoteAll } from "./elementwise.ts";
import { blockOf, expandDims, reshape, view } from "./layout.ts";

/** Tensors one behind the other along an axis. */
export const concatOp: ViewOp<number> = view(
  "concat",
  (inputs, axis) => {
    const extent = inputs.reduce((sum, x) => sum + x[axis]!, 0);
    return inputs[0]!.map((n, i) => i === axis ? extent : n);
  },
  (inputs, axis, output) => {
    const { strides } = blockOf(output);
    let offset = 0;
    return inputs.map((shape) => {
      const copy = { shape, to: { offset, strides }, from: blockOf(shape) };
      offset += shape[axis]! * strides[axis]!;
      return copy;
    });
  },
  perInput((g, _y, inputs, axis, index) => {
    const start = inputs[0]!.shape.map(() => 0);
    for (const x of inputs.slice(0, index)) start[axis]! += x.shape[axis]!;
    return apply(sliceOp, [g], { start, shape: inputs[index]!.shape });
  }),
);

/** A block of a tensor: where it starts, its shape, and its steps. */
export interface Block {
  /** The first position along each axis. */
  start: readonly number[];
  /** The extents. */
  shape: Shape;
  /** From one position to the next along each axis, negative ones backwards; 1 by default. */
  step?: readonly number[] | undefined;
}

/** A block of a tensor. */
export const sliceOp: ViewOp<Block> = view(
  "slice",
  (_inputs, { shape }) => shape,
  ([x], { start, step }, shape) => [
    { shape, to: blockOf(shape), from: blockOf(x!, start, step) },
  ],
  perInput((g, _y, [x], { start, step, shape }) => {
    if (step === undefined) return apply(padOp, [g], { start, shape: x!.shape });
    const back = step.flatMap((by, axis) => by < 0 ? [axis] : []);
    const lowest = start.map((at, axis) => at + Math.min(0, step[axis]! * (shape[axis]! - 1)));
    const [forth, shapes] = [step.map(Math.abs), x!.shape];
    return apply(padOp, [turned(g, back)], { start: lowest, step: forth, shape: shapes });
  }),
);

/** A tensor as a block in a larger one of zeros; its steps go forwards. */
export const padOp: ViewOp<Block> = view(
  "pad",
  (_inputs, { shape }) => shape,
  ([x], { start, step }, shape) => [
    { shape: x!, to: blockOf(shape, start, step), from: blockOf(x!) },
  ],
  perInput((g, _y, [x], { start, step }) => apply(sliceOp, [g], { start, step, shape: x!.shape })),
);

/** The values in reverse order along some axes. */
export function turned(x: Tensor, axes: readonly number[]): Tensor {
  const { shape } = x;
  const back = shape.map((extent, axis) => axes.includes(axis) && extent > 1);
  if (!back.includes(true)) return x;
  return apply(sliceOp, [x], {
    start: shape.map((extent, axis) => back[axis] ? extent - 1 : 0),
    shape,
    step: back.map((isBack) => isBack ? -1 : 1),
  });
}

/** Options of {@linkcode concat}, {@linkcode stack} and {@linkcode split}. */
export interface JoinOptions {
  /** The axis along which to join or cut; 0 by default. */
  axis?: number | undefined;
}

function readTensors(caller: string, xs: readonly TensorLike[]): Tensor[] {
  if (Array.isArray(xs) && xs.length > 0 && !xs.includes(undefined)) {
    return promoteAll(caller, Object.fromEntries(xs.map((x, i) => [`xs[${i}]`, x])));
  }
  throw new TypeError(
    `Cannot compute ${caller} as xs must be an array of at least one tensor: ` +
      `current value is ${describe(xs)}`,
  );
}

/**
 * Joins tensors one behind the other along an axis that they have.
 *
 * @param xs At least one tensor; all have the same shape but for the axis.
 * @param options `axis`, 0 by default.
 * @returns The joined tensor, in the strongest of the types.
 * @throws {TypeError} If there is none, or other extents differ.
 *
 * @example Two batches of cells
 * ```ts
 * import { concat } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(concat([[[1, 2]], [[3, 4], [5, 6]]]).toArray(), [[1, 2], [3, 4], [5, 6]]);
 * ```
 */
export function concat(xs: readonly TensorLike[], options: JoinOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("concat", JOIN, 1, arguments);
  const operands = readTensors("concat", xs);
  const first = operands[0]!.shape;
  const axis = normalizeAxis("concat", options.axis ?? 0, first.length);
  for (const { shape } of operands) {
    if (shape.length === first.length && shape.every((n, i) => i === axis || n === first[i])) {
      continue;
    }
    throw new TypeError(
      `Cannot compute concat as all shapes must agree except along axis ${axis}: ` +
        `current shapes are ${formatShape(first)} and ${formatShape(shape)}`,
    );
  }
  return operands.length === 1 ? operands[0]! : apply(concatOp, operands, axis);
}

/**
 * Joins tensors of one shape along a new axis.
 *
 * @param xs At least one tensor; all of the same shape.
 * @param options `axis`, where the new axis is in the result, 0 by default.
 * @returns The joined tensor.
 * @throws {TypeError} If there is none, or the shapes differ.
 *
 * @example Rows of a matrix
 * ```ts
 * import { stack } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stack([[1, 2], [3, 4]], { axis: 1 }).toArray(), [[1, 3], [2, 4]]);
 * ```
 */
export function stack(xs: readonly TensorLike[], options: JoinOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("stack", JOIN, 1, arguments);
  const operands = readTensors("stack", xs);
  const axis = normalizeAxis("stack", options.axis ?? 0, operands[0]!.rank + 1);
  const first = formatShape(operands[0]!.shape);
  const other = operands.find((x) => formatShape(x.shape) !== first);
  if (other !== undefined) {
    throw new TypeError(
      `Cannot compute stack as all shapes must be the same: ` +
        `current shapes are ${first} and ${formatShape(other.shape)}`,
    );
  }
  return concat(operands.map((x) => expandDims(x, axis)), { axis });
}

/** Options of {@linkcode slice}. */
export interface SliceOptions {
  /** From one position to the next along the first axis, or one step per axis; 1 by default. */
  step?: number | readonly number[] | undefined;
}

/**
 * A block of a tensor, with the meaning of `Array.prototype.slice` along each axis.
 *
 * @param x Any shape.
 * @param start The first position along the first axis, or one per axis; negative ones count from
 * the end. Axes that are not named are kept whole.
 * @param end The position after the last, alike; by default the end.
 * @param options `step`, 1 by default: of every axis, only each `step`-th position. To go backwards,
 * `flip` first.
 * @returns The block.
 * @throws {RangeError} If a position is not an integer, or lies outside of the axis, or a step is
 * below 1.
 * @throws {TypeError} If there are more positions or steps than axes.
 *
 * @example The last two rows, the first column, every other row
 * ```ts
 * import { slice } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = [[1, 2], [3, 4], [5, 6]];
 * assertEquals(slice(x, -2).toArray(), [[3, 4], [5, 6]]);
 * assertEquals(slice(x, [1, 0], [3, 1]).toArray(), [[3], [5]]);
 * assertEquals(slice(x, 0, 3, { step: 2 }).toArray(), [[1, 2], [5, 6]]);
 * ```
 */
export function slice(
  x: TensorLike,
  start: number | readonly number[],
  end?: number | readonly number[],
  options: SliceOptions = {},
): Tensor {
  if (arguments.length > 3) checkOptions("slice", SLICE, 3, arguments);
  checkWholes("slice", "start", start);
  if (end !== undefined) checkWholes("slice", "end", end);
  const operand = asOperand("slice", x);
  const [starts, ends, steps] = [start, end ?? [], options.step ?? []].map((given) =>
    typeof given === "number" ? [given] : given
  ) as [readonly number[], readonly number[], readonly number[]];
  if (Math.max(starts.length, ends.length, steps.length) > operand.rank) {
    throw new TypeError(
      `Cannot compute slice as there are more positions than axes: current shape is ` +
        `${formatShape(operand.shape)}, start [${starts}], end [${ends}]` +
        (steps.length > 0 ? `, step [${steps}]` : ""),
    );
  }
  steps.forEach((by) => checkNumber("slice", "step", by, { integer: true, min: 1 }));
  const from = operand.shape.map((n, i) => slicePosition(starts[i] ?? 0, n, i));
  const step = operand.shape.map((_, i) => steps[i] ?? 1);
  const shape = operand.shape.map((n, i) =>
    Math.max(0, Math.ceil((slicePosition(ends[i] ?? n, n, i) - from[i]!) / step[i]!))
  );
  const isStepping = step.some((by) => by > 1);
  return apply(sliceOp, [operand], { start: from, shape, step: isStepping ? step : undefined });
}

/** The part of a tensor at positions along its first axes. */
export function at(x: Tensor, ...positions: number[]): Tensor {
  const given = wholesAmong("at", "positions", positions);
  if (given.length > x.rank) {
    throw new TypeError(
      `Cannot compute at as there are more positions than axes: current shape is ` +
        `${formatShape(x.shape)}, positions [${given}]`,
    );
  }
  const start = x.shape.map((extent, axis) => {
    const position = given[axis] ?? 0;
    if (axis >= given.length || position >= -extent && position < extent) {
      return position < 0 ? position + extent : position;
    }
    throw new RangeError(
      `Cannot compute at as a position along axis ${axis} must be in ` +
        `[${-extent}, ${extent - 1}]: current value is ${position}`,
    );
  });
  const rest = x.shape.slice(given.length);
  const shape = [...given.map(() => 1), ...rest];
  return reshape(apply(sliceOp, [x], { start, shape }), rest);
}

function slicePosition(at: number, extent: number, axis: number): number {
  if (!Number.isInteger(at) || at < -extent || at > extent) {
    throw new RangeError(
      `Cannot compute slice as a position along axis ${axis} must be an integer in ` +
        `[${-extent}, ${extent}]: current value is ${at}`,
    );
  }
  return at < 0 ? at + extent : at;
}

/**
 * Cuts a tensor along an axis.
 *
 * @param x Any shape.
 * @param parts How many equal parts, or the extent of each part.
 * @param options `axis`, 0 by default.
 * @returns The parts.
 * @throws {RangeError} If the parts do not add up to the axis.
 *
 * @example Mean and log variance from one layer
 * ```ts
 * import { split } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [mean, logVariance] = split([[1, 2, 3, 4]], 2, { axis: 1 });
 * assertEquals(mean!.toArray(), [[1, 2]]);
 * assertEquals(logVariance!.toArray(), [[3, 4]]);
 * ```
 */
export function split(
  x: TensorLike,
  parts: number | readonly number[],
  options: JoinOptions = {},
): Tensor[] {
  if (arguments.length > 2) checkOptions("split", JOIN, 2, arguments);
  const operand = asOperand("split", x);
  const axis = normalizeAxis("split", options.axis ?? 0, operand.rank);
  checkWholes("split", "parts", parts);
  const extent = operand.shape[axis]!;
  const isEven = typeof parts === "number" && parts > 0 && extent % parts === 0;
  const sizes = typeof parts === "number"
    ? Array.from({ length: isEven ? parts : 0 }, () => extent / parts)
    : parts;
  if (
    sizes.includes(undefined as never) || !sizes.every((n) => Number.isInteger(n) && n >= 0) ||
    sizes.reduce((a, b) => a + b, 0) !== extent
  ) {
    throw new RangeError(
      `Cannot compute split as the parts must add up to the extent ${extent} of axis ${axis}: ` +
        `current value is ${describe(parts)}`,
    );
  }
  let at = 0;
  return sizes.map((size) => {
    const start = operand.shape.map((_, i) => i === axis ? at : 0);
    at += size;
    const shape = operand.shape.map((n, i) => i === axis ? size : n);
    return apply(sliceOp, [operand], { start, shape });
  });
}
