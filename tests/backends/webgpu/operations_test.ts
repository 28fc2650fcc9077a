/** Every operation's row of the tables, on a device: the values and gradients of eager float64. */
import fc from "fast-check";
import { type Tensor, valueAndGrad } from "../../../mod.ts";
import type { WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import { castOp } from "../../../src/ops/layout.ts";
import { broadcastingTensors, numbers, RUNS } from "../../ops/arbitraries.ts";
import { ROWS as ELEMENTWISE } from "../../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../../ops/structural_table.ts";
import { assertLikeEager, gpuTest } from "./gpu.ts";

type Call = (...inputs: Tensor[]) => Tensor;

const FEW = { ...RUNS, numRuns: 4 };

function assertSame(
  gpu: WebGpuDevice,
  call: Call,
  inputs: readonly Tensor[],
  differentiable: readonly number[],
): Promise<void> {
  const both = (...xs: Tensor[]) => {
    const value = call(...xs);
    if (differentiable.length === 0) return [value];
    const objective = (...ys: Tensor[]) => call(...ys).square().sum();
    return [value, ...valueAndGrad(objective, { argnums: differentiable })(...xs).flat()];
  };
  return assertLikeEager(gpu, both as (...xs: Tensor[]) => Tensor[], inputs, {
    rtol: 2e-4,
    atol: 2e-5,
  });
}

for (const row of ELEMENTWISE) {
  const inputs = broadcastingTensors(row.domain.map((interval) => numbers(interval, row.kinks)));
  gpuTest(
    `${row.op.name} on a device gives what eager gives, gradients included`,
    (gpu) =>
      fc.assert(
        fc.asyncProperty(inputs, (xs) => assertSame(gpu, row.call, xs, row.differentiable)),
        FEW,
      ),
  );
}

for (const row of STRUCTURAL.filter(({ op }) => op as unknown !== castOp)) {
  gpuTest(
    `${row.op.name} on a device gives what eager gives, gradients included`,
    (gpu) =>
      fc.assert(
        fc.asyncProperty(
          row.cases,
          ({ inputs, call }) =>
            assertSame(gpu, call, inputs, row.order === 0 ? [] : inputs.map((_, i) => i)),
        ),
        FEW,
      ),
  );
}
