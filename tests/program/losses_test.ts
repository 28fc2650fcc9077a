/** Every loss, compiled: the same value and gradients as eager. */
import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { LOSS_CASES } from "./loss_cases.ts";
import { assertListed } from "../guards.ts";

type Tensor = cg.Tensor;

/** Functions of the losses entry that are no losses of tensors. */
const NO_LOSSES = [
  "classWeights",
  "createLoss",
  "recommendLoss",
  "diagnoseClasses",
  "diagnosisTable",
  "negativeBinomialParameters",
];

Deno.test("every loss has a compiled case", () => {
  const exported = Object.entries(losses).filter(([, value]) => typeof value === "function");
  const needed = exported.map(([name]) => name).filter((name) => !NO_LOSSES.includes(name));
  assertListed("tests/program/loss_cases.ts", LOSS_CASES.map(([name]) => name), needed);
});

for (const dtype of ["float64", "float32"] as const) {
  const tolerance = dtype === "float64" ? 1e-12 : 2e-5;
  for (const [name, inputs, fixed, loss] of LOSS_CASES) {
    Deno.test(`${name}() compiled gives in ${dtype} what it gives eagerly`, async () => {
      const cast = (x: Tensor) => x.dtype === "float64" ? x.cast(dtype) : x;
      const [xs, ys] = [inputs.map(cast), fixed.map(cast)];
      const f = cg.valueAndGrad(loss);
      const [value, gradients] = f(xs, ys);
      assertEquals([value, ...gradients].map((x) => x.dtype), [dtype, ...xs.map((x) => x.dtype)]);
      await using program = await cg.compile((x: Tensor[], y: Tensor[]) => f(x, y), [xs, ys]);
      const [compiledValue, compiledGradients] = await program(xs, ys);
      assertAllClose(compiledValue, value, { rtol: tolerance, atol: tolerance });
      gradients.forEach((g, i) =>
        assertAllClose(compiledGradients[i]!, g, { rtol: tolerance, atol: tolerance })
      );
    });
  }
}
