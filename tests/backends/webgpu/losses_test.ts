/** Every loss on a device: the value and gradients of eager float64, no step of them on the host. */
import { assertEquals } from "@std/assert";
import * as cg from "../../../mod.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { LOSS_CASES } from "../../program/loss_cases.ts";
import { gpuTest, narrow, readAll } from "./gpu.ts";

type Tensor = cg.Tensor;

for (const [name, inputs, fixed, loss] of LOSS_CASES) {
  gpuTest(`${name}() gives on a device what it gives eagerly`, async (gpu) => {
    const f = cg.valueAndGrad(loss);
    const [value, gradients] = f(inputs, fixed);
    const [xs, ys] = [inputs.map(narrow), fixed.map(narrow)];
    await using program = await cg.compile((x: Tensor[], y: Tensor[]) => f(x, y), [xs, ys], {
      device: gpu,
    });
    assertEquals(program.explain().match(/.*on the host.*/g), null);
    for (const given of [[xs, ys], await gpu.put([xs, ys])] as [Tensor[], Tensor[]][]) {
      const [ownValue, ownGradients] = await program(...given);
      const [found, ...foundGradients] = await readAll([ownValue, ...ownGradients]);
      assertAllClose(found!, value, { rtol: 1e-4, atol: 1e-6 });
      foundGradients.forEach((g, i) =>
        assertAllClose(g, gradients[i]!, { rtol: 1e-3, atol: 2e-6 })
      );
    }
  });
}
