/** Reads that do not fit one copy, or for which there is no memory. */
import { assertEquals, assertRejects } from "@std/assert";
import { tensor } from "../../../mod.ts";
import { Engine } from "../../../src/backends/webgpu/engine.ts";
import { deviceTensor } from "../../../src/backends/webgpu/source.ts";
import { gpuTest } from "./gpu.ts";

/** The device with something else in the place of some properties. */
function withChanges(device: GPUDevice, changes: object): GPUDevice {
  return new Proxy(device, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

gpuTest("reads beyond the largest buffer are copied in parts", async (gpu) => {
  const limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 1000 };
  const engine = new Engine(withChanges(gpu.device, { limits }));
  const buffers = await engine.pool.allocate([800, 800, 80], "test");
  const tensors = buffers.map((buffer, i) => {
    const x = tensor(new Float32Array([200, 200, 20][i]!).fill(i + 1));
    engine.write(buffer, x.data);
    return deviceTensor(engine, buffer, x);
  });
  const values = await Promise.all(tensors.map((x) => x.read()));
  assertEquals(values.map((own) => [own.length, own.at(-1)]), [[200, 1], [200, 2], [20, 3]]);
  assertEquals(engine.counts.readBacks, 2);
  engine.pool.dispose();
});

gpuTest("no memory for a read is told, and reads go on", async (gpu) => {
  let isExhausted = true;
  const createBuffer = (descriptor: GPUBufferDescriptor) =>
    gpu.device.createBuffer(
      isExhausted && descriptor.usage & GPUBufferUsage.MAP_READ
        ? { ...descriptor, size: 2 ** 45 }
        : descriptor,
    );
  const engine = new Engine(withChanges(gpu.device, { createBuffer }));
  const [buffer] = await engine.pool.allocate([4], "test");
  const x = deviceTensor(engine, buffer!, { shape: [], dtype: "float32" });
  engine.write(buffer!, Float32Array.of(5));
  const error = await assertRejects(() => x.read(), RangeError);
  assertEquals(
    error.message,
    "Cannot read the tensors as the memory of the WebGPU device is exhausted: 256 B more are " +
      "needed; read fewer at a time, or dispose of tensors",
  );
  isExhausted = false;
  assertEquals(Array.from(await x.read()), [5]);
  engine.pool.dispose();
});
