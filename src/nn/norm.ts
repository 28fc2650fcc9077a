/**
 * Normalisation layers: over the features of a row, and over the rows of a batch.
 *
 * @module
 */
import { checkAxes, checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { ones, zeros } from "../create.ts";
import type { DType } from "../dtype.ts";
import {
  add,
  div,
  layerNorm as normalize,
  mean,
  mul,
  reshape,
  sqrt,
  stopGradient,
  sub,
  variance,
} from "../ops/mod.ts";
import { formatShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkCount,
  checkFeatures,
  type Initialized,
  type InitOptions,
  type Place,
  readDType,
  readParams,
  takeInput,
} from "./params.ts";

/** Parameters of {@linkcode layerNorm} and {@linkcode batchNorm}, as PyTorch names them. */
export interface NormParams {
  /** (features): what normalized values are multiplied by; nothing where it is left out. */
  weight?: TensorLike | undefined;
  /** (features): what is added at last; nothing where it is left out. */
  bias?: TensorLike | undefined;
}

/** Options of {@linkcode layerNorm}. */
export interface LayerNormLayerOptions {
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number | undefined;
}

/**
 * A layer of layer normalisation: mean 0 and variance 1 over the features of each row, then scaled
 * and shifted (Ba et al. 2016, arXiv:1607.06450). The operation without parameters has the same
 * name in `mod.ts`.
 *
 * @param params `weight` and `bias`, both (features); each may be left out.
 * @param x (…, features)
 * @param options `epsilon`, 1e-5 by default.
 * @returns `(x − mean) / √(variance + epsilon) · weight + bias`, in the shape of `x`.
 * @throws {TypeError} If a parameter is left over, or the shapes do not fit.
 * @throws {RangeError} If `epsilon` is negative.
 *
 * @example Two features
 * ```ts
 * import { layerNorm } from "@cellgrad/cellgrad/nn";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const params = { weight: [10, 10], bias: [0, 1] };
 * assertAllClose(layerNorm(params, [[1, 3]]), [[-10, 11]], { rtol: 1e-4 });
 * ```
 */
export function layerNorm(
  params: NormParams,
  x: TensorLike,
  options: LayerNormLayerOptions = {},
): Tensor {
  if (arguments.length > 3) refuseMore("layerNorm", "options", 3, arguments);
  const { epsilon } = readOptions("layerNorm", options, { epsilon: 1e-5 });
  checkNumber("layerNorm", "epsilon", epsilon, { min: 0 });
  return applyLayerNorm({ caller: "layerNorm", path: "params" }, params, x, epsilon);
}

/** Layer normalisation within another function. */
export function applyLayerNorm(
  place: Place,
  params: unknown,
  x: TensorLike,
  epsilon: number,
): Tensor {
  const { caller, path } = place;
  const { weight, bias } = readParams(place, params, [], ["weight", "bias"]);
  const rows = takeInput(caller, "x", x, weight ?? bias);
  for (const [name, given] of Object.entries({ weight, bias })) {
    if (given === undefined) continue;
    checkAxes(caller, `${path}.${name}`, given, ["features"]);
    checkFeatures(caller, "x", rows, given.size);
  }
  return normalize(rows, { epsilon, scale: weight, shift: bias });
}

/**
 * Parameters of a layer of layer normalisation: ones and zeros.
 *
 * @param features How many features a row has.
 * @param options `dtype`, `float32` by default.
 * @returns `{ weight, bias }`, both (features).
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `features` is not a whole number of at least 1.
 *
 * @example Three features
 * ```ts
 * import { initLayerNorm } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(initLayerNorm(3).weight.toArray(), [1, 1, 1]);
 * ```
 */
export function initLayerNorm(
  features: number,
  options: InitOptions = {},
): Initialized<NormParams> {
  if (arguments.length > 2) refuseMore("initLayerNorm", "options", 2, arguments);
  checkCount("initLayerNorm", "features", features);
  return makeNorm(features, readDType("initLayerNorm", options));
}

/** Parameters that change nothing. */
export function makeNorm(features: number, dtype: DType): Initialized<NormParams> {
  return { weight: ones([features], { dtype }), bias: zeros([features], { dtype }) };
}

/** What {@linkcode batchNorm} knows of all batches so far, as PyTorch names it. */
export interface BatchNormState {
  /** (channels) */
  running_mean: TensorLike;
  /** (channels), unbiased. */
  running_var: TensorLike;
}

/** Options of {@linkcode batchNorm}. */
export interface BatchNormOptions {
  /** The running statistics before this batch. */
  state: BatchNormState;
  /** Whether the batch's own statistics normalize it, and change the running ones. */
  training: boolean;
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number | undefined;
  /** The share of this batch in the new running statistics; 0.1 by default. */
  momentum?: number | undefined;
}

/** What {@linkcode batchNorm} returns. */
export interface BatchNormResult {
  /** The normalized values, in the shape of `x`. */
  output: Tensor;
  /** The running statistics, changed where it was training. */
  state: Initialized<BatchNormState>;
}

/** What `torch.nn.BatchNorm1d` keeps in one place. */
const STATISTICS = ["running_mean", "running_var"] as const;
const COUNTER = "num_batches_tracked";

/**
 * Batch normalisation: mean 0 and variance 1 of each channel over the batch, then scaled and
 * shifted (Ioffe and Szegedy 2015, arXiv:1502.03167). In training the batch's own statistics are
 * used, and the running ones move towards them, `(1 − momentum)·old + momentum·new`, without a
 * gradient; the new ones are returned, and nothing is kept. Otherwise the running ones are used.
 *
 * Parameters and state may be one object, as those of `torch.nn.BatchNorm1d` are.
 *
 * @param params `weight` and `bias`, both (channels); each may be left out.
 * @param x (batch, channels, …)
 * @param options `state` and `training`; `epsilon`, 1e-5 by default; `momentum`, 0.1 by default.
 * @returns `{ output, state }`; batches are normalized by the biased variance, the running one is
 * unbiased.
 * @throws {TypeError} If a parameter or statistic is missing or left over, the shapes do not fit,
 * or there is but one value per channel in training.
 * @throws {RangeError} If `epsilon` is negative, or `momentum` is not in [0, 1].
 *
 * @example One batch
 * ```ts
 * import { batchNorm, initBatchNorm } from "@cellgrad/cellgrad/nn";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const { params, state: before } = initBatchNorm(1);
 * const { output, state } = batchNorm(params, [[1], [3]], { state: before, training: true });
 * assertAllClose(output, [[-1], [1]], { rtol: 1e-4 });
 * assertAllClose(state.running_mean, [0.2]);
 * assertAllClose(state.running_var, [1.1]);
 * ```
 */
export function batchNorm(
  params: NormParams,
  x: TensorLike,
  options: BatchNormOptions,
): BatchNormResult {
  if (arguments.length > 3) refuseMore("batchNorm", "options", 3, arguments);
  const defaults = {
    state: undefined as unknown as BatchNormState,
    training: undefined as unknown as boolean,
    epsilon: 1e-5,
    momentum: 0.1,
  };
  const { state, training, epsilon, momentum } = readOptions("batchNorm", options, defaults);
  checkBoolean("batchNorm", "training", training);
  checkNumber("batchNorm", "epsilon", epsilon, { min: 0 });
  checkNumber("batchNorm", "momentum", momentum, { min: 0, max: 1 });
  const own = readParams(PARAMS, params, [], ["weight", "bias"], [...STATISTICS, COUNTER]);
  const running = readParams(STATE, state, STATISTICS, [], ["weight", "bias", COUNTER]);
  const values = takeInput("batchNorm", "x", x, own.weight ?? running.running_mean);
  const channels = channelsOf(values, training);
  for (const [name, given] of Object.entries({ ...own, ...running })) {
    const { path } = name in running ? STATE : PARAMS;
    checkAxes("batchNorm", `${path}.${name}`, given, [channels]);
  }
  const along = (channel: Tensor | undefined) =>
    channel && reshape(channel, [channels, ...values.shape.slice(2).map(() => 1)]);
  const [scale, shift] = [along(own.weight), along(own.bias)];
  if (training) {
    const axis = values.shape.map((_, i) => i).filter((i) => i !== 1);
    const output = normalize(values, { axis, epsilon, scale, shift });
    return { output, state: moved(running, values, axis, momentum) };
  }
  const deviation = sqrt(add(along(running.running_var)!, epsilon));
  const normalized = div(sub(values, along(running.running_mean)!), deviation);
  const scaled = scale === undefined ? normalized : mul(normalized, scale);
  return { output: shift === undefined ? scaled : add(scaled, shift), state: running };
}

const PARAMS: Place = { caller: "batchNorm", path: "params" };
const STATE: Place = { caller: "batchNorm", path: "state" };

/** How many channels there are; throws unless there are rows enough. */
function channelsOf(x: Tensor, training: boolean): number {
  const channels = x.shape[1];
  if (channels !== undefined && (!training || x.size > channels)) return channels;
  throw new TypeError(
    `Cannot compute batchNorm as x must have the axes batch and channels` +
      `${training ? ", with more than one value per channel in training" : ""}: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/** The running statistics after a batch. */
function moved(
  { running_mean, running_var }: Initialized<BatchNormState>,
  x: Tensor,
  axis: readonly number[],
  momentum: number,
): Initialized<BatchNormState> {
  const batch = stopGradient(x);
  const step = (old: Tensor, now: Tensor) => add(mul(old, 1 - momentum), mul(now, momentum));
  return {
    running_mean: step(running_mean, mean(batch, { axis })),
    running_var: step(running_var, variance(batch, { axis, correction: 1 })),
  };
}

/**
 * Parameters of a layer of batch normalisation, ones and zeros, and its statistics before the first
 * batch: mean 0, variance 1.
 *
 * @param channels How many channels there are.
 * @param options `dtype`, `float32` by default.
 * @returns `{ params, state }`.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `channels` is not a whole number of at least 1.
 *
 * @example Two channels
 * ```ts
 * import { initBatchNorm } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const { params, state } = initBatchNorm(2);
 * assertEquals([params.bias.toArray(), state.running_var.toArray()], [[0, 0], [1, 1]]);
 * ```
 */
export function initBatchNorm(
  channels: number,
  options: InitOptions = {},
): { params: Initialized<NormParams>; state: Initialized<BatchNormState> } {
  if (arguments.length > 2) refuseMore("initBatchNorm", "options", 2, arguments);
  checkCount("initBatchNorm", "channels", channels);
  const dtype = readDType("initBatchNorm", options);
  return {
    params: makeNorm(channels, dtype),
    state: {
      running_mean: zeros([channels], { dtype }),
      running_var: ones([channels], { dtype }),
    },
  };
}
