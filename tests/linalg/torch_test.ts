/** Linear algebra beside PyTorch's and SciPy's: values and gradients, eagerly and in programs. */
import { assert, assertEquals } from "@std/assert";
import { compile, tensor } from "../../mod.ts";
import * as linalg from "../../src/linalg/mod.ts";
import { gpuTest } from "../backends/webgpu/gpu.ts";
import { assertLike, CASES, type Everything, everything, type Tensors, unpack } from "./vectors.ts";

const TOLERANCE = { rtol: 1e-9, atol: 1e-9 };

for (const c of CASES) {
  const name = `${c.function}()`;

  Deno.test(`${name} is PyTorch's and SciPy's, with its gradient: ${c.title}`, () => {
    assertLike(c, everything(c, unpack(c.inputs)), TOLERANCE);
  });

  Deno.test(`${name} compiles to the same: ${c.title}`, async () => {
    const inputs = unpack(c.inputs);
    for (const threads of [1, 2]) {
      const f = (given: Tensors) => everything(c, given);
      await using program = await compile(f, [inputs], { threads });
      assertLike(c, await program(inputs) as Everything, TOLERANCE);
    }
  });
}

/** Those whose derivatives single precision holds. */
const MILD = CASES.filter(({ title }) => /^[1-5] |batch|lower|one matrix/.test(title));

gpuTest("linear algebra gives the same in programs for devices, in float32", async (gpu) => {
  for (const c of MILD) {
    const inputs = unpack(c.inputs, "float32");
    await using program = await compile((given: Tensors) => everything(c, given), [inputs], {
      device: gpu,
    });
    const found = await program(inputs) as Everything;
    const read = async (tensors: Tensors) =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(tensors).map(async ([name, x]) =>
            [name, tensor(await x.read(), { shape: x.shape })] as const
          ),
        ),
      );
    const results = { outputs: await read(found.outputs), gradients: await read(found.gradients) };
    assertLike(c, results, { rtol: 2e-3, atol: 2e-3 });
  }
});

Deno.test("there are cases of every function", () => {
  assert(CASES.length >= 50);
  assertEquals([...new Set(CASES.map((c) => c.function))].sort(), Object.keys(linalg).sort());
});
