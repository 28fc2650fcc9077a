/** What a device keeps: pipelines up to a limit, none that failed; programs of some shapes. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import * as cg from "../../../mod.ts";
import { Build } from "../../../src/backends/webgpu/build.ts";
import { Engine } from "../../../src/backends/webgpu/engine.ts";
import { MOST_PIPELINES, Pipelines } from "../../../src/backends/webgpu/pipelines.ts";
import { optimize } from "../../../src/program/optimize.ts";
import { record } from "../../../src/program/record.ts";
import { MOST_KEPT } from "../../../src/compile/specializations.ts";
import { gpuTest } from "./gpu.ts";

type Tensor = cg.Tensor;

/** A device that compiles anything, at some times. */
function compiler(): { device: GPUDevice; compiled: string[]; fails: { now: boolean } } {
  const compiled: string[] = [];
  const fails = { now: false };
  const device = {
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(fails.now ? { message: "busy" } : null),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({ getCompilationInfo: () => Promise.resolve({ messages: [] }) }),
    createComputePipeline: ({ label }: { label: string }) => void compiled.push(label),
  } as unknown as GPUDevice;
  return { device, compiled, fails };
}

function kernel(name: string) {
  return { name, code: name, inputs: 1, outputs: 1, workgroups: [1, 1] as const };
}

Deno.test("the pipelines that were asked for longest ago go first", async () => {
  const { device, compiled } = compiler();
  const pipelines = new Pipelines(device);
  for (let i = 0; i < MOST_PIPELINES; i++) await pipelines.get(kernel(`${i}`));
  await pipelines.get(kernel("0"));
  assertEquals(compiled.length, MOST_PIPELINES);
  await pipelines.get(kernel("new"));
  assertEquals(pipelines.count, MOST_PIPELINES);
  await pipelines.get(kernel("0"));
  assertEquals(compiled.length, MOST_PIPELINES + 1);
  await pipelines.get(kernel("1"));
  assertEquals(compiled.at(-1), "1");
});

Deno.test("a pipeline that failed is tried again", async () => {
  const { device, fails } = compiler();
  const pipelines = new Pipelines(device);
  fails.now = true;
  await assertRejects(() => pipelines.get(kernel("a")), Error, "Cannot compile the kernel");
  assertEquals(pipelines.count, 0);
  fails.now = false;
  await pipelines.get(kernel("a"));
  assertEquals(pipelines.count, 1);
});

gpuTest("shapes come and go on a device, results are right", async (gpu) => {
  const given = (n: number) => cg.full([n, 3], 0.5);
  const f = (x: Tensor) => x.mul(2).exp().sum({ axis: 1 });
  await using program = await cg.compile(f, [given(1)], { device: gpu });
  const sizes = Array.from({ length: MOST_KEPT + 8 }, (_, i) => i + 1);
  for (let round = 0; round < 2; round++) {
    // All at once: what is under way must outlive its place among those that are kept.
    const found = await Promise.all(sizes.map((n) => program(given(n))));
    const values = await Promise.all(found.map((y) => y.read()));
    found.forEach((y) => y.dispose());
    values.forEach((data, i) => {
      assertEquals(data.length, sizes[i]);
      assert([...data].every((v) => Math.abs(v - 3 * Math.E) < 1e-4));
    });
  }
  const text = program.explain();
  assertStringIncludes(text, `kept: ${MOST_KEPT} of at most ${MOST_KEPT} sets of shapes`);
  assertStringIncludes(text, `pipelines: ${gpu.counters.pipelines} kept`);
  assert(gpu.counters.buffers <= 3 * MOST_KEPT, `${gpu.counters.buffers} buffers`);
});

gpuTest("a value that no buffer holds is refused by its operation and shape", (gpu) => {
  const x = { shape: [400_000, 1], dtype: "float32" } as const;
  const graph = optimize(record([x], ([a]) => [a!.matmul(a!.transpose()).sum()]));
  assertThrows(
    () => new Build(graph, new Engine(gpu.device)),
    RangeError,
    "Cannot compute compile for WebGPU as the result of matmul, float32 [400000, 400000], " +
      "needs 596 GiB: a buffer of this device holds at most",
  );
  return Promise.resolve();
});
