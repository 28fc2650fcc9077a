/** What layers say when they are misused. */
import { assertEquals, assertThrows } from "@std/assert";
import { key, type Tensor, tensor, zeros } from "../../mod.ts";
import * as nn from "../../src/nn/mod.ts";

const k = key(0);
const dense = { weight: zeros([3, 2]), bias: zeros([3]) };
const attention = nn.initMultiHeadAttention(k, { dModel: 4, heads: 2 });
const layer = nn.initTransformerEncoderLayer(k, { dModel: 4, heads: 2, feedForward: 3 });
const norm = nn.initBatchNorm(2);
const rnn = nn.initLstm(k, 3, 2);
const x = zeros([2, 3, 4]);
const call = (f: unknown, ...args: unknown[]) => () => (f as (...a: unknown[]) => void)(...args);

type Row = [call: () => void, kind: typeof TypeError | typeof RangeError, message: string];

const ROWS: Row[] = [
  [
    call(nn.multiHeadAttention, attention, x, x, x, {
      heads: 2,
      keyPaddingMask: tensor([[0, 0, 1], [0, 1, 1]], { dtype: "int32" }),
    }),
    TypeError,
    "multiHeadAttention as keyPaddingMask must be booleans, which hide where they are true, or " +
    "floating numbers, which are added to scores: of whole numbers, take equal(mask, 0) where 0 " +
    "hides: current dtype is int32",
  ],
  [
    call(nn.linear, { weights: dense.weight, bias: dense.bias }, [[1, 2]]),
    TypeError,
    "linear as params must have weight, and may have bias: missing is weight; left over is weights",
  ],
  [
    call(nn.linear, dense, [[1, 2, 3]]),
    TypeError,
    "linear as x must have 2 features along its last axis, as the weights do: " +
    "current shape is [1, 3]",
  ],
  [
    call(nn.linear, { weight: [1, 2] }, [[1, 2]]),
    TypeError,
    "linear as params.weight must have the shape [outputs, inputs]: current shape is [2]",
  ],
  [
    call(nn.embedding, { weight: zeros([3, 2]) }, [0, 3]),
    RangeError,
    "embedding as ids must be in [0, 2]: current value at position 1 is 3",
  ],
  [
    call(nn.layerNorm, { weight: [1, 1], bias: [0, 0, 0] }, [[1, 2]]),
    TypeError,
    "layerNorm as x must have 3 features along its last axis, as the weights do: " +
    "current shape is [1, 2]",
  ],
  [
    call(nn.batchNorm, norm.params, [[1, 2]], { state: norm.state, training: true }),
    TypeError,
    "batchNorm as x must have the axes batch and channels, with more than one value per channel " +
    "in training: current shape is [1, 2]",
  ],
  [
    call(nn.batchNorm, norm.params, [[1, 2]], { training: false }),
    TypeError,
    "batchNorm as state must be a plain object: current value is undefined",
  ],
  [
    call(nn.batchNorm, norm.params, [[1, 2]], { state: norm.state }),
    TypeError,
    "batchNorm as training must be true or false: current value is undefined",
  ],
  [
    call(nn.dropout, [1], { rate: 1 }),
    RangeError,
    "dropout as rate must be a finite number at least 0 and below 1: current value is 1",
  ],
  [
    call(nn.dropout, [1], { rate: 0.1, key: 7 }),
    TypeError,
    "dropout as key must be a random key, made by key, splitKey (split of ./random) or foldIn: current value is 7: " +
    "key(7) makes one",
  ],
  [
    call(nn.multiHeadAttention, attention, x, x, x, { heads: 3 }),
    RangeError,
    "multiHeadAttention as heads must divide the number of features: current values are 3 and 4",
  ],
  [
    call(nn.multiHeadAttention, { ...attention, bias_k: [1] }, x, x, x, { heads: 2 }),
    TypeError,
    "multiHeadAttention as params must have in_proj_weight, out_proj, and may have in_proj_bias: " +
    "left over is bias_k",
  ],
  [
    call(nn.multiHeadAttention, attention, x, x, x, { heads: 2, mask: zeros([3, 2]) }),
    TypeError,
    "multiHeadAttention as mask must have the shape [3, 3]: current shape is [3, 2]",
  ],
  [
    call(nn.multiHeadAttention, attention, x, zeros([2, 5, 4]), x, { heads: 2 }),
    TypeError,
    "multiHeadAttention as value must have the shape [2, 5, features]: current shape is [2, 3, 4]",
  ],
  [
    call(nn.transformerEncoderLayer, { ...layer, linear1: {} }, x, { heads: 2 }),
    TypeError,
    "transformerEncoderLayer as params.linear1 must have weight, and may have bias: " +
    "missing is weight",
  ],
  [
    call(nn.transformerEncoderLayer, { ...layer, linear2: { weight: zeros([1, 3]) } }, x, {
      heads: 2,
    }),
    TypeError,
    "transformerEncoderLayer as params must lead back to as many features as come in: " +
    "current shapes are [2, 3, 4] and [2, 3, 1]",
  ],
  [
    call(nn.transformerEncoderLayer, layer, x, { heads: 2, activation: "swish" }),
    TypeError,
    "transformerEncoderLayer as activation must be one of relu, gelu, silu, leakyRelu, tanh, " +
    "sigmoid, softplus: current value is swish",
  ],
  [
    call(nn.transformerEncoder, { layers: { 0: layer, 2: layer } }, x, { heads: 2 }),
    TypeError,
    "transformerEncoder as params.layers must have 0, 1: missing is 1; left over is 2",
  ],
  [
    call(nn.transformerEncoder, { layers: {} }, x, { heads: 2 }),
    TypeError,
    'transformerEncoder as params.layers must have layers by their numbers, "0" and so on: ' +
    "there are none",
  ],
  [
    call(nn.lstm, { ...rnn, weight_ih_l0_reverse: zeros([8, 3]) }, zeros([4, 1, 3])),
    TypeError,
    "lstm as params must have weight_ih_l0, weight_hh_l0, and may have bias_ih_l0, bias_hh_l0: " +
    "left over is weight_ih_l0_reverse",
  ],
  [
    call(nn.lstm, rnn, zeros([4, 1, 3]), { state: { h: zeros([1, 2]), c: zeros([1, 1, 2]) } }),
    TypeError,
    "lstm as state.c must have the shape [1, 2]: current shape is [1, 1, 2]",
  ],
  [
    call(nn.gru, rnn, zeros([4, 1, 3])),
    TypeError,
    "gru as params.weight_hh_l0 must have the shape [6, 2]: current shape is [8, 2]",
  ],
  [
    call(nn.mlp, { 0: dense, 1: dense }, [[1, 2]]),
    TypeError,
    "mlp as activations have numbers in params, too, as in torch.nn.Sequential: " +
    "current layers are 0 and 1, with none between them",
  ],
  [
    call(nn.mlp, { hidden: dense }, [[1, 2]]),
    TypeError,
    'mlp as params must have layers by their numbers, "0" and so on: current value is "hidden"',
  ],
  [
    call(nn.initMlp, k, [3]),
    TypeError,
    "initMlp as features must have two numbers or more: current value is [3]",
  ],
  [
    call(nn.initLinear, k, 3, 2, { dtype: "int32" }),
    TypeError,
    "initLinear as dtype must be float32 or float64: current value is int32",
  ],
  [
    call(nn.fromStateDict, { "a.b": 1, a: 2 }),
    TypeError,
    "fromStateDict as a name must be that of a tensor or of a branch: " +
    'both are on the way to "a"',
  ],
  [
    call(nn.fromStateDict, { "a..b": 1 }),
    TypeError,
    "fromStateDict as names must have between 1 and 200 parts between dots, none of them empty: " +
    'current value is "a..b"',
  ],
  [
    call(nn.fromStateDict, { "a.weight": [1], "a.scale": [2] }, { like: { a: dense } }),
    TypeError,
    "fromStateDict as tensors must have the names of like: missing is a.bias; left over is a.scale",
  ],
  [
    call(nn.fromStateDict, { weight: zeros([2, 3]), bias: zeros([3]) }, { like: dense }),
    TypeError,
    "fromStateDict as weight must have the shape [3, 2]: current shape is [2, 3]",
  ],
  [
    call(nn.toStateDict, { "a.b": [1] }),
    TypeError,
    "toStateDict as tree must be an object or array whose keys have no dots and are not empty: " +
    'current key is "a.b"',
  ],
];

for (const [f, kind, message] of ROWS) {
  Deno.test(`./nn says: ${message}`, () => {
    assertEquals(assertThrows(f, kind).message, `Cannot compute ${message}`);
  });
}

Deno.test("fromStateDict() keeps numbers as keys, and toStateDict() names places in arrays", () => {
  const w = tensor([1]);
  const tree = nn.fromStateDict({ "net.2.weight": w, "net.10.weight": w, scale: w });
  assertEquals(tree, { net: { 2: { weight: w }, 10: { weight: w } }, scale: w });
  assertEquals(Object.keys(nn.toStateDict({ net: [{ weight: w }, { weight: w }] })), [
    "net.0.weight",
    "net.1.weight",
  ]);
  const own: Tensor = nn.fromStateDict<{ scale: Tensor }>({ scale: w }).scale;
  assertEquals(own, w);
});

Deno.test("fromStateDict() names at most eight of what is missing", () => {
  const like = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`p${i}`, zeros([1])]));
  const { message } = assertThrows(() => nn.fromStateDict({}, { like }), TypeError);
  assertEquals(message.endsWith("missing are p0, p1, p2, p3, p4, p5, p6, p7 and 2 more"), true);
});
