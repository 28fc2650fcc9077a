/**
 * Whether something holds somewhere, or everywhere.
 *
 * @module
 */
import { checkOptions } from "../options.ts";
import { normalizeAxes } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { REDUCE } from "./checks.ts";
import { equal, notEqual } from "./compare.ts";
import { type ReduceOptions, sum } from "./reduce.ts";

/**
 * Whether any value over axes is not 0. NaN is not 0.
 *
 * @param x Any shape and type.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns A `bool` tensor; false where there are no values.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Genes that any cell expresses
 * ```ts
 * import { any } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(any([[0, 2, 0], [0, 1, 0]], { axis: 0 }).toArray(), [false, true, false]);
 * ```
 */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("any", REDUCE, 1, arguments);
  return notEqual(count("any", notEqual(asOperand("any", x), 0), options), 0);
}

/**
 * Whether all values over axes are not 0. NaN is not 0.
 *
 * @param x Any shape and type.
 * @param options `axis`, all by default; `keepDims`, `false` by default.
 * @returns A `bool` tensor; true where there are no values.
 * @throws {RangeError} If an axis does not exist.
 *
 * @example Genes that all cells express
 * ```ts
 * import { all } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(all([[0, 2, 3], [1, 1, 0]], { axis: 0 }).toArray(), [false, true, false]);
 * ```
 */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("all", REDUCE, 1, arguments);
  return equal(count("all", equal(asOperand("all", x), 0), options), 0);
}

/** How often something holds over axes. */
function count(caller: string, holds: Tensor, { axis, keepDims }: ReduceOptions): Tensor {
  return sum(holds, { axis: normalizeAxes(caller, axis, holds.rank), keepDims });
}
