/** Special values, eager and compiled, in both types. */
import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { SPECIAL_CASES } from "./special_cases.ts";

for (const { name, f, inputs, expected } of SPECIAL_CASES) {
  Deno.test(`${name} of zeros, ones, infinities and NaN is IEEE 754's, compiled too`, async () => {
    for (const dtype of ["float32", "float64"] as const) {
      const xs = inputs.map((values) => cg.tensor(values, { dtype }));
      await using program = await cg.compile(f as (...ys: cg.Tensor[]) => cg.Tensor, xs);
      const wanted = cg.tensor(expected, { dtype }).toArray();
      assertEquals([f(...xs).toArray(), (await program(...xs)).toArray()], [wanted, wanted]);
    }
  });
}

Deno.test("gradients of powers of 1, and to constant powers of 0, are PyTorch's", () => {
  const slopes = (x: number, y: number) => {
    const both = cg.grad((a: cg.Tensor, b: cg.Tensor) => cg.pow(a, b), { argnums: [0, 1] });
    return both(cg.tensor(x, { dtype: "float64" }), cg.tensor(y, { dtype: "float64" }))
      .map((g) => g.item());
  };
  assertEquals(slopes(1, Infinity), [Infinity, 0]);
  assertEquals(slopes(1, -Infinity), [-Infinity, 0]);
  assertEquals(slopes(1, NaN), [NaN, 0]);
  assertEquals(slopes(Infinity, 0), [0, Infinity]);
  assertEquals(slopes(0, 0), [0, 0]);
  assertEquals(slopes(2, Infinity), [Infinity, Infinity]);
  const constant = cg.grad((a: cg.Tensor) => cg.pow(a, 0).sum());
  assertEquals(constant(cg.tensor([NaN, 0, Infinity])).toArray(), [0, 0, 0]);
});
