/** Means, lengths and what is made of them: in float32 as exact as their results can be. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { PRECISION_CASES, worstError } from "./precision_cases.ts";
import * as cg from "../../mod.ts";
import { clipByGlobalNorm, globalNorm } from "../../src/optim/mod.ts";
import { checkGradients } from "../../src/testing.ts";

for (const { name, f, x } of PRECISION_CASES) {
  Deno.test(`${name} has the digits of float32, compiled too`, async () => {
    const exact = f(x.cast("float64"));
    await using program = await cg.compile(f, [x]);
    for (const found of [f(x), await program(x)]) {
      found.forEach((y, i) => assertLessOrEqual(worstError(y, exact[i]!), 1e-6, `result ${i}`));
    }
  });
}

Deno.test("the squared length has all its derivatives at 0, the length the gradient 0", () => {
  const zeros = cg.zeros([2], { dtype: "float64" });
  const squares: ((x: cg.Tensor) => cg.Tensor)[] = [
    (x) => cg.norm(x).square(),
    (x) => cg.norm(x).pow(2),
    (x) => {
      const length = cg.norm(x);
      return length.mul(length);
    },
  ];
  for (const square of squares) {
    assertEquals(cg.hessian(square)(zeros).toArray(), [[2, 0], [0, 2]]);
    assertEquals(cg.grad(square)(zeros).toArray(), [0, 0]);
    assertEquals(square(cg.tensor([3, 4])).item(), 25);
  }
  assertEquals(cg.grad((x: cg.Tensor) => cg.norm(x))(zeros).toArray(), [0, 0]);
  assertEquals(cg.hessian((x: cg.Tensor) => cg.norm(x))(zeros).toArray(), [[0, 0], [0, 0]]);
});

Deno.test("squared lengths have the right first and second derivatives away from 0", () => {
  const x = cg.tensor([[1, -2, 0.5], [0.3, 0.2, 3]], { dtype: "float64" });
  checkGradients((y: cg.Tensor) => cg.norm(y, { axis: 1 }).square().mul([1, 2]).sum(), [x], {
    order: 2,
  });
});

Deno.test("globalNorm() neither overflows nor vanishes, and tells an infinity", () => {
  const trees = [[1e25, 1e25], [1e-25, 1e-25], [3e38, 0], [1e-30, 1e-38]];
  for (const values of trees) {
    const exact = Math.hypot(...Array.from(cg.tensor(values).data));
    const found = globalNorm({ a: cg.tensor([values[0]!]), b: [cg.tensor([values[1]!])] }).item();
    assertLessOrEqual(Math.abs(found - exact), 1e-6 * exact);
  }
  assertEquals(globalNorm(cg.tensor([Infinity, 1])).item(), Infinity);
  assertEquals(clipByGlobalNorm(cg.tensor([Infinity, 1]), 1).toArray(), [NaN, NaN]);
});
