/** Random graphs of operations: compiled and eager give the same values and gradients. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { optimize } from "../../src/program/optimize.ts";
import { record } from "../../src/program/record.ts";
import { assertAllClose } from "../../src/testing.ts";
import { build, type Extents, inputsOf, type Instructions, programs } from "./random_programs.ts";

type Tensor = cg.Tensor;

/** Small matrices, and such as are turned around in strips and summed in stretches. */
const EXTENTS: Extents[] = [[3, 4], [18, 32], [33, 9]];

const gradientOf = (instructions: Instructions, extents: Extents) => {
  const f = cg.valueAndGrad(build(instructions, extents), { argnums: [0, 1, 2] });
  return (...xs: Tensor[]) => f(...xs).flat() as Tensor[];
};

for (const dtype of ["float64", "float32"] as const) {
  for (const extents of EXTENTS) {
    const name = `${extents.join(" by ")} in ${dtype}`;
    const tolerance = dtype === "float64" ? 1e-11 : 2e-4;

    Deno.test(`random programs on ${name} give, compiled, what they give eagerly`, () =>
      fc.assert(
        fc.asyncProperty(programs, inputsOf(extents), async (instructions, given) => {
          const xs = given.map((x) => cg.cast(x, dtype));
          const f = gradientOf(instructions, extents);
          await using compiled = await cg.compile(f, xs);
          const expected = f(...xs);
          (await compiled(...xs)).forEach((value, i) =>
            assertAllClose(value, expected[i]!, { rtol: tolerance, atol: tolerance })
          );
        }),
        { seed: 7, numRuns: 80, endOnFailure: true },
      ));
  }
}

Deno.test("random programs give the same bits on any number of threads", async () => {
  const team = new Team(2);
  try {
    await fc.assert(
      fc.asyncProperty(programs, inputsOf([18, 32]), async (instructions, given) => {
        const xs = given.map((x) => cg.cast(x, "float32"));
        const graph = optimize(record(xs, (args) => gradientOf(instructions, [18, 32])(...args)));
        const [alone, together] = [{}, { team, smallestShared: 0 }].map((options) =>
          new CpuExecutable(graph, options)
        );
        await team.ready();
        const values = (executable: CpuExecutable) => executable.run(xs).map(({ data }) => data);
        assertEquals(values(together!), values(alone!));
        together!.dispose();
      }),
      { seed: 8, numRuns: 40, endOnFailure: true },
    );
  } finally {
    team.dispose(new TypeError("ended"));
  }
});
