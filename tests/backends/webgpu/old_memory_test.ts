/** What programs give on a device does not depend on what its memory held before. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../../mod.ts";
import { ROWS as ELEMENTWISE } from "../../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../../ops/structural_table.ts";
import { build, inputs, programs } from "../../program/random_programs.ts";
import type { WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import { castOp } from "../../../src/ops/layout.ts";
import { gpuTest, narrow } from "./gpu.ts";
import { PATTERNS, withPattern } from "./sentinels.ts";
import { broadcastingTensors } from "../../ops/arbitraries.ts";

type Tensor = cg.Tensor;
type Call = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

const SPECIAL = [0, -0, Infinity, -Infinity, NaN, 1, -0.5, 3e38, 1e-38];

/** The bits of what a program gives, after memory was filled with a pattern. */
function bitsOf(
  gpu: WebGpuDevice,
  call: Call,
  given: readonly Tensor[],
  pattern: number,
): Promise<number[][]> {
  return withPattern(pattern, async () => {
    const all = (...xs: Tensor[]) => [call(...xs)].flat() as Tensor[];
    await using program = await cg.compile(all, given as Tensor[], { device: gpu });
    const results = await program(...given) as Tensor[];
    const data = await Promise.all(results.map((x) => x.read()));
    for (const x of results) x.dispose();
    return data.map(({ buffer, byteOffset, byteLength }) =>
      Array.from(new Uint8Array(buffer, byteOffset, byteLength))
    );
  });
}

async function assertIndependent(
  gpu: WebGpuDevice,
  call: Call,
  inputs: readonly Tensor[],
): Promise<void> {
  const given = inputs.map(narrow);
  const [first, ...others] = PATTERNS;
  const expected = await bitsOf(gpu, call, given, first);
  for (const pattern of others) {
    assertEquals(await bitsOf(gpu, call, given, pattern), expected);
  }
}

gpuTest("memory of a device is filled before it is used", async (gpu) => {
  for (const pattern of PATTERNS) {
    const given = cg.tensor([1, 2, 3, 4]);
    // Nothing writes what has no elements: a look at memory as the next user finds it.
    const program = await cg.compile((x: Tensor) => x.slice(0, 0), [given], { device: gpu });
    const empty = await withPattern(pattern, () => program(given));
    const source = empty.source as unknown as { buffer(what: string): { gpu: GPUBuffer } };
    const { gpu: buffer } = source.buffer("read");
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = gpu.device.createBuffer({ size: 4, usage });
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4);
    gpu.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    assertEquals(new Uint32Array(staging.getMappedRange())[0], pattern);
    staging.destroy();
    program.dispose();
  }
});

const FEW = { seed: 3, numRuns: 2 };

gpuTest("elementwise operations on a device do not show what memory held", async (gpu) => {
  for (const { domain, call } of ELEMENTWISE) {
    const given = broadcastingTensors(domain.map(() => fc.constantFrom(...SPECIAL)));
    await fc.assert(fc.asyncProperty(given, (xs) => assertIndependent(gpu, call, xs)), FEW);
  }
});

for (const { op, cases } of STRUCTURAL.filter(({ op }) => op as unknown !== castOp)) {
  gpuTest(`${op.name} on a device does not show what memory held`, (gpu) =>
    fc.assert(
      fc.asyncProperty(cases, ({ inputs, call }) => assertIndependent(gpu, call, inputs)),
      FEW,
    ));
}

const RATIOS: [string, Call][] = [
  ["x / 0", (x) => x.div(0)],
  ["x / (x - x)", (x) => x.div(x.sub(x))],
  ["x / (0 x)", (x) => x.div(x.mul(0))],
  ["0 / 0", (x) => x.mul(0).div(0)],
  ["the mean of no values", (x) => x.slice(0, 0).mean()],
  ["integers by 0", (x) => x.greater(0).cast("int32").div(0)],
  ["0 to a negative power", (x) => cg.pow(0, x.mul(0).sub(1))],
  ["the logarithm of 0", (x) => x.mul(0).log()],
];

gpuTest("what is divided by 0 is on a device what it is elsewhere", async (gpu) => {
  const x = cg.tensor([1, -1, 0, 5, NaN, Infinity]);
  for (const [name, call] of RATIOS) {
    await assertIndependent(gpu, call, [x]);
    await using program = await cg.compile(call as (x: Tensor) => Tensor, [x], { device: gpu });
    const found = await (await program(x)).read();
    assertEquals(Array.from(found), Array.from((call(x) as Tensor).data), name);
  }
});

gpuTest("random programs on a device do not show what memory held", (gpu) =>
  fc.assert(
    fc.asyncProperty(programs, inputs, (instructions, given) => {
      const f = cg.valueAndGrad(build(instructions), { argnums: [0, 1, 2] });
      return assertIndependent(gpu, (...xs) => f(...xs).flat() as Tensor[], given);
    }),
    { seed: 9, numRuns: 6 },
  ));
