/** The pool of buffers, on a device of which only the memory is there. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BufferPool, sizeClass } from "../../../src/backends/webgpu/buffers.ts";

/** A device with so many bytes. */
function device(memory: number): GPUDevice {
  let used = 0;
  let failed = false;
  const scopes: string[] = [];
  return {
    limits: { maxBufferSize: 2 ** 20 },
    pushErrorScope: (filter: string) => void scopes.push(filter),
    popErrorScope() {
      const isOurs = scopes.pop() === "out-of-memory" && failed;
      if (isOurs) failed = false;
      return Promise.resolve(isOurs ? { message: "no memory" } : null);
    },
    createBuffer({ size }: { size: number }) {
      used += size;
      failed ||= used > memory;
      return { size, destroy: () => used -= size };
    },
  } as unknown as GPUDevice;
}

Deno.test("sizes of buffers are at most an eighth larger than what is asked for", () => {
  assertEquals([0, 4, 256].map(sizeClass), [256, 256, 256]);
  for (let bytes = 257; bytes < 10_000; bytes += 13) {
    const size = sizeClass(bytes);
    assert(size >= bytes && size <= bytes * 9 / 8, `${size} for ${bytes}`);
    assertEquals(size % 4, 0);
  }
});

Deno.test("a buffer that was given back is taken again", async () => {
  const pool = new BufferPool(device(1e6));
  const [first] = await pool.allocate([1000], "test");
  pool.give(first!);
  assertEquals([pool.count, pool.used], [1, 0]);
  assertEquals(await pool.allocate([1001], "test"), [first]);
  assertEquals([pool.count, pool.used], [1, 1]);
});

Deno.test("free buffers are taken before others are made", async () => {
  const pool = new BufferPool(device(1e6));
  const [first] = await pool.allocate([1000], "test");
  pool.give(first!);
  const buffers = await pool.allocate([1000, 1000], "test");
  assert(buffers.includes(first!));
  assertEquals([pool.count, pool.used], [2, 2]);
});

Deno.test("a buffer is given back once", async () => {
  const pool = new BufferPool(device(1e6));
  const [own] = await pool.allocate([1000], "test");
  pool.trim();
  pool.give(own!);
  pool.trim();
  pool.give(own!);
  assertEquals([pool.count, pool.bytes, pool.freeBytes], [0, 0, 0]);
});

Deno.test("free buffers make room where memory is exhausted", async () => {
  const pool = new BufferPool(device(10_000));
  const [first] = await pool.allocate([6144], "test");
  pool.give(first!);
  const [second] = await pool.allocate([8192], "test");
  assertEquals(second!.bytes, 8192);
  assertEquals([pool.count, pool.bytes], [1, 8192]);
});

Deno.test("exhausted memory is told with what is needed and what is in use", async () => {
  const pool = new BufferPool(device(10_000));
  await pool.allocate([8192], "test");
  const error = await assertRejects(
    () => pool.allocate([4096], "run the program"),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot run the program as the memory of the WebGPU device is exhausted: 4 KiB more are " +
      "needed, 8 KiB are in use; dispose of tensors, donate arguments, or work on fewer rows at a time",
  );
  assertEquals(pool.count, 1);
});

Deno.test("buffers beyond the device's largest are refused", async () => {
  const pool = new BufferPool(device(1e9));
  const error = await assertRejects(() => pool.allocate([2 ** 21], "compute put"), RangeError);
  assertEquals(
    error.message,
    "Cannot compute put as a buffer of this device holds at most 1 MiB: current size is 2 MiB",
  );
});

Deno.test("a pool that is disposed of takes nothing back", async () => {
  const pool = new BufferPool(device(1e6));
  const [own] = await pool.allocate([1000], "test");
  pool.dispose();
  pool.give(own!);
  assertEquals([pool.count, pool.bytes, pool.used], [0, 0, 0]);
});
