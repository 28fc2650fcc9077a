import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type AnnDataFile,
  type CellBatch,
  cellLoader,
  type CellLoaderOptions,
  encodeAnnData,
  openAnnData,
  openCells,
} from "../../src/data/mod.ts";
import { openCellParts } from "../../src/data/anndata.ts";
import { NO_MEMBERS } from "../../src/data/cell_parts.ts";
import type { Column } from "../../src/data/column.ts";
import { memoryFrame } from "../../src/data/frame.ts";
import { openMatrix } from "../../src/data/stored_matrix.ts";
import { mul } from "../../mod.ts";
import { type Leaf, leaf, sparse, stored } from "./tree.ts";

const GENES = 3;
const valuesOf = (row: number) => Array.from({ length: GENES }, (_, j) => (row * 7 + j) % 5);

type Format = "csr" | "csc" | "dense";

/** A file of cells in memory, and how often a row of it was asked for. */
async function fileOf(cells: number, format: Format = "csr"): Promise<AnnDataFile> {
  const rows = Array.from({ length: cells }, (_, i) => valuesOf(i));
  const dense: Leaf = leaf(Float32Array.from(rows.flat()), [cells, GENES]);
  const names = Array.from({ length: cells }, (_, i) => `${i}`);
  return openCellParts({
    path: "cells.h5ad",
    format: "AnnData",
    obs: memoryFrame(
      names,
      new Map(Object.entries<Column>({
        type: {
          kind: "categorical",
          codes: Int32Array.from(rows, (_, i) => i % 3 - 1),
          categories: ["B", "T"],
          ordered: false,
        },
        score: { kind: "numeric", values: Float64Array.from(rows, (_, i) => i / 2) },
        count: {
          kind: "numeric",
          values: Int32Array.from(rows, (_, i) => i),
          missing: Uint8Array.from(rows, (_, i) => Number(i === 1)),
        },
        flag: { kind: "boolean", values: Uint8Array.from(rows, (_, i) => i % 2) },
        note: { kind: "string", values: names },
      })),
    ),
    var: memoryFrame(["a", "b", "c"]),
    X: await openMatrix("cells.h5ad", stored(format === "dense" ? dense : sparse(format, rows))),
    layers: NO_MEMBERS,
    obsm: NO_MEMBERS,
    close() {},
  });
}

async function collect(batches: AsyncIterable<CellBatch>): Promise<CellBatch[]> {
  const all: CellBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

const rowsOf = (batches: readonly CellBatch[]) =>
  batches.flatMap(({ index }) => [...index]).filter((row) => row >= 0);

const OPTIONS = fc.record({
  batchSize: fc.integer({ min: 1, max: 7 }),
  shuffle: fc.boolean(),
  seed: fc.nat(),
  prefetch: fc.nat(4),
  block: fc.integer({ min: 1, max: 9 }),
  ranks: fc.integer({ min: 1, max: 4 }),
});

Deno.test("cellLoader() gives every row once, with its values, and pads what is left", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      OPTIONS,
      fc.constantFrom<Format>("csr", "csc", "dense"),
      fc.integer({ min: 1, max: 4 }),
      async (cells, options, format, batches) => {
        const file = await fileOf(cells, format);
        const window = options.batchSize * batches;
        const parts: CellBatch[][] = [];
        for (let rank = 0; rank < options.ranks; rank++) {
          const loader = cellLoader(file, { ...options, window, rank, obs: ["score"] });
          parts.push(await collect(loader));
          assertEquals(parts.at(-1)!.length, loader.batches);
        }
        assertEquals(
          rowsOf(parts.flat()).sort((a, b) => a - b),
          Array.from({ length: cells }, (_, i) => i),
        );
        for (const { x, mask, count, index, obs } of parts.flat()) {
          assertEquals([x.shape, mask.shape], [[options.batchSize, GENES], [options.batchSize]]);
          assertEquals([...mask.data], Array.from(index, (row) => Number(row >= 0)));
          assertEquals(count, index.filter((row) => row >= 0).length);
          assert(index.subarray(0, count).every((row) => row >= 0));
          const zeros = new Array(GENES).fill(0);
          assertEquals(x.toArray(), Array.from(index, (row) => row < 0 ? zeros : valuesOf(row)));
          assertEquals([...obs["score"]!.data], Array.from(index, (row) => Math.max(row, 0) / 2));
        }
      },
    ),
    { seed: 1, numRuns: 100 },
  ));

Deno.test("cellLoader() goes on from any batch as the whole epoch would", () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 50 }), OPTIONS, fc.nat(), fc.nat(4), async (
      cells,
      options,
      pick,
      epoch,
    ) => {
      const loader = cellLoader(await fileOf(cells), { ...options, window: options.batchSize * 2 });
      const whole = await collect(loader.epoch(epoch));
      const start = pick % (loader.batches + 1);
      const rest = await collect(loader.epoch(epoch, start));
      assertEquals(rest.map(({ index }) => index), whole.slice(start).map(({ index }) => index));
      assertEquals(
        rest.map(({ x }) => x.toArray()),
        whole.slice(start).map(({ x }) => x.toArray()),
      );
    }),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("cellLoader() with drop has whole batches only, as many for every rank", () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), OPTIONS, async (cells, options) => {
      const file = await fileOf(cells);
      const expected = Math.floor(Math.floor(cells / options.ranks) / options.batchSize);
      if (expected === 0) return;
      const seen: number[] = [];
      for (let rank = 0; rank < options.ranks; rank++) {
        const batches = await collect(cellLoader(file, { ...options, rank, drop: true }));
        assertEquals(
          batches.map(({ count }) => count),
          new Array(expected).fill(options.batchSize),
        );
        seen.push(...rowsOf(batches));
      }
      assertEquals(new Set(seen).size, expected * options.batchSize * options.ranks);
    }),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("cellLoader() goes over the rows that it is given, in their order or shuffled", () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(39), { minLength: 1 }),
      OPTIONS,
      async (rows, options) => {
        const file = await fileOf(40);
        const ranks = { ranks: 1 };
        const plain = cellLoader(file, { ...options, ...ranks, rows, shuffle: false });
        assertEquals(rowsOf(await collect(plain)), rows);
        const typed = { ...options, ...ranks, rows: Int32Array.from(rows), shuffle: true };
        const shuffled = rowsOf(await collect(cellLoader(file, typed)));
        assertEquals(shuffled.sort((a, b) => a - b), rows.toSorted((a, b) => a - b));
      },
    ),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("cellLoader() goes over the next epoch each time, in another order", async () => {
  const loader = cellLoader(await fileOf(40), {
    batchSize: 8,
    shuffle: true,
    block: 2,
    window: 16,
  });
  const orders = [rowsOf(await collect(loader)), rowsOf(await collect(loader))];
  assertEquals(orders, [
    rowsOf(await collect(loader.epoch(0))),
    rowsOf(await collect(loader.epoch(1))),
  ]);
  assert(orders[0]!.some((row, i) => row !== orders[1]![i]));
});

Deno.test("cellLoader() gives the same order whatever the format, and to every prefetch", async () => {
  const options = { batchSize: 8, shuffle: true, seed: 9, block: 4, window: 16 };
  const orders = [];
  for (const format of ["csr", "csc", "dense"] as const) {
    for (const prefetch of [0, 3]) {
      const loader = cellLoader(await fileOf(50, format), { ...options, prefetch });
      orders.push(rowsOf(await collect(loader)).join());
    }
  }
  assertEquals(new Set(orders).size, 1);
});

Deno.test("cellLoader() gives codes of categories, numbers and booleans, and says which are none", async () => {
  const obs = ["type", "score", "flag"];
  const [first, last] = await collect(cellLoader(await fileOf(5), { batchSize: 3, obs }));
  const dtypes = obs.map((key) => first!.obs[key]!.dtype);
  assertEquals(dtypes, ["int32", "float64", "bool"]);
  assertEquals(obs.map((key) => [...first!.obs[key]!.data]), [[-1, 0, 1], [0, 0.5, 1], [0, 1, 0]]);
  assertEquals(obs.map((key) => [...last!.obs[key]!.data]), [[-1, 0, -1], [1.5, 2, 0], [1, 0, 0]]);
});

Deno.test("cellLoader() gives what transform makes of the rows, also later", async () => {
  const file = await fileOf(5);
  const twice = { batchSize: 4, transform: (x: CellBatch["x"]) => mul(x, 2) };
  const later = { ...twice, transform: (x: CellBatch["x"]) => Promise.resolve(mul(x, 2)) };
  for (const options of [twice, later]) {
    const [{ x }] = await collect(cellLoader(file, options)) as [CellBatch];
    assertEquals(x.toArray(), [0, 1, 2, 3].map((row) => valuesOf(row).map((v) => 2 * v)));
  }
  for (const [wrong, said] of [[3, "value is 3"], [mul([1, 2], 2), "shape is [2]"]] as const) {
    const transform = () => wrong as CellBatch["x"];
    const error = await assertRejects(
      () => collect(cellLoader(file, { batchSize: 4, transform })),
      TypeError,
    );
    assertEquals(
      error.message,
      `Cannot load cells as transform must give a tensor with 4 rows: current ${said}`,
    );
  }
});

Deno.test("cellLoader() makes prefetch batches ahead, and none that nobody asks for", async () => {
  const file = await fileOf(20);
  for (const prefetch of [0, 2]) {
    let made = 0;
    const transform = (x: CellBatch["x"]) => {
      made++;
      return x;
    };
    const batches = cellLoader(file, { batchSize: 2, prefetch, transform }).epoch(0);
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(made, 1 + prefetch);
    await batches.return();
  }
});

Deno.test("cellLoader() tells what is wrong in a file in its turn, and ends", async () => {
  const file = await openAnnData(await encodeAnnData({ X: [[1, 2], [3, 4]] }));
  const loader = cellLoader(file, { batchSize: 1, window: 1, prefetch: 0 });
  const batches = loader.epoch(0);
  await batches.next();
  file.close();
  const error = await assertRejects(() => batches.next(), TypeError);
  assertEquals(error.message, 'Cannot read "the bytes" as it is closed');
  assertEquals((await batches.next()).done, true);
});

/** What is said of options. */
async function complaint(options: object): Promise<string> {
  const file = await fileOf(5);
  const error = assertThrows(() => cellLoader(file, options as CellLoaderOptions));
  assert(error instanceof TypeError || error instanceof RangeError);
  return error.message.replace("Cannot compute cellLoader as ", "");
}

Deno.test("cellLoader() refuses options that are out of range", async () => {
  for (
    const [options, message] of [
      [{}, "batchSize must be a whole number: current value is undefined"],
      [
        { batchSize: 0 },
        "batchSize must be a whole number at least 1 and at most 2147483647: current value is 0",
      ],
      [
        { batchSize: 1e9 },
        "a batch must take at most 4 GiB: current value of batchSize is 1000000000, which takes " +
        "11.2 GiB",
      ],
      [
        { batchSize: 2 ** 31 - 1, sparse: true },
        "a batch must take at most 4 GiB: current value of batchSize is 2147483647, which takes " +
        "8 GiB",
      ],
      [
        { batchSize: 4, window: 3 },
        "window must be a whole number at least 4 and at most 2147483647: current value is 3",
      ],
      [
        { batchSize: 4, rank: 2, ranks: 2 },
        "rank must be a whole number at least 0 and at most 1: current value is 2",
      ],
      [
        { batchSize: 4, block: 0 },
        "block must be a whole number at least 1 and at most 2147483647: current value is 0",
      ],
      [{ batchSize: 4, shuffle: 1 }, "shuffle must be true or false: current value is 1"],
      [{ batchSize: 4, transform: 1 }, "transform must be a function: current value is 1"],
      [
        { batchSize: 4, layer: "counts" },
        'layer must be of "cells.h5ad", which has none: current value is counts',
      ],
      [
        { batchSize: 4, obs: ["kind"] },
        'obs must be of "cells.h5ad", which has type, score, count, flag, note: current value is kind',
      ],
      [
        { batchSize: 4, rows: [0, 5] },
        "rows must be different whole numbers from 0 to 4: current value at position 1 is 5",
      ],
      [
        { batchSize: 4, rows: [2, 0, 2] },
        "rows must be different whole numbers from 0 to 4: current value at position 2 is 2, a second time",
      ],
      [
        { batchSize: 4, rows: [] },
        'there is no batch: 0 rows of "cells.h5ad" among 1 ranks do not fill 4 rows',
      ],
      [
        { batchSize: 6, drop: true },
        'there is no batch: 5 rows of "cells.h5ad" among 1 ranks do not fill 6 rows, and drop is true',
      ],
    ] as const
  ) assertEquals(await complaint(options), message);
});

Deno.test("cellLoader() refuses what is no file, and epochs and batches that there are not", async () => {
  const error = assertThrows(() => cellLoader([[1]] as never, { batchSize: 1 }), TypeError);
  assertEquals(
    error.message,
    "Cannot compute cellLoader as file must be a file that openCells or openAnnData has opened: " +
      "current value is an array of 1 entry",
  );
  const loader = cellLoader(await fileOf(5), { batchSize: 2 });
  assertEquals(loader.batches, 3);
  assertThrows(() => loader.epoch(-1), RangeError, "epoch must be a whole number");
  assertThrows(
    () => loader.epoch(0, 4),
    RangeError,
    "start must be a whole number at least 0 and at most 3",
  );
});

Deno.test("cellLoader() refuses columns of text, and numbers that are missing", async () => {
  const file = await fileOf(5);
  for (
    const [key, why] of [
      ["note", "it holds text: batches have numbers, booleans and the codes of categories"],
      ["count", "it is missing in 1 cells: leave them out by the option rows"],
    ] as const
  ) {
    const error = await assertRejects(
      () => collect(cellLoader(file, { batchSize: 2, obs: [key] })),
      TypeError,
    );
    assertEquals(error.message, `Cannot load obs column "${key}" of "cells.h5ad" as ${why}`);
  }
});

Deno.test("cellLoader() reads layers, tables and whole numbers as they are", async () => {
  await using file = await openCells(new Blob(["A,B\n4,0\n0,7\n1,1\n"]));
  const [batch] = await collect(cellLoader(file, { batchSize: 2 })) as [CellBatch];
  assertEquals(batch.x.dtype, (await file.X.read()).dtype);
  const bytes = encodeAnnData({
    layers: {
      counts: {
        format: "csr",
        shape: [1, 2],
        data: Int32Array.of(3),
        indices: [1],
        indptr: [0, 1],
      },
    },
    obs: { _index: ["a"] },
  });
  await using other = await openAnnData(await bytes);
  const [only] = await collect(cellLoader(other, { batchSize: 1, layer: "counts" })) as [CellBatch];
  assertEquals([only.x.dtype, only.x.toArray()], ["int32", [[0, 3]]]);
});
