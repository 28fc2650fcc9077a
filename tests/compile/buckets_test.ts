/** Numbers of rows that are rounded up: the same results, by few programs, or none that pads. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as cg from "../../mod.ts";
import { OTHERS, ROW_WISE } from "../program/row_functions.ts";

type Tensor = cg.Tensor;

/** Whatever the function returns, leaf by leaf. */
const leavesOf = (f: (x: Tensor) => unknown) => (x: Tensor) => cg.treeLeaves(f(x));

/** How many sets of shapes a program keeps. */
const kept = (text: string) => Number(text.match(/kept: (\d+)/)![1]);

const rowsOf = (count: number, dtype: "float32" | "float64") =>
  cg.normal(cg.key(count), [count, 6], { dtype });

for (const dtype of ["float32", "float64"] as const) {
  for (const [name, f] of Object.entries(ROW_WISE)) {
    Deno.test(`padded rows change no bit in ${dtype}: ${name}`, async () => {
      const g = leavesOf(f);
      await using exact = await cg.compile(g, [rowsOf(12, dtype)]);
      await using bucketed = await cg.compile(g, [rowsOf(12, dtype)], { shapes: "bucket" });
      for (const count of [3, 5, 6, 7, 9, 11, 12, 13, 15, 33]) {
        const x = rowsOf(count, dtype);
        const [expected, found] = [await exact(x), await bucketed(x)];
        assertEquals(found.map(({ shape, data }) => [shape, data]), [
          ...expected.map(({ shape, data }) => [shape, data]),
        ]);
      }
      // 3 and 4; 5 to 8; 9 to 12, as the examples have; up to 16; up to 64.
      assertEquals([kept(exact.explain()), kept(bucketed.explain())], [10, 5]);
    });
  }
}

for (const [name, f] of Object.entries(OTHERS)) {
  Deno.test(`rows are left as they are where others would notice more: ${name}`, async () => {
    const g = leavesOf(f);
    await using exact = await cg.compile(g, [rowsOf(12, "float64")]);
    await using bucketed = await cg.compile(g, [rowsOf(12, "float64")], { shapes: "bucket" });
    for (const count of [2, 6, 14]) {
      const x = rowsOf(count, "float64");
      const [expected, found] = [await exact(x), await bucketed(x)];
      assertEquals(found.map(({ data }) => data), expected.map(({ data }) => data));
    }
    assertEquals(kept(bucketed.explain()), 4);
    assertStringIncludes(bucketed.explain(), "of which 0 are rounded up");
  });
}

Deno.test("a training step keeps its shapes, as its loss is a mean over rows", async () => {
  const optimizer = cg.adam({ learningRate: 0.1 });
  const loss = (w: Tensor, x: Tensor) => x.matmul(w).square().mean();
  const w = cg.normal(cg.key(1), [6, 2]);
  const step = (w: Tensor, x: Tensor) =>
    optimizer.update(cg.grad(loss)(w, x), optimizer.init(w), w).params;
  await using program = await cg.compile(step, [w, rowsOf(8, "float32")], { shapes: "bucket" });
  await using exact = await cg.compile(step, [w, rowsOf(8, "float32")]);
  const rest = rowsOf(5, "float32");
  assertEquals((await program(w, rest)).data, (await exact(w, rest)).data);
});

Deno.test("several arguments have rows, trees and labels among them, and others have none", async () => {
  type Batch = { x: Tensor; labels: Tensor };
  const losses = (w: Tensor, { x, labels }: Batch) => ({
    each: cg.crossEntropyLoss(x.matmul(w), labels, { reduction: "none" }),
    w: w.mul(2),
  });
  const batch = (rows: number) => ({
    x: rowsOf(rows, "float32"),
    labels: cg.tensor(Int32Array.from({ length: rows }, (_, i) => i % 4)),
  });
  const w = cg.normal(cg.key(1), [6, 4]);
  await using program = await cg.compile(losses, [w, batch(8)], { shapes: "bucket" });
  for (const rows of [5, 6, 7]) {
    const { each, w: twice } = await program(w, batch(rows));
    assertEquals([each.shape, twice.shape], [[rows], [6, 4]]);
  }
  assertEquals(kept(program.explain()), 1);
  assertStringIncludes(program.explain(), "4 sets of shapes seen, of which 3 are rounded up");
  assertStringIncludes(program.explain(), "rows from 5 to 8, 6 to 8, 7 to 8");
});

Deno.test("labels of padded rows are checked as those of the last one are", async () => {
  const f = (p: Tensor, labels: Tensor) =>
    cg.crossEntropyLoss(p, labels, { reduction: "none", ignoreIndex: 0 });
  const logits = (rows: number) => cg.zeros([rows, 3]);
  await using program = await cg.compile(f, [logits(8), Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1)], {
    shapes: "bucket",
  });
  assertEquals((await program(logits(3), Int32Array.of(2, 0, 1))).shape, [3]);
  const error = await assertRejects(
    () => program(logits(3), Int32Array.of(2, 5, 7)),
    RangeError,
  );
  assertStringIncludes(error.message, "current value at position 1 is 5");
});

Deno.test("NaN and infinities of a row stay in it", async () => {
  const f = (x: Tensor) => x.softmax();
  await using program = await cg.compile(f, [cg.zeros([8, 2])], { shapes: "bucket" });
  const x = cg.tensor([[1, 1], [NaN, 0], [Infinity, 1]]);
  assertEquals((await program(x)).toArray(), f(x).toArray());
});

Deno.test("no rows, arguments that differ elsewhere and unequal numbers of rows are left alone", async () => {
  const f = (x: Tensor, y: Tensor) => [x.mul(2), y.mul(3)];
  await using program = await cg.compile(f, [cg.zeros([8, 2]), cg.zeros([8])], {
    shapes: "bucket",
  });
  for (const [x, y] of [[[0, 2], [0]], [[8, 3], [8]], [[5, 2], [3]], [[8, 2], []]] as const) {
    const found = await program(cg.ones(x), cg.ones(y));
    assertEquals(found.map(({ shape }) => shape), [x, y].map((shape) => [...shape]));
  }
  assert(program.explain().includes("of which 0 are rounded up"));
  // One of two: the other one has no rows then.
  assertEquals((await program(cg.ones([5, 2]), cg.ones([8]))).map(({ shape }) => shape), [
    ...[[5, 2], [8]],
  ]);
  assert(program.explain().includes("rows from 5 to 8"));
});

Deno.test("compile() refuses shapes that are neither", async () => {
  const error = await assertRejects(
    () => cg.compile((x: Tensor) => x, [1], { shapes: "padded" as "exact" }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute compile as shapes must be one of exact, bucket: current value is padded",
  );
});
