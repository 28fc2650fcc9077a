import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { gaussianNllLoss, normalKl, vaeLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, RUNS } from "../arbitraries.ts";
import gaussian from "../golden/gaussian_nll.json" with { type: "json" };
import kl from "../golden/normal_kl.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  mean: floats([2, 3]),
  target: floats([2, 3]),
  variance: floats([2, 3], 0.2, 4),
});

Deno.test("gaussianNllLoss() agrees with the golden vectors", () => {
  checkGolden(gaussian, COUNT_FUNCTIONS.gaussian_nll!);
});

Deno.test("normalKl() agrees with the golden vectors", () => {
  checkGolden(kl, COUNT_FUNCTIONS.normal_kl!);
});

Deno.test("gaussianNllLoss() is the density of a normal, but for a constant", () => {
  fc.assert(
    fc.property(cases, ({ mean, target, variance }) => {
      const density = target.sub(mean).square().div(variance.mul(-2)).exp()
        .div(variance.mul(2 * Math.PI).sqrt());
      const expected = density.log().neg().sub(Math.log(2 * Math.PI) / 2);
      assertAllClose(gaussianNllLoss(mean, target, variance, { reduction: "none" }), expected, {
        atol: 1e-12,
      });
    }),
    RUNS,
  );
});

Deno.test("gaussianNllLoss() of variances of 1 is half of the squared error", () => {
  fc.assert(
    fc.property(cases, ({ mean, target }) => {
      const expected = mean.sub(target).square().mean().div(2);
      assertSame(gaussianNllLoss(mean, target, 1), expected);
    }),
    RUNS,
  );
});

Deno.test("gaussianNllLoss() and normalKl() are means of sums", () => {
  fc.assert(
    fc.property(cases, ({ mean, target, variance }) => {
      assertReductions((reduction) => gaussianNllLoss(mean, target, variance, { reduction }), 6);
      assertReductions((reduction) => normalKl(mean, target, { reduction }), 2);
    }),
    RUNS,
  );
});

Deno.test("gaussianNllLoss() broadcasts variances", () => {
  fc.assert(
    fc.property(cases, floats([3], 0.2, 4), ({ mean, target }, variance) => {
      const whole = variance.add(mean.mul(0));
      assertSame(gaussianNllLoss(mean, target, variance), gaussianNllLoss(mean, target, whole));
    }),
    RUNS,
  );
});

Deno.test("gaussianNllLoss() is least where the variance is the squared error", () => {
  const slope = grad((v: Tensor) => gaussianNllLoss([1], [4], v));
  assertAlmostEquals(slope([9]).item(), 0, 1e-7);
});

Deno.test("gaussianNllLoss() clamps no variance: its gradient is that of what it is", () => {
  const loss = (v: Tensor) => gaussianNllLoss([0], [1e-4], v);
  const variance = tensor([1e-8], { dtype: "float64" });
  assertAlmostEquals(loss(variance).item(), (Math.log(1e-8) + 1) / 2, 1e-9);
  assertAlmostEquals(grad(loss)(tensor([1e-9], { dtype: "float64" })).item(), -4.5e9, 1);
});

Deno.test("normalKl() is at least 0, and 0 for the standard normal alone", () => {
  fc.assert(
    fc.property(cases, ({ mean, target }) => {
      assertGreaterOrEqual(normalKl(mean, target).item(), 0);
    }),
    RUNS,
  );
  const loss = (m: Tensor, v: Tensor) => normalKl(m, v);
  const none = zeros([2, 3]);
  assertEquals(normalKl(none, none).item(), 0);
  for (const g of grad(loss, { argnums: [0, 1] })(none, none)) assertAllZero(g);
});

Deno.test("normalKl() is the divergence in vaeLoss(), times the latent dimensions", () => {
  fc.assert(
    fc.property(cases, ({ mean, target }) => {
      const ours = normalKl(mean, target).div(3);
      assertAllClose(vaeLoss([0], [0], mean, target), ours, { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("normalKl() takes any leading axes", () => {
  fc.assert(
    fc.property(floats([2, 2, 3]), floats([2, 2, 3]), (m, v) => {
      const rows = normalKl(m, v, { reduction: "none" });
      assertEquals(rows.shape, [2, 2]);
      assertSame(
        rows.reshape(-1),
        normalKl(m.reshape(4, 3), v.reshape(4, 3), { reduction: "none" }),
      );
      assertSame(normalKl(m.at(0, 0), v.at(0, 0)), rows.at(0, 0));
    }),
    RUNS,
  );
});

Deno.test("losses of normals have the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ mean, target, variance }) => {
      const loss = (m: Tensor, t: Tensor, v: Tensor) => gaussianNllLoss(m, t, v);
      checkGradients(loss, [mean, target, variance], { order: 2, rtol: 1e-5 });
      checkGradients((m: Tensor, v: Tensor) => normalKl(m, v), [mean, target], {
        order: 2,
        rtol: 1e-5,
      });
    }),
    FEW_RUNS,
  );
});

Deno.test("losses of normals are finite at extremes", () => {
  assertFinite(
    (m, t, v) => gaussianNllLoss(m, t, v),
    [tensor([0, 1e18, 3]), tensor([1e-18, -1e18, 3]), tensor([1e-36, 1e30, 1e-30])],
  );
  assertFinite((m, v) => normalKl(m, v), [tensor([1e4, -1e4, 0]), tensor([-1e4, 80, -80])]);
});

Deno.test("losses of normals of nothing are 0", () => {
  const none = zeros([0, 3]);
  assertEquals(gaussianNllLoss(none, none, [1, 1, 1]).item(), 0);
  assertEquals(normalKl(none, none).item(), 0);
});

Deno.test("gaussianNllLoss() does not look at variances when told not to", () => {
  const [error, variance] = [1e-20, 1e-40].map((x) => tensor([x], { dtype: "float64" }));
  const loss = gaussianNllLoss([0], error!, variance!, { check: false });
  assertAlmostEquals(loss.item(), (Math.log(1e-40) + 1) / 2, 1e-9);
});

testMisuse("gaussianNllLoss", [
  [
    "a variance of 0",
    () => gaussianNllLoss([0, 0], [1, 1], [1, 0]),
    RangeError,
    "Cannot compute gaussianNllLoss as variance must be above 0, at least 2^-126: current value at " +
    "position 1 is 0; pass variances, such as exp(logVariance)",
  ],
  [
    "a variance that does not broadcast",
    () => gaussianNllLoss([0], [1], [1, 2]),
    TypeError,
    "Cannot compute gaussianNllLoss as variance must broadcast to the shape of mean: " +
    "current shapes are [2] and [1]",
  ],
  [
    "a target of another shape",
    () => gaussianNllLoss([0], [[1]], [1]),
    TypeError,
    "Cannot compute gaussianNllLoss as mean and target must have the same shape: " +
    "current shapes are [1] and [1, 1]",
  ],
  [
    "an unknown reduction",
    () => gaussianNllLoss([0], [1], [1], { reduction: "avg" as never }),
    TypeError,
    "Cannot compute gaussianNllLoss as reduction must be one of mean, sum, none: " +
    "current value is avg",
  ],
  [
    "a check that is no boolean",
    () => gaussianNllLoss([0], [1], [1], { check: 1 as never }),
    TypeError,
    "Cannot compute gaussianNllLoss as check must be true or false: current value is 1",
  ],
  [
    "an unknown option",
    () => gaussianNllLoss([0], [1], [1], { full: true } as never),
    TypeError,
    "Cannot compute gaussianNllLoss as there is no option full: the options are reduction, check",
  ],
]);

testMisuse("normalKl", [
  [
    "scalars",
    () => normalKl(0, 0),
    TypeError,
    "Cannot compute normalKl as mean must have a last axis to sum over: current shape is []",
  ],
  [
    "an unknown reduction",
    () => normalKl([0], [0], { reduction: "batchmean" as never }),
    TypeError,
    "Cannot compute normalKl as reduction must be one of mean, sum, none: current value is batchmean",
  ],
  [
    "log-variances of another shape",
    () => normalKl([0, 1], [0]),
    TypeError,
    "Cannot compute normalKl as mean and logVariance must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
]);
