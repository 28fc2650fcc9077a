/** The device itself: how to get one, what it counts, and what happens when it is lost. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { compile, type Tensor, tensor, zeros } from "../../../mod.ts";
import { webgpu } from "../../../src/backends/webgpu/mod.ts";
import { Engine } from "../../../src/backends/webgpu/engine.ts";
import { gpuTest } from "./gpu.ts";

/** Something of `navigator.gpu` is another while a test runs. */
async function withGpu(gpu: unknown, test: () => Promise<unknown>): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(navigator), "gpu");
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    await test();
  } finally {
    Reflect.deleteProperty(navigator, "gpu");
    assert(original === undefined || "gpu" in navigator);
  }
}

Deno.test("webgpu() says what to do where there is no adapter", () =>
  withGpu({ requestAdapter: () => Promise.resolve(null) }, async () => {
    const error = await assertRejects(() => webgpu(), Error);
    assertEquals(
      error.message,
      "Cannot compute webgpu as there is no adapter: install a driver for the graphics card or, for " +
        "a software adapter on Linux, the packages mesa-vulkan-drivers and libvulkan1; in Chrome, " +
        "chrome://gpu says what is missing and chrome://flags/#enable-unsafe-webgpu allows more",
    );
  }));

Deno.test("webgpu() says what to do where there is no WebGPU", () =>
  withGpu(undefined, async () => {
    const error = await assertRejects(() => webgpu(), Error);
    assertEquals(
      error.message,
      "Cannot compute webgpu as this runtime has no WebGPU: use a current Deno, Chrome, Edge, " +
        "Safari or Firefox; pages must come from https or localhost",
    );
  }));

Deno.test("webgpu() refuses options that do not exist", async () => {
  const error = await assertRejects(() => webgpu({ power: 1 } as never), TypeError);
  assertEquals(
    error.message,
    "Cannot compute webgpu as there is no option power: did you mean powerPreference? " +
      "The options are powerPreference, adapter",
  );
  await assertRejects(
    () => webgpu({ powerPreference: "much" as never }),
    TypeError,
    "powerPreference must be one of low-power, high-performance: current value is much",
  );
});

Deno.test("webgpu() refuses what is no adapter", async () => {
  const adapter = Promise.resolve(null) as unknown as GPUAdapter;
  const error = await assertRejects(() => webgpu({ adapter }), TypeError);
  assertEquals(
    error.message,
    "Cannot compute webgpu as adapter must be what await navigator.gpu.requestAdapter() gives: " +
      "current value is a promise: await it",
  );
});

Deno.test("webgpu() says what to do where an adapter gives no device", async () => {
  const adapter = {
    features: new Set(),
    limits: {},
    requestDevice: () => Promise.reject(new DOMException("it was used", "OperationError")),
  } as unknown as GPUAdapter;
  const error = await assertRejects(() => webgpu({ adapter }), Error);
  assertEquals(
    error.message,
    "Cannot compute webgpu as the adapter gives no device: request another adapter, as each gives " +
      "one (it was used)",
  );
});

gpuTest("webgpu() asks for all that the adapter offers", async (gpu) => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const names = ["maxStorageBufferBindingSize", "maxBufferSize", "maxStorageBuffersPerShaderStage"];
  for (const name of names as (keyof GPUSupportedLimits)[]) {
    assertEquals(gpu.device.limits[name], adapter.limits[name]);
  }
  assertEquals(gpu.device.features.has("timestamp-query"), adapter.features.has("timestamp-query"));
  assert(gpu.name.length > 0);
});

gpuTest("webgpu() takes an adapter", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  await using gpu = await webgpu({ adapter });
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("compile() runs one kernel after the other in one submission", async (gpu) => {
  const f = (x: Tensor) => x.matmul(x.transpose()).exp().sum();
  await using program = await compile(f, [zeros([3, 2])], { device: gpu });
  const before = gpu.counters;
  const result = await program(zeros([3, 2]));
  assertEquals(gpu.counters.submissions, before.submissions + 1);
  assertEquals(gpu.counters.readBacks, before.readBacks);
  assertEquals(Array.from(await result.read()), [9]);
  assertEquals(gpu.counters.readBacks, before.readBacks + 1);
});

gpuTest("reads that are asked for at once share one submission", async (gpu) => {
  const f = (x: Tensor) => [x.add(1), x.greater(1), x.cast("int32")];
  await using program = await compile(f, [[1, 2]], { device: gpu });
  const results = await program([1, 2]);
  const before = gpu.counters;
  const data = await Promise.all(results.map((x) => x.read()));
  assertEquals(data, [Float32Array.of(2, 3), Uint8Array.of(0, 1), Int32Array.of(1, 2)]);
  assertEquals(gpu.counters.submissions, before.submissions + 1);
  assertEquals(gpu.counters.readBacks, before.readBacks + 1);
});

gpuTest("tensors on a device are read by await t.read() only", async (gpu) => {
  await using program = await compile((x: Tensor) => x.add(1), [[1]], { device: gpu });
  const x = await program([1]);
  const message =
    "Cannot read the values of a tensor at once as they are on a WebGPU device: use await t.read()";
  assertEquals(assertThrows(() => x.data, TypeError).message, message);
  assertEquals(assertThrows(() => x.item(), TypeError).message, message);
  assertEquals(assertThrows(() => x.add(1), TypeError).message, message);
  assertEquals(String(x), "Tensor float32 [1] on a device");
});

gpuTest("dispose() gives the memory of a tensor back", async (gpu) => {
  await using program = await compile((x: Tensor) => x.add(1), [[1]], { device: gpu });
  const { buffers } = gpu.counters;
  const x = await program([1]);
  assertEquals(gpu.counters.buffers, buffers + 2);
  const reading = x.read();
  x.dispose();
  x.dispose();
  assertEquals(gpu.counters.buffers, buffers + 1);
  await program([5]);
  assertEquals(Array.from(await reading), [2]);
  const error = await assertRejects(() => x.read(), TypeError);
  assertEquals(error.message, "Cannot read the tensor as it was disposed of");
  await assertRejects(() => program(x), TypeError, "Cannot run the program with the tensor");
});

gpuTest("using gives the memory of a tensor back at the end of its block", async (gpu) => {
  const { buffers } = gpu.counters;
  {
    using x = await gpu.put(tensor([1]));
    assertEquals(gpu.counters.buffers, buffers + 1);
    assertEquals(Array.from(await x.read()), [1]);
  }
  assertEquals(gpu.counters.buffers, buffers);
});

gpuTest("programs that are disposed of leave nothing behind", async (gpu) => {
  const f = (x: Tensor) => x.matmul(x.transpose()).exp().sum();
  for (let i = 0; i < 3; i++) {
    await using program = await compile(f, [zeros([9, 9])], { device: gpu });
    (await program(zeros([9, 9]))).dispose();
  }
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("put() copies a tree once, and leaves alone what is there", async (gpu) => {
  const tree = await gpu.put({ x: tensor([1, 2]), y: [tensor([true, false])] });
  assertEquals(Array.from(await tree.x.read()), [1, 2]);
  assertEquals(await tree.y[0]!.read(), Uint8Array.of(1, 0));
  const again = await gpu.put(tree);
  assert(again.x === tree.x);
  const error = await assertRejects(() => gpu.put(tensor(new Float64Array(2))), TypeError);
  assertEquals(
    error.message,
    "Cannot compute put as WebGPU has no float64: cast the tensor to float32",
  );
});

gpuTest("a lost device says so; tensors on the host survive", async (gpu) => {
  const host = tensor([1, 2]);
  const f = (x: Tensor) => x.mul(2);
  const program = await compile(f, [host], { device: gpu });
  const result = await program(host);
  const reading = result.read();
  gpu.device.destroy();
  await gpu.lost;
  const lost = "was lost";
  const { message } = await assertRejects(() => reading, Error);
  assertMatch(
    message,
    /^Cannot go on as the WebGPU device was lost \(.+\): request another by webgpu\(\), compile again, and go on from tensors on the host$/,
  );
  await assertRejects(() => result.read(), Error, lost);
  await assertRejects(() => program(host), Error, lost);
  await assertRejects(() => compile(f, [host], { device: gpu }), Error, lost);
  await assertRejects(() => gpu.put(host), Error, lost);
  program.dispose();
  await using other = await webgpu();
  await using again = await compile(f, [host], { device: other });
  assertEquals(Array.from(await (await again(host)).read()), [2, 4]);
});

gpuTest("a device on which something failed that nobody looks at says so", async (gpu) => {
  await using program = await compile((x: Tensor) => x.mul(2), [[1]], { device: gpu });
  gpu.device.createBuffer({ size: 2 ** 45, usage: GPUBufferUsage.STORAGE });
  await gpu.device.queue.onSubmittedWorkDone();
  const { message } = await assertRejects(() => program([1]), Error);
  assertMatch(
    message,
    /^Cannot go on as the WebGPU device failed \(.+\): request another by webgpu\(\), compile again, and go on from tensors on the host$/s,
  );
});

gpuTest("a device that is disposed of throws, and its programs with it", async (gpu) => {
  const program = await compile((x: Tensor) => x.mul(2), [[1]], { device: gpu });
  const result = await program([1]);
  gpu.dispose();
  gpu.dispose();
  const message = "Cannot use the WebGPU device as it has been disposed of";
  assertEquals((await assertRejects(() => program([1]), TypeError)).message, message);
  assertEquals((await assertRejects(() => result.read(), TypeError)).message, message);
  result.dispose();
  program.dispose();
});

gpuTest("tensors of another device are refused", async (gpu) => {
  await using other = await webgpu();
  await using program = await compile((x: Tensor) => x.mul(2), [[1]], { device: gpu });
  const foreign = await other.put(tensor([1]));
  await assertRejects(() => program(foreign), TypeError, "use await t.read()");
});

gpuTest("shaders that do not compile are told by name and line", async (gpu) => {
  const engine = new Engine(gpu.device);
  const code = "@compute @workgroup_size(1)\nfn main() {\n  let x = unknown;\n}\n";
  const kernel = { name: "broken", code, inputs: 0, outputs: 0, workgroups: [1, 1] as const };
  const error = await assertRejects(() => engine.pipelines.get(kernel), Error);
  assertStringIncludes(
    error.message,
    'Cannot compile the kernel "broken" for WebGPU in line 3 of its shader, "let x = unknown;": ',
  );
});

gpuTest("values that do not fit a binding are refused when compiling", async (gpu) => {
  const { maxStorageBufferBindingSize } = gpu.device.limits;
  const n = maxStorageBufferBindingSize / 4 + 1;
  const error = await assertRejects(
    () => compile((x: Tensor) => x.sum(), [zeros([n])], { device: gpu }),
    RangeError,
  );
  assertMatch(
    error.message,
    /^Cannot compute compile for WebGPU as .+ needs \S+ \wiB in one piece: this device binds at most \S+ \wiB; work on fewer rows at a time, by mapRowBlocks for example$/,
  );
});

gpuTest("float64 is refused when compiling", async (gpu) => {
  const x = tensor(new Float64Array([1, 2]));
  const error = await assertRejects(
    () => compile((y: Tensor) => y.mul(2), [x], { device: gpu }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile for WebGPU as it has no float64: tensor 0 of the arguments is " +
      'float64[2]; cast arguments and what is closed over to float32, or use device "cpu"',
  );
});

gpuTest("threads are refused", async (gpu) => {
  const error = await assertRejects(
    () => compile((x: Tensor) => x, [[1]], { device: gpu, threads: 2 }),
    TypeError,
  );
  assertEquals(
    error.message,
    `Cannot compute compile as threads are for device "cpu": current values are 2 threads and ` +
      gpu.name,
  );
});

gpuTest("rows are as many as they are, whatever shapes says", async (gpu) => {
  const f = (x: Tensor) => x.mul(2).sum({ axis: 1 });
  await using program = await compile(f, [zeros([8, 2])], { device: gpu, shapes: "bucket" });
  const y = await program(tensor([[1, 2], [3, 4], [5, 6]]));
  assertEquals([y.shape, [...await y.read()]], [[3], [6, 14, 22]]);
  assert(!program.explain().includes("buckets"));
});
