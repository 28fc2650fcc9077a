/**
 * Layers of neural networks: pure functions of parameters, which are plain objects of tensors under
 * the names of PyTorch's `state_dict`.
 *
 * A layer is a function `layer(params, x, options)`. Nothing is kept in between: running statistics
 * and states are returned, randomness comes from keys that are passed, and what has no key drops
 * nothing. Parameters come from an initializer, or from a file by {@linkcode fromStateDict}; the
 * trees are what `grad` and optimizers take. A parameter that is missing or left over is a
 * `TypeError` that names it.
 *
 * @example Training a small network
 * ```ts
 * import { type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
 * import { initMlp, mlp } from "@cellgrad/cellgrad/nn";
 * import { adam } from "@cellgrad/cellgrad/optim";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertLess } from "@std/assert";
 *
 * const [x, y] = [tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([[0], [1], [1], [0]])];
 * let params = initMlp(key(0), [2, 16, 1]);
 * const loss = (p: typeof params) => mlp(p, x, { activation: "tanh" }).sub(y).square().mean();
 *
 * const optimizer = adam({ learningRate: 0.05 });
 * let state = optimizer.init(params);
 * for (let i = 0; i < 150; i++) {
 *   const [, gradient] = valueAndGrad(loss)(params);
 *   ({ params, state } = optimizer.update(gradient, state, params));
 * }
 * assertLess(loss(params).item(), 0.01);
 * ```
 *
 * @module
 */
export type { Activation } from "./activations.ts";
export {
  type AttentionMasks,
  initMultiHeadAttention,
  type InitMultiHeadAttentionOptions,
  multiHeadAttention,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
} from "./attention.ts";
export { dropout, type DropoutOptions } from "./dropout.ts";
export {
  embedding,
  type EmbeddingParams,
  initEmbedding,
  initLinear,
  linear,
  type LinearParams,
} from "./linear.ts";
export { initMlp, mlp, type MlpOptions, type MlpParams, type Numbered } from "./mlp.ts";
export {
  batchNorm,
  type BatchNormOptions,
  type BatchNormResult,
  type BatchNormState,
  initBatchNorm,
  initLayerNorm,
  layerNorm,
  type LayerNormLayerOptions,
  type NormParams,
} from "./norm.ts";
export type { Initialized, InitOptions } from "./params.ts";
export {
  gru,
  type GruOptions,
  type GruResult,
  initGru,
  initLstm,
  type InitRecurrentOptions,
  lstm,
  type LstmOptions,
  type LstmResult,
  type LstmState,
  type RecurrentParams,
} from "./recurrent.ts";
export {
  fromStateDict,
  type FromStateDictOptions,
  type ParamTree,
  toStateDict,
} from "./state_dict.ts";
export {
  initTransformerEncoder,
  initTransformerEncoderLayer,
  type InitTransformerEncoderLayerOptions,
  type InitTransformerEncoderOptions,
  transformerEncoder,
  transformerEncoderLayer,
  type TransformerEncoderLayerOptions,
  type TransformerEncoderLayerParams,
  type TransformerEncoderParams,
} from "./transformer.ts";
