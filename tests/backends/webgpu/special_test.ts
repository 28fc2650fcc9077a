/** Special values on a device. */
import { assertEquals } from "@std/assert";
import { compile, type Tensor, tensor } from "../../../mod.ts";
import { SPECIAL_CASES } from "../../ops/special_cases.ts";
import { gpuTest } from "./gpu.ts";

gpuTest("functions of zeros, ones, infinities and NaN are IEEE 754's on a device", async (gpu) => {
  for (const { name, f, inputs, expected } of SPECIAL_CASES) {
    const xs = inputs.map((values) => tensor(values));
    await using program = await compile(f as (...ys: Tensor[]) => Tensor, xs, { device: gpu });
    using found = await program(...xs);
    // Adapters may take −0 for 0, and powers are right to the last place or so.
    const values = Array.from(await found.read(), (v) => v + 0);
    const wanted = expected.map((v) => Math.fround(v) + 0);
    const close = values.map((v, i) =>
      Math.abs(v - wanted[i]!) < 1e-6 * Math.abs(v) ? wanted[i] : v
    );
    assertEquals([name, close], [name, wanted]);
  }
});
