/**
 * Fixed points, differentiated by the implicit function theorem.
 *
 * @module
 */
import { isFloating } from "../dtype.ts";
import type { Composite } from "../op.ts";
import { abs, add, concat, div, greater, max, maximum, reshape, split, sub } from "../ops/mod.ts";
import { checkFunction, checkNumber, readOptions, refuseMore } from "../options.ts";
import { sizeOf } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { type Flat, flattenTree, type LikeTree, type TensorTree, type Tree } from "../tree.ts";
import { type Body, interpret, recordBody } from "./body.ts";
import { linearize, requireFloating } from "./linearize.ts";
import { carryLike } from "./carry.ts";
import { iterate } from "./loops.ts";

/** Options of {@linkcode fixedPoint}. */
export interface FixedPointOptions {
  /** The largest change of the last turn, relative to values beyond 1; `1e-6` by default. */
  tolerance?: number | undefined;
  /** The most turns, 100 by default. */
  max?: number | undefined;
}

const CALLER = "fixedPoint";

/**
 * The x with f(x) = x that one comes to from a start, by doing f again and again until nothing
 * changes by more than a tolerance. Gradients reach what `f` closes over by the implicit function
 * theorem: no turn is kept, and the way back is the fixed point of u = g + Jᵀu, found alike, to any
 * order. The start has no gradient.
 *
 * @param f Called once as `f(x)`; returns the next x, like the start in branches, shapes and types.
 * It must come closer to its fixed point with each turn; otherwise the gradient is refused, or NaN.
 * @param x0 The start: a floating tensor, or arrays and plain objects of them, of one type.
 * @param options `tolerance` and `max`.
 * @returns The fixed point; NaN or infinite where the turns lead there, which ends them.
 * @throws {TypeError} If x changes its branches, shapes or types, is not floating of one type, or
 * holds no values.
 * @throws {RangeError} If it still changes after `max` turns; in a program, the next read of a
 * result tells. If `tolerance` or `max` is out of range.
 *
 * @example The square root, and how it grows
 * ```ts
 * import { fixedPoint, grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const root = (a: Tensor) => fixedPoint((x: Tensor) => x.add(a.div(x)).div(2), 1);
 * assertAlmostEquals(grad(root)(4).item(), 1 / 4, 1e-6);
 * ```
 */
export function fixedPoint<T extends Tree>(
  f: (x: T) => NoInfer<T>,
  x0: T,
  options?: FixedPointOptions,
): T;
/** The same from what becomes tensors: `f` says what it takes. */
export function fixedPoint<T>(
  f: (x: T) => T,
  x0: LikeTree<NoInfer<T>>,
  options?: FixedPointOptions,
): TensorTree<T>;
export function fixedPoint<T>(
  f: (x: T) => T,
  x0: LikeTree<NoInfer<T>>,
  options: FixedPointOptions = {},
): TensorTree<T> {
  if (arguments.length > 3) refuseMore(CALLER, "options", 3, arguments);
  checkFunction(CALLER, "f", f);
  const { tolerance, max } = readOptions(CALLER, options, { tolerance: 1e-6, max: 100 });
  checkNumber(CALLER, "tolerance", tolerance, { min: 0 });
  checkNumber(CALLER, "max", max, { min: 1, integer: true });
  const start = flattenTree(CALLER, x0, "x0");
  checkStart(start);
  const first = pack(start.leaves);
  const { body, captured } = recordBody(CALLER, [first], ([x]) => {
    const next: unknown = f(start.rebuild(unpack(x!, start.leaves)) as T);
    return [pack(carryLike(CALLER, next, start))];
  });
  const found = apply(fixedPointOp, [first, ...captured], { body, tolerance, max });
  return start.rebuild(unpack(found, start.leaves)) as TensorTree<T>;
}

/** What is iterated: from x and what is captured to the next x. */
interface Iteration {
  readonly body: Body;
  readonly tolerance: number;
  readonly max: number;
}

/** The fixed point that one comes to from the first input; the others stay as they are. */
const fixedPointOp: Composite<Iteration> = {
  name: CALLER,
  compose([start, ...captured], { body, tolerance, max: most }) {
    const turn = ([x]: Tensor[]): [Tensor, Tensor] => {
      const [next] = interpret(body, [x!, ...captured]);
      const change = div(abs(sub(next!, x!)), maximum(abs(next!), 1));
      return [greater(max(change), tolerance), next!];
    };
    const end = { max: most, must: "x must not change by more than tolerance" };
    return iterate(CALLER, tensor(true), [start!], turn, end)[0]!;
  },
  vjp(g, x, [, ...captured], { body, tolerance, max: most }, [, ...wanted]) {
    const adjoint = recordBody(CALLER, [g, g, x, ...captured], ([u, given, point, ...rest]) => {
      const { pull } = linearize(CALLER, (y: Tensor) => interpret(body, [y, ...rest])[0]!, [point]);
      return [add(given!, pull([u!])[0] as Tensor)];
    });
    const u = apply(fixedPointOp, [g, g, x, ...captured], {
      body: adjoint.body,
      tolerance,
      max: most,
    });
    const isLive = (i: number) => wanted[i]! && isFloating(captured[i]!.dtype);
    const live = captured.filter((_, i) => isLive(i));
    const last = (...primals: Tensor[]) => {
      const all = captured.map((y, i) => isLive(i) ? primals.shift()! : y);
      return interpret(body, [x, ...all])[0]!;
    };
    const pulled = linearize(CALLER, last, live).pull([u]) as Tensor[];
    return [null, ...captured.map((_, i) => isLive(i) ? pulled.shift()! : null)];
  },
};

function checkStart(start: Flat): void {
  const { leaves } = start;
  requireFloating(CALLER, "x0", start);
  if (leaves.length > 0 && leaves.every(({ size }) => size === 0)) {
    throw new TypeError(`Cannot compute ${CALLER} as x0 must hold values: there are none`);
  }
  const types = new Set(leaves.map(({ dtype }) => dtype));
  if (types.size === 1) return;
  throw new TypeError(
    `Cannot compute ${CALLER} as x0 must hold tensors of one type: ` +
      (types.size === 0 ? `there is no tensor` : `current types are ${[...types].join(" and ")}`),
  );
}

/** Several tensors as one, as operations have one result. */
function pack(leaves: readonly Tensor[]): Tensor {
  return leaves.length === 1 ? leaves[0]! : concat(leaves.map((x) => reshape(x, [-1])));
}

function unpack(packed: Tensor, like: readonly Tensor[]): Tensor[] {
  if (like.length === 1) return [packed];
  const parts = split(packed, like.map(({ shape }) => sizeOf(shape)));
  return parts.map((part, i) => reshape(part, like[i]!.shape));
}
