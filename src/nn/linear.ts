/**
 * Linear layers and embeddings.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { checkLabels } from "../labels.ts";
import { checkAxes, refuseMore } from "../options.ts";
import { add, gather, matmul, transpose } from "../ops/mod.ts";
import { normal } from "../random.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import {
  checkCount,
  checkFeatures,
  type Initialized,
  type InitOptions,
  keysFor,
  type Place,
  readDType,
  readParams,
  takeInput,
  uniformWithin,
} from "./params.ts";

/** Parameters of {@linkcode linear}, as `torch.nn.Linear` names them. */
export interface LinearParams {
  /** (outputs, inputs) */
  weight: TensorLike;
  /** (outputs); none where it is left out. */
  bias?: TensorLike | undefined;
}

/**
 * A linear layer: `x · weightᵀ + bias`.
 *
 * @param params `weight` (outputs, inputs) and, where there is one, `bias` (outputs).
 * @param x (…, inputs)
 * @returns (…, outputs)
 * @throws {TypeError} If a parameter is missing or left over, or the shapes do not fit.
 *
 * @example Two features to one
 * ```ts
 * import { linear } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const params = { weight: [[2, 3]], bias: [1] };
 * assertEquals(linear(params, [[1, 0], [1, 1]]).toArray(), [[3], [6]]);
 * ```
 */
export function linear(params: LinearParams, x: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("linear", "x", 2, arguments);
  return applyLinear({ caller: "linear", path: "params" }, params, x);
}

/** A linear layer within another function. */
export function applyLinear(place: Place, params: unknown, x: TensorLike, name = "x"): Tensor {
  const { weight, bias } = readParams(place, params, ["weight"], ["bias"]);
  const { caller, path } = place;
  checkAxes(caller, `${path}.weight`, weight, ["outputs", "inputs"]);
  if (bias !== undefined) checkAxes(caller, `${path}.bias`, bias, [weight.shape[0]!]);
  const rows = takeInput(caller, name, x, weight);
  checkFeatures(caller, name, rows, weight.shape[1]!);
  return project(rows, weight, bias);
}

/** `x · weightᵀ + bias` */
export function project(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const product = matmul(x, transpose(weight));
  return bias === undefined ? product : add(product, bias);
}

/**
 * Parameters of a linear layer: weights and biases uniform within ±1/√inputs, as those of PyTorch.
 *
 * @param key A random key.
 * @param inputs How many features come in.
 * @param outputs How many go out.
 * @param options `dtype`, `float32` by default.
 * @returns `{ weight, bias }`, (outputs, inputs) and (outputs).
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If a number of features is not a whole number of at least 1.
 *
 * @example From 200 genes to 32 features
 * ```ts
 * import { initLinear, linear } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initLinear(key(0), 200, 32);
 * assertEquals(linear(params, normal(key(1), [5, 200])).shape, [5, 32]);
 * ```
 */
export function initLinear(
  key: Tensor,
  inputs: number,
  outputs: number,
  options: InitOptions = {},
): Initialized<LinearParams> {
  if (arguments.length > 4) refuseMore("initLinear", "options", 4, arguments);
  const keys = keysFor("initLinear", key, 2);
  checkCount("initLinear", "inputs", inputs);
  checkCount("initLinear", "outputs", outputs);
  return makeLinear(keys, inputs, outputs, readDType("initLinear", options));
}

/** Parameters of a linear layer from two keys. */
export function makeLinear(
  [weightKey, biasKey]: readonly Tensor[],
  inputs: number,
  outputs: number,
  dtype: DType,
): Initialized<LinearParams> {
  const bound = 1 / Math.sqrt(inputs);
  return {
    weight: uniformWithin(weightKey!, [outputs, inputs], bound, dtype),
    bias: uniformWithin(biasKey!, [outputs], bound, dtype),
  };
}

/** Parameters of {@linkcode embedding}, as `torch.nn.Embedding` names them. */
export interface EmbeddingParams {
  /** (entries, features) */
  weight: TensorLike;
}

/**
 * A vector for each of the ids: rows of the weights. Gradients of rows that are picked several
 * times add up; PyTorch's `padding_idx`, a row without a gradient, is a `where` or mask of yours.
 *
 * @param params `weight` (entries, features).
 * @param ids Whole numbers from 0 to entries − 1, of any shape.
 * @returns The shape of the ids with an axis of features behind.
 * @throws {TypeError} If a parameter is missing or left over, or ids are not whole numbers.
 * @throws {RangeError} If an id names no row.
 *
 * @example Genes by number
 * ```ts
 * import { embedding } from "@cellgrad/cellgrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const params = { weight: [[1, 2], [3, 4]] };
 * assertEquals(embedding(params, [1, 0, 1]).toArray(), [[3, 4], [1, 2], [3, 4]]);
 * ```
 */
export function embedding(params: EmbeddingParams, ids: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("embedding", "ids", 2, arguments);
  const { weight } = readParams({ caller: "embedding", path: "params" }, params, ["weight"]);
  checkAxes("embedding", "params.weight", weight, ["entries", "features"]);
  return gather(weight, checkLabels("embedding", ids, weight.shape[0]!, { argument: "ids" }));
}

/**
 * Parameters of an embedding: standard normal numbers, as those of PyTorch.
 *
 * @param key A random key.
 * @param entries How many ids there are.
 * @param features How long the vectors are.
 * @param options `dtype`, `float32` by default.
 * @returns `{ weight }`, (entries, features).
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If an extent is not a whole number of at least 1.
 *
 * @example A vocabulary of 1,000 genes
 * ```ts
 * import { embedding, initEmbedding } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(embedding(initEmbedding(key(0), 1000, 16), [[1, 2, 3]]).shape, [1, 3, 16]);
 * ```
 */
export function initEmbedding(
  key: Tensor,
  entries: number,
  features: number,
  options: InitOptions = {},
): Initialized<EmbeddingParams> {
  if (arguments.length > 4) refuseMore("initEmbedding", "options", 4, arguments);
  const [own] = keysFor("initEmbedding", key, 1);
  checkCount("initEmbedding", "entries", entries);
  checkCount("initEmbedding", "features", features);
  const dtype = readDType("initEmbedding", options);
  return { weight: normal(own!, [entries, features], { dtype }) };
}
