import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compile, log1p, matmul, type Tensor, tensor } from "../../mod.ts";
import {
  type BatchEntries,
  type CellBatch,
  cellLoader,
  csr,
  encodeAnnData,
  normalizeTotal,
  openAnnData,
  sparse,
  sparseMatmul,
  type SparseMatrix,
} from "../../src/data/mod.ts";

const [CELLS, GENES] = [60, 5];

/** Rows of any number of entries, among them none. */
const dense = tensor(
  Array.from(
    { length: CELLS },
    (_, i) => Array.from({ length: GENES }, (_, j) => (i * i + 3 * j) % (i % 4 + 1) ? i + j : 0),
  ),
);

const bytes = await encodeAnnData({ X: sparse(dense) });

const matrixOf = ({ x }: CellBatch<BatchEntries>, rows: number): SparseMatrix => {
  const end = x.indptr.data.at(-1)!;
  return csr({
    data: x.data.slice(0, end),
    indices: x.indices.slice(0, end),
    indptr: x.indptr,
    shape: [rows, GENES],
  });
};

async function collect<X>(batches: AsyncIterable<X>): Promise<X[]> {
  const all: X[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

Deno.test("cellLoader() counts booleans that are there twice once, with their zeros or without", async () => {
  const data = tensor([true, true, true]);
  const X = { format: "csr", shape: [2, 2], data, indices: [1, 1, 0], indptr: [0, 2, 3] } as const;
  await using file = await openAnnData(await encodeAnnData({ X }));
  const [plain] = await collect(cellLoader(file, { batchSize: 2 }));
  const [held] = await collect(cellLoader(file, { batchSize: 2, sparse: true }));
  assertEquals(plain!.x.toArray(), [[false, true], [true, false]]);
  assertEquals(sparseMatmul({ ...held!.x, shape: [2, 2] }, [[1, 0], [0, 1]]).toArray(), [
    [0, 1],
    [1, 0],
  ]);
});

Deno.test("cellLoader() of sparse batches gives the cells of dense ones, of one size per epoch", async () => {
  await using file = await openAnnData(bytes);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        batchSize: fc.integer({ min: 1, max: 9 }),
        shuffle: fc.boolean(),
        seed: fc.nat(),
        block: fc.integer({ min: 1, max: 9 }),
        drop: fc.boolean(),
        rows: fc.option(
          fc.shuffledSubarray(Array.from({ length: CELLS }, (_, i) => i), {
            minLength: 9,
          }),
          { nil: undefined },
        ),
      }),
      fc.nat(3),
      async (options, epoch) => {
        const window = 3 * options.batchSize;
        const [plain, held] = await Promise.all([
          collect(cellLoader(file, { ...options, window }).epoch(epoch)),
          collect(cellLoader(file, { ...options, window, sparse: true }).epoch(epoch)),
        ]);
        assertEquals(held.length, plain.length);
        held.forEach((batch, i) => {
          const { x, ...rest } = plain[i]!;
          assertEquals(matrixOf(batch, options.batchSize).toDense(), x);
          assertEquals({ ...batch, x: undefined }, { ...rest, x: undefined });
          assertEquals(batch.x.data.shape, held[0]!.x.data.shape);
        });
        const most = Math.max(...held.map(({ x }) => x.indptr.data.at(-1)!));
        const size = held[0]!.x.data.size;
        assert(size >= most && size <= Math.max(1, Math.ceil(1.125 * most)));
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

Deno.test("cellLoader() of sparse batches gives what transform makes of the rows", async () => {
  await using file = await openAnnData(bytes);
  const prepare = (x: SparseMatrix) => normalizeTotal(x).map(log1p);
  const options = { batchSize: 7, shuffle: true } as const;
  const held = await collect(
    cellLoader(file, { ...options, sparse: true, transform: prepare }).epoch(0),
  );
  const plain = await collect(cellLoader(file, options).epoch(0));
  held.forEach((batch, i) => {
    const expected = prepare(sparse(plain[i]!.x)).toDense();
    assertEquals(matrixOf(batch, 7).toDense(), expected);
  });
  const message = async (transform: unknown) => {
    const loader = cellLoader(file, { ...options, sparse: true, transform: transform as never });
    return (await assertRejects(() => collect(loader.epoch(0)))).message;
  };
  assertEquals(
    await message((x: SparseMatrix) => x.toDense()),
    "Cannot load cells as transform must give a sparse matrix with 7 rows: current value is a " +
      "Tensor",
  );
  assertEquals(
    await message((x: SparseMatrix) => x.slice(0, 2)),
    "Cannot load cells as transform must give a sparse matrix with 7 rows: current shape is [2, 5]",
  );
  assertEquals(
    await message(() => sparse(tensor(Array.from({ length: 7 }, () => Array(9).fill(1))))),
    "Cannot load cells as transform must not give more than 28 entries, which all batches of an " +
      "epoch have room for: current number is 63",
  );
});

Deno.test("cellLoader() of sparse batches feeds one program all through an epoch", async () => {
  await using file = await openAnnData(bytes);
  const w = tensor(Array.from({ length: GENES }, (_, i) => [i + 1, -i]));
  const layer = (x: BatchEntries, w: Tensor) => sparseMatmul({ ...x, shape: [8, GENES] }, w);
  const loader = cellLoader(file, { batchSize: 8, shuffle: true, sparse: true });
  const plain = cellLoader(file, { batchSize: 8, shuffle: true });
  const batches = await collect(loader);
  await using program = await compile(layer, [batches[0]!.x, w]);
  let i = 0;
  for await (const { x } of plain) {
    const y = await program(batches[i++]!.x, w);
    assertEquals(y.toArray(), matmul(x, w).toArray());
  }
  assert(program.explain().includes("kept: 1 of"));
});

Deno.test("cellLoader() of sparse batches gives the same where workers make them", async () => {
  await using file = await openAnnData(bytes);
  const options = { batchSize: 7, shuffle: true, window: 21, sparse: true } as const;
  const [alone, helped] = [0, 2].map((workers) => cellLoader(file, { ...options, workers }));
  assertEquals(await collect(helped!.epoch(1)), await collect(alone!.epoch(1)));
});

Deno.test("cellLoader() refuses sparse batches of a matrix that is not stored by rows", async () => {
  const refused = (format: string, layer = "X") =>
    `Cannot compute cellLoader as "${layer}" of "the bytes" must be stored by rows (csr) where sparse ` +
    `is true: current format is ${format}; leave sparse out, or write it so`;
  const X = sparse(dense, { format: "csc" });
  await using file = await openAnnData(await encodeAnnData({ X, layers: { raw: dense } }));
  const what = { batchSize: 4, sparse: true } as const;
  assertEquals(assertThrows(() => cellLoader(file, what), TypeError).message, refused("csc"));
  const ofLayer = cellLoader(file, { ...what, layer: "raw" });
  assertEquals(
    (await assertRejects(() => collect(ofLayer), TypeError)).message,
    refused("dense", "raw"),
  );
  assertThrows(
    () => cellLoader(file, { batchSize: 4, sparse: 1 as unknown as true }),
    TypeError,
    "sparse must be true or false",
  );
});
