import { assertEquals } from "@std/assert";
import { createKernel, groupsFor, planOf, spreadGroups } from "../../kernels/wgsl/kernel.ts";
import { gpuTest } from "./wgsl_runner.ts";

const DOUBLE = {
  name: "double",
  inputs: [{ name: "x", type: "f32" }],
  outputs: [{ name: "y", type: "f32" }],
} as const;

Deno.test("spreadGroups() finds the least rectangle that is allowed", () => {
  assertEquals(spreadGroups(0), [0, 1]);
  assertEquals(spreadGroups(1), [1, 1]);
  assertEquals(spreadGroups(65535), [65535, 1]);
  assertEquals(spreadGroups(65536), [32768, 2]);
  assertEquals(spreadGroups(3 * 65535 + 1), [49152, 4]);
  assertEquals(spreadGroups(65535 ** 2), [65535, 65535]);
});

Deno.test("groupsFor() counts a workgroup that is not full", () => {
  assertEquals([0, 1, 64, 65].map((count) => groupsFor(count)), [0, 1, 1, 2]);
  assertEquals(groupsFor(65, 32), 3);
});

Deno.test("createKernel() ends workgroups that only fill the rectangle", () => {
  const code = (groups: number) => createKernel({ ...DOUBLE, groups, body: "y[group] = 1;" }).code;
  assertEquals(code(65535).includes("return"), false);
  assertEquals(code(65536).includes("return"), false);
  assertEquals(code(65537).includes("if (group >= 65537u) { return; }"), true);
});

Deno.test("planOf() numbers the inputs, then the outputs", () => {
  const kernel = createKernel({
    ...DOUBLE,
    inputs: [...DOUBLE.inputs, { name: "z", type: "i32" }],
    groups: 1,
    body: "y[index] = x[index] + f32(z[index]);",
  });
  assertEquals(planOf(kernel), {
    kernels: [{ kernel, buffers: [0, 1, 2] }],
    temporaries: [],
  });
});

gpuTest("createKernel() counts invocations over both dimensions", async (runner) => {
  const size = 65537 * 32;
  const body = "y[index] = x[index] + f32(index % 7u);";
  const kernel = createKernel({ ...DOUBLE, groups: 65537, workgroupSize: 32, body });
  const outputs = [new Float32Array(size)];
  await runner.run([{ plan: kernel, inputs: [new Float32Array(size).fill(1)], outputs }]);
  assertEquals(kernel.workgroups, [32769, 2]);
  assertEquals(outputs[0]!.findIndex((y, i) => y !== 1 + i % 7), -1);
});
