/**
 * Repetition, and grids of coordinates.
 *
 * @module
 */
import { checkExtent, checkSize, formatShape, normalizeAxis } from "../shape.ts";
import { checkOptions, checkWholes, refuseMore } from "../options.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { REPEAT } from "./checks.ts";
import { broadcastTo, expandDims, reshape } from "./layout.ts";

/**
 * A tensor several times over, as tiles are laid.
 *
 * @param x Any shape.
 * @param repeats How often along each axis, or a number for the last one. Axes that one of the two
 * does not have are added in front.
 * @returns The tiled tensor.
 * @throws {TypeError} If the repeats are not whole numbers.
 * @throws {RangeError} If one is negative.
 *
 * @example Twice in each direction
 * ```ts
 * import { tile } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tile([1, 2], [2, 2]).toArray(), [[1, 2, 1, 2], [1, 2, 1, 2]]);
 * ```
 */
export function tile(x: TensorLike, repeats: number | readonly number[]): Tensor {
  if (arguments.length > 2) refuseMore("tile", "repeats", 2, arguments);
  checkWholes("tile", "repeats", repeats);
  const operand = asOperand("tile", x);
  const given = typeof repeats === "number" ? [repeats] : repeats;
  given.forEach((count) => checkExtent("tile", "repeats", count));
  const rank = Math.max(operand.rank, given.length);
  const inFront = (list: readonly number[]) => [...new Array(rank - list.length).fill(1), ...list];
  const [shape, counts] = [inFront(operand.shape), inFront(given)];
  const pairs = shape.flatMap((extent, axis) => [counts[axis]!, extent]);
  checkSize("tile", pairs, operand.dtype);
  const apart = reshape(operand, shape.flatMap((extent) => [1, extent]));
  return reshape(broadcastTo(apart, pairs), shape.map((extent, axis) => extent * counts[axis]!));
}

/** Options of {@linkcode repeat}. */
export interface RepeatOptions {
  /** The axis; by default the values are repeated in their row-major order, as one axis. */
  axis?: number | undefined;
}

/**
 * Every value several times, one behind the other.
 *
 * @param x Any shape.
 * @param n How often.
 * @param options `axis`; by default all values become one axis.
 * @returns The repeated values.
 * @throws {TypeError} If `n` is no whole number.
 * @throws {RangeError} If it is negative.
 *
 * @example Each label for two cells
 * ```ts
 * import { repeat } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(repeat([3, 4], 2).toArray(), [3, 3, 4, 4]);
 * assertEquals(repeat([[1, 2]], 2, { axis: 0 }).toArray(), [[1, 2], [1, 2]]);
 * ```
 */
export function repeat(x: TensorLike, n: number, options: RepeatOptions = {}): Tensor {
  if (arguments.length > 2) checkOptions("repeat", REPEAT, 2, arguments);
  checkExtent("repeat", "n", n);
  const given = asOperand("repeat", x);
  const operand = options.axis === undefined ? reshape(given, [given.size]) : given;
  const axis = normalizeAxis("repeat", options.axis ?? 0, operand.rank);
  const { shape } = operand;
  const [before, behind] = [shape.slice(0, axis + 1), shape.slice(axis + 1)];
  checkSize("repeat", [...before, n, ...behind], operand.dtype);
  const all = broadcastTo(expandDims(operand, axis + 1), [...before, n, ...behind]);
  return reshape(all, shape.map((extent, i) => i === axis ? extent * n : extent));
}

/**
 * Coordinates on a grid: axis k belongs to the k-th argument (`indexing="ij"` in NumPy).
 *
 * @param xs Coordinates along each axis, of rank 1.
 * @returns As many tensors, each of the shape of the whole grid.
 * @throws {TypeError} If there are none, or one has another rank.
 *
 * @example Six points
 * ```ts
 * import { meshgrid } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [x, y] = meshgrid([1, 2], [5, 6, 7]);
 * assertEquals(x!.toArray(), [[1, 1, 1], [2, 2, 2]]);
 * assertEquals(y!.toArray(), [[5, 6, 7], [5, 6, 7]]);
 * ```
 */
export function meshgrid(...xs: TensorLike[]): Tensor[] {
  const operands = xs.map((x, i) => asOperand("meshgrid", x, `xs[${i}]`));
  const wrong = operands.find((x) => x.rank !== 1);
  if (operands.length === 0 || wrong !== undefined) {
    throw new TypeError(
      `Cannot compute meshgrid as it needs tensors of rank 1: ` +
        (wrong === undefined ? "there are none" : `current shape is ${formatShape(wrong.shape)}`),
    );
  }
  const shape = operands.map((x) => x.size);
  operands.forEach(({ dtype }) => checkSize("meshgrid", shape, dtype));
  return operands.map((x, k) =>
    broadcastTo(reshape(x, shape.map((extent, axis) => axis === k ? extent : 1)), shape)
  );
}
