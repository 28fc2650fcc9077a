import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";

const PROGRAM = new URL("../../examples/03_perturb.ts", import.meta.url).pathname;

/** Starts the program with the permissions of `deno task example:perturb`. */
function start(out: string, args: readonly string[]): Deno.ChildProcess {
  const permissions = ["--no-prompt", "--allow-read", `--allow-write=${out}`];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, PROGRAM, "--quick", `--out=${out}`, ...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

async function run(out: string, ...args: string[]) {
  const { code, stdout, stderr } = await start(out, args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function inFolder(test: (out: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "perturb" });
  try {
    await test(`${folder}/results`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

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
    const child = start(`${out}/killed`, ["--epochs=4"]);
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
