/** The golden vectors of all losses, values and gradients, on a device. */
import { assert } from "@std/assert";
import { compile, type Tensor, valueAndGrad } from "../../../mod.ts";
import type { WebGpuDevice } from "../../../src/backends/webgpu/mod.ts";
import {
  compare,
  type GoldenCase,
  type GoldenFile,
  type GoldenFunction,
  ILL_CONDITIONED,
  toTensor,
} from "../../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../../golden/functions.ts";
import { gpuTest } from "./gpu.ts";
import { assertListed } from "../../guards.ts";

const FOLDER = new URL("../../golden/", import.meta.url);

/** Golden files of what is no loss: metrics, and weights that are computed once. */
const NO_LOSSES = ["class_weights", "pearson", "perturbation_pearson", "segmentation_metrics"];

/** float32, and functions that are less exact than the host's; on the scale of the largest entry. */
const TOLERANCE = { rtol: 2e-4, atol: 5e-6 };

async function checkCase(gpu: WebGpuDevice, c: GoldenCase, f: GoldenFunction): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(c.inputs).flatMap(([name, x]) => x ? [[name, toTensor(x, "float32")]] : []),
  );
  const wanted = Object.keys(c.grads).filter((name) => c.grads[name] !== undefined);
  const compute = (moving: Record<string, Tensor>) => {
    const result = f({ ...inputs, ...moving }, { ...c.params });
    return "outputs" in result ? result.value : result;
  };
  const moving = Object.fromEntries(wanted.map((name) => [name, inputs[name]!]));
  const program = await compile(valueAndGrad(compute), [moving], { device: gpu });
  const [value, gradients] = await program(moving);
  const data = await Promise.all(
    [value, ...wanted.map((name) => gradients[name]!)].map((x) => x.read()),
  );
  program.dispose();
  compare(`${c.id}: value`, data[0]!, [c.value], TOLERANCE);
  wanted.forEach((name, i) =>
    compare(`${c.id}: gradient by ${name}`, data[i + 1]!, c.grads[name]!.data, TOLERANCE)
  );
}

Deno.test("every golden file of a loss has a function", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
  assertListed(
    "GOLDEN_FUNCTIONS",
    Object.keys(GOLDEN_FUNCTIONS),
    files.filter((name) => !NO_LOSSES.includes(name)),
  );
});

for (const [name, f] of Object.entries(GOLDEN_FUNCTIONS)) {
  gpuTest(`the golden vectors of ${name} hold on a device`, async (gpu) => {
    const text = await Deno.readTextFile(new URL(`${name}.json`, FOLDER));
    const { cases } = JSON.parse(text) as GoldenFile;
    const soft = cases.filter(({ id, note, grads }) =>
      !ILL_CONDITIONED.test(`${id} ${note ?? ""}`) && Object.keys(grads).length > 0
    );
    assert(soft.length > 0);
    for (const c of soft) await checkCase(gpu, c, f);
  });
}
