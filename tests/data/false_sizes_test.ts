/**
 * Files whose headers lie: they are refused before memory is taken, or time.
 */
import { tensor } from "@cellgrad/cellgrad";
import {
  openAnnData,
  openCells,
  readNpy,
  readNpz,
  readSafetensors,
  readTable,
  writeNpy,
} from "@cellgrad/cellgrad/data";
import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { deflateRawSync, gzipSync } from "node:zlib";
import { cells } from "./tree.ts";
import { variants } from "./variants.ts";
import { h5Bytes, inTempDirectory, writeFiles, zarrFiles, zipBytes } from "./write.ts";

const MEBIBYTE = 2 ** 20;

/** How many bytes more the process held while something was tried, in MiB. */
async function growth(act: () => Promise<unknown>): Promise<number> {
  const before = Deno.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 1);
  await act();
  clearInterval(timer);
  return (Math.max(most, Deno.memoryUsage().rss) - before) / MEBIBYTE;
}

/** Holds that a read is refused with a message, and takes no memory by the sizes that are claimed. */
async function refuses(read: () => Promise<unknown>, message: string): Promise<void> {
  const grown = await growth(async () => {
    const error = await assertRejects(read);
    assertStringIncludes((error as Error).message, message);
    assertMatch((error as Error).message, /^Cannot read /);
  });
  assertLess(grown, 300);
}

const text = (content: string) => new TextEncoder().encode(content);

Deno.test("arrays of NumPy and safetensors that claim more than their bytes are refused", async () => {
  const header = (shape: string) =>
    `\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`;
  for (const shape of ["4000000000,", "99999999999999, 99999999999999", "1099511627776, 0, 7"]) {
    const bytes = Uint8Array.from(header(shape).padEnd(128), (char) => char.charCodeAt(0));
    if (shape.includes(" 0,")) assertEquals((await readNpy(bytes)).size, 0);
    else await refuses(() => readNpy(bytes), "bytes after the header: there are 0");
  }
  const json = JSON.stringify({
    x: { dtype: "F64", shape: [2 ** 29], data_offsets: [0, 2 ** 32] },
  });
  const bytes = new Uint8Array(8 + json.length);
  bytes[0] = json.length;
  bytes.set(text(json), 8);
  await refuses(() => readSafetensors(bytes), "its tensors take 4294967296 bytes");
});

Deno.test("a folder of 10x whose matrix claims more than its names is refused", () =>
  inTempDirectory(async (directory) => {
    for (const size of ["3 2147483647 1", "2147483647 2 1", "3 2 2147483647"]) {
      const matrix = `%%MatrixMarket matrix coordinate integer general\n${size}\n1 1 1\n`;
      const files = { "matrix.mtx": matrix, "barcodes.tsv": "a\nb\n", "genes.tsv": "1\n2\n3\n" };
      const bytes = Object.entries(files).map(([name, content]) => [name, text(content)] as const);
      await writeFiles(directory, new Map(bytes));
      await refuses(() => openCells(directory), "must have");
    }
  }));

Deno.test("a text that gzip makes of few bytes is refused before it fills the memory", async () => {
  const part = gzipSync(new Uint8Array(2 ** 27), { level: 9 });
  const bomb = new Uint8Array(8 * part.length);
  for (let i = 0; i < 8; i++) bomb.set(part, i * part.length);
  assertLess(bomb.length, 1.1 * MEBIBYTE);
  const error = await assertRejects(() => readTable(bomb), SyntaxError);
  assertMatch(error.message, /^Cannot read .* it becomes larger than 536870912 bytes$/);
});

/** An archive with one compressed member, and what its list says of sizes. */
function archive(content: Uint8Array, claim: { size?: number; packed?: number }): Uint8Array {
  const packed = new Uint8Array(deflateRawSync(content));
  const bytes = zipBytes(new Map([["x.npy", packed]]));
  const view = new DataView(bytes.buffer);
  const list = bytes.length - 22 - 51;
  view.setUint16(list + 10, 8, true);
  view.setUint32(list + 20, claim.packed ?? packed.length, true);
  view.setUint32(list + 24, claim.size ?? content.length, true);
  return bytes;
}

Deno.test("an archive whose members become other sizes than it says is refused", async () => {
  const zeros = new Uint8Array(2 ** 20);
  assertStringIncludes(
    (await assertRejects(() => readNpz(archive(zeros, {})), SyntaxError)).message,
    "as it is not a .npy file",
  );
  await refuses(() => readNpz(archive(zeros, { size: 2 ** 31 })), "cannot become 2147483648");
  await refuses(() => readNpz(archive(zeros, { size: 1000 })), "it becomes larger than 1000 bytes");
  await refuses(() => readNpz(archive(zeros, { size: 2 ** 20 + 1 })), "instead of 1048577");
  await refuses(() => readNpz(archive(zeros, { packed: 5000 })), "take 5000 bytes together");
});

Deno.test("a Parquet page with a run longer than itself is refused", async () => {
  const bytes = (await variants("parquet")).get("none.parquet")!;
  // Six values are there: four bytes of length, then a run of twice six, of ones.
  const levels = [2, 0, 0, 0, 12, 1];
  const at = bytes.findIndex((_, i) => levels.every((byte, j) => bytes[i + j] === byte));
  assert(at > 0);
  for (const run of [[14, 1], [0xfe, 0xff, 0xff, 0xff, 0x07], [1, 1]]) {
    const broken = new Uint8Array(bytes);
    broken.set(run, at + 4);
    await refuses(() => readTable(broken), 'that cannot be read: column "g0" is damaged: ');
  }
});

type Metadata = Record<string, unknown>;

/** The message of a Zarr hierarchy of which a file was changed. */
async function refusesZarr(
  version: 2 | 3,
  name: string,
  change: (metadata: Metadata) => unknown,
  message: string,
): Promise<void> {
  await inTempDirectory(async (directory) => {
    const files = await zarrFiles(cells(), { version });
    const metadata = JSON.parse(new TextDecoder().decode(files.get(name)!)) as Metadata;
    files.set(name, text(JSON.stringify(change(metadata))));
    await writeFiles(directory, files);
    await refuses(async () => {
      await using file = await openAnnData(directory);
      await file.obs("n_genes");
      await file.X.read();
    }, message);
  });
}

Deno.test("a Zarr array that claims sizes which nothing can have is refused", async () => {
  const faults: [change: Metadata, message: string][] = [
    [{ shape: [5, -4] }, "shape must be whole numbers: [5,-4]"],
    [{ shape: [5, 1e300] }, "shape must be whole numbers: [5,1e+300]"],
    [{ shape: "5" }, 'shape must be whole numbers: "5"'],
    [{ chunks: [0, 4] }, "chunks must be 2 positive whole numbers: [0,4]"],
    [{ chunks: [5] }, "chunks must be 2 positive whole numbers: [5]"],
    [{ chunks: [2 ** 20, 2 ** 20] }, "a chunk must have at most 67108864 values"],
  ];
  for (const [change, message] of faults) {
    await refusesZarr(2, "X/.zarray", (metadata) => ({ ...metadata, ...change }), message);
    const { shape, chunks } = change;
    const third = chunks === undefined
      ? { shape }
      : { chunk_grid: { name: "regular", configuration: { chunk_shape: chunks } } };
    await refusesZarr(3, "X/zarr.json", (metadata) => ({ ...metadata, ...third }), message);
  }
  const many = { shape: [2 ** 24], chunks: [1] };
  await refusesZarr(
    2,
    "obs/n_genes/.zarray",
    (metadata) => ({ ...metadata, ...many }),
    "at most 4194304 chunks: this has 16777216",
  );
  await refusesZarr(2, "obs/.zattrs", () => [], "it must be an object");
  await refusesZarr(3, "X/zarr.json", () => null, "it must be an object");
  await refusesZarr(3, "X/zarr.json", (m) => ({ ...m, codecs: 1 }), "codecs must be a list");
  await refusesZarr(3, "zarr.json", (m) => ({ ...m, attributes: [] }), "attributes must be");
});

/** A chunk of zeros: a frame of zstd with one block that repeats a byte. */
function zeroFrame(size: number, claim: number): Uint8Array {
  const frame = new Uint8Array(13);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  frame[4] = 0xa0;
  view.setUint32(5, claim, true);
  view.setUint16(9, size << 3 | 3, true);
  return frame;
}

Deno.test("a chunk of Zarr whose compression claims more than the chunk is refused", () =>
  inTempDirectory(async (directory) => {
    const files = await zarrFiles(cells(), { version: 3 });
    const metadata = JSON.parse(new TextDecoder().decode(files.get("X/zarr.json")));
    const [zstd, lz4, blosc] = [zeroFrame(32, 32), new Uint8Array(20), new Uint8Array(20)];
    new DataView(lz4.buffer).setUint32(0, 2 ** 31 - 1, true);
    blosc.set([2, 1, 0, 4]);
    new DataView(blosc.buffer).setUint32(4, 2 ** 31 - 1, true);
    new DataView(blosc.buffer).setUint32(12, 20, true);
    const claimed = "would become 2147483647 bytes, and a chunk has at most 65572";
    const faults: [codec: string, chunk: Uint8Array, message: string | undefined][] = [
      ["zstd", zstd, undefined],
      ["zstd", zeroFrame(32, 2 ** 31 - 1), claimed],
      ["zstd", Uint8Array.of(...zstd, 0x28, 0xb5), 'codec "zstd": '],
      ["zstd", zstd.subarray(0, 12), "it ends at 12 instead of 13"],
      ["lz4", lz4, claimed],
      ["blosc", blosc, claimed],
      ["blosc", blosc.subarray(0, 19), "it has 19 bytes instead of 20"],
      ["gzip", gzipSync(new Uint8Array(2 ** 20)), "becomes larger than 65572 bytes"],
    ];
    for (const [name, chunk, message] of faults) {
      const codecs = [...metadata.codecs, { name, configuration: { level: 1 } }];
      files.set("X/zarr.json", text(JSON.stringify({ ...metadata, codecs })));
      files.set("X/c/0/0", chunk);
      await writeFiles(directory, files);
      await using file = await openAnnData(directory);
      const read = () => file.X.readRows(0, 2);
      if (message === undefined) {
        assertEquals((await read()).toArray(), Array(2).fill([0, 0, 0, 0]));
      } else await refuses(read, message);
    }
  }));

Deno.test("a Zarr hierarchy is not read outside of its folder", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/cells.zarr`;
    const files = await zarrFiles(cells(), { version: 2 });
    const name = "X/.zarray";
    const metadata = JSON.parse(new TextDecoder().decode(files.get(name)!));
    await Deno.mkdir(`${directory}/outside`);
    await Deno.writeFile(`${directory}/outside/0`, files.get("X/0.0")!);
    for (const separator of ["/../../../outside/", "%2f..%2f..%2f..%2foutside%2f"]) {
      files.set(name, text(JSON.stringify({ ...metadata, dimension_separator: separator })));
      await writeFiles(path, files);
      await using file = await openAnnData(path);
      const read = () => file.X.readRows(0, 2);
      if (separator.startsWith("/")) assertEquals((await read()).sum().item(), 0);
      else await refuses(read, "it would lead out of the folder");
    }
  }));

Deno.test("a heap of texts in which the HDF5 library would never end is refused", async () => {
  const bytes = await h5Bytes(cells());
  const heap = bytes.findIndex((_, at) =>
    String.fromCharCode(...bytes.subarray(at, at + 4)) === "GCOL"
  );
  const whole = new DataView(bytes.buffer, bytes.byteOffset);
  const faults: [name: string, change: (view: DataView) => void][] = [
    ["more than the file", (view) => view.setBigUint64(heap + 8, BigInt(bytes.length))],
    [
      "what lies behind it",
      (view) => view.setUint32(heap + 8, view.getUint32(heap + 8, true) + 64, true),
    ],
    ["an entry of more than the heap", (view) => view.setUint32(heap + 28, 1, true)],
    ["an entry beyond 32 bits", (view) => {
      view.setUint32(heap + 12, 1, true);
      view.setUint32(heap + 28, 1, true);
    }],
    ["free space of no length", (view) => {
      view.setUint16(heap + 16, 0, true);
      view.setBigUint64(heap + 24, 0n, true);
    }],
  ];
  assert(whole.getUint16(heap + 16, true) > 0);
  for (const [name, change] of faults) {
    const broken = bytes.slice();
    change(new DataView(broken.buffer));
    const { message } = await assertRejects(() => openAnnData(broken), SyntaxError);
    assertEquals(
      message,
      'Cannot read "the bytes" as a heap of its names or texts is damaged',
      name,
    );
  }
});

Deno.test("a heap of names whose free blocks come round again is refused", async () => {
  const bytes = (await variants()).get("plain.loom")!;
  const heaps = [...bytes.keys()].filter((at) =>
    String.fromCharCode(...bytes.subarray(at, at + 4)) === "HEAP"
  );
  const broken = new Uint8Array(bytes);
  const view = new DataView(broken.buffer);
  for (const heap of heaps) {
    const [first, data] = [heap + 16, heap + 24].map((at) => Number(view.getBigUint64(at, true)));
    if (first! < view.getUint32(heap + 8, true)) view.setUint32(data! + first!, first!, true);
  }
  assert(heaps.length > 1);
  const { message } = await assertRejects(() => openCells(broken), SyntaxError);
  assertMatch(message, /^Cannot read .*"the bytes" as a heap of its names or texts is damaged$/);
});

Deno.test("readNpz() names the array whose part of the archive is damaged", async () => {
  const name = "scipy_csr_plain.npz";
  const bytes = (await variants()).get(name)!.slice();
  bytes[2]! ^= 1;
  const { message } = await assertRejects(() => readNpz(bytes), SyntaxError);
  assertStringIncludes(message, 'of "the bytes" as its zip archive is damaged: ');
});

Deno.test("a sparse matrix of SciPy that claims more genes than can have names is refused", async () => {
  const archive = (columns: number) => {
    const arrays = {
      data: tensor([1]),
      indices: tensor([0], { dtype: "int32" }),
      indptr: tensor([0, 1], { dtype: "int32" }),
      shape: tensor([1, columns], { dtype: "float64" }),
    };
    const files = Object.entries(arrays).map(([name, x]) => [`${name}.npy`, writeNpy(x)] as const);
    return zipBytes(new Map([...files, ["format.npy", text("csr")]]));
  };
  {
    await using file = await openCells(archive(2));
    assertEquals((await file.X.read()).toArray(), [[1, 0]]);
  }
  for (const columns of [2 ** 31, 2 ** 45, 1.5]) {
    await refuses(() => openCells(archive(columns)), "at most 134217728 cells and genes");
  }
});
