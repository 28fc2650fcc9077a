import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("03_perturb.ts", "--quick");

async function readMetrics(out: string) {
  return JSON.parse(await Deno.readTextFile(`${out}/perturb/metrics.json`));
}

Deno.test("the perturbation example beats both baselines on the change", () =>
  inFolder(async (out) => {
    const { code, stdout, stderr } = await run(out);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "mean of training perturbations");
    const { baselines, models, heldOut } = await readMetrics(out);
    const [nothing, mean] = baselines;
    const [model] = models;
    assertEquals(nothing.all.pearsonDelta, 0);
    assertGreater(model.all.pearsonDelta, mean.all.pearsonDelta + 0.1);
    assertGreater(model.all.pearsonDelta, 0.6);
    assertGreater(model.all.pearsonDeltaDe, mean.all.pearsonDeltaDe);
    assertEquals(heldOut.length, 13);
    const report = await Deno.readTextFile(`${out}/perturb/report.html`);
    assertStringIncludes(report, "<svg");
    assertStringIncludes(report, "Simulated experiment");
  }));

Deno.test("the perturbation example resumes after being killed, to the same numbers", () =>
  inFolder(async (out) => {
    await run(`${out}/whole`, "--epochs=4");
    const child = start(`${out}/killed`, "--epochs=4");
    const checkpoint = `${out}/killed/perturb/checkpoints/mse.safetensors`;
    while (!await Deno.stat(checkpoint).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGKILL");
    await child.output();
    const { code, stderr } = await run(`${out}/killed`, "--epochs=4", "--resume");
    assertEquals(code, 0, stderr);
    assertEquals(await readMetrics(`${out}/killed`), await readMetrics(`${out}/whole`));
  }));

Deno.test("the perturbation example trains with every term of scFormer's objective", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(out, "--epochs=2", "--cls", "--cce", "--mvc", "--ecs");
    assertEquals(code, 0, stderr);
    const { models: [model] } = await readMetrics(out);
    assertEquals(model.name, "transformer, mse + cls + cce + mvc + ecs");
    const { losses } = model.history.at(-1);
    for (const part of ["mse", "cls", "cce", "mvc", "ecs"]) assert(Number.isFinite(losses[part]));
  }));

Deno.test("the perturbation example answers an unknown option with one line and status 2", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(out, "--ablations");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Unknown option --ablations: did you mean --ablation?");
  }));
