import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import * as h5wasm from "h5wasm";
import { deflateSync } from "node:zlib";
import { MemoryFile } from "../../src/data/file.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import type { StoredArray } from "../../src/data/store.ts";
import { resealed } from "./damage.ts";

const MEBIBYTE = 2 ** 20;

type Write = (file: h5wasm.File) => void;

/** The bytes of a file that a call has filled. */
async function written(write: Write): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("/sizes.h5", "w");
  write(file);
  file.close();
  const bytes = FS.readFile("/sizes.h5") as unknown as Uint8Array;
  FS.unlink("/sizes.h5");
  return bytes;
}

/** Reads the array `x` of a file, and tells by how many MiB the library's memory has grown. */
async function readX(bytes: Uint8Array, read: (array: StoredArray) => Promise<unknown>) {
  const { HEAPU8: before } = await h5wasm.ready;
  const held = before.length;
  const store = await openH5(new MemoryFile("x.h5", bytes));
  try {
    const error = await store.root.get("x").then((x) => read(x as StoredArray)).then(
      () => undefined,
      (error: Error) => error,
    );
    return { error, grown: ((await h5wasm.ready).HEAPU8.length - held) / MEBIBYTE };
  } finally {
    store.close();
  }
}

/** The bytes with other numbers of eight of them: extents, and how many bytes they take. */
function enlarged(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  const view = new DataView(changed.buffer);
  for (const width of [1, 8, 16]) {
    for (let at = 0; at + 8 <= bytes.length; at++) {
      if (view.getBigUint64(at, true) !== BigInt(from * width)) continue;
      view.setBigUint64(at, BigInt(to * width), true);
    }
  }
  return resealed(changed);
}

Deno.test("extents of an HDF5 array that its file cannot hold are refused", async () => {
  const row = { name: "x", data: new Float64Array(4099), shape: [4099] };
  const chunked = { ...row, chunks: [64], compression: 4 };
  const texts = { ...row, data: Array(4099).fill("a"), dtype: "S" };
  const cases: [dataset: typeof row, read: (x: StoredArray) => Promise<unknown>, why: string][] = [
    [row, (x) => x.readNumbers(), "the HDF5 library says: invalid dataset size"],
    [texts as never, (x) => x.readStrings(), "the HDF5 library says: invalid dataset size"],
    [chunked, (x) => x.readNumbers(), "its file cannot hold it: it would take "],
    [chunked, (x) => x.readNumbers(7, 2 ** 28), "its file cannot hold it: it would take 21474835"],
  ];
  for (const [dataset, read, why] of cases) {
    const bytes = await written((file) => file.create_dataset(dataset));
    for (const extent of [2 ** 29, 2 ** 40]) {
      const { error, grown } = await readX(enlarged(bytes, 4099, extent), read);
      assertStringIncludes(error!.message, `Cannot read "x" of "x.h5" as ${why}`);
      assertLess(grown, 64);
    }
  }
});

Deno.test("a chunk of HDF5 that claims to be larger than its array is refused", async () => {
  const bytes = await written((file) =>
    file.create_dataset({
      name: "x",
      data: new Uint8Array(4099),
      shape: [4099],
      chunks: [4098],
      compression: 4,
    })
  );
  const changed = new Uint8Array(bytes);
  const view = new DataView(changed.buffer);
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (view.getUint32(at, true) === 4098) view.setUint32(at, 2 ** 31 - 1, true);
  }
  const { error, grown } = await readX(resealed(changed), (x) => x.readNumbers(0, 5));
  assertMatch(error!.message, /^Cannot read "x" of "x.h5" as a chunk of it would take 2147483647 /);
  assertLess(grown, 64);
});

/** A file whose array of bytes has one chunk, and that chunk other bytes in its place. */
async function withChunk(chunk: Uint8Array): Promise<Uint8Array> {
  const random = new Uint8Array(chunk.length + MEBIBYTE);
  for (let at = 0; at < random.length; at += 2 ** 16) {
    crypto.getRandomValues(random.subarray(at, at + 2 ** 16));
  }
  const shape = [random.length];
  const bytes =
    (await written((file) =>
      file.create_dataset({ name: "x", data: random, shape, chunks: shape, compression: 1 })
    )).slice();
  // Zlib begins so at its fastest level, and the file has nothing else that is so long.
  const at = bytes.findIndex((byte, i) => byte === 0x78 && bytes[i + 1] === 1 && i > 1000);
  assert(at > 0);
  bytes.set(chunk, at);
  return bytes;
}

Deno.test("a chunk of HDF5 that becomes larger than its memory is refused", async () => {
  const { error, grown } = await readX(
    await withChunk(deflateSync(new Uint8Array(2 ** 29), { level: 9 })),
    (x) => x.readNumbers(),
  );
  assertMatch(error!.message, /^Cannot read "x" of "x.h5" as it asks for \d+ bytes of memory/);
  assertLess(grown, 320);
});

Deno.test("zeros that HDF5 compresses a thousand times are read", async () => {
  const length = 2 ** 26;
  const data = new Float64Array(length);
  data[length - 1] = 7;
  const bytes = await written((file) =>
    file.create_dataset({ name: "x", data, shape: [length], chunks: [2 ** 20], compression: 9 })
  );
  assertLess(bytes.length, data.byteLength / 500);
  let found: unknown;
  const { error } = await readX(bytes, async (x) => found = (await x.readNumbers()).at(-1));
  assertEquals([error, found], [undefined, 7]);
});
