/** Random graphs of operations: on a device they give what they give eagerly in float64. */
import fc from "fast-check";
import { type Tensor, valueAndGrad } from "../../../mod.ts";
import { build, type Extents, inputsOf, programs } from "../../program/random_programs.ts";
import { assertLikeEager, gpuTest } from "./gpu.ts";

for (const extents of [[3, 4], [18, 32]] satisfies Extents[]) {
  const name = `random programs on ${extents.join(" by ")} give on a device what they give eagerly`;
  gpuTest(name, (gpu) =>
    fc.assert(
      fc.asyncProperty(programs, inputsOf(extents), (instructions, given) => {
        const f = valueAndGrad(build(instructions, extents), { argnums: [0, 1, 2] });
        const flat = (...xs: Tensor[]) => f(...xs).flat() as Tensor[];
        return assertLikeEager(gpu, flat, given, { rtol: 2e-3, atol: 2e-3 });
      }),
      { seed: 7, numRuns: 25, endOnFailure: true },
    ));
}
