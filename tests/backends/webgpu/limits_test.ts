/** Devices that bind less than others: large values in parts, large groups of steps apart. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../../mod.ts";
import { Build } from "../../../src/backends/webgpu/build.ts";
import { Engine, type Target } from "../../../src/backends/webgpu/engine.ts";
import { WebGpuExecutable } from "../../../src/backends/webgpu/executable.ts";
import type { WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { record } from "../../../src/program/record.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { flattenTree } from "../../../src/tree.ts";
import { build, inputs, programs } from "../../program/random_programs.ts";
import { gpuTest, readAll } from "./gpu.ts";

type Tensor = cg.Tensor;

const random = (seed: number, shape: number[]) => cg.normal(cg.key(seed), shape);

/** Asserts that a function gives with other limits what it gives eagerly; returns its kernels. */
async function assertWithin(
  gpu: WebGpuDevice,
  target: Partial<Target>,
  f: (...inputs: Tensor[]) => Tensor[],
  given: readonly Tensor[],
): Promise<number> {
  const engine = new Engine(gpu.device, target);
  const own = new Build(optimize(record(given, (xs) => f(...xs))), engine);
  const executable = await WebGpuExecutable.create(engine, own);
  const found = await readAll(await executable.run(given, given.map(() => false)));
  const expected = f(...given.map((x) => x.dtype === "float32" ? x.cast("float64") : x));
  found.forEach((x, i) =>
    assertAllClose(x.cast("float64"), expected[i]!, { rtol: 1e-3, atol: 1e-3 })
  );
  engine.pool.dispose();
  return own.kernels.length;
}

const CASES: [string, (...inputs: Tensor[]) => Tensor[], Tensor[]][] = [
  ["products", (a, b) => [a.matmul(b), a.matmul(b.transpose())], [
    random(0, [300, 20]),
    random(1, [20, 20]),
  ]],
  ["products that are turned", (a, b) => [a.matmul(b).transpose()], [
    random(0, [300, 20]),
    random(1, [20, 2]),
  ]],
  ["distances", (a, b) => [cg.pairwiseSquaredDistance(a, b)], [
    random(0, [300, 20]),
    random(1, [30, 20]),
  ]],
  [
    "elements",
    (a, b) => [a.mul(2).add(b).exp(), a.greater(b).cast("float32")],
    [random(0, [5000]), random(1, [1])],
  ],
  [
    "elements beside columns and rows",
    (a, b, c) => [a.sub(b).mul(c)],
    [random(0, [300, 20]), random(1, [300, 1]), random(2, [20])],
  ],
  [
    "rows",
    (a, b) => [a.sub(b).exp().sum({ axis: 1 }), a.max({ axis: 1 }), a.sub(b)],
    [random(0, [300, 20]), random(1, [300, 1])],
  ],
  ["integers", (a) => [a.mul(a).add(1)], [
    cg.tensor(Int32Array.from({ length: 5000 }, (_, i) => i - 2500)),
  ]],
];

for (const [name, f, given] of CASES) {
  gpuTest(`${name} beyond the largest binding are done in parts`, async (gpu) => {
    const whole = await assertWithin(gpu, {}, f, given);
    const parts = await assertWithin(gpu, { largestBinding: 8192 }, f, given);
    assert(parts > whole, `${parts} kernels instead of ${whole}`);
  });
}

gpuTest("kernels that need more buffers than a device binds are refused", async (gpu) => {
  const x = random(0, [4, 4]);
  const error = await assertRejects(
    () => assertWithin(gpu, { mostBuffers: 2 }, (a, b) => [a.matmul(b)], [x, x]),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile for WebGPU as matmul 4x4x4 needs 3 buffers: " +
      "this device binds at most 2",
  );
});

gpuTest("rows are worked on by workgroups, or by one invocation on software adapters", (gpu) => {
  const graph = optimize(record([random(0, [1024, 100])], ([x]) => [cg.softmax(x!)]));
  const groups = [false, true].map((isSoftware) => {
    const { kernels } = new Build(graph, new Engine(gpu.device, { isSoftware }));
    return kernels.map(({ workgroups }) => workgroups);
  });
  assertEquals(groups, [[[1024, 1]], [[16, 1]]]);
  return Promise.resolve();
});

gpuTest("updates of many parameters are done with eight buffers per kernel", async (gpu) => {
  const optimizer = cg.adamw({ learningRate: 0.1 });
  const params = Array.from({ length: 5 }, (_, i) => random(i, [4, 3]));
  const { leaves, rebuild } = flattenTree("test", { params, state: optimizer.init(params) });
  const step = (...given: Tensor[]) => {
    const { params, state } = rebuild(given) as {
      params: Tensor[];
      state: ReturnType<typeof optimizer.init<Tensor[]>>;
    };
    return cg.treeLeaves(optimizer.update(params.map((x) => x.mul(0.5)), state, params));
  };
  const whole = await assertWithin(gpu, { mostBuffers: 32 }, step, leaves);
  const parts = await assertWithin(gpu, { mostBuffers: 8 }, step, leaves);
  assert(parts > whole, `${parts} kernels instead of ${whole}`);
});

gpuTest(
  "random programs run with six buffers per kernel, and with shared tiles",
  (gpu) =>
    fc.assert(
      fc.asyncProperty(programs, inputs, async (instructions, given) => {
        const f = cg.valueAndGrad(build(instructions), { argnums: [0, 1, 2] });
        const flat = (...xs: Tensor[]) => f(...xs).flat() as Tensor[];
        const narrowed = given.map((x) => x.cast("float32"));
        await assertWithin(gpu, { mostBuffers: 6, isSoftware: false }, flat, narrowed);
      }),
      { seed: 3, numRuns: 25 },
    ),
);
