/**
 * How outputs move when arguments move: Jacobian-vector products, made of two pullbacks.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { describe } from "../describe.ts";
import { checkFunction, refuseMore } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { TensorTree } from "../tree.ts";
import {
  type LikeArguments,
  likeLeaves,
  linearize as pullable,
  requireFloating,
} from "./linearize.ts";

/** A function's output, and how it moves along directions. */
interface Pushed {
  output: unknown;
  push: (tangents: readonly unknown[], nameOf: (argument: number) => string) => unknown;
}

/** The pullback is linear in its cotangents: its own pullback pushes forward, wherever they are. */
function pushable(
  caller: string,
  f: (...args: never[]) => unknown,
  primals: readonly unknown[],
): Pushed {
  const first = pullable(caller, f, primals);
  requireFloating(caller, "the function's result", first.outputs);
  const zero = first.outputs.leaves.map((y) => zeros(y.shape, { dtype: y.dtype }));
  const second = pullable(caller, (...cotangents: Tensor[]) => first.pull(cotangents), zero);
  return {
    output: first.output,
    push(tangents, nameOf) {
      const directions = first.inputs.flatMap((flat, i) =>
        likeLeaves(caller, nameOf(i), tangents[i], flat)
      );
      return first.outputs.rebuild(second.pull(directions));
    },
  };
}

/**
 * The output of a function, and the Jacobian-vector product: how the output moves when the
 * arguments move along tangents. Made of two pullbacks, so any order works.
 *
 * @param f The function; it takes and returns tensors, or arrays and plain objects of them.
 * @param primals The arguments, in an array.
 * @param tangents Their directions, trees like the arguments.
 * @returns `[output, tangent]`.
 * @throws {TypeError} If an argument or the output is not floating, or a tangent has not the shape
 * of its argument.
 *
 * @example The derivative along a direction
 * ```ts
 * import { jvp, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [y, dy] = jvp((x: Tensor) => x.square(), [[1, 2]], [[1, 0]]);
 * assertEquals(y.toArray(), [1, 4]);
 * assertEquals(dy.toArray(), [2, 0]);
 * ```
 */
export function jvp<Args extends unknown[], R>(
  f: (...args: Args) => R,
  primals: LikeArguments<Args>,
  tangents: LikeArguments<Args>,
): [TensorTree<R>, TensorTree<R>] {
  checkFunction("jvp", "f", f);
  if (arguments.length > 3) refuseMore("jvp", "tangents", 3, arguments);
  checkArgumentList("jvp", "primals", primals);
  checkArgumentList("jvp", "tangents", tangents, primals.length);
  const { output, push } = pushable("jvp", f, primals as unknown[]);
  const tangent = push(tangents as unknown[], (i) => `tangents[${i}]`);
  return [output as TensorTree<R>, tangent as TensorTree<R>];
}

/**
 * The output of a function, and its derivative at that point as a function of directions. As
 * {@linkcode jvp}, but `f` is run once, however many directions follow.
 *
 * @param f The function; it takes and returns tensors, or arrays and plain objects of them.
 * @param primals The arguments; all are differentiated by.
 * @returns `[output, push]`; `push` takes a tangent for each argument, a tree like it, and returns
 * the tangent of the output. It can be called many times, and under `vmap`.
 * @throws {TypeError} If an argument or the output is not floating, or, when `push` is called, if
 * there are more or fewer tangents than arguments, or one has not the shape of its argument.
 *
 * @example Two columns of a Jacobian
 * ```ts
 * import { linearize, mul, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [y, push] = linearize((a: Tensor, b: Tensor) => mul(a, b), [2, 3], [5, 7]);
 * assertEquals(y.toArray(), [10, 21]);
 * assertEquals(push([1, 0], [0, 0]).toArray(), [5, 0]);
 * assertEquals(push([0, 0], [0, 1]).toArray(), [0, 3]);
 * ```
 */
export function linearize<Args extends unknown[], R>(
  f: (...args: Args) => R,
  ...primals: LikeArguments<Args>
): [TensorTree<R>, (...tangents: LikeArguments<Args>) => TensorTree<R>] {
  checkFunction("linearize", "f", f);
  const { output, push } = pushable("linearize", f, primals as unknown[]);
  const pushAll = (...tangents: LikeArguments<Args>) => {
    if (tangents.length > primals.length) {
      refuseMore("linearize", "the last tangent", primals.length, tangents);
    }
    checkArgumentList("linearize", "the tangents", tangents, primals.length);
    return push(tangents, (i) => `tangent ${i}`) as TensorTree<R>;
  };
  return [output as TensorTree<R>, pushAll];
}

function checkArgumentList(caller: string, name: string, list: unknown, count?: number): void {
  if (
    Array.isArray(list) && !list.includes(undefined) &&
    (count === undefined || list.length === count)
  ) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${name} must be an array of ` +
      (count === undefined ? `f's arguments` : `one direction per argument, ${count} in all`) +
      `: current value is ${describe(list)}`,
  );
}
