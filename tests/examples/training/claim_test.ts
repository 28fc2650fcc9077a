import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { claimFolder, prepareFile } from "../../../examples/lib/training/mod.ts";
import { inFolder } from "./toy.ts";

const filesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const refusal = async (folder: string) =>
  (await assertRejects(() => claimFolder(folder), UsageError)).message;

const MODULE = new URL("../../../examples/lib/training/claim.ts", import.meta.url).href;

/** Another process that claims the folder and waits for its end. */
async function otherRun(folder: string): Promise<Deno.ChildProcess> {
  const code = `const { claimFolder } = await import("${MODULE}");
    await claimFolder(${JSON.stringify(folder)});
    console.log("claimed");
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  return child;
}

Deno.test("claimFolder() makes the folder, keeps others out, and gives it back", () =>
  inFolder(async (folder) => {
    const deep = `${folder}/deep/er`;
    for (let round = 0; round < 2; round++) {
      await using _claim = await claimFolder(deep);
      assertEquals(
        await refusal(deep),
        `Cannot write to "${deep}" as another run does (process ${Deno.pid}): ` +
          `wait for its end, or choose another --out`,
      );
    }
    assertEquals(filesIn(deep), []);
  }));

Deno.test("claimFolder() lets one of many runs in at a time", () =>
  inFolder(async (folder) => {
    let [inside, entered] = [0, 0];
    const run = async () => {
      while (true) {
        try {
          await using _claim = await claimFolder(folder);
          assertEquals(++inside, 1);
          await new Promise((resolve) => setTimeout(resolve, 1));
          inside--;
          entered++;
          return;
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, run));
    assertEquals([entered, filesIn(folder)], [8, []]);
  }));

Deno.test("claimFolder() takes over from a run that was killed, and sweeps what it has left", () =>
  inFolder(async (folder) => {
    const child = await otherRun(folder);
    assert((await refusal(folder)).includes(`(process ${child.pid})`));
    child.kill("SIGKILL");
    await child.stdout.cancel();
    await child.status;
    await Deno.mkdir(`${folder}/checkpoints`);
    const left = ["report.html.0123abcd.tmp", "checkpoints/full.safetensors.0123abcd.tmp"];
    const others = ["checkpoints/full.safetensors", "mine.0123abcd.tmp", "report.html.tmp"];
    for (const name of [...left, ...others]) await Deno.writeTextFile(`${folder}/${name}`, "");
    await using _claim = await claimFolder(folder);
    assertEquals(filesIn(folder), [".lock", "checkpoints", "mine.0123abcd.tmp", "report.html.tmp"]);
    assertEquals(filesIn(`${folder}/checkpoints`), ["full.safetensors"]);
  }));

Deno.test("claimFolder() says why nothing can be written", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await Deno.mkdir(`${folder}/report.html`);
    const long = `${folder}/${"a".repeat(300)}`;
    for (
      const [path, named, reason] of [
        [`${folder}/file`, `${folder}/file`, "there is a file where a folder is needed"],
        [`${folder}/file/a`, `${folder}/file/a`, "a part of its path is a file, not a folder"],
        [long, long, "the name is too long"],
        [folder, `${folder}/report.html`, "it is a folder"],
      ] as const
    ) assertEquals(await refusal(path), `Cannot write "${named}" as ${reason}`);
    assertEquals(filesIn(folder), ["file", "report.html"]);
  }));

Deno.test("prepareFile() sees whether a file can be written, and writes none", () =>
  inFolder(async (folder) => {
    await prepareFile(`${folder}/new/page.html`);
    assertEquals(filesIn(`${folder}/new`), []);
    const error = await assertRejects(() => prepareFile(`${folder}/new`), UsageError);
    assertEquals(error.message, `Cannot write "${folder}/new" as it is a folder`);
  }));
