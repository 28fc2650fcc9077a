/**
 * What an operation is: one record that says how shapes meet, how values are computed, and how
 * gradients flow back. Everything else in the engine walks over these records.
 *
 * @module
 */
import type { DType, TypedArray } from "./dtype.ts";
import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Shape and element type of a result. */
export interface Spec {
  /** The extents. */
  shape: Shape;
  /** The element type. */
  dtype: DType;
}

/**
 * The gradient rule: from the output's cotangent `g`, the output and the inputs to one cotangent
 * per input, made of operations, so that it can itself be differentiated. It may leave out inputs
 * that are not `wanted`, and gives `null` for a gradient of zero. Cotangents may have the output's
 * shape where an input was broadcast: the tape sums them.
 */
export type Vjp<P> = (
  g: Tensor,
  output: Tensor,
  inputs: readonly Tensor[],
  params: P,
  wanted: readonly boolean[],
) => readonly (Tensor | null)[];

/** The cotangent of one input; `index` tells which where one rule serves several. */
export type InputRule<P> = (
  g: Tensor,
  output: Tensor,
  inputs: readonly Tensor[],
  params: P,
  index: number,
) => Tensor | null;

/** Values that are not allowed. */
export type Forbidden =
  /** Below the one limit or above the other; NaN only where it says so, and not the exception. */
  | { kind: "outside"; low: number; high: number; except?: number | undefined; nan?: true }
  /** No whole number that `int32` holds. */
  | { kind: "fraction" }
  /** Neither 0 nor 1. */
  | { kind: "untrue" }
  /** All of them 0. */
  | { kind: "nothing" };

/** Which values an operation refuses when they arrive, whatever runs it. */
export interface Refusal {
  /** The input that it looks at, and one of the same shape that is not 0 where that counts. */
  readonly inputs: readonly [number, number?];
  /** An input that is not 0 where there is something to find; without it, one must look. */
  readonly flag?: number;
  /** What must not be there. */
  readonly forbidden: Forbidden;
  /** Throws where the inputs that it looks at hold what is refused. */
  readonly verify: (...values: Tensor[]) => void;
}

/** An operation that the engine computes itself, on typed arrays. */
export interface Primitive<P> {
  /** The function's name, as messages show it. */
  readonly name: string;
  /** Shape and type of the result; throws where the inputs do not fit. */
  readonly infer: (inputs: readonly Tensor[], params: P) => Spec;
  /** The values: in a fresh array, or in an input's own where they are the same. */
  readonly forward: (inputs: readonly Tensor[], params: P, spec: Spec) => TypedArray;
  /** The gradient rule; `null` where the result is an integer, or piecewise constant. */
  readonly vjp: Vjp<P> | null;
  /** Elementwise operations: the value in terms of the inputs `a`, `b`, `c` and the parameters. */
  readonly expression?: string;
  /** Done even where nothing needs the result: it throws where values are not allowed. */
  readonly isCheck?: true;
  /** What it refuses, given its inputs and output; `undefined` where nothing can be wrong. */
  readonly refuses?: (
    inputs: readonly Spec[],
    params: P,
    output: Spec,
  ) => Refusal | undefined;
}

/** An operation with a gradient rule of its own whose values are computed by other operations. */
export interface Composite<P> {
  /** The function's name, as messages show it. */
  readonly name: string;
  /** The result, made of operations on the inputs and of nothing else that is differentiated. */
  readonly compose: (inputs: readonly Tensor[], params: P) => Tensor;
  /** The gradient rule. */
  readonly vjp: Vjp<P>;
  /** Where it does the same to one block of rows after the other: what, so that a program can loop. */
  readonly blocks?: RowBlocks;
}

/** A function of a block of rows and of what all blocks share. Its operation's output is packed. */
export interface RowBlocks {
  /** The results of the block that begins at the row `offset`; called from the first block on. */
  readonly f: (block: Tensor[], shared: Tensor[], offset: number) => Tensor[];
  /** How the results of all blocks become one: one behind the other along axis 0, or added up. */
  readonly combine: readonly ("concat" | "sum")[];
  /** How many of the operation's inputs are cut into blocks along axis 0; the others are shared. */
  readonly rowInputs: number;
  /** How many rows a block has; the last one may have fewer. */
  readonly height: number;
}

/** An operation. */
export type Op<P> = Primitive<P> | Composite<P>;

/** A gradient rule put together from one rule per input; the last one serves all further inputs. */
export function perInput<P>(...rules: InputRule<P>[]): Vjp<P> {
  return (g, output, inputs, params, wanted) =>
    inputs.map((_, i) =>
      wanted[i] ? rules[Math.min(i, rules.length - 1)]!(g, output, inputs, params, i) : null
    );
}
