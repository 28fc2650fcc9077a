/**
 * Operations that leave values as they are and change what happens to gradients.
 *
 * @module
 */
import { type Composite, type MapOp, type OpaqueOp, perInput } from "../op.ts";
import { checkFunction, checkLimits, checkOptions, checkText, refuseMore } from "../options.ts";
import { asOperand, asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { apply, countNaN } from "../trace.ts";
import { clip, mul } from "./arithmetic.ts";
import { CUSTOM, DEBUG, REVERSAL } from "./checks.ts";
import { floating } from "./elementwise.ts";

function identity<P>(
  name: string,
  rule: ((g: Tensor, params: P) => Tensor) | null,
): MapOp<P> {
  return {
    kind: "map",
    name,
    expression: "a",
    infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
    forward: ([x]) => x!.data,
    vjp: rule && perInput((g, _y, _x, params) => rule(g, params)),
  };
}

/** The value as a constant. */
export const stopGradientOp: MapOp<null> = identity<null>("stopGradient", null);

/** The value; the gradient times a negative factor. */
export const gradientReversalOp: MapOp<number> = identity<number>(
  "gradientReversal",
  (g, scale) => mul(g, -scale),
);

/** The value; the gradient between limits. */
export const clipGradientOp: MapOp<readonly [number, number]> = identity<
  readonly [number, number]
>("clipGradient", (g, [min, max]) => clip(g, min, max));

/** The value; the gradient shown to a function. */
export const debugGradientOp: MapOp<(gradient: Tensor) => void> = identity<
  (gradient: Tensor) => void
>("debugGradient", (g, report) => apply(seenGradientOp, [g], report));

/** A gradient as it is, when a function has seen it: on the host, in programs and row by row too. */
const seenGradientOp: OpaqueOp<(gradient: Tensor) => void> = {
  kind: "opaque",
  name: "debugGradient",
  infer: ([g]) => ({ shape: g!.shape, dtype: g!.dtype }),
  forward([g], report) {
    const { shape, dtype, data } = g!;
    report(fromData(data.slice(), shape, dtype));
    return data;
  },
  vjp: perInput((g) => g),
};

/**
 * The value as a constant: no gradient passes.
 *
 * @param x Any shape.
 * @returns The same values.
 *
 * @example A target that is not trained
 * ```ts
 * import { grad, stopGradient, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(grad((x: Tensor) => x.mul(stopGradient(x)))(3).item(), 3);
 * ```
 */
export function stopGradient(x: TensorLike): Tensor {
  if (arguments.length > 1) refuseMore("stopGradient", "x", 1, arguments);
  return apply(stopGradientOp, [asOperand("stopGradient", x)], null);
}

/** Options of {@linkcode gradientReversal}. */
export interface GradientReversalOptions {
  /** The factor λ; 1 by default, 0 lets nothing through. */
  scale?: number | undefined;
}

/**
 * The value; backwards, the gradient times −λ. What lies before it is trained against what lies
 * behind it (Ganin & Lempitsky 2015, arXiv:1409.7495).
 *
 * @param x Any shape.
 * @param options `scale`, λ, 1 by default.
 * @returns The same values.
 *
 * @example The gradient with its sign turned
 * ```ts
 * import { grad, gradientReversal, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(grad((x: Tensor) => gradientReversal(x, { scale: 2 }).mul(5))(1).item(), -10);
 * ```
 */
export function gradientReversal(x: TensorLike, options: GradientReversalOptions = {}): Tensor {
  if (arguments.length > 1) checkOptions("gradientReversal", REVERSAL, 1, arguments);
  const operand = floating(asOperand("gradientReversal", x));
  return apply(gradientReversalOp, [operand], options.scale ?? 1);
}

/**
 * The value; backwards, each entry of the gradient is limited to an interval.
 *
 * @param x Any shape.
 * @param min The lower limit.
 * @param max The upper limit.
 * @returns The same values.
 * @throws {RangeError} If `min` is greater than `max`.
 *
 * @example A steep slope tamed
 * ```ts
 * import { clipGradient, grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(grad((x: Tensor) => clipGradient(x, -1, 1).mul(100))(2).item(), 1);
 * ```
 */
export function clipGradient(x: TensorLike, min: number, max: number): Tensor {
  if (arguments.length > 3) refuseMore("clipGradient", "max", 3, arguments);
  checkLimits("clipGradient", min, max);
  return apply(clipGradientOp, [floating(asOperand("clipGradient", x))], [min, max] as const);
}

/** Options of {@linkcode debugGradient}. */
export interface DebugGradientOptions {
  /** Called with each gradient that comes by; by default, a NaN or infinite one throws. */
  report?: ((gradient: Tensor, name: string) => void) | undefined;
}

/**
 * The value; backwards, a look at the gradient. By default it throws where the gradient is not
 * finite: put it between layers to find the one that breaks.
 *
 * @param x Any shape.
 * @param name What the message calls the place.
 * @param options `report`, to see each gradient instead: of each row where it flows within `vmap`,
 * `jacobian` or `hessian`, and of each run of a program on the CPU.
 * @returns The same values.
 * @throws {RangeError} On the way back, if the gradient holds NaN or infinite values.
 *
 * @example Seeing a gradient pass
 * ```ts
 * import { debugGradient, grad, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * const report = (gradient: Tensor) => seen.push(gradient.item());
 * grad((x: Tensor) => debugGradient(x, "input", { report }).mul(7))(1);
 * assertEquals(seen, [7]);
 * ```
 */
export function debugGradient(
  x: TensorLike,
  name: string,
  options: DebugGradientOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("debugGradient", DEBUG, 2, arguments);
  checkText("debugGradient", "name", name);
  const { report } = options;
  const look = report === undefined
    ? (g: Tensor) => requireFinite(g, name)
    : (g: Tensor) => report(g, name);
  return apply(debugGradientOp, [floating(asOperand("debugGradient", x))], look);
}

function requireFinite(g: Tensor, name: string): void {
  const nan = countNaN(g);
  let infinite = 0;
  for (const value of g.data) if (Math.abs(value) === Infinity) infinite++;
  if (nan + infinite === 0) return;
  throw new RangeError(
    `Cannot continue the backward pass as the gradient at "${name}" must be finite: ` +
      `${nan} NaN and ${infinite} infinite of ${g.size} values`,
  );
}

/** What {@linkcode customVjp} is made of. */
export interface CustomVjp {
  /** The function, made of operations. */
  forward: (...inputs: Tensor[]) => Tensor;
  /**
   * The gradient rule, made of operations: one cotangent per input, `null` for none. `g` has the
   * shape of the output, each cotangent that of its input.
   */
  vjp: (g: Tensor, output: Tensor, inputs: readonly Tensor[]) => readonly (TensorLike | null)[];
  /** The name in messages; `"customVjp"` by default. */
  name?: string | undefined;
}

/**
 * A function with a gradient rule of your own, where the derived one is unstable, slow or not what
 * is wanted. It is differentiated as often as you like: higher orders differentiate the rule.
 *
 * @param definition `forward` and `vjp`.
 * @returns The function. What it differentiates must come in through its arguments.
 * @throws {TypeError} When called, if `forward` uses a tensor under differentiation or vmap that is
 * not among its arguments; on the way back, if there is not one cotangent per input, of its shape.
 *
 * @example A straight-through estimator
 * ```ts
 * import { customVjp, grad, sign, type Tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const binarize = customVjp({ forward: (x) => sign(x), vjp: (g) => [g] });
 * assertEquals(grad((x: Tensor) => binarize(x).mul(3))(0.2).item(), 3);
 * ```
 */
export function customVjp(definition: CustomVjp): (...inputs: TensorLike[]) => Tensor {
  checkOptions("customVjp", CUSTOM, 0, arguments);
  checkFunction("customVjp", "forward", definition?.forward);
  checkFunction("customVjp", "vjp", definition.vjp);
  const { forward, vjp, name = "customVjp" } = definition;
  const op: Composite<null> = {
    name,
    compose: (inputs) => forward(...inputs),
    vjp(g, output, inputs) {
      const cotangents = vjp(g, output, inputs);
      if (cotangents.length !== inputs.length) {
        throw new TypeError(
          `Cannot use the gradient rule of ${name} as it must give one cotangent per input: ` +
            `current numbers are ${cotangents.length} and ${inputs.length}`,
        );
      }
      return cotangents.map((cotangent, i) =>
        cotangent === null ? null : asTensor(cotangent, inputs[i]!.dtype)
      );
    },
  };
  return (...inputs) =>
    apply(op, inputs.map((x, i) => asOperand("customVjp", x, `argument ${i}`)), null);
}
