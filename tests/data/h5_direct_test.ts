import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import * as h5wasm from "h5wasm";
import { MemoryFile } from "../../src/data/file.ts";
import { unshuffle } from "../../src/data/h5_direct.ts";
import { loadH5 } from "../../src/data/h5_runtime.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import { PagedFile } from "../../src/data/paged.ts";
import { encodeAnnData } from "../../src/data/mod.ts";
import type { Store, StoredArray } from "../../src/data/store.ts";
import { RUNS } from "../arbitraries.ts";
import { branch, type Leaf, leaf } from "./tree.ts";
import { h5Bytes } from "./write.ts";

const ARRAYS = [Int8Array, Uint16Array, Int32Array, BigInt64Array, Float32Array, Float64Array];

/** An array of one or two axes, and what is read of it, in turn. */
const LEAVES = fc.tuple(
  fc.integer({ min: 1, max: 40 }),
  fc.option(fc.integer({ min: 1, max: 5 })),
  fc.constantFrom(...ARRAYS),
  fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { minLength: 1, maxLength: 6 }),
).map(([rows, columns, Type, ranges]) => {
  const shape = columns === null ? [rows] : [rows, columns];
  const length = rows * (columns ?? 1);
  const values = new Type(length);
  for (let i = 0; i < length; i++) values[i] = Type === BigInt64Array ? BigInt(i - 7) : i * 3 % 100;
  return { values: leaf(values, shape), ranges };
});

async function arrayOf(store: Store, key: string): Promise<StoredArray> {
  return await store.root.get(key) as StoredArray;
}

/** A file that is read by the library, page by page. */
function paged(bytes: Uint8Array): PagedFile {
  const fetch = (at: number, length: number) => Promise.resolve(bytes.slice(at, at + length));
  return new PagedFile("cells.h5ad", bytes.length, fetch);
}

/** Runs a test in which the library reads no numbers. */
async function withoutLibrary(test: () => Promise<void>): Promise<void> {
  const { module } = await loadH5();
  const original = module.get_dataset_data;
  module.get_dataset_data = () => {
    throw new Error("The library is asked for numbers");
  };
  try {
    await test();
  } finally {
    module.get_dataset_data = original;
  }
}

/** Whether any part of an array is read without the library as with it. */
async function assertSame(bytes: Uint8Array, key: string, ranges: [number, number][]) {
  const [there, here] = [await openH5(paged(bytes)), await openH5(new MemoryFile("x", bytes))];
  try {
    const [expected, array] = [await arrayOf(there, key), await arrayOf(here, key)];
    for (const [start, count] of ranges) {
      const from = Math.min(start, array.shape[0]!);
      const to = Math.min(array.shape[0]!, from + count);
      const numbers = await expected.readNumbers(from, to);
      await withoutLibrary(async () => assertEquals(await array.readNumbers(from, to), numbers));
    }
  } finally {
    there.close();
    here.close();
  }
}

Deno.test("HDF5's compressed chunks are read without the library as with it", () =>
  fc.assert(
    fc.asyncProperty(LEAVES, async ({ values, ranges }) => {
      const bytes = await h5Bytes(branch("x", "1", { values }));
      await assertSame(bytes, "values", ranges);
    }),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("HDF5's arrays in place are read without the library as with it", () =>
  fc.assert(
    fc.asyncProperty(LEAVES, fc.boolean(), async ({ values, ranges }, isCompressed) => {
      if (values.shape.length < 2 || values.type === "int64") return;
      const X = matrixOf(values);
      const bytes = encodeAnnData({ X }, { compression: isCompressed ? "gzip" : "none" });
      await assertSame(await bytes, "X", ranges);
    }),
    { seed: 1, numRuns: 60 },
  ));

function matrixOf({ values, shape: [rows, columns] }: Leaf): number[][] {
  const row = (i: number) => Array.from(values.slice(i * columns!, (i + 1) * columns!), Number);
  return Array.from({ length: rows! }, (_, i) => row(i));
}

Deno.test("HDF5's chunks that are not compressed are read without the library as with it", () =>
  fc.assert(
    fc.asyncProperty(
      LEAVES,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
      async ({ values: { values, shape }, ranges }, rows, columns) => {
        const { FS } = await h5wasm.ready;
        const file = new h5wasm.File("/plain.h5", "w");
        const chunks = [rows, columns].slice(0, shape.length).map((n, i) => Math.min(n, shape[i]!));
        file.create_dataset({ name: "values", data: values as Float64Array, shape, chunks });
        file.close();
        const bytes = FS.readFile("/plain.h5") as unknown as Uint8Array;
        FS.unlink("/plain.h5");
        await assertSame(bytes, "values", ranges);
      },
    ),
    { seed: 1, numRuns: 80 },
  ));

Deno.test("a tree of many chunks is read without the library as with it", async () => {
  const values = leaf(Int32Array.from({ length: 3001 }, (_, i) => i * i % 1009));
  const bytes = await h5Bytes(branch("x", "1", { values }));
  await assertSame(bytes, "values", [[0, 3001], [2999, 2], [17, 1], [1500, 700]]);
});

Deno.test("a damaged chunk is the library's to explain", async () => {
  const noise = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i * 12.9898) * 43758.5453);
  const bytes = await h5Bytes(branch("x", "1", { values: leaf(noise, [2, 32]) }));
  const start = bytes.findIndex((byte, i) => byte === 0x78 && bytes[i + 1] === 0x5e);
  assert(start > 0);
  bytes.fill(0xff, start + 2, start + 40);
  const store = await openH5(new MemoryFile("cells.h5ad", bytes));
  try {
    const array = await arrayOf(store, "values");
    const error = await assertRejects(() => array.readNumbers(), SyntaxError);
    assertEquals(
      error.message,
      'Cannot read "values" of "cells.h5ad" as the HDF5 library says: filter returned failure during read',
    );
  } finally {
    store.close();
  }
});

Deno.test("unshuffle() puts the bytes of each number together", () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(1, 2, 4, 8),
      (bytes, width) => {
        const count = Math.floor(bytes.length / width);
        const shuffled = Array.from(
          bytes,
          (byte, i) => i < count * width ? bytes[i % count * width + Math.floor(i / count)]! : byte,
        );
        assertEquals(unshuffle(Uint8Array.from(shuffled), width), Uint8Array.from(bytes));
      },
    ),
    RUNS,
  ));
