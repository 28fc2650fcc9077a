import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { csc, csr, sparse } from "../../src/data/mod.ts";
import { add, exp, log1p, square, sum } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";

const FORMATS = ["csr", "csc"] as const;

/** Small whole numbers, many of them zero. */
const MATRICES = fc.tuple(fc.nat(6), fc.nat(5)).chain(([rows, columns]) =>
  fc.array(
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -9, max: 9 })), {
      minLength: columns + 1,
      maxLength: columns + 1,
    }),
    { minLength: rows + 1, maxLength: rows + 1 },
  )
);

const columnsOf = (values: number[][]) => values[0]!.map((_, j) => values.map((row) => row[j]!));

Deno.test("sparse() holds what is not zero, in order, and toDense() gives it back", () => {
  fc.assert(
    fc.property(MATRICES, fc.constantFrom(...FORMATS), (values, format) => {
      const x = sparse(values, { format });
      assertEquals(x.format, format);
      assertEquals(x.toDense().toArray(), values);
      const lines = format === "csr" ? values : columnsOf(values);
      const entries = lines.map((line) => [...line.entries()].filter(([, v]) => v !== 0));
      assertEquals([...x.data], entries.flat().map(([, v]) => v));
      assertEquals([...x.indices], entries.flat().map(([j]) => j));
      assertEquals(x.indptr.at(-1), x.nnz);
      entries.forEach((line, i) => assertEquals(x.indptr[i + 1]! - x.indptr[i]!, line.length));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("sparse matrices change format and turn on their side without loss", () => {
  fc.assert(
    fc.property(MATRICES, fc.constantFrom(...FORMATS), (values, format) => {
      const x = sparse(values, { format });
      for (const other of FORMATS) {
        const y = x.asFormat(other);
        assertEquals([y.format, y.toDense().toArray()], [other, values]);
        assertEquals([...y.data], [...sparse(values, { format: other }).data]);
      }
      const side = x.transpose();
      assertEquals(side.toDense().toArray(), columnsOf(values));
      assert(side.format !== format && side.data === x.data);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("rows(), columns() and slice() pick as from the dense matrix, in any order", () => {
  fc.assert(
    fc.property(
      MATRICES,
      fc.constantFrom(...FORMATS),
      fc.array(fc.nat(100), { maxLength: 8 }),
      fc.nat(7),
      fc.nat(7),
      (values, format, picks, a, b) => {
        const x = sparse(values, { format });
        const rows = picks.map((pick) => pick % values.length);
        const columns = picks.map((pick) => pick % values[0]!.length);
        const [start, end] = [a, b].map((at) => Math.min(at, values.length)).sort();
        const some = [
          [x.rows(rows), rows.map((i) => values[i]!)],
          [x.columns(columns), values.map((row) => columns.map((j) => row[j]!))],
          [x.slice(start!, end!), values.slice(start, end)],
          [x.slice(start!), values.slice(start)],
        ] as const;
        for (const [found, expected] of some) {
          assertEquals(found.format, format);
          assertEquals(found.shape[0], expected.length);
          assertEquals(found.toDense().toArray(), expected);
          // In order: as the same matrix has it that is made anew.
          const anew = sparse(found.toDense(), { format });
          assertEquals([...found.indices], [...anew.indices]);
          assertEquals([...found.indptr], [...anew.indptr]);
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("csr() and csc() take entries in any order, and sum those of one place", () => {
  const indices = [2, 0, 2, 1];
  const rows = csr({ data: [1, 2, 4, 8], indices, indptr: [0, 3, 4], shape: [2, 3] });
  assertEquals(rows.toDense().toArray(), [[2, 0, 5], [0, 8, 0]]);
  assertEquals([...rows.indices], [0, 2, 1]);
  const columns = csc({ data: [1, 2, 4, 8], indices, indptr: [0, 3, 4], shape: [3, 2] });
  assertEquals(columns.toDense().toArray(), [[2, 0], [0, 8], [5, 0]]);
  const truth = csr({
    data: tensor([true, true]),
    indices: [0, 0],
    indptr: [0, 2],
    shape: [1, 1],
  });
  assertEquals([truth.dtype, ...truth.data], ["bool", 1]);
});

Deno.test("csr() keeps the type, keeps zeros as entries, and does not follow later changes", () => {
  const data = Float64Array.of(0, 3);
  const x = csr({ data, indices: Int32Array.of(0, 1), indptr: [0, 2], shape: [1, 2] });
  data[1] = 7;
  assertEquals([x.dtype, x.nnz, ...x.data], ["float64", 2, 0, 3]);
  assertEquals(csr({ data: [], indices: [], indptr: [0], shape: [0, 4] }).toDense().shape, [0, 4]);
  assert(Object.isFrozen(x));
});

Deno.test("map() computes on the entries alone, where zeros stay zeros", () => {
  const x = sparse([[0, 3], [1, 0]], { format: "csc" });
  const y = x.map(log1p);
  assertEquals(y.toDense().data, log1p([[0, 3], [1, 0]]).data);
  assert(y.indices === x.indices && y.format === "csc");
  assertEquals(sparse(tensor([[0, 2]], { dtype: "int32" })).map(log1p).dtype, "float32");
  assertEquals(
    assertThrows(() => x.map(exp), RangeError).message,
    "Cannot compute map as f must leave zeros as they are, for they are not held: " +
      "of 0 it makes 1; take toDense() first",
  );
  assertThrows(() => x.map((v) => add(v, NaN)), RangeError, "of 0 it makes NaN");
  assertEquals(
    assertThrows(() => x.map((v: Tensor) => sum(square(v))), TypeError).message,
    "Cannot compute map as f must give a tensor of the shape that it is called with, [1]: " +
      "it gave shape []",
  );
  assertThrows(() => x.map(Math.log1p as never), TypeError, "[1]: it gave no tensor");
  assertThrows(
    () => x.map(2 as never),
    TypeError,
    "Cannot compute map as f must be a function: current value is 2",
  );
});

Deno.test("parts() pads with zeros that no pointer leads to", () => {
  const x = sparse(tensor([[0, 2, 0], [0, 0, 3]], { dtype: "float64" }));
  const { data, indices, indptr } = x.parts(4);
  assertEquals([data.dtype, indices.dtype, indptr.dtype], ["float64", "int32", "int32"]);
  assertEquals([[...data.data], [...indices.data], [...indptr.data]], [
    [2, 3, 0, 0],
    [1, 2, 0, 0],
    [0, 1, 2],
  ]);
  assertEquals(x.parts().data.shape, [2]);
  assertThrows(
    () => x.parts(1),
    RangeError,
    "Cannot compute parts as size must be a whole number at least 2: current value is 1",
  );
});

const PARTS = { data: [1, 2], indices: [0, 1], indptr: [0, 1, 2], shape: [2, 2] as const };

Deno.test("csr() refuses parts that do not fit together", () => {
  const message = (change: object) =>
    assertThrows(() => csr({ ...PARTS, ...change } as never)).message;
  assertEquals(
    message({ data: undefined }),
    "Cannot compute csr as data, indices, indptr and shape must all be given: there is no data",
  );
  const unfit = "Cannot compute csr as there must be as many data as indices, and 3 indptr for " +
    "shape [2, 2]: current shapes are ";
  assertEquals(message({ data: [1] }), `${unfit}[1], [2] and [3]`);
  assertEquals(message({ indptr: [0, 2] }), `${unfit}[2], [2] and [2]`);
  assertEquals(message({ data: [[1, 2]] }), `${unfit}[1, 2], [2] and [3]`);
  assertEquals(
    message({ indices: [0, 2] }),
    "Cannot compute csr as indices must be in [0, 1]: current value at position 1 is 2",
  );
  const wrong = "Cannot compute csr as indptr must start at 0, never fall, and end at 2, the " +
    "number of entries: current value at position ";
  assertEquals(message({ indptr: [1, 1, 2] }), `${wrong}0 is 1`);
  assertEquals(message({ indptr: [0, 3, 2] }), `${wrong}1 is 3`);
  assertEquals(message({ indptr: [0, 2, 1] }), `${wrong}2 is 1`);
  assertEquals(message({ indptr: [0, 1, 1] }), `${wrong}2 is 1`);
  assertEquals(
    message({ indptr: [0, 0.5, 2] }),
    "Cannot compute csr as indptr must be whole numbers (int32): " +
      "current value at position 1 is 0.5",
  );
  assertEquals(
    message({ shape: [2] }),
    "Cannot compute csr as shape must have two extents, rows and columns: current value is [2]",
  );
  assertEquals(
    message({
      data: Int32Array.of(2 ** 31 - 1, 1),
      indices: [0, 0],
      indptr: [0, 2, 2],
    }),
    "Cannot sum entries of one place as int32 cannot hold its values: current sum is 2147483648",
  );
  assertThrows(
    () => csc({ ...PARTS, values: [1] } as never),
    TypeError,
    "Cannot compute csc as there is no option values",
  );
});

Deno.test("sparse matrices refuse what is not there", () => {
  const x = sparse([[1, 0], [0, 2]]);
  assertThrows(
    () => x.rows([2]),
    RangeError,
    "Cannot compute rows as list must be in [0, 1]: current value at position 0 is 2",
  );
  assertThrows(
    () => x.columns([[0]]),
    TypeError,
    "Cannot compute columns as list must have one axis: it has 2",
  );
  for (const [start, end] of [[-1, 1], [0, 3], [2, 1], [0.5, 1]] as const) {
    assertThrows(
      () => x.slice(start, end),
      RangeError,
      "Cannot compute slice as start and end must be integers with 0 <= start <= end <= 2: " +
        `current values are ${start} and ${end}`,
    );
  }
  assertThrows(
    () => sparse([1, 2]),
    TypeError,
    "Cannot compute sparse as dense must be a matrix: current shape is [2]",
  );
  assertThrows(
    () => x.asFormat("coo" as never),
    TypeError,
    "Cannot compute asFormat as format must be one of csr, csc: current value is coo",
  );
});
