/**
 * Operations on tensors, as functions; importing them gives tensors their methods.
 *
 * @module
 */
import { bindFluent } from "../fluent_elementwise.ts";
import { at } from "./join.ts";
import * as functions from "./mod.ts";

export {
  elu,
  type EluOptions,
  gelu,
  type GeluOptions,
  hardtanh,
  type HardtanhOptions,
  silu,
} from "./activations.ts";
export {
  abs,
  add,
  clip,
  div,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  sign,
  square,
  sub,
} from "./arithmetic.ts";
export { conv, type ConvOptions } from "./conv.ts";
export {
  equal,
  greater,
  greaterEqual,
  isNaN,
  less,
  lessEqual,
  notEqual,
  where,
} from "./compare.ts";
export {
  exp,
  exp2,
  expm1,
  leakyRelu,
  type LeakyReluOptions,
  log,
  log10,
  log1p,
  log2,
  logSigmoid,
  relu,
  rsqrt,
  sigmoid,
  softplus,
  sqrt,
} from "./exponential.ts";
export { diag, outer, trace, type TriangleOptions, tril, triu } from "./diagonal.ts";
export {
  clipGradient,
  type CustomVjp,
  customVjp,
  debugGradient,
  type DebugGradientOptions,
  gradientReversal,
  type GradientReversalOptions,
  stopGradient,
} from "./gradient.ts";
export {
  cumLogSumExp,
  cumMax,
  cumprod,
  cumsum,
  type CumulativeOptions,
  prod,
} from "./cumulative.ts";
export { type ContractedAxes, dot, einsum, tensordot } from "./einsum.ts";
export { acosh, asinh, atanh, cosh, sinh, tanh } from "./hyperbolic.ts";
export { concat, type JoinOptions, slice, type SliceOptions, split, stack } from "./join.ts";
export {
  broadcastTo,
  cast,
  expandDims,
  flatten,
  moveAxis,
  reshape,
  squeeze,
  transpose,
} from "./layout.ts";
export {
  cosineSimilarity,
  type CosineSimilarityOptions,
  matmul,
  pairwiseSquaredDistance,
} from "./linalg.ts";
export {
  isFinite,
  isInf,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  nanToNum,
  type NanToNumOptions,
} from "./logical.ts";
export {
  l2Normalize,
  type L2NormalizeOptions,
  layerNorm,
  type LayerNormOptions,
  logSoftmax,
  softmax,
  type SoftmaxOptions,
} from "./normalize.ts";
export {
  flip,
  type FlipOptions,
  pad,
  type PadMode,
  type PadOptions,
  roll,
  type RollOptions,
} from "./pad.ts";
export { pairwiseDistance, type PairwiseDistanceOptions } from "./pairwise_distance.ts";
export { meshgrid, repeat, type RepeatOptions, tile } from "./repeat.ts";
export { ceil, floor, mod, round, trunc } from "./rounding.ts";
export { digamma, erf, erfc, erfinv, lgamma } from "./special.ts";
export { acos, asin, atan, atan2, cos, sin, tan } from "./trigonometric.ts";
export { avgPool, maxPool, type PoolOptions } from "./pool.ts";
export { resize, type ResizeOptions } from "./resize.ts";
export { slidingWindow, type SlidingWindowOptions } from "./windows.ts";
export { argMax, argMin, type ArgReduceOptions } from "./arg_reduce.ts";
export { logSumExp, max, mean, min, type ReduceOptions, sum } from "./reduce.ts";
export { norm, std, variance, type VarianceOptions } from "./moments.ts";
export { median, quantile } from "./quantile.ts";
export { scatterSet, segmentMax, segmentSum } from "./segment.ts";
export {
  type AxisOptions,
  gather,
  type GatherOptions,
  oneHot,
  type OneHotOptions,
  scatterAdd,
  takeAlongAxis,
} from "./select.ts";
export { argSort, sort, type SortOptions, type TopK, topK, type TopKOptions } from "./sort.ts";
export { all, any } from "./truth.ts";

bindFluent({ ...functions, at });
