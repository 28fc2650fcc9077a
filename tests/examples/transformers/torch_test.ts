/** scGPT and scFormer beside PyTorch's modules with the same weights. */
import { assertEquals } from "@std/assert";
import { compile, cos, grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { fromStateDict, toStateDict } from "@cellgrad/cellgrad/nn";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { scformer, type ScformerParams } from "../../../examples/lib/scformer.ts";
import { scgpt, type ScgptParams } from "../../../examples/lib/scgpt.ts";
import { type Tensors, unpack } from "../../nn/vectors.ts";
import vectors from "./torch.json" with { type: "json" };

const TOLERANCE = { rtol: 1e-9, atol: 1e-10 };

type Case = typeof vectors.cases[number];

/** The model's outputs by name, and the norms' statistics after it. */
function run({ model, options }: Case, params: object, inputs: Tensors) {
  const { genes, values, labels, flags } = inputs as Record<string, Tensor>;
  if (model === "scformer") {
    const input = { genes: genes!, values: values!, flags: flags! };
    return { outputs: scformer(params as ScformerParams, input, options as never), norms: {} };
  }
  const input = { genes: genes!, values: values!, batchLabels: labels };
  const { outputs, clsLogits, dsbn } = scgpt(params as ScgptParams, input, options);
  return { outputs: { ...outputs, clsLogits }, norms: dsbn === undefined ? {} : { dsbn } };
}

/** Σ y · cos(position) over all outputs that are there. */
function weigh(outputs: object): Tensor {
  const terms = Object.values(outputs).filter((y) => y !== undefined).map((y: Tensor) => {
    const positions = tensor(Float64Array.from({ length: y.size }, (_, i) => i));
    return y.mul(cos(positions).reshape(y.shape)).sum();
  });
  return terms.reduce((a, b) => a.add(b));
}

const present = (tensors: object) =>
  Object.fromEntries(Object.entries(tensors).filter(([, x]) => x !== undefined)) as Tensors;

/** Outputs, statistics and gradients. */
function everything(c: Case, params: object, inputs: Tensors) {
  const { outputs, norms } = run(c, params, inputs);
  const gradient = grad((p: object) => weigh(run(c, p, inputs).outputs) as never)(params as never);
  return { outputs: present(outputs), norms, gradient: gradient as object };
}

function assertLike(c: Case, found: ReturnType<typeof everything>): void {
  const close = (given: Tensors, expected: Tensors) => {
    assertEquals(Object.keys(given).sort(), Object.keys(expected).sort());
    for (const [name, x] of Object.entries(expected)) assertAllClose(given[name]!, x, TOLERANCE);
  };
  close(found.outputs, unpack(c.outputs as never));
  const gradient = toStateDict(found.gradient);
  const isStatistic = (name: string) => name.includes(".running_");
  const learned = Object.entries(gradient).filter(([name]) => !isStatistic(name));
  close(Object.fromEntries(learned), unpack(c.gradients as never));
  const { training } = c.options as { training?: boolean };
  if (training) {
    Object.entries(gradient).filter(([name]) => isStatistic(name))
      .forEach(([, x]) => assertEquals(x.square().sum().item(), 0));
  }
  const statistics = Object.entries(toStateDict(found.norms)).filter(([name]) => isStatistic(name));
  const expected = Object.entries(unpack(c.buffers as never)).filter(([name]) => isStatistic(name));
  close(Object.fromEntries(statistics), Object.fromEntries(expected));
}

for (const c of vectors.cases) {
  const named = Object.entries(unpack(c.params as never))
    .filter(([name]) => !name.endsWith("num_batches_tracked"));
  const params = fromStateDict(Object.fromEntries(named));
  const inputs = unpack(c.inputs as never);

  Deno.test(`${c.model}() is PyTorch's, with its gradients: ${c.title}`, () => {
    assertLike(c, everything(c, params, inputs));
  });

  Deno.test(`${c.model}() compiles to the same: ${c.title}`, async () => {
    const f = (p: object, x: Tensors) => everything(c, p, x);
    await using program = await compile(f as never, [params, inputs] as never);
    assertLike(c, await (program as unknown as typeof f)(params, inputs));
  });
}
