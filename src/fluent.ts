// deno-lint-ignore-file no-unused-vars -- Methods pass on their arguments, too many included.
/**
 * The methods of tensors: every one is the function of the same name, which documents it.
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import { call, FluentElementwise, ops } from "./fluent_elementwise.ts";
import type {
  ArgReduceOptions,
  AxisOptions,
  ContractedAxes,
  CosineSimilarityOptions,
  CumulativeOptions,
  FlipOptions,
  GatherOptions,
  JoinOptions,
  L2NormalizeOptions,
  LayerNormOptions,
  PadOptions,
  PairwiseDistanceOptions,
  ReduceOptions,
  RepeatOptions,
  RollOptions,
  SliceOptions,
  SoftmaxOptions,
  SortOptions,
  TopK,
  TopKOptions,
  TriangleOptions,
  VarianceOptions,
} from "./ops/mod.ts";
import { checkArray } from "./options.ts";
import type { Shape } from "./shape.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/** The same for functions of an array of tensors. */
function callJoined(name: "concat" | "stack", x: Tensor, args: ArrayLike<unknown>): Tensor {
  const [others, ...rest] = Array.from(args);
  checkArray(name, "others", others);
  return ops[name]([x, ...others as TensorLike[]], ...rest as []);
}

/** The methods of {@linkcode Tensor}; see the functions of the same names. */
export abstract class Fluent extends FluentElementwise {
  /** Sum over axes. */
  sum(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.sum, this, arguments);
  }

  /** Mean over axes. */
  mean(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.mean, this, arguments);
  }

  /** Largest value over axes. */
  max(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.max, this, arguments);
  }

  /** Smallest value over axes. */
  min(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.min, this, arguments);
  }

  /** Variance over axes. */
  variance(this: Tensor, options?: VarianceOptions): Tensor {
    return call(ops.variance, this, arguments);
  }

  /** Standard deviation over axes. */
  std(this: Tensor, options?: VarianceOptions): Tensor {
    return call(ops.std, this, arguments);
  }

  /** Product over axes. */
  prod(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.prod, this, arguments);
  }

  /** Whether any value over axes is not 0. */
  any(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.any, this, arguments);
  }

  /** Whether all values over axes are not 0. */
  all(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.all, this, arguments);
  }

  /** Middle value over axes. */
  median(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.median, this, arguments);
  }

  /** Quantiles over axes. */
  quantile(this: Tensor, q: number | readonly number[], options?: ReduceOptions): Tensor {
    return call(ops.quantile, this, arguments);
  }

  /** Running sum along an axis. */
  cumsum(this: Tensor, options?: CumulativeOptions): Tensor {
    return call(ops.cumsum, this, arguments);
  }

  /** Running product along an axis. */
  cumprod(this: Tensor, options?: CumulativeOptions): Tensor {
    return call(ops.cumprod, this, arguments);
  }

  /** Largest value so far along an axis. */
  cumMax(this: Tensor, options?: CumulativeOptions): Tensor {
    return call(ops.cumMax, this, arguments);
  }

  /** `log Σ e^x` so far along an axis. */
  cumLogSumExp(this: Tensor, options?: CumulativeOptions): Tensor {
    return call(ops.cumLogSumExp, this, arguments);
  }

  /** Euclidean length over axes. */
  norm(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.norm, this, arguments);
  }

  /** Position of the largest value. */
  argMax(this: Tensor, options?: ArgReduceOptions): Tensor {
    return call(ops.argMax, this, arguments);
  }

  /** Position of the smallest value. */
  argMin(this: Tensor, options?: ArgReduceOptions): Tensor {
    return call(ops.argMin, this, arguments);
  }

  /** `log Σ e^x` over axes. */
  logSumExp(this: Tensor, options?: ReduceOptions): Tensor {
    return call(ops.logSumExp, this, arguments);
  }

  /** Probabilities from logits. */
  softmax(this: Tensor, options?: SoftmaxOptions): Tensor {
    return call(ops.softmax, this, arguments);
  }

  /** Logarithms of the probabilities. */
  logSoftmax(this: Tensor, options?: SoftmaxOptions): Tensor {
    return call(ops.logSoftmax, this, arguments);
  }

  /** Vectors divided by their length. */
  l2Normalize(this: Tensor, options?: L2NormalizeOptions): Tensor {
    return call(ops.l2Normalize, this, arguments);
  }

  /** Mean 0 and variance 1 over an axis. */
  layerNorm(this: Tensor, options?: LayerNormOptions): Tensor {
    return call(ops.layerNorm, this, arguments);
  }

  /** The values in another element type. */
  cast(this: Tensor, dtype: DType): Tensor {
    return call(ops.cast, this, arguments);
  }

  /** The values in another shape. */
  reshape(this: Tensor, ...shape: [shape: Shape] | number[]): Tensor {
    return call(ops.reshape, this, arguments);
  }

  /** The axes in another order. */
  transpose(this: Tensor, ...axes: [axes?: readonly number[]] | number[]): Tensor {
    return call(ops.transpose, this, arguments);
  }

  /** New axes of extent 1. */
  expandDims(this: Tensor, axis: number | readonly number[]): Tensor {
    return call(ops.expandDims, this, arguments);
  }

  /** Without axes of extent 1. */
  squeeze(this: Tensor, axis?: number | readonly number[]): Tensor {
    return call(ops.squeeze, this, arguments);
  }

  /** The values repeated to a larger shape. */
  broadcastTo(this: Tensor, ...shape: [shape: Shape] | number[]): Tensor {
    return call(ops.broadcastTo, this, arguments);
  }

  /** This and others, one behind the other. */
  concat(this: Tensor, others: readonly TensorLike[], options?: JoinOptions): Tensor {
    return callJoined("concat", this, arguments);
  }

  /** This and others along a new axis. */
  stack(this: Tensor, others: readonly TensorLike[], options?: JoinOptions): Tensor {
    return callJoined("stack", this, arguments);
  }

  /** A block of the tensor. */
  slice(
    this: Tensor,
    start: number | readonly number[],
    end?: number | readonly number[],
    options?: SliceOptions,
  ): Tensor {
    return call(ops.slice, this, arguments);
  }

  /**
   * The part at positions along the first axes: whole numbers, negative ones from the end. `x.at(i)`
   * is a row of a matrix, `x.at(i, j)` one of its values, of rank 0.
   */
  at(this: Tensor, ...positions: number[]): Tensor {
    return ops.at(this, ...positions);
  }

  /** The tensor in parts. */
  split(this: Tensor, parts: number | readonly number[], options?: JoinOptions): Tensor[] {
    return call(ops.split, this, arguments);
  }

  /** All values in one axis. */
  flatten(this: Tensor): Tensor {
    return call(ops.flatten, this, arguments);
  }

  /** One axis in another place. */
  moveAxis(this: Tensor, from: number, to: number): Tensor {
    return call(ops.moveAxis, this, arguments);
  }

  /** With more around it. */
  pad(
    this: Tensor,
    widths: readonly (readonly [before: number, after: number])[],
    options?: PadOptions,
  ): Tensor {
    return call(ops.pad, this, arguments);
  }

  /** In reverse order along axes. */
  flip(this: Tensor, options?: FlipOptions): Tensor {
    return call(ops.flip, this, arguments);
  }

  /** Moved along an axis, around its end. */
  roll(this: Tensor, shift: number, options?: RollOptions): Tensor {
    return call(ops.roll, this, arguments);
  }

  /** Several times over, as tiles are laid. */
  tile(this: Tensor, repeats: number | readonly number[]): Tensor {
    return call(ops.tile, this, arguments);
  }

  /** Every value several times. */
  repeat(this: Tensor, n: number, options?: RepeatOptions): Tensor {
    return call(ops.repeat, this, arguments);
  }

  /** The diagonal, or a matrix with this one. */
  diag(this: Tensor): Tensor {
    return call(ops.diag, this, arguments);
  }

  /** The lower triangle. */
  tril(this: Tensor, options?: TriangleOptions): Tensor {
    return call(ops.tril, this, arguments);
  }

  /** The upper triangle. */
  triu(this: Tensor, options?: TriangleOptions): Tensor {
    return call(ops.triu, this, arguments);
  }

  /** All products with the values of another. */
  outer(this: Tensor, other: TensorLike): Tensor {
    return call(ops.outer, this, arguments);
  }

  /** Slices by their positions, along an axis or several. */
  gather(
    this: Tensor,
    indices: TensorLike | readonly TensorLike[],
    options?: GatherOptions,
  ): Tensor {
    return call(ops.gather, this, arguments);
  }

  /** With slices added at positions. */
  scatterAdd(
    this: Tensor,
    indices: TensorLike,
    updates: TensorLike,
    options?: AxisOptions,
  ): Tensor {
    return call(ops.scatterAdd, this, arguments);
  }

  /** With slices replaced at positions. */
  scatterSet(this: Tensor, indices: TensorLike, values: TensorLike, options?: AxisOptions): Tensor {
    return call(ops.scatterSet, this, arguments);
  }

  /** Sums of slices by segment. */
  segmentSum(this: Tensor, segments: TensorLike, count: number): Tensor {
    return call(ops.segmentSum, this, arguments);
  }

  /** The largest values of segments. */
  segmentMax(this: Tensor, segments: TensorLike, count: number): Tensor {
    return call(ops.segmentMax, this, arguments);
  }

  /** One value per position along an axis. */
  takeAlongAxis(this: Tensor, indices: TensorLike, options?: AxisOptions): Tensor {
    return call(ops.takeAlongAxis, this, arguments);
  }

  /** The k largest values and their positions. */
  topK(this: Tensor, k: number, options?: TopKOptions): TopK {
    return call(ops.topK, this, arguments);
  }

  /** The positions that would sort an axis. */
  argSort(this: Tensor, options?: SortOptions): Tensor {
    return call(ops.argSort, this, arguments);
  }

  /** The values in order. */
  sort(this: Tensor, options?: SortOptions): Tensor {
    return call(ops.sort, this, arguments);
  }

  /** Matrix product. */
  matmul(this: Tensor, other: TensorLike): Tensor {
    return call(ops.matmul, this, arguments);
  }

  /** Sums of products over the last axis, and one of the other. */
  dot(this: Tensor, other: TensorLike): Tensor {
    return call(ops.dot, this, arguments);
  }

  /** Sums of products over some axes of both. */
  tensordot(this: Tensor, other: TensorLike, axes: ContractedAxes): Tensor {
    return call(ops.tensordot, this, arguments);
  }

  /** Squared distances between all pairs of rows. */
  pairwiseSquaredDistance(this: Tensor, other?: TensorLike): Tensor {
    return call(ops.pairwiseSquaredDistance, this, arguments);
  }

  /** Distances between all pairs of rows. */
  pairwiseDistance(this: Tensor, other?: TensorLike, options?: PairwiseDistanceOptions): Tensor {
    return call(ops.pairwiseDistance, this, arguments);
  }

  /** Cosines between all pairs of rows. */
  cosineSimilarity(this: Tensor, other?: TensorLike, options?: CosineSimilarityOptions): Tensor {
    return call(ops.cosineSimilarity, this, arguments);
  }
}
