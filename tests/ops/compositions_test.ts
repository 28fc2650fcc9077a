import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { rowProducts } from "../../src/ops/linalg.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { scalarFunction } from "../kernels/functions/scalar_function.ts";
import { numbers, RUNS, tensors } from "./arbitraries.ts";

type Values = number[][];

const sum = (v: number[]) => v.reduce((a, b) => a + b, 0);
const mean = (v: number[]) => sum(v) / v.length;
const spread = (v: number[]) => mean(v.map((x) => (x - mean(v)) ** 2));
const length = (v: number[]) => Math.hypot(...v);
const ordered = (v: number[]) => [...v].sort((a, b) => a - b);
const each = (f: (x: number) => number) => (rows: Values) => rows.map((row) => row.map(f));
const column = (f: (row: number[]) => number) => (rows: Values) => rows.map((row) => f(row));

const geluByTanh = (x: number) =>
  x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) / 2;

/** Functions of a matrix, and the same in plain arrays. */
const ROWS: [string, (x: cg.Tensor) => cg.Tensor, (x: Values) => cg.NestedArray, 0 | 1 | 2][] = [
  ["square", cg.square, each((x) => x ** 2), 2],
  ["rsqrt", (x) => cg.rsqrt(x.square().add(1)), each((x) => 1 / Math.sqrt(x ** 2 + 1)), 2],
  ["reciprocal", cg.reciprocal, each((x) => x ** -1), 2],
  ["silu", cg.silu, each((x) => x / (1 + Math.exp(-x))), 2],
  ["gelu", cg.gelu, each((x) => x * (1 + scalarFunction("erf")(x / Math.SQRT2)) / 2), 2],
  ["gelu by tanh", (x) => cg.gelu(x, { approximate: "tanh" }), each(geluByTanh), 2],
  ["elu", (x) => cg.elu(x, { alpha: 2 }), each((x) => x > 0 ? x : 2 * (Math.exp(x) - 1)), 2],
  [
    "hardtanh",
    (x) => cg.hardtanh(x, { min: -5, max: 5 }),
    each((x) => Math.max(-5, Math.min(x, 5))),
    2,
  ],
  ["nanToNum", (x) => cg.nanToNum(x.log()), each((x) => x < 0 ? 0 : Math.log(x)), 2],
  ["logSigmoid", cg.logSigmoid, each((x) => Math.log(1 / (1 + Math.exp(-x)))), 2],
  ["relu", cg.relu, each((x) => x > 0 ? x : 0), 2],
  ["leakyRelu", cg.leakyRelu, each((x) => x > 0 ? x : 0.01 * x), 2],
  ["mean", (x) => cg.mean(x, { axis: 1 }), column(mean), 2],
  ["variance", (x) => cg.variance(x, { axis: 1 }), column(spread), 2],
  [
    "variance with a correction",
    (x) => cg.variance(x, { axis: 1, correction: 1 }),
    column((v) => sum(v.map((x) => (x - mean(v)) ** 2)) / (v.length - 1)),
    2,
  ],
  ["norm", (x) => cg.norm(x, { axis: 1 }), column(length), 2],
  ["std", (x) => cg.std(x, { axis: 1 }), column((v) => Math.sqrt(spread(v))), 2],
  ["prod", (x) => cg.prod(x, { axis: 1 }), column((v) => v.reduce((a, b) => a * b, 1)), 2],
  ["median", (x) => cg.median(x, { axis: 1 }), column((v) => ordered(v)[1]!), 2],
  [
    "quantile",
    (x) => cg.quantile(x, [0.2, 1], { axis: 1 }),
    (rows) =>
      [(v: number[]) => 0.6 * v[0]! + 0.4 * v[1]!, (v: number[]) => v[2]!].map((at) =>
        rows.map((v) => at(ordered(v)))
      ),
    2,
  ],
  [
    "logSumExp",
    (x) => cg.logSumExp(x, { axis: 1 }),
    column((v) => Math.log(sum(v.map(Math.exp)))),
    2,
  ],
  [
    "softmax",
    (x) => cg.softmax(x),
    (rows) => rows.map((v) => v.map((x) => Math.exp(x) / sum(v.map(Math.exp)))),
    2,
  ],
  [
    "logSoftmax",
    (x) => cg.logSoftmax(x),
    (rows) => rows.map((v) => v.map((x) => x - Math.log(sum(v.map(Math.exp))))),
    2,
  ],
  [
    "l2Normalize",
    (x) => cg.l2Normalize(x),
    (rows) => rows.map((v) => v.map((x) => x / length(v))),
    2,
  ],
  [
    "layerNorm",
    (x) => cg.layerNorm(x, { scale: 2, shift: [1, 2, 3] }),
    (rows) =>
      rows.map((v) => v.map((x, i) => (x - mean(v)) / Math.sqrt(spread(v) + 1e-5) * 2 + i + 1)),
    2,
  ],
  [
    "stack",
    (x) => cg.stack([x, x.mul(2)], { axis: 1 }),
    (rows) => rows.map((v) => [v, v.map((x) => 2 * x)]),
    2,
  ],
  ["split", (x) => cg.split(x, [1, 2], { axis: 1 })[1]!, (rows) => rows.map((v) => v.slice(1)), 2],
  ["squeeze", (x) => cg.squeeze(cg.slice(x, [0, 1], [2, 2])), column((v) => v[1]!), 2],
  [
    "expandDims",
    (x) => cg.expandDims(x, [0, -1]),
    (rows) => [rows.map((v) => v.map((x) => [x]))],
    2,
  ],
  ["sort", (x) => cg.sort(x), (rows) => rows.map((v) => [...v].sort((a, b) => a - b)), 2],
  [
    "topK",
    (x) => cg.topK(x, 2).values,
    (rows) => rows.map((v) => [...v].sort((a, b) => b - a).slice(0, 2)),
    2,
  ],
  [
    "topK of the smallest",
    (x) => cg.topK(x, 1, { largest: false }).values,
    (rows) => rows.map((v) => [Math.min(...v)]),
    2,
  ],
  [
    "cosineSimilarity",
    (x) => cg.cosineSimilarity(x),
    (rows) =>
      rows.map((v) => rows.map((w) => sum(v.map((x, i) => x * w[i]!)) / length(v) / length(w))),
    2,
  ],
  ["greater", (x) => cg.cast(cg.greater(x, 0), "float64"), each((x) => +(x > 0)), 0],
  ["greaterEqual", (x) => cg.cast(cg.greaterEqual(x, 0), "float64"), each((x) => +(x >= 0)), 0],
  ["isNaN", (x) => cg.cast(cg.isNaN(x.log()), "float64"), each((x) => +(x < 0)), 0],
];

const matrices = tensors([2, 3], numbers([-3, 3], [0])).filter((x) => {
  const v = Array.from(x.data);
  return v.every((a, i) => v.every((b, j) => i === j || Math.abs(a - b) > 1e-3));
});

for (const [name, call, reference, order] of ROWS) {
  Deno.test(`${name}() of a matrix is what plain arrays give`, () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const expected = cg.tensor(reference(x.toArray() as Values), { dtype: "float64" });
        assertAllClose(call(x), expected, { rtol: 1e-11, atol: 1e-12 });
      }),
      { ...RUNS, numRuns: 50 },
    );
  });
  if (order === 0) continue;
  Deno.test(`${name}() of a matrix has the right first and second derivatives`, () => {
    fc.assert(
      fc.property(matrices, (x) => {
        checkGradients((y) => call(y).square(), [x], { order: 2, rtol: 1e-5, atol: 1e-6 });
      }),
      RUNS,
    );
  });
}

Deno.test("softmax() over two axes sums to one over both", () => {
  const y = cg.softmax(cg.arange(12).reshape([2, 2, 3]), { axis: [1, 2] });
  assertAllClose(y.sum({ axis: [1, 2] }), [1, 1]);
});

Deno.test("logSumExp() keeps dimensions where asked", () => {
  assertEquals(cg.logSumExp([[1, 2], [3, 4]], { axis: 1, keepDims: true }).shape, [2, 1]);
});

Deno.test("oneHot() has a single one per label", () => {
  assertEquals(cg.oneHot([[1], [0]], 3).toArray(), [[[0, 1, 0]], [[1, 0, 0]]]);
  assertEquals(cg.oneHot([0], 1, { dtype: "float64" }).dtype, "float64");
});

Deno.test("topK() gives positions in order, and the first of equals", () => {
  assertEquals(cg.topK([1, 3, 3, 2], 3).indices.toArray(), [1, 2, 3]);
  assertEquals(cg.topK([[1, 5], [4, 2]], 1, { axis: 0 }).indices.toArray(), [[1, 0]]);
});

Deno.test("topK() gives NaN before all numbers, as max() and min() give it", async () => {
  const special = fc.constantFrom(NaN, NaN, Infinity, -Infinity, 0, 1, 3);
  const lists = fc.array(special, { minLength: 1, maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(
      lists,
      fc.boolean(),
      fc.integer({ min: 1, max: 20 }),
      async (list, largest, few) => {
        const k = Math.min(few, list.length);
        const f = (x: cg.Tensor) => ({
          ...cg.topK(x, k, { largest }),
          best: largest ? cg.max(x) : cg.min(x),
        });
        const x = cg.tensor(list);
        await using program = await cg.compile(f, [x]);
        const places = [...list.keys()].sort((a, b) => {
          const [p, q] = [list[a]!, list[b]!];
          return Number(q !== q) - Number(p !== p) ||
            (p === q || p !== p ? a - b : largest ? q - p : p - q);
        });
        for (const { values, indices, best } of [f(x), await program(x)]) {
          assertEquals(indices.toArray(), places.slice(0, k));
          assertEquals(values.at(0).item(), best.item());
        }
      },
    ),
    RUNS,
  );
});

Deno.test("topK() picks few of many as it picks all of them", () => {
  const x = cg.tensor(Float64Array.from({ length: 100 }, (_, i) => Math.sin(i * i)));
  assertEquals(cg.topK(x, 5).indices.toArray(), cg.topK(x, 100).indices.slice(0, 5).toArray());
});

const AMONG_ROWS = {
  pairwiseSquaredDistance: cg.pairwiseSquaredDistance,
  pairwiseDistance: (x: cg.Tensor, y: cg.Tensor) => cg.pairwiseDistance(x, y),
  cosineSimilarity: cg.cosineSimilarity,
  rowProducts,
} as const;

for (const [name, pairs] of Object.entries(AMONG_ROWS)) {
  Deno.test(`${name}() of a matrix with itself has the gradients of one with its copy`, () => {
    const weights = cg.tensor([[1, -2, 3], [0.5, 4, -1], [7, 2, 0.25]], { dtype: "float64" });
    const weighted = (x: cg.Tensor, y: cg.Tensor) => pairs(x, y).mul(weights).square().sum();
    fc.assert(
      fc.property(tensors([3, 2], numbers([0.5, 3])), (x) => {
        checkGradients((y) => weighted(y, y), [x], { order: 2, rtol: 1e-5, atol: 1e-6 });
        const copy = x.add(0);
        const [left, right] = cg.grad(weighted, { argnums: [0, 1] })(x, copy);
        const both = cg.grad((y: cg.Tensor) => weighted(y, y))(x);
        const close = { rtol: 1e-11, atol: 1e-11 };
        assertAllClose(both, left!.add(right!), close);
        // The same tensor in two places, of which each has its own gradient.
        const [first, second] = cg.grad(weighted, { argnums: [0, 1] })(x, x);
        assertAllClose(first!, left!, close);
        assertAllClose(second!, right!, close);
        assertAllClose(cg.grad(weighted, { argnums: 1 })(x, x), right!, close);
        assertAllClose(cg.grad((y: cg.Tensor) => weighted(y, x))(x), left!, close);
      }),
      { ...RUNS, numRuns: 30 },
    );
  });
}

Deno.test("cosineSimilarity() of two matrices is what plain arrays give, with its gradients", () => {
  const pair = fc.tuple(tensors([3, 2], numbers([0.5, 3])), tensors([2, 2], numbers([0.5, 3])));
  fc.assert(
    fc.property(pair, ([x, y]) => {
      const [rows, others] = [x, y].map((z) => z.toArray() as Values);
      const cosine = (v: number[], w: number[]) =>
        sum(v.map((a, i) => a * w[i]!)) / length(v) / length(w);
      const expected = rows!.map((v) => others!.map((w) => cosine(v, w)));
      const close = { rtol: 1e-11, atol: 1e-12 };
      assertAllClose(cg.cosineSimilarity(x, y), cg.tensor(expected, { dtype: "float64" }), close);
      const call = (a: cg.Tensor, b: cg.Tensor) => cg.cosineSimilarity(a, b).square();
      checkGradients(call, [x, y], { order: 2, rtol: 1e-5, atol: 1e-6 });
    }),
    { ...RUNS, numRuns: 30 },
  );
});
