import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { negativeBinomialLoss, poissonDeviance, poissonLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import deviance from "../golden/poisson_deviance.json" with { type: "json" };
import golden from "../golden/poisson.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { negLogPoisson } from "../../src/losses/poisson.ts";
import { assertAllZero, assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";
import published from "./published_counts.json" with { type: "json" };

const cases = fc.record({
  counts: integers([2, 3], 0, 9),
  logRate: floats([2, 3]),
  mu: floats([2, 3], 0.1, 9),
});
const f64 = (...values: number[]) => tensor(values, { dtype: "float64" });

Deno.test("poissonLoss() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.poisson!);
});

Deno.test("poissonDeviance() agrees with the golden vectors", () => {
  checkGolden(deviance, COUNT_FUNCTIONS.poisson_deviance!);
});

Deno.test("poissonDeviance() agrees with scikit-learn's example", () => {
  const { counts, mu, expected } = published.poissonDeviance;
  assertSame(poissonDeviance(f64(...mu), counts), expected);
});

Deno.test("poissonLoss() is least where the rate is the count", () => {
  fc.assert(
    fc.property(floats([3], 0.5, 9), (counts) => {
      const slope = grad((r: Tensor) => poissonLoss(r, counts));
      assertAllClose(slope(counts.log()), [0, 0, 0], { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("poissonDeviance() is twice poissonLoss() less its least", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu }) => {
      const x = counts.cast("float64");
      const best = x.sub(x.mul(x.add(x.equal(0)).log()));
      const expected = poissonLoss(mu.log(), x, { reduction: "none" }).sub(best).mul(2);
      const found = poissonDeviance(mu, counts, { reduction: "none" });
      assertAllClose(found, expected, { atol: 1e-12, rtol: 1e-12 });
      for (const d of found.data) assertGreaterOrEqual(d, 0);
    }),
    RUNS,
  );
});

Deno.test("poissonDeviance() of a count of 0 is twice the mean, and 0 where both are", () => {
  const loss = (mu: Tensor) => poissonDeviance(mu, [0, 0], { reduction: "sum" });
  assertEquals(loss(f64(3, 0)).item(), 6);
  assertEquals(grad(loss)(f64(3, 0)).toArray(), [2, 2]);
});

Deno.test("poissonDeviance() keeps its digits in float32 where the mean is nearly the count", () => {
  const [mu, count] = [tensor([1e6 + 1]), 1e6];
  assertAlmostEquals(poissonDeviance(mu, [count]).item() / 1e-6, 1, 1e-5);
});

Deno.test("poissonDeviance() is 0 with gradient 0 where means are counts", () => {
  const loss = (mu: Tensor, x: Tensor) => poissonDeviance(mu, x);
  for (const g of grad(loss, { argnums: [0, 1] })([1, 7, 1e6], [1, 7, 1e6])) assertAllZero(g);
});

Deno.test("poissonDeviance() is ∞ where the mean rules the count out", () => {
  assertEquals(poissonDeviance([0], [1]).item(), Infinity);
});

Deno.test("Poisson losses are means of sums", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, mu }) => {
      assertReductions((reduction) => poissonLoss(logRate, counts, { reduction }), 6);
      assertReductions((reduction) => poissonDeviance(mu, counts, { reduction }), 6);
    }),
    RUNS,
  );
});

Deno.test("Poisson losses have the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, floats([2, 3], 0.5, 9), ({ counts, logRate, mu }, x) => {
      checkGradients((r: Tensor) => poissonLoss(r, counts), [logRate], { order: 2, rtol: 1e-5 });
      const loss = (m: Tensor, y: Tensor) => poissonDeviance(m.add(0.5), y);
      checkGradients(loss, [mu, x], { order: 2, rtol: 1e-5, atol: 1e-7 });
    }),
    FEW_RUNS,
  );
});

Deno.test("Poisson losses are finite for log-rates of −1e4, and for counts and means far apart", () => {
  assertFinite((r) => poissonLoss(r, [1e6, 0, 1e6]), [tensor([-1e4, -1e4, 80])]);
  assertFinite((mu) => poissonDeviance(mu, [1e6, 0, 1, 1e6]), [tensor([1e-12, 0, 1e30, 1e6])]);
});

Deno.test("Poisson losses of no counts are 0", () => {
  const none = zeros([0, 2]);
  assertEquals(poissonLoss(none, none).item(), 0);
  assertEquals(poissonDeviance(none, none).item(), 0);
});

Deno.test("the whole likelihood of a Poisson is that of a probability, and the limit of NB's", () => {
  const mean = f64(2.5);
  const chance = (x: number) => Math.exp(-negLogPoisson(f64(x), mean).item());
  const total = Array.from({ length: 60 }, (_, x) => chance(x)).reduce((a, b) => a + b);
  assertAlmostEquals(total, 1, 1e-12);
  for (const x of [0, 1, 4, 30]) {
    const limit = negativeBinomialLoss(f64(x), mean, f64(1e8), { epsilon: 1e-12 }).item();
    assertAlmostEquals(negLogPoisson(f64(x), mean).item(), limit, 1e-5);
  }
  checkGradients((x: Tensor, m: Tensor) => negLogPoisson(x, m), [[0.5, 3], [2, 2.5]], {
    order: 2,
    rtol: 1e-5,
    atol: 1e-7,
  });
});

Deno.test("the whole likelihood of a Poisson has finite gradients for a count of 0", () => {
  assertEquals(assertFinite((x, m) => negLogPoisson(x, m).sum(), [f64(0, 2), f64(3, 2)]) > 3, true);
});

Deno.test("Poisson losses do not look at counts and means when told not to", () => {
  assertEquals(poissonLoss([0], [-1], { check: false }).item(), 1);
  assertEquals(poissonDeviance([-1], [0], { check: false }).item(), -2);
  assertEquals(poissonDeviance([1], [-1], { check: false }).item(), NaN);
});

testMisuse("poissonLoss", [
  [
    "a negative count",
    () => poissonLoss([0, 0], [1, -1]),
    RangeError,
    "Cannot compute poissonLoss as counts must be at least 0: current value at position 1 is -1",
  ],
  [
    "counts of another shape",
    () => poissonLoss([0, 0], [1]),
    TypeError,
    "Cannot compute poissonLoss as logRate and counts must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
  [
    "an unknown option",
    () => poissonLoss([0], [1], { logInput: true } as never),
    TypeError,
    "Cannot compute poissonLoss as there is no option logInput: the options are reduction, check",
  ],
  [
    "an unknown reduction",
    () => poissonLoss([0], [1], { reduction: "avg" as never }),
    TypeError,
    "Cannot compute poissonLoss as reduction must be one of mean, sum, none: current value is avg",
  ],
  [
    "a check that is no boolean",
    () => poissonLoss([0], [1], { check: 1 as never }),
    TypeError,
    "Cannot compute poissonLoss as check must be true or false: current value is 1",
  ],
]);

testMisuse("poissonDeviance", [
  [
    "a negative count",
    () => poissonDeviance([0, 0], [1, -1]),
    RangeError,
    "Cannot compute poissonDeviance as counts must be at least 0: current value at position 1 is -1",
  ],
  [
    "a negative mean",
    () => poissonDeviance([-2], [1]),
    RangeError,
    "Cannot compute poissonDeviance as mu must be at least 0: current value at position 0 is -2",
  ],
  [
    "counts of another shape",
    () => poissonDeviance([0, 0], [1]),
    TypeError,
    "Cannot compute poissonDeviance as mu and counts must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
]);
