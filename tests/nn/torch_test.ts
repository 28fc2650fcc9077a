/** Layers beside PyTorch's with the same weights: values and gradients, eagerly and in programs. */
import { assert, assertEquals } from "@std/assert";
import { compile, tensor } from "../../mod.ts";
import { fromStateDict, toStateDict } from "../../src/nn/mod.ts";
import { gpuTest } from "../backends/webgpu/gpu.ts";
import { assertLike, CASES, everything, type Tensors, unpack } from "./vectors.ts";

const TOLERANCE = { rtol: 1e-9, atol: 1e-10 };

for (const c of CASES) {
  Deno.test(`${c.layer}() is PyTorch's, with its gradients: ${c.title}`, () => {
    assertLike(c, everything(c, unpack(c.params), unpack(c.inputs)), TOLERANCE);
  });

  Deno.test(`${c.layer}() compiles to the same: ${c.title}`, async () => {
    const inputs: [Tensors, Tensors] = [unpack(c.params), unpack(c.inputs)];
    const f = (params: Tensors, x: Tensors) => everything(c, params, x);
    await using program = await compile(f, inputs);
    assertLike(c, await program(...inputs) as Record<string, Tensors>, TOLERANCE);
  });
}

/** The last case of every layer, which has most of its options. */
const LAST = CASES.filter(({ layer }, i) => layer !== CASES[i + 1]?.layer);

gpuTest("layers are PyTorch's in float32 on the device, with their gradients", async (gpu) => {
  for (const c of LAST) {
    const inputs: [Tensors, Tensors] = [unpack(c.params, "float32"), unpack(c.inputs, "float32")];
    const f = (params: Tensors, x: Tensors) => everything(c, params, x);
    await using program = await compile(f, inputs, { device: gpu });
    const found = await program(...inputs) as Record<string, Tensors>;
    for (const tensors of Object.values(found)) {
      for (const [name, x] of Object.entries(tensors)) {
        tensors[name] = tensor(await x.read(), { shape: x.shape });
      }
    }
    assertLike(c, found, { rtol: 2e-4, atol: 2e-5 });
  }
});

Deno.test("there are cases of every layer that PyTorch has, and dictionaries come back", () => {
  assert(CASES.length > 30);
  for (const c of CASES) {
    const params = unpack(c.params);
    assertEquals(
      Object.keys(toStateDict(fromStateDict(params))).sort(),
      Object.keys(params).sort(),
    );
  }
});
