import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { vaeLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/vae_elbo.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  x: floats([2, 3], 0, 1),
  decoded: floats([2, 3]),
  mean: floats([2, 2]),
  logVariance: floats([2, 2]),
  klWeight: gridNumbers(0, 2),
  reconstructionLoss: fc.constantFrom("mse" as const, "bce" as const),
});

Deno.test("vaeLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ x, x_recon, mean, logvar }, { kl_weight }) =>
      vaeLoss(x, x_recon, mean, logvar, { klWeight: kl_weight }),
  );
});

Deno.test("vaeLoss() is at least 0 for inputs in [0, 1]", () => {
  fc.assert(
    fc.property(cases, ({ x, decoded, mean, logVariance, ...options }) => {
      assertGreaterOrEqual(vaeLoss(x, decoded, mean, logVariance, options).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("vaeLoss() is reconstruction plus weighted divergence", () => {
  fc.assert(
    fc.property(cases, ({ x, decoded, mean, logVariance, klWeight, reconstructionLoss }) => {
      const part = (weight: number) =>
        vaeLoss(x, decoded, mean, logVariance, { klWeight: weight, reconstructionLoss });
      const divergence = part(1).sub(part(0));
      assertAllClose(part(klWeight), part(0).add(divergence.mul(klWeight)), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("vaeLoss() averages the divergence of each latent dimension", () => {
  fc.assert(
    fc.property(cases, ({ mean, logVariance }) => {
      const [m, v] = [[...mean.data], [...logVariance.data]];
      const terms = m.map((mu, i) => 0.5 * (mu ** 2 + Math.exp(v[i]!) - 1 - v[i]!));
      const expected = terms.reduce((a, b) => a + b, 0) / terms.length;
      assertAllClose(vaeLoss([[0]], [[0]], mean, logVariance), expected, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("vaeLoss() has no divergence for a standard normal posterior", () => {
  assertEquals(vaeLoss([1, 2], [1, 2], zeros([3]), zeros([3])).item(), 0);
});

Deno.test("vaeLoss() reconstructs by squared errors, or by the cross entropy of logits", () => {
  const [x, decoded] = [0.25, 0.5].map((v) => tensor([v], { dtype: "float64" }));
  const at = (reconstructionLoss: "mse" | "bce") =>
    vaeLoss(x!, decoded!, [0], [0], { reconstructionLoss });
  const p = 1 / (1 + Math.exp(-0.5));
  assertSame(at("mse"), 0.0625);
  assertSame(at("bce"), -0.25 * Math.log(p) - 0.75 * Math.log(1 - p));
});

Deno.test("vaeLoss() keeps the gradient of hopeless logits, which the original loses", () => {
  const loss = (z: Tensor) => vaeLoss([1], z, [0], [0], { reconstructionLoss: "bce" });
  const logit = tensor([-30], { dtype: "float64" });
  assertAlmostEquals(loss(logit).item(), 30, 1e-9);
  assertAlmostEquals(grad(loss)(logit).item(), -1, 1e-9);
});

Deno.test("vaeLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ x, decoded, mean, logVariance, ...options }) => {
      checkGradients(
        (...p) => vaeLoss(p[0]!, p[1]!, p[2]!, p[3]!, options),
        [x, decoded, mean, logVariance],
        { order: 2, rtol: 1e-5 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("vaeLoss() is finite for logits and means of ±1e4 and vanishing variances", () => {
  assertFinite(
    (...p) => vaeLoss([0, 1], p[0]!, p[1]!, p[2]!, { reconstructionLoss: "bce" }),
    [tensor([1e4, -1e4]), tensor([1e4, -1e4]), tensor([-1e4, 80])],
  );
});

Deno.test("vaeLoss() of no cells is 0", () => {
  const [features, latent] = [zeros([0, 3]), zeros([0, 2])];
  assertEquals(vaeLoss(features, features, latent, latent).item(), 0);
});

testMisuse("vaeLoss", [
  [
    "a check that is no boolean",
    () => vaeLoss([1], [1], [0], [0], { check: "no" as never }),
    TypeError,
    'Cannot compute vaeLoss as check must be true or false: current value is "no"',
  ],
  [
    "a reconstruction of another shape",
    () => vaeLoss([1, 2], [1], [0], [0]),
    TypeError,
    "Cannot compute vaeLoss as x and reconstruction must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
  [
    "variances of another shape",
    () => vaeLoss([1], [1], [0], [[0]]),
    TypeError,
    "Cannot compute vaeLoss as mean and logVariance must have the same shape: " +
    "current shapes are [1] and [1, 1]",
  ],
  [
    "a negative weight",
    () => vaeLoss([1], [1], [0], [0], { klWeight: -1 }),
    RangeError,
    "Cannot compute vaeLoss as klWeight must be a finite number at least 0: current value is -1",
  ],
  [
    "an unknown reconstruction",
    () => vaeLoss([1], [1], [0], [0], { reconstructionLoss: "l1" as never }),
    TypeError,
    "Cannot compute vaeLoss as reconstructionLoss must be one of mse, bce: current value is l1",
  ],
  [
    "an unknown option",
    () => vaeLoss([1], [1], [0], [0], { beta: 1 } as never),
    TypeError,
    "Cannot compute vaeLoss as there is no option beta: did you mean klWeight? The " +
    "options are klWeight, reconstructionLoss, check",
  ],
]);
