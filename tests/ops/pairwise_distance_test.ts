/** Distances of all pairs of rows, of any order. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import type { Graph } from "../../src/program/graph.ts";
import { record } from "../../src/program/record.ts";
import { loopIn } from "../../src/program/row_blocks.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { floats, RUNS } from "../arbitraries.ts";
import { assertLikeEager, gpuTest } from "../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;

const ORDERS = [1, 1.5, 2, 3, 4, Infinity];
const TIGHT = { rtol: 1e-13, atol: 1e-13 };

const f64 = (values: cg.NestedArray) => cg.tensor(values, { dtype: "float64" });
const waves = (shape: number[], phase = 0, dtype: "float32" | "float64" = "float64") => {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length }, (_, i) => Math.sin(7 * i + phase));
  return cg.tensor(data, { shape, dtype });
};

/** By definition, of plain arrays. */
function expected(x: Tensor, y: Tensor, p: number): Tensor {
  const [rows, others] = [x, y].map((z) => z.toArray() as number[][]);
  const distance = (a: number[], b: number[]) => {
    const sizes = a.map((v, k) => Math.abs(v - b[k]!));
    return p === Infinity
      ? Math.max(...sizes)
      : sizes.reduce((sum, size) => sum + size ** p, 0) ** (1 / p);
  };
  return f64(rows!.map((a) => others!.map((b) => distance(a, b))));
}

const clouds = fc.tuple(floats([4, 3]), floats([2, 3]));

for (const p of ORDERS) {
  const distance = (x: Tensor, y: Tensor) => cg.pairwiseDistance(x, y, { p });

  Deno.test(`pairwiseDistance() with p = ${p} is what plain arrays give, squared too`, () => {
    fc.assert(
      fc.property(clouds, ([x, y]) => {
        const wanted = expected(x, y, p);
        assertAllClose(distance(x, y), wanted, TIGHT);
        assertAllClose(cg.pairwiseDistance(x, y, { p, squared: true }), wanted.square(), TIGHT);
      }),
      RUNS,
    );
  });

  Deno.test(`pairwiseDistance() with p = ${p} has the right first and second derivatives`, () => {
    for (const phase of [0, 1, 2]) {
      const inputs = [waves([4, 3], phase), waves([2, 3], phase + 0.5)];
      for (const squared of [false, true]) {
        const call = (a: Tensor, b: Tensor) => cg.pairwiseDistance(a, b, { p, squared }).square();
        checkGradients(call, inputs, { order: 2, rtol: 1e-5, atol: 1e-6 });
      }
    }
  });

  Deno.test(`pairwiseDistance() with p = ${p} has derivatives of third order`, () => {
    const [x, y, v] = [waves([3, 2]), waves([4, 2], 1), waves([3, 2], 2)];
    const slope = cg.grad((a: Tensor) => distance(a, y).square().sum());
    const bend = (a: Tensor) => cg.grad((b: Tensor) => slope(b).mul(v).sum())(a);
    checkGradients(bend, [x], { rtol: 1e-5, atol: 1e-6 });
  });

  Deno.test(`pairwiseDistance() with p = ${p} has gradient 0 between equal rows, to any order`, () => {
    const x = f64([[1, 2], [1, 2]]);
    const slope = (a: Tensor) => cg.grad((b: Tensor) => distance(b, b).sum())(a);
    const bend = (a: Tensor) => cg.grad((b: Tensor) => slope(b).sum())(a);
    for (const found of [slope(x), bend(x), cg.grad((a: Tensor) => bend(a).sum())(x)]) {
      assertEquals(found.mul(1).data.map(Math.abs), new Float64Array(4));
    }
    const watched = cg.grad((a: Tensor) => distance(a, x).sum(), { checkNaN: true })(x);
    assertEquals(watched.data.map(Math.abs), new Float64Array(4));
  });

  Deno.test(`pairwiseDistance() with p = ${p} is a distance, whatever moves`, () => {
    fc.assert(
      fc.property(floats([3, 2]), floats([1, 2]), (x, shift) => {
        const d = distance(x, x);
        assertEquals(d.toArray(), d.transpose().toArray());
        assertEquals(cg.diag(d).toArray(), [0, 0, 0]);
        const [ab, ac, bc] = [d.at(0, 1), d.at(0, 2), d.at(1, 2)].map((v) => v.item());
        assertLessOrEqual(ac!, ab! + bc! + 1e-12);
        assertAllClose(distance(x.add(shift), x.add(shift)), d, { rtol: 1e-9, atol: 1e-12 });
        assertAllClose(distance(x.mul(-3), x.mul(-3)), d.mul(3), TIGHT);
      }),
      RUNS,
    );
  });

  Deno.test(`pairwiseDistance() with p = ${p} of float32 is finite where squares would do`, () => {
    const x = cg.tensor([[1e4, -1e4, 0], [0, 0, 0], [0, 0, 1e-6]]);
    const [value, slope] = cg.valueAndGrad((a: Tensor) => distance(a, a).sum())(x);
    assertEquals([value.dtype, slope.dtype], ["float32", "float32"]);
    assert(Number.isFinite(value.item()) && cg.all(cg.isFinite(slope)).item());
  });

  Deno.test(`pairwiseDistance() with p = ${p} passes NaN on, and to its own pairs only`, () => {
    const found = distance(f64([[NaN, 1], [0, 0]]), f64([[3, 0]])).toArray();
    assertEquals(found, [[NaN], [3]]);
    assertEquals(distance(f64([[Infinity, 1]]), f64([[3, 0]])).toArray(), [[Infinity]]);
  });

  Deno.test(`pairwiseDistance() with p = ${p} takes rows, columns or no rows at all`, () => {
    assertEquals(distance(cg.ones([0, 2]), cg.ones([3, 2])).shape, [0, 3]);
    assertEquals(distance(cg.ones([2, 2]), cg.ones([0, 2])).shape, [2, 0]);
    assertEquals(distance(cg.ones([1, 0]), cg.ones([2, 0])).toArray(), [[0, 0]]);
  });

  Deno.test(`pairwiseDistance() with p = ${p} is mapped and pushed forward`, () => {
    const [x, y] = [waves([3, 4, 2]), waves([5, 2], 1)];
    const each = cg.vmap((a: Tensor) => distance(a, y))(x);
    assertAllClose(each.at(1), distance(x.at(1), y), TIGHT);
    const slopes = (a: Tensor) => cg.grad((b: Tensor) => distance(b, y).sum())(a);
    assertAllClose(cg.vmap(slopes)(x).at(2), slopes(x.at(2)), TIGHT);
    const [, pushed] = cg.jvp((a: Tensor) => distance(a, y), [x.at(0)], [x.at(1)]);
    const pulled = cg.grad((a: Tensor) => distance(a, y).sum())(x.at(0)).mul(x.at(1)).sum();
    assertAllClose(pushed.sum(), pulled, TIGHT);
  });

  Deno.test(`pairwiseDistance() with p = ${p} compiled is what it is`, async () => {
    const step = cg.valueAndGrad((a: Tensor, b: Tensor) => distance(a, b).square().sum(), {
      argnums: [0, 1],
    });
    const inputs = [waves([9, 3]), waves([6, 3], 1)] as const;
    await using program = await cg.compile(step as (...x: Tensor[]) => unknown, [...inputs]);
    const [value, slopes] = await program(...inputs) as [Tensor, Tensor[]];
    const [eager, all] = step(...inputs) as unknown as [Tensor, Tensor[]];
    assertAllClose(value, eager, TIGHT);
    slopes.forEach((slope, i) => assertAllClose(slope, all[i]!, TIGHT));
  });
}

gpuTest("pairwiseDistance() on a device is what it is, in blocks too", async (gpu) => {
  for (const [n, m, d] of [[9, 6, 3], [5, 30, 7000]] as const) {
    for (const p of n === 9 ? ORDERS : [1]) {
      const loss = (a: Tensor, b: Tensor) => cg.pairwiseDistance(a, b, { p }).div(d).square().sum();
      const step = (...inputs: Tensor[]) => {
        const [value, slopes] = cg.valueAndGrad(loss as never, { argnums: [0, 1] })(...inputs);
        return [value, ...slopes as unknown as Tensor[]] as Tensor[];
      };
      const inputs = [waves([n, d]), waves([m, d], 1)];
      await assertLikeEager(gpu, step, inputs, { rtol: 1e-4, atol: 1e-6 });
    }
  }
});

/** So many differences that some rows are a block. */
const MANY = { x: [5, 700], y: [300, 700] };

for (const p of [1, 3, Infinity]) {
  Deno.test(`pairwiseDistance() with p = ${p} of many differences is that of each row`, () => {
    const [x, y] = [waves(MANY.x), waves(MANY.y, 1)];
    const weights = waves([5, 300], 2);
    const loss = (a: Tensor, b: Tensor, w: Tensor) =>
      cg.pairwiseDistance(a, b, { p }).square().mul(w).sum();
    const [value, [ofX, ofY]] = cg.valueAndGrad(loss, { argnums: [0, 1] })(x, y, weights);
    const rows = [0, 1, 2, 3, 4].map((i) =>
      [x, weights].map((z) => cg.slice(z, [i, 0], [i + 1, z.shape[1]!]))
    );
    const each = rows.map(([a, w]) =>
      cg.valueAndGrad(loss, { argnums: [0, 1] })(a!, y, w!) as unknown as [Tensor, Tensor[]]
    );
    const sum = (all: Tensor[]) => all.reduce((a, b) => a.add(b));
    const close = { rtol: 1e-10, atol: 1e-11 };
    assertAllClose(value, sum(each.map(([v]) => v)), close);
    assertAllClose(ofX!, cg.concat(each.map(([, g]) => g[0]!)), close);
    assertAllClose(ofY!, sum(each.map(([, g]) => g[1]!)), close);
  });
}

/** The most values of a step, and in the body of a loop. */
function largestStep({ values, steps }: Graph): number {
  return Math.max(
    ...values.map(({ shape }) => shape.reduce((a, b) => a * b, 1)),
    ...steps.flatMap((step) => loopIn(step)?.runs.map(({ body }) => largestStep(body)) ?? []),
  );
}

Deno.test("pairwiseDistance() needs room for the pairs and a block of differences", () => {
  for (const p of [1, 2.5, Infinity]) {
    const specs = [{ shape: [900, 50], dtype: "float32" }, { shape: [800, 50], dtype: "float32" }];
    const graph = record(specs as never, ([x, y]) => {
      const loss = (a: Tensor, b: Tensor) => cg.pairwiseDistance(a, b, { p }).sum();
      const [value, slopes] = cg.valueAndGrad(loss, { argnums: [0, 1] })(x!, y!);
      return [value, ...slopes as unknown as Tensor[]];
    });
    assertLessOrEqual(largestStep(graph), 900 * 800 + 2 * 900 * 50);
  }
});

Deno.test("pairwiseDistance() keeps its digits far from the origin", () => {
  for (const p of ORDERS) {
    const found = cg.pairwiseDistance(cg.tensor([[4096, 4096.5]]), [[4096, 4096]], { p });
    assertEquals(found.toArray(), [[0.5]]);
  }
});

Deno.test("pairwiseDistance() of a high order neither overflows nor vanishes", () => {
  const x = cg.tensor([[1e30, -1e30], [1e-30, 1e-30], [1e-5, 0]]);
  const found = cg.pairwiseDistance(x, [[0, 0]], { p: 20 });
  const root = 2 ** (1 / 20);
  assertAllClose(found, [[1e30 * root], [1e-30 * root], [1e-5]], { rtol: 1e-6, atol: 0 });
});

Deno.test("pairwiseDistance() shares the gradient among several largest differences", () => {
  const slope = (p: number, x: number[][]) =>
    cg.grad((a: Tensor) => cg.pairwiseDistance(a, [[0, 0]], { p }).sum())(f64(x)).toArray();
  assertEquals(slope(Infinity, [[3, -3], [1, -2]]), [[0.5, -0.5], [0, -1]]);
  assertEquals(slope(1, [[3, 0], [-1, 2]]), [[1, 0], [-1, 1]]);
});
