import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { openDevice, train } from "../../../examples/lib/training/mod.ts";
import { inFolder, lineTraining } from "./toy.ts";

const hasAdapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;

Deno.test("openDevice() opens the processor, which needs nothing", async () => {
  await using opened = await openDevice("cpu");
  assertEquals(opened.device, "cpu");
});

Deno.test({
  name: "train() gives nearly the same on WebGPU, also resumed from a checkpoint",
  ignore: hasAdapter === null,
  fn: () =>
    inFolder(async (folder) => {
      await using opened = await openDevice("webgpu");
      const options = { ...lineTraining(), epochs: 4, clip: 1, device: opened.device };
      const controller = new AbortController();
      const checkpoint = { file: `${folder}/line.safetensors`, resume: true };
      const evaluate = (_: unknown, epoch: number) => {
        if (epoch === 2) controller.abort();
        return {};
      };
      const first = { ...options, checkpoint, evaluate, signal: controller.signal };
      assertEquals((await train(first)).interrupted, true);
      const resumed = await train({ ...options, checkpoint });
      const calm = await train({ ...lineTraining(), epochs: 4, clip: 1 });
      assertAlmostEquals(resumed.parameters.slope.item(), calm.parameters.slope.item(), 1e-5);
    }),
});

Deno.test("openDevice() says in one line that there is no WebGPU", async () => {
  Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
  try {
    const error: unknown = await openDevice("webgpu").then(() => undefined, (e) => e);
    assert(error instanceof UsageError);
    assertStringIncludes(error.message, "Option --device cannot be webgpu: ");
  } finally {
    Reflect.deleteProperty(navigator, "gpu");
  }
});
