/** Every operation's row of the tables, compiled: the same values and gradients as eager. */
import fc from "fast-check";
import { compile, type Tensor, valueAndGrad } from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { broadcastingTensors, numbers, RUNS } from "../ops/arbitraries.ts";
import { ROWS as ELEMENTWISE } from "../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../ops/structural_table.ts";

type Call = (...inputs: Tensor[]) => Tensor;

const FEW = { ...RUNS, numRuns: 8 };

async function assertSame(call: Call, inputs: Tensor[], differentiable: readonly number[]) {
  const both = (...xs: Tensor[]) => {
    const value = call(...xs);
    if (differentiable.length === 0) return [value];
    const objective = (...ys: Tensor[]) => call(...ys).square().sum();
    return [value, ...valueAndGrad(objective, { argnums: differentiable })(...xs).flat()];
  };
  const eager = both(...inputs) as Tensor[];
  await using program = await compile(both, inputs);
  for (const round of [1, 2]) {
    const compiled = await program(...inputs) as Tensor[];
    compiled.forEach((y, i) => assertAllClose(y, eager[i]!, { rtol: 1e-13, atol: 1e-13 * round }));
  }
}

for (const row of ELEMENTWISE) {
  const inputs = broadcastingTensors(row.domain.map((interval) => numbers(interval, row.kinks)));
  Deno.test(`compile() of ${row.op.name} gives what eager gives, gradients included`, () =>
    fc.assert(
      fc.asyncProperty(inputs, (xs) => assertSame(row.call, xs, row.differentiable)),
      FEW,
    ));
}

for (const row of STRUCTURAL) {
  Deno.test(`compile() of ${row.op.name} gives what eager gives, gradients included`, () =>
    fc.assert(
      fc.asyncProperty(
        row.cases,
        ({ inputs, call }) =>
          assertSame(call, inputs, row.order === 0 ? [] : inputs.map((_, i) => i)),
      ),
      FEW,
    ));
}
