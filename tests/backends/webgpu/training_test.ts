/** Training on a device: residency, donation, leaks, and recovery. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import * as cg from "../../../mod.ts";
import { webgpu, type WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import { readSafetensors, writeSafetensors } from "../../../src/data/safetensors.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { gpuTest, readAll } from "./gpu.ts";

type Tensor = cg.Tensor;
type Params = { w: Tensor; b: Tensor; v: Tensor };

const random = (seed: number, shape: number[]) => cg.normal(cg.key(seed), shape);
const cells = random(0, [40, 12]);
const labels = cg.tensor(Int32Array.from({ length: 40 }, (_, i) => (i * i) % 5));
const start: Params = {
  w: random(1, [12, 8]).mul(0.3),
  b: cg.zeros([8]),
  v: random(2, [8, 5]).mul(0.3),
};
const optimizer = cg.adam({ learningRate: 0.02 });
type State = ReturnType<typeof optimizer.init<Params>>;

function step(params: Params, state: State, x: Tensor, y: Tensor) {
  const loss = ({ w, b, v }: Params) => cg.crossEntropyLoss(x.matmul(w).add(b).relu().matmul(v), y);
  const [value, gradient] = cg.valueAndGrad(loss)(params);
  return { value, ...optimizer.update(gradient, state, params) };
}

type Training = { params: Params; state: State };
const BEGIN: Training = { params: start, state: optimizer.init(start) };
const EXAMPLES: [Params, State, Tensor, Tensor] = [start, optimizer.init(start), cells, labels];

gpuTest("a training step with Adam gives on a device what it gives eagerly", async (gpu) => {
  await using program = await cg.compile(step, EXAMPLES, { device: gpu });
  let eager = { params: start, state: optimizer.init(start) };
  let device: typeof eager = eager;
  for (let i = 0; i < 30; i++) {
    const { value, ...next } = step(eager.params, eager.state, cells, labels);
    const found = await program(device.params, device.state, cells, labels);
    const [loss] = await readAll([found.value]);
    assertAllClose(loss!, value, { rtol: 1e-4 });
    [eager, device] = [next, found];
  }
  const params = await readAll(cg.treeLeaves(device.params));
  cg.treeLeaves(eager.params).forEach((x, i) =>
    assertAllClose(params[i]!, x, { rtol: 1e-3, atol: 1e-4 })
  );
});

gpuTest("2,500 steps make one submission each, and leave no buffer behind", async (gpu) => {
  await using program = await cg.compile(step, EXAMPLES, { device: gpu, donate: [0, 1] });
  const [x, y] = await gpu.put([cells, labels]) as [Tensor, Tensor];
  let { params, state } = await gpu.put({ params: start, state: optimizer.init(start) });
  let counters = gpu.counters;
  for (let i = 0; i < 2_500; i++) {
    const { value, ...next } = await program(params, state, x, y);
    ({ params, state } = next);
    if (i % 625 === 624) await value.read();
    value.dispose();
    if (i === 10) counters = gpu.counters;
  }
  const { buffers, bytes, submissions, uploads, readBacks } = gpu.counters;
  assertEquals({ buffers, bytes }, { buffers: counters.buffers, bytes: counters.bytes });
  assertEquals(readBacks, 4);
  assertEquals(submissions, 2_504);
  assertEquals(uploads, counters.uploads);
});

gpuTest("donated tensors throw when they are used again", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => x.add(y);
  await using program = await cg.compile(f, [[1], [1]], { device: gpu, donate: [0] });
  const [x, y] = await gpu.put([cg.tensor([1]), cg.tensor([2])]) as [Tensor, Tensor];
  assertEquals(Array.from(await (await program(x, y)).read()), [3]);
  assertEquals(Array.from(await y.read()), [2]);
  const error = await assertRejects(() => x.read(), TypeError);
  assertEquals(error.message, "Cannot read the tensor as it was donated to a program");
  const again = await assertRejects(() => program(x, y), TypeError);
  assertEquals(
    again.message,
    "Cannot run the program with the tensor as it was donated to a program",
  );
});

gpuTest("a donated result takes the memory of an argument in the next call", async (gpu) => {
  const f = (x: Tensor) => x.mul(2);
  await using program = await cg.compile(f, [cg.ones([1000])], { device: gpu, donate: true });
  let x = await gpu.put(cg.ones([1000]));
  for (let i = 0; i < 3; i++) x = await program(x);
  const { bytes } = gpu.counters;
  for (let i = 0; i < 10; i++) x = await program(x);
  assertEquals(gpu.counters.bytes, bytes);
  assertEquals((await x.read())[999], 2 ** 13);
});

Deno.test("donate does nothing to tensors on the host", async () => {
  const x = cg.tensor([1, 2]);
  await using program = await cg.compile((y: Tensor) => y.mul(2), [x], { donate: true });
  assertEquals((await program(x)).toArray(), [2, 4]);
  assertEquals((await program(x)).toArray(), [2, 4]);
});

Deno.test("compile() refuses donations that make no sense", async () => {
  const f = (x: Tensor) => x;
  const error = await assertRejects(
    () => cg.compile(f, [[1]], { donate: "all" as unknown as boolean }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile as donate must be true, false or positions of arguments: " +
      'current value is "all"',
  );
  const outside = await assertRejects(() => cg.compile(f, [[1]], { donate: [1] }), RangeError);
  assertEquals(
    outside.message,
    "Cannot compute compile as donate must hold positions in [0, 0]: current value is 1",
  );
});

gpuTest("repeated runs are bit-identical", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => [
    ...cg.valueAndGrad((z: Tensor) => cg.crossEntropyLoss(z.matmul(z.transpose()).mul(0.1), y))(x),
    x.sum(),
    x.sum({ axis: 0 }),
    cg.softmax(x),
    x.gather(y).sum({ axis: 1 }),
  ];
  const x = random(3, [300, 70]);
  const y = cg.tensor(Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 300));
  await using program = await cg.compile(f, [x, y], { device: gpu });
  const first = await readAll(await program(x, y));
  for (let i = 0; i < 4; i++) {
    const again = await readAll(await program(x, y));
    assertEquals(again.map(({ data }) => data), first.map(({ data }) => data));
  }
});

gpuTest("what is returned twice, or unchanged, has memory of its own", async (gpu) => {
  const f = (x: Tensor) => {
    const y = x.add(1);
    return [x, y, y, y.reshape([2, 1]), cg.tensor([7])];
  };
  await using program = await cg.compile(f, [[1, 2]], { device: gpu });
  const x = await gpu.put(cg.tensor([1, 2]));
  const results = await program(x);
  x.dispose();
  results[1]!.dispose();
  const found = await readAll([results[0]!, ...results.slice(2)]);
  assertEquals(found.map((y) => y.toArray()), [[1, 2], [2, 3], [[2], [3]], [7]]);
});

gpuTest("calls that are not waited for come out right", async (gpu) => {
  await using program = await cg.compile((x: Tensor) => x.mul(3).sum(), [[1, 2]], { device: gpu });
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => program([i, 1])));
  const found = await readAll(results);
  assertEquals(found.map((x) => x.item()), Array.from({ length: 20 }, (_, i) => 3 * i + 3));
});

/** Parameters and the optimizer's state as the bytes of a file. */
async function save(now: Training): Promise<Uint8Array<ArrayBuffer>> {
  const leaves = await readAll(cg.treeLeaves(now));
  return writeSafetensors(Object.fromEntries(leaves.map((x, i) => [`leaf${i}`, x])));
}

async function restore(bytes: Uint8Array): Promise<Training> {
  const { tensors } = await readSafetensors(bytes);
  let i = 0;
  return cg.treeMap(() => tensors[`leaf${i++}`]!, BEGIN) as Training;
}

/** Trains from a checkpoint, saves every fifth step; `lose` is called in the middle of step 13. */
async function train(device: WebGpuDevice, from: Uint8Array, lose?: () => void) {
  await using program = await cg.compile(step, EXAMPLES, { device, donate: [0, 1] });
  let now = await restore(from);
  const saved: Uint8Array<ArrayBuffer>[] = [];
  try {
    for (let i = 1; i <= 15; i++) {
      const call = program(now.params, now.state, cells, labels);
      if (i === 13) lose?.();
      const { params, state } = await call;
      now = { params, state };
      if (i % 5 === 0) saved.push(await save(now));
    }
  } catch (error) {
    return { saved, error };
  }
  return { saved, error: undefined };
}

gpuTest("training goes on from its last checkpoint after the device was lost", async (gpu) => {
  const begin = await save(BEGIN);
  const { saved: expected } = await train(gpu, begin);
  const { saved, error } = await train(gpu, begin, () => gpu.device.destroy());
  assertMatch((error as Error).message, /^Cannot go on as the WebGPU device was lost/);
  assertEquals(saved, expected.slice(0, 2));
  await using other = await webgpu();
  const { saved: again } = await train(other, saved.at(-1)!);
  assertEquals(again[0], expected[2]);
});

gpuTest("forgotten tensors give their memory back", async () => {
  const url = (path: string) => new URL(`../../../${path}`, import.meta.url).href;
  const source = `import { compile } from "${url("mod.ts")}";
    import { webgpu } from "${url("src/backends/webgpu/mod.ts")}";
    await using gpu = await webgpu();
    await using program = await compile((x) => x.add(1), [[1]], { device: gpu });
    for (let i = 0; i < 50; i++) await program([i]);
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
    console.log(gpu.counters.buffers);`;
  const args = ["run", "--no-check", "--v8-flags=--expose-gc"];
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args, `data:text/javascript,${encodeURIComponent(source)}`],
  }).output();
  const buffers = Number(new TextDecoder().decode(stdout));
  assert(buffers > 0 && buffers < 10, `${buffers} buffers are left`);
});
