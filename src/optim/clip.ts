/**
 * Gradient clipping.
 *
 * @module
 */
import { checkNumber, refuseMore } from "../options.ts";
import { cast, div, less, maximum, mul, norm, stack, where } from "../ops/mod.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { type TensorTree, treeLeaves, treeMap } from "../tree.ts";

/**
 * The Euclidean norm of all values of a tree, as if they were one vector.
 *
 * Squares are added up in float64: float32 gradients of 1e30 or 1e-30 have a norm too.
 *
 * @param tree A tensor, or arrays and plain objects of tensors.
 * @returns A tensor of shape `[]`; 0 for a tree without values.
 * @throws {TypeError} If something in the tree is neither a tensor nor becomes one.
 *
 * @example Two tensors, one norm
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { globalNorm } from "@cellgrad/cellgrad/optim";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(globalNorm({ w: tensor([2, 4]), b: tensor([4]) }).item(), 6);
 * ```
 */
export function globalNorm(tree: unknown): Tensor {
  if (arguments.length > 1) refuseMore("globalNorm", "tree", 1, arguments);
  const norms = treeLeaves(tree).filter((x) => x.size > 0).map((x) => norm(x));
  return norms.length === 0 ? tensor(0) : norm(stack(norms));
}

/**
 * Gradients scaled down together where their norm is too large; their direction stays.
 *
 * `g · maxNorm / max(norm, maxNorm)` with the {@linkcode globalNorm} of all of them. Gradients
 * below the limit come back as they are. PyTorch's `clip_grad_norm_` adds 1e-6 to the norm, so its
 * results stay a millionth below the limit. NaN or an infinity anywhere gives NaN everywhere, so
 * that it is noticed.
 *
 * @param grads A tensor, or arrays and plain objects of tensors.
 * @param maxNorm The largest norm, above 0. `Infinity` changes nothing: for runs that only measure
 * the norm.
 * @returns A tree like `grads`.
 * @throws {TypeError} If `maxNorm` is no number, or something in the tree is no tensor.
 * @throws {RangeError} If `maxNorm` is not above 0.
 *
 * @example A gradient that would throw the weights off
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { clipByGlobalNorm } from "@cellgrad/cellgrad/optim";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const clipped = clipByGlobalNorm({ w: tensor([30, 40]), b: tensor(0) }, 1);
 * assertAllClose(clipped.w, [0.6, 0.8]);
 * ```
 */
export function clipByGlobalNorm<T>(grads: T, maxNorm: number): TensorTree<T> {
  if (arguments.length > 2) refuseMore("clipByGlobalNorm", "maxNorm", 2, arguments);
  checkNumber("clipByGlobalNorm", "maxNorm", maxNorm, { above: 0, infinite: true });
  if (maxNorm === Infinity) return treeMap((g) => g, grads);
  const length = globalNorm(grads);
  const factor = where(less(length, Infinity), div(maxNorm, maximum(length, maxNorm)), NaN);
  return treeMap((g) => mul(g, cast(factor, g.dtype)), grads);
}
