/**
 * Derivatives of every output by every input, and second derivatives, by nesting the transforms.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { allocate } from "../dtype.ts";
import { likeLeaves, linearize } from "./linearize.ts";
import { add, mul, reshape, stack, sum } from "../ops/mod.ts";
import { checkFunction, refuseMore } from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { grad } from "./grad.ts";
import { flattenTree, type LikeTree, type TensorTree } from "../tree.ts";

/**
 * The product of a function's Hessian with a vector, without the Hessian.
 *
 * @param f A function of one tensor or tree that returns one number.
 * @returns A function of the point x and the vector v, trees alike, that returns a tree like them.
 * @throws {TypeError} When called, as {@linkcode grad}.
 *
 * @example Curvature along a direction
 * ```ts
 * import { hvp, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const cubes = (x: Tensor) => x.pow(3).sum();
 * assertEquals(hvp(cubes)([1, 2], [1, 0]).toArray(), [6, 0]);
 * ```
 */
export function hvp<T>(
  f: (x: T) => Tensor,
): (x: LikeTree<T>, v: LikeTree<T>) => TensorTree<T> {
  checkFunction("hvp", "f", f);
  if (arguments.length > 1) refuseMore("hvp", "f", 1, arguments);
  return (x, v, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore("hvp", "v", 0, rest);
    const flat = flattenTree("hvp", x, "argument 0");
    const directions = likeLeaves("hvp", "v", v, flat);
    const slope = (point: T) => {
      const { leaves } = flattenTree("hvp", grad(f)(point as never));
      const terms = leaves.map((leaf, i) => sum(mul(leaf, directions[i]!)));
      return terms.reduce((a, b) => add(a, b));
    };
    return grad(slope)(x as never) as TensorTree<T>;
  };
}

/** The derivatives of every entry of an output by every entry of an argument. */
export type JacobianOf<R, T> = R extends Tensor ? TensorTree<T>
  : R extends object ? { [K in keyof R]: JacobianOf<R[K], T> }
  : never;

/**
 * The Jacobian: the derivative of every entry of the output by every entry of the argument. One
 * pullback per entry of the output.
 *
 * @param f A function of one tensor or tree that returns a tensor or tree.
 * @returns A function of the point. For tensors, its result has the shape of the output followed by
 * that of the argument; for trees, a tree like the output of trees like the argument.
 * @throws {TypeError} When called, if the argument is not floating.
 *
 * @example A diagonal one
 * ```ts
 * import { jacobian, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(jacobian((x: Tensor) => x.square())([1, 2]).toArray(), [[2, 0], [0, 4]]);
 * ```
 */
export function jacobian<T, R>(f: (x: T) => R): (x: LikeTree<T>) => JacobianOf<R, T> {
  if (arguments.length > 1) refuseMore("jacobian", "f", 1, arguments);
  return jacobianOf("jacobian", f);
}

function jacobianOf<T, R>(caller: string, f: (x: T) => R): (x: LikeTree<T>) => JacobianOf<R, T> {
  checkFunction(caller, "f", f);
  return (x, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore(caller, "x", 0, rest);
    const { leaves: inputs, rebuild } = flattenTree(caller, x, "argument 0");
    const { outputs, pull } = linearize(caller, f as (x: never) => unknown, [x]);
    const blocks = outputs.leaves.map((output, k) => {
      const rows = Array.from({ length: output.size }, (_, i) => {
        const cotangents = outputs.leaves.map((y, j) => basis(y, j === k ? i : -1));
        return flattenTree(caller, pull(cotangents)[0]).leaves;
      });
      return rebuild(inputs.map((input, j) => {
        const shape = [...output.shape, ...input.shape];
        return rows.length === 0
          ? zeros(shape, { dtype: input.dtype })
          : reshape(stack(rows.map((row) => row[j]!)), shape);
      }));
    });
    return outputs.rebuild(blocks) as JacobianOf<R, T>;
  };
}

/** Zeros like a tensor, with a 1 at one position where that is not negative. */
function basis(like: Tensor, position: number): Tensor {
  const data = allocate(like.dtype, like.size);
  if (position >= 0) data[position] = 1;
  return fromData(data, like.shape);
}

/**
 * The Hessian: second derivatives by every pair of entries of the argument.
 *
 * @param f A function of one tensor or tree that returns one number.
 * @returns A function of the point. For a tensor, its result has the tensor's shape twice over.
 * @throws {TypeError} When called, as {@linkcode grad}.
 *
 * @example Of a product
 * ```ts
 * import { hessian, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const product = (x: Tensor) => x.slice(0, 1).mul(x.slice(1)).sum();
 * assertEquals(hessian(product)([2, 3]).toArray(), [[0, 1], [1, 0]]);
 * ```
 */
export function hessian<T>(
  f: (x: T) => Tensor,
): (x: LikeTree<T>) => JacobianOf<TensorTree<T>, T> {
  if (arguments.length > 1) refuseMore("hessian", "f", 1, arguments);
  checkFunction("hessian", "f", f);
  return jacobianOf("hessian", (x: T) => grad(f)(x as never)) as never;
}
