/**
 * How the options of operations are checked.
 *
 * @module
 */
import {
  checkBoolean,
  checkChoice,
  checkDTypeOption,
  checkFunction,
  checkNumber,
  type Checks,
  checkTensorLike,
  checkText,
  checkWhole,
  checkWholes,
  numberIn,
} from "../options.ts";
import type { CumulativeOptions } from "./cumulative.ts";
import type { EluOptions, GeluOptions, HardtanhOptions } from "./activations.ts";
import type { LeakyReluOptions } from "./exponential.ts";
import type { TriangleOptions } from "./diagonal.ts";
import type { CustomVjp, DebugGradientOptions, GradientReversalOptions } from "./gradient.ts";
import type { JoinOptions, SliceOptions } from "./join.ts";
import type { ConvOptions } from "./conv.ts";
import type { CosineSimilarityOptions } from "./linalg.ts";
import type { NanToNumOptions } from "./logical.ts";
import type { L2NormalizeOptions, LayerNormOptions, SoftmaxOptions } from "./normalize.ts";
import type { VarianceOptions } from "./moments.ts";
import type { FlipOptions, PadOptions, RollOptions } from "./pad.ts";
import type { ReduceOptions } from "./reduce.ts";
import type { RepeatOptions } from "./repeat.ts";
import type { PairwiseDistanceOptions } from "./pairwise_distance.ts";
import type { PoolOptions } from "./pool.ts";
import type { ResizeOptions } from "./resize.ts";
import type { AxisOptions, GatherOptions, OneHotOptions } from "./select.ts";
import type { SortOptions, TopKOptions } from "./sort.ts";
import type { SlidingWindowOptions } from "./windows.ts";

const epsilon = numberIn({ min: 0 });
const limit = numberIn({ infinite: true });

/** Of `leakyRelu`. */
export const LEAKY: Checks<LeakyReluOptions> = { negativeSlope: checkNumber };

/** Of `gelu`. */
export const GELU: Checks<GeluOptions> = {
  approximate: (caller, name, value) => checkChoice(caller, name, value, ["none", "tanh"]),
};

/** Of `elu`. */
export const ELU: Checks<EluOptions> = { alpha: checkNumber };

/** Of `hardtanh`. */
export const HARDTANH: Checks<HardtanhOptions> = { min: limit, max: limit };

/** Of `nanToNum`. */
export const NAN_TO_NUM: Checks<NanToNumOptions> = { nan: limit, posInf: limit, negInf: limit };

/** Of `sum` and its kind. */
export const REDUCE: Checks<ReduceOptions> = { axis: checkWholes, keepDims: checkBoolean };

/** Of `variance`. */
export const VARIANCE: Checks<VarianceOptions> = { ...REDUCE, correction: checkNumber };

/** Of `cumsum` and its kind. */
export const CUMULATIVE: Checks<CumulativeOptions> = { axis: checkWhole, reverse: checkBoolean };

/** Of `softmax` and `logSoftmax`. */
export const SOFTMAX: Checks<SoftmaxOptions> = { axis: checkWholes };

/** Of `l2Normalize`. */
export const L2_NORMALIZE: Checks<L2NormalizeOptions> = { ...SOFTMAX, epsilon };

/** Of `layerNorm`. */
export const LAYER_NORM: Checks<LayerNormOptions> = {
  ...L2_NORMALIZE,
  scale: checkTensorLike,
  shift: checkTensorLike,
};

/** Of `cosineSimilarity`. */
export const COSINE: Checks<CosineSimilarityOptions> = { epsilon };

/** Of `pairwiseDistance`. */
export const PAIRWISE_DISTANCE: Checks<PairwiseDistanceOptions> = {
  p: numberIn({ min: 1, infinite: true }),
  squared: checkBoolean,
};

/** Of `concat`, `stack` and `split`. */
export const JOIN: Checks<JoinOptions> = { axis: checkWhole };

/** Of `slice`. */
export const SLICE: Checks<SliceOptions> = { step: checkWholes };

/** Of `pad`. */
export const PAD: Checks<PadOptions> = {
  mode: (caller, name, value) => checkChoice(caller, name, value, ["constant", "edge", "reflect"]),
  value: limit,
};

/** Of `flip`. */
export const FLIP: Checks<FlipOptions> = { axis: checkWholes };

/** Of `roll`. */
export const ROLL: Checks<RollOptions> = { axis: checkWhole };

/** Of `repeat`. */
export const REPEAT: Checks<RepeatOptions> = { axis: checkWhole };

/** Of `tril` and `triu`. */
export const TRIANGLE: Checks<TriangleOptions> = { diagonal: checkWhole };

/** Of `gather`. */
export const GATHER: Checks<GatherOptions> = { axis: checkWholes };

/** Of `scatterAdd` and its kind. */
export const AXIS: Checks<AxisOptions> = { axis: checkWhole };

/** Of `oneHot`. */
export const ONE_HOT: Checks<OneHotOptions> = { dtype: checkDTypeOption };

/** Of `sort` and `argSort`. */
export const SORT: Checks<SortOptions> = { axis: checkWhole, descending: checkBoolean };

/** Of `topK`. */
export const TOP_K: Checks<TopKOptions> = { axis: checkWhole, largest: checkBoolean };

/** Of `customVjp`. */
export const CUSTOM: Checks<CustomVjp> = {
  forward: checkFunction,
  vjp: checkFunction,
  name: checkText,
};

/** Of `gradientReversal`. */
export const REVERSAL: Checks<GradientReversalOptions> = { scale: checkNumber };

/** Of `debugGradient`. */
export const DEBUG: Checks<DebugGradientOptions> = { report: checkFunction };

/** Of `slidingWindow`. */
export const SLIDING_WINDOW: Checks<SlidingWindowOptions> = {
  size: checkWholes,
  stride: checkWholes,
  dilation: checkWholes,
  axes: checkWholes,
};

/** Of `conv`. */
export const CONV: Checks<ConvOptions> = {
  stride: checkWholes,
  padding(caller, name, value) {
    if (typeof value === "string") checkChoice(caller, name, value, ["same", "valid"]);
    else checkWholes(caller, name, value);
  },
  dilation: checkWholes,
  groups: numberIn({ min: 1, integer: true }),
  transposed: checkBoolean,
};

/** Of `maxPool` and `avgPool`. */
export const POOL: Checks<PoolOptions> = { stride: checkWholes, padding: checkWholes };

/** Of `resize`. */
export const RESIZE: Checks<ResizeOptions> = { mode: checkText };
