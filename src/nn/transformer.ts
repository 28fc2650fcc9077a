/**
 * Layers of transformer encoders, and stacks of them.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { checkBoolean, checkNumber, readOptions, refuseMore } from "../options.ts";
import { add } from "../ops/mod.ts";
import { split } from "../random.ts";
import { formatShape, sameShape } from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type Activation, activationOf } from "./activations.ts";
import {
  attend,
  type AttentionMasks,
  checkHeads,
  type Input,
  makeAttention,
  type MultiHeadAttentionParams,
} from "./attention.ts";
import { checkRate, drop } from "./dropout.ts";
import { applyLinear, type LinearParams, makeLinear } from "./linear.ts";
import { applyLayerNorm, makeNorm, type NormParams } from "./norm.ts";
import {
  branchOf,
  checkCount,
  checkNames,
  type Initialized,
  type InitOptions,
  keysFor,
  type Place,
  readDType,
} from "./params.ts";
import { type Numbered, numbered } from "./mlp.ts";

/** Parameters of {@linkcode transformerEncoderLayer}, as PyTorch's layer of the name has them. */
export interface TransformerEncoderLayerParams {
  /** Attention among the tokens. */
  self_attn: MultiHeadAttentionParams;
  /** (feedForward, features) */
  linear1: LinearParams;
  /** (features, feedForward) */
  linear2: LinearParams;
  /** Normalizes around the attention. */
  norm1: NormParams;
  /** Normalizes around the feed-forward part. */
  norm2: NormParams;
}

/** Options of {@linkcode transformerEncoderLayer} and {@linkcode transformerEncoder}. */
export interface TransformerEncoderLayerOptions extends AttentionMasks {
  /** How many heads the attention has; their number divides that of the features. */
  heads: number;
  /** The activation of the feed-forward part; `"relu"` by default. */
  activation?: Activation | undefined;
  /** Whether normalisation comes before each part, not behind it; `false` by default. */
  normFirst?: boolean | undefined;
  /** The share of values that are dropped where there is a key; 0 by default. */
  dropout?: number | undefined;
  /** The random key of dropout; without one, nothing is dropped. */
  key?: Tensor | undefined;
  /** Added to variances by the normalisation; 1e-5 by default. */
  epsilon?: number | undefined;
}

/** Options with their defaults. */
interface Settings extends AttentionMasks {
  heads: number;
  activation: (x: Tensor) => Tensor;
  normFirst: boolean;
  dropout: number;
  key: Tensor | undefined;
  epsilon: number;
}

/**
 * A layer of a transformer's encoder: attention among the tokens, then a feed-forward part, each
 * added to what came in, with layer normalisation (`torch.nn.TransformerEncoderLayer`,
 * `batch_first`).
 *
 * With `normFirst`, `x ← x + attention(norm1(x))`, `x ← x + feedForward(norm2(x))`; else `x ←
 * norm1(x + attention(x))`, `x ← norm2(x + feedForward(x))`. With a key, dropout acts where
 * PyTorch's does: on the weights of the attention, behind it, behind the activation, and at the
 * end; where weights are computed in blocks, each block draws anew.
 *
 * @param params `self_attn`, `linear1`, `linear2`, `norm1` and `norm2`.
 * @param x (batch, tokens, features)
 * @param options `heads`; `activation`, `"relu"` by default; `normFirst`, `false` by default;
 * `dropout`, 0 by default, and `key`; `mask` (tokens, tokens) and `keyPaddingMask` (batch, tokens),
 * as for attention; `epsilon`, 1e-5 by default.
 * @returns (batch, tokens, features)
 * @throws {TypeError} If a parameter is missing or left over, the shapes do not fit, or an option
 * is unknown.
 * @throws {RangeError} If `heads` does not divide the features, or `dropout` is not in [0, 1).
 *
 * @example Padding makes no difference
 * ```ts
 * import { initTransformerEncoderLayer, transformerEncoderLayer } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertAllClose } from "@cellgrad/cellgrad/testing";
 *
 * const params = initTransformerEncoderLayer(key(0), { dModel: 8, heads: 2, feedForward: 16 });
 * const x = normal(key(1), [1, 3, 8]);
 * const [two] = x.split([2, 1], { axis: 1 });
 * const options = { heads: 2, activation: "gelu", normFirst: true } as const;
 * const padded = transformerEncoderLayer(params, x, {
 *   ...options,
 *   keyPaddingMask: [[false, false, true]],
 * });
 * const expected = transformerEncoderLayer(params, two!, options);
 * assertAllClose(padded.split([2, 1], { axis: 1 })[0]!, expected, { atol: 1e-6 });
 * ```
 */
export function transformerEncoderLayer(
  params: TransformerEncoderLayerParams,
  x: TensorLike,
  options: TransformerEncoderLayerOptions,
): Tensor {
  if (arguments.length > 3) refuseMore("transformerEncoderLayer", "options", 3, arguments);
  const place = { caller: "transformerEncoderLayer", path: "params" };
  return encode(place, params, x, readSettings(place.caller, options));
}

function readSettings(caller: string, options: TransformerEncoderLayerOptions): Settings {
  const { activation, ...rest } = readOptions(caller, options, {
    heads: undefined as unknown as number,
    activation: "relu",
    normFirst: false,
    dropout: 0,
    key: undefined,
    mask: undefined,
    keyPaddingMask: undefined,
    epsilon: 1e-5,
  });
  checkBoolean(caller, "normFirst", rest.normFirst);
  checkRate(caller, "dropout", rest.dropout, rest.key);
  checkNumber(caller, "epsilon", rest.epsilon, { min: 0 });
  return { ...rest, activation: activationOf(caller, activation) };
}

const LAYER = ["self_attn", "linear1", "linear2", "norm1", "norm2"] as const;

/** One layer. */
function encode(place: Place, params: unknown, x: TensorLike, settings: Settings): Tensor {
  const { activation, normFirst, dropout, key, epsilon } = settings;
  checkNames(place, params, LAYER);
  const keys = key === undefined ? [] : split(key, 4);
  const at = (name: typeof LAYER[number]) => [branchOf(place, name), params[name]] as const;
  const attention = (rows: TensorLike) => {
    const inputs = Array<Input>(3).fill(["x", rows]);
    return drop(
      attend(...at("self_attn"), inputs, settings, { rate: dropout, key: keys[0] }),
      dropout,
      keys[1],
    );
  };
  const feedForward = (rows: Tensor) => {
    const hidden = activation(applyLinear(...at("linear1"), rows));
    return drop(applyLinear(...at("linear2"), drop(hidden, dropout, keys[2])), dropout, keys[3]);
  };
  const norm = (name: "norm1" | "norm2", rows: TensorLike) =>
    applyLayerNorm(...at(name), rows, epsilon);
  if (normFirst) {
    const between = residual(place, x, attention(norm("norm1", x)));
    return residual(place, between, feedForward(norm("norm2", between)));
  }
  const between = norm("norm1", residual(place, x, attention(x)));
  return norm("norm2", residual(place, between, feedForward(between)));
}

/** What came in, and what a part makes of it; throws a `TypeError` unless they have one shape. */
function residual({ caller, path }: Place, x: TensorLike, y: Tensor): Tensor {
  const sum = add(x, y);
  if (sameShape(sum.shape, y.shape)) return sum;
  throw new TypeError(
    `Cannot compute ${caller} as ${path} must lead back to as many features as come in: ` +
      `current shapes are ${formatShape(sum.shape)} and ${formatShape(y.shape)}`,
  );
}

/** Parameters of {@linkcode transformerEncoder}, as `torch.nn.TransformerEncoder` names them. */
export interface TransformerEncoderParams {
  /** The layers under `"0"`, `"1"`, … */
  layers: Numbered<TransformerEncoderLayerParams>;
  /** Normalizes at the end; nothing does where it is left out. */
  norm?: NormParams | undefined;
}

/**
 * A transformer's encoder: layers one behind the other, each a {@linkcode transformerEncoderLayer}
 * of the same options.
 *
 * @param params `layers`, and `norm` where there is normalisation at the end.
 * @param x (batch, tokens, features)
 * @param options Those of a layer; every layer has a dropout of its own.
 * @returns (batch, tokens, features)
 * @throws {TypeError} If a parameter is missing or left over, the shapes do not fit, or an option
 * is unknown.
 * @throws {RangeError} If `heads` does not divide the features, or `dropout` is not in [0, 1).
 *
 * @example Two layers
 * ```ts
 * import { initTransformerEncoder, transformerEncoder } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const size = { layers: 2, dModel: 8, heads: 2, feedForward: 16 };
 * const params = initTransformerEncoder(key(0), size);
 * const x = normal(key(1), [1, 3, 8]);
 * assertEquals(transformerEncoder(params, x, { heads: 2 }).shape, [1, 3, 8]);
 * ```
 */
export function transformerEncoder(
  params: TransformerEncoderParams,
  x: TensorLike,
  options: TransformerEncoderLayerOptions,
): Tensor {
  if (arguments.length > 3) refuseMore("transformerEncoder", "options", 3, arguments);
  const place = { caller: "transformerEncoder", path: "params" };
  const settings = readSettings(place.caller, options);
  checkNames(place, params, ["layers"], ["norm"]);
  const inner = branchOf(place, "layers");
  const layers = numbered(inner, params.layers);
  checkNames(inner, params.layers, layers.map((_, i) => String(i)));
  const keys = settings.key === undefined ? [] : split(settings.key, layers.length);
  const result = layers.reduce<TensorLike>(
    (rows, [name, layer], i) =>
      encode(branchOf(inner, name), layer, rows, { ...settings, key: keys[i] }),
    x,
  ) as Tensor;
  if (params.norm === undefined) return result;
  return applyLayerNorm(branchOf(place, "norm"), params.norm, result, settings.epsilon);
}

/** What {@linkcode initTransformerEncoderLayer} needs to know. */
export interface InitTransformerEncoderLayerOptions extends InitOptions {
  /** How many features a token has. */
  dModel: number;
  /** How many heads; their number divides that of the features. */
  heads: number;
  /** How many features there are within the feed-forward part. */
  feedForward: number;
}

/** What {@linkcode initTransformerEncoder} needs to know. */
export interface InitTransformerEncoderOptions extends InitTransformerEncoderLayerOptions {
  /** How many layers. */
  layers: number;
}

/** Options that have no default. */
const SIZES = {
  dModel: undefined as unknown as number,
  heads: undefined as unknown as number,
  feedForward: undefined as unknown as number,
  dtype: undefined,
};

/**
 * Parameters of a layer of a transformer's encoder, as those of PyTorch: attention as of {@linkcode
 * initMultiHeadAttention}, linear layers as of {@linkcode initLinear}, normalisation that changes
 * nothing.
 *
 * @param key A random key.
 * @param options `dModel`, `heads` and `feedForward`; `dtype`, `float32` by default.
 * @returns `{ self_attn, linear1, linear2, norm1, norm2 }`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If a number of features is not a whole number of at least 1, or `heads` does
 * not divide `dModel`.
 *
 * @example The names of PyTorch
 * ```ts
 * import { initTransformerEncoderLayer, toStateDict } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initTransformerEncoderLayer(key(0), { dModel: 8, heads: 2, feedForward: 16 });
 * assertEquals(toStateDict(params)["self_attn.out_proj.weight"]!.shape, [8, 8]);
 * ```
 */
export function initTransformerEncoderLayer(
  key: Tensor,
  options: InitTransformerEncoderLayerOptions,
): Initialized<TransformerEncoderLayerParams> {
  const caller = "initTransformerEncoderLayer";
  if (arguments.length > 2) refuseMore(caller, "options", 2, arguments);
  const [own] = keysFor(caller, key, 1);
  return makeLayer(own!, checkSizes(caller, readOptions(caller, options, SIZES)));
}

/**
 * Parameters of a transformer's encoder without normalisation at the end: those of
 * {@linkcode initTransformerEncoderLayer} for every layer.
 *
 * @param key A random key.
 * @param options `layers`, `dModel`, `heads` and `feedForward`; `dtype`, `float32` by default.
 * @returns `{ layers: { "0": …, "1": …, … } }`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If a number is not a whole number of at least 1, or `heads` does not divide
 * `dModel`.
 *
 * @example As deep as scGPT
 * ```ts
 * import { initTransformerEncoder } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const size = { layers: 12, dModel: 8, heads: 2, feedForward: 16 };
 * assertEquals(Object.keys(initTransformerEncoder(key(0), size).layers).length, 12);
 * ```
 */
export function initTransformerEncoder(
  key: Tensor,
  options: InitTransformerEncoderOptions,
): { layers: Numbered<Initialized<TransformerEncoderLayerParams>> } {
  const caller = "initTransformerEncoder";
  if (arguments.length > 2) refuseMore(caller, "options", 2, arguments);
  const defaults = { ...SIZES, layers: undefined as unknown as number };
  const { layers, ...sizes } = readOptions(caller, options, defaults);
  checkCount(caller, "layers", layers);
  const keys = keysFor(caller, key, layers);
  const settled = checkSizes(caller, sizes);
  return { layers: Object.fromEntries(keys.map((own, i) => [i, makeLayer(own, settled)])) };
}

/** The sizes of a layer, and its type. */
interface Sizes {
  dModel: number;
  feedForward: number;
  dtype: DType;
}

function checkSizes(caller: string, sizes: InitTransformerEncoderLayerOptions): Sizes {
  const { dModel, heads, feedForward, dtype } = sizes;
  checkCount(caller, "dModel", dModel);
  checkHeads(caller, heads, dModel);
  checkCount(caller, "feedForward", feedForward);
  return { dModel, feedForward, dtype: readDType(caller, { dtype }) };
}

function makeLayer(
  key: Tensor,
  { dModel, feedForward, dtype }: Sizes,
): Initialized<TransformerEncoderLayerParams> {
  const keys = split(key, 6);
  return {
    self_attn: makeAttention(keys, dModel, dtype),
    linear1: makeLinear(keys.slice(2), dModel, feedForward, dtype),
    linear2: makeLinear(keys.slice(4), feedForward, dModel, dtype),
    norm1: makeNorm(dModel, dtype),
    norm2: makeNorm(dModel, dtype),
  };
}
