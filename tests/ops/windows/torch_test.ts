/** Convolutions, pools and resized images as PyTorch's, in all ways of running. */
import * as cg from "../../../mod.ts";
import { assertAllClose, checkGradients } from "../../../src/testing.ts";
import { gpuTest } from "../../backends/webgpu/gpu.ts";
import vectors from "./torch.json" with { type: "json" };

type Tensor = cg.Tensor;
type Case = (typeof vectors.cases)[number];

function unpack({ shape, data }: { shape: number[]; data: string }, dtype: cg.DType): Tensor {
  return cg.tensor(data.split(" ").map(Number), { shape, dtype });
}

/** The call, and the value with the gradients of Σ output · cos(position). */
function functions({ call, arguments: rest }: Case) {
  // deno-lint-ignore no-explicit-any
  const f = (...inputs: Tensor[]): Tensor => (cg as any)[call](...inputs, ...rest);
  const weighted = (...inputs: Tensor[]) => {
    const y = f(...inputs);
    const weights = cg.cos(cg.arange(y.size, { dtype: y.dtype })).reshape(y.shape);
    return y.mul(weights).sum();
  };
  const all = (...inputs: Tensor[]) => [
    f(...inputs),
    ...cg.grad(weighted, { argnums: inputs.map((_, i) => i) })(...inputs) as Tensor[],
  ];
  return { f, all };
}

function assertResults(actual: readonly Tensor[], own: Case, rtol: number): void {
  const expected = [own.output, ...own.gradients].map((x) => unpack(x, "float64"));
  actual.forEach((x, i) => assertAllClose(x, expected[i]!, { rtol, atol: 10 * rtol }));
}

vectors.cases.forEach((own, i) => {
  const name = `${own.call}() of ${own.inputs.map(({ shape }) => `[${shape}]`).join(" and ")} ` +
    `with ${JSON.stringify(own.arguments)} (${i})`;
  const inputs = (dtype: cg.DType) => own.inputs.map((x) => unpack(x, dtype));
  const { f, all } = functions(own);

  Deno.test(`${name} is PyTorch's, value and gradient`, async () => {
    assertResults(all(...inputs("float64")), own, 1e-11);
    assertResults(all(...inputs("float32")), own, 1e-5);
    for (const dtype of ["float64", "float32"] as const) {
      await using program = await cg.compile(all, inputs(dtype));
      const rtol = dtype === "float64" ? 1e-11 : 1e-5;
      assertResults(await program(...inputs(dtype)), own, rtol);
    }
  });

  Deno.test(`${name} has the right second derivatives`, () => {
    const order = own.call === "maxPool" ? 1 : 2;
    const tolerance = { rtol: 1e-5, atol: 1e-6 };
    checkGradients((...x) => f(...x).square().mean(), inputs("float64"), { order, ...tolerance });
  });

  gpuTest(`${name} is PyTorch's on a device`, async (gpu) => {
    await using program = await cg.compile(all, inputs("float32"), { device: gpu });
    const results = await program(...inputs("float32"));
    const read = await Promise.all(
      results.map(async (x) => cg.tensor(await x.read(), { shape: x.shape })),
    );
    assertResults(read, own, 1e-5);
  });
});
