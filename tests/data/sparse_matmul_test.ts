import {
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { compile, grad, jvp, type Tensor, tensor, vmap } from "../../mod.ts";
import { csr, sparse, sparseMatmul } from "../../src/data/mod.ts";
import { mul, sin, sum, tanh } from "../../src/ops/mod.ts";
import { key, normal } from "../../src/random.ts";
import { checkGradients } from "../../src/testing.ts";

const PARTS = { indices: [1, 0, 2, 2, 0], indptr: [0, 1, 1, 3, 4] };
const SHAPE = [4, 3] as const;
const DATA = tensor([2, -1, 3, 0.5, 7], { dtype: "float64" });
const W = normal(key(1), [3, 2], { dtype: "float64" });

interface Batch {
  data: Tensor;
  indices: Tensor;
  indptr: Tensor;
}

/** The product with the weights; the last entry is padding. */
const product = (data: Tensor, w: Tensor) => sparseMatmul({ ...PARTS, data, shape: SHAPE }, w);

function assertClose(a: Tensor, b: Tensor): void {
  assertEquals(a.shape, b.shape);
  a.data.forEach((value, i) => assertAlmostEquals(value, b.data[i]!, 1e-6));
}

Deno.test("sparseMatmul() of any matrix is the product of the dense one", () => {
  fc.assert(
    fc.property(
      fc.tuple(fc.nat(5), fc.nat(5), fc.nat(3), fc.nat(99)),
      fc.constantFrom("csr", "csc"),
      fc.constantFrom("float32", "float64", "int32"),
      ([rows, columns, k, seed], format, dtype) => {
        const dense = tensor(
          Array.from(
            { length: rows + 1 },
            (_, i) =>
              Array.from(
                { length: columns + 1 },
                (_, j) => (i * 7 + j * 5 + seed) % 3 === 0 ? i - j : 0,
              ),
          ),
          { dtype: dtype as "float32" },
        );
        const w = normal(key(seed), [columns + 1, k]);
        const found = sparseMatmul(sparse(dense, { format: format as "csr" }), w);
        const expected = dense.cast(dtype === "float64" ? "float64" : "float32").matmul(w);
        assertEquals(found.dtype, expected.dtype);
        assertClose(found, expected);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("sparseMatmul() leaves out the entries behind the last pointer", () => {
  const { data } = DATA;
  const held = csr({
    data: data.slice(0, 4) as Float64Array,
    indices: PARTS.indices.slice(0, 4),
    indptr: PARTS.indptr,
    shape: SHAPE,
  });
  assertClose(product(DATA, W), held.toDense().matmul(W));
  const slope = grad((data: Tensor) => sum(product(data, W)))(DATA);
  assertEquals(slope.data[4], 0);
});

Deno.test("sparseMatmul() has gradients of first and second order, for values and weights", () => {
  const f = (data: Tensor, w: Tensor) => sum(tanh(product(data, w)));
  checkGradients(f, [DATA, W]);
  checkGradients(f, [DATA, W], { order: 2 });
  const slope = (w: Tensor) => sum(sin(grad((w: Tensor) => f(DATA, w))(w)));
  checkGradients(slope, [W], { order: 2 });
  const ofValues = (data: Tensor) => sum(sin(grad((d: Tensor) => f(d, W))(data)));
  checkGradients(ofValues, [DATA], { order: 2 });
});

Deno.test("sparseMatmul() is pushed forward, and mapped over batches", () => {
  const [value, push] = jvp((w: Tensor) => product(DATA, w), [W], [W]);
  assertClose(value, push);
  const batch = normal(key(2), [3, 3, 2], { dtype: "float64" });
  const mapped = vmap((w: Tensor) => product(DATA, w))(batch);
  assertEquals(mapped.shape, [3, 4, 2]);
  for (let i = 0; i < 3; i++) assertClose(mapped.at(i), product(DATA, batch.at(i)));
  const several = normal(key(3), [3, 5], { dtype: "float64" });
  const ofValues = vmap((data: Tensor) => product(data, W))(several);
  for (let i = 0; i < 3; i++) assertClose(ofValues.at(i), product(several.at(i), W));
});

Deno.test("sparseMatmul() runs in programs, one for all batches of as many entries", async () => {
  const step = (x: Batch, w: Tensor) =>
    grad((w: Tensor) => {
      const y = sparseMatmul({ ...x, shape: SHAPE }, w);
      return sum(mul(y, tanh(y)));
    })(w);
  const batchOf = (indices: number[], indptr: number[]): Batch => ({
    data: DATA,
    indices: tensor(indices, { dtype: "int32" }),
    indptr: tensor(indptr, { dtype: "int32" }),
  });
  await using program = await compile(step, [batchOf(PARTS.indices, PARTS.indptr), W]);
  for (const indptr of [[0, 1, 1, 3, 4], [0, 0, 2, 2, 5]]) {
    const x = batchOf(PARTS.indices, indptr);
    assertClose(await program(x, W), step(x, W));
  }
  await assertRejects(
    () => program(batchOf([0, 3, 0, 0, 0], PARTS.indptr), W),
    RangeError,
    "indices must be in [0, 2]: current value at position 1 is 3",
  );
});

Deno.test("sparseMatmul() is one kernel in programs, without a row for each entry", async () => {
  const x = csr({
    data: Array.from({ length: 1000 }, (_, i) => i),
    indices: Array.from({ length: 1000 }, (_, i) => i % 50),
    indptr: Array.from({ length: 21 }, (_, i) => 50 * i),
    shape: [20, 50],
  });
  const layer = (x: Batch, w: Tensor) => sparseMatmul({ ...x, shape: [20, 50] }, w);
  const w = normal(key(1), [50, 64]);
  await using program = await compile(layer, [x.parts(), w]);
  assertMatch(program.explain(), /float32\[21, 64\] = sparseProduct\(.*kernel, 128 k FLOP/);
  const [, memory] = /\n {2}memory: ([\d.]+) KiB/.exec(program.explain())!;
  assertLess(Number(memory), 1000 * 64 * 4 / 1024);
});

Deno.test("sparseMatmul() refuses what does not fit", () => {
  const message = (change: object, w: unknown = W) =>
    assertThrows(() => sparseMatmul({ ...PARTS, data: DATA, shape: SHAPE, ...change }, w as Tensor))
      .message;
  const about = "Cannot compute sparseMatmul as ";
  assertEquals(
    message({}, [[1, 2]]),
    `${about}w must be a matrix with a row for each column of x: ` +
      "current shapes are [4, 3] and [1, 2]",
  );
  assertEquals(
    message({}, [1, 2, 3]),
    `${about}w must be a matrix with a row for each column of x: current shapes are [4, 3] and [3]`,
  );
  assertEquals(
    message({ data: [1, 2] }),
    `${about}there must be as many data as indices, and 5 indptr for shape [4, 3]: ` +
      "current shapes are [2], [5], [5]",
  );
  const pointers =
    `${about}indptr must start at 0, never fall, and end at most at 5, the number of ` +
    "entries: current value at position ";
  assertEquals(message({ indptr: [1, 1, 1, 1, 1] }), `${pointers}0 is 1`);
  assertEquals(message({ indptr: [0, 2, 1, 1, 1] }), `${pointers}2 is 1`);
  assertEquals(message({ indptr: [0, 2, 3, 4, 6] }), `${pointers}4 is 6`);
  assertEquals(
    message({ indices: [0, -1, 0, 0, 0] }),
    `${about}indices must be in [0, 2]: current value at position 1 is -1`,
  );
  assertEquals(
    message({ shape: [4] }),
    `${about}shape must have two extents, rows and columns: current value is [4]`,
  );
  assertEquals(
    message({ data: undefined }).split(": current")[0],
    `${about}x must be a sparse matrix, or an object of data, indices, indptr and shape`,
  );
  assertThrows(() => sparseMatmul([[1]] as never, W), TypeError, "x must be a sparse matrix");
});
