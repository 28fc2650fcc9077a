/** Random graphs of operations: compiled and eager give the same values and gradients. */
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { build, inputs, programs } from "./random_programs.ts";

type Tensor = cg.Tensor;

for (const dtype of ["float64", "float32"] as const) {
  const tolerance = dtype === "float64" ? 1e-11 : 2e-4;
  Deno.test(`random programs give in ${dtype}, compiled, what they give eagerly`, () =>
    fc.assert(
      fc.asyncProperty(programs, inputs, async (instructions, given) => {
        const xs = given.map((x) => cg.cast(x, dtype));
        const f = cg.valueAndGrad(build(instructions), { argnums: [0, 1, 2] });
        const [value, gradients] = f(...xs);
        await using compiled = await cg.compile(f, xs);
        const [compiledValue, compiledGradients] = await compiled(...xs);
        const check = (a: Tensor, b: Tensor) =>
          assertAllClose(a, b, { rtol: tolerance, atol: tolerance });
        check(compiledValue, value);
        gradients.forEach((g, i) => check(compiledGradients[i]!, g));
      }),
      { seed: 7, numRuns: 150 },
    ));
}
