/** Losses of regression, counts, survival and divergence of many rows at once, and their derivatives. */
import * as cg from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { COUNT_CASES } from "../program/count_cases.ts";

type Tensor = cg.Tensor;

const TIGHT = { rtol: 1e-10, atol: 1e-12 };

for (const [name, inputs, fixed, loss] of COUNT_CASES) {
  const f = (...x: Tensor[]) => loss(x, fixed);
  const argnums = inputs.map((_, i) => i);
  const both = (...x: Tensor[]) => {
    const [value, slopes] = cg.valueAndGrad(f, { argnums })(...x) as unknown as [Tensor, Tensor[]];
    return [value, ...slopes];
  };
  const rows = [inputs, inputs.map((x) => x.mul(0.9))];

  Deno.test(`${name}() and its gradient are mapped over rows by vmap()`, () => {
    const stacked = inputs.map((_, i) => cg.stack(rows.map((row) => row[i]!)));
    const found = cg.vmap(both)(...stacked) as Tensor[];
    rows.forEach((row, at) =>
      both(...row).forEach((expected, i) => assertAllClose(found[i]!.at(at), expected, TIGHT))
    );
  });

  Deno.test(`${name}() has the same slope along a direction forwards and backwards`, () => {
    const along = inputs.map((x) => x.sin());
    const [, tangent] = cg.jvp(f, inputs, along);
    const [, ...slopes] = both(...inputs);
    const expected = slopes.map((g, i) => g.mul(along[i]!).sum()).reduce((a, b) => a.add(b));
    assertAllClose(tangent as Tensor, expected, TIGHT);
  });
}
