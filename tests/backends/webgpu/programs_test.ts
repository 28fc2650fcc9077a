/** What programs on a device do besides arithmetic: checks, loops, steps of the host, plans. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as cg from "../../../mod.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { gpuTest, hosted, readAll } from "./gpu.ts";

type Tensor = cg.Tensor;

const random = (seed: number, shape: number[]) => cg.normal(cg.key(seed), shape);
const int = (...values: number[]) => cg.tensor(Int32Array.from(values));

const LABELS = "Cannot compute crossEntropyLoss as labels must be in [0, 1] or ignoreIndex -100: " +
  "current value at position 1 is 2";

gpuTest("labels from the host are checked before anything runs", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => cg.crossEntropyLoss(x, y);
  const logits = cg.tensor([[0, 1], [1, 0]]);
  await using program = await cg.compile(f, [logits, int(0, 1)], { device: gpu });
  const { submissions } = gpu.counters;
  const error = await assertRejects(() => program(logits, int(0, 2)), RangeError);
  assertEquals(error.message, LABELS);
  assertEquals(gpu.counters.submissions, submissions);
  const [loss] = await readAll([await program(logits, int(1, 0))]);
  assertAllClose(loss!, Math.log1p(Math.exp(-1)), { rtol: 1e-5 });
});

gpuTest("labels on the device are checked there, and told of with the next read", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => cg.crossEntropyLoss(x, y);
  const logits = await gpu.put(cg.tensor([[0, 1], [1, 0]]));
  const [good, bad] = await gpu.put([int(0, 1), int(0, 2)]) as [Tensor, Tensor];
  await using program = await cg.compile(f, [logits, int(0, 1)], { device: gpu });
  const loss = await program(logits, bad);
  const error = await assertRejects(() => loss.read(), RangeError);
  assertEquals(error.message, LABELS);
  const [value] = await readAll([await program(logits, good)]);
  assert(Number.isFinite(value!.item()));
});

gpuTest("positions, masks and casts are checked on the device", async (gpu) => {
  const cases: [(x: Tensor) => Tensor, Tensor, string][] = [
    [
      (x) => cg.gather(cg.tensor([1, 2, 3]), x),
      int(0, 3),
      "Cannot compute gather as indices must be in [0, 2]: current value at position 1 is 3",
    ],
    [
      (x) => x.cast("int32"),
      cg.tensor([1, 2.5]),
      "Cannot compute cast as int32 cannot hold the value 2.5 at position 1: round the values first",
    ],
    [
      (x) => x.cast("bool"),
      cg.tensor([1, 2]),
      "Cannot compute cast as bool cannot hold the value 2 at position 1: choose another dtype, " +
      "or compare with 0",
    ],
    [
      (x) => cg.maskedMseLoss([1, 2], [3, 4], x),
      cg.tensor([1, 0.5]),
      "Cannot compute maskedMseLoss as mask must hold only zeros and ones: " +
      "current value at position 1 is 0.5",
    ],
    [
      (x) => cg.maskedMseLoss([1, 2], [3, 4], x, { emptyMask: "error" }),
      cg.tensor([false, false]),
      "Cannot compute maskedMseLoss as mask must select at least one entry: 0 of 2 are selected; " +
      'emptyMask "zero" or "nan" allows this',
    ],
  ];
  for (const [f, values, message] of cases) {
    await using program = await cg.compile(f, [values], { device: gpu });
    const error = await assertRejects(() => program(values), Error);
    assertEquals(error.message, message);
    const result = await program(await gpu.put(values));
    assertEquals((await assertRejects(() => result.read(), Error)).message, message);
  }
});

gpuTest("labels that the program itself makes are checked", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => cg.crossEntropyLoss(x, y.sub(1));
  const logits = cg.tensor([[0, 1], [1, 0]]);
  await using program = await cg.compile(f, [logits, int(1, 2)], { device: gpu });
  const labels = await gpu.put(int(0, 1));
  const loss = await program(logits, labels);
  await assertRejects(() => loss.read(), RangeError, "current value at position 0 is -1");
});

for (const combine of ["concat", "sum"] as const) {
  gpuTest(`mapRowBlocks() with "${combine}" is one submission, gradients included`, async (gpu) => {
    const f = (block: Tensor, all: Tensor) => {
      const near = cg.pairwiseSquaredDistance(block, all).mul(-0.3).exp();
      return combine === "concat" ? near.sum({ axis: 1 }) : near.transpose().matmul(block);
    };
    const g = (x: Tensor, y: Tensor) =>
      cg.valueAndGrad(
        (a: Tensor, b: Tensor) => cg.mapRowBlocks(f, a, b, { rows: 5, combine }).square().sum(),
        { argnums: [0, 1] },
      )(x, y).flat() as Tensor[];
    const [x, y] = [random(0, [13, 3]), random(1, [7, 3])];
    await using program = await cg.compile(g, [x, y], { device: gpu });
    const { submissions } = gpu.counters;
    const results = await program(x, y);
    assertEquals(gpu.counters.submissions, submissions + 1);
    const expected = g(x.cast("float64"), y.cast("float64"));
    (await readAll(results)).forEach((z, i) =>
      assertAllClose(z.cast("float64"), expected[i]!, { rtol: 1e-4, atol: 1e-5 })
    );
    assertMatch(program.explain(), / blocks?: %/);
  });
}

gpuTest("loops in loops run on the device", async (gpu) => {
  const inner = (row: Tensor, block: Tensor) => row.mul(block.sum()).sum({ axis: 1 });
  const outer = (block: Tensor, all: Tensor) =>
    cg.mapRowBlocks(inner, block, cg.pairwiseSquaredDistance(block, all), { rows: 2 });
  const f = (x: Tensor) => cg.mapRowBlocks(outer, x, x, { rows: 3 });
  const x = random(0, [8, 4]);
  await using program = await cg.compile(f, [x], { device: gpu });
  const [found] = await readAll([await program(x)]);
  assertAllClose(found!.cast("float64"), f(x.cast("float64")), { rtol: 1e-5, atol: 1e-5 });
});

for (
  const [name, loss] of [
    ["batchMixingLoss", (x, y) => cg.batchMixingLoss(x, y, { nBatches: 2 })],
    ["mmdLoss", (x, y) => cg.mmdLoss(x, y, { nBatches: 2, kernel: "rbf", bandwidths: [1, 2] })],
    ["elasticCellSimilarityLoss", (x) => cg.elasticCellSimilarityLoss(x)],
  ] as [string, (x: Tensor, y: Tensor) => Tensor][]
) {
  gpuTest(`${name}() of many cells goes block by block on the device`, async (gpu) => {
    const cells = random(0, [2200, 3]);
    const batches = cg.tensor(Int32Array.from({ length: 2200 }, (_, i) => i % 2));
    const f = cg.valueAndGrad(loss);
    await using program = await cg.compile(f, [cells, batches], { device: gpu });
    assertMatch(program.explain(), / blocks?: %/);
    const { submissions } = gpu.counters;
    const [value, gradient] = await program(cells, batches);
    assertEquals(gpu.counters.submissions, submissions + 1);
    const [expected, expectedGradient] = f(cells, batches);
    const [found, foundGradient] = await readAll([value, gradient]);
    assertAllClose(found!, expected, { rtol: 1e-4, atol: 1e-6 });
    const scale = Math.max(...expectedGradient.data.map(Math.abs));
    assertAllClose(foundGradient!, expectedGradient, { rtol: 1e-3, atol: 1e-3 * scale });
  });
}

gpuTest("tensors of the host that come again are copied once", async (gpu) => {
  await using program = await cg.compile((x: Tensor) => x.mul(2), [[1]], { device: gpu });
  const [first, second] = [cg.tensor([1]), cg.tensor([5])];
  const { uploads } = gpu.counters;
  const results = [];
  for (const x of [first, first, second, first]) results.push(await program(x));
  assertEquals((await readAll(results)).map((x) => x.item()), [2, 2, 10, 2]);
  assertEquals(gpu.counters.uploads, uploads + 3);
});

gpuTest("an operation without a kernel runs on the host in between", async (gpu) => {
  const f = (x: Tensor) => hosted(x.mul(2)).add(1).mul(3);
  const x = cg.tensor([1, 20, 300.3]);
  await using program = await cg.compile(f, [x], { device: gpu });
  const text = program.explain();
  assertStringIncludes(text, "on the host, as there is no kernel for hosted, ");
  assertStringIncludes(text, "per call: 2 submissions or more, 1 read-back");
  const expected = f(x);
  const results = await Promise.all([program(x), program(x)]);
  for (const found of await readAll(results)) assertEquals(found.data, expected.data);
});

gpuTest("random numbers are those of the host", async (gpu) => {
  const f = (key: Tensor) => [
    cg.uniform(key, [50]),
    cg.normal(key, [50]),
    cg.bernoulli(key, 0.3, { shape: [50] }).cast("int32"),
    cg.bernoulli(key, int(0, 1, 1, 0)).cast("int32"),
    cg.gamma(key, [0.3, 1, 2, 50]),
    cg.gamma(key, 2, { shape: [50], scale: 3 }),
    cg.poisson(key, [0, 0.5, 9, 200]),
    cg.poisson(key, int(0, 3, 20, 1000)),
    cg.permutation(key, 50),
    cg.integers(key, 3, 1000, { shape: [50] }),
    cg.integers(key, int(-(2 ** 31), -5, 0, 7), int(2 ** 31 - 1, -4, 300, 9)),
    cg.choice(key, 9, { shape: [50], weights: [1, 2, 3, 4, 5, 6, 7, 8, 0] }),
    cg.choice(key, 9, { shape: [4], weights: [1, 2, 3, 4, 5, 6, 7, 8, 0], replace: false }),
    cg.choice(key, 50, { shape: [5], replace: false }),
    cg.exponential(key, [50]),
    cg.laplace(key, [50]),
    cg.gumbel(key, [50]),
    cg.truncatedNormal(key, [50]),
    cg.truncatedNormal(key, [50], { low: 4, high: 6 }),
    cg.beta(key, 2, 0.5, { shape: [50] }),
    cg.dirichlet(key, [0.5, 1, 5], { shape: [20] }),
    cg.multivariateNormal(key, [1, 2], [[2, 1], [1, 3]], { shape: [20] }),
    cg.categorical(key, [[0, 1, 2]], { shape: [50] }),
    cg.splitKey(key, 3)[1]!,
  ];
  await using program = await cg.compile(f, [cg.key(0)], { device: gpu });
  for (const seed of [1, 2]) {
    const expected = f(cg.key(seed));
    (await readAll(await program(cg.key(seed)))).forEach((x, i) =>
      assertAllClose(x, expected[i]!, { rtol: 1e-5, atol: 1e-6 })
    );
  }
});

gpuTest("many parameters of one shape are updated by several kernels", async (gpu) => {
  const optimizer = cg.adamw({ learningRate: 0.1 });
  const params = Array.from({ length: 9 }, (_, i) => random(i, [4, 3]));
  const step = (p: Tensor[], state: ReturnType<typeof optimizer.init<Tensor[]>>) =>
    optimizer.update(p.map((x) => x.mul(0.5)), state, p);
  await using program = await cg.compile(step, [params, optimizer.init(params)], { device: gpu });
  const expected = step(params, optimizer.init(params));
  const found = await program(params, optimizer.init(params));
  (await readAll(found.params)).forEach((x, i) =>
    assertAllClose(x, expected.params[i]!, { rtol: 1e-4, atol: 1e-6 })
  );
});

gpuTest("other shapes are compiled at their first call", async (gpu) => {
  await using program = await cg.compile((x: Tensor) => x.sum(), [[1, 2]], { device: gpu });
  assertEquals(Array.from(await (await program([1, 2, 3])).read()), [6]);
  assertEquals(Array.from(await (await program([1, 2])).read()), [3]);
});

gpuTest("empty tensors are no trouble", async (gpu) => {
  const f = (x: Tensor) => [x.add(1), x.sum(), x.sum({ axis: 0 }), x.matmul(x.transpose())];
  const x = cg.zeros([0, 3]);
  await using program = await cg.compile(f, [x], { device: gpu });
  const found = await readAll(await program(x));
  assertEquals(found.map((y) => y.toArray()), f(x).map((y) => y.toArray()));
});

gpuTest("explain() shows where steps run, their kernels, memory and submissions", async (gpu) => {
  const f = (x: Tensor) => x.matmul(x.transpose()).sub(1).exp().sum({ axis: 1 });
  await using program = await cg.compile(f, [cg.zeros([10, 20])], { device: gpu });
  const text = program.explain();
  assertStringIncludes(
    text,
    "program on WebGPU: 2 steps, 4.3 k FLOP, 2 kernels and 2.38 KiB moved per call",
  );
  assertStringIncludes(text, "%0 float32[10, 20] is an argument");
  assertStringIncludes(text, "float32[] is constant: 1");
  assertStringIncludes(text, "= matmul(%0, %0)  on the device: matmul 10x20x10 ×");
  assertStringIncludes(text, "= sub exp sum(");
  assertStringIncludes(text, "memory: ");
  assertStringIncludes(text, "per call: 1 submission, 0 read-backs");
});
