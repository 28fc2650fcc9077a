import { compile, forLoop, grad, hvp, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { sinkhornDivergence, type SinkhornOptions } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { transportCost } from "../../src/losses/sinkhorn_transport.ts";
import { FEW_RUNS, floats, gridNumbers, permutations } from "../arbitraries.ts";
import golden from "../golden/sinkhorn.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

/** Until nothing changes. */
const CONVERGED = { iterations: 3000, tolerance: 1e-12 };
const CLOSE = { rtol: 1e-9, atol: 1e-10 };

const settings: fc.Arbitrary<SinkhornOptions> = fc.record({
  epsilon: gridNumbers(0.3, 3),
  p: fc.constantFrom(1, 2, 1.5),
  reach: fc.constantFrom(undefined, 1.5),
  debias: fc.boolean(),
});
const clouds = fc.record({ x: floats([4, 2]), y: floats([3, 2]) });
const heavy = fc.record({ weightsX: floats([4], 0.2, 2), weightsY: floats([3], 0.2, 2) });

const divergence = (x: Tensor, y: Tensor, options: SinkhornOptions = {}) =>
  sinkhornDivergence(x, y, { ...CONVERGED, ...options });

/** Points of a line, up to so far from 0. */
const points = (k: number, size: number, length = 12) =>
  f64(Array.from({ length }, (_, i) => [Math.sin(k * i) * size]));

/** The least cost of giving everyone in x someone in y of their own, by trying all ways. */
function cheapestMatch(costs: number[][], taken: readonly number[] = []): number {
  const [row, ...rest] = costs;
  if (row === undefined) return 0;
  return Math.min(
    ...row.map((cost, j) =>
      taken.includes(j) ? Infinity : cost + cheapestMatch(rest, [...taken, j])
    ),
  );
}

Deno.test("sinkhornDivergence() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.sinkhorn!);
});

Deno.test("sinkhornDivergence() becomes exact transport as ε becomes 0", () => {
  const x = f64([[0, 0], [1, 2], [3, 1], [-1, 2], [2, -2], [0.5, 4]]);
  const y = f64([[1, 0], [1.5, 2.5], [-3, 1], [0, 2.2], [2, -1], [4, 4]]);
  for (const p of [1, 2]) {
    const costs = (x.toArray() as number[][]).map((a) =>
      (y.toArray() as number[][]).map((b) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!) ** p / p)
    );
    const exact = cheapestMatch(costs) / 6;
    // With its entropy, OT_ε of six points lies between OT and OT + ε log 6.
    for (const epsilon of [0.05, 0.01, 1e-3]) {
      const biased = divergence(x, y, { p, epsilon, debias: false }).item();
      assert(biased > exact - 1e-9 && biased < exact + epsilon * Math.log(6) + 1e-9);
    }
    assertAlmostEquals(divergence(x, y, { p, epsilon: 1e-3 }).item(), exact, 1e-6);
  }
});

Deno.test("sinkhornDivergence() of Gaussians is the closed form", () => {
  // Weights on a grid stand for the densities; Janati et al. 2020 with σ² there as ε here.
  const grid = Array.from({ length: 81 }, (_, i) => [(i - 40) / 5]);
  const density = (mean: number, deviation: number) =>
    f64(grid.map(([t]) => Math.exp(-((t! - mean) ** 2) / (2 * deviation ** 2))));
  const [means, deviations, epsilon] = [[-0.5, 0.7], [0.6, 0.9], 0.8];
  const ot = (m: number, a: number, b: number) => {
    const root = Math.sqrt(4 * a ** 2 * b ** 2 + epsilon ** 2);
    const entropy = epsilon * (1 - Math.log(2 * epsilon) + Math.log(root + epsilon));
    return (m ** 2 + a ** 2 + b ** 2 - root + entropy) / 2;
  };
  const [a, b] = deviations as [number, number];
  const exact = ot(1.2, a, b) - ot(0, a, a) / 2 - ot(0, b, b) / 2;
  const value = divergence(f64(grid), f64(grid), {
    epsilon,
    weightsX: density(means[0]!, a),
    weightsY: density(means[1]!, b),
  });
  assertAlmostEquals(value.item(), exact, 1e-8);
});

Deno.test("sinkhornDivergence() with a large ε is half the squared distance of means", () => {
  const [x, y] = [f64([[0, 1], [2, 5]]), f64([[3, 1], [4, 4], [5, 1]])];
  assertAlmostEquals(divergence(x, y, { epsilon: 1e6 }).item(), (3 ** 2 + 1) / 2, 1e-4);
});

Deno.test("sinkhornDivergence() is symmetric, at least 0, and 0 of equal clouds in any order", () => {
  fc.assert(
    fc.property(clouds, settings, permutations(4), ({ x, y }, options, order) => {
      const value = divergence(x, y, options);
      assertAllClose(divergence(y, x, options), value, CLOSE);
      if (options.debias === false) return;
      assertGreater(value.item(), -1e-10);
      assertAlmostEquals(divergence(x, reorder(x, order), options).item(), 0, 1e-10);
      const gradient = grad((x: Tensor) => divergence(x, reorder(x, order).add(0), options));
      assertAllClose(gradient(x), x.mul(0), { atol: 1e-8 });
    }),
    FEW_RUNS,
  );
});

Deno.test("sinkhornDivergence() is above 0 of clouds with equal means and spreads", () => {
  const [x, y] = [f64([[-1], [-1], [2]]), f64([[1], [1], [-2]])];
  assertGreater(divergence(x, y, { epsilon: 0.5 }).item(), 0.05);
});

Deno.test("sinkhornDivergence() does not depend on where the clouds are", () => {
  fc.assert(
    fc.property(clouds, settings, gridNumbers(-9, 9), ({ x, y }, options, shift) => {
      const moved = divergence(x.add(shift), y.add(shift), options);
      assertAllClose(moved, divergence(x, y, options), CLOSE);
    }),
    FEW_RUNS,
  );
});

Deno.test("sinkhornDivergence() takes weights for cells that are there several times", () => {
  fc.assert(
    fc.property(clouds, settings, ({ x, y }, options) => {
      const own = { ...options, reach: undefined };
      const several = divergence(reorder(x, [0, 0, 0, 1, 2, 2, 3]), y, own);
      assertAllClose(divergence(x, y, { ...own, weightsX: [3, 1, 2, 1] }), several, CLOSE);
      const without = divergence(x, reorder(y, [0, 2]), own);
      assertAllClose(divergence(x, y, { ...own, weightsY: [2, 0, 2] }), without, CLOSE);
    }),
    FEW_RUNS,
  );
});

Deno.test("sinkhornDivergence() with a large reach moves all mass", () => {
  fc.assert(
    fc.property(clouds, fc.constantFrom(1, 2), ({ x, y }, p) => {
      const options = { epsilon: 1, p };
      const value = divergence(x, y, { ...options, reach: 1e5 ** (2 / p) });
      assertAllClose(value, divergence(x, y, options), { rtol: 1e-6, atol: 1e-8 });
    }),
    FEW_RUNS,
  );
});

Deno.test("sinkhornDivergence() with a small reach leaves mass where it is", () => {
  // To make and lose all of both costs ρ (Σa + Σb).
  const options = { reach: 0.1, epsilon: 1e-4, weightsX: [1, 2], weightsY: [0.5, 0.25] };
  const value = divergence(f64([[0], [1]]), f64([[90], [95]]), { ...options, debias: false });
  assertAlmostEquals(value.item(), 0.01 * 3.75, 1e-3);
});

Deno.test("sinkhornDivergence() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(clouds, heavy, settings, ({ x, y }, { weightsX, weightsY }, options) => {
      checkGradients(
        (x, y, weightsX, weightsY) => divergence(x, y, { ...options, weightsX, weightsY }),
        [x, y, weightsX, weightsY],
        { order: 2 },
      );
    }),
    { ...FEW_RUNS, numRuns: 4 },
  );
});

Deno.test("sinkhornDivergence() has Hessian-vector products of the solution, and further orders", () => {
  const [x, y] = [f64([[0, 1], [2, 0], [1, -1]]), f64([[1, 1], [-1, 0.5]])];
  for (const options of [{ epsilon: 0.5 }, { epsilon: 0.5, reach: 1, weightsX: [1, 2, 1] }]) {
    const loss = (x: Tensor) => divergence(x, y, options);
    const v = x.sin();
    const bend = (x: Tensor) => hvp(loss)(x, v).mul(v).sum();
    checkGradients(bend, [x]);
  }
});

Deno.test("sinkhornDivergence() has Hessian-vector products that do not depend on the turns taken", () => {
  const [x, y] = [f64([[0], [1], [3]]), f64([[0.5], [2]])];
  const exact = hvp((x: Tensor) => divergence(x, y, { epsilon: 1 }))(x, x);
  const few = { epsilon: 1, iterations: 40, tolerance: 0 };
  const few40 = hvp((x: Tensor) => sinkhornDivergence(x, y, few))(x, x);
  assertAllClose(few40, exact, { rtol: 1e-6, atol: 1e-8 });
});

Deno.test("sinkhornDivergence() has Hessian-vector products where replies settle slowly", () => {
  const [x, y] = [points(3, 4, 24), points(5, 4, 20)];
  const loss = (x: Tensor) => divergence(x, y, { epsilon: 0.1, debias: false });
  const [v, step] = [x.sin(), 1e-5];
  const [after, before] = [x.add(v.mul(step)), x.sub(v.mul(step))].map((x) => grad(loss)(x));
  assertAllClose(hvp(loss)(x, v), after!.sub(before!).div(2 * step), { rtol: 1e-7, atol: 1e-9 });
});

Deno.test("sinkhornDivergence() moves mass between groups that are far apart beside ε", () => {
  // The potentials of a group move by hundreds of ε, a little in each turn.
  const [x, y] = [[0, 0.01, 0.02, 1, 1.01, 1.02], [0, 0.01, 1, 1.01, 1.02, 1.03]].map((line) =>
    f64(line.map((t) => [t]))
  ) as [Tensor, Tensor];
  const options = { epsilon: 1e-3, debias: false, tolerance: 0, iterations: 400 };
  for (const dtype of ["float32", "float64"] as const) {
    const value = sinkhornDivergence(x.cast(dtype), y.cast(dtype), options);
    assertAllClose(value, f64(0.08110553), { rtol: 1e-6 });
  }
});

const costOf =
  (isOwn: boolean, largest: number | undefined, rho?: number) => (...given: Tensor[]) =>
    transportCost(given as [Tensor, Tensor, Tensor, Tensor], {
      ...{ epsilon: 0.4, p: 2, rho, isOwn, largest },
      ...CONVERGED,
    });

Deno.test("sinkhornDivergence() in blocks is the same, and so are its derivatives", () => {
  fc.assert(
    fc.property(clouds, heavy, ({ x, y }, { weightsX, weightsY }) => {
      for (const rho of [undefined, 2]) {
        for (const isOwn of [false, true]) {
          const [a, b] = [weightsX.div(weightsX.sum()), weightsY.div(weightsY.sum())];
          const given = isOwn ? [x, x, a, a] : [x, y, a, b];
          const [whole, blocks] = [costOf(isOwn, undefined, rho), costOf(isOwn, 6, rho)];
          assertAllClose(blocks(...given), whole(...given), CLOSE);
          const bend = (f: typeof whole) =>
            hvp((x: Tensor) => f(...given.map((z, i) => z === given[0] && i < 2 ? x : z)))(x, x);
          assertAllClose(bend(blocks), bend(whole), { rtol: 1e-6, atol: 1e-8 });
        }
      }
    }),
    { ...FEW_RUNS, numRuns: 2 },
  );
});

Deno.test("sinkhornDivergence() ends by tolerance", async () => {
  const [x, y] = [f64([[0, 0], [1, 2], [3, 1]]), f64([[1, 0], [2.5, 2.5], [-3, 1]])];
  const of = (tolerance: number, iterations: number) =>
    sinkhornDivergence(x, y, { epsilon: 1, debias: false, tolerance, iterations }).item();
  // A loose tolerance ends where so many turns end that would go on with a tight one.
  const turns = (tolerance: number) => {
    const value = of(tolerance, 1000);
    for (let k = 1;; k++) if (of(0, k) === value) return k;
  };
  const [loose, tight] = [turns(0.01), turns(1e-6)];
  assertLess(loose, tight);
  assertLess(tight, 100);
  await using program = await compile((x: Tensor) => divergence(x, y), [x]);
  assertEquals(program.explain().includes("while"), true);
});

Deno.test("sinkhornDivergence() comes to the solution in 100 iterations where costs are 30 ε", () => {
  for (const p of [1, 2]) {
    const options = { epsilon: 0.3, p };
    const value = sinkhornDivergence(points(3, 2), points(5, 2), { ...options, tolerance: 0 });
    assertAllClose(value, divergence(points(3, 2), points(5, 2), options), { rtol: 1e-6 });
  }
});

Deno.test("sinkhornDivergence() is finite for extreme clouds, options and types", () => {
  const x = f64([[0.3, 1], [0, -1], [0, -1]]);
  const pairs: [Tensor, Tensor][] = [
    [x, x.add(1e4)],
    [x.mul(1e4), x.mul(-1e4)],
    [x.mul(0), x.mul(0)],
    [reorder(x, [0]), reorder(x, [1])],
    [x.mul(1e-18), x.mul(2e-18)],
  ];
  for (const dtype of ["float32", "float64"] as const) {
    for (const [a, b] of pairs) {
      for (const epsilon of [1e-10, 0.05, 1e10]) {
        for (const reach of [undefined, 1e-200, 1e200]) {
          for (const p of [1, 2, 3]) {
            const options = { epsilon, p, reach, iterations: 10 };
            assertFinite((x, y) => sinkhornDivergence(x, y, options), [
              a.cast(dtype),
              b.cast(dtype),
            ]);
          }
        }
      }
    }
  }
});

Deno.test("sinkhornDivergence() keeps its digits in float32 however far the clouds are apart", () => {
  const [x, y] = [f64([[0, 0], [1, 0.5], [2, -1]]), f64([[0, 0.2], [1.5, 0], [2, -2]])];
  const far = sinkhornDivergence(x.cast("float32"), y.add(4096).cast("float32"));
  assertAllClose(far, sinkhornDivergence(x, y.add(4096)), { rtol: 2e-7 });
  const gradient = grad((x: Tensor) => sinkhornDivergence(x, y.add(4096).cast("float32")));
  const exact = grad((x: Tensor) => sinkhornDivergence(x, y.add(4096)))(x);
  assertAllClose(gradient(x.cast("float32")), exact, { rtol: 1e-6 });
});

Deno.test("sinkhornDivergence() with p below 2 has slope 0 between equal cells", () => {
  for (const p of [1, 1.5]) {
    const loss = (x: Tensor) => divergence(x, f64([[1, 2]]), { p });
    assertAllZero(grad(loss)(f64([[1, 2]])));
    assertAllZero(hvp(loss)(f64([[1, 2]]), f64([[1, 1]])));
  }
});

Deno.test("sinkhornDivergence() with p of 2 has right second derivatives between equal cells", () => {
  const [x, y] = [f64([[1, 2], [0, 1], [1, 2]]), f64([[1, 2], [2, 0]])];
  checkGradients((x) => divergence(x, y, { epsilon: 0.5, debias: false }), [x], { order: 2 });
});

Deno.test("sinkhornDivergence() has finite derivatives by weights of 0", () => {
  const [x, y] = [f64([[1, 2], [0, 1], [3, 1]]), f64([[1, 1], [2, 0]])];
  for (const reach of [undefined, 1]) {
    const loss = (weightsX: Tensor) => divergence(x, y, { epsilon: 0.5, reach, weightsX });
    assertFinite((w) => hvp(loss)(w, w).sum(), [f64([1, 0, 2])]);
    assertFinite((w) => grad(loss)(w).sum(), [f64([1, 0, 2])]);
    const bend = (x: Tensor, y: Tensor, weightsY: number[]) =>
      hvp((x: Tensor) => divergence(x, y, { epsilon: 0.5, reach, weightsY }))(x, x);
    const cells = reorder(y, [0, 0, 1]);
    assertAllClose(bend(x, cells.add([[0], [9], [0]]), [2, 0, 1]), bend(x, y, [2, 1]), CLOSE);
  }
});

Deno.test("sinkhornDivergence() has finite second derivatives where plans are but matches", () => {
  const x = f64([[0, 0], [9, 0], [0, 9]]);
  for (const dtype of ["float32", "float64"] as const) {
    const y = x.add(0.1).cast(dtype);
    const loss = (x: Tensor, weightsX: Tensor) =>
      sinkhornDivergence(x, y, { epsilon: 1e-3, weightsX });
    const bend = (x: Tensor, w: Tensor) =>
      hvp((w: Tensor) => loss(x, w))(w, w.sin()).sum().add(
        hvp((x: Tensor) => loss(x, w))(x, x).sum(),
      );
    assertFinite(bend, [x.cast(dtype), f64([1, 1, 1]).cast(dtype)]);
  }
});

Deno.test("sinkhornDivergence() of single cells is their cost", () => {
  for (const p of [1, 2, 3, 4]) {
    assertAllClose(sinkhornDivergence(f64([[0, 0]]), f64([[3, 4]]), { p }), f64(5 ** p / p));
  }
});

Deno.test("sinkhornDivergence() has the defaults that it names", () => {
  const near = [points(3, 2), points(5, 2)] as const;
  const named = { epsilon: 0.05, p: 2, debias: true, iterations: 100, tolerance: 1e-6 };
  assertSame(sinkhornDivergence(...near), sinkhornDivergence(...near, named));
  const hard = (iterations?: number) => {
    const options = { epsilon: 0.2, tolerance: 0, iterations };
    return sinkhornDivergence(points(3, 20), points(5, 20), options).item();
  };
  assertEquals(hard(), hard(100));
  assertGreater(Math.abs(hard(100) - hard(200)), 1e-6);
  const easy = (tolerance?: number) =>
    sinkhornDivergence(...near, { epsilon: 5, debias: false, tolerance }).item();
  assertEquals(easy(), easy(1e-6));
  assertGreater(Math.abs(easy() - easy(1e-3)), 0);
});

Deno.test("sinkhornDivergence() comes down from a larger ε where costs are far above it", () => {
  const after = (iterations: number) => {
    const options = { epsilon: 0.05, debias: false, tolerance: 0, iterations };
    return sinkhornDivergence(points(3, 20), points(5, 20), options);
  };
  assertAllClose(after(20), after(500), { rtol: 1e-7 }); // 3e-4 without
});

Deno.test("sinkhornDivergence() trains in a loop of a program", async () => {
  const y = f64([[1, 0], [2, 2]]);
  const train = (x: Tensor) =>
    forLoop(20, (x: Tensor) => x.sub(grad((x: Tensor) => sinkhornDivergence(x, y))(x)), x);
  const start = tensor([[0, 0], [0.5, 0]], { dtype: "float64" });
  await using program = await compile(train, [start]);
  assertAllClose(await program(start), train(start), { rtol: 1e-8 });
  assertLess(sinkhornDivergence(await program(start), y).item(), 1e-6);
});

const one = () => sinkhornDivergence([[0]], [[1]]);
const cannot = "Cannot compute sinkhornDivergence as";

testMisuse("sinkhornDivergence", [
  [
    "a cloud that is no matrix",
    () => sinkhornDivergence([1, 2], [[1]]),
    TypeError,
    `${cannot} x must have the shape [points, features]: current shape is [2]`,
  ],
  [
    "other features",
    () => sinkhornDivergence([[1, 2]], [[1]]),
    TypeError,
    `${cannot} y must have the shape [points, 2]: current shape is [1, 1]`,
  ],
  [
    "no cells",
    () => sinkhornDivergence([[1, 2]], zeros([0, 2])),
    TypeError,
    `${cannot} y must hold at least 1 point: current shape is [0, 2]`,
  ],
  [
    "another number of weights",
    () => sinkhornDivergence([[1]], [[1], [2]], { weightsY: [1] }),
    TypeError,
    `${cannot} y and weightsY must have the same number of cells: current values are 2 and 1`,
  ],
  [
    "weights that are no numbers",
    () => sinkhornDivergence([[1]], [[1]], { weightsX: "equal" as never }),
    TypeError,
    `${cannot} weightsX must be a tensor, a number or an array: current value is "equal"`,
  ],
  [
    "a negative weight",
    () => sinkhornDivergence([[1]], [[1], [2]], { weightsY: [1, -2] }),
    RangeError,
    `${cannot} weightsY must be at least 0: current value at position 1 is -2`,
  ],
  [
    "weights of 0 only",
    () => sinkhornDivergence([[1], [2]], [[1]], { weightsX: [0, 0], reach: 1 }),
    RangeError,
    `${cannot} weightsX must have a finite sum above 0: current sum of row 0 is 0`,
  ],
  [
    "an ε of 0",
    () => sinkhornDivergence([[1]], [[1]], { epsilon: 0 }),
    RangeError,
    `${cannot} epsilon must be a finite number above 0: current value is 0`,
  ],
  [
    "a power below 1",
    () => sinkhornDivergence([[1]], [[1]], { p: 0.5 }),
    RangeError,
    `${cannot} p must be a finite number at least 1: current value is 0.5`,
  ],
  [
    "a reach of 0",
    () => sinkhornDivergence([[1]], [[1]], { reach: 0 }),
    RangeError,
    `${cannot} reach must be a finite number above 0: current value is 0`,
  ],
  [
    "no iterations",
    () => sinkhornDivergence([[1]], [[1]], { iterations: 0 }),
    RangeError,
    `${cannot} iterations must be a whole number at least 1: current value is 0`,
  ],
  [
    "a negative tolerance",
    () => sinkhornDivergence([[1]], [[1]], { tolerance: -1 }),
    RangeError,
    `${cannot} tolerance must be a finite number at least 0: current value is -1`,
  ],
  [
    "a text for debias",
    () => sinkhornDivergence([[1]], [[1]], { debias: "yes" as never }),
    TypeError,
    `${cannot} debias must be true or false: current value is "yes"`,
  ],
  [
    "an unknown option",
    () => sinkhornDivergence([[1]], [[1]], { blur: 0.05 } as never),
    TypeError,
    `${cannot} there is no option blur: did you mean epsilon? The options are epsilon, p, debias, ` +
    "reach, weightsX, weightsY, iterations, tolerance",
  ],
  [
    "a fourth argument",
    () => (sinkhornDivergence as (...args: unknown[]) => Tensor)([[1]], [[1]], {}, 2),
    TypeError,
    `${cannot} it takes nothing after options: current value is 2`,
  ],
]);

Deno.test("sinkhornDivergence() gives float32 for numbers", () =>
  assertEquals(one().dtype, "float32"));
