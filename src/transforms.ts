/**
 * Transforms: functions in, derivatives out.
 *
 * @module
 */
import { pullBack, seed } from "./backward.ts";
import { zeros } from "./create.ts";
import { allocate, isFloating } from "./dtype.ts";
import type { Composite } from "./op.ts";
import { add, mul, reshape, stack, sum } from "./ops/mod.ts";
import { formatShape, sameShape } from "./shape.ts";
import { fromData, Tensor } from "./tensor.ts";
import { apply, Tape, type TapeOptions } from "./trace.ts";
import {
  type Flat,
  flattenTree,
  leavesLike,
  type LikeTree,
  mapTensors,
  type TensorTree,
} from "./tree.ts";

/** Which arguments are differentiated: a position, or several. */
export type Argnums = number | readonly number[];

/** Options of {@linkcode grad} and {@linkcode valueAndGrad}. */
export interface GradOptions<N extends Argnums = Argnums, A extends boolean = boolean> {
  /** The arguments to differentiate by, 0 by default; an array gives an array of gradients. */
  argnums?: N | undefined;
  /** Whether the function returns `[value, aux]`, aux being anything; `false` by default. */
  hasAux?: A | undefined;
  /** Throw where an operation or its gradient first makes a NaN, naming it; `false` by default. */
  checkNaN?: boolean | undefined;
}

/** The gradient by the chosen arguments: trees of tensors like them. */
export type GradientOf<Args extends readonly unknown[], N extends Argnums> = N extends
  readonly number[] ? { -readonly [I in keyof N]: TensorTree<Args[N[I] & keyof Args]> }
  : TensorTree<Args[N & keyof Args]>;

/** Arguments with anything that becomes a tensor wherever the function takes one. */
export type LikeArguments<Args extends readonly unknown[]> = {
  [I in keyof Args]: LikeTree<Args[I]>;
};

/** The same for the arguments that are differentiated by; the others are passed on as they are. */
export type GradArguments<Args extends readonly unknown[], N extends Argnums> = {
  [I in keyof Args]: I extends `${N extends readonly number[] ? N[number] : N & number}`
    ? LikeTree<Args[I]>
    : Args[I];
};

/** A function run under a tape. */
interface Run {
  tape: Tape;
  watched: Tensor[];
  result: unknown;
}

/** Runs `f` on leaves, which a new tape watches where they are floating. */
function run(
  caller: string,
  leaves: readonly Tensor[],
  f: (leaves: Tensor[]) => unknown,
  options: TapeOptions = {},
): Run {
  const tape = new Tape(caller, options);
  const watched = leaves.map((x) => isFloating(x.dtype) ? tape.watch(x) : x);
  try {
    return { tape, watched, result: f(watched) };
  } finally {
    tape.close();
  }
}

function requireFloating(caller: string, what: string, leaves: readonly Tensor[]): void {
  const found = leaves.find((x) => !isFloating(x.dtype));
  if (found === undefined) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${what} must be floating: current dtype is ${found.dtype}`,
  );
}

function requireScalar(caller: string, y: unknown): asserts y is Tensor {
  const problem = !(y instanceof Tensor)
    ? `current value is ${y instanceof Promise ? "a promise" : typeof y}`
    : y.size !== 1
    ? `current shape is ${formatShape(y.shape)}; reduce it by sum or mean, or use jacobian`
    : !isFloating(y.dtype)
    ? `current dtype is ${y.dtype}`
    : undefined;
  if (problem === undefined) return;
  throw new TypeError(
    `Cannot compute ${caller} as the function must return one floating number: ${problem}`,
  );
}

function selectArguments(caller: string, argnums: unknown, count: number): number[] {
  const positions: unknown[] = Array.isArray(argnums) ? argnums : [argnums];
  for (const at of positions) {
    if (Number.isInteger(at) && (at as number) >= 0 && (at as number) < count) continue;
    throw new RangeError(
      `Cannot compute ${caller} as argnums must name arguments from 0 to ${count - 1}: ` +
        `current value is ${String(at)}`,
    );
  }
  if (new Set(positions).size < positions.length) {
    throw new RangeError(
      `Cannot compute ${caller} as argnums names an argument twice: ` +
        `current value is [${positions.join(", ")}]`,
    );
  }
  return positions as number[];
}

function evaluate(
  caller: string,
  f: (...args: never[]) => unknown,
  options: GradOptions,
  args: unknown[],
): { value: Tensor; aux: unknown; gradient: unknown } {
  const { argnums = 0, hasAux = false, checkNaN = false } = options;
  const positions = selectArguments(caller, argnums, args.length);
  const flats = positions.map((at) => flattenTree(caller, args[at], `argument ${at}`));
  const leaves = flats.flatMap((flat) => flat.leaves);
  requireFloating(caller, "the arguments named by argnums", leaves);
  const { tape, watched, result } = run(caller, leaves, (inputs) => {
    const live = [...args];
    rebuildAll(flats, inputs).forEach((tree, i) => live[positions[i]!] = tree);
    return f(...live as never[]);
  }, { checkNaN });
  if (hasAux && !(Array.isArray(result) && result.length === 2)) {
    throw new TypeError(
      `Cannot compute ${caller} as the function must return [value, aux] with hasAux`,
    );
  }
  const [y, aux] = hasAux ? result as [unknown, unknown] : [result, undefined];
  requireScalar(caller, y);
  const gradients = rebuildAll(flats, pullBack(tape, [y], [seed(y)], watched));
  return {
    value: tape.lower(y),
    aux: mapTensors(aux, (x) => tape.lower(x)),
    gradient: Array.isArray(argnums) ? gradients : gradients[0],
  };
}

/** Leaves that follow one another, put into their trees. */
function rebuildAll(flats: readonly Flat[], leaves: readonly unknown[]): unknown[] {
  let at = 0;
  return flats.map((flat) => flat.rebuild(leaves.slice(at, at += flat.leaves.length)));
}

/**
 * The gradient of a function that returns one number.
 *
 * @param f The function; it takes tensors, or arrays and plain objects of them.
 * @param options `argnums`, by which arguments, 0 by default; `hasAux`, whether f returns
 * `[value, aux]`, `false` by default; `checkNaN`, `false` by default.
 * @returns A function of f's arguments that returns the gradient: a tree like the argument; with an
 * array of `argnums`, an array of them; with `hasAux`, `[gradient, aux]`.
 * @throws {TypeError} When called, if f does not return one floating number, an argument to
 * differentiate by is not floating, or a tensor has escaped from another transform.
 * @throws {RangeError} When called, if `argnums` names no argument, or with `checkNaN` on NaN.
 *
 * @example The slope of a parabola
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(grad((x: Tensor) => x.square().sum())([1, 2]).toArray(), [2, 4]);
 * ```
 */
export function grad<Args extends unknown[], R, const N extends Argnums = 0>(
  f: (...args: Args) => readonly [Tensor, R],
  options: GradOptions<N, true> & { hasAux: true },
): (...args: GradArguments<Args, N>) => [GradientOf<Args, N>, R];
/** The gradient of a function that returns one number, without anything else. */
export function grad<Args extends unknown[], const N extends Argnums = 0>(
  f: (...args: Args) => Tensor,
  options?: GradOptions<N, false>,
): (...args: GradArguments<Args, N>) => GradientOf<Args, N>;
export function grad(f: (...args: never[]) => unknown, options: GradOptions = {}): unknown {
  return (...args: unknown[]) => {
    const { aux, gradient } = evaluate("grad", f, options, args);
    return options.hasAux ? [gradient, aux] : gradient;
  };
}

/**
 * The value of a function that returns one number, and its gradient.
 *
 * @param f The function; it takes tensors, or arrays and plain objects of them.
 * @param options `argnums`, by which arguments, 0 by default; `hasAux`, whether f returns
 * `[value, aux]`, `false` by default; `checkNaN`, `false` by default.
 * @returns A function of f's arguments that returns `[value, gradient]`; with `hasAux`,
 * `[[value, aux], gradient]`.
 * @throws {TypeError} When called, if f does not return one floating number, an argument to
 * differentiate by is not floating, or a tensor has escaped from another transform.
 * @throws {RangeError} When called, if `argnums` names no argument, or with `checkNaN` on NaN.
 *
 * @example A parameter tree
 * ```ts
 * import { type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = (p: { w: Tensor; b: Tensor }, x: Tensor) => x.mul(p.w).add(p.b).sum();
 * const [value, gradient] = valueAndGrad(loss)({ w: tensor(2), b: tensor(1) }, tensor([1, 2, 3]));
 * assertEquals(value.item(), 15);
 * assertEquals([gradient.w.item(), gradient.b.item()], [6, 3]);
 * ```
 */
export function valueAndGrad<Args extends unknown[], R, const N extends Argnums = 0>(
  f: (...args: Args) => readonly [Tensor, R],
  options: GradOptions<N, true> & { hasAux: true },
): (...args: GradArguments<Args, N>) => [[Tensor, R], GradientOf<Args, N>];
/** The value of a function that returns one number, and its gradient, without anything else. */
export function valueAndGrad<Args extends unknown[], const N extends Argnums = 0>(
  f: (...args: Args) => Tensor,
  options?: GradOptions<N, false>,
): (...args: GradArguments<Args, N>) => [Tensor, GradientOf<Args, N>];
export function valueAndGrad(f: (...args: never[]) => unknown, options: GradOptions = {}): unknown {
  return (...args: unknown[]) => {
    const { value, aux, gradient } = evaluate("valueAndGrad", f, options, args);
    return [options.hasAux ? [value, aux] : value, gradient];
  };
}

/** The output of a function on trees, and how to pull cotangents of it back. */
interface Linearized {
  output: unknown;
  inputs: readonly Flat[];
  outputs: Flat;
  pull: (cotangents: readonly Tensor[]) => unknown[];
}

function linearize(
  caller: string,
  f: (...args: never[]) => unknown,
  primals: readonly unknown[],
): Linearized {
  const flats = primals.map((primal, i) => flattenTree(caller, primal, `argument ${i}`));
  const leaves = flats.flatMap((flat) => flat.leaves);
  requireFloating(caller, "the arguments", leaves);
  const { tape, watched, result } = run(
    caller,
    leaves,
    (inputs) => f(...rebuildAll(flats, inputs) as never[]),
  );
  const outputs = flattenTree(caller, result, "the function's result");
  const lowered = outputs.leaves.map((y) => tape.lower(y));
  return {
    output: outputs.rebuild(lowered),
    inputs: flats,
    outputs: { leaves: lowered, rebuild: outputs.rebuild },
    pull: (cotangents) => rebuildAll(flats, pullBack(tape, outputs.leaves, cotangents, watched)),
  };
}

/**
 * The output of a function, and the vector-Jacobian product: cotangents of the output pulled back
 * to the arguments.
 *
 * @param f The function; it takes and returns tensors, or arrays and plain objects of them.
 * @param primals The arguments; all are differentiated by.
 * @returns `[output, pullback]`; the pullback takes a tree like the output and returns an array of
 * one tree per argument. It can be called many times.
 * @throws {TypeError} If an argument is not floating, or, when the pullback is called, if the
 * cotangent has not the branches and shapes of the output.
 *
 * @example One row of a Jacobian
 * ```ts
 * import { type Tensor, vjp } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [y, pullback] = vjp((x: Tensor) => x.square(), [1, 2, 3]);
 * assertEquals(y.toArray(), [1, 4, 9]);
 * assertEquals(pullback([0, 1, 0])[0].toArray(), [0, 4, 0]);
 * ```
 */
export function vjp<Args extends unknown[], R>(
  f: (...args: Args) => R,
  ...primals: LikeArguments<Args>
): [TensorTree<R>, (cotangent: LikeTree<R>) => { [I in keyof Args]: TensorTree<Args[I]> }] {
  const { output, outputs, pull } = linearize("vjp", f, primals as unknown[]);
  const pullback = (cotangent: LikeTree<R>) =>
    pull(likeLeaves("vjp", "the cotangent", cotangent, outputs));
  return [output as TensorTree<R>, pullback as never];
}

/** The leaves of a tree that must be like another one, in its element types. */
function likeLeaves(caller: string, what: string, tree: unknown, like: Flat): Tensor[] {
  return leavesLike(caller, tree, like, what).map((leaf, i) => {
    const { shape, dtype } = like.leaves[i]!;
    if (sameShape(leaf.shape, shape)) return leaf.cast(dtype);
    throw new TypeError(
      `Cannot compute ${caller} as ${what} must have the shape ${formatShape(shape)}: ` +
        `current shape is ${formatShape(leaf.shape)}`,
    );
  });
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
  const first = linearize("jvp", f, primals as unknown[]);
  requireFloating("jvp", "the function's result", first.outputs.leaves);
  const zero = first.outputs.leaves.map((y) => zeros(y.shape, { dtype: y.dtype }));
  const second = linearize("jvp", (...cotangents: Tensor[]) => first.pull(cotangents), zero);
  const directions = first.inputs.flatMap((flat, i) =>
    likeLeaves("jvp", `tangents[${i}]`, (tangents as unknown[])[i], flat)
  );
  return [
    first.output as TensorTree<R>,
    first.outputs.rebuild(second.pull(directions)) as TensorTree<R>,
  ];
}

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
  return (x, v) => {
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
  return (x) => {
    const { leaves: inputs, rebuild } = flattenTree("jacobian", x, "argument 0");
    const { outputs, pull } = linearize("jacobian", f as (x: never) => unknown, [x]);
    const blocks = outputs.leaves.map((output, k) => {
      const rows = Array.from({ length: output.size }, (_, i) => {
        const cotangents = outputs.leaves.map((y, j) => basis(y, j === k ? i : -1));
        return flattenTree("jacobian", pull(cotangents)[0]).leaves;
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
  return jacobian((x: T) => grad(f)(x as never)) as never;
}

/**
 * The same function, whose intermediate results are not kept for the way back but computed again.
 * Trades time for memory; values and gradients stay the same, to any order.
 *
 * @param f A function that returns one tensor. What it differentiates must come in through its
 * arguments: tensors, or arrays and plain objects of them; other arguments are constants.
 * @returns A function of the same arguments.
 * @throws {TypeError} When called, if f uses a tensor under differentiation that is not among its
 * arguments.
 *
 * @example A layer that is not remembered
 * ```ts
 * import { checkpoint, grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = checkpoint((x: Tensor) => x.square().add(1));
 * assertEquals(grad((x: Tensor) => layer(x).sum())([1, 2]).toArray(), [2, 4]);
 * ```
 */
export function checkpoint<Args extends unknown[]>(
  f: (...args: Args) => Tensor,
): (...args: Args) => Tensor {
  return (...args) => {
    const inputs: Tensor[] = [];
    mapTensors(args, (x) => inputs.push(x));
    const compose = (live: readonly Tensor[]) => {
      let at = 0;
      return f(...mapTensors(args, () => live[at++]) as Args);
    };
    const op: Composite<null> = {
      name: "checkpoint",
      compose,
      vjp: (g, _y, live) => {
        const { tape, watched, result } = run("checkpoint", live, compose);
        const own = watched.filter((x) => x.trace === tape);
        const cotangents = pullBack(tape, [result as Tensor], [g], own);
        return watched.map((x) => x.trace === tape ? cotangents[own.indexOf(x)]! : null);
      },
    };
    return apply(op, inputs, null);
  };
}
