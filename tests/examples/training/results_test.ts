import { assertEquals, assertRejects } from "@std/assert";
import { writeAtomically, writeResults } from "../../../examples/lib/training/mod.ts";
import { inFolder } from "./toy.ts";

const filesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("writeAtomically() writes bytes and text, and leaves nothing else behind", () =>
  inFolder(async (folder) => {
    await writeAtomically(`${folder}/deep/er/a.bin`, new Uint8Array([1, 2, 3]));
    await writeAtomically(`${folder}/deep/er/b.txt`, "größer");
    assertEquals(filesIn(`${folder}/deep/er`), ["a.bin", "b.txt"]);
    assertEquals(await Deno.readFile(`${folder}/deep/er/a.bin`), new Uint8Array([1, 2, 3]));
    assertEquals(await Deno.readTextFile(`${folder}/deep/er/b.txt`), "größer");
  }));

Deno.test("writeAtomically() keeps the old file until the new one is complete", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.txt`;
    await writeAtomically(path, "old");
    // A reader that opened the file before keeps the old one: it is replaced, not overwritten.
    using reader = await Deno.open(path);
    await writeAtomically(path, "new and longer");
    const buffer = new Uint8Array(100);
    const length = await reader.read(buffer);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, length ?? 0)), "old");
    assertEquals(await Deno.readTextFile(path), "new and longer");
  }));

Deno.test("writeAtomically() leaves the old file where the new one cannot be put", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken`);
    await assertRejects(() => writeAtomically(`${folder}/taken`, "text"), Error);
    assertEquals(Deno.statSync(`${folder}/taken`).isDirectory, true);
  }));

Deno.test("writeResults() writes metrics.json and report.html", () =>
  inFolder(async (folder) => {
    await writeResults(`${folder}/example`, { score: 0.5, none: NaN }, "<p>report</p>");
    const metrics = JSON.parse(await Deno.readTextFile(`${folder}/example/metrics.json`));
    assertEquals(metrics, { score: 0.5, none: null });
    assertEquals(await Deno.readTextFile(`${folder}/example/report.html`), "<p>report</p>");
  }));
