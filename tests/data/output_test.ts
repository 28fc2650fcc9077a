import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openAnnData } from "../../src/data/anndata.ts";
import { type FileOutput, MemoryOutput, replaceFile } from "../../src/data/output.ts";
import { updateAnnData, writeAnnData } from "../../src/data/write_anndata.ts";
import { inTempDirectory } from "./write.ts";
import { CELLS } from "./write_endlessly.ts";

const PROGRAM = new URL("write_endlessly.ts", import.meta.url).pathname;

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** Starts the program, waits until it has written once, and kills it after some milliseconds. */
async function killAfter(path: string, way: string, milliseconds: number): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", PROGRAM, path, way],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value).trim(), "begun");
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
}

/** Throws unless all parts of a file are of one turn. */
async function assertWhole(path: string, parts: "X and obs" | "obs and obsm"): Promise<void> {
  await using file = await openAnnData(path);
  const note = await file.obs("note");
  assert(note.kind === "string");
  const turn = Number(note.values[0]!.slice("turn ".length));
  assertEquals(note.values, new Array(CELLS).fill(`turn ${turn}`));
  const x = parts === "X and obs" ? await file.X.read() : await file.obsm("x");
  assertEquals(x.shape, [CELLS, 100]);
  assert(x.data.every((value) => value === turn));
}

Deno.test("a writer that is killed at any moment leaves the old file or the new one", async () => {
  await inTempDirectory(async (folder) => {
    const moments = Array.from({ length: 10 }, () => 60 * Math.random());
    await Promise.all(moments.map(async (moment, i) => {
      const path = `${folder}/${i}.h5ad`;
      const isUpdate = i % 2 === 1;
      if (isUpdate) await writeAnnData(path, { obs: { a: new Float32Array(CELLS) } });
      await killAfter(path, isUpdate ? "update" : "write", moment);
      await assertWhole(path, isUpdate ? "obs and obsm" : "X and obs");
    }));
    // What is left beside them is at most one unfinished file each.
    const left = namesIn(folder).filter((name) => !name.endsWith(".h5ad"));
    assert(left.length <= 10 && left.every((name) => /^\d\.h5ad\.\w+\.tmp$/.test(name)), `${left}`);
  });
});

Deno.test("a writer of Zarr that is killed leaves whole folders only", async () => {
  await inTempDirectory(async (folder) => {
    await Promise.all([5, 20, 40, 60].map(async (moment, i) => {
      const path = `${folder}/${i}.zarr`;
      await killAfter(path, "write", moment);
      // Between two renames the old one lies beside its place.
      const names = namesIn(folder);
      const place = names.includes(`${i}.zarr`)
        ? path
        : `${folder}/${
          names.find((name) => name.startsWith(`${i}.zarr.`) && name.endsWith(".old"))
        }`;
      await assertWhole(place, "X and obs");
    }));
  });
});

function failing(code: string): Error {
  return Object.assign(new Error("of the system"), { code });
}

Deno.test("a full disk, or any failure, leaves what was there and nothing beside it", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/cells.h5ad`;
    const fail = (code: string) => (output: FileOutput) => {
      output.append(new Uint8Array(3_000_000));
      return Promise.reject(failing(code));
    };
    await assertRejects(
      () => replaceFile(path, fail("ENOSPC")),
      Error,
      `Cannot write "${path}" as the disk is full`,
    );
    assertEquals(namesIn(folder), []);
    await Deno.writeTextFile(path, "old");
    const reasons = {
      ENOSPC: "the disk is full: what was there is kept",
      EDQUOT: "the disk quota is used up: what was there is kept",
      EIO: "the disk fails: what was there is kept",
      EACCES: "permission is denied: what was there is kept",
      EUNKNOWN: "the system says: of the system: what was there is kept",
    };
    for (const [code, reason] of Object.entries(reasons)) {
      for (const from of [undefined, path]) {
        const error = await assertRejects(() => replaceFile(path, fail(code), from), Error);
        assertEquals(error.message, `Cannot write "${path}" as ${reason}`);
        assertEquals(await Deno.readTextFile(path), "old");
      }
    }
    const own = new RangeError("of its own");
    const error = await assertRejects(() => replaceFile(path, () => Promise.reject(own)));
    assert(error === own);
    assertEquals(namesIn(folder), ["cells.h5ad"]);
  });
});

Deno.test("places that cannot be written are named in words", async () => {
  await inTempDirectory(async (folder) => {
    const content = { X: [[1]] };
    const reject = async (name: string, kind: typeof Error, why: string) => {
      const path = `${folder}/${name}`;
      const error = await assertRejects(() => writeAnnData(path, content), kind);
      assertEquals(error.message, `Cannot write "${path}" as ${why}`);
    };
    await Deno.mkdir(`${folder}/folder.h5ad`);
    await Deno.mkdir(`${folder}/photos.zarr`);
    await Deno.writeTextFile(`${folder}/photos.zarr/cat.jpg`, "cat");
    await Deno.writeTextFile(`${folder}/file.zarr`, "text");
    await reject("none/x.h5ad", Error, "its folder does not exist");
    await reject("none/x.zarr", Error, "its folder does not exist");
    await reject("file.zarr/x.h5ad", Error, "a part of its path is a file, not a folder");
    await reject("folder.h5ad", TypeError, "there is a folder of this name");
    await reject("file.zarr", TypeError, "there is a file of this name, and Zarr is a folder");
    await reject(
      "photos.zarr",
      TypeError,
      "there is a folder of this name that is no Zarr hierarchy: it holds cat.jpg",
    );
    await reject(`${"x".repeat(300)}.h5ad`, Error, "the name is too long");
    assertEquals(await Deno.readTextFile(`${folder}/photos.zarr/cat.jpg`), "cat");
    assertEquals(namesIn(folder), ["file.zarr", "folder.h5ad", "photos.zarr"]);
    await writeAnnData(`${folder}/folder.h5ad`, content, { format: "zarr" });
  });
});

Deno.test("a runtime without permission is told", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/x.h5ad`;
    const module = new URL("../../src/data/write_anndata.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/program.ts`,
      `import { writeAnnData } from "${module}";
      await writeAnnData("${path}", { X: [[1]] }).catch((error) => console.log(error.message));`,
    );
    const args = ["run", "--no-check", "--no-prompt", "--allow-read", `${folder}/program.ts`];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertMatch(
      new TextDecoder().decode(stdout),
      /^Cannot write ".*x\.h5ad" as this program has no permission: it needs write access.*\n$/,
    );
  });
});

Deno.test("a name may be as long as the system allows", async () => {
  await inTempDirectory(async (folder) => {
    const path = `${folder}/${"x".repeat(250)}.h5ad`;
    await writeAnnData(path, { X: [[1]] });
    await updateAnnData(path, { obs: { a: [1] } });
    assertEquals(namesIn(folder).length, 1);
  });
});

Deno.test("what a link names is replaced, and keeps its mode", async () => {
  await inTempDirectory(async (folder) => {
    for (const end of ["h5ad", "zarr"]) {
      const path = `${folder}/x.${end}`;
      await writeAnnData(path, { X: [[1]] });
      if (end === "h5ad") await Deno.chmod(path, 0o640);
      await Deno.symlink(path, `${folder}/link.${end}`);
      await writeAnnData(`${folder}/link.${end}`, { X: [[2]] });
      await updateAnnData(`${folder}/link.${end}`, { obs: { a: [1] } });
      assert((await Deno.lstat(`${folder}/link.${end}`)).isSymlink);
      await using file = await openAnnData(path);
      assertEquals([(await file.X.read()).toArray(), file.keys.obs], [[[2]], ["a"]]);
      if (end === "h5ad") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
    }
  });
});

Deno.test("MemoryOutput keeps what is appended and replaced", () => {
  const output = new MemoryOutput();
  const parts = [3, 70_000, 1, 200_000].map((size, i) => new Uint8Array(size).fill(i + 1));
  for (const part of parts) output.append(part);
  output.replace(2, Uint8Array.of(9, 9));
  const bytes = output.take();
  assertEquals([bytes.length, output.size], [270_004, 270_004]);
  assertEquals([...bytes.subarray(0, 5)], [1, 1, 9, 9, 2]);
  assertEquals([bytes[70_003], bytes[70_004]], [3, 4]);
});

Deno.test("FileOutput keeps what is appended and replaced, small and large", async () => {
  await inTempDirectory(async (folder) => {
    const parts = [3, 2 ** 21, 1, 2 ** 20, 5].map((size, i) => new Uint8Array(size).fill(i + 1));
    await replaceFile(`${folder}/x`, (output) => {
      for (const part of parts) output.append(part);
      output.replace(1, Uint8Array.of(9, 9, 9));
      output.append(Uint8Array.of(7));
      return Promise.resolve();
    });
    const bytes = await Deno.readFile(`${folder}/x`);
    const expected = Uint8Array.from([...parts.flatMap((part) => [...part]), 7]);
    expected.set([9, 9, 9], 1);
    assertEquals(bytes.length, expected.length);
    assert(bytes.every((byte, i) => byte === expected[i]));
  });
});
