/** Checks of many numbers, which loops mark on their way. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as cg from "../../mod.ts";
import { gpuTest } from "../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;

const ROWS = 96;
const x = cg.softmax(cg.normal(cg.key(1), [ROWS, 16]));
const target = cg.ones([ROWS, 16]);
const mask = cg.normal(cg.key(2), [ROWS, 16]).greater(0);
const at = mask.data.findLastIndex((m: number) => m !== 0);
const off = mask.data.findLastIndex((m: number) => m === 0);

function withValue(given: Tensor, place: number, value: number): Tensor {
  const data = Float32Array.from(given.data);
  data[place] = value;
  return cg.tensor(data, { shape: given.shape });
}

const masked = (p: Tensor, m: Tensor) => cg.negLogBernoulliLoss(p, target, m);
const step = cg.valueAndGrad((z: Tensor, m: Tensor) => masked(cg.exp(z), m));
const distributed = (a: Tensor) => cg.shannonDiversityLoss(a);
const TOLD = /^Cannot compute negLogBernoulliLoss as probs must be in \[0, 1\]: current value at /;

Deno.test("checks of many numbers are marked in the loop that reads them", async () => {
  await using program = await cg.compile(masked, [x, mask]);
  const lines = program.explain().split("\n").filter((line) => /^ {4}\d+\./.test(line));
  assertEquals(lines.length, 2);
  assert(/measure .*one loop/.test(lines[0]!) && /checkRange/.test(lines[1]!), lines.join("\n"));
});

for (const threads of [1, 2]) {
  Deno.test(`many numbers out of range are told by ${threads} threads`, async () => {
    await using program = await cg.compile(step, [x.log(), mask], { threads });
    assertEquals((await program(x.log(), mask))[0].dtype, "float32");
    for (const value of [Math.log(3), Infinity]) {
      const bad = withValue(x.log(), at, value);
      const error = await assertRejects(async () => await program(bad, mask), RangeError);
      assert(TOLD.test((error as Error).message), (error as Error).message);
      assert((error as Error).message.includes(`at position ${at} is `));
    }
    await program(withValue(x.log(), off, 5), mask);
    assertEquals((await program(withValue(x.log(), at, NaN), mask))[0].item(), NaN);
    await program(x.log(), mask);
  });
}

for (const rows of [1, ROWS]) {
  gpuTest(
    `${rows * 16} numbers that single precision takes just out of range are told as eagerly`,
    async (gpu) => {
      const part = (given: Tensor) => given.slice(ROWS - rows, ROWS);
      const [y, t] = [part(x), part(target)];
      const loss = (p: Tensor) => cg.negLogBernoulliLoss(p, t, cg.ones(t.shape, { dtype: "bool" }));
      await using onCpu = await cg.compile(loss, [y]);
      await using onDevice = await cg.compile(loss, [y], { device: gpu });
      const ways = [
        async (p: Tensor) => await loss(p).read(),
        async (p: Tensor) => await onCpu(p),
        async (p: Tensor) => await (await onDevice(await gpu.put(p))).read(),
      ];
      for (const value of [1.001, 1.001 - 2 ** -24, 1.001 - 2 ** -23].map(Math.fround)) {
        const near = withValue(y, 5, value);
        for (const run of ways) {
          if (value <= 1.001) await run(near);
          else await assertRejects(() => run(near), RangeError, "at position 5 is 1.001");
        }
      }
    },
  );
}

Deno.test("many rows that do not sum to 1 are told, and which is the first", async () => {
  await using program = await cg.compile(distributed, [x]);
  assertEquals((await program(x)).dtype, "float32");
  const error = await assertRejects(
    async () => await program(withValue(x, 16 * 70 + 3, 0.9)),
    RangeError,
  );
  assert(/current sum of row 70 is 1\.\d+; /.test((error as Error).message));
});

gpuTest("many numbers out of range are told by a device", async (gpu) => {
  await using program = await cg.compile(step, [x.log(), mask], { device: gpu });
  const run = async (z: Tensor) => {
    const [value, gradient] = await program(...await gpu.put([z, mask] as [Tensor, Tensor]));
    gradient.dispose();
    return (await value.read())[0]!;
  };
  assert(Number.isFinite(await run(x.log())));
  assert(Number.isFinite(await run(withValue(x.log(), off, 5))));
  assertEquals(await run(withValue(x.log(), at, NaN)), NaN);
  const error = await assertRejects(() => run(withValue(x.log(), at, 2)), RangeError) as Error;
  assert(TOLD.test(error.message) && error.message.includes(`at position ${at} is 7.389`));
  assert(Number.isFinite(await run(x.log())));
});
