/**
 * Transforms: functions in, derivatives out.
 *
 * @module
 */
import { pullBack, seed } from "./backward.ts";
import { describe } from "../describe.ts";
import { isFloating } from "../dtype.ts";
import { type LikeArguments, likeLeaves, linearize, requireFloating, run } from "./linearize.ts";
import {
  checkBoolean,
  checkFunction,
  checkOptions,
  type Checks,
  checkWholes,
  refuseMore,
} from "../options.ts";
import { formatShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { flattenTree, type LikeTree, mapTensors, rebuildAll, type TensorTree } from "../tree.ts";

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

const GRAD: Checks<GradOptions> = {
  argnums: checkWholes,
  hasAux: checkBoolean,
  checkNaN: checkBoolean,
};

/** The gradient by the chosen arguments: trees of tensors like them. */
export type GradientOf<Args extends readonly unknown[], N extends Argnums> = N extends
  readonly number[] ? { -readonly [I in keyof N]: TensorTree<Args[N[I] & keyof Args]> }
  : TensorTree<Args[N & keyof Args]>;

/** The same for the arguments that are differentiated by; the others are passed on as they are. */
export type GradArguments<Args extends readonly unknown[], N extends Argnums> = {
  [I in keyof Args]: I extends `${N extends readonly number[] ? N[number] : N & number}`
    ? LikeTree<Args[I]>
    : Args[I];
};

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
        `current value is ${describe(at)}`,
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

/** The value of a function and its gradient, and what else it returns. Internal. */
export function evaluate(
  caller: string,
  f: (...args: never[]) => unknown,
  options: GradOptions,
  args: unknown[],
): { value: Tensor; aux: unknown; gradient: unknown } {
  const { argnums = 0, hasAux = false, checkNaN = false } = options;
  const positions = selectArguments(caller, argnums, args.length);
  const flats = positions.map((at) => flattenTree(caller, args[at], `argument ${at}`));
  const leaves = flats.flatMap((flat) => flat.leaves);
  flats.forEach((flat, i) => requireFloating(caller, `argument ${positions[i]}`, flat));
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
    aux: mapTensors(caller, "aux", aux, (x) => tape.lower(x)),
    gradient: Array.isArray(argnums) ? gradients : gradients[0],
  };
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
  checkFunction("grad", "f", f);
  if (arguments.length > 1) checkOptions("grad", GRAD, 1, arguments);
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
  checkFunction("valueAndGrad", "f", f);
  if (arguments.length > 1) checkOptions("valueAndGrad", GRAD, 1, arguments);
  return (...args: unknown[]) => {
    const { value, aux, gradient } = evaluate("valueAndGrad", f, options, args);
    return [options.hasAux ? [value, aux] : value, gradient];
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
  checkFunction("vjp", "f", f);
  const { output, outputs, pull } = linearize("vjp", f, primals as unknown[]);
  const pullback = (cotangent: LikeTree<R>, ...rest: unknown[]) => {
    if (rest.length > 0) refuseMore("vjp", "the cotangent", 0, rest);
    return pull(likeLeaves("vjp", "the cotangent", cotangent, outputs));
  };
  return [output as TensorTree<R>, pullback as never];
}
