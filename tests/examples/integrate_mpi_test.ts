import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("07_integrate_mpi.ts", "--quick");

const stateOf = (out: string) => `${out}/integrate_mpi/state.safetensors`;
const metricsOf = async (out: string) =>
  JSON.parse(await Deno.readTextFile(`${out}/integrate_mpi/metrics.json`));

Deno.test("the integration over MPI also runs alone, to the last bit after a kill", () =>
  inFolder(async (out) => {
    const [calm, killed] = [`${out}/calm`, `${out}/killed`];
    const { code, stdout, stderr } = await run(calm);
    assertEquals(code, 0, stderr);
    for (const text of ["300 × 100", "on one rank", "iLISI", "cLISI", "ARI", "before", "after"]) {
      assertStringIncludes(stdout, text);
    }
    const whole = await metricsOf(calm);
    const { before, after, losses, ranks } = whole;
    assertEquals([ranks, losses.length], [1, 6]);
    assertGreater(after.ilisi, before.ilisi + 0.3);
    assertGreater(losses[0], losses[5] + 1);

    const child = start(killed);
    const ended = child.output();
    while (!await isFile(stateOf(killed))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    assertEquals((await ended).success, false);
    assertEquals((await run(killed, "--resume")).code, 0);
    assertEquals(await metricsOf(killed), whole);
  }));

Deno.test("the integration over MPI mixes batches by MMD or LISI in place of DAB", () =>
  inFolder(async (out) => {
    for (const mixing of ["mmd", "batchMixing"]) {
      const { code, stderr } = await run(out, `--mixing=${mixing}`);
      assertEquals(code, 0, stderr);
      const { before, after, settings } = await metricsOf(out);
      assertEquals(settings.mixing, mixing);
      assertGreater(after.ilisi, before.ilisi + 0.3);
    }
  }));

Deno.test("the integration over MPI returns at once where it was done, and refuses other settings", () =>
  inFolder(async (out) => {
    assertEquals((await run(out, "--epochs=2")).code, 0);
    const calm = await metricsOf(out);
    const resumed = await run(out, "--epochs=2", "--resume");
    assertEquals([resumed.code, resumed.stderr], [0, ""]);
    assertEquals(await metricsOf(out), calm);
    const other = await run(out, "--epochs=2", "--seed=1", "--resume");
    assertEquals([other.code, other.stderr], [
      2,
      `error: Cannot resume from "${
        stateOf(out)
      }" as it is of other cells or settings: remove it, or run ` +
      `without --resume\n`,
    ]);
    const longer = await run(out, "--epochs=3", "--resume");
    assertEquals(longer.code, 2);
    assertStringIncludes(longer.stderr, `"losses" is float32 [2] there and float32 [3] here`);
  }));

Deno.test("the integration over MPI asks for the batches of a file", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(out, "--data=cells.h5ad");
    assertEquals([code, stderr], [
      2,
      "error: Option --data needs --batch KEY, the column of its batches\n",
    ]);
  }));

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}
