/**
 * Sorting: the values of an axis in order, and the best of them.
 *
 * @module
 */
import { argSortRows } from "../../kernels/select/eager.ts";
import type { SortOrder } from "../../kernels/select/reference.ts";
import { describe } from "../describe.ts";
import type { SortOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { extentsAround, normalizeAxis, sizeOf } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { SORT, TOP_K } from "./checks.ts";
import { takeAlongAxis } from "./select.ts";

/** How to sort: along which axis, and in which order. */
export interface SortParams extends SortOrder {
  /** The axis. */
  axis: number;
}

/** The positions that would sort an axis. */
export const argSortOp: SortOp<SortParams> = {
  kind: "sort",
  name: "argSort",
  order: ({ axis, ...rest }) => ({ axes: [axis], ...rest }),
  lift: (params) => ({ ...params, axis: params.axis + 1 }),
  infer: ([x], { axis, kept }) => ({
    shape: x!.shape.map((n, i) => i === axis ? kept : n),
    dtype: "int32",
  }),
  forward([x], { axis, ...order }, { shape }) {
    const out = new Int32Array(sizeOf(shape));
    argSortRows(out, x!.data, extentsAround(x!.shape, axis), order);
    return out;
  },
  vjp: null,
};

/** Options of {@linkcode argSort} and {@linkcode sort}. */
export interface SortOptions {
  /** The axis, −1 by default. */
  axis?: number | undefined;
  /** Whether the largest come first; `false` by default. */
  descending?: boolean | undefined;
}

function sortedPositions(
  caller: string,
  x: Tensor,
  options: SortOptions,
  kept?: number,
): { axis: number; indices: Tensor } {
  const axis = normalizeAxis(caller, options.axis ?? -1, x.rank);
  const descending = options.descending ?? false;
  const params = { axis, descending, kept: kept ?? x.shape[axis]!, nanFirst: kept !== undefined };
  return { axis, indices: apply(argSortOp, [x], params) };
}

/**
 * The positions that would sort a tensor along an axis. Equal values keep their order; NaN is last.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `descending`, `false` by default.
 * @returns An `int32` tensor of the shape of `x`. No gradient passes.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example The order of three numbers
 * ```ts
 * import { argSort } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(argSort([3, 1, 2]).toArray(), [1, 2, 0]);
 * ```
 */
export function argSort(x: TensorLike, options: SortOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("argSort", SORT, 1, arguments);
  return sortedPositions("argSort", asOperand("argSort", x), options).indices;
}

/**
 * The values in order along an axis; NaN is last.
 *
 * @param x Any shape of rank 1 or more.
 * @param options `axis`, −1 by default; `descending`, `false` by default.
 * @returns The sorted tensor; gradients go back to where the values came from.
 * @throws {RangeError} If the axis does not exist.
 *
 * @example Three numbers
 * ```ts
 * import { sort } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sort([3, 1, 2]).toArray(), [1, 2, 3]);
 * ```
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("sort", SORT, 1, arguments);
  const operand = asOperand("sort", x);
  const { axis, indices } = sortedPositions("sort", operand, options);
  return takeAlongAxis(operand, indices, { axis });
}

/** Options of {@linkcode topK}. */
export interface TopKOptions {
  /** The axis, −1 by default. */
  axis?: number | undefined;
  /** Whether the largest are taken, which is the default, or the smallest. */
  largest?: boolean | undefined;
}

/** What {@linkcode topK} returns. */
export interface TopK {
  /** The values, best first. */
  values: Tensor;
  /** Their positions, `int32`. */
  indices: Tensor;
}

/**
 * The k largest values along an axis, best first, and their positions; of equals, the first. NaN
 * comes before all numbers, of the largest and of the smallest, as in `max` and `min`.
 *
 * @param x Any shape of rank 1 or more.
 * @param k How many, from 0 to the extent of the axis.
 * @param options `axis`, −1 by default; `largest`, `true` by default.
 * @returns `{ values, indices }`; gradients of the values go back to where they came from.
 * @throws {RangeError} If the axis does not exist, or `k` is out of range.
 *
 * @example The best two
 * ```ts
 * import { topK } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { values, indices } = topK([3, 1, 4], 2);
 * assertEquals(values.toArray(), [4, 3]);
 * assertEquals(indices.toArray(), [2, 0]);
 * ```
 */
export function topK(x: TensorLike, k: number, options: TopKOptions = {}): TopK {
  if (arguments.length > 2) checkOptions("topK", TOP_K, 2, arguments);
  const operand = asOperand("topK", x);
  const extent = operand.shape[normalizeAxis("topK", options.axis ?? -1, operand.rank)]!;
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    throw new RangeError(
      `Cannot compute topK as k must be an integer in [0, ${extent}]: ` +
        `current value is ${describe(k)}`,
    );
  }
  const descending = options.largest ?? true;
  const { axis, indices } = sortedPositions("topK", operand, { axis: options.axis, descending }, k);
  return { values: takeAlongAxis(operand, indices, { axis }), indices };
}
