import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { negativeBinomialLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/negative_binomial.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  counts: integers([3, 2], 0, 9),
  mu: floats([3, 2], 0.1, 5),
  theta: floats([2], 0.1, 5),
});

const float64 = (x: number) => tensor([x], { dtype: "float64" });

Deno.test("negativeBinomialLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ counts, mu, theta }, { eps }) => negativeBinomialLoss(counts, mu, theta, { epsilon: eps }),
  );
});

Deno.test("negativeBinomialLoss() is the loss of a probability", () => {
  fc.assert(
    fc.property(floats([1], 0.1, 3), floats([1], 0.5, 5), (mu, theta) => {
      const probability = (count: number) =>
        Math.exp(-negativeBinomialLoss([count], mu, theta).item());
      const total = Array.from({ length: 400 }, (_, count) => probability(count))
        .reduce((a, b) => a + b);
      assertAlmostEquals(total, 1, 1e-6);
    }),
    FEW_RUNS,
  );
});

Deno.test("negativeBinomialLoss() is at least 0", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu, theta }) => {
      assertGreaterOrEqual(negativeBinomialLoss(counts, mu, theta).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialLoss() is least where the mean is the count", () => {
  fc.assert(
    fc.property(floats([1], 0.5, 5), floats([1], 0.5, 9), (theta, count) => {
      const loss = (mu: Tensor) => negativeBinomialLoss(count, mu, theta);
      assertAllClose(grad(loss)(count), [0], { atol: 1e-7 });
      assertGreaterOrEqual(loss(count.mul(1.1)).item(), loss(count).item());
      assertGreaterOrEqual(loss(count.mul(0.9)).item(), loss(count).item());
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialLoss() approaches the Poisson as theta grows", () => {
  const poisson = (x: number, mu: number) =>
    mu - x * Math.log(mu) + Array.from({ length: x }, (_, i) => Math.log(i + 1))
      .reduce((a, b) => a + b, 0);
  const loss = negativeBinomialLoss([4], float64(2.5), float64(1e8));
  assertAlmostEquals(loss.item(), poisson(4, 2.5), 1e-6);
});

Deno.test("negativeBinomialLoss() adds epsilon inside the logarithms", () => {
  const [x, mu, theta, epsilon] = [2, 1.5, 1, 0.25];
  const loss = negativeBinomialLoss([x], float64(mu), float64(theta), { epsilon });
  const sum = theta + mu + epsilon;
  // Γ(x + θ) / (Γ(θ) x!) = 1
  const expected = theta * Math.log(sum / (theta + epsilon)) + x * Math.log(sum / (mu + epsilon));
  assertSame(loss, expected);
});

Deno.test("negativeBinomialLoss() broadcasts dispersions over cells", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu, theta }) => {
      const whole = theta.mul(mu.mul(0).add(1));
      assertSame(negativeBinomialLoss(counts, mu, theta), negativeBinomialLoss(counts, mu, whole));
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu, theta }) => {
      const loss = (m: Tensor, t: Tensor) => negativeBinomialLoss(counts, m.add(0.5), t.add(0.5));
      checkGradients(loss, [mu, theta], { order: 2, rtol: 1e-5, atol: 1e-7 });
    }),
    FEW_RUNS,
  );
});

Deno.test("negativeBinomialLoss() raises what is below epsilon to it, with gradient 0", () => {
  const loss = (mu: Tensor) => negativeBinomialLoss([0], mu, float64(1), { epsilon: 0.5 });
  assertSame(loss(float64(-3)), loss(float64(0.5)));
  assertAllZero(grad(loss)(float64(-3)));
});

Deno.test("negativeBinomialLoss() is finite for counts of 1e4 and means and dispersions of 0", () => {
  for (const [count, mu, theta] of [[1e4, 0, 1], [1e4, 1e4, 0], [0, 0, 0], [0, 1e4, 1e4]]) {
    assertFinite((m, t) => negativeBinomialLoss([count!], m!, t!), [
      tensor([mu!]),
      tensor([theta!]),
    ]);
  }
});

Deno.test("negativeBinomialLoss() of no counts is 0", () => {
  assertEquals(negativeBinomialLoss(zeros([0, 2]), zeros([0, 2]), [1, 1]).item(), 0);
});

testMisuse("negativeBinomialLoss", [
  [
    "a check that is no boolean",
    () => negativeBinomialLoss([1], [1], [1], { check: "no" as never }),
    TypeError,
    'Cannot compute negativeBinomialLoss as check must be true or false: current value is "no"',
  ],
  [
    "means of another shape",
    () => negativeBinomialLoss([[1, 2]], [1, 2], [1, 1]),
    TypeError,
    "Cannot compute negativeBinomialLoss as counts and mu must have the same shape: " +
    "current shapes are [1, 2] and [2]",
  ],
  [
    "dispersions that do not broadcast",
    () => negativeBinomialLoss([[1, 2]], [[1, 2]], [1, 1, 1]),
    TypeError,
    "Cannot compute negativeBinomialLoss as the shapes do not broadcast: " +
    "current shapes are [1, 2] and [3]",
  ],
  [
    "dispersions of a larger shape",
    () => negativeBinomialLoss([[1, 2]], [[1, 2]], [[1, 1], [1, 1]]),
    TypeError,
    "Cannot compute negativeBinomialLoss as theta must broadcast to the shape of counts: " +
    "current shapes are [2, 2] and [1, 2]",
  ],
  [
    "an epsilon of 0",
    () => negativeBinomialLoss([1], [1], [1], { epsilon: 0 }),
    RangeError,
    "Cannot compute negativeBinomialLoss as epsilon must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "an unknown option",
    () => negativeBinomialLoss([1], [1], [1], { eps: 1 } as never),
    TypeError,
    "Cannot compute negativeBinomialLoss as there is no option eps: did you mean " +
    "epsilon? The options are epsilon, check",
  ],
]);
