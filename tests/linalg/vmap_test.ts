/** `vmap` of linear algebra: one call for all rows, which is the stack of what it gives for every row. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Tensor, tensor, vmap } from "../../mod.ts";
import { cholesky, solve } from "../../src/linalg/mod.ts";
import { assertCompiledLaw, assertLaw, type Law } from "../transforms/vmap_law.ts";
import { ROWS, smoothly } from "./table.ts";

/** Three rows of every argument, as well-conditioned as the first; each mapped, and one of them. */
function laws(f: (...xs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Law[] {
  const rows = inputs.map((x) => [x, x.mul(1.25), x.mul(0.75)]);
  const choices = inputs.length === 1 ? [[true]] : [[true, true], [true, false], [false, true]];
  return choices.map((isMapped) => ({ f, rows, isMapped }));
}

for (const row of ROWS) {
  Deno.test(`vmap of ${row.op.name}() is the stack of its rows, with gradients, in programs too`, async () => {
    const samples = fc.sample(row.inputs, { seed: 3, numRuns: 6 });
    for (const [i, inputs] of samples.entries()) {
      for (const law of laws((...xs) => smoothly(row, xs), inputs)) {
        assertLaw(law);
        if (i === 0) await assertCompiledLaw(law);
      }
    }
  });
}

Deno.test("vmap of solve() takes vectors as rows, and batches within rows", () => {
  const [a, b] = [tensor([[[2, 0], [0, 4]], [[1, 0], [0, 8]]]), tensor([[4, 8], [2, 16]])];
  assertEquals(vmap(solve)(a, b).toArray(), [[2, 2], [2, 2]]);
  const columns = b.reshape([2, 1, 2, 1]).broadcastTo([2, 3, 2, 1]);
  assertEquals(vmap(solve)(a, columns).shape, [2, 3, 2, 1]);
  assertEquals(vmap(solve, { inAxes: [null, 0] })(a.slice(0, 1).squeeze(0), b).toArray(), [
    [2, 2],
    [1, 4],
  ]);
  assertEquals(vmap(cholesky)([[[4]], [[-4]]]).toArray(), [[[2]], [[NaN]]]);
  assertEquals(vmap(vmap(cholesky))(a.expandDims(0)).shape, [1, 2, 2, 2]);
});
