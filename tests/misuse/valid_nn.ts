/** One valid call of every function of `./nn`. */
import * as cg from "../../mod.ts";
import * as nn from "../../src/nn/mod.ts";
import type { ValidCall } from "./valid_calls.ts";

const wave = (...shape: number[]) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return cg.tensor(Array.from({ length }, (_, i) => Math.sin(3 * i)), { shape });
};
const row = (name: keyof typeof nn, args: () => unknown[], options?: number): ValidCall => ({
  name,
  f: nn[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

const key = () => cg.key(1);
const dense = (outputs: number, inputs: number) => ({
  weight: wave(outputs, inputs),
  bias: wave(outputs),
});
const attention = () => ({
  in_proj_weight: wave(6, 2),
  in_proj_bias: wave(6),
  out_proj: dense(2, 2),
});
const layer = () => ({
  self_attn: attention(),
  linear1: dense(3, 2),
  linear2: dense(2, 3),
  norm1: { weight: wave(2), bias: wave(2) },
  norm2: { weight: wave(2), bias: wave(2) },
});
const recurrent = (gates: number) => ({
  weight_ih_l0: wave(2 * gates, 3),
  weight_hh_l0: wave(2 * gates, 2),
  bias_ih_l0: wave(2 * gates),
  bias_hh_l0: wave(2 * gates),
});
const masks = () => ({
  mask: [[false, true], [false, false]],
  keyPaddingMask: [[0, -1]],
});
const encoder = () => ({
  heads: 2,
  activation: "gelu",
  normFirst: true,
  dropout: 0.1,
  key: key(),
  epsilon: 1e-6,
  ...masks(),
});
const statistics = () => ({ running_mean: wave(3), running_var: [1, 2, 3] });

export const VALID_NN: readonly ValidCall[] = [
  row("linear", () => [dense(2, 3), wave(4, 3)]),
  row("initLinear", () => [key(), 3, 2, { dtype: "float64" }], 3),
  row("embedding", () => [{ weight: wave(4, 2) }, [0, 3]]),
  row("initEmbedding", () => [key(), 3, 2, { dtype: "float64" }], 3),
  row("layerNorm", () => [{ weight: wave(3), bias: wave(3) }, wave(2, 3), { epsilon: 1e-6 }], 2),
  row("initLayerNorm", () => [3, { dtype: "float64" }], 1),
  row("batchNorm", () => [
    { weight: wave(3), bias: wave(3) },
    wave(2, 3),
    { state: statistics(), training: true, epsilon: 1e-6, momentum: 0.2 },
  ], 2),
  row("initBatchNorm", () => [3, { dtype: "float64" }], 1),
  row("dropout", () => [wave(2, 3), { rate: 0.5, key: key() }], 1),
  row("multiHeadAttention", () => [
    attention(),
    wave(1, 2, 2),
    wave(1, 2, 2),
    wave(1, 2, 2),
    { heads: 2, ...masks() },
  ], 4),
  row("initMultiHeadAttention", () => [key(), { dModel: 4, heads: 2, dtype: "float64" }], 1),
  row("transformerEncoderLayer", () => [layer(), wave(1, 2, 2), encoder()], 2),
  row("initTransformerEncoderLayer", () => [
    key(),
    { dModel: 4, heads: 2, feedForward: 3, dtype: "float64" },
  ], 1),
  row("transformerEncoder", () => [
    { layers: { 0: layer() }, norm: { weight: wave(2), bias: wave(2) } },
    wave(1, 2, 2),
    encoder(),
  ], 2),
  row("initTransformerEncoder", () => [
    key(),
    { layers: 2, dModel: 4, heads: 2, feedForward: 3, dtype: "float64" },
  ], 1),
  row("lstm", () => [recurrent(4), wave(3, 1, 3), {
    state: { h: wave(1, 2), c: wave(1, 2) },
  }], 2),
  row("initLstm", () => [key(), 3, 2, { layers: 2, dtype: "float64" }], 3),
  row("gru", () => [recurrent(3), wave(3, 1, 3), { state: wave(1, 2) }], 2),
  row("initGru", () => [key(), 3, 2, { layers: 2, dtype: "float64" }], 3),
  row("mlp", () => [{ 0: dense(3, 2), 2: dense(1, 3) }, wave(4, 2), { activation: "tanh" }], 2),
  row("initMlp", () => [key(), [3, 4, 2], { dtype: "float64" }], 2),
  row("fromStateDict", () => [
    { "a.weight": wave(2), "a.bias": [1] },
    { like: { a: { weight: wave(2), bias: wave(1) } } },
  ], 1),
  row("toStateDict", () => [{ a: { weight: wave(2) }, b: [wave(1)] }]),
];
