/** Integers on a device: to the bit what they are eagerly, or refused. */
import { assertEquals, assertRejects } from "@std/assert";
import { compile, type Tensor, tensor } from "../../../mod.ts";
import { INTEGER_CALLS } from "../../ops/integer_calls.ts";
import { gpuTest } from "./gpu.ts";

const x = tensor([2 ** 31 - 1, 2 ** 31 - 1], { dtype: "int32" });

gpuTest("operations on extreme integers give on a device what eager gives", async (gpu) => {
  for (const { name, call, inputs, dtype } of INTEGER_CALLS) {
    if (dtype !== "int32" && dtype !== "bool") continue;
    await using program = await compile(call, inputs, { device: gpu });
    using found = await program(...inputs) as Tensor;
    assertEquals([name, await found.read()], [name, call(...inputs).data]);
  }
});

gpuTest("sums of int32 are refused where there is no float64", async (gpu) => {
  await assertRejects(
    () => compile((y: Tensor) => y.sum(), [x], { device: gpu }),
    TypeError,
    "Cannot compute compile for WebGPU as it has no float64: int32 for a sum, or by a cast, is " +
      'float64[2]; cast the integers to float32, or use device "cpu"',
  );
  await using program = await compile((y: Tensor) => y.cast("float32").sum(), [x], { device: gpu });
  using total = await program(x) as Tensor;
  assertEquals((await total.read())[0], 2 ** 32);
});

gpuTest("truth is counted in int32 on a device", async (gpu) => {
  await using program = await compile((y: Tensor) => y.greater(0).sum(), [x], { device: gpu });
  using count = await program(x) as Tensor;
  assertEquals([count.dtype, (await count.read())[0]], ["int32", 2]);
});
