import { grad, type Tensor, zeros } from "@cellgrad/cellgrad";
import { velocityConsistencyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/velocity_consistency.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { f64, reorder } from "./cells.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const motions = fc.record({ x: floats([3, 2]), v: floats([3, 2]), f: floats([3, 2]) });

const loss = (x: Tensor, v: Tensor, f: Tensor) => velocityConsistencyLoss(x, v, f);

Deno.test("velocityConsistencyLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ expression, velocity, future_expression }, { dt, cosine_weight, magnitude_weight }) =>
      velocityConsistencyLoss(expression, velocity, future_expression, {
        dt,
        cosineWeight: cosine_weight,
        magnitudeWeight: magnitude_weight,
      }),
  );
});

Deno.test("velocityConsistencyLoss() has a step of 0.1 and weights of 1 by default", () => {
  const [x, v, f] = [f64([[1, 2]]), f64([[3, 4]]), f64([[0, 2]])];
  const options = { dt: 0.1, cosineWeight: 1, magnitudeWeight: 1 };
  assertSame(velocityConsistencyLoss(x, v, f), velocityConsistencyLoss(x, v, f, options));
});

Deno.test("velocityConsistencyLoss() is about 0 where the velocity leads to the future", () => {
  fc.assert(
    fc.property(floats([3, 2]), floats([3, 2], 0.1, 3), gridNumbers(0.1, 1), (x, v, dt) => {
      const loss = velocityConsistencyLoss(x, v, x.add(v.mul(dt)), { dt }).item();
      assertAlmostEquals(loss, 0, 1e-4);
    }),
    RUNS,
  );
});

Deno.test("velocityConsistencyLoss() has a direction term of about 2 for the opposite", () => {
  const [x, v] = [f64([[1, 2], [0, 0]]), f64([[3, 4], [-2, 1]])];
  const loss = velocityConsistencyLoss(x, v, x.sub(v), { dt: 1, magnitudeWeight: 0 });
  assertAlmostEquals(loss.item(), 2, 1e-8);
});

Deno.test("velocityConsistencyLoss() has a direction term in [0, 2]", () => {
  fc.assert(
    fc.property(motions, ({ x, v, f }) => {
      const loss = velocityConsistencyLoss(x, v, f, { magnitudeWeight: 0 }).item();
      assert(loss >= 0 && loss <= 2);
    }),
    RUNS,
  );
});

Deno.test("velocityConsistencyLoss() compares lengths, not vectors, by its second term", () => {
  const options = { dt: 1, cosineWeight: 0 };
  const loss = velocityConsistencyLoss(f64([[0, 0]]), f64([[3, 4]]), f64([[0, -5]]), options);
  assertSame(loss, 0);
});

Deno.test("velocityConsistencyLoss() has a cosine of ½ for parallel steps of 1e-4", () => {
  const step = f64([[1e-4, 0]]);
  const options = { dt: 1, magnitudeWeight: 0 };
  assertSame(velocityConsistencyLoss(f64([[0, 0]]), step, step, options), 0.5);
});

Deno.test("velocityConsistencyLoss() is invariant to translation and order", () => {
  fc.assert(
    fc.property(motions, gridNumbers(-5, 5), ({ x, v, f }, shift) => {
      const order = [2, 0, 1];
      const moved = velocityConsistencyLoss(
        reorder(x, order).add(shift),
        reorder(v, order),
        reorder(f, order).add(shift),
      );
      assertAllClose(moved, velocityConsistencyLoss(x, v, f), { rtol: 1e-9 });
    }),
    RUNS,
  );
});

Deno.test("velocityConsistencyLoss() has opposite gradients by now and by the future", () => {
  fc.assert(
    fc.property(motions, ({ x, v, f }) => {
      const [now, later] = grad(velocityConsistencyLoss, { argnums: [0, 2] })(x, v, f);
      assertSame(now, later.neg());
    }),
    RUNS,
  );
});

Deno.test("velocityConsistencyLoss() has right gradients of first and second order", () => {
  const inputs = fc.tuple(floats([2, 2]), floats([2, 2], 0.5, 3), floats([2, 2], 4, 6));
  fc.assert(
    fc.property(inputs, (all) => {
      const loss = (x: Tensor, v: Tensor, f: Tensor) =>
        velocityConsistencyLoss(x, v, f, { dt: 0.5, cosineWeight: 2, magnitudeWeight: 0.3 });
      checkGradients(loss, all, { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("velocityConsistencyLoss() is 1 for cells that stand still, with finite gradients", () => {
  const still = zeros([2, 3], { dtype: "float64" });
  assertEquals(assertFinite(loss, [still, still, still]), 1);
});

Deno.test("velocityConsistencyLoss() is finite for extreme expression", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const inputs = [
      f64([[1e4, 0], [-1e4, 1e4]]),
      f64([[-1e4, 1e4], [0, 0]]),
      f64([[1e4, 0], [1e4, -1e4]]),
    ].map((x) => x.cast(dtype));
    assertGreater(assertFinite(loss, inputs), 0);
  }
});

testMisuse("velocityConsistencyLoss", [
  [
    "other numbers of genes",
    () => velocityConsistencyLoss([[1, 2]], [[1]], [[1, 2]]),
    TypeError,
    "Cannot compute velocityConsistencyLoss as expression, velocity and futureExpression must " +
    "have the same shape: current shapes are [1, 2], [1, 1] and [1, 2]",
  ],
  [
    "other numbers of cells",
    () => velocityConsistencyLoss([[1], [2]], [[1]], [[1], [2]]),
    TypeError,
    "Cannot compute velocityConsistencyLoss as expression and velocity must have the same number " +
    "of cells: current values are 2 and 1",
  ],
  [
    "expression that is no matrix",
    () => velocityConsistencyLoss([1], [[1]], [[1]]),
    TypeError,
    "Cannot compute velocityConsistencyLoss as expression must have the shape [cells, genes]: " +
    "current shape is [1]",
  ],
  [
    "a step of 0",
    () => velocityConsistencyLoss([[1]], [[1]], [[1]], { dt: 0 }),
    RangeError,
    "Cannot compute velocityConsistencyLoss as dt must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "a negative weight of the direction",
    () => velocityConsistencyLoss([[1]], [[1]], [[1]], { cosineWeight: -1 }),
    RangeError,
    "Cannot compute velocityConsistencyLoss as cosineWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative weight of the length",
    () => velocityConsistencyLoss([[1]], [[1]], [[1]], { magnitudeWeight: -1 }),
    RangeError,
    "Cannot compute velocityConsistencyLoss as magnitudeWeight must be a finite number at least " +
    "0: current value is -1",
  ],
  [
    "an unknown option",
    () => velocityConsistencyLoss([[1]], [[1]], [[1]], { step: 1 } as never),
    TypeError,
    "Cannot compute velocityConsistencyLoss as there is no option step: " +
    "the options are dt, cosineWeight, magnitudeWeight",
  ],
]);
