/** Layout in programs: what eager gives, from copies within the program's memory. */
import { assertEquals } from "@std/assert";
import * as cg from "../../../mod.ts";
import { kernelOf } from "../../../src/backends/cpu/step_kernels.ts";
import { record } from "../../../src/program/record.ts";

type Tensor = cg.Tensor;

const count = (shape: number[]) => cg.arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);

const FUNCTIONS: Record<string, (x: Tensor) => Tensor> = {
  "transpose": (x) => cg.transpose(x, [2, 0, 1]),
  "slice along the first axis": (x) => cg.slice(x, 1, 3),
  "slice along all axes": (x) => cg.slice(x, [1, 2, 0], [3, 5, 4]),
  "concat along the first axis": (x) => cg.concat([x, cg.slice(x, 0, 1), x]),
  "concat along the last axis": (x) => cg.concat([x, x], { axis: 2 }),
  "stack": (x) => cg.stack([x, x], { axis: 1 }),
  "broadcastTo": (x) => cg.broadcastTo(cg.slice(x, 0, 1), [4, 6, 5]),
};

for (const [name, f] of Object.entries(FUNCTIONS)) {
  for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
    Deno.test(`compile() of ${name} gives the ${dtype} values of eager`, async () => {
      const x = cg.cast(count([4, 6, 5]).sub(7), dtype === "bool" ? "float32" : dtype);
      const input = dtype === "bool" ? cg.less(x, 30) : x;
      await using program = await cg.compile(f, [input]);
      assertEquals((await program(input)).data, f(input).data);
    });
  }

  Deno.test(`compile() of ${name} has the gradient of eager`, async () => {
    const x = cg.cast(count([4, 6, 5]), "float64");
    const gradient = cg.grad((y: Tensor) => f(y).square().sum());
    await using program = await cg.compile(gradient, [x]);
    assertEquals((await program(x)).data, gradient(x).data);
  });
}

function kernelsOf(f: (x: Tensor) => Tensor, shape: number[]): boolean[] {
  const graph = record([{ shape, dtype: "float32" }], ([x]) => [f(x!)]);
  return graph.steps.map((step) => kernelOf(step, graph) !== undefined);
}

Deno.test("kernelOf() copies, and does nothing else", () => {
  assertEquals(kernelsOf((x) => cg.transpose(x), [2, 3]), [true]);
  assertEquals(kernelsOf((x) => cg.exp(x), [2, 3]), [false]);
  assertEquals(kernelsOf((x) => cg.slice(x, 0, 0), [2, 3]), [false]);
});

Deno.test("compile() of cast gives the values of eager", async () => {
  const f = (x: Tensor, mask: Tensor) => [
    ...(["float64", "float32", "int32"] as const).map((dtype) => cg.cast(mask, dtype)),
    ...(["float64", "int32"] as const).map((dtype) => cg.cast(x, dtype)),
  ];
  const x = count([7]);
  const inputs: [Tensor, Tensor] = [x, cg.less(x, 3)];
  await using program = await cg.compile(f, inputs);
  const expected = f(...inputs);
  (await program(...inputs) as Tensor[]).forEach((y, i) => assertEquals(y.data, expected[i]!.data));
});
