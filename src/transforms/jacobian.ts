/**
 * Derivatives of every output by every input, and second derivatives, by nesting the transforms.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { allocate } from "../dtype.ts";
import { BatchTrace, rowsOf } from "./batching.ts";
import { batchRule } from "./batching_rules.ts";
import { likeLeaves, linearize, type Linearized } from "./linearize.ts";
import { add, concat, mul, reshape, sum } from "../ops/mod.ts";
import { checkFunction, refuseMore } from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { evaluate } from "./grad.ts";
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
      const { leaves } = flattenTree("hvp", evaluate("hvp", f, {}, [point]).gradient);
      const terms = leaves.map((leaf, i) => sum(mul(leaf, directions[i]!)));
      return terms.length === 0 ? zeros([]) : terms.reduce((a, b) => add(a, b));
    };
    return evaluate("hvp", slope, {}, [x]).gradient as TensorTree<T>;
  };
}

/** The derivatives of every entry of an output by every entry of an argument. */
export type JacobianOf<R, T> = R extends Tensor ? TensorTree<T>
  : R extends object ? { [K in keyof R]: JacobianOf<R[K], T> }
  : never;

/**
 * The Jacobian: the derivative of every entry of the output by every entry of the argument. All
 * rows are pulled back at once, as by {@linkcode vmap}, or in parts where they would take much memory.
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
    const found = linearize(caller, f as (x: never) => unknown, [x]);
    const { outputs } = found;
    const blocks = outputs.leaves.map((output, k) => {
      const rows = pullRows(caller, found, k);
      return rebuild(inputs.map((input, j) => {
        const shape = [...output.shape, ...input.shape];
        const parts = rows.map((part) => part[j]!);
        return parts.length === 0
          ? zeros(shape, { dtype: input.dtype })
          : reshape(concat(parts), shape);
      }));
    });
    return outputs.rebuild(blocks) as JacobianOf<R, T>;
  };
}

/** So many values at most does a tensor hold that stands for several rows of a Jacobian at once. */
const MOST_VALUES = 2 ** 22;

/** The gradients of every entry of an output, rows in front: in one pass, or in parts where that is large. */
function pullRows(caller: string, { outputs, pull, largest }: Linearized, k: number): Tensor[][] {
  const { size, dtype, shape } = outputs.leaves[k]!;
  const most = Math.max(1, Math.floor(MOST_VALUES / largest()));
  return Array.from({ length: Math.ceil(size / most) }, (_, part) => {
    const first = part * most;
    const count = Math.min(most, size - first);
    const data = allocate(dtype, count * size);
    for (let row = 0; row < count; row++) data[row * size + first + row] = 1;
    const basis = fromData(data, [count, ...shape], dtype);
    const others = outputs.leaves.map((y) => zeros(y.shape, { dtype: y.dtype }));
    const pulled = new BatchTrace(caller, count, batchRule).run(
      [basis],
      [true],
      ([g]) => flattenTree(caller, pull(others.with(k, g!))[0]).leaves,
    );
    return pulled.map((y) => rowsOf(y, count));
  });
}

/**
 * The Hessian: second derivatives by every pair of entries of the argument. All rows are pulled back
 * at once, as those of {@linkcode jacobian}.
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
  return jacobianOf("hessian", (x: T) => evaluate("hessian", f, {}, [x]).gradient) as never;
}
