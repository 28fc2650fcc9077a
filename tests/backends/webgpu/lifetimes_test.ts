/** Who disposes of what, and when: programs, tensors and devices, with work still under way. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { compile, type Tensor, tensor, webgpu, zeros } from "../../../mod.ts";
import { gpuTest, hosted, readAll } from "./gpu.ts";

const double = (x: Tensor) => x.mul(2);
const whole = (x: Tensor) => x.cast("int32");

const NO_WHOLE = (value: number) =>
  `Cannot compute cast as int32 cannot hold the value ${value} at position 0: round the values first`;

/** Lets everything go on that does not wait for the device. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

gpuTest("put() copies a tensor that comes twice once", async (gpu) => {
  const x = tensor([1, 2]);
  const [first, second] = await gpu.put([x, x]) as [Tensor, Tensor];
  assert(first === second);
  assertEquals(gpu.counters.buffers, 1);
  first.dispose();
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("put() refuses tensors of another device, and takes no memory", async (gpu) => {
  await using other = await webgpu();
  const foreign = await other.put(tensor([1]));
  await assertRejects(() => gpu.put([tensor([2]), foreign]), TypeError, "use await t.read()");
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("a program disposed of during its first call leaves nothing behind", async (gpu) => {
  const program = await compile(double, [[1]], { device: gpu });
  const call = program([2]);
  program.dispose();
  const error = await assertRejects(() => call, TypeError);
  assertEquals(error.message, "Cannot run the program as it has been disposed of");
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("results can be read after their program was disposed of", async (gpu) => {
  const program = await compile(double, [[1]], { device: gpu });
  const [first, second] = [await program([2]), await program([3])];
  const reading = first.read();
  program.dispose();
  await using other = await compile((x: Tensor) => x.mul(5), [[1]], { device: gpu });
  await other([7]);
  assertEquals([...await reading, ...await second.read()], [4, 6]);
});

gpuTest("a program disposed of while the host is at work stops", async (gpu) => {
  const f = (x: Tensor) => hosted(x.add(1)).add(x.mul(3));
  const program = await compile(f, [[1, 2]], { device: gpu });
  const call = program([10, 20]);
  await settle();
  program.dispose();
  const error = await assertRejects(() => call, TypeError);
  assertEquals(error.message, "Cannot run the program as it has been disposed of");
  assertEquals(gpu.counters.buffers, 0);
});

gpuTest("a tensor disposed of while the host is at work is missed", async (gpu) => {
  const f = (x: Tensor) => hosted(x.add(1)).add(x);
  await using program = await compile(f, [[1, 2]], { device: gpu });
  const x = await gpu.put(tensor([10, 20]));
  const call = program(x);
  await settle();
  x.dispose();
  const error = await assertRejects(() => call, TypeError);
  assertEquals(
    error.message,
    "Cannot run the program with the tensor as it was disposed of",
  );
});

gpuTest("a tensor that is given twice can be donated", async (gpu) => {
  const f = (x: Tensor, y: Tensor) => x.add(y);
  await using program = await compile(f, [[1], [1]], { device: gpu, donate: true });
  const x = await gpu.put(tensor([2]));
  assertEquals(Array.from(await (await program(x, x)).read()), [4]);
  await assertRejects(() => x.read(), TypeError, "it was donated to a program");
});

gpuTest("a tensor that another call was donated is missed", async (gpu) => {
  await using program = await compile(double, [[1]], { device: gpu, donate: true });
  const x = await gpu.put(tensor([2]));
  const [first, second] = await Promise.allSettled([program(x), program(x)]);
  assertEquals([first.status, second.status], ["fulfilled", "rejected"]);
});

gpuTest("a read comes before the call that takes the memory over", async (gpu) => {
  await using program = await compile(double, [[1]], { device: gpu, donate: true });
  let x = await gpu.put(tensor([1]));
  const reads: Promise<ArrayLike<number>>[] = [];
  for (let i = 0; i < 6; i++) {
    reads.push(x.read());
    x = await program(x);
  }
  assertEquals((await Promise.all(reads)).map((values) => values[0]), [1, 2, 4, 8, 16, 32]);
});

gpuTest("what a program's checks found is told after it was disposed of", async (gpu) => {
  const program = await compile(whole, [[1]], { device: gpu });
  const result = await program(await gpu.put(tensor([1.5])));
  program.dispose();
  const error = await assertRejects(() => result.read(), RangeError);
  assertEquals(error.message, NO_WHOLE(1.5));
  await result.read();
});

gpuTest("what the checks of two programs found is told one by one", async (gpu) => {
  await using first = await compile(whole, [[1]], { device: gpu });
  await using second = await compile((x: Tensor) => whole(x).add(1), [[1]], { device: gpu });
  const [good, bad, worse] = await gpu.put([tensor([3]), tensor([1.5]), tensor([2.5])]) as Tensor[];
  const results = [await first(bad!), await second(worse!)];
  assertEquals((await assertRejects(() => results[0]!.read(), Error)).message, NO_WHOLE(1.5));
  assertEquals((await assertRejects(() => results[1]!.read(), Error)).message, NO_WHOLE(2.5));
  assertEquals(Array.from(await (await second(good!)).read()), [4]);
});

gpuTest("checks of a later call are told although an earlier one is being told", async (gpu) => {
  await using program = await compile(whole, [[1]], { device: gpu });
  const [bad, worse] = await gpu.put([tensor([1.5]), tensor([2.5])]) as [Tensor, Tensor];
  const reading = (await program(bad)).read();
  const later = await program(worse);
  assertEquals((await assertRejects(() => reading, Error)).message, NO_WHOLE(1.5));
  assertEquals((await assertRejects(() => later.read(), Error)).message, NO_WHOLE(2.5));
});

gpuTest("NaN and infinities are no whole numbers on the device either", async (gpu) => {
  await using program = await compile(whole, [[1]], { device: gpu });
  for (const value of [NaN, Infinity, -Infinity]) {
    const result = await program(await gpu.put(tensor([value])));
    assertEquals((await assertRejects(() => result.read(), Error)).message, NO_WHOLE(value));
  }
});

gpuTest("two programs share a device, call by call", async (gpu) => {
  await using up = await compile((x: Tensor) => x.add(1), [zeros([3])], { device: gpu });
  await using twice = await compile(double, [zeros([3])], { device: gpu });
  let x: Tensor = zeros([3]);
  for (let i = 0; i < 4; i++) x = await twice(await up(x));
  assertEquals((await readAll([x]))[0]!.toArray(), [30, 30, 30]);
});

gpuTest("constants of float64 are narrowed, results of float64 refused", async (gpu) => {
  const c = tensor(new Float64Array([0.1]));
  await using program = await compile((x: Tensor) => x.mul(c.cast("float32")), [[1]], {
    device: gpu,
  });
  assertEquals(await (await program([2])).read(), Float32Array.of(0.2));
  const error = await assertRejects(
    () => compile((x: Tensor) => [x, c], [[1]], { device: gpu }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile for WebGPU as it has no float64: tensor 1 of the result is " +
      'float64[1]; cast arguments and what is closed over to float32, or use device "cpu"',
  );
});

gpuTest("values in shared memory, and parts of arrays, are copied as they are", async (gpu) => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1, 2]);
  await using program = await compile(double, [[1, 2]], { device: gpu });
  assertEquals(Array.from(await (await program(tensor(shared))).read()), [2, 4]);
  const part = new Float32Array([0, 0, 5, 6]).subarray(2);
  assertEquals(Array.from(await (await program(tensor(part))).read()), [10, 12]);
});
