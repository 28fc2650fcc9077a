import { eye, grad, ones, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { contrastiveCellEmbeddingLoss, ntXentLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertGreater } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/nt_xent.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const views = fc.integer({ min: 1, max: 4 }).chain((n) =>
  fc.record({ a: floats([n, 2]), b: floats([n, 2]), order: permutations(n) })
);

Deno.test("ntXentLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.nt_xent!);
});

Deno.test("ntXentLoss() has a temperature of 0.5 by default", () => {
  const cells = eye(2, { dtype: "float64" });
  assertSame(ntXentLoss(cells, cells), Math.log1p(2 * Math.exp(-2)));
});

Deno.test("ntXentLoss() lies between 0 and log(2n − 1) + 2/τ", () => {
  fc.assert(
    fc.property(views, gridNumbers(0.1, 2), ({ a, b }, temperature) => {
      const loss = ntXentLoss(a, b, { temperature }).item();
      assert(loss >= 0 && loss <= Math.log(2 * a.shape[0]! - 1) + 2 / temperature + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("ntXentLoss() is invariant to the order of cells and of views", () => {
  fc.assert(
    fc.property(views, ({ a, b, order }) => {
      const loss = ntXentLoss(a, b);
      assertSame(ntXentLoss(reorder(a, order), reorder(b, order)), loss);
      assertSame(ntXentLoss(b, a), loss);
    }),
    RUNS,
  );
});

Deno.test("ntXentLoss() is above contrastiveCellEmbeddingLoss() both ways, as more compete", () => {
  fc.assert(
    fc.property(floats([3, 2], 0.1, 3), floats([3, 2], 0.1, 3), (a, b) => {
      const both = contrastiveCellEmbeddingLoss(a, b, { symmetric: true }).item();
      assertGreater(ntXentLoss(a, b).item(), both);
    }),
    RUNS,
  );
});

Deno.test("ntXentLoss() is log(2n − 1) where all views are alike", () => {
  const cells = ones([4, 2], { dtype: "float64" });
  assertSame(ntXentLoss(cells, cells.mul(3)), Math.log(7));
});

Deno.test("ntXentLoss() of a single cell is 0 with gradient 0", () => {
  const [a, b] = [f64([[1, 2]]), f64([[-3, 1]])];
  const [value, gradients] = valueAndGrad(ntXentLoss as (a: Tensor, b: Tensor) => Tensor, {
    argnums: [0, 1],
  })(a, b);
  assertSame(value, 0);
  gradients.forEach((gradient) => assertAllZero(gradient));
});

Deno.test("ntXentLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(floats([3, 2], 0.2, 3), floats([3, 2], 0.2, 3), (a, b) => {
      checkGradients((x, y) => ntXentLoss(x, y), [a, b], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("ntXentLoss() is finite for extreme views and temperatures", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const a = f64([[1e4, -1e4], [0, 0], [1, 2]]).cast(dtype);
    const b = f64([[-1e4, 1e4], [3, 4], [0, 0]]).cast(dtype);
    for (const temperature of [1e-6, 1e30]) {
      assertFinite((x, y) => ntXentLoss(x, y, { temperature }), [a, b]);
    }
  }
});

Deno.test("ntXentLoss() gives a view of zeros a steep gradient", () => {
  const [a, b] = [f64([[0, 0], [1, 1]]), f64([[1, 0], [0, 1]])];
  assertGreater(Math.abs(grad((x: Tensor) => ntXentLoss(x, b))(a).data[0]!), 1e10);
});

testMisuse("ntXentLoss", [
  [
    "views of different numbers of cells",
    () => ntXentLoss([[1], [2]], [[1]]),
    TypeError,
    "Cannot compute ntXentLoss as a and b must have the same number of cells: " +
    "current values are 2 and 1",
  ],
  [
    "views of different numbers of features",
    () => ntXentLoss([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute ntXentLoss as a and b must have the same shape: " +
    "current shapes are [1, 2] and [1, 1]",
  ],
  [
    "a temperature of 0",
    () => ntXentLoss([[1]], [[1]], { temperature: 0 }),
    RangeError,
    "Cannot compute ntXentLoss as temperature must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown option",
    () => ntXentLoss([[1]], [[1]], { symmetric: true } as never),
    TypeError,
    "Cannot compute ntXentLoss as there is no option symmetric: the options are temperature",
  ],
  [
    "labels",
    () => (ntXentLoss as (...x: unknown[]) => unknown)([[1]], [[1]], {}, [0]),
    TypeError,
    "Cannot compute ntXentLoss as it takes nothing after options: current value is [0]",
  ],
]);
