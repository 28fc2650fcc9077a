import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { huberLoss, quantileLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import huber from "../golden/huber.json" with { type: "json" };
import quantile from "../golden/quantile.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";
import published from "./published_counts.json" with { type: "json" };

const pairs = fc.record({ x: floats([2, 3]), t: floats([2, 3]), delta: gridNumbers(0.1, 3) });
const shares = gridNumbers(0.05, 0.95);
const f64 = (...values: number[]) => tensor(values, { dtype: "float64" });

Deno.test("huberLoss() agrees with the golden vectors", () => {
  checkGolden(huber, COUNT_FUNCTIONS.huber!);
});

Deno.test("quantileLoss() agrees with the golden vectors", () => {
  checkGolden(quantile, COUNT_FUNCTIONS.quantile!);
});

Deno.test("huberLoss() agrees with optax's table", () => {
  const { input, target, delta, expected, tolerance } = published.huber;
  const losses = huberLoss(input, target, { delta, reduction: "none" });
  assertAllClose(losses, expected, { rtol: tolerance, atol: tolerance });
  assertAllClose(huberLoss(input[0]!, target[0]!), expected[0]!, { rtol: tolerance });
});

Deno.test("quantileLoss() agrees with scikit-learn's examples", () => {
  const { target, rows } = published.pinball;
  for (const { input, quantile, expected } of rows) {
    assertSame(quantileLoss(f64(...input), target, { quantile }), expected);
    assertEquals(quantileLoss(target, target, { quantile }).item(), 0);
  }
});

Deno.test("huberLoss() is half of the squared error within delta, and proportional beyond", () => {
  fc.assert(
    fc.property(pairs, ({ x, t, delta }) => {
      const size = x.sub(t).abs();
      const expected = [...size.data].map((e: number) =>
        e <= delta ? e * e / 2 : delta * (e - delta / 2)
      );
      const losses = huberLoss(x, t, { delta, reduction: "none" });
      assertSame(losses.reshape(-1), f64(...expected));
      assertSame(huberLoss(x, t, { delta: 100 }), size.square().mean().div(2));
    }),
    RUNS,
  );
});

Deno.test("huberLoss() has the error, kept within delta, for its slope, at the knee, too", () => {
  const slope = grad((x: Tensor) => huberLoss(x, zeros([7]), { delta: 0.5, reduction: "sum" }));
  assertEquals(
    slope(f64(-9, -0.5, -0.25, 0, 0.25, 0.5, 9)).toArray(),
    [-0.5, -0.5, -0.25, 0, 0.25, 0.5, 0.5],
  );
});

Deno.test("huberLoss() is the same both ways, and huberLoss() and quantileLoss() are means of sums", () => {
  fc.assert(
    fc.property(pairs, shares, ({ x, t, delta }, quantile) => {
      assertSame(huberLoss(x, t, { delta }), huberLoss(t, x, { delta }));
      assertReductions((reduction) => huberLoss(x, t, { delta, reduction }), 6);
      assertReductions((reduction) => quantileLoss(x, t, { quantile, reduction }), 6);
    }),
    RUNS,
  );
});

Deno.test("quantileLoss() is at least 0, and half of the absolute error for the median", () => {
  fc.assert(
    fc.property(pairs, shares, ({ x, t }, quantile) => {
      assertGreaterOrEqual(quantileLoss(x, t, { quantile }).item(), 0);
      assertSame(quantileLoss(x, t, { quantile: 0.5 }), x.sub(t).abs().mean().div(2));
      // The other way round is the other quantile.
      const other = quantileLoss(t, x, { quantile: 1 - quantile });
      assertSame(quantileLoss(x, t, { quantile }), other);
    }),
    RUNS,
  );
});

Deno.test("quantileLoss() is least at the quantile, and has the mean slope where it is met", () => {
  const targets = f64(...Array.from({ length: 100 }, (_, i) => i));
  const loss = (x: Tensor) => quantileLoss(x.add(targets.mul(0)), targets, { quantile: 0.9 });
  const slope = grad(loss);
  assertAlmostEquals(slope(f64(89.5)).item(), 0, 1e-12);
  assertAlmostEquals(slope(f64(85.5)).item(), -0.04, 1e-12);
  assertAlmostEquals(slope(f64(95.5)).item(), 0.06, 1e-12);
  const met = grad((x: Tensor) => quantileLoss(x, [2], { quantile: 0.9 }));
  assertAlmostEquals(met(f64(2)).item(), -0.4, 1e-12);
});

Deno.test("losses of regression have the right derivatives", () => {
  fc.assert(
    fc.property(pairs, shares, ({ x, t, delta }, quantile) => {
      checkGradients((a, b) => huberLoss(a, b, { delta }), [x, t], { maxSkipped: 1 });
      checkGradients((a, b) => huberLoss(a, b, { delta: 50 }), [x, t], { order: 2 });
      checkGradients((a, b) => quantileLoss(a, b, { quantile }), [x, t], { maxSkipped: 1 });
    }),
    FEW_RUNS,
  );
});

Deno.test("losses of regression are finite for values of ±1e30", () => {
  const [x, t] = [tensor([1e30, -1e30, 1e-30]), tensor([-1e30, -1e30, 0])];
  assertFinite((a, b) => huberLoss(a, b), [x, t]);
  assertFinite((a, b) => quantileLoss(a, b, { quantile: 0.01 }), [x, t]);
});

Deno.test("losses of regression of nothing are 0", () => {
  const none = zeros([0, 3]);
  assertEquals(huberLoss(none, none).item(), 0);
  assertEquals(quantileLoss(none, none, { quantile: 0.5 }).item(), 0);
});

testMisuse("huberLoss", [
  [
    "shapes that differ",
    () => huberLoss([1, 2], [1]),
    TypeError,
    "Cannot compute huberLoss as input and target must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
  [
    "a delta of 0",
    () => huberLoss([1], [1], { delta: 0 }),
    RangeError,
    "Cannot compute huberLoss as delta must be a finite number above 0: current value is 0",
  ],
  [
    "an unknown reduction",
    () => huberLoss([1], [1], { reduction: "avg" as never }),
    TypeError,
    "Cannot compute huberLoss as reduction must be one of mean, sum, none: current value is avg",
  ],
  [
    "PyTorch's name for delta in smooth_l1_loss",
    () => huberLoss([1], [1], { beta: 1 } as never),
    TypeError,
    "Cannot compute huberLoss as there is no option beta: did you mean delta? The options are " +
    "delta, reduction",
  ],
]);

testMisuse("quantileLoss", [
  [
    "no quantile",
    () => quantileLoss([1], [1], undefined as never),
    TypeError,
    "Cannot compute quantileLoss as quantile must be a finite number: current value is undefined",
  ],
  [
    "a quantile of 1",
    () => quantileLoss([1], [1], { quantile: 1 }),
    RangeError,
    "Cannot compute quantileLoss as quantile must be a finite number above 0 and below 1: " +
    "current value is 1",
  ],
  [
    "a quantile of 0",
    () => quantileLoss([1], [1], { quantile: 0 }),
    RangeError,
    "Cannot compute quantileLoss as quantile must be a finite number above 0 and below 1: " +
    "current value is 0",
  ],
  [
    "an unknown reduction",
    () => quantileLoss([1], [1], { quantile: 0.5, reduction: "avg" as never }),
    TypeError,
    "Cannot compute quantileLoss as reduction must be one of mean, sum, none: current value is avg",
  ],
  [
    "shapes that differ",
    () => quantileLoss([[1]], [1], { quantile: 0.5 }),
    TypeError,
    "Cannot compute quantileLoss as input and target must have the same shape: " +
    "current shapes are [1, 1] and [1]",
  ],
  [
    "an option under the name that scikit-learn has for it",
    () => quantileLoss([1], [1], { quantile: 0.5, alpha: 0.9 } as never),
    TypeError,
    "Cannot compute quantileLoss as there is no option alpha: did you mean quantile? The options " +
    "are quantile, reduction",
  ],
]);
