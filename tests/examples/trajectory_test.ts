import {
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("05_trajectory.ts");
const REAL = new URL("../../../shared/data/krumsiek11.txt", import.meta.url).pathname;

Deno.test("example:trajectory finds the true direction, and goes on after a kill", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(`${out}/whole`, "--quick");
    assertEquals(code, 0, stderr);
    const text = await Deno.readTextFile(`${out}/whole/trajectory/metrics.json`);
    const { velocity, baselines, structure, failures } = JSON.parse(text);
    assertGreater(velocity.both.cosine, 0.8);
    assertGreater(velocity.both.cosine, baselines.observed.cosine);
    assertLess(velocity.negated.cosine, -0.5);
    assertGreater(structure.right.batchEntropy, structure.mixing.batchEntropy + 0.1);
    assertGreater(structure.right.ari, structure.evenness.ari + 0.3);
    assertLess(structure.right.indecision, structure.decision.indecision);
    assertGreater(structure.compactness.radius, 5 * structure.right.radius);
    assertEquals([structure.right.clustersUsed, failures], [4, {}]);
    const report = await Deno.readTextFile(`${out}/whole/trajectory/report.html`);
    for (const words of ["Simulated cells", "wrong sign", "Mixing negated"]) {
      assertStringIncludes(report, words);
    }
    assertEquals(report.match(/NaN|undefined/g), null);

    const child = start(`${out}/killed`, "--quick");
    const progress = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (!seen.includes("Embedding: All signs right")) seen += (await progress.read()).value;
    child.kill("SIGKILL");
    while (!(await progress.read()).done);
    await child.stdout.cancel();
    await child.status;
    const resumed = await run(`${out}/killed`, "--quick", "--resume");
    assertEquals(resumed.code, 0, resumed.stderr);
    assertEquals(await Deno.readTextFile(`${out}/killed/trajectory/metrics.json`), text);
  }));

Deno.test("example:trajectory answers what is not a trajectory with one line and status 2", () =>
  inFolder(async (out) => {
    const file = await Deno.makeTempFile({ suffix: ".txt" });
    await Deno.writeTextFile(file, "# it a b\n0 1 2\n1 3\n");
    const { code, stdout, stderr } = await run(out, `--data=${file}`);
    await Deno.remove(file);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: Option --data must name runs .* line 3 of ".*" is not\n$/);
  }));

Deno.test("example:trajectory shows its options on --help", () =>
  inFolder(async (out) => {
    const { code, stdout } = await run(out, "--help");
    assertEquals(code, 0);
    for (const option of ["--data", "--quick", "--seed", "--device", "--resume", "--out"]) {
      assertStringIncludes(stdout, option);
    }
  }));

const hasReal = (() => {
  try {
    return Deno.statSync(REAL).isFile;
  } catch {
    return false;
  }
})();

if (hasReal) {
  Deno.test("example:trajectory finds the direction of the simulated haematopoiesis", () =>
    inFolder(async (out) => {
      const { code, stderr } = await run(out, "--quick", `--data=${REAL}`);
      assertEquals(code, 0, stderr);
      const { velocity, baselines } = JSON.parse(
        await Deno.readTextFile(`${out}/trajectory/metrics.json`),
      );
      assertGreater(velocity.both.cosine, 0.8);
      assertGreater(velocity.both.cosine, baselines.mean.cosine + 0.4);
    }));
}
