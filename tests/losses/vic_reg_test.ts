import type { Tensor } from "@cellgrad/cellgrad";
import { vicRegLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/vic_reg.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const views = fc.record({ a: floats([4, 3]), b: floats([4, 3]) });
const [NONE, INVARIANCE, VARIANCE, COVARIANCE] = [
  { invariance: 0, variance: 0, covariance: 0 },
  { invariance: 1, variance: 0, covariance: 0 },
  { invariance: 0, variance: 1, covariance: 0 },
  { invariance: 0, variance: 0, covariance: 1 },
] as const;

Deno.test("vicRegLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.vic_reg!);
});

Deno.test("vicRegLoss() has the weights 25, 25 and 1 by default", () => {
  fc.assert(
    fc.property(views, ({ a, b }) => {
      const options = { invariance: 25, variance: 25, covariance: 1 };
      assertSame(vicRegLoss(a, b), vicRegLoss(a, b, options));
    }),
    RUNS,
  );
});

Deno.test("vicRegLoss() adds its terms by their weights", () => {
  fc.assert(
    fc.property(views, floats([3], 0, 9), ({ a, b }, weights) => {
      const [invariance, variance, covariance] = weights.data as unknown as number[];
      const parts = [INVARIANCE, VARIANCE, COVARIANCE].map((only, i) =>
        vicRegLoss(a, b, only).mul(weights.data[i]!)
      );
      const total = parts.reduce((x, y) => x.add(y));
      assertSame(
        vicRegLoss(a, b, { invariance: invariance!, variance: variance!, covariance: covariance! }),
        total,
      );
      assertSame(vicRegLoss(a, b, NONE), 0);
    }),
    RUNS,
  );
});

Deno.test("vicRegLoss() has each of its terms by definition", () => {
  fc.assert(
    fc.property(views, ({ a, b }) => {
      const between = (x: Tensor) => {
        const y = x.sub(x.mean({ axis: 0 }));
        return y.transpose().matmul(y).div(3);
      };
      const [first, second] = [between(a), between(b)];
      const diagonal = (c: Tensor) => f64([0, 4, 8].map((at) => c.data[at]!));
      const spread = (c: Tensor) => diagonal(c).add(1e-4).sqrt().neg().add(1).relu().mean();
      const others = (c: Tensor) => c.square().sum().sub(diagonal(c).square().sum()).div(3);
      assertSame(vicRegLoss(a, b, INVARIANCE), a.sub(b).square().mean());
      assertSame(vicRegLoss(a, b, VARIANCE), spread(first).add(spread(second)).div(2));
      assertSame(vicRegLoss(a, b, COVARIANCE).div(100), others(first).add(others(second)).div(100));
    }),
    RUNS,
  );
});

Deno.test("vicRegLoss() is invariant to views and order", () => {
  fc.assert(
    fc.property(views, ({ a, b }) => {
      const [loss, order] = [vicRegLoss(a, b), [2, 0, 3, 1]];
      assertSame(vicRegLoss(b, a).sub(loss), 0);
      assertSame(vicRegLoss(reorder(a, order), reorder(b, order)).div(loss), 1);
    }),
    RUNS,
  );
});

Deno.test("vicRegLoss() of wide, equal and uncorrelated views is 0", () => {
  const view = f64([[1, 1], [1, -1], [-1, 1], [-1, -1]]);
  assertSame(vicRegLoss(view, view), 0);
});

Deno.test("vicRegLoss() of a single feature has no covariance", () => {
  assertSame(vicRegLoss([[0], [3]], [[0], [3]]), 0);
});

Deno.test("vicRegLoss() keeps its digits far from the origin in float32", () => {
  const a = f64([[0, 1], [1, 3], [3, 3]]).div(4); // the means have no end
  for (const only of [INVARIANCE, VARIANCE, COVARIANCE]) {
    const far = [a, a.neg()].map((x) => x.add(1e6).cast("float32")) as [Tensor, Tensor];
    assertAlmostEquals(
      vicRegLoss(...far, only).item() / vicRegLoss(a, a.neg(), only).item(),
      1,
      1e-5,
    );
  }
});

Deno.test("vicRegLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(views, gridNumbers(0.1, 2), ({ a, b }, covariance) => {
      const options = { invariance: 2, variance: 3, covariance };
      const f = (x: Tensor, y: Tensor) => vicRegLoss(x, y, options);
      checkGradients(f, [a.mul(0.2), b], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("vicRegLoss() is finite for extreme and for constant views", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const a = f64([[1e4, 0, 1e-8], [-1e4, 0, 0], [0, 0, 0]]).cast(dtype);
    assertFinite((x, y) => vicRegLoss(x, y), [a, a.mul(1e-4)]);
    const constant = f64([[0.1, 1e4], [0.1, 1e4], [0.1, 1e4]]).cast(dtype);
    assertFinite((x, y) => vicRegLoss(x, y), [constant, constant]);
  }
});

testMisuse("vicRegLoss", [
  [
    "a single cell",
    () => vicRegLoss([[1, 2]], [[1, 2]]),
    TypeError,
    "Cannot compute vicRegLoss as a and b must hold at least two cells and one feature: " +
    "current shape is [1, 2]",
  ],
  [
    "no features",
    () => {
      const none = f64(new Float64Array(0)).reshape([2, 0]);
      return vicRegLoss(none, none);
    },
    TypeError,
    "Cannot compute vicRegLoss as a and b must hold at least two cells and one feature: " +
    "current shape is [2, 0]",
  ],
  [
    "views of different shapes",
    () => vicRegLoss([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute vicRegLoss as a and b must have the same shape: " +
    "current shapes are [1, 2] and [1, 1]",
  ],
  ...(["invariance", "variance", "covariance"] as const).map((name) =>
    [
      `a negative ${name}`,
      () => vicRegLoss([[1], [2]], [[1], [2]], { [name]: -1 }),
      RangeError,
      `Cannot compute vicRegLoss as ${name} must be a finite number at least 0: ` +
      "current value is -1",
    ] as const
  ),
  [
    "an unknown option",
    () => vicRegLoss([[1], [2]], [[1], [2]], { stdCoeff: 1 } as never),
    TypeError,
    "Cannot compute vicRegLoss as there is no option stdCoeff: did you mean variance? The options " +
    "are invariance, variance, covariance",
  ],
  [
    "an argument too many",
    () => (vicRegLoss as (...x: unknown[]) => unknown)([[1], [2]], [[1], [2]], {}, 1),
    TypeError,
    "Cannot compute vicRegLoss as it takes nothing after options: current value is 1",
  ],
]);
