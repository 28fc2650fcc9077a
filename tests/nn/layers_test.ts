/** Laws of layers: derivatives of two orders, masks, dropout, states, types, initializers. */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import {
  compile,
  concat,
  expandDims,
  grad,
  greater,
  hvp,
  jvp,
  key,
  mean,
  normal,
  ones,
  slice,
  split,
  type Tensor,
  tensor,
  treeLeaves,
  treeMap,
  uniform,
  valueAndGrad,
  variance,
  where,
} from "../../mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const f64 = { dtype: "float64" } as const;
const numbers = (seed: number, ...shape: number[]) => normal(key(seed), shape, f64);
const HEADS = { heads: 2 };
const SIZE = { dModel: 4, feedForward: 5, ...HEADS, ...f64 };
const X = numbers(1, 2, 3, 4);

/** Layers as functions of parameters and of x. */
const LAYERS = {
  linear: [nn.initLinear(key(2), 4, 3, f64), nn.linear],
  embedding: [nn.initEmbedding(key(2), 3, 4, f64), (p) => nn.embedding(p, [[0, 2], [2, 1]])],
  layerNorm: [{ weight: numbers(2, 4), bias: numbers(3, 4) }, nn.layerNorm],
  batchNorm: [
    { weight: numbers(2, 3), bias: numbers(3, 3) },
    (p, x) => nn.batchNorm(p, x, { state: nn.initBatchNorm(3, f64).state, training: true }).output,
  ],
  multiHeadAttention: [
    nn.initMultiHeadAttention(key(2), { dModel: 4, ...HEADS, ...f64 }),
    (p, x) => nn.multiHeadAttention(p, x, x, x, HEADS),
  ],
  transformerEncoderLayer: [
    nn.initTransformerEncoderLayer(key(2), SIZE),
    (p, x) => nn.transformerEncoderLayer(p, x, { ...HEADS, activation: "gelu" }),
  ],
  transformerEncoder: [
    nn.initTransformerEncoder(key(2), { layers: 2, ...SIZE }),
    (p, x) => {
      const options = { ...HEADS, activation: "silu", dropout: 0.2, key: key(9) } as const;
      return nn.transformerEncoder(p, x, options);
    },
  ],
  lstm: [nn.initLstm(key(2), 4, 2, { layers: 2, ...f64 }), (p, x) => nn.lstm(p, x).outputs],
  gru: [nn.initGru(key(2), 4, 2, { layers: 2, ...f64 }), (p, x) => nn.gru(p, x).outputs],
  mlp: [
    nn.initMlp(key(2), [4, 3, 2], f64),
    (p, x) => nn.mlp(p, x, { activation: "softplus" }),
  ],
} satisfies Record<string, [object, Layer]>;

// deno-lint-ignore no-explicit-any
type Layer = (params: any, x: Tensor) => Tensor;

for (const [name, [params, layer]] of Object.entries(LAYERS) as [string, [object, Layer]][]) {
  const leaves = treeLeaves(params);
  const f = (...given: Tensor[]) => {
    let at = 0;
    return layer(treeMap(() => given[at++]!, params), given.at(-1)!).sin().sum();
  };

  Deno.test(`${name}() has the gradients of its differences, by parameters and x`, () => {
    checkGradients(f, [...leaves, X]);
  });

  Deno.test(`${name}() has second derivatives, forward and back`, () => {
    const whole = (w: Tensor) => f(w, ...leaves.slice(1), X);
    const [w, v] = [leaves[0]!, numbers(5, ...leaves[0]!.shape)];
    const step = 1e-5;
    const apart = grad(whole)(w.add(v.mul(step))).sub(grad(whole)(w.sub(v.mul(step))));
    assertAllClose(hvp(whole)(w, v), apart.div(2 * step), { rtol: 1e-5, atol: 1e-7 });
    const [, pushed] = jvp(whole, [w], [v]);
    assertAllClose(pushed, grad(whole)(w).mul(v).sum(), { rtol: 1e-10, atol: 1e-12 });
  });

  Deno.test(`${name}() keeps the type of its parameters`, () => {
    assertEquals(layer(params, X).dtype, "float64");
    const narrow = treeMap((x: Tensor) => x.cast("float32"), params);
    assertEquals(layer(narrow, X.cast("float32")).dtype, "float32");
    assertAllClose(layer(narrow, X.cast("float32")), layer(params, X), { rtol: 1e-4, atol: 1e-5 });
  });
}

Deno.test("multiHeadAttention() takes nothing from hidden tokens, and gives them nothing", () => {
  const [params] = LAYERS.multiHeadAttention;
  const keyPaddingMask = [[false, false, true], [false, true, true]];
  const f = (key: Tensor) => {
    return nn.multiHeadAttention(params, X, key, key, { ...HEADS, keyPaddingMask });
  };
  const slopes = grad((x: Tensor) => f(x).sin().sum())(X);
  const bySample = slopes.abs().sum({ axis: -1 }).toArray();
  for (const [i, row] of keyPaddingMask.entries()) {
    row.forEach((hidden, j) => assertEquals(bySample[i]![j] === 0, hidden));
  }
});

Deno.test("multiHeadAttention() does not look at hidden tokens, whatever they hold", async () => {
  const [params] = LAYERS.multiHeadAttention;
  const keyPaddingMask = [[false, false, true], [false, true, true]];
  const hidden = expandDims(tensor(keyPaddingMask), 2);
  const f = (p: typeof params, key: Tensor, value: Tensor) => {
    const options = { ...HEADS, keyPaddingMask };
    return valueAndGrad(
      (own: typeof params) => nn.multiHeadAttention(own, X, key, value, options).sin().sum(),
    )(p);
  };
  const [value, slopes] = f(params, X, X);
  for (const odd of [NaN, Infinity]) {
    const holed = where(hidden, odd, X);
    await using program = await compile(f, [params, holed, holed]);
    for (const found of [f(params, holed, holed), await program(params, holed, holed)]) {
      assertAlmostEquals(found[0].item(), value.item(), 1e-13);
      const expected = treeLeaves(slopes);
      treeLeaves(found[1]).forEach((x, i) =>
        assertAllClose(x, expected[i]!, { rtol: 1e-14, atol: 1e-15 })
      );
    }
  }
});

Deno.test("multiHeadAttention() gives a query without keys the bias of its last layer", () => {
  const params = {
    ...LAYERS.multiHeadAttention[0],
    out_proj: { weight: numbers(3, 4, 4), bias: numbers(4, 4) },
  };
  const options = {
    ...HEADS,
    mask: [[true, true, true], [false, false, true], [true, false, false]],
  };
  const f = (x: Tensor) => nn.multiHeadAttention(params, x, x, x, options);
  assertEquals(slice(f(X), [0, 0], [1, 1]).reshape(4).toArray(), params.out_proj.bias.toArray());
  assert(grad((x: Tensor) => f(x).sum())(X).data.every(Number.isFinite));
});

Deno.test("multiHeadAttention() gives zeros to a query from which two masks together hide all", () => {
  const params = nn.initMultiHeadAttention(key(0), { dModel: 4, ...HEADS, ...f64 });
  const x = numbers(1, 1, 2, 4);
  const mask = [[true, false], [true, false]];
  const options = { ...HEADS, mask, keyPaddingMask: [[false, true]] };
  assertEquals([...nn.multiHeadAttention(params, x, x, x, options).data], Array(8).fill(0));
});

Deno.test("multiHeadAttention() of very many tokens is that of some queries at a time", async () => {
  const [params] = LAYERS.multiHeadAttention;
  const count = 1500;
  const x = numbers(7, 1, count, 4);
  const hidden = greater(uniform(key(8), [count, count]), 0.7);
  const keyPaddingMask = greater(uniform(key(9), [1, count]), 0.9);
  const attend = (queries: Tensor, mask: Tensor, x: Tensor) =>
    nn.multiHeadAttention(params, queries, x, x, { ...HEADS, mask, keyPaddingMask });
  const whole = (x: Tensor) => attend(x, hidden, x);
  const apart = (x: Tensor) =>
    concat(
      split(x, 2, { axis: 1 }).map((queries, i) => attend(queries, split(hidden, 2)[i]!, x)),
      { axis: 1 },
    );
  const slopes = (f: (x: Tensor) => Tensor) => (x: Tensor) => [
    f(x),
    grad((x: Tensor) => f(x).sin().sum())(x),
  ];
  await using program = await compile(slopes(whole), [x]);
  await using expected = await compile(slopes(apart), [x]);
  assert(program.explain().includes("mapRowBlocks"));
  assert(!expected.explain().includes("mapRowBlocks"));
  const [found, wanted] = [await program(x), await expected(x)];
  wanted.forEach((y, i) => assertAllClose(found[i]!, y, { rtol: 1e-9, atol: 1e-12 }));
  assertAllClose(whole(x), wanted[0]!, { rtol: 1e-9, atol: 1e-12 });
});

Deno.test("dropout in the attention of very many tokens is a function of its key", () => {
  const layer = nn.initTransformerEncoderLayer(key(2), SIZE);
  const x = numbers(7, 1, 1500, 4);
  const run = (seed: number, dropout: number) =>
    nn.transformerEncoderLayer(layer, x, { ...HEADS, dropout, key: key(seed) });
  const dropped = run(3, 0.2);
  assertEquals(run(3, 0.2), dropped);
  assertNotEquals(run(4, 0.2), dropped);
  assert(dropped.data.every(Number.isFinite));
});

Deno.test("masks of numbers are added: far below, they hide as booleans do", () => {
  const [params] = LAYERS.multiHeadAttention;
  const run = (mask: number[][] | boolean[][], keyPaddingMask: number[][] | boolean[][]) =>
    nn.multiHeadAttention(params, X, X, X, { ...HEADS, mask, keyPaddingMask });
  const hidden = run(
    [[false, true, false], [false, false, false], [false, true, false]],
    [[false, false, true], [false, false, false]],
  );
  const low = -1e9;
  const added = run([[0, low, 0], [0, 0, 0], [0, low, 0]], [[0, 0, low], [0, 0, 0]]);
  assertAllClose(added, hidden, { rtol: 1e-12, atol: 1e-14 });
});

Deno.test("dropout() keeps the mean, drops its share, and does nothing without a key", () => {
  const x = ones([10_000]);
  const dropped = nn.dropout(x, { rate: 0.3, key: key(1) });
  assertAlmostEquals(dropped.mean().item(), 1, 0.03);
  assertAlmostEquals(dropped.equal(0).cast("float32").mean().item(), 0.3, 0.02);
  assertEquals(nn.dropout(x, { rate: 0.3 }), x);
  assertEquals(nn.dropout(x, { rate: 0, key: key(1) }), x);
  const slopes = grad((x: Tensor) => nn.dropout(x, { rate: 0.3, key: key(1) }).sum())(x);
  assertEquals(slopes.data, dropped.data);
});

Deno.test("dropout() draws anew for every key that a program is given", async () => {
  const x = ones([64]);
  const f = (k: Tensor) => nn.dropout(x, { rate: 0.5, key: k });
  await using program = await compile(f, [key(1)]);
  assertEquals((await program(key(1))).data, f(key(1)).data);
  assertEquals((await program(key(2))).data, f(key(2)).data);
  assertNotEquals(f(key(1)).data, f(key(2)).data);
});

Deno.test("layers of an encoder drop by keys of their own, and nothing without one", () => {
  const [params] = LAYERS.transformerEncoder;
  const run = (options: object) => nn.transformerEncoder(params, X, { ...HEADS, ...options });
  assertEquals(run({ dropout: 0.5 }).data, run({}).data);
  assertNotEquals(run({ dropout: 0.5, key: key(1) }).data, run({ dropout: 0.5, key: key(2) }).data);
});

Deno.test("batchNorm() leads to the statistics of all batches", () => {
  let { params, state } = nn.initBatchNorm(2, f64);
  const x = numbers(3, 50, 2).mul([2, 3]).add([5, -1]);
  for (let i = 0; i < 200; i++) ({ state } = nn.batchNorm(params, x, { state, training: true }));
  assertAllClose(state.running_mean, mean(x, { axis: 0 }), { rtol: 1e-6 });
  assertAllClose(state.running_var, variance(x, { axis: 0, correction: 1 }), { rtol: 1e-6 });
  const { output, state: same } = nn.batchNorm(params, x, { state, training: false });
  assertEquals(same, state);
  assertAllClose(output.mean({ axis: 0 }), [0, 0], { atol: 1e-6 });
});

Deno.test("batchNorm() has no gradient by way of its running statistics", () => {
  const { params, state } = nn.initBatchNorm(4, f64);
  const f = (x: Tensor) =>
    treeLeaves(nn.batchNorm(params, x, { state, training: true }).state)
      .reduce((a, b) => a.add(b)).sum();
  assertEquals(grad(f)(numbers(1, 3, 4)).abs().sum().item(), 0);
});

for (const name of ["lstm", "gru"] as const) {
  Deno.test(`${name}() goes on from a state as if it had not stopped`, () => {
    const params = LAYERS[name][0];
    const x = numbers(4, 5, 2, 4);
    const [begin, end] = x.split([3, 2]);
    const run = (x: Tensor, state?: object) =>
      name === "lstm"
        ? nn.lstm(params, x, state as nn.LstmOptions)
        : nn.gru(params, x, state as nn.GruOptions);
    const first = run(begin!);
    const second = run(end!, { state: first.state });
    const whole = run(x);
    assertEquals(second.outputs.data, whole.outputs.slice(3).data);
    assertEquals(treeLeaves(second.state), treeLeaves(whole.state));
  });
}

Deno.test("initializers give the numbers of PyTorch's distributions", () => {
  const { weight, bias } = nn.initLinear(key(0), 100, 80);
  for (const { data } of [weight, bias]) assert(data.every((v) => Math.abs(v) <= 0.1));
  assertAlmostEquals(weight.variance().item(), 0.01 / 3, 2e-4);
  const { in_proj_weight, out_proj } = nn.initMultiHeadAttention(key(0), { dModel: 64, heads: 4 });
  assertAlmostEquals(in_proj_weight.variance().item(), 6 / (4 * 64) / 3, 4e-4);
  assertEquals(out_proj.bias.abs().sum().item(), 0);
  assertAlmostEquals(nn.initEmbedding(key(0), 100, 50).weight.variance().item(), 1, 0.1);
  const { weight_ih_l1 } = nn.initLstm(key(0), 3, 16, { layers: 2 });
  assertEquals(weight_ih_l1!.shape, [64, 16]);
  assert(weight_ih_l1!.data.every((v) => Math.abs(v) <= 0.25));
});

Deno.test("initializers give every parameter numbers of its own", () => {
  const leaves = treeLeaves(nn.initTransformerEncoder(key(0), { layers: 2, ...SIZE }))
    .filter((x) => x.rank === 2);
  const firsts = leaves.map((x) => x.data[0]! / Math.sqrt(x.size));
  assertEquals(new Set(firsts).size, leaves.length);
});

Deno.test("plain numbers do as parameters and inputs, in the type of the weights", () => {
  const weight = tensor([[0.1]], f64);
  assertEquals(nn.linear({ weight }, [[0.1]]).item(), 0.1 * 0.1);
  assertEquals(nn.linear({ weight: [[2]], bias: [1] }, [3]).toArray(), [7]);
});
