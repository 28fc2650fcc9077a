/**
 * The methods of tensors: every one is the function of the same name, which documents it.
 *
 * Operations depend on tensors and not the other way round, so the methods reach them through a
 * table that `ops/mod.ts` fills.
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import type * as Functions from "./ops/mod.ts";
import type {
  ArgReduceOptions,
  AxisOptions,
  CosineSimilarityOptions,
  JoinOptions,
  L2NormalizeOptions,
  LayerNormOptions,
  LeakyReluOptions,
  ReduceOptions,
  SoftmaxOptions,
  SortOptions,
  TopK,
  TopKOptions,
  VarianceOptions,
} from "./ops/mod.ts";
import type { Shape } from "./shape.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

let ops: typeof Functions;

/** Gives the methods their functions. Internal. */
export function bindFluent(functions: typeof Functions): void {
  ops = functions;
}

/** The methods of {@linkcode Tensor}; see the functions of the same names. */
export abstract class Fluent {
  /** `this + other`, element by element. */
  add(this: Tensor, other: TensorLike): Tensor {
    return ops.add(this, other);
  }

  /** `this − other`. */
  sub(this: Tensor, other: TensorLike): Tensor {
    return ops.sub(this, other);
  }

  /** `this · other`, element by element. */
  mul(this: Tensor, other: TensorLike): Tensor {
    return ops.mul(this, other);
  }

  /** `this / other`. */
  div(this: Tensor, other: TensorLike): Tensor {
    return ops.div(this, other);
  }

  /** `−x`. */
  neg(this: Tensor): Tensor {
    return ops.neg(this);
  }

  /** `|x|`, with gradient 0 at 0. */
  abs(this: Tensor): Tensor {
    return ops.abs(this);
  }

  /** −1, 0 or 1. */
  sign(this: Tensor): Tensor {
    return ops.sign(this);
  }

  /** `x^exponent`. */
  pow(this: Tensor, exponent: TensorLike): Tensor {
    return ops.pow(this, exponent);
  }

  /** The larger of the two, element by element. */
  maximum(this: Tensor, other: TensorLike): Tensor {
    return ops.maximum(this, other);
  }

  /** The smaller of the two, element by element. */
  minimum(this: Tensor, other: TensorLike): Tensor {
    return ops.minimum(this, other);
  }

  /** The values limited to `[min, max]`. */
  clip(this: Tensor, min: number, max: number): Tensor {
    return ops.clip(this, min, max);
  }

  /** `x²`. */
  square(this: Tensor): Tensor {
    return ops.square(this);
  }

  /** `√x`. */
  sqrt(this: Tensor): Tensor {
    return ops.sqrt(this);
  }

  /** `1 / √x`. */
  rsqrt(this: Tensor): Tensor {
    return ops.rsqrt(this);
  }

  /** `e^x`. */
  exp(this: Tensor): Tensor {
    return ops.exp(this);
  }

  /** `e^x − 1`. */
  expm1(this: Tensor): Tensor {
    return ops.expm1(this);
  }

  /** Natural logarithm. */
  log(this: Tensor): Tensor {
    return ops.log(this);
  }

  /** `log(1 + x)`. */
  log1p(this: Tensor): Tensor {
    return ops.log1p(this);
  }

  /** Sine. */
  sin(this: Tensor): Tensor {
    return ops.sin(this);
  }

  /** Cosine. */
  cos(this: Tensor): Tensor {
    return ops.cos(this);
  }

  /** Hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return ops.tanh(this);
  }

  /** The logistic function. */
  sigmoid(this: Tensor): Tensor {
    return ops.sigmoid(this);
  }

  /** `log σ(x)`. */
  logSigmoid(this: Tensor): Tensor {
    return ops.logSigmoid(this);
  }

  /** `log(1 + e^x)`. */
  softplus(this: Tensor): Tensor {
    return ops.softplus(this);
  }

  /** `max(x, 0)`. */
  relu(this: Tensor): Tensor {
    return ops.relu(this);
  }

  /** Rectifier with a small slope on the negative side. */
  leakyRelu(this: Tensor, options?: LeakyReluOptions): Tensor {
    return ops.leakyRelu(this, options);
  }

  /** `log |Γ(x)|`. */
  lgamma(this: Tensor): Tensor {
    return ops.lgamma(this);
  }

  /** The derivative of `lgamma`. */
  digamma(this: Tensor): Tensor {
    return ops.digamma(this);
  }

  /** Where the two are equal. */
  equal(this: Tensor, other: TensorLike): Tensor {
    return ops.equal(this, other);
  }

  /** Where the two differ. */
  notEqual(this: Tensor, other: TensorLike): Tensor {
    return ops.notEqual(this, other);
  }

  /** Where `this < other`. */
  less(this: Tensor, other: TensorLike): Tensor {
    return ops.less(this, other);
  }

  /** Where `this ≤ other`. */
  lessEqual(this: Tensor, other: TensorLike): Tensor {
    return ops.lessEqual(this, other);
  }

  /** Where `this > other`. */
  greater(this: Tensor, other: TensorLike): Tensor {
    return ops.greater(this, other);
  }

  /** Where `this ≥ other`. */
  greaterEqual(this: Tensor, other: TensorLike): Tensor {
    return ops.greaterEqual(this, other);
  }

  /** Where the values are NaN. */
  isNaN(this: Tensor): Tensor {
    return ops.isNaN(this);
  }

  /** Sum over axes. */
  sum(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.sum(this, options);
  }

  /** Mean over axes. */
  mean(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.mean(this, options);
  }

  /** Largest value over axes. */
  max(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.max(this, options);
  }

  /** Smallest value over axes. */
  min(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.min(this, options);
  }

  /** Variance over axes. */
  variance(this: Tensor, options?: VarianceOptions): Tensor {
    return ops.variance(this, options);
  }

  /** Euclidean length over axes. */
  norm(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.norm(this, options);
  }

  /** Position of the largest value. */
  argMax(this: Tensor, options?: ArgReduceOptions): Tensor {
    return ops.argMax(this, options);
  }

  /** Position of the smallest value. */
  argMin(this: Tensor, options?: ArgReduceOptions): Tensor {
    return ops.argMin(this, options);
  }

  /** `log Σ e^x` over axes. */
  logSumExp(this: Tensor, options?: ReduceOptions): Tensor {
    return ops.logSumExp(this, options);
  }

  /** Probabilities from logits. */
  softmax(this: Tensor, options?: SoftmaxOptions): Tensor {
    return ops.softmax(this, options);
  }

  /** Logarithms of the probabilities. */
  logSoftmax(this: Tensor, options?: SoftmaxOptions): Tensor {
    return ops.logSoftmax(this, options);
  }

  /** Vectors divided by their length. */
  l2Normalize(this: Tensor, options?: L2NormalizeOptions): Tensor {
    return ops.l2Normalize(this, options);
  }

  /** Mean 0 and variance 1 over an axis. */
  layerNorm(this: Tensor, options?: LayerNormOptions): Tensor {
    return ops.layerNorm(this, options);
  }

  /** The values in another element type. */
  cast(this: Tensor, dtype: DType): Tensor {
    return ops.cast(this, dtype);
  }

  /** The values in another shape. */
  reshape(this: Tensor, shape: Shape): Tensor {
    return ops.reshape(this, shape);
  }

  /** The axes in another order. */
  transpose(this: Tensor, axes?: readonly number[]): Tensor {
    return ops.transpose(this, axes);
  }

  /** New axes of extent 1. */
  expandDims(this: Tensor, axis: number | readonly number[]): Tensor {
    return ops.expandDims(this, axis);
  }

  /** Without axes of extent 1. */
  squeeze(this: Tensor, axis?: number | readonly number[]): Tensor {
    return ops.squeeze(this, axis);
  }

  /** The values repeated to a larger shape. */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return ops.broadcastTo(this, shape);
  }

  /** This and others, one behind the other. */
  concat(this: Tensor, others: readonly TensorLike[], options?: JoinOptions): Tensor {
    return ops.concat([this, ...others], options);
  }

  /** This and others along a new axis. */
  stack(this: Tensor, others: readonly TensorLike[], options?: JoinOptions): Tensor {
    return ops.stack([this, ...others], options);
  }

  /** A block of the tensor. */
  slice(this: Tensor, start: number | readonly number[], end?: number | readonly number[]): Tensor {
    return ops.slice(this, start, end);
  }

  /** The tensor in parts. */
  split(this: Tensor, parts: number | readonly number[], options?: JoinOptions): Tensor[] {
    return ops.split(this, parts, options);
  }

  /** Slices by their positions. */
  gather(this: Tensor, indices: TensorLike, options?: AxisOptions): Tensor {
    return ops.gather(this, indices, options);
  }

  /** With slices added at positions. */
  scatterAdd(
    this: Tensor,
    indices: TensorLike,
    updates: TensorLike,
    options?: AxisOptions,
  ): Tensor {
    return ops.scatterAdd(this, indices, updates, options);
  }

  /** One value per position along an axis. */
  takeAlongAxis(this: Tensor, indices: TensorLike, options?: AxisOptions): Tensor {
    return ops.takeAlongAxis(this, indices, options);
  }

  /** The k largest values and their positions. */
  topK(this: Tensor, k: number, options?: TopKOptions): TopK {
    return ops.topK(this, k, options);
  }

  /** The positions that would sort an axis. */
  argSort(this: Tensor, options?: SortOptions): Tensor {
    return ops.argSort(this, options);
  }

  /** The values in order. */
  sort(this: Tensor, options?: SortOptions): Tensor {
    return ops.sort(this, options);
  }

  /** Matrix product. */
  matmul(this: Tensor, other: TensorLike): Tensor {
    return ops.matmul(this, other);
  }

  /** Squared distances between all pairs of rows. */
  pairwiseSquaredDistance(this: Tensor, other?: TensorLike): Tensor {
    return ops.pairwiseSquaredDistance(this, other);
  }

  /** Cosines between all pairs of rows. */
  cosineSimilarity(this: Tensor, other?: TensorLike, options?: CosineSimilarityOptions): Tensor {
    return ops.cosineSimilarity(this, other, options);
  }
}
