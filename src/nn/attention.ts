/**
 * Attention of several heads.
 *
 * @module
 */
import { zeros } from "../create.ts";
import type { DType } from "../dtype.ts";
import { checkAxes, checkNumber, readOptions, refuseMore } from "../options.ts";
import { add, matmul, mul, reshape, softmax, split, transpose, where } from "../ops/mod.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { applyLinear, type LinearParams, makeLinear, project } from "./linear.ts";
import {
  branchOf,
  checkCount,
  checkFeatures,
  checkNames,
  type Initialized,
  type InitOptions,
  keysFor,
  leavesOf,
  type Place,
  readDType,
  takeInput,
  uniformWithin,
} from "./params.ts";

/** Parameters of {@linkcode multiHeadAttention}, as `torch.nn.MultiheadAttention` names them. */
export interface MultiHeadAttentionParams {
  /** (3 · features, features): what makes queries, keys and values, in this order. */
  in_proj_weight: TensorLike;
  /** (3 · features); none where it is left out. */
  in_proj_bias?: TensorLike | undefined;
  /** What joins the heads. */
  out_proj: LinearParams;
}

/** Which tokens are hidden from which. */
export interface AttentionMasks {
  /** (queries, keys): booleans that are true where a key is hidden, or numbers to add to scores. */
  mask?: TensorLike | undefined;
  /** (batch, keys): the same for the keys of one member of the batch, as padding is. */
  keyPaddingMask?: TensorLike | undefined;
}

/** Options of {@linkcode multiHeadAttention}. */
export interface MultiHeadAttentionOptions extends AttentionMasks {
  /** How many heads; their number divides that of the features. */
  heads: number;
}

/**
 * Attention of several heads: `softmax(Q·Kᵀ / √d + masks)·V` for each, d being features / heads,
 * joined by a linear layer (Vaswani et al. 2017, arXiv:1706.03762).
 *
 * A query from which all keys are hidden by booleans gets zeros in place of values, where PyTorch 1
 * gives NaN.
 *
 * @param params `in_proj_weight`, `in_proj_bias` and `out_proj`.
 * @param query (batch, queries, features)
 * @param key (batch, keys, features)
 * @param value (batch, keys, features)
 * @param options `heads`; `mask` (queries, keys) and `keyPaddingMask` (batch, keys): booleans hide
 * where they are true, numbers are added to the scores.
 * @returns (batch, queries, features)
 * @throws {TypeError} If a parameter is missing or left over, or the shapes do not fit.
 * @throws {RangeError} If `heads` does not divide the features.
 *
 * @example No token sees those that follow
 * ```ts
 * import { arange, greater } from "@cellgrad/cellgrad";
 * import { initMultiHeadAttention, multiHeadAttention } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initMultiHeadAttention(key(0), { dModel: 8, heads: 2 });
 * const x = normal(key(1), [1, 4, 8]);
 * const mask = greater(arange(4).expandDims(0), arange(4).expandDims(1));
 * const whole = multiHeadAttention(params, x, x, x, { heads: 2, mask });
 * const [first] = x.split([1, 3], { axis: 1 });
 * const alone = multiHeadAttention(params, first!, first!, first!, { heads: 2 });
 * assertEquals(whole.slice([0, 0], [1, 1]).toArray(), alone.toArray());
 * ```
 */
export function multiHeadAttention(
  params: MultiHeadAttentionParams,
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: MultiHeadAttentionOptions,
): Tensor {
  if (arguments.length > 5) refuseMore("multiHeadAttention", "options", 5, arguments);
  const defaults = {
    heads: undefined as unknown as number,
    mask: undefined,
    keyPaddingMask: undefined,
  };
  const settled = readOptions("multiHeadAttention", options, defaults);
  const place = { caller: "multiHeadAttention", path: "params" };
  const inputs = [["query", query], ["key", key], ["value", value]] as const;
  return attend(place, params, inputs, settled);
}

/** What attention looks at, and its name in messages. */
export type Input = readonly [name: string, x: TensorLike];

/**
 * Attention within another function, of queries, keys and values; `adjust` is what is done to the
 * weights before they are used.
 */
export function attend(
  place: Place,
  params: unknown,
  inputs: readonly Input[],
  { heads, mask, keyPaddingMask }: MultiHeadAttentionOptions,
  adjust: (weights: Tensor) => Tensor = (weights) => weights,
): Tensor {
  const { caller } = place;
  checkNames(place, params, ["in_proj_weight", "out_proj"], ["in_proj_bias"]);
  const projection = readProjection(place, params);
  const features = projection.weight.shape[1]!;
  checkHeads(caller, heads, features);
  const [q, k, v] = projectAll(caller, inputs, projection).map((x) => separate(x, heads));
  const queries = mul(q!, 1 / Math.sqrt(features / heads));
  const scores = matmul(queries, transpose(k!, [0, 1, 3, 2]));
  const masks = readMasks(caller, { mask, keyPaddingMask }, scores);
  const joined = join(matmul(adjust(weigh(scores, masks)), v!));
  return applyLinear(branchOf(place, "out_proj"), params.out_proj, joined);
}

/** What makes queries, keys and values. */
interface Projection {
  weight: Tensor;
  bias: Tensor | undefined;
}

function readProjection(place: Place, params: Record<string, unknown>): Projection {
  const { caller, path } = place;
  const { in_proj_weight: weight, in_proj_bias: bias } = leavesOf<
    "in_proj_weight",
    "in_proj_bias"
  >(place, params, ["in_proj_weight", "in_proj_bias"]);
  const rows = 3 * (weight.shape[1] ?? 0);
  checkAxes(caller, `${path}.in_proj_weight`, weight, [rows || "3 · features", "features"]);
  if (bias !== undefined) checkAxes(caller, `${path}.in_proj_bias`, bias, [rows]);
  return { weight, bias };
}

/** Throws a `RangeError` unless so many heads share the features equally. */
export function checkHeads(caller: string, heads: unknown, features: number): void {
  checkNumber(caller, "heads", heads, { min: 1, integer: true });
  if (features % (heads as number) === 0) return;
  throw new RangeError(
    `Cannot compute ${caller} as heads must divide the number of features: ` +
      `current values are ${heads} and ${features}`,
  );
}

/** Queries, keys and values by three products: slices of weights cost less than those of tokens. */
function projectAll(
  caller: string,
  inputs: readonly Input[],
  { weight, bias }: Projection,
): Tensor[] {
  const read = (i: number, ...axes: (string | number)[]) => {
    const [name, given] = inputs[i]!;
    const x = takeInput(caller, name, given, weight);
    checkAxes(caller, name, x, axes);
    checkFeatures(caller, name, x, weight.shape[1]!);
    return x;
  };
  const query = read(0, "batch", "queries", "features");
  const key = read(1, query.shape[0]!, "keys", "features");
  const value = read(2, query.shape[0]!, key.shape[1]!, "features");
  const weights = split(weight, 3);
  const biases = bias === undefined ? [] : split(bias, 3);
  return [query, key, value].map((x, i) => project(x, weights[i]!, biases[i]));
}

/** (batch, tokens, features) as (batch, heads, tokens, features / heads). */
function separate(x: Tensor, heads: number): Tensor {
  const [batch, tokens, features] = x.shape as readonly [number, number, number];
  return transpose(reshape(x, [batch, tokens, heads, features / heads]), [0, 2, 1, 3]);
}

/** (batch, heads, tokens, features / heads) as (batch, tokens, features). */
function join(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = x.shape as readonly [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}

/** The masks that are given, with the axes of the scores. */
function readMasks(caller: string, masks: AttentionMasks, scores: Tensor): Tensor[] {
  const { mask, keyPaddingMask } = masks;
  const [batch, , queries, keys] = scores.shape as readonly [number, number, number, number];
  const read = (name: string, given: TensorLike, axes: number[], shape: number[]) => {
    const own = asTensor(given, scores.dtype, caller, name);
    checkAxes(caller, name, own, axes);
    return reshape(own, shape);
  };
  return [
    ...mask === undefined ? [] : [read("mask", mask, [queries, keys], [1, 1, queries, keys])],
    ...keyPaddingMask === undefined
      ? []
      : [read("keyPaddingMask", keyPaddingMask, [batch, keys], [batch, 1, 1, keys])],
  ];
}

/** The score of what is hidden: a finite one, as devices may not know others. */
const HIDDEN = -1e38;

/** Softmax over the keys, of which hidden ones get exactly 0. */
function weigh(scores: Tensor, masks: readonly Tensor[]): Tensor {
  const hidden = masks.filter(({ dtype }) => dtype === "bool");
  const added = masks.filter(({ dtype }) => dtype !== "bool").reduce(
    (x, mask) => add(x, mask),
    scores,
  );
  const weights = softmax(hidden.reduce((x, mask) => where(mask, HIDDEN, x), added));
  return hidden.reduce((x, mask) => where(mask, 0, x), weights);
}

/** What {@linkcode initMultiHeadAttention} needs to know. */
export interface InitMultiHeadAttentionOptions extends InitOptions {
  /** How many features a token has. */
  dModel: number;
  /** How many heads; their number divides that of the features. */
  heads: number;
}

/**
 * Parameters of attention, as those of PyTorch: weights of queries, keys and values uniform within
 * `±√(6 / (4 · dModel))` (Glorot and Bengio 2010), those that join the heads within `±1/√dModel`,
 * and biases of 0.
 *
 * @param key A random key.
 * @param options `dModel` and `heads`; `dtype`, `float32` by default.
 * @returns `{ in_proj_weight, in_proj_bias, out_proj: { weight, bias } }`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If `dModel` is not a whole number of at least 1, or `heads` does not divide
 * it.
 *
 * @example Eight features, two heads
 * ```ts
 * import { initMultiHeadAttention } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initMultiHeadAttention(key(0), { dModel: 8, heads: 2 });
 * assertEquals(params.in_proj_weight.shape, [24, 8]);
 * ```
 */
export function initMultiHeadAttention(
  key: Tensor,
  options: InitMultiHeadAttentionOptions,
): Initialized<MultiHeadAttentionParams> {
  if (arguments.length > 2) refuseMore("initMultiHeadAttention", "options", 2, arguments);
  const keys = keysFor("initMultiHeadAttention", key, 2);
  const { dModel, heads, dtype } = readOptions("initMultiHeadAttention", options, {
    dModel: undefined as unknown as number,
    heads: undefined as unknown as number,
    dtype: undefined,
  });
  checkCount("initMultiHeadAttention", "dModel", dModel);
  checkHeads("initMultiHeadAttention", heads, dModel);
  return makeAttention(keys, dModel, readDType("initMultiHeadAttention", { dtype }));
}

/** Parameters of attention from two keys. */
export function makeAttention(
  [projectionKey, joinKey]: readonly Tensor[],
  dModel: number,
  dtype: DType,
): Initialized<MultiHeadAttentionParams> {
  const bound = Math.sqrt(6 / (4 * dModel));
  const out_proj = makeLinear([joinKey!, joinKey!], dModel, dModel, dtype);
  return {
    in_proj_weight: uniformWithin(projectionKey!, [3 * dModel, dModel], bound, dtype),
    in_proj_bias: zeros([3 * dModel], { dtype }),
    out_proj: { ...out_proj, bias: zeros([dModel], { dtype }) },
  };
}
