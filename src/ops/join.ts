/**
 * Joining tensors and cutting them.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { perInput, type ViewOp } from "../op.ts";
import { checkOptions, checkWholes, refuseMore } from "../options.ts";
import { formatShape, normalizeAxis, type Shape } from "../shape.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { JOIN } from "./checks.ts";
import { promoteList } from "./elementwise.ts";
import { blockOf, expandDims, view } from "./layout.ts";

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

/** A block of a tensor: where it starts and its shape. */
export interface Block {
  /** The first position along each axis. */
  start: readonly number[];
  /** The extents. */
  shape: Shape;
}

/** A block of a tensor. */
export const sliceOp: ViewOp<Block> = view(
  "slice",
  (_inputs, { shape }) => shape,
  ([x], { start }, shape) => [{ shape, to: blockOf(shape), from: blockOf(x!, start) }],
  perInput((g, _y, [x], { start }) => apply(padOp, [g], { start, shape: x!.shape })),
);

/** A tensor as a block in a larger one of zeros. */
export const padOp: ViewOp<Block> = view(
  "pad",
  (_inputs, { shape }) => shape,
  ([x], { start }, shape) => [{ shape: x!, to: blockOf(shape, start), from: blockOf(x!) }],
  perInput((g, _y, [x], { start }) => apply(sliceOp, [g], { start, shape: x!.shape })),
);

/** Options of {@linkcode concat}, {@linkcode stack} and {@linkcode split}. */
export interface JoinOptions {
  /** The axis along which to join or cut; 0 by default. */
  axis?: number | undefined;
}

function readTensors(caller: string, xs: readonly TensorLike[]): Tensor[] {
  if (Array.isArray(xs) && xs.length > 0 && !xs.includes(undefined)) return promoteList(xs);
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

/**
 * A block of a tensor, with the meaning of `Array.prototype.slice` along each axis.
 *
 * @param x Any shape.
 * @param start The first position along the first axis, or one per axis; negative ones count from
 * the end. Axes that are not named are kept whole.
 * @param end The position after the last, alike; by default the end.
 * @returns The block.
 * @throws {RangeError} If a position is not an integer, or lies outside of the axis.
 * @throws {TypeError} If there are more positions than axes.
 *
 * @example The last two rows, the first column
 * ```ts
 * import { slice } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = [[1, 2], [3, 4], [5, 6]];
 * assertEquals(slice(x, -2).toArray(), [[3, 4], [5, 6]]);
 * assertEquals(slice(x, [1, 0], [3, 1]).toArray(), [[3], [5]]);
 * ```
 */
export function slice(
  x: TensorLike,
  start: number | readonly number[],
  end?: number | readonly number[],
): Tensor {
  if (arguments.length > 3) refuseMore("slice", "end", 3, arguments);
  checkWholes("slice", "start", start);
  if (end !== undefined) checkWholes("slice", "end", end);
  const operand = asTensor(x);
  const starts = typeof start === "number" ? [start] : start;
  const ends = end === undefined ? [] : typeof end === "number" ? [end] : end;
  if (Math.max(starts.length, ends.length) > operand.rank) {
    throw new TypeError(
      `Cannot compute slice as there are more positions than axes: ` +
        `current shape is ${formatShape(operand.shape)}, start [${starts}], end [${ends}]`,
    );
  }
  const from = operand.shape.map((n, i) => slicePosition(starts[i] ?? 0, n, i));
  const shape = operand.shape.map((n, i) =>
    Math.max(0, slicePosition(ends[i] ?? n, n, i) - from[i]!)
  );
  return apply(sliceOp, [operand], { start: from, shape });
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
  const operand = asTensor(x);
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
