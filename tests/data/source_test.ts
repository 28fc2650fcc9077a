import {
  type DataSource,
  openAnnData,
  openCells,
  readNpy,
  readNpz,
  readObo,
  readSafetensors,
  readTable,
  writeNpy,
} from "@cellgrad/cellgrad/data";
import { key, normal } from "@cellgrad/cellgrad/random";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { PagedFile } from "../../src/data/paged.ts";
import { cells, frame, leaf } from "./tree.ts";
import { h5Bytes, inTempDirectory, zarrFiles } from "./write.ts";

const PAGE = 65536;

/** A file in pages that counts what is fetched. */
function paged(bytes: Uint8Array) {
  const fetched: [number, number][] = [];
  const file = new PagedFile("far", bytes.length, (position, length) => {
    fetched.push([position, length]);
    return Promise.resolve(bytes.slice(position, position + length));
  });
  return { file, fetched };
}

const numbered = (size: number) => Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));

Deno.test("PagedFile gives the bytes of any part", async () => {
  const bytes = numbered(5 * PAGE + 123);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(2 * PAGE)), { maxLength: 8 }),
      async (parts) => {
        const { file } = paged(bytes);
        for (const [position, wanted] of parts) {
          const length = Math.min(wanted, bytes.length - position);
          assertEquals(
            await file.read(position, length),
            bytes.slice(position, position + length),
          );
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("PagedFile fetches a page once, and ahead where it is read in order", async () => {
  const { file, fetched } = paged(numbered(200 * PAGE));
  await file.read(10, 20);
  await file.read(0, PAGE);
  assertEquals(fetched, [[0, PAGE]]);
  for (let page = 1; page < 100; page++) await file.read(page * PAGE, PAGE);
  assertLess(fetched.length, 12);
  assertEquals(Math.max(...fetched.map(([, length]) => length)), 64 * PAGE);
});

Deno.test("PagedFile makes a call again until it has all that it asks for", async () => {
  const bytes = numbered(9 * PAGE);
  const { file } = paged(bytes);
  let calls = 0;
  const sum = await file.whole(() => {
    calls++;
    return [8, 0, 4].reduce((sum, page) => {
      const one = new Uint8Array(1);
      file.readInto(one, page * PAGE);
      return sum + one[0]!;
    }, 0);
  });
  assertEquals(sum, [8, 0, 4].reduce((sum, page) => sum + bytes[page * PAGE]!, 0));
  assertEquals(calls, 4);
  const error = await assertRejects(() =>
    file.whole(() => {
      throw new RangeError("its own");
    }), RangeError);
  assertEquals(error.message, "its own");
});

Deno.test("PagedFile refuses what lies beyond its end, and everything once it is closed", async () => {
  const { file } = paged(numbered(100));
  const beyond = await assertRejects(() => file.read(90, 11), SyntaxError);
  assertEquals(
    beyond.message,
    'Cannot read "far" as it ends too early: 11 bytes are expected at position 90, and the file ' +
      "has 100",
  );
  file.close();
  const closed = await assertRejects(() => file.read(0, 1), TypeError);
  assertEquals(closed.message, 'Cannot read "far" as it is closed');
});

Deno.test("openAnnData() reads bytes, blobs, files, streams and addresses of blobs alike", async () => {
  const bytes = (await h5Bytes(cells())).slice();
  const blob = new Blob([bytes]);
  const address = URL.createObjectURL(blob);
  const sources = [
    ["the bytes", bytes],
    ["the blob", blob],
    ["dropped.h5ad", new File([bytes], "dropped.h5ad")],
    ["the stream", blob.stream()],
    ["blob:", new URL(address)],
  ] as const;
  const seen: unknown[] = [];
  for (const [name, source] of sources) {
    await using file = await openAnnData(source);
    assertEquals(file.path, name);
    seen.push([
      (await file.X.read()).toArray(),
      await file.obsNames(),
      await file.obs("cell_type"),
    ]);
  }
  URL.revokeObjectURL(address);
  for (const other of seen) assertEquals(other, seen[0]);
});

Deno.test("readTable() reads what gzip has compressed, also in parts", async () => {
  const text = new TextEncoder().encode("a,b\n1,2\n3,4\n");
  const zipped = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
  const whole = zipped(text);
  const parts = new Blob([zipped(text.subarray(0, 5)), zipped(text.subarray(5))]);
  for (const source of [whole, parts]) {
    assertEquals((await readTable(source)).matrix().toArray(), [[1, 2], [3, 4]]);
  }
  const cut = await assertRejects(() => readTable(whole.subarray(0, 20)));
  assertEquals(
    cut.message,
    "Cannot read the bytes as it is compressed by gzip and cannot be decompressed: " +
      "unexpected end of file",
  );
});

/** All that read a source. */
const READERS: Record<string, (source: DataSource) => Promise<unknown>> = {
  openAnnData,
  openCells,
  readNpy,
  readNpz,
  readObo,
  readSafetensors,
  readTable,
};

Deno.test("every reader refuses promises, and streams that somebody reads", async () => {
  for (const [name, read] of Object.entries(READERS)) {
    const promise = Promise.resolve(new Uint8Array(9)) as unknown as string;
    const other = await assertRejects(() => read(promise), TypeError);
    assertEquals(
      other.message,
      "Cannot read a source as it must be a path, a URL, a Blob or File, a Uint8Array or a " +
        "ReadableStream: current value is a promise: await it",
      name,
    );
    const stream = new Blob(["a,b\n1,2\n"]).stream();
    const reader = stream.getReader();
    const used = await assertRejects(() => read(stream), TypeError);
    assertEquals(
      used.message,
      "Cannot read the stream as somebody reads it already: give another one",
      name,
    );
    await reader.cancel();
  }
});

Deno.test("text that is not UTF-8 is refused, wherever it is read", () =>
  inTempDirectory(async (folder) => {
    const latin = Uint8Array.of(0x67, 0x72, 0xf6, 0xdf, 0x65, 0x0a);
    await Deno.writeFile(`${folder}/terms.obo`, latin);
    await Deno.writeFile(`${folder}/table.csv`, latin);
    const matrix = "%%MatrixMarket matrix coordinate integer general\n1 1 0\n";
    await Deno.writeTextFile(`${folder}/matrix.mtx`, matrix);
    await Deno.writeTextFile(`${folder}/barcodes.tsv`, "AA\n");
    await Deno.writeFile(`${folder}/genes.tsv`, latin);
    for (
      const [read, name] of [
        [() => readObo(`${folder}/terms.obo`), "terms.obo"],
        [() => readTable(`${folder}/table.csv`), "table.csv"],
        [() => openCells(folder), "genes.tsv"],
      ] as const
    ) {
      const { message } = await assertRejects(read as () => Promise<unknown>, SyntaxError);
      assertEquals(message, `Cannot read "${folder}/${name}" as it is not text in UTF-8`);
    }
  }));

Deno.test("sources that are none are refused", async () => {
  for (const [source, shown] of [[7, "7"], [null, "null"], [[1, 2], "[1, 2]"]] as const) {
    const error = await assertRejects(() => readNpy(source as unknown as string), TypeError);
    assertEquals(
      error.message,
      "Cannot read a source as it must be a path, a URL, a Blob or File, a Uint8Array or a " +
        `ReadableStream: current value is ${shown}`,
    );
  }
  const texts = new ReadableStream({
    start(controller) {
      controller.enqueue("text");
      controller.close();
    },
  });
  const error = await assertRejects(() => readNpy(texts), TypeError);
  assertEquals(
    error.message,
    'Cannot read the stream as it must give bytes (Uint8Array): current value is "text"',
  );
  assertEquals((await readNpy(new Blob([writeNpy([[1, 2]])]))).toArray(), [[1, 2]]);
});

/** Serves a folder while a test runs; `read` reads from it in a process that may use the network. */
async function serving(
  folder: string,
  test: (read: (path: string, rows?: string) => Promise<Record<string, unknown>>) => Promise<void>,
): Promise<void> {
  const here = (name: string) => new URL(name, import.meta.url).pathname;
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", here("serve.ts"), folder],
    stdout: "piped",
  }).spawn();
  try {
    const reader = server.stdout.getReader();
    const port = parseInt(new TextDecoder().decode((await reader.read()).value));
    reader.releaseLock();
    await test(async (path, rows = "0-2") => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", "--allow-net", "--allow-read"]
          .concat([here("remote.ts"), `http://127.0.0.1:${port}/${path}`, rows]),
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert(text !== "", new TextDecoder().decode(stderr));
      return JSON.parse(text.replaceAll(`:${port}`, ""));
    });
  } finally {
    server.kill();
    await server.stdout.cancel();
    await server.status;
  }
}

Deno.test("openAnnData() reads of a file on a server what is asked for", () =>
  inTempDirectory(async (folder) => {
    const [rows, columns] = [2000, 1000];
    const tree = cells();
    // Noise, which is as large when it is compressed.
    const x = normal(key(1), [rows * columns]).data as Float32Array;
    const names = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => `${prefix}${i}`);
    tree.members = {
      X: leaf(x, [rows, columns]),
      obs: frame(names("c", rows), {}),
      var: frame(names("g", columns), {}),
    };
    await Deno.writeFile(`${folder}/large.h5ad`, await h5Bytes(tree));
    await Deno.writeFile(`${folder}/small.h5ad`, await h5Bytes(cells()));
    await Deno.writeTextFile(`${folder}/table.csv`, "a,b\n1,2\n");
    await Deno.writeFile(`${folder}/empty.h5ad`, new Uint8Array(0));
    const zarr = await zarrFiles(cells(), { version: 2 });
    for (const [name, bytes] of zarr) {
      await Deno.mkdir(`${folder}/cells.zarr/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${folder}/cells.zarr/${name}`, bytes);
    }
    const size = (await Deno.stat(`${folder}/large.h5ad`)).size;
    await serving(folder, async (read) => {
      const far = await read("large.h5ad", "1000-1100");
      const sum = x.subarray(1000 * columns, 1100 * columns).reduce((a, b) => a + b, 0);
      assertEquals([far["cells"], far["obs"]], [rows, ["c0", "c1"]]);
      assertAlmostEquals(far["sum"] as number, sum, 1e-2);
      assertEquals(far["path"], "http://127.0.0.1/large.h5ad");
      const { moved } = far["read"] as { moved: number };
      assertLess(moved, size / 4);
      const whole = await read("small.h5ad?whole&cells");
      assertEquals(whole["cells"], 5);
      const { batches: [one, many] } = await read("small.h5ad?workers") as { batches: number[][] };
      assertEquals([one!.length, many], [3, one]);
      assertEquals(await read("table.csv"), { table: [[1, 2]] });
      assertEquals(await read("none.h5ad"), {
        error: 'Cannot read "http://127.0.0.1/none.h5ad" as it does not exist',
      });
      assertEquals(await read("empty.h5ad"), {
        error: 'Cannot read "http://127.0.0.1/empty.h5ad" as it is empty',
      });
      assertEquals(await read("small.h5ad?changing"), {
        error: 'Cannot read "http://127.0.0.1/small.h5ad" as it has changed on the server since ' +
          "it was opened",
      });
      const listed =
        'Cannot read "layers" of "http://127.0.0.1/cells.zarr/" as a server cannot list ' +
        "what is in it: consolidate its metadata (zarr.consolidate_metadata), so that they do";
      assertEquals(await read("cells.zarr"), { error: listed });
      const metadata = [...zarr].filter(([name]) => /\.z(group|array|attrs)$/.test(name)).map((
        [name, bytes],
      ) => [name, JSON.parse(new TextDecoder().decode(bytes))]);
      const consolidated = { zarr_consolidated_format: 1, metadata: Object.fromEntries(metadata) };
      await Deno.writeTextFile(`${folder}/cells.zarr/.zmetadata`, JSON.stringify(consolidated));
      const tree2 = await read("cells.zarr");
      assertEquals([tree2["cells"], tree2["layers"]], [
        5,
        ["by_gene", "counts", "large", "small", "too_large"],
      ]);
    });
  }));
