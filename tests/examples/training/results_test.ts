import { assertEquals, assertRejects } from "@std/assert";
import { train, writeAtomically, writeResults } from "../../../examples/lib/training/mod.ts";
import { WriteError } from "../../../examples/lib/write_error.ts";
import { inFolder, lineTraining } from "./toy.ts";

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

Deno.test("writeAtomically() says why a file cannot be put, and leaves nothing else behind", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken`);
    const path = `${folder}/taken`;
    const error = await assertRejects(() => writeAtomically(path, "text"), WriteError);
    assertEquals(
      error.message,
      `Cannot write "${path}" as there is a folder of this name: there is none from before`,
    );
    assertEquals(Deno.statSync(path).isDirectory, true);
    assertEquals(filesIn(folder), ["taken"]);
  }));

/** Lets every file take so many bytes before the disk is full. */
async function onFullDisk(bytes: number, run: () => Promise<void>): Promise<void> {
  const { write } = Deno.FsFile.prototype;
  let left = bytes;
  Deno.FsFile.prototype.write = function (data) {
    if (left === 0) {
      const full = new Error("No space left on device (os error 28)");
      return Promise.reject(Object.assign(full, { code: "ENOSPC" }));
    }
    const part = data.subarray(0, left);
    left -= part.length;
    return write.call(this, part);
  };
  try {
    await run();
  } finally {
    Deno.FsFile.prototype.write = write;
  }
}

Deno.test("writeAtomically() on a full disk keeps the last file, and says so", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.txt`;
    const refused = async (bytes: number) => {
      let message = "";
      await onFullDisk(bytes, async () => {
        ({ message } = await assertRejects(() => writeAtomically(path, "a text"), WriteError));
      });
      return message;
    };
    const reason = `Cannot write "${path}" as the disk is full: `;
    assertEquals(await refused(0), `${reason}there is none from before`);
    await writeAtomically(path, "old");
    assertEquals(await refused(3), `${reason}the last complete one is kept`);
    assertEquals([filesIn(folder), await Deno.readTextFile(path)], [["a.txt"], "old"]);
  }));

Deno.test("train() on a disk that fills up says in a line that --resume goes on", () =>
  inFolder(async (folder) => {
    const file = `${folder}/a.safetensors`;
    const options = { ...lineTraining(), checkpoint: { file, every: 1, resume: true } };
    let message = "";
    await onFullDisk(3000, async () => {
      ({ message } = await assertRejects(() => train(options), WriteError));
    });
    assertEquals(
      message,
      `Cannot write "${file}" as the disk is full: the last complete one is kept; ` +
        `--resume goes on from what is kept`,
    );
    assertEquals(filesIn(folder), ["a.safetensors"]);
    const [resumed, whole] = [await train(options), await train(lineTraining())];
    assertEquals(resumed.history, whole.history);
  }));

Deno.test("writeResults() on a full disk says which file is written", () =>
  inFolder(async (folder) => {
    let message = "";
    await onFullDisk(10, async () => {
      ({ message } = await assertRejects(() => writeResults(folder, {}, "a report"), WriteError));
    });
    assertEquals(
      message,
      `Cannot write "${folder}/report.html" as the disk is full: there is none from before; ` +
        `${folder}/metrics.json is written`,
    );
    assertEquals(filesIn(folder), ["metrics.json"]);
  }));

Deno.test("writeAtomically() of many at once leaves one whole file, and rejects none", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.bin`;
    const whole = (bytes: Uint8Array) => bytes.every((byte) => byte * 1000 === bytes.length);
    await Promise.all(Array.from({ length: 40 }, async (_, i) => {
      await writeAtomically(path, new Uint8Array(1000 * (i + 1)).fill(i + 1));
      assertEquals(whole(await Deno.readFile(path)), true);
    }));
    assertEquals(filesIn(folder), ["a.bin"]);
  }));

Deno.test("writeResults() writes metrics.json and report.html", () =>
  inFolder(async (folder) => {
    await writeResults(`${folder}/example`, { score: 0.5, none: NaN }, "<p>report</p>");
    const metrics = JSON.parse(await Deno.readTextFile(`${folder}/example/metrics.json`));
    assertEquals(metrics, { score: 0.5, none: null });
    assertEquals(await Deno.readTextFile(`${folder}/example/report.html`), "<p>report</p>");
  }));
