import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { openMatrix, type StoredMatrix } from "../../src/data/stored_matrix.ts";
import {
  type Branch,
  branch,
  COUNTS,
  frame,
  type Leaf,
  leaf,
  sparse,
  stored,
  withElement,
} from "./tree.ts";

/** Opens a matrix that lies in memory. */
function open(tree: Leaf | Branch): Promise<StoredMatrix> {
  return openMatrix("cells.h5ad", stored(tree, "X"));
}

/** A matrix of small whole numbers, many of them zero, and a range of its rows. */
const MATRICES = fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
  fc.record({
    values: fc.array(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -9, max: 9 })), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: rows + 1, maxLength: rows + 1 },
    ),
    start: fc.nat(rows + 1),
    count: fc.nat(rows + 1),
  })
);

for (const format of ["csr", "csc"] as const) {
  Deno.test(`openMatrix() reads any rows of any ${format} matrix as the dense one has them`, () =>
    fc.assert(
      fc.asyncProperty(MATRICES, async ({ values, start, count }) => {
        const matrix = await open(sparse(format, values));
        const end = Math.min(values.length, start + count);
        const rows = await matrix.readRows(start, end);
        assertEquals(rows.shape, [end - start, values[0]!.length]);
        assertEquals(rows.toArray(), values.slice(start, end));
      }),
      { seed: 1, numRuns: 200 },
    ));

  Deno.test(`openMatrix() sums entries that a ${format} matrix names twice`, async () => {
    const twice = withElement(sparse(format, [[3, 4]]), "indices", leaf(Int32Array.of(0, 0)));
    const tree = format === "csr"
      ? twice
      : withElement(twice, "indptr", leaf(Int32Array.of(0, 2, 2)));
    assertEquals((await (await open(tree)).read()).toArray(), [[7, 0]]);
  });

  Deno.test(`openMatrix() refuses indices that lead out of a ${format} matrix`, async () => {
    for (const wrong of [-1, 9]) {
      const indices = leaf(Int32Array.of(wrong, 0, 0, 0, 0, 0, 0));
      const matrix = await open(withElement(sparse(format, COUNTS), "indices", indices));
      const error = await assertRejects(() => matrix.read(), SyntaxError);
      assertEquals(
        error.message,
        'Cannot read "X" of "cells.h5ad" as indices of the sparse matrix lead out of it',
      );
    }
  });

  Deno.test(`openMatrix() refuses pointers of a ${format} matrix that lead out or back`, async () => {
    const length = format === "csr" ? 6 : 5;
    for (const wrong of [[0, 99, 99, 99, 99, 99], [0, 3, 1, 7, 7, 7], [-1, 1, 2, 3, 7, 7]]) {
      const indptr = leaf(Int32Array.from(wrong.slice(0, length)));
      const matrix = await open(withElement(sparse(format, COUNTS), "indptr", indptr));
      const error = await assertRejects(() => matrix.read(), SyntaxError);
      assertEquals(
        error.message,
        'Cannot read "X" of "cells.h5ad" as indptr of the sparse matrix lead out of it',
      );
    }
  });

  Deno.test(`openMatrix() reads 64-bit pointers and 16-bit indices of a ${format} matrix`, async () => {
    let tree = sparse(format, COUNTS);
    const [indptr, indices] = [tree.members["indptr"] as Leaf, tree.members["indices"] as Leaf];
    const wide = BigInt64Array.from(indptr.values as Int32Array, BigInt);
    tree = withElement(tree, "indptr", leaf(wide));
    tree = withElement(tree, "indices", leaf(Uint16Array.from(indices.values as Int32Array)));
    assertEquals((await (await open(tree)).readRows(1, 5)).toArray(), COUNTS.slice(1));
  });
}

Deno.test("openMatrix() reads a csc matrix of more entries than it holds at once", async () => {
  const [rows, columns] = [700_000, 3];
  const data = new Float32Array(rows * columns).map((_, i) => i % 1000);
  const tree = {
    ...sparse("csc", [[1]]),
    members: {
      data: leaf(data),
      indices: leaf(Int32Array.from(data, (_, i) => i % rows)),
      indptr: leaf(Int32Array.of(0, rows, 2 * rows, 3 * rows)),
    },
  };
  tree.attributes = { ...tree.attributes, shape: [rows, columns] };
  const last = await (await open(tree)).readRows(rows - 2, rows);
  const expected = [rows - 2, rows - 1].map((row) => [0, 1, 2].map((j) => (j * rows + row) % 1000));
  assertEquals(last.toArray(), expected);
});

Deno.test("openMatrix() reads any rows of a dense matrix", async () => {
  const matrix = await open(leaf(Float64Array.from(COUNTS.flat()), [5, 4]));
  assertEquals((await matrix.readRows(2, 5)).toArray(), COUNTS.slice(2));
  assertEquals((await matrix.readRows(2, 2)).shape, [0, 4]);
});

for (const [start, end] of [[-1, 2], [0, 6], [3, 2], [0.5, 2], [0, NaN]] as const) {
  Deno.test(`readRows() refuses rows from ${start} to ${end} of five`, async () => {
    const matrix = await open(sparse("csr", COUNTS));
    const error = await assertRejects(() => matrix.readRows(start, end), RangeError);
    assertEquals(
      error.message,
      'Cannot read rows of "X" of "cells.h5ad" as start and end must be integers with ' +
        `0 <= start <= end <= 5: current values are ${start} and ${end}`,
    );
  });
}

for (const size of [0, -1, 1.5, NaN]) {
  Deno.test(`rowBatches() refuses batches of ${size} rows`, async () => {
    const matrix = await open(sparse("csr", COUNTS));
    const error = await assertRejects(() => matrix.rowBatches(size).next(), RangeError);
    assertEquals(
      error.message,
      'Cannot read row batches of "X" of "cells.h5ad" as size must be a positive integer: ' +
        `current value is ${size}`,
    );
  });
}

Deno.test("rowBatches() ends with a smaller batch", async () => {
  const matrix = await open(sparse("csr", COUNTS));
  const extents: number[] = [];
  for await (const batch of matrix.rowBatches(2)) extents.push(batch.shape[0]!);
  assertEquals(extents, [2, 2, 1]);
});

Deno.test("read() says what to do where a matrix does not fit in memory", async () => {
  const tree = sparse("csr", [[0]]);
  tree.attributes = { ...tree.attributes, shape: [1, 2 ** 40] };
  const matrix = await open(tree);
  const error = await assertRejects(() => matrix.read(), RangeError);
  assertEquals(
    error.message,
    'Cannot read 1 rows of "X" of "cells.h5ad" as 1099511627776 numbers do not fit in memory: ' +
      "read fewer at once, with readRows or rowBatches",
  );
});

/** What is said of an element that is no matrix. */
async function complaint(tree: Leaf | Branch): Promise<string> {
  return (await assertRejects(() => open(tree), SyntaxError)).message;
}

Deno.test("openMatrix() refuses arrays that have not two axes", async () => {
  assertEquals(
    await complaint(leaf(new Float32Array(8), [2, 2, 2])),
    'Cannot read "X" of "cells.h5ad" as a matrix must have two axes: its shape is [2,2,2]',
  );
});

Deno.test("openMatrix() refuses text", async () => {
  assertEquals(
    await complaint(leaf(["a", "b"], [1, 2])),
    'Cannot read "X" of "cells.h5ad" as it must hold integers, floating-point numbers or booleans: ' +
      "its type is string",
  );
});

Deno.test("openMatrix() refuses groups that are no sparse matrix", async () => {
  assertEquals(
    await complaint(frame(["a"], {})),
    'Cannot read "X" of "cells.h5ad" as it is a data frame, and an array or a sparse matrix can ' +
      "be read",
  );
  assertEquals(
    await complaint(branch("awkward-array", "0.1.0", {})),
    'Cannot read "X" of "cells.h5ad" as it is an awkward array, of rows of different lengths, ' +
      "which is not read: pad it, or write it as a sparse matrix",
  );
  assertEquals(
    await complaint(branch("rec-array", "0.2.0", {})),
    'Cannot read "X" of "cells.h5ad" as a group must be a csr_matrix or csc_matrix to be read ' +
      "as a matrix: its encoding-type is rec-array",
  );
});

Deno.test("openMatrix() refuses sparse matrices of before AnnData 0.7 that do not fit", async () => {
  const attributes = { h5sparse_format: "csr", h5sparse_shape: [6, 4] };
  assertEquals(
    await complaint({ ...sparse("csr", COUNTS), attributes }),
    'Cannot read "X" of "cells.h5ad" as the parts of the sparse matrix do not fit together: ' +
      "shape is [6, 4], and there are 7 data, 7 indices and 6 indptr",
  );
});

Deno.test("openMatrix() refuses a sparse matrix that lacks a part", async () => {
  assertEquals(
    await complaint(withElement(sparse("csr", COUNTS), "indptr", undefined)),
    'Cannot read "X" of "cells.h5ad" as a sparse matrix must have indptr, an array with one axis',
  );
});

Deno.test("openMatrix() refuses a sparse matrix whose parts do not fit together", async () => {
  const message = (data: number, indptr: number) =>
    'Cannot read "X" of "cells.h5ad" as the parts of the sparse matrix do not fit together: ' +
    `shape is [5, 4], and there are ${data} data, 7 indices and ${indptr} indptr`;
  const csr = sparse("csr", COUNTS);
  assertEquals(await complaint(withElement(csr, "data", leaf(new Float32Array(6)))), message(6, 6));
  assertEquals(await complaint(withElement(csr, "indptr", leaf(new Int32Array(5)))), message(7, 5));
});

Deno.test("readSparse() reads any rows of any format as readRows() does, without their zeros", () =>
  fc.assert(
    fc.asyncProperty(
      MATRICES,
      fc.constantFrom("csr", "csc", "dense"),
      async ({ values, start, count }, format) => {
        const flat = leaf(Float32Array.from(values.flat()), [values.length, values[0]!.length]);
        const matrix = await open(format === "dense" ? flat : sparse(format as "csr", values));
        const end = Math.min(values.length, start + count);
        const rows = await matrix.readSparse(start, end);
        assertEquals(rows.format, format === "csc" ? "csc" : "csr");
        assertEquals(rows.toDense().toArray(), values.slice(start, end));
        assertEquals(rows.nnz, values.slice(start, end).flat().filter((v) => v !== 0).length);
        assertEquals(rows.dtype, matrix.dtype);
      },
    ),
    { seed: 1, numRuns: 300 },
  ));

Deno.test("readSparse() reads all rows by default, sums twins and sorts", async () => {
  const tree = withElement(
    sparse("csr", [[3, 4, 5, 0]]),
    "indices",
    leaf(Int32Array.of(3, 1, 3)),
  );
  const rows = await (await open(tree)).readSparse();
  assertEquals([[...rows.data], [...rows.indices], [...rows.indptr]], [[4, 8], [1, 3], [0, 2]]);
  assertEquals((await (await open(sparse("csr", COUNTS))).readSparse(2)).toDense().toArray(), [
    ...COUNTS.slice(2),
  ]);
});

/** A matrix of one entry after the other, whichever place they name. */
function ofEntries(format: "csr" | "csc", values: Leaf, places: [number, number][]): Branch {
  const [major, minor] = format === "csr" ? [0, 1] : [1, 0];
  const order = places.map((_, i) => i).sort((a, b) => places[a]![major]! - places[b]![major]!);
  const Kind = values.values.constructor as Int32ArrayConstructor;
  const data = Kind.from(order, (i) => values.values[i] as number);
  const counts = [0, 1, 2, 3].map((n) => places.filter((place) => place[major]! < n).length);
  return branch(`${format}_matrix`, "0.1.0", {
    data: { ...values, values: data, shape: [data.length] },
    indices: leaf(Int32Array.from(order, (i) => places[i]![minor]!)),
    indptr: leaf(Int32Array.from(counts)),
  }, { shape: [3, 3] });
}

Deno.test("entries of one place are summed, and booleans true where any is, however they are read", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom("csr", "csc"),
      fc.constantFrom("bool", "int32", "float32"),
      fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.constantFrom(1, 2, 256)), { maxLength: 6 }),
      async (format, type, entries) => {
        const places = entries.flatMap(([row, column, times]) =>
          Array.from({ length: times }, () => [row, column] as [number, number])
        );
        const ones = { bool: Uint8Array, int32: Int32Array, float32: Float32Array }[type];
        const values = { ...leaf(new ones(places.length).fill(1)), type: type as "bool" };
        const matrix = await open(ofEntries(format as "csr", values, places));
        const counts = [0, 1, 2].map((row) =>
          [0, 1, 2].map((column) => {
            const count = places.filter(([r, c]) => r === row && c === column).length;
            return type === "bool" ? Math.min(count, 1) : count;
          })
        );
        const dense = [
          await matrix.read(),
          await matrix.readRows([0, 1, 2]),
          (await matrix.readSparse()).toDense(),
        ];
        for (const { data } of dense) assertEquals([...data], counts.flat());
      },
    ),
    { seed: 1, numRuns: 200 },
  ));

Deno.test("sums of entries that int32 cannot hold are refused, however they are read", async () => {
  for (const format of ["csr", "csc"] as const) {
    const values = leaf(Int32Array.of(2 ** 31 - 1, 1));
    const matrix = await open(ofEntries(format, values, [[1, 1], [1, 1]]));
    for (
      const read of [() => matrix.read(), () => matrix.readRows([1]), () => matrix.readSparse()]
    ) {
      await assertRejects(read, RangeError, "int32 cannot hold its values: current sum is 214748");
    }
  }
});

Deno.test("readSparse() refuses rows and indices that lead out of the matrix", async () => {
  for (const format of ["csr", "csc"] as const) {
    const indices = leaf(Int32Array.of(9, 0, 0, 0, 0, 0, 0));
    const matrix = await open(withElement(sparse(format, COUNTS), "indices", indices));
    assertEquals(
      (await assertRejects(() => matrix.readSparse(), SyntaxError)).message,
      'Cannot read "X" of "cells.h5ad" as indices of the sparse matrix lead out of it',
    );
  }
  const matrix = await open(sparse("csr", COUNTS));
  assertEquals(
    (await assertRejects(() => matrix.readSparse(3, 6), RangeError)).message,
    'Cannot read rows of "X" of "cells.h5ad" as start and end must be integers with ' +
      "0 <= start <= end <= 5: current values are 3 and 6",
  );
});

Deno.test("readRows() gives the rows of a list in its order, of any format", () =>
  fc.assert(
    fc.asyncProperty(
      MATRICES,
      fc.constantFrom("csr", "csc", "dense"),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.boolean(),
      async ({ values }, format, picks, isTyped) => {
        const flat = leaf(Float32Array.from(values.flat()), [values.length, values[0]!.length]);
        const matrix = await open(format === "dense" ? flat : sparse(format as "csr", values));
        const rows = picks.map((pick) => pick % values.length);
        const read = await matrix.readRows(isTyped ? Int32Array.from(rows) : rows);
        assertEquals(read.shape, [rows.length, values[0]!.length]);
        assertEquals(read.toArray(), rows.map((row) => values[row]!));
        assertEquals(read.dtype, matrix.dtype);
      },
    ),
    { seed: 1, numRuns: 300 },
  ));

Deno.test("readRows() refuses lists of rows that do not exist, and what follows them", async () => {
  const matrix = await open(sparse("csr", COUNTS));
  for (const wrong of [-1, 5, 0.5, NaN, "1", null]) {
    const error = await assertRejects(() => matrix.readRows([0, wrong as number]), RangeError);
    assertEquals(
      error.message,
      'Cannot read rows of "X" of "cells.h5ad" as each must be a whole number from 0 to 4: ' +
        `current value at position 1 is ${typeof wrong === "string" ? `"${wrong}"` : wrong}`,
    );
  }
  const error = await assertRejects(
    () => (matrix.readRows as (rows: number[], end: number) => Promise<unknown>)([0], 2),
    TypeError,
  );
  assertEquals(
    error.message,
    'Cannot read rows of "X" of "cells.h5ad" as nothing follows a list of rows: ' +
      "current value is 2",
  );
});

Deno.test("readRows() refuses indices that lead out of the listed rows of a sparse matrix", async () => {
  for (const format of ["csr", "csc"] as const) {
    const indices = leaf(Int32Array.of(9, 0, 0, 0, 0, 0, 0));
    const matrix = await open(withElement(sparse(format, COUNTS), "indices", indices));
    const error = await assertRejects(() => matrix.readRows([0]), SyntaxError);
    assertEquals(
      error.message,
      'Cannot read "X" of "cells.h5ad" as indices of the sparse matrix lead out of it',
    );
  }
});
