import { grad, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { barlowTwinsLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/barlow_twins.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const views = fc.record({ a: floats([4, 3]), b: floats([4, 3]) });

Deno.test("barlowTwinsLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.barlow_twins!);
});

Deno.test("barlowTwinsLoss() has a lambda of 0.005 by default", () => {
  const view = f64([[0, 0], [1, 2]]);
  assertSame(barlowTwinsLoss(view, view), 0.01);
});

/** The definition, by correlations one by one. */
function byDefinition(a: Tensor, b: Tensor, lambda: number): number {
  const columns = (x: Tensor) => x.transpose().toArray() as number[][];
  const standard = (x: number[]) => {
    const middle = x.reduce((s, v) => s + v, 0) / x.length;
    const spread = Math.sqrt(x.reduce((s, v) => s + (v - middle) ** 2, 0) / x.length);
    const isConstant = x.every((v) => v === x[0]);
    return x.map((v) => isConstant ? 0 : (v - middle) / spread);
  };
  const [first, second] = [a, b].map((x) => columns(x).map(standard)) as [number[][], number[][]];
  let loss = 0;
  first.forEach((x, i) =>
    second.forEach((y, j) => {
      const c = x.reduce((s, v, k) => s + v * y[k]!, 0) / x.length;
      loss += i === j ? (1 - c) ** 2 : lambda * c ** 2;
    })
  );
  return loss;
}

Deno.test("barlowTwinsLoss() is what its definition says", () => {
  fc.assert(
    fc.property(views, gridNumbers(0, 2), ({ a, b }, lambda) => {
      assertSame(barlowTwinsLoss(a, b, { lambda }), byDefinition(a, b, lambda));
    }),
    RUNS,
  );
});

Deno.test("barlowTwinsLoss() lies between 0 and 4 d + λ d (d − 1)", () => {
  fc.assert(
    fc.property(views, gridNumbers(0, 2), ({ a, b }, lambda) => {
      const loss = barlowTwinsLoss(a, b, { lambda }).item();
      assert(loss >= 0 && loss <= 12 + 6 * lambda + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("barlowTwinsLoss() is invariant to views, order, place and unit of features", () => {
  fc.assert(
    fc.property(views, floats([1, 3], 0.5, 2), ({ a, b }, units) => {
      const [loss, order] = [barlowTwinsLoss(a, b), [2, 0, 3, 1]];
      assertSame(barlowTwinsLoss(b, a), loss);
      assertSame(barlowTwinsLoss(reorder(a, order), reorder(b, order)), loss);
      const scaled = a.sub(a.slice(0, 1)).mul(units);
      assertSame(barlowTwinsLoss(scaled, b), barlowTwinsLoss(a.sub(a.slice(0, 1)), b));
    }),
    RUNS,
  );
});

Deno.test("barlowTwinsLoss() of equal views without redundancy is 0", () => {
  const view = f64([[1, 1], [1, -1], [-1, 1], [-1, -1]]);
  assertSame(barlowTwinsLoss(view, view), 0);
  assertSame(barlowTwinsLoss(view, view.neg()), 8);
});

Deno.test("barlowTwinsLoss() of constant columns is d with gradient 0", () => {
  for (const n of [1, 2, 3, 7]) {
    for (const dtype of ["float32", "float64"] as const) {
      const view = f64(Array.from({ length: n }, () => [0.1, 1e7, 1 / 3])).cast(dtype);
      const [value, gradients] = valueAndGrad(
        barlowTwinsLoss as (a: Tensor, b: Tensor) => Tensor,
        { argnums: [0, 1], checkNaN: true },
      )(view, view);
      assertEquals(value.item(), 3);
      gradients.forEach((gradient) => assertAllZero(gradient));
    }
  }
});

Deno.test("barlowTwinsLoss() gives a constant column no gradient beside others", () => {
  const [a, b] = [f64([[1, 0.1], [2, 0.1], [4, 0.1]]), f64([[1, 3], [3, 0], [2, 9]])];
  const gradient = grad((x: Tensor) => barlowTwinsLoss(x, b))(a);
  assertAllZero(gradient.slice([0, 1], [3, 2]));
  assert(gradient.data[0] !== 0);
});

Deno.test("barlowTwinsLoss() keeps its digits far from the origin in float32", () => {
  const a = f64([[0, 1], [1, 3], [3, 3]]); // the means have no end
  const b = f64([[1, 1], [0, 2], [3, 4]]);
  const far = barlowTwinsLoss(a.add(1e6).cast("float32"), b.add(1e6).cast("float32"));
  assertAlmostEquals(far.item() / barlowTwinsLoss(a, b).item(), 1, 1e-5);
});

Deno.test("barlowTwinsLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(views, gridNumbers(0.1, 2), ({ a, b }, lambda) => {
      const [x, y] = [a.add(f64([[0], [5], [1], [8]])), b.add(f64([[4], [0], [9], [1]]))];
      checkGradients((x, y) => barlowTwinsLoss(x, y, { lambda }), [x, y], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("barlowTwinsLoss() is finite for extreme views", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const a = f64([[1e4, 0, 1e-8], [-1e4, 0, 0], [0, 0, 0]]).cast(dtype);
    assertFinite((x, y) => barlowTwinsLoss(x, y), [a, a.mul(1e-4)]);
    assertFinite((x, y) => barlowTwinsLoss(x, y), [a.mul(1e15), a]);
  }
});

testMisuse("barlowTwinsLoss", [
  [
    "views of different shapes",
    () => barlowTwinsLoss([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute barlowTwinsLoss as a and b must have the same shape: " +
    "current shapes are [1, 2] and [1, 1]",
  ],
  [
    "no cells",
    () => barlowTwinsLoss(f64(new Float64Array(0)).reshape([0, 1]), [[1]]),
    TypeError,
    "Cannot compute barlowTwinsLoss as a must hold at least one cell: current shape is [0, 1]",
  ],
  [
    "a negative lambda",
    () => barlowTwinsLoss([[1]], [[1]], { lambda: -1 }),
    RangeError,
    "Cannot compute barlowTwinsLoss as lambda must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an unknown option",
    () => barlowTwinsLoss([[1]], [[1]], { lambd: 1 } as never),
    TypeError,
    "Cannot compute barlowTwinsLoss as there is no option lambd: did you mean lambda? The options " +
    "are lambda",
  ],
  [
    "an argument too many",
    () => (barlowTwinsLoss as (...x: unknown[]) => unknown)([[1]], [[1]], {}, 1),
    TypeError,
    "Cannot compute barlowTwinsLoss as it takes nothing after options: current value is 1",
  ],
]);
