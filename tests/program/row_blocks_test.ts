/** Loops over blocks of rows in programs: same values and gradients, little memory, one body. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  arange,
  batchMixingLoss,
  checkpoint,
  compile,
  contrastiveCellEmbeddingLoss,
  elasticCellSimilarityLoss,
  grad,
  mapRowBlocks,
  pairwiseSquaredDistance,
  type Tensor,
  tensor,
  valueAndGrad,
} from "../../mod.ts";
import { mixingEntropy } from "../../src/losses/batch_mixing.ts";
import { optimize } from "../../src/program/optimize.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import type { Graph } from "../../src/program/graph.ts";
import { record } from "../../src/program/record.ts";
import { loopIn } from "../../src/program/row_blocks.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { oneHot } from "../../src/ops/mod.ts";
import { FEW_RUNS, floats } from "../arbitraries.ts";

const f64 = (data: number[] | number[][]) => tensor(data, { dtype: "float64" });

/** Cells on a curve. */
const cells = (n: number, d = 2) =>
  f64(
    Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_, j) => Math.sin(i + j * i))),
  );

/** How near the rows are to all cells: one number per row. */
const nearness = (rows: Tensor, all: Tensor) =>
  pairwiseSquaredDistance(rows, all).neg().exp().sum({ axis: 1 });

const graphOf = (f: (...xs: Tensor[]) => Tensor[], ...inputs: Tensor[]): Graph =>
  optimize(record(inputs, (xs) => f(...xs)));

const loopsOf = (graph: Graph) => graph.steps.flatMap((step) => loopIn(step) ?? []);

/** The values of a function and of its gradients, eagerly and as programs of every kind. */
async function assertCompiled(f: (...xs: Tensor[]) => Tensor, ...inputs: Tensor[]) {
  const slopes = (...xs: Tensor[]) =>
    grad((...ys: Tensor[]) => f(...ys).sum(), { argnums: xs.map((_, i) => i) })(...xs) as Tensor[];
  const both = (...xs: Tensor[]) => [f(...xs), ...slopes(...xs)];
  const expected = both(...inputs).map(({ data }) => data);
  const graph = graphOf(both, ...inputs);
  const team = new Team(2);
  try {
    for (const options of [{}, { wasm: false }, { team, smallestShared: 0 }]) {
      const executable = new CpuExecutable(graph, options);
      await team.ready();
      for (let again = 0; again < 2; again++) {
        assertEquals(executable.run(inputs).map(({ data }) => data), expected);
      }
    }
  } finally {
    team.dispose(new Error("The test has ended"));
  }
}

Deno.test("compiled mapRowBlocks() equals eager, bit for bit, with gradients", async () => {
  await fc.assert(
    fc.asyncProperty(
      floats([7, 2]),
      floats([4, 2]),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom("concat" as const, "sum" as const),
      async (rows, all, height, combine) => {
        const f = (block: Tensor, shared: Tensor) => {
          const found = nearness(block, shared);
          return combine === "sum" ? found.square().sum() : found;
        };
        await assertCompiled(
          (x, y) => mapRowBlocks(f, x, y, { rows: height, combine }),
          rows,
          all,
        );
      },
    ),
    FEW_RUNS,
  );
});

Deno.test("compiled mapRowBlocks() has the second-order gradients of eager ones", async () => {
  const slope = grad((x: Tensor) => mapRowBlocks(nearness, x, x, { rows: 2 }).square().sum());
  await assertCompiled((x) => slope(x).square(), cells(5));
});

Deno.test("a program keeps one body for all whole blocks, and one for the rest", () => {
  const loops = loopsOf(graphOf((x) => [mapRowBlocks(nearness, x, x, { rows: 3 })], cells(11)));
  assertEquals(loops.map(({ runs }) => runs.map(({ first, count }) => [first, count])), [
    [[0, 3], [3, 1]],
  ]);
});

Deno.test("blocks may use their offset, alone and in tensors of their own", async () => {
  const f = (block: Tensor, _all: Tensor, offset: number) => {
    const numbers = arange(block.shape[0]!, { dtype: "float64" }).add(offset);
    return block.sum({ axis: 1 }).mul(numbers).add(offset);
  };
  const g = (x: Tensor) => mapRowBlocks(f, x, x, { rows: 2 });
  await assertCompiled(g, cells(6));
  assertEquals(loopsOf(graphOf((x) => [g(x)], cells(6))).map(({ runs }) => runs.length), [1]);
});

Deno.test("blocks that do different things have bodies of their own", async () => {
  const f = (block: Tensor, _all: Tensor, offset: number) =>
    offset < 4 ? block.square() : block.exp();
  const g = (x: Tensor) => mapRowBlocks(f, x, x, { rows: 2 });
  await assertCompiled(g, cells(8));
  const [loop] = loopsOf(graphOf((x) => [g(x)], cells(8)));
  assertEquals(loop!.runs.map(({ first, count }) => [first, count]), [[0, 2], [2, 2]]);
});

Deno.test("blocks may close over arguments of the program and over constants", () => {
  const weights = f64([2, 3]);
  const f = (x: Tensor, y: Tensor) =>
    mapRowBlocks((block: Tensor) => block.mul(weights).mul(y), x, [], { rows: 2 });
  const inputs = [cells(5), f64([4, 5])];
  const graph = graphOf((x, y) => [f(x!, y!)], ...inputs);
  assertEquals(new CpuExecutable(graph).run(inputs), [f(inputs[0]!, inputs[1]!)]);
});

Deno.test("blocks may not close over what is differentiated", async () => {
  const f = (x: Tensor) =>
    grad((y: Tensor) => mapRowBlocks((block: Tensor) => block.mul(y), x, x, { rows: 2 }).sum())(x);
  await assertRejects(
    () => compile(f, [cells(4)]),
    TypeError,
    "Cannot compute mapRowBlocks as its function uses a tensor under differentiation or vmap that is " +
      "not among its arguments: pass it as an argument, or through stopGradient",
  );
});

Deno.test("loops may be nested", async () => {
  const inner = (x: Tensor, all: Tensor) => mapRowBlocks(nearness, x, all, { rows: 2 });
  await assertCompiled((x, y) => mapRowBlocks(inner, x, y, { rows: 3 }), cells(7), cells(5));
});

Deno.test("bodies may return their inputs, and what they share", async () => {
  await assertCompiled((x) => mapRowBlocks((block: Tensor) => block, x, [], { rows: 2 }), cells(5));
  await assertCompiled(
    (x) => mapRowBlocks((_: Tensor, all: Tensor) => all, x, x, { rows: 2, combine: "sum" }),
    cells(5),
  );
});

Deno.test("what is the same for all blocks is computed once", () => {
  const f = (block: Tensor, all: Tensor) => block.add(all.sum({ axis: 0 }).exp());
  const graph = graphOf((x) => [mapRowBlocks(f, x, x, { rows: 2 })], cells(7));
  const names = (g: Graph) => g.steps.map((step) => step.op.name);
  assertEquals(names(graph), ["sum", "exp", "mapRowBlocks"]);
  for (const { body } of loopsOf(graph)[0]!.runs) assertEquals(names(body), ["add"]);
});

Deno.test("what would be large stays inside of the loop", () => {
  const f = (block: Tensor, all: Tensor) => block.add(pairwiseSquaredDistance(all, all).sum());
  const graph = graphOf((x) => [mapRowBlocks(f, x, x, { rows: 2 })], cells(7));
  assertEquals(graph.steps.map((step) => step.op.name), ["mapRowBlocks"]);
});

Deno.test("steps of the way back are not shared with the way there, so nothing large is kept", () => {
  const n = 600;
  const loss = (x: Tensor) => mapRowBlocks(nearness, x, x, { rows: 10 }).log().sum();
  const step = (x: Tensor) => {
    const [value, slope] = valueAndGrad(loss)(x);
    return [value, slope];
  };
  const { memory } = new CpuExecutable(graphOf((x) => step(x!), cells(n)));
  assert(memory.bytes < 8 * n * n / 4, `${memory.bytes} bytes`);
});

const loopCount = (f: (...xs: Tensor[]) => Tensor[], ...inputs: Tensor[]) =>
  loopsOf(graphOf(f, ...inputs)).length;

Deno.test("a loss and its gradient are one loop where the gradient needs no value", () => {
  const mean = (x: Tensor) => mapRowBlocks(nearness, x, x, { rows: 3 }).mean();
  const step = (x: Tensor) => {
    const [value, slope] = valueAndGrad(mean)(x);
    return [value, slope];
  };
  const graph = graphOf((x) => step(x!), cells(8));
  const [loop, ...others] = loopsOf(graph);
  assertEquals(others, []);
  for (const { body } of loop!.runs) {
    const names = body.steps.map((s) => s.op.name);
    assertEquals(names.filter((name) => name === "pairwiseSquaredDistance").length, 1);
  }
  assertEquals(new CpuExecutable(graph).run([cells(8)]), step(cells(8)));
});

Deno.test("loops are not merged where one needs the other, or goes over other blocks", () => {
  const loop = (rows: number) => (x: Tensor, y: Tensor) => mapRowBlocks(nearness, x, y, { rows });
  const log = (x: Tensor) => loop(3)(x, x).log().sum();
  assertEquals(loopCount((x) => valueAndGrad(log)(x!), cells(8)), 2);
  assertEquals(loopCount((x, y) => [loop(3)(x!, x!), loop(2)(x!, y!)], cells(8), cells(6)), 2);
  assertEquals(loopCount((x, y) => [loop(2)(x!, x!), loop(2)(x!, y!)], cells(8), cells(6)), 1);
});

Deno.test("merged loops give what they gave alone, whatever lies between", () => {
  const f = (x: Tensor, y: Tensor) => {
    const a = mapRowBlocks(nearness, x, y, { rows: 3 });
    const between = a.log().sum();
    const b = mapRowBlocks((rows: Tensor) => rows.mul(2), x.exp(), [], { rows: 3 });
    const c = mapRowBlocks(
      (rows: Tensor, all: Tensor) => rows.sum({ axis: 1 }).mul(all),
      x,
      a.sum(),
      {
        rows: 3,
      },
    );
    return [between, a, b, c];
  };
  const inputs = [cells(8), cells(5)];
  const graph = graphOf((x, y) => f(x!, y!), ...inputs);
  assertEquals(loopsOf(graph).length, 2);
  assertEquals(new CpuExecutable(graph).run(inputs), f(inputs[0]!, inputs[1]!));
});

Deno.test("losses that compare all cells are the same block by block in programs", async () => {
  const x = cells(9, 3);
  const batches = oneHot([0, 1, 2, 0, 1, 2, 0, 0, 1], 3, { dtype: "float64" });
  for (const selection of ["topk", "soft"] as const) {
    const settings = { neighbours: 3, temperature: 1 };
    const perRow = selection === "topk" ? 9 : 81;
    const f = (y: Tensor) => mixingEntropy(y, batches, settings, selection, 2 * perRow);
    await assertCompiled(f, x);
  }
});

Deno.test("a large loss compiles to a loop", () => {
  const x = cells(2100, 2);
  const labels = Array.from({ length: 2100 }, (_, i) => i % 3);
  const losses = {
    batchMixingLoss: (y: Tensor) => batchMixingLoss(y, labels),
    elasticCellSimilarityLoss: (y: Tensor) => elasticCellSimilarityLoss(y),
    contrastiveCellEmbeddingLoss: (y: Tensor) => contrastiveCellEmbeddingLoss(y, y.mul(2)),
  };
  for (const [name, loss] of Object.entries(losses)) {
    const graph = graphOf((y) => [grad(loss)(y!)], x);
    assert(loopsOf(graph).length > 0, name);
    const { memory } = new CpuExecutable(graph);
    // Some matrices of a block of rows, where all pairs alone are 35 MB.
    assert(memory.bytes < 20 * 8 * 2 ** 22, `${name}: ${memory.bytes} bytes`);
  }
});

Deno.test("explain() shows a loop's bodies and counts their work for every block", async () => {
  const f = (x: Tensor) => mapRowBlocks(nearness, x, x, { rows: 4 });
  await using program = await compile(f, [cells(10)]);
  const text = program.explain();
  assertMatch(text, /mapRowBlocks\(%0\)/);
  assertMatch(text, /2 blocks: .*float64\[4, 2\] = rows of %0/);
  assertMatch(text, /1 block: .*float64\[2, 2\] = rows of %0/);
  // Of ten rows with ten cells: 6 for a distance, 3 for its exponential and the sum.
  assertMatch(text, /^program on cpu: 1 step, 900 FLOP/);
});

Deno.test("a checkpoint is a body of its own, computed again on the way back", async () => {
  const layer = checkpoint((x: Tensor) => x.square().add(1).log());
  await assertCompiled((x) => layer(layer(x)), cells(5));
});

Deno.test("a program with checkpoints needs less memory than without", () => {
  const layer = (x: Tensor) => x.matmul(x).tanh().exp().matmul(x).tanh();
  const bytesOf = (f: (x: Tensor) => Tensor) => {
    const loss = (x: Tensor) => f(f(f(f(f(f(f(f(x)))))))).sum();
    return new CpuExecutable(graphOf((x) => [grad(loss)(x!)], cells(100, 100))).memory.bytes;
  };
  const [plain, saving] = [bytesOf(layer), bytesOf(checkpoint(layer))];
  assert(saving < 0.7 * plain, `${saving} of ${plain} bytes`);
});
