/** Random graphs of operations: on a device they give what they give eagerly in float64. */
import fc from "fast-check";
import { type Tensor, valueAndGrad } from "../../../mod.ts";
import { build, inputs, programs } from "../../program/random_programs.ts";
import { assertLikeEager, gpuTest } from "./gpu.ts";

gpuTest("random programs give on a device what they give eagerly", (gpu) =>
  fc.assert(
    fc.asyncProperty(programs, inputs, (instructions, given) => {
      const f = valueAndGrad(build(instructions), { argnums: [0, 1, 2] });
      const flat = (...xs: Tensor[]) => f(...xs).flat() as Tensor[];
      return assertLikeEager(gpu, flat, given, { rtol: 1e-3, atol: 1e-3 });
    }),
    { seed: 7, numRuns: 60 },
  ));
