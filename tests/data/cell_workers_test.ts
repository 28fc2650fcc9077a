/** Batches that workers make: those of one thread, of whatever was opened. */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  type AnnDataFile,
  type CellBatch,
  cellLoader,
  type CellLoaderOptions,
  encodeAnnData,
  openAnnData,
  openCells,
  writeAnnData,
} from "../../src/data/mod.ts";
import { findBatchWorkers } from "../../src/data/batch_workers.ts";
import { branch, cells, frame, mapping, sparse } from "./tree.ts";
import { h5Bytes, inTempDirectory } from "./write.ts";

const CELLS = 60, GENES = 5;
const rows = Array.from(
  { length: CELLS },
  (_, i) => Array.from({ length: GENES }, (_, j) => (i * 7 + j) % 4),
);
const content = {
  X: rows,
  layers: {
    counts: {
      format: "csr",
      shape: [CELLS, GENES],
      data: Int32Array.from(rows.flat()),
      indices: rows.flatMap((row) => row.map((_, j) => j)),
      indptr: Array.from({ length: CELLS + 1 }, (_, i) => i * GENES),
    },
  },
  obs: { score: rows.map((_, i) => i / 2), flag: rows.map((_, i) => i % 3 === 0) },
} as const;

async function collect(batches: AsyncIterable<CellBatch>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { x, mask, count, index, obs } of batches) {
    const labels = Object.entries(obs).map(([key, { data }]) => [key, data]);
    all.push([x.shape, x.dtype, x.data, mask.data, count, index, labels]);
  }
  return all;
}

/** Counts workers while a test runs, none of which may be left. */
async function countWorkers(
  test: (count: { started: number; running: number }) => Promise<void>,
): Promise<void> {
  const count = { started: 0, running: 0 };
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(...args: ConstructorParameters<typeof Original>) {
      super(...args);
      count.started++;
      count.running++;
    }
    override terminate(): void {
      count.running--;
      super.terminate();
    }
  };
  try {
    await test(count);
    assertEquals(count.running, 0);
  } finally {
    globalThis.Worker = Original;
  }
}

/** Something of the global scope is another while a test runs. */
async function withGlobals(
  values: Record<string, unknown>,
  test: () => Promise<unknown>,
): Promise<void> {
  const originals = Object.keys(values).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const
  );
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    await test();
  } finally {
    for (const [name, original] of originals) Object.defineProperty(globalThis, name, original);
  }
}

const stream = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream();

/** The same cells, of every kind of source. */
async function openAll(folder: string): Promise<AnnDataFile[]> {
  const bytes = await encodeAnnData(content);
  const [path, zarr] = [`${folder}/cells.h5ad`, `${folder}/cells.zarr`];
  await Deno.writeFile(path, bytes);
  await writeAnnData(zarr, content);
  const address = URL.createObjectURL(new Blob([bytes]));
  const files = [
    await openAnnData(path),
    await openCells(new URL(`file://${path}`)),
    await openCells(zarr),
    await openAnnData(new Blob([bytes])),
    await openCells(new File([bytes], "dropped.h5ad")),
    await openAnnData(bytes),
    await openCells(stream(bytes)),
    await openAnnData(new URL(address)),
  ];
  URL.revokeObjectURL(address);
  return files;
}

const OPTIONS = fc.record({
  workers: fc.constantFrom(1, 1, 2, 2, 2, 3),
  batchSize: fc.integer({ min: 1, max: 9 }),
  shuffle: fc.boolean(),
  seed: fc.nat(),
  prefetch: fc.nat(6),
  block: fc.integer({ min: 1, max: 9 }),
  ranks: fc.integer({ min: 1, max: 3 }),
  drop: fc.boolean(),
  layer: fc.constantFrom(undefined, "counts"),
  obs: fc.subarray(["score", "flag"]),
  rows: fc.option(fc.uniqueArray(fc.nat(CELLS - 1), { minLength: 30 }), { nil: undefined }),
  transform: fc.constantFrom(undefined, (x: CellBatch["x"]) => x.mul(2)),
});

Deno.test("workers make the batches that one thread makes, with any options", () =>
  inTempDirectory((folder) =>
    countWorkers(async (count) => {
      for (const [seed, file] of (await openAll(folder)).entries()) {
        const property = fc.asyncProperty(OPTIONS, fc.nat(), async (given, pick) => {
          const rank = pick % given.ranks;
          const options = { ...given, rank, window: given.batchSize * (1 + pick % 3) };
          const one = cellLoader(file, { ...options, workers: 0 });
          const many = cellLoader(file, options);
          const [epoch, start] = [pick % 5, pick % (one.batches + 1)];
          assertEquals(
            await collect(many.epoch(epoch, start)),
            await collect(one.epoch(epoch, start)),
          );
        });
        const before = count.started;
        await fc.assert(property, { seed, numRuns: 12 });
        assert(count.started > before, `${file.path} is read without workers`);
        file.close();
      }
    })
  ));

Deno.test("workers open a file as it was opened: a modality, wide integers, names in messages", () =>
  countWorkers(async () => {
    const names = ["rna", "atac"];
    const tree = mapping(Object.fromEntries(names.map((name) => [name, cells()])));
    const bytes = await h5Bytes({ kind: "branch", attributes: {}, members: { mod: tree } });
    const options = { modality: "atac", integers: "float64" } as const;
    await using file = await openCells(new File([bytes.slice()], "parts.h5mu"), options);
    for (const layer of ["large", "too_large"]) {
      const [one, many] = [0, 1].map((workers) =>
        cellLoader(file, { batchSize: 2, layer, workers })
      );
      assertEquals(await collect(many!), await collect(one!));
    }
    await using narrow = await openCells(new File([bytes.slice()], "parts.h5mu"), {
      modality: "rna",
    });
    const errors = [0, 1].map(async (workers) => {
      const loader = cellLoader(narrow, { batchSize: 2, layer: "too_large", workers });
      return await assertRejects(() => collect(loader), RangeError);
    });
    const [one, many] = await Promise.all(errors);
    assertEquals(many!.message, one!.message);
    assert(one!.message.includes("parts.h5mu"), one!.message);
  }));

Deno.test("workers tell what is wrong in a file where one thread does", () =>
  countWorkers(async () => {
    const X = sparse("csr", rows);
    const indices = X.members["indices"]!;
    if (indices.kind === "leaf") (indices.values as Int32Array)[100] = GENES;
    const names = rows.map((_, i) => `${i}`);
    const genes = rows[0]!.map((_, i) => `${i}`);
    const members = { X, obs: frame(names, {}), var: frame(genes, {}) };
    await using file = await openAnnData(
      (await h5Bytes(branch("anndata", "0.1.0", members))).slice(),
    );
    const outcomes = [];
    for (const workers of [0, 1, 3]) {
      for (const prefetch of [0, 4]) {
        const given = { batchSize: 4, window: 8, workers, prefetch };
        const batches = cellLoader(file, given).epoch(0);
        let made = 0;
        const error = await assertRejects(async () => {
          for await (const { count } of batches) made += count;
        }, SyntaxError);
        outcomes.push([made, error.message, (await batches.next()).done]);
      }
    }
    assert(outcomes[0]![0] as number > 0);
    for (const outcome of outcomes) assertEquals(outcome, outcomes[0]);
  }));

Deno.test("workers say that a file is another one than was opened, or is gone", () =>
  inTempDirectory((folder) =>
    countWorkers(async () => {
      const path = `${folder}/cells.h5ad`;
      for (
        const [other, message] of [
          [{ X: [[1, 2]] }, `Cannot read "${path}" as it has changed since it was opened`],
          [undefined, `Cannot read "${path}" as it does not exist`],
        ] as const
      ) {
        await Deno.writeFile(path, await encodeAnnData(content));
        await using file = await openAnnData(path);
        await Deno.remove(path);
        if (other !== undefined) await Deno.writeFile(path, await encodeAnnData(other));
        const loader = cellLoader(file, { batchSize: 4, workers: 2 });
        assertEquals((await assertRejects(() => collect(loader), Error)).message, message);
      }
    })
  ));

Deno.test("a worker makes batches while the calling thread does something else", () =>
  inTempDirectory(async (folder) => {
    const path = `${folder}/cells.h5ad`;
    const whole = await encodeAnnData(content, { compression: "none" });
    /** The batches that come of a file that is emptied while the thread stands still. */
    const madeMeanwhile = async (workers: number) => {
      await Deno.writeFile(path, whole);
      await using file = await openAnnData(path);
      const loader = cellLoader(file, { batchSize: 4, window: 4, prefetch: 5, workers });
      await collect(loader);
      const batches = loader.epoch(1);
      const first = batches.next();
      for (let i = 0; i < 8; i++) await Promise.resolve();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      Deno.truncateSync(path);
      let made = 0;
      try {
        if ((await first).value) made++;
        while ((await batches.next()).value) made++;
      } catch (error) {
        assertMatch((error as Error).message, /has become shorter|file read failed/);
      }
      return made;
    };
    assertGreaterOrEqual(await madeMeanwhile(1), 6);
    assertLess(await madeMeanwhile(0), 2);
  }));

Deno.test("workers serve one epoch after the other, of any loader, and end with the file", () =>
  countWorkers(async (count) => {
    const file = await openAnnData(await encodeAnnData(content));
    const loaders = [4, 7].map((batchSize) =>
      cellLoader(file, { batchSize, window: 14, shuffle: true, workers: 2 })
    );
    for (const loader of [...loaders, ...loaders]) await collect(loader);
    assertEquals(count, { started: 2, running: 2 });
    file.close();
    assertEquals(count.running, 0);
    await assertRejects(() => collect(loaders[0]!), TypeError, "it is closed");
    assertEquals(count.started, 2);
  }));

Deno.test("workers keep two epochs apart that run at once", () =>
  countWorkers(async (count) => {
    await using file = await openAnnData(await encodeAnnData(content));
    const options = { batchSize: 4, window: 8, shuffle: true };
    const loader = cellLoader(file, { ...options, workers: 1 });
    const expected = cellLoader(file, options);
    const both = await Promise.all([0, 1].map((epoch) => collect(loader.epoch(epoch))));
    for (const epoch of [0, 1]) assertEquals(both[epoch], await collect(expected.epoch(epoch)));
    assertEquals(count.started, 2);
  }));

Deno.test("an epoch that is left early ends the workers that still owe batches", () =>
  countWorkers(async (count) => {
    await using file = await openAnnData(await encodeAnnData(content));
    const options = { batchSize: 4, window: 4, workers: 2 };
    // So many that some are owed, however slowly the first is taken.
    for await (const _ of cellLoader(file, { batchSize: 1, workers: 2, prefetch: CELLS })) break;
    assert(count.running < 2);
    const batches = cellLoader(file, options).epoch(0);
    await batches.next();
    assert(count.running > 0);
    file.close();
    assertEquals(count.running, 0);
    // What was made before comes still; then the file is closed.
    const error = await assertRejects(() => collect(batches), TypeError);
    assertEquals(error.message, 'Cannot read "the bytes" as it is closed');
  }));

Deno.test("workers that nobody needs end without being told", () =>
  countWorkers(async (count) => {
    const file = await openAnnData(await encodeAnnData(content));
    await collect(cellLoader(file, { batchSize: 8, workers: 1 }));
    assertEquals(count, { started: 1, running: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2200));
    assertEquals(count.running, 0);
    file.close();
  }));

Deno.test("cells that are in memory anyway are made to batches without workers", () =>
  countWorkers(async (count) => {
    const table = new TextEncoder().encode("A,B\n4,0\n0,7\n1,1\n");
    await using file = await openCells(stream(table));
    const [one, many] = [0, 1].map((workers) => cellLoader(file, { batchSize: 2, workers }));
    assertEquals(await collect(many!), await collect(one!));
    assertEquals(count.started, 0);
    await using blob = await openCells(new Blob([table]));
    assertEquals(
      await collect(cellLoader(blob, { batchSize: 2, workers: 1 })),
      await collect(one!.epoch(0)),
    );
    assertEquals(count.started, 1);
  }));

Deno.test("cellLoader() says what to do where workers cannot start", async () => {
  await using file = await openAnnData(await encodeAnnData(content));
  const load = () => cellLoader(file, { batchSize: 4, workers: 1 });
  await withGlobals({ Worker: undefined, process: undefined }, async () => {
    assertEquals(
      (await assertRejects(async () => await collect(load()), TypeError)).message,
      "Cannot compute cellLoader with workers as this runtime has none: use Deno, Node 22.3 or " +
        "later, Bun or a current browser, or set workers to 0",
    );
  });
  class Refused {
    constructor() {
      throw new TypeError("no workers here");
    }
  }
  class Failing {
    onerror: ((event: object) => void) | undefined;
    postMessage() {
      this.onerror!({ preventDefault() {}, message: "no workers here" });
    }
    terminate() {}
  }
  for (const Worker of [Refused, Failing]) {
    await withGlobals({ Worker }, async () => {
      assertEquals(
        (await assertRejects(() => collect(load()), Error)).message,
        'Cannot load cells of "the bytes" as a worker failed: no workers here: set workers to 0 ' +
          "to do without",
      );
    });
  }
  for (const address of [undefined, "https://page.org/app.js", "blob:null/1"]) {
    const error = assertThrows(() => findBatchWorkers(address ?? ""), TypeError);
    assertEquals(
      error.message,
      "Cannot compute cellLoader with workers as the library's modules were bundled, and workers " +
        "load them one by one, or set workers to 0",
    );
  }
});

Deno.test("cellLoader() refuses numbers of workers that there cannot be", async () => {
  await using file = await openAnnData(await encodeAnnData(content));
  for (
    const [workers, why] of [
      [-1, " at least 0 and at most 64: current value is -1"],
      [65, " at least 0 and at most 64: current value is 65"],
      [1.5, " at least 0 and at most 64: current value is 1.5"],
      [true, ": current value is true"],
    ] as const
  ) {
    const options = { batchSize: 4, workers } as CellLoaderOptions;
    const { message } = assertThrows(() => cellLoader(file, options));
    assertEquals(message, `Cannot compute cellLoader as workers must be a whole number${why}`);
  }
});
