/** mapRowBlocks: blocks, what is put together, gradients to any order, memory, messages. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  argMin,
  checkpoint,
  compile,
  grad,
  hessian,
  hvp,
  jvp,
  log,
  mapRowBlocks,
  type MapRowBlocksOptions,
  pairwiseSquaredDistance,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import { Tape } from "../../src/trace.ts";
import { FEW_RUNS, floats, RUNS } from "../arbitraries.ts";

const f64 = (data: number[] | number[][]) => tensor(data, { dtype: "float64" });

/** The order of the sums is all that blocks change. */
const assertSame = (actual: Tensor, expected: Tensor) =>
  assertAllClose(actual, expected, { rtol: 1e-12, atol: 1e-12 });

const message = (f: () => unknown, kind: new () => Error = TypeError) =>
  assertThrows(f, kind).message;

/** A smooth comparison of rows with all cells: one number per row. */
const likeness = (rows: Tensor, cells: Tensor) =>
  pairwiseSquaredDistance(rows, cells).neg().exp().sum({ axis: 1 });

const cases = fc.record({
  rows: floats([5, 2]),
  cells: floats([4, 2]),
  weights: floats([5]),
  height: fc.integer({ min: 1, max: 6 }),
});

Deno.test("mapRowBlocks() passes blocks of rows with their offsets, the last one smaller", () => {
  const seen: unknown[] = [];
  mapRowBlocks(
    (block: Tensor, shared: Tensor, offset) => {
      seen.push([block.toArray(), shared.toArray(), offset]);
      return block;
    },
    [[1, 2], [3, 4], [5, 6]],
    7,
    { rows: 2 },
  );
  assertEquals(seen, [[[[1, 2], [3, 4]], 7, 0], [[[5, 6]], 7, 2]]);
});

Deno.test("mapRowBlocks() puts the results one behind the other by default", () => {
  const double = (block: Tensor, by: Tensor) => block.mul(by);
  for (const rows of [1, 2, 3, 9]) {
    const results = mapRowBlocks(double, [[1], [2], [3]], 2, { rows });
    assertEquals(results.toArray(), [[2], [4], [6]]);
  }
});

Deno.test("mapRowBlocks() adds the results up with sum", () => {
  const total = (block: Tensor, by: Tensor) => block.mul(by).sum();
  for (const rows of [1, 2, 3, 9]) {
    const result = mapRowBlocks(total, [[1], [2], [3]], 2, { rows, combine: "sum" });
    assertEquals([result.shape, result.item()], [[], 12]);
  }
});

Deno.test("mapRowBlocks() takes an option that is undefined for missing", () => {
  const results = mapRowBlocks((x: Tensor) => x, [1, 2], [], { rows: 1, combine: undefined });
  assertEquals(results.toArray(), [1, 2]);
});

Deno.test("mapRowBlocks() takes arrays and objects of tensors of any type, as they are", () => {
  type Block = { cells: Tensor; labels: [Tensor] };
  const pick = ({ cells, labels: [labels] }: Block, [scale, codes]: [Tensor, Tensor]) =>
    cells.mul(scale).add(codes.gather(labels));
  const results = mapRowBlocks(
    pick,
    { cells: f64([1, 2, 3]), labels: [Int32Array.of(0, 1, 0)] },
    [10, tensor([100, 200], { dtype: "int32" })],
    { rows: 2 },
  );
  assertEquals([results.dtype, results.toArray()], ["float64", [110, 220, 130]]);
});

Deno.test("mapRowBlocks() without rows computes one empty block", () => {
  const empty = zeros([0, 3]);
  const sums = (block: Tensor) => block.sum({ axis: 1 });
  assertEquals(mapRowBlocks(sums, empty, [], { rows: 2 }).shape, [0]);
  const total = (x: Tensor) =>
    mapRowBlocks((block: Tensor) => block.sum(), x, [], { rows: 2, combine: "sum" });
  assertEquals(total(empty).item(), 0);
  assertEquals(grad(total)(empty).shape, [0, 3]);
});

Deno.test("mapRowBlocks() gives integers where its function does, without a gradient", () => {
  const nearest = (x: Tensor) =>
    mapRowBlocks(
      (rows: Tensor, all: Tensor) => argMin(pairwiseSquaredDistance(rows, all), { axis: 1 }),
      x,
      [[0], [9]],
      { rows: 1 },
    );
  assertEquals(nearest(f64([[1], [8]])).toArray(), [0, 1]);
  const gradient = grad((x: Tensor) => nearest(x).cast("float64").mul(x.reshape([-1])).sum());
  assertEquals(gradient(f64([[1], [8]])).toArray(), [[0], [1]]);
});

Deno.test("mapRowBlocks() has the value and gradients of all rows at once", () => {
  fc.assert(
    fc.property(cases, ({ rows, cells, weights, height }) => {
      const blocks = (x: Tensor, y: Tensor) => mapRowBlocks(likeness, x, y, { rows: height });
      const loss = (f: typeof likeness) => (x: Tensor, y: Tensor) => f(x, y).mul(weights).sum();
      const [value, gradients] = valueAndGrad(loss(blocks), { argnums: [0, 1] })(rows, cells);
      const [expected, whole] = valueAndGrad(loss(likeness), { argnums: [0, 1] })(rows, cells);
      assertSame(value, expected);
      gradients.forEach((gradient, i) => assertSame(gradient, whole[i]!));
    }),
    RUNS,
  );
});

Deno.test("mapRowBlocks() with sum has the value and gradients of all rows at once", () => {
  fc.assert(
    fc.property(cases, ({ rows, cells, weights, height }) => {
      const totals = ([x, w]: [Tensor, Tensor], [y]: [Tensor]) =>
        likeness(x, y).mul(w).sum().mul([1, -2]);
      const whole = (x: Tensor, y: Tensor, w: Tensor) => totals([x, w], [y]);
      const blocks = (x: Tensor, y: Tensor, w: Tensor) =>
        mapRowBlocks(totals, [x, w], [y], { rows: height, combine: "sum" });
      const objective = (f: typeof whole) =>
        valueAndGrad((...xs: [Tensor, Tensor, Tensor]) => f(...xs).square().sum(), {
          argnums: [2, 0, 1],
        });
      const [value, gradients] = objective(blocks)(rows, cells, weights);
      const [expected, expectedGradients] = objective(whole)(rows, cells, weights);
      assertSame(value, expected);
      gradients.forEach((gradient, i) => assertSame(gradient, expectedGradients[i]!));
    }),
    RUNS,
  );
});

/** Cells compared with themselves, whole and in blocks: the same tensor in both places. */
const whole = (x: Tensor) => likeness(x, x).square().sum();
const inBlocks = (x: Tensor) => mapRowBlocks(likeness, x, x, { rows: 2 }).square().sum();

Deno.test("mapRowBlocks() has the second derivatives of all rows at once", () => {
  fc.assert(
    fc.property(floats([5, 2]), floats([5, 2]), (x, v) => {
      assertSame(hvp(inBlocks)(x, v), hvp(whole)(x, v));
      assertSame(jvp(inBlocks, [x], [v])[1], jvp(whole, [x], [v])[1]);
    }),
    FEW_RUNS,
  );
});

Deno.test("mapRowBlocks() has the third derivatives of all rows at once", () => {
  const third = (f: typeof whole, v: Tensor) => grad((x: Tensor) => hvp(f)(x, v).mul(v).sum());
  fc.assert(
    fc.property(floats([3, 2]), floats([3, 2]), (x, v) => {
      assertSame(third(inBlocks, v)(x), third(whole, v)(x));
    }),
    FEW_RUNS,
  );
});

Deno.test("mapRowBlocks() inside of itself and of checkpoint() equals the plain function", () => {
  const inner = (row: Tensor, cells: Tensor) =>
    mapRowBlocks(likeness, cells, row, { rows: 1 }).sum().reshape([1]);
  const nested = checkpoint((x: Tensor) => mapRowBlocks(inner, x, x, { rows: 1 }).square().sum());
  const x = f64([[0, 1], [0.5, 0.25], [2, 1]]);
  assertSame(grad(nested)(x), grad(whole)(x));
  assertSame(hessian(nested)(x), hessian(whole)(x));
});

Deno.test("mapRowBlocks() gives each gradient the type of its input", () => {
  const f = (x: Tensor, y: Tensor) => mapRowBlocks(likeness, x, y, { rows: 1 }).sum();
  const [byRows, byCells] = grad(f, { argnums: [0, 1] })(tensor([[1], [2]]), f64([[0], [4]]));
  assertEquals([byRows.dtype, byCells.dtype], ["float32", "float64"]);
});

Deno.test("mapRowBlocks() in float32 adds its blocks up to about 1e-6", () => {
  const cells = tensor(Float32Array.from({ length: 600 }, (_, i) => Math.sin(i * i)), {
    shape: [300, 2],
  });
  const blocks = (x: Tensor) => mapRowBlocks(likeness, x, x, { rows: 1 }).sum();
  const gradient = grad(blocks)(cells);
  const expected = grad((x: Tensor) => likeness(x, x).sum())(cells.cast("float64"));
  assertAllClose(gradient, expected, { rtol: 0, atol: 1e-6 * expected.abs().max().item() });
});

Deno.test("mapRowBlocks() passes a gradient of 0 to what its function ignores", () => {
  const f = (x: Tensor, y: Tensor) => mapRowBlocks((rows: Tensor) => rows, x, y, { rows: 1 }).sum();
  assertEquals(grad(f, { argnums: 1 })(tensor([1, 2]), [3, 4, 5]).toArray(), [0, 0, 0]);
});

Deno.test("mapRowBlocks() computes each block once, and once again per gradient", () => {
  const heights: number[] = [];
  const f = (x: Tensor) =>
    mapRowBlocks(
      (block: Tensor, all: Tensor) => {
        heights.push(block.shape[0]!);
        return likeness(block, all);
      },
      x,
      x,
      { rows: 2 },
    ).sum();
  const x = f64([[1], [2], [3]]);
  f(x);
  assertEquals(heights.splice(0), [2, 1]);
  grad(f)(x);
  assertEquals(heights.splice(0), [2, 1, 2, 1]);
});

/** How many steps a tape keeps of a function of some cells. */
function countSteps(f: (x: Tensor) => Tensor, cells: number): number {
  const tape = new Tape("test");
  f(tape.watch(f64(Array.from({ length: cells }, (_, i) => [i]))));
  tape.close();
  return tape.entries.length;
}

Deno.test("mapRowBlocks() leaves a single step on the tape, however many blocks there are", () => {
  assertEquals(countSteps((x) => mapRowBlocks(likeness, x, x, { rows: 1 }), 9), 2);
});

Deno.test("mapRowBlocks() keeps nothing of the blocks of its gradient for higher orders", () => {
  const gradient = grad((x: Tensor) => mapRowBlocks(likeness, x, x, { rows: 1 }).sum());
  assertEquals(countSteps(gradient, 9), countSteps(gradient, 3));
});

Deno.test("mapRowBlocks() compiles to what it gives eagerly, gradients included", async () => {
  const f = (x: Tensor, v: Tensor) => [...valueAndGrad(inBlocks)(x), hvp(inBlocks)(x, v)];
  const [x, v] = [f64([[0, 1], [0.5, 0.25], [2, 1]]), f64([[1, 0], [0, 1], [1, 1]])];
  await using program = await compile(f, [x, v]);
  const results = await program(x, v);
  f(x, v).forEach((expected, i) => assertSame(results[i]!, expected));
});

Deno.test("mapRowBlocks() is named by checkNaN where its function makes NaN", () => {
  const f = (x: Tensor) => mapRowBlocks((block: Tensor) => log(block), x, [], { rows: 1 }).sum();
  assertEquals(
    message(() => grad(f, { checkNaN: true })([1, -1]), RangeError),
    "Cannot continue grad as mapRowBlocks produced NaN: 1 of 2 values",
  );
});

Deno.test("mapRowBlocks() rejects a function that uses what is differentiated besides", () => {
  const expected =
    "Cannot compute mapRowBlocks as its function uses a tensor under differentiation or vmap that is " +
    "not among its arguments: pass it as an argument, or through stopGradient";
  for (const combine of ["concat", "sum"] as const) {
    const options = { rows: 1, combine };
    const outside = (x: Tensor) => mapRowBlocks((b: Tensor) => b.mul(x), [1, 2], [], options).sum();
    assertEquals(message(() => grad(outside)(3)), expected);
    const besides = (x: Tensor) =>
      grad((y: Tensor) => mapRowBlocks((b: Tensor) => b.mul(x), y, [], options).sum())([1, 2])
        .sum();
    assertEquals(message(() => grad(besides)(3)), expected);
  }
});

const call = (options: unknown, rowInputs: unknown = [1, 2]) =>
  message(() =>
    mapRowBlocks((x: unknown) => x as Tensor, rowInputs, [], options as MapRowBlocksOptions)
  );

Deno.test("mapRowBlocks() rejects row inputs without rows, or with unequally many", () => {
  const must =
    "Cannot compute mapRowBlocks as rowInputs must hold tensors with equally many rows: ";
  assertEquals(call({ rows: 1 }, []), must + "there is no tensor");
  assertEquals(call({ rows: 1 }, [tensor(1)]), must + "current shapes are []");
  assertEquals(
    call({ rows: 1 }, [tensor([1]), zeros([2, 3])]),
    must + "current shapes are [1] and [2, 3]",
  );
});

Deno.test("mapRowBlocks() rejects inputs that are no tensors, saying where", () => {
  const wrong = (rows: unknown, shared: unknown) =>
    message(() => mapRowBlocks((x: Tensor) => x, rows as Tensor, shared as Tensor, { rows: 1 }));
  const must = 'must be a tensor, or an array or plain object of tensors: current value is "x"';
  assertEquals(wrong({ a: "x" }, []), `Cannot compute mapRowBlocks as rowInputs.a ${must}`);
  assertEquals(wrong([1], ["x"]), `Cannot compute mapRowBlocks as sharedInputs[0] ${must}`);
});

Deno.test("mapRowBlocks() rejects options that do not exist or are out of range", () => {
  assertEquals(
    call({ rows: 1, reduce: "sum" }),
    "Cannot compute mapRowBlocks as there is no option reduce: did you mean combine? " +
      "The options are rows, combine",
  );
  assertEquals(
    call({ rows: 1, combine: "mean" }),
    "Cannot compute mapRowBlocks as combine must be one of concat, sum: current value is mean",
  );
  assertEquals(
    call({}),
    "Cannot compute mapRowBlocks as rows must be a whole number: current value is undefined",
  );
  for (const rows of [0, 1.5]) {
    assertEquals(
      message(() => mapRowBlocks((x: Tensor) => x, [1], [], { rows }), RangeError),
      `Cannot compute mapRowBlocks as rows must be a whole number at least 1: ` +
        `current value is ${rows}`,
    );
  }
});

Deno.test("mapRowBlocks() refuses blocks of several types, compiled or not", async () => {
  const types = ["float32", "float64", "int32", "bool"] as const;
  for (const [one, other] of types.flatMap((a) => types.map((b) => [a, b] as const))) {
    const f = (x: Tensor) =>
      mapRowBlocks((b: Tensor, _, offset) => b.cast(offset === 0 ? one : other), x, [], {
        rows: 2,
      });
    const x = tensor([1, 0, 1]);
    if (one === other) assertEquals((await (await compile(f, [x]))(x)).toArray(), f(x).toArray());
    else {
      const expected = `current results are ${one} [2] and ${other} [1]`;
      assertStringIncludes(message(() => f(x)), expected);
      await assertRejects(() => compile(f, [x]), TypeError, expected);
    }
  }
});

Deno.test("mapRowBlocks() counts booleans, in blocks of any height, compiled too", async () => {
  const x = tensor([1, -2, 3, 4]);
  for (const rows of [1, 3, 9]) {
    const f = (x: Tensor) =>
      mapRowBlocks((b: Tensor) => b.greater(0).any(), x, [], { rows, combine: "sum" });
    await using program = await compile(f, [x]);
    for (const y of [f(x), await program(x)]) {
      assertEquals([y.dtype, y.item()], ["int32", [0, 3, 0, 2, 0, 0, 0, 0, 0, 1][rows]]);
    }
  }
});

const returning = (f: (block: Tensor) => unknown, combine: "concat" | "sum") =>
  message(() => mapRowBlocks((x: Tensor) => f(x) as Tensor, [1, 2, 3], [], { rows: 2, combine }));

Deno.test("mapRowBlocks() rejects results that are no tensor or do not fit together", () => {
  assertEquals(
    returning(() => 5, "sum"),
    "Cannot compute mapRowBlocks as f must return one tensor: current value is number",
  );
  const must =
    "Cannot compute mapRowBlocks as f must return one row for each of the 2 rows of its " +
    'block: current shape is [], [1]; combine "sum" adds results up';
  assertEquals(returning((x) => x.sum(), "concat"), must.replace("[], [1]", "[]"));
  assertEquals(returning((x) => x.slice(0, 1), "concat"), must.replace("[], [1]", "[1]"));
  const fit = "Cannot compute mapRowBlocks as the results of all blocks must fit together: ";
  assertEquals(returning((x) => x, "sum"), fit + "current results are float32 [2] and float32 [1]");
  assertEquals(
    returning((x) => zeros([x.size, x.size]), "concat"),
    fit + "current results are float32 [2, 2] and float32 [1, 1]",
  );
});
