/** What tests on a WebGPU device have in common. */
import { compile } from "../../../mod.ts";
import { webgpu, type WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import type { Tensor } from "../../../mod.ts";
import type { OpaqueOp } from "../../../src/op.ts";
import { fromData } from "../../../src/tensor.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { apply } from "../../../src/trace.ts";
import "./sentinels.ts";

const isMissing = (await navigator.gpu?.requestAdapter() ?? null) === null;

/** A test on a device of its own; shown as ignored where there is no adapter. */
export function gpuTest(name: string, test: (gpu: WebGpuDevice) => Promise<void>): void {
  Deno.test({
    name,
    ignore: isMissing,
    async fn() {
      await using gpu = await webgpu();
      await test(gpu);
    },
  });
}

/** An operation without a kernel, which the host does: the whole parts of numbers. */
const hostedOp: OpaqueOp<null> = {
  kind: "opaque",
  name: "hosted",
  infer: ([x]) => ({ shape: x!.shape, dtype: "float32" }),
  forward: ([x]) => Float32Array.from(x!.data, Math.trunc),
  vjp: null,
};

/** The whole parts of numbers, by the host. */
export function hosted(x: Tensor): Tensor {
  return apply(hostedOp, [x], null);
}

/** The values of tensors, wherever they are. */
export async function readAll(tensors: readonly Tensor[]): Promise<Tensor[]> {
  const data = await Promise.all(tensors.map((x) => x.read()));
  return tensors.map(({ shape, dtype }, i) => fromData(data[i]!, shape, dtype));
}

/** A tensor as the device has it: float64 as float32. */
export function narrow(x: Tensor): Tensor {
  return x.dtype === "float64" ? x.cast("float32") : x;
}

/** Asserts that a function gives on the device what it gives eagerly in float64. */
export async function assertLikeEager(
  gpu: WebGpuDevice,
  f: (...inputs: Tensor[]) => Tensor[],
  inputs: readonly Tensor[],
  tolerance: { rtol: number; atol: number },
): Promise<void> {
  const narrowed = inputs.map(narrow);
  // The same numbers as on the device, so that rounding them is no difference.
  const eager = f(...narrowed.map((x) => x.dtype === "float32" ? x.cast("float64") : x));
  await using program = await compile(f, narrowed, { device: gpu });
  const results = await program(...narrowed) as Tensor[];
  const found = await readAll(results);
  for (const x of results) x.dispose();
  found.forEach((y, i) => {
    const expected = eager[i]!;
    assertAllClose(y.dtype === "float32" ? y.cast("float64") : y, expected, tolerance);
  });
}
