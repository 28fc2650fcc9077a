/**
 * Gradient clipping.
 *
 * @module
 */
import { checkNumber, refuseMore } from "../options.ts";
import { cast, div, greater, less, maximum, mul, norm, stack, where } from "../ops/mod.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { requireFloating } from "../transforms/linearize.ts";
import { flattenTree, type TensorTree } from "../tree.ts";

/**
 * The Euclidean norm of all values of a tree, as if they were one vector.
 *
 * Squares neither overflow nor vanish: float32 gradients of 1e30 or 1e-30 have a norm too, and float64
 * gradients of 1e300 or 1e-300.
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
  const { length, byUnit } = measure(flattenTree("globalNorm", tree).leaves);
  return div(length, byUnit((unit) => unit));
}

/** The least normal and the largest number of a type. */
const RANGES = {
  float32: [2 ** -126, 2 ** 128 - 2 ** 104],
  float64: [2 ** -1022, Number.MAX_VALUE],
} as const;

/** The length of all values as one vector, times a unit. */
interface Measured {
  length: Tensor;
  /** What a function says about the unit: 1, or a power of two where squares leave float64. */
  byUnit: (f: (unit: number) => number) => Tensor;
}

function measure(leaves: readonly Tensor[]): Measured {
  const length = joinedNorm(leaves);
  const { dtype } = length;
  const constant = (value: number) => tensor(value, { dtype });
  if (dtype !== "float64") return { length, byUnit: (f) => constant(f(1)) };
  const byUnit = (f: (unit: number) => number) => {
    const [down, same, up] = [2 ** -600, 1, 2 ** 600].map((unit) => constant(f(unit)));
    const isShort = less(length, 2 ** -300);
    return where(greater(length, 2 ** 300), down!, where(isShort, up!, same!));
  };
  const unit = byUnit((unit) => unit);
  return { length: joinedNorm(leaves.map((x) => mul(x, unit))), byUnit };
}

function joinedNorm(leaves: readonly Tensor[]): Tensor {
  const norms = leaves.filter((x) => x.size > 0).map((x) => norm(x));
  return norms.length === 0 ? tensor(0) : norm(stack(norms));
}

/**
 * Gradients scaled down together where their norm is too large; their direction stays.
 *
 * `g · maxNorm / max(norm, maxNorm)` with the {@linkcode globalNorm} of all of them. Gradients
 * below the limit come back as they are. PyTorch's `clip_grad_norm_` adds 1e-6 to the norm, so its
 * results stay a millionth below the limit. NaN or an infinity anywhere, or a norm that is out of the
 * range of their type, gives NaN everywhere, so that it is noticed.
 *
 * @param grads A tensor, or arrays and plain objects of tensors.
 * @param maxNorm The largest norm, above 0. `Infinity` changes nothing: for runs that only measure
 * the norm.
 * @returns A tree like `grads`.
 * @throws {TypeError} If `maxNorm` is no number, or something in the tree is no floating tensor.
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
  const flat = flattenTree("clipByGlobalNorm", grads, "grads");
  const { leaves, rebuild } = flat;
  requireFloating("clipByGlobalNorm", "grads", flat);
  if (maxNorm === Infinity) return rebuild(leaves) as TensorTree<T>;
  const { length, byUnit } = measure(leaves);
  const [least, most] = RANGES[length.dtype as "float32"];
  const limit = byUnit((unit) => Math.min(Math.max(maxNorm * unit, least), most));
  const factor = where(less(length, Infinity), div(limit, maximum(length, limit)), NaN);
  return rebuild(leaves.map((g) => mul(g, cast(factor, g.dtype)))) as TensorTree<T>;
}
