import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("06_segment.ts");

/** The losses of `metrics.json` by their id. */
function lossesOf(text: string) {
  const { losses } = JSON.parse(text) as {
    losses: { id: string; meanIou: number; area: number; classes: { name: string }[] }[];
  };
  return Object.fromEntries(losses.map((loss) => [loss.id, loss]));
}

Deno.test("example:segment measures the guide's table, and goes on after a kill", () =>
  inFolder(async (out) => {
    const { code, stdout, stderr } = await run(`${out}/whole`, "--quick");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "Class weights: [1.25 10.0 14.3 33.3]");
    const metrics = await Deno.readTextFile(`${out}/whole/segment/metrics.json`);
    const losses = lossesOf(metrics);
    const six = ["ce", "weighted_ce", "focal", "dice", "focal_dice", "tversky"];
    for (const id of six) {
      assertGreater(losses[id]!.meanIou, 0.25); // background alone gives about 0.2
      assertEquals(losses[id]!.classes.length, 4);
    }
    assertLess(losses.ce!.area, 0.8);
    assertGreater(losses.weighted_ce!.area, 1.5);
    assertLess(losses.focal_plain!.area, losses.focal!.area - 0.5);
    const { claims } = JSON.parse(metrics) as { claims: { verdict: string }[] };
    assertGreaterOrEqual(claims.length, 13);
    assert(claims.some(({ verdict }) => verdict === "holds"));
    const report = await Deno.readTextFile(`${out}/whole/segment/report.html`);
    for (const text of ["Simulated images", "does not hold", "Truth", "0.62"]) {
      assertStringIncludes(report, text);
    }
    assertEquals(report.match(/NaN[^:;,]|undefined/g), null);

    const child = start(`${out}/killed`, "--quick");
    const progress = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    for (let lines = 0; lines < 12;) {
      const { value } = await progress.read();
      lines += value!.split("\n").length - 1;
    }
    child.kill("SIGKILL");
    while (!(await progress.read()).done);
    await child.stdout.cancel();
    await child.status;
    const resumed = await run(`${out}/killed`, "--quick", "--resume");
    assertEquals(resumed.code, 0, resumed.stderr);
    assertEquals(await Deno.readTextFile(`${out}/killed/segment/metrics.json`), metrics);
  }));

Deno.test("example:segment stops on Ctrl-C and refuses to go on with other settings", () =>
  inFolder(async (out) => {
    const child = start(out, "--quick");
    const progress = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    await progress.read();
    child.kill("SIGINT");
    const stdout = new Response(child.stdout).text();
    while (!(await progress.read()).done);
    assertEquals((await child.status).code, 130);
    assertStringIncludes(await stdout, "run it again with --resume to go on");
    const { code, stderr } = await run(out, "--quick", "--resume", "--epochs=3");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "epochs is 6, and that of this run 3");
  }));

Deno.test("example:segment shows its options on --help", () =>
  inFolder(async (out) => {
    const { code, stdout } = await run(out, "--help");
    assertEquals(code, 0);
    for (const option of ["--repeats", "--quick", "--seed", "--device", "--resume", "--out"]) {
      assertStringIncludes(stdout, option);
    }
  }));

Deno.test("example:segment answers a wrong option with one line and status 2", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(out, "--repeats=1");
    assertEquals(code, 2);
    assertEquals(
      stderr.trim(),
      'error: Option --repeats must be a whole number >= 2 and <= 50: current value is "1"',
    );
  }));
