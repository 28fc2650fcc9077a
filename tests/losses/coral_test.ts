import { concat, grad, type Tensor } from "@cellgrad/cellgrad";
import { coralLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/coral.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("coralLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.coral!);
});

const clouds = fc.tuple(floats([4, 2]), floats([3, 2]));

Deno.test("coralLoss() of one feature is the difference of variances, squared, by 4", () => {
  fc.assert(
    fc.property(floats([4, 1]), floats([3, 1]), (x, y) => {
      const apart = x.variance({ correction: 1 }).sub(y.variance({ correction: 1 }));
      assertSame(coralLoss(x, y), apart.square().div(4));
    }),
    RUNS,
  );
});

Deno.test("coralLoss() is at least 0, symmetric, and does not depend on order and place", () => {
  fc.assert(
    fc.property(clouds, permutations(4), floats([1, 2]), ([x, y], order, shift) => {
      const loss = coralLoss(x, y);
      assertGreaterOrEqual(loss.item(), 0);
      assertSame(coralLoss(y, x), loss);
      assertAllClose(coralLoss(reorder(x, order).add(shift), y), loss, { rtol: 1e-10 });
    }),
    RUNS,
  );
});

Deno.test("coralLoss() grows with the fourth power of the scale", () => {
  fc.assert(
    fc.property(clouds, gridNumbers(0.1, 3), ([x, y], scale) => {
      const expected = coralLoss(x, y).mul(scale ** 4);
      assertAllClose(coralLoss(x.mul(scale), y.mul(-scale)), expected, { rtol: 1e-10 });
    }),
    RUNS,
  );
});

Deno.test("coralLoss() of a cloud and the same elsewhere is 0 with gradient 0", () => {
  const x = f64([[0.5, 1], [2, -3], [0.25, 4]]);
  const toItself = (a: Tensor) => coralLoss(a, x.add(2));
  assertSame(toItself(x), 0);
  assertAllClose(grad(toItself)(x), x.mul(0), { atol: 1e-13 });
});

Deno.test("coralLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(clouds, ([x, y]) => {
      checkGradients(coralLoss as (...x: Tensor[]) => Tensor, [x, y], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("coralLoss() is finite for extreme points, and keeps its digits far from the origin", () => {
  const x = f64([[1e4, -1e4], [0, 0], [1e-30, 0]]).cast("float32");
  assertFinite((a, b) => coralLoss(a, b), [x, x.mul(-1)]);
  const y = f64([[0, 0], [1, 2], [3, 1]]).cast("float32");
  assertAllClose(coralLoss(y.add(4096), y.mul(2)), coralLoss(y, y.mul(2)));
});

Deno.test("coralLoss() of no features is 0", () => {
  assertSame(coralLoss(f64([]).reshape([2, 0]), f64([]).reshape([3, 0])), 0);
});

const weighted = fc.record({
  x: floats([4, 2]),
  y: floats([3, 2]),
  weightsX: floats([4], 0.1, 2),
  weightsY: floats([3], 0.1, 2),
});

Deno.test("coralLoss() of equal weights is the one without, and only their ratios count", () => {
  fc.assert(
    fc.property(weighted, gridNumbers(0.1, 9), ({ x, y, weightsX, weightsY }, scale) => {
      const equal = { weightsX: f64([scale, scale, scale, scale]) };
      assertAllClose(coralLoss(x, y, equal), coralLoss(x, y), { rtol: 1e-10, atol: 1e-12 });
      const found = coralLoss(x, y, { weightsX, weightsY });
      const other = { weightsX: weightsX.mul(scale), weightsY };
      assertAllClose(coralLoss(x, y, other), found, { rtol: 1e-10, atol: 1e-12 });
      assertAllClose(coralLoss(y, x, { weightsX: weightsY, weightsY: weightsX }), found);
    }),
    RUNS,
  );
});

Deno.test("coralLoss() leaves points of weight 0 out, wherever they are", () => {
  fc.assert(
    fc.property(weighted, floats([1, 2]), ({ x, y, weightsX, weightsY }, stray) => {
      const more = { weightsX: concat([weightsX, [0]]), weightsY };
      assertAllClose(
        coralLoss(concat([x, stray]), y, more),
        coralLoss(x, y, { weightsX, weightsY }),
        { rtol: 1e-9, atol: 1e-12 },
      );
    }),
    RUNS,
  );
});

Deno.test("coralLoss() of one feature compares weighted variances", () => {
  const loss = coralLoss([[0], [2], [7]], [[1], [1]], { weightsX: [1, 3, 0] });
  // Mean 1.5, variance 0.75 by the weights' sum, 0.75 / (1 − 10/16) = 2.
  assertAllClose(loss, 2 ** 2 / 4);
});

Deno.test("coralLoss() has right gradients for weights, of first and second order", () => {
  const of = (x: Tensor, y: Tensor, weightsX: Tensor, weightsY: Tensor) =>
    coralLoss(x, y, { weightsX, weightsY });
  fc.assert(
    fc.property(weighted, ({ x, y, weightsX, weightsY }) => {
      checkGradients(of, [x, y, weightsX, weightsY], { order: 2 });
    }),
    FEW_RUNS,
  );
});

testMisuse("coralLoss", [
  [
    "weights of another number",
    () => coralLoss([[1], [2]], [[1], [2]], { weightsX: [1, 2, 3] }),
    TypeError,
    "Cannot compute coralLoss as x and weightsX must have the same number of cells: current values " +
    "are 2 and 3",
  ],
  [
    "a negative weight",
    () => coralLoss([[1], [2]], [[1], [2]], { weightsY: [1, -1] }),
    RangeError,
    "Cannot compute coralLoss as weightsY must be at least 0: current value at position 1 is -1",
  ],
  [
    "the weight of a single point",
    () => coralLoss([[1], [2]], [[1], [2]], { weightsY: [0, 2] }),
    RangeError,
    "Cannot compute coralLoss as weightsY must be above 0 for two points at least, so that 1 − Σ w² " +
    "is above 0: current value of row 0 is 0",
  ],
  [
    "another number of columns",
    () => coralLoss([[1, 2]], [[1]]),
    TypeError,
    "Cannot compute coralLoss as y must have the shape [points, 2]: current shape is [1, 1]",
  ],
  [
    "a single point, which has no covariance",
    () => coralLoss([[1], [2]], [[1]]),
    TypeError,
    "Cannot compute coralLoss as y must hold at least 2 points: current shape is [1, 1]",
  ],
]);
