import { grad, lgamma, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { evidentialLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/evidential.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  y: floats([2, 3]),
  gamma: floats([2, 3]),
  nu: floats([2, 3], 0.1, 4),
  alpha: floats([2, 3], 0.1, 20),
  beta: floats([2, 3], 0.1, 4),
});
const f64 = (x: number) => tensor([x], { dtype: "float64" });

Deno.test("evidentialLoss() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.evidential!);
});

Deno.test("evidentialLoss() is the paper's formula", () => {
  fc.assert(
    fc.property(cases, gridNumbers(0, 2), ({ y, gamma, nu, alpha, beta }, lambda) => {
      const omega = beta.mul(2).mul(nu.add(1));
      const error = y.sub(gamma);
      const expected = nu.div(Math.PI).log().div(-2).sub(alpha.mul(omega.log()))
        .add(alpha.add(0.5).mul(error.square().mul(nu).add(omega).log()))
        .add(lgamma(alpha)).sub(lgamma(alpha.add(0.5)))
        .add(error.abs().mul(nu.mul(2).add(alpha)).mul(lambda));
      const found = evidentialLoss(y, gamma, nu, alpha, beta, { lambda, reduction: "none" });
      assertAllClose(found, expected, { rtol: 1e-11, atol: 1e-11 });
      assertReductions(
        (reduction) => evidentialLoss(y, gamma, nu, alpha, beta, { lambda, reduction }),
        6,
      );
    }),
    RUNS,
  );
});

Deno.test("evidentialLoss() without lambda is the loss of a density: Student's t", () => {
  const [step, limit] = [0.01, 400];
  const n = 2 * limit / step;
  const y = tensor(Array.from({ length: n }, (_, i) => -limit + (i + 0.5) * step), {
    dtype: "float64",
  });
  const all = (x: number) => y.mul(0).add(x);
  const loss = evidentialLoss(y, all(1), all(0.7), all(2), all(1.5), {
    lambda: 0,
    reduction: "none",
  });
  assertAlmostEquals(loss.neg().exp().sum().item() * step, 1, 1e-6);
});

Deno.test("evidentialLoss() approaches the normal's likelihood as evidence grows", () => {
  // β = α σ² of much evidence: Student's t becomes the normal.
  const [error, variance] = [1.5, 0.7];
  const large = 1e7;
  const loss = evidentialLoss(f64(error), f64(0), f64(large), f64(large), f64(large * variance), {
    lambda: 0,
  });
  const normal = (Math.log(2 * Math.PI * variance) + error ** 2 / variance) / 2;
  assertAlmostEquals(loss.item(), normal, 1e-6);
});

Deno.test("evidentialLoss() is smooth where its series begins", () => {
  const at = (alpha: number) =>
    evidentialLoss(f64(1), f64(0), f64(1), f64(alpha), f64(1), { lambda: 0 }).item();
  const [below, above] = [at(8 - 1e-9), at(8 + 1e-9)];
  assertAlmostEquals(below, above, 1e-8);
  assertAlmostEquals(at(8), below, 1e-8);
});

Deno.test("evidentialLoss() has all digits of float64 where its series begins", () => {
  // With Ω / ν = 1 / π it is lnΓ(α) − lnΓ(α + ½): here of 7! and of 7.5 · 6.5 · … · 0.5 √π.
  const loss = evidentialLoss(f64(0), f64(0), f64(1), f64(8), f64(1 / (4 * Math.PI)));
  const product = [7.5, 6.5, 5.5, 4.5, 3.5, 2.5, 1.5, 0.5].reduce((a, b) => a * b);
  assertAlmostEquals(loss.item(), Math.log(5040 / (product * Math.sqrt(Math.PI))), 1e-13);
});

Deno.test("evidentialLoss() takes a price for evidence where it is wrong, and none where it is right", () => {
  const price = (y: number) => {
    const at = (lambda: number) =>
      evidentialLoss(f64(y), f64(0), f64(2), f64(3), f64(1), { lambda }).item();
    return at(1) - at(0);
  };
  assertAlmostEquals(price(0.5), 0.5 * (2 * 2 + 3), 1e-12);
  assertEquals(price(0), 0);
  const slope = grad((g: Tensor) => evidentialLoss([1], g, [2], [3], [1]));
  assertAllZero(slope([1]));
});

Deno.test("evidentialLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ y, gamma, nu, alpha, beta }) => {
      checkGradients(
        (...x) => evidentialLoss(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!, { lambda: 0.5 }),
        [y, gamma.add(7), nu.add(0.5), alpha.add(0.5), beta.add(0.5)],
        { order: 2, rtol: 1e-5, atol: 1e-7 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("evidentialLoss() is finite for evidence of 1e-6 and 1e8, and errors of 1e6", () => {
  const [least, most] = [1e-6, 1e8];
  assertFinite(
    (...x) => evidentialLoss(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!),
    [
      tensor([1e6, 0, -1e6, 0]),
      zeros([4]),
      tensor([least, most, most, least]),
      tensor([least, most, most, most]),
      tensor([least, most, least, most]),
    ],
  );
});

Deno.test("evidentialLoss() is finite for evidence near the largest number", () => {
  const most = tensor([1e37]);
  assertFinite((...x) => evidentialLoss([1], [1], x[0]!, x[1]!, x[2]!), [
    tensor([1]),
    most,
    tensor([1]),
  ]);
});

Deno.test("evidentialLoss() of nothing is 0", () => {
  const none = zeros([0]);
  assertEquals(evidentialLoss(none, none, none, none, none).item(), 0);
});

Deno.test("evidentialLoss() averages over all entries by default, with a lambda of 1", () => {
  const two = tensor([1, 2], { dtype: "float64" });
  const found = evidentialLoss(two, [0, 0], two, two, two);
  const options = { lambda: 1, reduction: "sum" } as const;
  assertSame(found, evidentialLoss(two, [0, 0], two, two, two, options).div(2));
});

const call = (nu: number, alpha: number, beta: number, options = {}) => () =>
  evidentialLoss([1], [1], [nu], [alpha], [beta], options);

testMisuse("evidentialLoss", [
  ...([["nu", 0, 1, 1], ["alpha", 1, 0, 1], ["beta", 1, 1, 0]] as const).map((
    [name, nu, alpha, beta],
  ) =>
    [
      `a ${name} of 0`,
      call(nu, alpha, beta),
      RangeError,
      `Cannot compute evidentialLoss as ${name} must be above 0, at least 2^-126: current value at ` +
      "position 0 is 0; make it so, as by softplus",
    ] as const
  ),
  [
    "a negative lambda",
    call(1, 1, 1, { lambda: -1 }),
    RangeError,
    "Cannot compute evidentialLoss as lambda must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "the original's name for lambda",
    call(1, 1, 1, { lmbda: 1 }),
    TypeError,
    "Cannot compute evidentialLoss as there is no option lmbda: did you mean lambda? The options " +
    "are lambda, reduction, check",
  ],
  [
    "an unknown reduction",
    call(1, 1, 1, { reduction: "avg" }),
    TypeError,
    "Cannot compute evidentialLoss as reduction must be one of mean, sum, none: " +
    "current value is avg",
  ],
  [
    "a check that is no boolean",
    call(1, 1, 1, { check: 1 }),
    TypeError,
    "Cannot compute evidentialLoss as check must be true or false: current value is 1",
  ],
  [
    "shapes that differ",
    () => evidentialLoss([1], [1], [1, 2], [1], [1]),
    TypeError,
    "Cannot compute evidentialLoss as target, gamma, nu, alpha and beta must have the same shape: " +
    "current shapes are [1], [1], [2], [1] and [1]",
  ],
]);
