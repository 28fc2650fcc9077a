/** Reductions in programs of axes that are not the last. */
import { assertEquals } from "@std/assert";
import * as cg from "../../../mod.ts";
import { record } from "../../../src/program/record.ts";
import { kernelOf } from "../../../src/backends/cpu/step_kernels.ts";

type Tensor = cg.Tensor;

const SHAPE = [1, 4, 3, 1, 5];

const AXES: [axes: number[], slices: number][] = [
  [[2], 4],
  [[0, 2], 4],
  [[1, 2, 3], 1],
  [[1, 3], 1],
  [[0, 3], 60],
  [[0, 4], 12],
  [[1, 4], 1],
];

for (const [axis, slices] of AXES) {
  for (const reduce of ["sum", "max", "min"] as const) {
    Deno.test(`compile() of ${reduce} over axes ${axis} gives what eager gives`, async () => {
      const dtype = reduce === "min" ? "float64" : "float32";
      const x = cg.normal(cg.key(1), SHAPE, { dtype });
      const f = (y: Tensor) => cg[reduce](y, { axis });
      await using program = await cg.compile(f, [x]);
      assertEquals((await program(x)).data, f(x).data);
    });
  }

  Deno.test(`kernelOf() has ${slices} slices for axes ${axis}`, () => {
    const graph = record([{ shape: SHAPE, dtype: "float32" }], ([x]) => [cg.sum(x!, { axis })]);
    assertEquals(kernelOf(graph.steps[0]!, graph)?.slices, slices);
  });
}

Deno.test("compile() adds integers up over axes that are apart", async () => {
  const x = cg.cast(cg.arange(24).reshape([2, 3, 4]), "int32");
  const f = (y: Tensor) => cg.sum(y, { axis: [0, 2] });
  await using program = await cg.compile(f, [x]);
  assertEquals((await program(x)).toArray(), [60, 92, 124]);
});

Deno.test("kernelOf() leaves empty arrays to others", () => {
  const kernel = (shape: number[], dtype: cg.DType) => {
    const graph = record([{ shape, dtype }], ([x]) => [cg.max(x!, { axis: 0 })]);
    return kernelOf(graph.steps.at(-1)!, graph);
  };
  assertEquals(kernel([2, 3], "float32")?.slices, 1);
  assertEquals(kernel([2, 0], "float32"), undefined);
});
