/** Likelihoods of counts on a device, against values of 60 digits. */
import { assertLessOrEqual } from "@std/assert";
import { compile, type Tensor } from "../../../mod.ts";
import { countCases, partsOf } from "../../losses/counts_cases.ts";
import { gpuTest } from "./gpu.ts";

for (const { name, f, inputs, expected } of countCases("float32")) {
  gpuTest(`gradients of ${name} have its digits on a device`, async (gpu) => {
    const many = f as (...xs: Tensor[]) => Tensor[];
    await using program = await compile(many, inputs, { device: gpu });
    const [total, ...gradients] = await program(...inputs);
    total!.dispose();
    for (const [i, gradient] of gradients.entries()) {
      using g = gradient;
      const found = await g.read();
      expected[i]!.forEach((wanted, at) => {
        const row = inputs.map((x) => x.data[at]!);
        const limit = 1e-4 * Math.abs(wanted) + 5e-7 * partsOf(i, inputs.length > 3, row) + 1e-37;
        assertLessOrEqual(
          Math.abs(found[at]! - wanted),
          limit,
          `${found[at]} at ${i} of ${row}: ${wanted}`,
        );
      });
    }
  });
}
