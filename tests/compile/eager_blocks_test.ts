/** Maps over blocks of rows without compile: by small programs where that pays, to the same values. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as cg from "../../mod.ts";
import { runBlocks } from "../../src/compile/eager_blocks.ts";
import { assertAllClose } from "../../src/testing.ts";
import { runBlocksBy } from "../../src/trace.ts";

type Tensor = cg.Tensor;
type Block = (rows: Tensor, all: Tensor, offset?: number) => Tensor;

const CELLS = 90;
const LEAST = { pairs: 1000, values: 10_000 };
const cellsOf = (dtype: "float32" | "float64") => cg.normal(cg.key(1), [CELLS, 2], { dtype });

/** A comparison of rows with all cells in some thirty steps. */
const likeness: Block = (rows, all) => {
  const near = cg.pairwiseSquaredDistance(rows, all);
  const terms = Array.from({ length: 8 }, (_, i) => near.mul(-1 / (i + 1)).exp());
  return terms.reduce((a, b) => a.add(b)).sum({ axis: 1 });
};

const mapped = (f: Block, rows = 20) => (x: Tensor) => cg.mapRowBlocks(f, x, x, { rows });

/** Has maps done by `run`, and counts those that it does. */
function counting<T>(f: () => T): { result: T; done: number } {
  let done = 0;
  runBlocksBy((...args) => {
    const made = runBlocks(...args, LEAST);
    if (made !== undefined) done++;
    return made;
  });
  try {
    return { result: f(), done };
  } finally {
    runBlocksBy(() => undefined);
  }
}

for (const dtype of ["float64", "float32"] as const) {
  Deno.test(`maps in ${dtype} have the same values and gradients by programs`, () => {
    const x = cellsOf(dtype);
    const f = cg.valueAndGrad((x: Tensor) => mapped(likeness)(x).square().sum());
    const expected = f(x);
    const { result, done } = counting(() => f(x));
    assertEquals(done, 2);
    result.forEach((found, i) => {
      assertEquals([found.dtype, found.shape], [dtype, expected[i]!.shape]);
      if (dtype === "float64") assertEquals(found.data, expected[i]!.data);
      else {
        const largest = expected[i]!.abs().max().item();
        assertAllClose(found, expected[i]!, { rtol: 0, atol: 2e-6 * largest });
      }
    });
  });
}

Deno.test("maps have the same second derivatives by programs", () => {
  const [x, v] = [cellsOf("float64"), cg.normal(cg.key(2), [CELLS, 2], { dtype: "float64" })];
  const f = () => cg.hvp((x: Tensor) => mapped(likeness)(x).square().sum())(x, v);
  const expected = f();
  const { result, done } = counting(f);
  assert(done >= 3);
  assertAllClose(result, expected, { rtol: 1e-12, atol: 1e-12 * expected.abs().max().item() });
});

Deno.test("a map sees what its function closes over as it is at each call", () => {
  const x = cellsOf("float64");
  let factor = 1;
  const table = cg.tensor([1, 2], { dtype: "float64" });
  let weights = table;
  const f: Block = (rows, all) => likeness(rows, all).mul(factor).mul(weights.sum());
  const { result: [one, again, five, other], done } = counting(() => {
    const map = mapped(f);
    const found = [map(x), map(x)];
    factor = 5;
    found.push(map(x));
    weights = table.mul(2);
    return [...found, map(x)];
  });
  assertEquals(done, 4);
  assertEquals(again!.data, one!.data);
  assertAllClose(five!, one!.mul(5), { rtol: 1e-14 });
  assertAllClose(other!, one!.mul(10), { rtol: 1e-14 });
});

Deno.test("blocks that know where they begin have the same values by programs", () => {
  const x = cellsOf("float64");
  const f: Block = (rows, all, offset) => likeness(rows, all).add(offset!);
  const { result, done } = counting(() => mapped(f)(x));
  assertEquals(done, 1);
  assertEquals(result.data, mapped(f)(x).data);
});

Deno.test("functions that read values, and blocks of many kinds, are done as they are", () => {
  const x = cellsOf("float64");
  const reads: Block = (rows, all) => likeness(rows, all).mul(rows.data[0]! > 0 ? 2 : 3);
  const differs: Block = (rows, all, offset) => likeness(rows, all.slice(0, CELLS - offset! / 10));
  for (const f of [reads, differs]) {
    const { result, done } = counting(() => mapped(f, 10)(x));
    assertEquals(done, 0);
    assertEquals(result.data, mapped(f, 10)(x).data);
  }
});

Deno.test("small maps, single blocks and maps without rows are done as they are", () => {
  const x = cellsOf("float64");
  const small = (x: Tensor) => mapped(likeness, 2)(x.slice(0, 10));
  const whole = mapped((rows, all) => likeness(rows, all).mul(1), CELLS);
  const short = mapped((rows) => rows.mul(2));
  const kept = cg.checkpoint((x: Tensor) => x.mul(2).sum());
  const { done } = counting(() => [small(x), whole(x), short(x), cg.grad(kept)(x)]);
  assertEquals(done, 0);
});

Deno.test("what is wrong in a block is told in the words of the operation", () => {
  const x = cellsOf("float64");
  const labels = cg.tensor(Int32Array.from({ length: CELLS }, (_, i) => i === 70 ? 9 : i % 3));
  const f = () =>
    cg.mapRowBlocks(
      ([rows, own]: [Tensor, Tensor], all: Tensor) =>
        likeness(rows, all).add(cg.crossEntropyLoss(cg.zeros([rows.shape[0]!, 3]), own)),
      [x, labels],
      x,
      { rows: 20 },
    );
  const expected = assertThrows(f, RangeError).message;
  const { result, done } = counting(() => assertThrows(f, RangeError).message);
  assertEquals([result, done], [expected, 0]);
  assertStringIncludes(expected, "is 9");
});

Deno.test("programs of maps that are not kept give their memory to others", () => {
  const x = cellsOf("float32");
  const { done } = counting(() => {
    // More than are kept; each one comes again when it is gone.
    for (let i = 0; i < 24; i++) {
      const found = mapped((rows, all) => likeness(rows, all).mul(i % 12))(x);
      assertAllClose(found, likeness(x, x).mul(i % 12), { rtol: 1e-5, atol: 1e-4 });
    }
  });
  assertEquals(done, 24);
});

Deno.test("compile() has later maps done by programs, if they are large", async () => {
  await using _program = await cg.compile((x: Tensor) => x, [1]);
  const recorded = new Set<boolean>();
  const f: Block = (rows, all) => {
    recorded.add(rows.trace !== null);
    return likeness(rows, all);
  };
  mapped(f)(cellsOf("float32"));
  assertEquals([...recorded], [false]);
  recorded.clear();
  // 6 million pairs in 27 steps.
  const cells = cg.normal(cg.key(1), [2500, 2]);
  const found = mapped(f, 2000)(cells);
  assertEquals([...recorded], [true]);
  const some = likeness(cells.slice(0, 5), cells);
  assertAllClose(found.slice(0, 5), some, { rtol: 1e-5 });
});
