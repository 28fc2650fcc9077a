/**
 * What an operation is: one record that says how shapes meet, how values are computed, and how
 * gradients flow back. Everything else in the engine walks over these records.
 *
 * @module
 */
import type { Combination } from "../kernels/cumulative/reference.ts";
import type { ViewCopy } from "../kernels/layout/reference.ts";
import type { ProductLayout } from "../kernels/matmul/reference.ts";
import type { SortOrder } from "../kernels/select/reference.ts";
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

/** What all operations have that the engine computes itself, on typed arrays. */
export interface Facts<P> {
  /** The function's name, as messages show it. */
  readonly name: string;
  /** Shape and type of the result; throws where the inputs do not fit. */
  readonly infer: (inputs: readonly Tensor[], params: P) => Spec;
  /** The values: in a fresh array, or in an input's own where they are the same. */
  readonly forward: (inputs: readonly Tensor[], params: P, spec: Spec) => TypedArray;
  /** The gradient rule; `null` where the result is an integer, or piecewise constant. */
  readonly vjp: Vjp<P> | null;
  /** What it refuses, given its inputs and output; `undefined` where nothing can be wrong. */
  readonly refuses?: (
    inputs: readonly Spec[],
    params: P,
    output: Spec,
  ) => Refusal | undefined;
}

/** A scalar function of the values at each position. */
export interface MapOp<P> extends Facts<P> {
  readonly kind: "map";
  /** The value in terms of the inputs `a`, `b`, `c` and the parameters `p`, `q`. */
  readonly expression: string;
}

/** Values in other places. */
export interface ViewOp<P> extends Facts<P> {
  readonly kind: "view";
  /** Where each input's values go; what no copy reaches is 0. */
  readonly copies: (inputs: readonly Shape[], params: P, output: Shape) => readonly ViewCopy[];
  /** The parameters of one view that does the same as two, one after the other. */
  readonly join?: (first: P, second: P) => unknown;
}

/** What the values along some axes amount to. */
export interface ReduceOp<P> extends Facts<P> {
  readonly kind: "reduce";
  /** Sums, means and norms add up in float64; NaN wins over any extreme. */
  readonly reduce: "sum" | "mean" | "norm" | "max" | "min";
  /** The axes, and what means and squared norms are divided by. */
  readonly over: (params: P) => { readonly axes: readonly number[]; readonly divisor?: number };
  /** Parameters that do the same to operands with one more axis, of `count` entries, in front. */
  readonly lift: (params: P, count: number) => unknown;
}

/** Sums of what pairs of rows and columns give. */
export interface ProductOp<P> extends Facts<P> {
  readonly kind: "product";
  /** `Σ a b` over the columns of the one and the rows of the other, or `Σ (a − b)²` over columns. */
  readonly term: "product" | "squaredDifference";
  /** Where the matrices of inputs of these shapes lie. */
  readonly layout: (inputs: readonly Shape[], params: P) => ProductLayout;
  /** Parameters for matrices that lie elsewhere; none where they cannot. */
  readonly placed?: (layout: ProductLayout) => unknown;
}

/** Values of the first input at the positions along an axis that the second one names. */
export interface LookupOp<P> extends Facts<P> {
  readonly kind: "lookup";
  /** Whether a position names a slice, or a single value. */
  readonly by: "slice" | "value";
  readonly axis: (params: P) => number;
  /** Parameters that do the same to operands with one more axis, of `count` entries, in front. */
  readonly lift: (params: P, count: number) => unknown;
}

/**
 * What values at the same position along an axis amount to: sums onto the first input by slices,
 * onto zeros by values; maxima of slices, the lowest number where there is none.
 */
export interface ScatterOp<P> extends Facts<P> {
  readonly kind: "scatter";
  readonly by: "slice" | "value";
  readonly reduce: "sum" | "max";
  readonly axis: (params: P) => number;
  /** Parameters that do the same to operands with one more axis, of `count` entries, in front. */
  readonly lift: (params: P, count: number) => unknown;
}

/** Positions along axes in the order of their values. */
export interface SortOp<P> extends Facts<P> {
  readonly kind: "sort";
  readonly order: (params: P) => Order;
  /** Parameters that do the same to operands with one more axis, of `count` entries, in front. */
  readonly lift: (params: P, count: number) => unknown;
}

/** Which positions sorting gives. */
export interface Order extends SortOrder {
  /** The axes, one but where only the first position is kept. */
  readonly axes: readonly number[];
}

/** What the values up to each place along an axis amount to. */
export interface CumulativeOp<P> extends Facts<P> {
  readonly kind: "cumulative";
  /** Runs in float64: sums, products, the largest so far (NaN wins), or `s = a s + b` of two inputs. */
  readonly combination: Combination;
  /** The axis, and whether it is walked from its end. */
  readonly along: (params: P) => { readonly axis: number; readonly reverse: boolean };
  /** Parameters that do the same to operands with one more axis, of `count` entries, in front. */
  readonly lift: (params: P, count: number) => unknown;
}

/**
 * The product of a sparse matrix, by the values, rows and columns of its entries, with a dense one.
 */
export interface SparseProductOp<P> extends Facts<P> {
  readonly kind: "sparseProduct";
}

/** Numbers drawn from a key, each by its position alone. */
export interface RandomOp<P> extends Facts<P> {
  readonly kind: "random";
  readonly draws:
    | ("foldIn" | "uniform" | "normal" | "gamma")
    | ("integers" | "bernoulli" | "poisson" | "categorical" | "permutation");
}

/** The input as it is, or in another type: done even where nothing needs the result, for it refuses. */
export interface CheckOp<P> extends Facts<P> {
  readonly kind: "check";
}

/** A body that is done turn after turn, or to one block of rows after the other. */
export interface LoopOp<P> extends Facts<P> {
  readonly kind: "loop";
  /** The value, and parameters that hold what the gradient rule needs besides. */
  readonly keep?: (inputs: readonly Tensor[], params: P) => { value: Tensor; params: P };
}

/** What only the host can do: devices know nothing of it. */
export interface OpaqueOp<P> extends Facts<P> {
  readonly kind: "opaque";
  /** Whether it does the same to all matrices in the last two axes; the axes before broadcast. */
  readonly batched?: true;
}

/** An operation that the engine computes itself: one of these kinds, and of no other. */
export type Primitive<P> =
  | (MapOp<P> | ViewOp<P> | ReduceOp<P> | ProductOp<P> | LookupOp<P> | ScatterOp<P>)
  | (SortOp<P> | CumulativeOp<P> | RandomOp<P> | CheckOp<P> | LoopOp<P> | OpaqueOp<P>)
  | SparseProductOp<P>;

/** An operation with a gradient rule of its own whose values are computed by other operations. */
export interface Composite<P> {
  /** The function's name, as messages show it. */
  readonly name: string;
  /** The result, made of operations on the inputs and of nothing else that is differentiated. */
  readonly compose: (inputs: readonly Tensor[], params: P) => Tensor;
  /** The gradient rule. */
  readonly vjp: Vjp<P>;
  /** The function of one block of rows, where it maps over blocks: programs make a loop of it. */
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
