/**
 * Attention of several heads.
 *
 * @module
 */
import { zeros } from "../create.ts";
import type { DType } from "../dtype.ts";
import { checkAxes, checkNumber, readOptions, refuseMore } from "../options.ts";
import {
  add,
  expandDims,
  matmul,
  mul,
  reshape,
  softmax,
  split,
  transpose,
  where,
} from "../ops/mod.ts";
import { foldIn } from "../random.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { mapRowBlocks } from "../transforms/map_row_blocks.ts";
import { drop } from "./dropout.ts";
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
 * gives NaN. Beyond 2²² scores, these are computed a block of queries after the other, and again on
 * the way back, so that memory is linear in the tokens. Keys and values that booleans of
 * `keyPaddingMask` hide need be no numbers, where PyTorch's values must be.
 *
 * @param params `in_proj_weight`, `in_proj_bias` and `out_proj`.
 * @param query (batch, queries, features)
 * @param key (batch, keys, features)
 * @param value (batch, keys, features)
 * @param options `heads`; `mask` (queries, keys) and `keyPaddingMask` (batch, keys): booleans hide
 * where they are true, floating numbers are added to the scores.
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

/** Attention within another function, of queries, keys and values. */
export function attend(
  place: Place,
  params: unknown,
  inputs: readonly Input[],
  options: MultiHeadAttentionOptions,
  dropout: Dropout = { rate: 0, key: undefined },
): Tensor {
  const { caller } = place;
  const { heads } = options;
  checkNames(place, params, ["in_proj_weight", "out_proj"], ["in_proj_bias"]);
  const projection = readProjection(place, params);
  const features = projection.weight.shape[1]!;
  checkHeads(caller, heads, features);
  const [query, key, value] = readInputs(caller, inputs, projection);
  const masks = readMasks(caller, options, query, key);
  const [queries, ...others] = projectAll(
    [query, show(key, masks), show(value, masks)],
    projection,
  );
  const scaled = mul(queries!, 1 / Math.sqrt(features / heads));
  const [q, k, v] = [scaled, ...others].map((x) => separate(x, heads)) as [Tensor, Tensor, Tensor];
  const joined = join(attendBlocks(q, k, v, masks, dropout));
  return applyLinear(branchOf(place, "out_proj"), params.out_proj, joined);
}

/** Dropout of weights; nothing is dropped without a key. */
export interface Dropout {
  rate: number;
  key: Tensor | undefined;
}

/** The most scores that are there at once, and those of a block where there would be more. */
const SCORES = { most: 2 ** 22, block: 2 ** 20 } as const;

/** `weights · v` for (batch, heads, …), a block of queries after the other where they are many. */
function attendBlocks(q: Tensor, k: Tensor, v: Tensor, masks: Masks, dropout: Dropout): Tensor {
  const [batch, heads, queries, keys] = [...q.shape.slice(0, 3), k.shape[2]!] as [
    ...[number, number],
    ...[number, number],
  ];
  const scores = batch * heads * keys;
  if (queries * scores <= SCORES.most) return attendTo(q, k, v, masks, dropout);
  const { mask, padding } = masks;
  const own: Blocks = { q: transpose(q, [2, 0, 1, 3]), ...(mask && { mask }) };
  const all: Shared = {
    k,
    v,
    ...(padding && { padding }),
    ...(dropout.key && { key: dropout.key }),
  };
  const block = ({ q, mask }: Blocks, { k, v, padding, key }: Shared, offset: number) => {
    const drops = { rate: dropout.rate, key: key && foldIn(key, offset) };
    return transpose(attendTo(transpose(q, [1, 2, 0, 3]), k, v, { mask, padding }, drops), [
      2,
      0,
      1,
      3,
    ]);
  };
  const rows = Math.max(1, Math.floor(SCORES.block / scores));
  return transpose(mapRowBlocks(block, own, all, { rows }), [1, 2, 0, 3]);
}

/** What is cut into blocks: (queries, batch, heads, width), and (queries, keys). */
interface Blocks {
  q: Tensor;
  mask?: Tensor | undefined;
}

/** What all blocks see. */
interface Shared {
  k: Tensor;
  v: Tensor;
  padding?: Tensor | undefined;
  key?: Tensor | undefined;
}

/** `weights · v` for all queries at once. */
function attendTo(q: Tensor, k: Tensor, v: Tensor, masks: Masks, { rate, key }: Dropout): Tensor {
  const weights = weigh(matmul(q, transpose(k, [0, 1, 3, 2])), masks);
  return matmul(drop(weights, rate, key), v);
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

function readInputs(
  caller: string,
  inputs: readonly Input[],
  { weight }: Projection,
): [query: Tensor, key: Tensor, value: Tensor] {
  const read = (i: number, ...axes: (string | number)[]) => {
    const [name, given] = inputs[i]!;
    const x = takeInput(caller, name, given, weight);
    checkAxes(caller, name, x, axes);
    checkFeatures(caller, name, x, weight.shape[1]!);
    return x;
  };
  const query = read(0, "batch", "queries", "features");
  const key = read(1, query.shape[0]!, "keys", "features");
  return [query, key, read(2, query.shape[0]!, key.shape[1]!, "features")];
}

/** Tokens of which those that padding hides are 0: they need be no numbers. */
function show(x: Tensor, { padding }: Masks): Tensor {
  return padding?.dtype === "bool" ? where(expandDims(padding, 2), 0, x) : x;
}

/** Queries, keys and values by three products: slices of weights cost less than those of tokens. */
function projectAll(inputs: readonly Tensor[], { weight, bias }: Projection): Tensor[] {
  const weights = split(weight, 3);
  const biases = bias === undefined ? [] : split(bias, 3);
  return inputs.map((x, i) => project(x, weights[i]!, biases[i]));
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

/** Masks as tensors. */
interface Masks {
  /** (queries, keys) */
  mask?: Tensor | undefined;
  /** (batch, keys) */
  padding?: Tensor | undefined;
}

function readMasks(
  caller: string,
  { mask, keyPaddingMask }: AttentionMasks,
  query: Tensor,
  key: Tensor,
): Masks {
  const [batch, queries] = query.shape as readonly [number, number];
  const keys = key.shape[1]!;
  const read = (name: string, given: TensorLike | undefined, axes: number[]) => {
    if (given === undefined) return undefined;
    const own = asTensor(given, query.dtype, caller, name);
    checkAxes(caller, name, own, axes);
    if (own.dtype !== "int32") return own;
    throw new TypeError(
      `Cannot compute ${caller} as ${name} must be booleans, which hide where they are true, or ` +
        `floating numbers, which are added to scores: of whole numbers, take equal(mask, 0) where ` +
        `0 hides: current dtype is int32`,
    );
  };
  return {
    mask: read("mask", mask, [queries, keys]),
    padding: read("keyPaddingMask", keyPaddingMask, [batch, keys]),
  };
}

/** The score of what is hidden: a finite one, as devices may not know others. */
const HIDDEN = -1e38;

/** Softmax over the keys, of which hidden ones get exactly 0. */
function weigh(scores: Tensor, { mask, padding }: Masks): Tensor {
  const masks = [mask, padding && expandDims(padding, [1, 2])].filter((own) => own !== undefined);
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
