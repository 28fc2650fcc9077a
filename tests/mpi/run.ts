/**
 * Tests over a real MPI: `deno task test:mpi`, or with names of libraries (`"Open MPI"`, `MPICH`)
 * for only these. Ends with a line `N passed, N failed`.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { type Tensor, tensor } from "../../mod.ts";
import { readSafetensors } from "../../src/data/safetensors.ts";
import { key, uniform } from "../../src/random.ts";
import { assertNear } from "./cells.ts";
import { type Ended, findLaunchers, launch, type Launcher, living, pidsOf } from "./launchers.ts";
import { SCENARIOS } from "./scenarios.ts";

/** A job must end within so many seconds of a fault. */
const SOON = 5;

const STEPS = 100;

/** How far measures and losses of the example may differ between numbers of ranks, in float32. */
const EXAMPLE_TOLERANCE = 1e-3;

const EXAMPLE = "../../examples/07_integrate_mpi.ts";

/** Mini-batches that two ranks cannot share evenly. */
const EXAMPLE_ARGS = ["--quick", "--batch-size=31"];

let [passed, failed] = [0, 0];

async function test(name: string, body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const started = performance.now();
  try {
    await body(directory);
    passed++;
    console.log(`${name} ... ok (${Math.round(performance.now() - started)}ms)`);
  } catch (error) {
    failed++;
    console.log(`${name} ... FAILED\n${error instanceof Error ? error.stack : error}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The scenarios, each of which is a test of its own. */
async function testScenarios(launcher: Launcher, ranks: number): Promise<void> {
  const directory = await Deno.makeTempDir();
  const args = [`${ranks}`, launcher.library, directory];
  const job = await launch(launcher, ranks, "ranks_scenarios.ts", args).ended;
  const done = job.out.split("\n").filter((line) => line.startsWith("ok ")).map((l) => l.slice(3));
  for (const name of SCENARIOS.keys()) {
    await test(`${launcher.library}, ${ranks} ranks: ${name}`, () => {
      assert(done.includes(name), `the job has not come to its end:\n${job.err.slice(0, 4000)}`);
      return Promise.resolve();
    });
  }
  await test(`${launcher.library}, ${ranks} ranks: the job ends well`, () => {
    assertEquals([job.code, job.err], [0, ""]);
    return Promise.resolve();
  });
  await Deno.remove(directory, { recursive: true });
}

/** Trains to a number of steps; the noise makes the result depend on the ranks' keys. */
async function train(
  launcher: Launcher,
  ranks: number,
  directory: string,
  { steps = STEPS, noise = 0.1 } = {},
): Promise<Uint8Array> {
  const args = [directory, `${steps}`, `${noise}`, "none"];
  const job = await launch(launcher, ranks, "ranks_training.ts", args).ended;
  assertEquals([job.code, job.err], [0, ""]);
  return await Deno.readFile(`${directory}/state.safetensors`);
}

async function fail(launcher: Launcher, directory: string, fault: string): Promise<Ended> {
  const args = [directory, "1000000", "0", fault];
  const job = await launch(launcher, 3, "ranks_training.ts", args).ended;
  assert(job.code !== 0, "the launcher must report the fault");
  assertLess(job.seconds, SOON);
  assertEquals(await gone(await pidsOf(directory, 3)), []);
  return job;
}

/** The processes that still live after two more seconds. */
async function gone(pids: readonly number[]): Promise<number[]> {
  for (let i = 0; i < 20 && (await living(pids)).length > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return await living(pids);
}

async function testFaults(launcher: Launcher): Promise<void> {
  await test(`${launcher.library}: an error of the library comes with its own text`, async () => {
    const job = await launch(launcher, 2, "ranks_errors.ts", []).ended;
    assertEquals([job.code, job.err], [0, ""]);
    assertMatch(job.out, /^Cannot compute broadcast as MPI reports: .*MPI_ERR_ROOT|invalid root/im);
  });
  const faults: [string, string, string][] = [
    ["an error in one rank", "throw", "Rank 1 of 3 ends the job: RangeError: the cells are gone"],
    ["a promise without catch", "reject", "Rank 1 of 3 ends the job: RangeError: nobody waits"],
    ["an exit code", "exit", "Rank 1 of 3 ends the job: its program ended with code 3"],
    ["parameters that drift apart", "drift", `"params.bias" differs on rank 1 of 3 from rank 0`],
  ];
  for (const [what, fault, reason] of faults) {
    await test(`${launcher.library}: ${what} ends the job with rank and reason`, async (at) => {
      assertStringIncludes((await fail(launcher, at, fault)).err, reason);
    });
  }
}

/** Kills a rank at a moment of the training, lets the job end, and resumes. */
async function kill(
  launcher: Launcher,
  ranks: number,
  directory: string,
  rank: number,
  afterMs: number,
): Promise<Uint8Array> {
  const args = [directory, "1000000", "0.1", "none"];
  const job = launch(launcher, ranks, "ranks_training.ts", args);
  const pids = await pidsOf(directory, ranks);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  assertEquals(await living(pids), pids);
  Deno.kill(pids[rank]!, "SIGKILL");
  const killed = performance.now();
  const { code } = await job.ended;
  assert(code !== 0, "the launcher must report the fault");
  assertLess((performance.now() - killed) / 1000, SOON);
  assertEquals(await gone(pids), []);
  const stored = await Deno.readFile(`${directory}/state.safetensors`).catch(() => undefined);
  const step = stored === undefined ? 0 : (await readSafetensors(stored)).tensors.step!.item();
  assertEquals(step % 5, 0);
  return await train(launcher, ranks, directory, { steps: Math.max(STEPS, step) });
}

async function testKills(launcher: Launcher): Promise<void> {
  // Ranks of MPICH never sleep while they wait: more of them than cores are slow.
  const ranks = launcher.library === "MPICH" ? 2 : 3;
  const moments = uniform(key(7), [10]).data;
  const undisturbed = new Map<number, Uint8Array>();
  for (const [i, moment] of moments.entries()) {
    const [rank, afterMs] = [i % ranks, Math.round(600 * moment)];
    const name = `rank ${rank} killed after ${afterMs} ms: the job ends and resumes, bit for bit`;
    await test(`${launcher.library}: ${name}`, async (directory) => {
      const resumed = await kill(launcher, ranks, directory, rank, afterMs);
      const steps = (await readSafetensors(resumed)).tensors.step!.item();
      if (!undisturbed.has(steps)) {
        await Deno.remove(`${directory}/state.safetensors`);
        undisturbed.set(steps, await train(launcher, ranks, directory, { steps }));
      }
      assertEquals(resumed, undisturbed.get(steps));
    });
  }
}

async function testResumption(launcher: Launcher): Promise<void> {
  for (const ranks of [1, 2, 4]) {
    await test(`${launcher.library}: ${ranks} ranks go on where 3 stopped`, async (directory) => {
      await train(launcher, 3, directory, { steps: 50, noise: 0 });
      const resumed = await train(launcher, ranks, directory, { steps: 100, noise: 0 });
      await Deno.remove(`${directory}/state.safetensors`);
      const undisturbed = await train(launcher, 1, directory, { steps: 100, noise: 0 });
      const [found, expected] = [
        await readSafetensors(resumed),
        await readSafetensors(undisturbed),
      ];
      assertNear(found.tensors, expected.tensors, 1e-9);
    });
  }
}

/** The example without MPI; killed once there is a checkpoint, if asked to. */
async function runAlone(out: string, { kill = false } = {}): Promise<void> {
  const path = new URL(EXAMPLE, import.meta.url).pathname;
  const permissions = ["--no-lock", "--no-prompt", "--allow-read", `--allow-write=${out}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, path, ...EXAMPLE_ARGS, `--out=${out}`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  if (kill) {
    while (!await exists(`${out}/integrate_mpi/state.safetensors`)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGKILL");
  }
  assertEquals((await child.status).success, !kill);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function resultsOf(out: string): Promise<Record<string, Tensor>> {
  const text = await Deno.readTextFile(`${out}/integrate_mpi/metrics.json`);
  const { before, after, losses } = JSON.parse(text);
  return Object.fromEntries(
    Object.entries({ ...after, before: Object.values(before), losses })
      .map(([name, value]) => [name, tensor(value as number)]),
  );
}

/** The integration of examples/: the same numbers alone, on 2 ranks, and begun alone. */
async function testExample(launcher: Launcher): Promise<void> {
  const name = `${launcher.library}: the integration gives on 2 ranks what it gives alone`;
  await test(name, async (directory) => {
    const [alone, shared, resumed] = ["alone", "shared", "resumed"].map((x) => `${directory}/${x}`);
    await runAlone(alone!);
    await runAlone(resumed!, { kill: true });
    for (const [out, ...more] of [[shared!], [resumed!, "--resume"]]) {
      const args = ["--mpi", ...EXAMPLE_ARGS, `--out=${out}`, ...more];
      const job = await launch(launcher, 2, EXAMPLE, args).ended;
      assertEquals(job.code, 0, job.err);
      assertNear(await resultsOf(out!), await resultsOf(alone!), EXAMPLE_TOLERANCE);
    }
  });
}

/** A library of another launcher would take every process for the only one. */
async function testMismatch(launchers: readonly Launcher[]): Promise<void> {
  for (const launcher of launchers) {
    const other = launcher.library === "MPICH" ? "libmpi.so.40" : "libmpich.so.12";
    await test(`${launcher.library}'s ranks notice a library of another launcher`, async () => {
      const job = await launch(launcher, 2, "ranks_library.ts", [other]).ended;
      assert(job.code !== 0);
      assertStringIncludes(job.err, "Cannot open MPI as the launcher has started rank");
    });
  }
}

const wanted = Deno.args;
const found = await findLaunchers();
const launchers = found.filter((launcher) => typeof launcher !== "string");
for (const missing of found.filter((launcher) => typeof launcher === "string")) {
  await test("every library has its launcher", () => Promise.reject(new Error(missing)));
}
for (const launcher of launchers) {
  if (wanted.length > 0 && !wanted.includes(launcher.library)) continue;
  for (const ranks of [1, 2, 3, 4]) await testScenarios(launcher, ranks);
  await testFaults(launcher);
  await testResumption(launcher);
  await testKills(launcher);
  await testExample(launcher);
}
if (launchers.length === 2) await testMismatch(launchers);
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
