import { assert, assertEquals } from "@std/assert";

const PROGRAM = new URL("killable.ts", import.meta.url).pathname;

function start(file: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      PROGRAM,
      file,
      ...args,
    ],
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Kills a training some milliseconds after its first step; what became of it. */
async function kill(file: string, delay: number): Promise<Deno.CommandStatus> {
  const child = start(file, "announce");
  const reader = child.stdout.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, delay));
  child.kill("SIGKILL");
  while (!(await reader.read()).done);
  return await child.status;
}

Deno.test("train() ends with the same numbers after ten kills as undisturbed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "resume" });
  try {
    const [calm, killed] = [`${folder}/calm.safetensors`, `${folder}/killed.safetensors`];
    assertEquals((await start(calm).output()).code, 0);
    for (const delay of [1, 3, 0, 7, 12, 2, 19, 5, 31, 9]) {
      assertEquals((await kill(killed, delay)).signal, "SIGKILL");
    }
    assertEquals((await start(killed).output()).code, 0);
    const [expected, found] = await Promise.all(
      [calm, killed].map((file) => Deno.readTextFile(`${file}.json`)),
    );
    assertEquals(found, expected);
    const [first, second] = await Promise.all([calm, killed].map((file) => Deno.readFile(file)));
    assert(first!.every((byte, i) => byte === second![i]), "the checkpoints differ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
