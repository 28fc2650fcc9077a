import { grad, type Tensor, zeros } from "@cellgrad/cellgrad";
import { sinkhornDivergence, slicedWasserstein, wasserstein1d } from "@cellgrad/cellgrad/losses";
import { key, normal } from "@cellgrad/cellgrad/random";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/wasserstein.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const powers = fc.constantFrom(1, 1.5, 2, 3);
const samples = fc.record({ x: floats([4]), y: floats([6]) });
const clouds = fc.record({ x: floats([4, 2]), y: floats([3, 2]) });

Deno.test("wasserstein1d() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.wasserstein!);
});

Deno.test("wasserstein1d() of equally many numbers is the mean difference in order", () => {
  fc.assert(
    fc.property(floats([5]), floats([5]), powers, permutations(5), (x, y, p, order) => {
      const gaps = x.sort().sub(y.sort()).abs().pow(p);
      assertSame(wasserstein1d(x, y, { p }), gaps.mean().pow(1 / p));
      assertSame(wasserstein1d(reorder(x, order), y, { p }), wasserstein1d(x, y, { p }));
    }),
    RUNS,
  );
});

Deno.test("wasserstein1d() does not change when all numbers are there several times", () => {
  fc.assert(
    fc.property(samples, powers, ({ x, y }, p) => {
      const twice = reorder(x, [0, 0, 1, 1, 2, 2, 3, 3]);
      assertSame(wasserstein1d(twice, y, { p }), wasserstein1d(x, y, { p }));
    }),
    RUNS,
  );
});

Deno.test("wasserstein1d() is a metric that moves and grows with the numbers", () => {
  fc.assert(
    fc.property(
      samples,
      floats([3]),
      powers,
      gridNumbers(0.1, 9),
      ({ x, y }, z, p, scale) => {
        const distance = (a: Tensor, b: Tensor) => wasserstein1d(a, b, { p });
        assertSame(distance(y, x), distance(x, y));
        assertSame(distance(x, x), 0);
        assertLess(distance(x, y).item(), distance(x, z).add(distance(z, y)).item() + 1e-12);
        assertSame(distance(x.mul(scale), y.mul(scale)), distance(x, y).mul(scale));
        assertSame(distance(x.add(scale), y.add(scale)), distance(x, y));
        assertSame(distance(x.add(scale), x), scale);
        assertLess(wasserstein1d(x, y).item(), distance(x, y).item() + 1e-12);
      },
    ),
    RUNS,
  );
});

Deno.test("wasserstein1d() is what a plan without entropy costs", () => {
  const [x, y] = [f64([0, 2, 5]), f64([1, 1.5, 7])];
  const options = { epsilon: 1e-3, p: 2, iterations: 500 };
  const plan = sinkhornDivergence(x.reshape(3, 1), y.reshape(3, 1), options);
  assertAlmostEquals(wasserstein1d(x, y, { p: 2 }).square().div(2).item(), plan.item(), 1e-6);
});

Deno.test("wasserstein1d() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(powers, fc.integer({ min: 0, max: 99 }), (p, seed) => {
      const [x, y] = [normal(key(seed), [4], { dtype: "float64" }), normal(key(seed + 100), [6])];
      const loss = (x: Tensor, y: Tensor) => wasserstein1d(x, y, { p });
      checkGradients(loss, [x, y.cast("float64")], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("wasserstein1d() has gradient 0 where the distance is 0", () => {
  for (const p of [1, 2, 3]) {
    assertAllZero(grad((x: Tensor) => wasserstein1d(x, [2, 1, 2], { p }))([1, 2, 2]));
  }
});

Deno.test("wasserstein1d() is finite for extreme numbers and powers", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const p of [1, 2, 40]) {
      const [x, y] = [f64([1e30, 0, 1e-30]).cast(dtype), f64([-1e30, 1e-30]).cast(dtype)];
      assertFinite((x, y) => wasserstein1d(x, y, { p }), [x, y]);
      assertFinite((x, y) => wasserstein1d(x.mul(1e-30), y.mul(1e-30), { p }), [x, y]);
    }
  }
});

Deno.test("slicedWasserstein() of one feature is wasserstein1d()", () => {
  fc.assert(
    fc.property(samples, powers, ({ x, y }, p) => {
      const sliced = slicedWasserstein(x.reshape(4, 1), y.reshape(6, 1), { key: key(1), p });
      assertAllClose(sliced, wasserstein1d(x, y, { p }), { rtol: 1e-10 });
    }),
    RUNS,
  );
});

Deno.test("slicedWasserstein() is the mean over directions of length 1, as powers", () => {
  fc.assert(
    fc.property(clouds, powers, ({ x, y }, p) => {
      const drawn = normal(key(7), [5, 2], { dtype: "float64" });
      const lines = drawn.div(drawn.norm({ axis: 1, keepDims: true }));
      const parts = [0, 1, 2, 3, 4].map((i) =>
        wasserstein1d(x.matmul(lines.at(i)), y.matmul(lines.at(i)), { p }).pow(p).item()
      );
      const mean = parts.reduce((a, b) => a + b) / 5;
      const sliced = slicedWasserstein(x, y, { key: key(7), projections: 5, p });
      assertAlmostEquals(sliced.item(), mean ** (1 / p), 1e-10);
    }),
    RUNS,
  );
});

Deno.test("slicedWasserstein() of a cloud that has moved is 1/√d of the way, p being 2", () => {
  const x = normal(key(0), [20, 4], { dtype: "float64" });
  const way = slicedWasserstein(x, x.add(3), { key: key(1), projections: 4000 }).item();
  assertAlmostEquals(way, 3, 0.1); // ‖(3, 3, 3, 3)‖ / √4
});

Deno.test("slicedWasserstein() has 128 directions and p = 2 by default, and follows its key", () => {
  const [x, y] = [f64([[0, 1], [2, 0]]), f64([[3, 1], [1, 1], [0, 0]])];
  const of = (options = {}) => slicedWasserstein(x, y, { key: key(1), ...options }).item();
  assertEquals(of(), of({ projections: 128, p: 2 }));
  assertGreater(Math.abs(of() - of({ key: key(2) })), 1e-6);
});

Deno.test("slicedWasserstein() is 0 of equal clouds in any order, and not of others", () => {
  fc.assert(
    fc.property(clouds, powers, permutations(4), ({ x, y }, p, order) => {
      const options = { key: key(3), p };
      assertAlmostEquals(slicedWasserstein(x, reorder(x, order), options).item(), 0, 1e-12);
      assertGreater(slicedWasserstein(x, y.add(20), options).item(), 1);
    }),
    RUNS,
  );
});

Deno.test("slicedWasserstein() has right gradients of first and second order", () => {
  const [x, y] = [normal(key(4), [4, 3]).cast("float64"), normal(key(5), [3, 3]).cast("float64")];
  for (const p of [1, 2]) {
    const options = { key: key(6), projections: 5, p };
    checkGradients((x, y) => slicedWasserstein(x, y, options), [x, y], { order: 2 });
  }
});

const counts = fc.record({
  x: floats([4]),
  y: floats([3]),
  timesX: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 3 }))),
  timesY: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 1, max: 3 }))),
}).filter(({ timesX }) => timesX.some((times) => times > 0));

/** Each number as often as it counts. */
const repeated = (x: Tensor, times: number[]) =>
  reorder(x, times.flatMap((count, i) => Array<number>(count).fill(i)));

Deno.test("wasserstein1d() of whole weights is that of as many numbers", () => {
  fc.assert(
    fc.property(counts, powers, gridNumbers(0.1, 9), ({ x, y, timesX, timesY }, p, scale) => {
      const weights = { weightsX: f64(timesX).mul(scale), weightsY: f64(timesY) };
      const expected = wasserstein1d(repeated(x, timesX), repeated(y, timesY), { p });
      assertAllClose(wasserstein1d(x, y, { p, ...weights }), expected, { rtol: 1e-7, atol: 1e-9 });
      const only = wasserstein1d(x, y, { p, weightsX: weights.weightsX });
      assertAllClose(only, wasserstein1d(repeated(x, timesX), y, { p }), {
        rtol: 1e-7,
        atol: 1e-9,
      });
    }),
    RUNS,
  );
});

Deno.test("slicedWasserstein() of whole weights is that of as many cells", () => {
  fc.assert(
    fc.property(clouds, powers, ({ x, y }, p) => {
      const [timesX, timesY] = [[1, 0, 3, 2], [2, 1, 1]];
      const options = { key: key(8), projections: 6, p };
      const found = slicedWasserstein(x, y, {
        ...options,
        ...{ weightsX: f64(timesX), weightsY: f64(timesY) },
      });
      const expected = slicedWasserstein(repeated(x, timesX), repeated(y, timesY), options);
      assertAllClose(found, expected, { rtol: 1e-7, atol: 1e-9 });
    }),
    RUNS,
  );
});

/** Whole weights of numbers that lie far apart, and powers that magnify the least share. */
const far = fc.record({
  times: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
  scale: gridNumbers(0.1, 9),
  p: fc.constantFrom(1, 2, 4, 8),
  dtype: fc.constantFrom("float32" as const, "float64" as const),
});

Deno.test("wasserstein1d() of weights that say the same is exactly 0, with gradient 0", () => {
  fc.assert(
    fc.property(far, ({ times, scale, p, dtype }) => {
      const x = f64(times.map((_, i) => 1000 * i)).cast(dtype);
      const weightsX = f64(times).mul(scale).cast(dtype);
      const y = repeated(x, times);
      const [none] = [zeros([1, 1], { dtype })];
      const cloud = (points: Tensor) => points.expandDims(1).add(none);
      const distances = [
        (x: Tensor) => wasserstein1d(x, y, { p, weightsX }),
        (x: Tensor) => wasserstein1d(y, x, { p, weightsY: weightsX }),
        (x: Tensor) => slicedWasserstein(cloud(x), cloud(y), { p, weightsX, key: key(0) }),
      ];
      for (const f of distances) {
        assertEquals(f(x).item(), 0);
        assertAllZero(grad(f)(x));
      }
    }),
    RUNS,
  );
});

Deno.test("wasserstein1d() keeps shares that are small, wherever they lie", () => {
  const distance = wasserstein1d(f64([0, 1e6]), [0], { weightsX: f64([1, 1e-12]) });
  assertAllClose(distance, 1e-6, { rtol: 1e-3 });
  const first = wasserstein1d(f64([-1e6, 0]), [0], { weightsX: f64([1e-14, 1]) });
  assertAllClose(first, 1e-8, { rtol: 1e-3 });
});

Deno.test("wasserstein1d() does not see a weight of 0 behind the last digit of a sum", () => {
  const y = f64([0, -1e4, 2, -1]);
  const options = { p: 3, weightsY: [1, 1, 2, 0.5] };
  const without = wasserstein1d(f64([2, -1e4, 0]), y, { ...options, weightsX: [1, 2, 3] });
  const found = wasserstein1d(f64([2, -1e4, 1e10, 0]), y, { ...options, weightsX: [1, 2, 0, 3] });
  assertAllClose(found, without);
});

Deno.test("wasserstein1d() does not see what counts nothing, however far", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = f64([1e30, 3, 0]).cast(dtype);
    const found = wasserstein1d(x, [1, 2], { p: 2, weightsX: [0, 1, 1] });
    assertAllClose(found, 1);
    assertAllZero(
      grad((x: Tensor) => wasserstein1d(x, [1, 2], { weightsX: [0, 1, 1] }))(x).slice(0, 1),
    );
  }
});

Deno.test("wasserstein1d() and slicedWasserstein() have right gradients for weights", () => {
  const [x, y] = [normal(key(10), [4], { dtype: "float64" }), normal(key(11), [3])];
  const [w, v] = [f64([1, 2, 0.5, 3]), f64([1, 0.7, 2])];
  for (const p of [1, 2]) {
    checkGradients(
      (x, y, weightsX, weightsY) => wasserstein1d(x, y, { p, weightsX, weightsY }),
      [x, y.cast("float64"), w, v],
      { order: 2 },
    );
    checkGradients(
      (x, weightsX) =>
        slicedWasserstein(x, [[0, 1], [2, 0]], { key: key(6), projections: 3, p, weightsX }),
      [normal(key(12), [4, 2], { dtype: "float64" }), w],
      { order: 2 },
    );
  }
});

const cannot = (name: string) => `Cannot compute ${name} as`;

testMisuse("wasserstein1d", [
  [
    "weights of another number",
    () => wasserstein1d([1, 2], [1], { weightsX: [1] }),
    TypeError,
    `${
      cannot("wasserstein1d")
    } x and weightsX must have the same number of cells: current values ` +
    "are 2 and 1",
  ],
  [
    "weights that are all 0",
    () => wasserstein1d([1, 2], [1], { weightsX: [0, 0] }),
    RangeError,
    `${cannot("wasserstein1d")} weightsX must have a finite sum above 0: current sum of row 0 is 0`,
  ],
  [
    "a matrix",
    () => wasserstein1d([[1]], [1]),
    TypeError,
    `${cannot("wasserstein1d")} x must have the shape [numbers]: current shape is [1, 1]`,
  ],
  [
    "no numbers",
    () => wasserstein1d([1], zeros([0])),
    TypeError,
    `${cannot("wasserstein1d")} y must hold at least one cell: current shape is [0]`,
  ],
  [
    "a power below 1",
    () => wasserstein1d([1], [1], { p: 0.5 }),
    RangeError,
    `${cannot("wasserstein1d")} p must be a finite number at least 1: current value is 0.5`,
  ],
  [
    "an unknown option",
    () => wasserstein1d([1], [1], { power: 2 } as never),
    TypeError,
    `${cannot("wasserstein1d")} there is no option power: the options are p, weightsX, weightsY`,
  ],
  [
    "a fourth argument",
    () => (wasserstein1d as (...args: unknown[]) => Tensor)([1], [1], {}, 2),
    TypeError,
    `${cannot("wasserstein1d")} it takes nothing after options: current value is 2`,
  ],
]);

testMisuse("slicedWasserstein", [
  [
    "no key",
    () => slicedWasserstein([[1]], [[1]], undefined as never),
    TypeError,
    `${
      cannot("slicedWasserstein")
    } key must be a random key, made by key, splitKey (split of ./random) or foldIn: ` +
    "current value is undefined",
  ],
  [
    "vectors",
    () => slicedWasserstein([1], [1], { key: key(0) }),
    TypeError,
    `${cannot("slicedWasserstein")} x must have the shape [points, features]: current shape is [1]`,
  ],
  [
    "no directions",
    () => slicedWasserstein([[1]], [[1]], { key: key(0), projections: 0 }),
    RangeError,
    `${cannot("slicedWasserstein")} projections must be a whole number at least 1: ` +
    "current value is 0",
  ],
  [
    "a power below 1",
    () => slicedWasserstein([[1]], [[1]], { key: key(0), p: 0 }),
    RangeError,
    `${cannot("slicedWasserstein")} p must be a finite number at least 1: current value is 0`,
  ],
  [
    "a fourth argument",
    () => (slicedWasserstein as (...args: unknown[]) => Tensor)([[1]], [[1]], { key: key(0) }, 2),
    TypeError,
    `${cannot("slicedWasserstein")} it takes nothing after options: current value is 2`,
  ],
]);
