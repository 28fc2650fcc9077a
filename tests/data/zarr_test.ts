import { assertEquals, assertRejects } from "@std/assert";
import { openAnnData } from "../../src/data/anndata.ts";
import { type Branch, branch, cells, COUNTS, flags, leaf, nullable, withElement } from "./tree.ts";
import { inTempDirectory, writeFiles, zarrFiles, type ZarrOptions, zipBytes } from "./write.ts";

type Files = Map<string, Uint8Array>;

/** Writes files below a directory of its own and hands its path to the test. */
function withDirectory(files: Files, test: (path: string) => Promise<void>): Promise<void> {
  return inTempDirectory(async (directory) => {
    const path = `${directory}/cells.zarr`;
    await writeFiles(path, files);
    await test(path);
  });
}

/** Writes a file and hands its path to the test. */
function withZip(bytes: Uint8Array, test: (path: string) => Promise<void>): Promise<void> {
  return inTempDirectory(async (directory) => {
    const path = `${directory}/cells.zarr.zip`;
    await Deno.writeFile(path, bytes);
    await test(path);
  });
}

const PLAIN: ZarrOptions = { version: 3 };
const SHARDED: ZarrOptions = { version: 3, sharded: true };

function withFlags(): Branch {
  const values = [true, false, true, true, false];
  const mask = [false, false, false, true, false];
  let tree = withElement(cells(), "obs/cell_type", flags(values));
  tree = withElement(tree, "obs/stage", nullable("nullable-boolean", flags(values), mask));
  const text = leaf(["a", "b", "c", "", "e"]);
  return withElement(tree, "obs/note", nullable("nullable-string-array", text, mask));
}

for (const options of [{ version: 2 }, PLAIN, SHARDED] as ZarrOptions[]) {
  const form = `Zarr ${options.version}${options.sharded ? " in shards" : ""}`;
  Deno.test(`openAnnData() reads booleans and nullable columns from ${form}`, async () => {
    await withDirectory(await zarrFiles(withFlags(), options), async (path) => {
      await using file = await openAnnData(path);
      const values = Uint8Array.of(1, 0, 1, 1, 0);
      const missing = Uint8Array.of(0, 0, 0, 1, 0);
      assertEquals(await file.obs("cell_type"), { kind: "boolean", values });
      assertEquals(await file.obs("stage"), { kind: "boolean", values, missing });
      const text = ["a", "b", "c", "", "e"];
      assertEquals(await file.obs("note"), { kind: "string", values: text, missing });
    });
  });
}

Deno.test("openAnnData() reads Zarr arrays in Fortran order", async () => {
  const files = await zarrFiles(cells(), { version: 2, fortranOrder: true });
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    assertEquals((await (await file.layer("small")).read()).toArray(), COUNTS);
    assertEquals((await (await file.layer("small")).readRows(1, 4)).toArray(), COUNTS.slice(1, 4));
  });
});

Deno.test("openAnnData() takes chunks that were never written for zeros", async () => {
  const files = await zarrFiles(cells(), PLAIN);
  files.delete("X/c/1/0");
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    assertEquals((await file.X.readRows(1, 5)).toArray(), [
      [0.5, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [2, 2.5, 0, 3],
    ]);
  });
});

Deno.test("openAnnData() reads a zip archive that holds the hierarchy in a folder", async () => {
  const bytes = zipBytes(await zarrFiles(cells(), SHARDED), "study/cells.zarr/");
  await withZip(bytes, async (path) => {
    await using file = await openAnnData(path);
    assertEquals((await (await file.layer("counts")).read()).toArray(), COUNTS);
    assertEquals(file.keys.obsm, ["X_pca", "sparse", "tiles"]);
  });
});

Deno.test("openAnnData() takes shards that were never written to a zip archive for zeros", async () => {
  const files = await zarrFiles(cells(), SHARDED);
  files.delete("X/c/0/0");
  await withZip(zipBytes(files), async (path) => {
    await using file = await openAnnData(path);
    assertEquals((await file.X.readRows(0, 1)).toArray(), [[0, 0, 0, 0]]);
  });
});

Deno.test("openAnnData() says that a zip archive is truncated", async () => {
  const bytes = zipBytes(await zarrFiles(cells(), SHARDED));
  await withZip(bytes.subarray(0, bytes.length - 10), async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as it is not a whole zip archive: ` +
        "could not find end of central directory. maybe not zip file",
    );
  });
});

Deno.test("openAnnData() says that a zip archive holds no Zarr group", async () => {
  const bytes = zipBytes(new Map([["readme.txt", new Uint8Array(3)]]));
  await withZip(bytes, async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as it is not a Zarr group: it has neither a zarr.json nor a ` +
        ".zgroup file",
    );
  });
});

Deno.test("openAnnData() says that a directory is no Zarr group", () =>
  inTempDirectory(async (directory) => {
    const error = await assertRejects(() => openAnnData(directory), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${directory}" as it is not a Zarr group: it has neither a zarr.json nor a ` +
        ".zgroup file",
    );
  }));

Deno.test("openAnnData() says that a Zarr hierarchy is only an array", async () => {
  const files = await zarrFiles(branch("x", "1", { a: leaf(Int32Array.of(1)) }), PLAIN);
  await withDirectory(new Map([["zarr.json", files.get("a/zarr.json")!]]), async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(error.message, `Cannot read "${path}" as it is a Zarr array, not a group`);
  });
});

Deno.test("openAnnData() says that a Zarr hierarchy is something else than AnnData", async () => {
  const files = await zarrFiles(branch("x", "1", { a: leaf(Int32Array.of(1)) }), PLAIN);
  await withDirectory(files, async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as it is not AnnData: it must have "obs", and has a`,
    );
  });
});

for (const [version, name] of [[2, "X/.zarray"], [3, "X/zarr.json"]] as const) {
  Deno.test(`openAnnData() says that metadata of Zarr ${version} is damaged`, async () => {
    const files = await zarrFiles(cells(), { version });
    files.set(name, files.get(name)!.subarray(0, 20));
    await withDirectory(files, async (path) => {
      const error = await assertRejects(() => openAnnData(path), SyntaxError);
      assertEquals(
        error.message.replace(/: [^:]*$/, ""),
        `Cannot read "${name}" of "${path}" as its metadata are damaged`,
      );
    });
  });
}

Deno.test("openAnnData() never gives zeros for what a truncated chunk lacks", async () => {
  const files = await zarrFiles(cells(), PLAIN);
  files.set("X/c/1/0", files.get("X/c/1/0")!.subarray(0, 12));
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    const error = await assertRejects(() => file.X.read(), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "X" of "${path}" as chunk 1,0 holds 3 values instead of 8`,
    );
    assertEquals((await file.X.readRows(0, 1)).toArray(), [[0, 1, 0, 0.5]]);
  });
});

Deno.test("openAnnData() never gives zeros for what a truncated compressed chunk lacks", async () => {
  const files = await zarrFiles(cells(), { version: 2 });
  files.set("X/1.0", files.get("X/1.0")!.subarray(0, 6));
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    await assertRejects(() => file.X.read(), SyntaxError, `Cannot read "X" of "${path}" as `);
  });
});

Deno.test("openAnnData() says that a compressed chunk is damaged", async () => {
  const files = await zarrFiles(cells(), { version: 2 });
  files.get("X/1.0")!.fill(0xff, 0, 4);
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    const error = await assertRejects(() => file.X.read(), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "X" of "${path}" as the Zarr library says: Failed to decode chunk via codec ` +
        '"zlib": incorrect header check',
    );
  });
});

for (
  const [kept, why] of [
    [5, '"X/c/0/0" of "PATH" as the file ends too early: '],
    [
      60,
      '"X" of "PATH" as the Zarr library says: Failed to decode chunk via codec "crc32c": a byte',
    ],
  ] as const
) {
  Deno.test(`openAnnData() says that a shard is cut to ${kept} bytes`, async () => {
    const files = await zarrFiles(cells(), SHARDED);
    files.set("X/c/0/0", files.get("X/c/0/0")!.subarray(0, kept));
    await withDirectory(files, async (path) => {
      await using file = await openAnnData(path);
      await assertRejects(
        () => file.X.read(),
        SyntaxError,
        `Cannot read ${why.replace("PATH", path)}`,
      );
    });
  });
}

Deno.test("openAnnData() names a codec that cannot be read", async () => {
  const files = await zarrFiles(cells(), PLAIN);
  const metadata = JSON.parse(new TextDecoder().decode(files.get("X/zarr.json")));
  metadata.codecs.push({ name: "snappy" });
  files.set("X/zarr.json", new TextEncoder().encode(JSON.stringify(metadata)));
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    const error = await assertRejects(() => file.X.read(), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "X" of "${path}" as the Zarr library says: Unknown codec: snappy`,
    );
  });
});

Deno.test("openAnnData() reads data frames that are records, as before AnnData 0.7", async () => {
  const files = await zarrFiles(cells(), { version: 2 });
  for (const name of [...files.keys()]) if (name.startsWith("obs/")) files.delete(name);
  const metadata = {
    ...{ zarr_format: 2, shape: [5], chunks: [5], order: "C", compressor: null, filters: null },
    dtype: [["index", "|S5"], ["n_genes", "<i2"]],
    fill_value: null,
  };
  files.set("obs/.zarray", new TextEncoder().encode(JSON.stringify(metadata)));
  files.set("obs/0", new TextEncoder().encode("c0\0\0\0\x01\0".repeat(5)));
  await withDirectory(files, async (path) => {
    await using file = await openAnnData(path);
    assertEquals(await file.obsNames(), Array(5).fill("c0"));
    assertEquals(await file.obs("n_genes"), {
      kind: "numeric",
      values: new Int32Array(5).fill(1),
    });
  });
});
