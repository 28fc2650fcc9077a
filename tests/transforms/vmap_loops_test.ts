/** vmap of loops and choices: each row for itself. */
import { assertEquals, assertThrows } from "@std/assert";
import { cond, gather, grad, sum, type Tensor, tensor, vmap, whileLoop } from "../../mod.ts";
import { assertCompiledLaw, assertLaw, matrixRows } from "./vmap_law.ts";
import { LOOPS } from "./vmap_loops.ts";

const f64 = (data: number[] | number) => tensor(data, { dtype: "float64" });

for (const [name, f] of Object.entries(LOOPS)) {
  Deno.test(`vmap() of ${name}: each row for itself, with gradients, in programs too`, async () => {
    const rows = [matrixRows(3, 4, 5), matrixRows(3, 4, 8)];
    for (const isMapped of [[true, true], [true, false], [false, true]]) {
      const law = { f, rows, isMapped };
      assertLaw(law);
      await assertCompiledLaw(law);
    }
  });
}

Deno.test("vmap() of a loop that one row would not end refuses it", () => {
  const grow = (x: Tensor) =>
    whileLoop((y: Tensor) => y.less(100), (y: Tensor) => y.mul(2), x, { max: 5 });
  assertEquals(vmap(grow)([50, 20]).toArray(), [100, 160]);
  assertThrows(
    () => vmap(grow)([50, 1]),
    RangeError,
    "Cannot compute whileLoop as cond must not hold after max turns: current value is 5",
  );
});

Deno.test("a row does not see what it has not chosen: neither NaN, nor refusals", () => {
  const root = (x: Tensor) =>
    cond(x.greater(0), (x: Tensor) => x.sqrt(), (x: Tensor) => x.mul(0), x);
  const X = f64([4, 0, -1]);
  assertEquals(vmap(root)(X).toArray(), [2, 0, -0]);
  assertEquals(vmap(grad(root))(X).toArray(), [0.25, 0, 0]);
  assertEquals(grad((X: Tensor) => sum(vmap(root)(X)))(X).toArray(), [0.25, 0, 0]);
  const table = f64([10, 20]);
  const pick = (i: Tensor) => cond(i.less(2), (i: Tensor) => gather(table, i), () => f64(-1), i);
  assertEquals(vmap(pick)(tensor([1, 7, 0], { dtype: "int32" })).toArray(), [20, -1, 10]);
});

Deno.test("a row that has ended does not come to NaN by further turns", () => {
  // From 1, the next turn would divide by 0.
  const down = (x: Tensor) =>
    whileLoop((y: Tensor) => y.greater(1), (y: Tensor) => y.sub(1).mul(y).div(y.sub(1)).sub(1), x, {
      max: 9,
    });
  const X = f64([1, 4, 2]);
  assertEquals(vmap(down)(X).toArray(), [1, 1, 1]);
  assertEquals(vmap(grad(down))(X).toArray(), [1, 1, 1]);
  assertEquals(grad((X: Tensor) => sum(vmap(down)(X)))(X).toArray(), [1, 1, 1]);
});
