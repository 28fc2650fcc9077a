import { assert, assertEquals, assertRejects } from "@std/assert";
import * as h5wasm from "h5wasm";
import { openAnnData } from "../../src/data/anndata.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import { LocalFile } from "../../src/data/file.ts";
import { branch, CELLS, cells, leaf, withElement } from "./tree.ts";
import { h5Bytes, inTempDirectory } from "./write.ts";

const WRITTEN_BY_H5PY = new URL("./h5py.h5ad", import.meta.url);

/** Writes bytes to a file of its own and hands its path to the test. */
function withBytes(bytes: Uint8Array, test: (path: string) => Promise<void>): Promise<void> {
  return inTempDirectory(async (directory) => {
    const path = `${directory}/cells.h5ad`;
    await Deno.writeFile(path, bytes);
    await test(path);
  });
}

/** What the HDF5 library holds open, and the files that it knows. */
async function openResources(): Promise<unknown> {
  const { FS } = await h5wasm.ready;
  const { streams, readdir } = FS as unknown as {
    streams: unknown[];
    readdir(path: string): string[];
  };
  return [streams.filter((stream) => stream).length, readdir("/").sort()];
}

Deno.test("openAnnData() reads what h5py writes: big-endian numbers behind a user block", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  assertEquals((await file.X.read()).dtype, "float64");
  assertEquals((await file.X.read()).toArray(), [[0, 1, 0], [0.5, 0, 0], [0, 0, 1.5], [2, 2.5, 0]]);
});

Deno.test("openAnnData() reads h5py's booleans, which are an enumeration", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  assertEquals(await file.obs("flag"), { kind: "boolean", values: Uint8Array.of(1, 0, 1, 1) });
  const flags = await (await file.layer("flags")).read();
  assertEquals(flags.dtype, "bool");
  assertEquals(flags.toArray(), [
    [false, true, false],
    [true, false, false],
    [false, false, true],
    [true, true, false],
  ]);
});

Deno.test("openAnnData() reads nullable columns of integers, booleans and text", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  assertEquals(await file.obs("count"), {
    kind: "numeric",
    values: Int32Array.of(7, 0, -9, 1),
    missing: Uint8Array.of(0, 1, 0, 0),
  });
  assertEquals(await file.obs("passed"), {
    kind: "boolean",
    values: Uint8Array.of(1, 0, 0, 1),
    missing: Uint8Array.of(0, 0, 1, 0),
  });
  assertEquals(await file.obs("note"), {
    kind: "string",
    values: ["a", "", "c", ""],
    missing: Uint8Array.of(0, 1, 0, 0),
  });
});

Deno.test("openAnnData() reads categories that are numbers as text", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  const grade = await file.obs("grade");
  assertEquals(grade.kind === "categorical" && grade.categories, ["10", "20"]);
});

Deno.test("openAnnData() reads data frames of AnnData 0.7, with categories beside them", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  assertEquals(await file.var("chromosome"), {
    kind: "categorical",
    codes: Int32Array.of(0, 1, 0),
    categories: ["1", "X"],
    ordered: false,
  });
  assertEquals(await file.var("symbol"), { kind: "string", values: ["abc", "d", ""] });
});

Deno.test("openAnnData() reads sparse matrices that h5py has compressed", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  const counts = [[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 5, 0]];
  assertEquals((await (await file.layer("csc")).read()).toArray(), counts);
  assertEquals(
    (await file.raw!.X.read()).toArray(),
    counts.map((row) => [...row, ...row]),
  );
});

Deno.test("openAnnData() reads the compressions and types that h5py writes", async () => {
  await using file = await openAnnData(WRITTEN_BY_H5PY);
  const [lzf, half] = [await file.layer("lzf"), await file.layer("half")];
  assertEquals((await lzf.read()).toArray(), (await half.read()).toArray());
  assertEquals([lzf.dtype, half.dtype], ["float32", "float32"]);
  assertEquals((await file.obsm("frame")).shape[0], file.nObs);
});

Deno.test("openAnnData() says that an HDF5 file is truncated, wherever it ends", async () => {
  const bytes = await h5Bytes(cells());
  for (const part of [0.1, 0.5, 0.9, 0.999]) {
    const size = Math.floor(bytes.length * part);
    await withBytes(bytes.subarray(0, size), async (path) => {
      const error = await assertRejects(() => openAnnData(path), SyntaxError);
      assertEquals(
        error.message,
        `Cannot read "${path}" as the HDF5 library says: truncated file: eof = ${size}, ` +
          `sblock->base_addr = 0, stored_eof = ${bytes.length}`,
      );
    });
  }
});

Deno.test("openAnnData() says that an HDF5 file is something else than AnnData", async () => {
  const bytes = await h5Bytes(branch("x", "1", { spectra: leaf(Float32Array.of(1)) }));
  await withBytes(bytes, async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as it is not AnnData: it must have "obs", and has spectra`,
    );
  });
});

Deno.test("openAnnData() never gives values of a chunk that is damaged", async () => {
  const random = Float32Array.from({ length: 40_000 }, (_, i) => Math.sin(i * i));
  const tree = withElement(cells(), "obsm/noise", leaf(random, [5, 8000]));
  const bytes = await h5Bytes(tree);
  // The compressed noise is the bulk of the file; zeros in the middle hit one of its chunks.
  const middle = Math.floor(bytes.length / 2);
  await withBytes(bytes.fill(0, middle, middle + 500), async (path) => {
    await using file = await openAnnData(path);
    const error = await assertRejects(() => file.obsm("noise"), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "obsm/noise" of "${path}" as the HDF5 library says: ` +
        "filter returned failure during read",
    );
    assertEquals((await file.X.read()).shape, [5, 4]);
  });
});

Deno.test("openAnnData() never gives text that is damaged, and reads on afterwards", async () => {
  const bytes = await h5Bytes(cells());
  const damaged = bytes.slice();
  // Text lies in heaps, which begin with "GCOL".
  const heaps = [...damaged.keys()].filter((at) =>
    [0x47, 0x43, 0x4f, 0x4c].every((byte, i) => damaged[at + i] === byte)
  );
  for (const at of heaps) damaged.fill(0xff, at, at + 4);
  await withBytes(damaged, async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as the HDF5 library says: bad global heap collection signature`,
    );
  });
  await withBytes(bytes, async (path) => {
    await using file = await openAnnData(path);
    assertEquals(await file.obsNames(), CELLS);
  });
});

Deno.test("openAnnData() never gives values of a file that is cut while it is open", async () => {
  const tree = withElement(cells(), "obsm/long", leaf(new Float64Array(500_000), [5, 100_000]));
  const bytes = await h5Bytes(tree);
  await withBytes(bytes, async (path) => {
    await using file = await openAnnData(path);
    await Deno.truncate(path, 1000);
    await assertRejects(
      () => file.obsm("long"),
      SyntaxError,
      `of "${path}" as the HDF5 library says: `,
    );
  });
});

Deno.test("openAnnData() says that a link in an HDF5 file leads nowhere", async () => {
  const { FS } = await h5wasm.ready;
  FS.writeFile("/linked.h5", await h5Bytes(withElement(cells(), "X", undefined)));
  const file = new h5wasm.File("/linked.h5", "a");
  file.create_soft_link("/gone", "X");
  file.close();
  const bytes = FS.readFile("/linked.h5") as unknown as Uint8Array;
  FS.unlink("/linked.h5");
  await withBytes(bytes, async (path) => {
    const error = await assertRejects(() => openAnnData(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "X" of "${path}" as it is neither a group nor a dataset`,
    );
  });
});

Deno.test("openAnnData() leaves nothing open in the HDF5 library, also after errors", async () => {
  const before = await openResources();
  const bytes = await h5Bytes(cells());
  await withBytes(bytes, async (path) => {
    const file = await openAnnData(path);
    await assertRejects(async () => await (await file.layer("too_large")).read(), RangeError);
    await assertRejects(() => file.obs("no such"), RangeError);
    file.close();
  });
  await withBytes(bytes.subarray(0, 3000), async (path) => {
    await assertRejects(() => openAnnData(path), SyntaxError);
  });
  await withBytes(await h5Bytes(withElement(cells(), "obs", undefined)), async (path) => {
    await assertRejects(() => openAnnData(path), SyntaxError);
  });
  assertEquals(await openResources(), before);
});

Deno.test("openAnnData() prints nothing where the HDF5 library reports an error", async () => {
  const printed: unknown[] = [];
  const original = console.error;
  console.error = (...values) => printed.push(values);
  try {
    await withBytes((await h5Bytes(cells())).subarray(0, 3000), async (path) => {
      await assertRejects(() => openAnnData(path), SyntaxError);
    });
  } finally {
    console.error = original;
  }
  assertEquals(printed, []);
});

Deno.test("openAnnData() reads several files at once", async () => {
  const other = withElement(cells(), "X", leaf(new Float32Array(20).fill(7), [5, 4]));
  await withBytes(await h5Bytes(other), async (path) => {
    await using first = await openAnnData(WRITTEN_BY_H5PY);
    await using second = await openAnnData(path);
    assertEquals([first.nObs, second.nObs], [4, 5]);
    assertEquals((await second.X.readRows(0, 1)).toArray(), [[7, 7, 7, 7]]);
    assertEquals((await first.X.readRows(0, 1)).toArray(), [[0, 1, 0]]);
  });
});

Deno.test("openH5() reads long arrays in pieces that add up", async () => {
  // More than twice what passes through the library's memory at once.
  const values = Float64Array.from({ length: 2 ** 23 + 2 ** 21 + 5 }, (_, i) => i);
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("/long.h5", "w");
  file.create_dataset({ name: "long", data: values, chunks: [100_003] });
  file.close();
  const bytes = FS.readFile("/long.h5") as unknown as Uint8Array;
  FS.unlink("/long.h5");
  await withBytes(bytes, async (path) => {
    const store = await openH5(await LocalFile.open(path));
    const array = await store.root.get("long");
    assert(array?.kind === "array");
    const read = await array.readNumbers();
    assertEquals(read.length, values.length);
    assert(read.every((value, i) => value === i));
    const part = await array.readNumbers(2 ** 23 - 3, 2 ** 23 + 3);
    assertEquals(part, values.slice(2 ** 23 - 3, 2 ** 23 + 3));
    store.close();
  });
});
