import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { negativeBinomialLoss, zinbLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/zinb_nll.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  counts: integers([2, 3], 0, 4),
  logRate: floats([2, 3], -2, 2),
  logTheta: floats([2, 3], -2, 2),
  piLogit: floats([2, 3]),
});

const float64 = (x: number) => tensor([x], { dtype: "float64" });

Deno.test("zinbLoss() with the soft indicator agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ counts, log_rate, log_theta, pi_logit }) =>
      zinbLoss(counts, log_rate, log_theta, pi_logit, { zeroIndicator: "soft" }),
  );
});

Deno.test("zinbLoss() is the loss of a probability", () => {
  fc.assert(
    fc.property(floats([1], -1, 1), floats([1], -1, 2), floats([1]), (rate, theta, pi) => {
      const total = Array.from(
        { length: 300 },
        (_, count) => Math.exp(-zinbLoss([count], rate, theta, pi).item()),
      ).reduce((a, b) => a + b);
      assertAlmostEquals(total, 1, 1e-5);
    }),
    FEW_RUNS,
  );
});

Deno.test("zinbLoss() without dropout is the sum of the negative binomial losses", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, logTheta, piLogit }) => {
      const plain = negativeBinomialLoss(counts, logRate.exp(), logTheta.exp()).mul(counts.size);
      const never = piLogit.mul(0).sub(1e4);
      assertAllClose(zinbLoss(counts, logRate, logTheta, never), plain, { rtol: 1e-7 });
    }),
    RUNS,
  );
});

Deno.test("zinbLoss() of certain dropout costs nothing for zeros, and the logit for counts", () => {
  const at = (count: number) => zinbLoss([count], float64(0), float64(0), float64(50)).item();
  assertAlmostEquals(at(0), 0, 1e-12);
  // NB(2 | 1, 1) = 1/8.
  assertAlmostEquals(at(2), 50 + Math.log(8), 1e-6);
});

Deno.test("zinbLoss() adds 1e-8 to the dispersion inside the logarithm", () => {
  // NB(0) = (θ / (θ + μ))^θ, with θ as small as it may be
  const theta = Math.exp(-10);
  const loss = zinbLoss([0], float64(0), float64(-10), float64(-1e4));
  assertSame(loss, theta * Math.log1p(1 / (theta + 1e-8)));
});

Deno.test("zinbLoss() keeps the digits of the larger probability in float32", () => {
  // NB(0) is e^−5600: a zero is a dropout, of probability σ(0.5).
  const dropout = zinbLoss([0], [9], [9], [0.5]).item();
  assertAlmostEquals(dropout, Math.log1p(Math.exp(-0.5)), 1e-6);
  // The rate is e^−5000.3, and counts as 1e-8: NB(1) = θ^θ θ 1e-8 / (θ + 1e-8)^(θ + 1) with θ = 1.
  const count = zinbLoss([1], [-5000.3], [0], [-1e4]).item();
  assertAlmostEquals(count, Math.log1p(1e8), 1e-5);
});

Deno.test("zinbLoss() scores a zero as a zero, where the original scores half of it", () => {
  const [counts, logRate, logTheta, piLogit] = Object.values(
    golden.cases.find((c) => c.id === "random")!.inputs,
  ).map((x) => tensor(x.data, { shape: x.shape, dtype: "float64" }));
  const loss = (zeroIndicator: "hard" | "soft") =>
    zinbLoss(counts!, logRate!, logTheta!, piLogit!, { zeroIndicator }).item();
  assertAlmostEquals(loss("soft"), 59.87, 5e-3);
  assertAlmostEquals(loss("hard"), 56.43, 5e-3);
});

Deno.test("zinbLoss() with the soft indicator scores a count near 0 as both", () => {
  // With θ = μ = 1 and π = 1/2: P(0) = 3/4, and NB(x) = 2^−(1 + x).
  const x = 0.01;
  const share = 1 / (1 + Math.exp(-(x - 9.9e-9) / 0.01));
  const expected = -(1 - share) * Math.log(0.75) + share * (2 + x) * Math.LN2;
  const zero = float64(0);
  const loss = zinbLoss(float64(x), zero, zero, zero, { zeroIndicator: "soft" });
  assertAlmostEquals(loss.item(), expected, 1e-7);
});

Deno.test("zinbLoss() with either indicator is the same for counts above 0", () => {
  fc.assert(
    fc.property(cases, ({ counts, logRate, logTheta, piLogit }) => {
      const loss = (zeroIndicator: "hard" | "soft") =>
        zinbLoss(counts.add(1), logRate, logTheta, piLogit, { zeroIndicator });
      assertAllClose(loss("soft"), loss("hard"), { rtol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("zinbLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(
      cases,
      fc.constantFrom("hard" as const, "soft" as const),
      ({ counts, logRate, logTheta, piLogit }, zeroIndicator) => {
        checkGradients(
          (...parameters) => {
            const [rate, theta, pi] = parameters as [Tensor, Tensor, Tensor];
            return zinbLoss(counts, rate, theta, pi, { zeroIndicator });
          },
          [logRate, logTheta, piLogit],
          { order: 2, rtol: 1e-5, atol: 1e-6 },
        );
      },
    ),
    FEW_RUNS,
  );
});

Deno.test("zinbLoss() is finite for logarithms and logits of ±1e4", () => {
  for (const zeroIndicator of ["hard", "soft"] as const) {
    for (const count of [0, 3]) {
      for (const rate of [-1e4, 1e4]) {
        for (const pi of [-1e4, 1e4]) {
          const inputs = [rate, -rate, pi].map((x) => tensor([x]));
          assertFinite(
            (...p) => zinbLoss([count], p[0]!, p[1]!, p[2]!, { zeroIndicator }),
            inputs,
          );
        }
      }
    }
  }
});

Deno.test("zinbLoss() keeps logTheta in [−10, 10], with gradient 0 beyond", () => {
  const loss = (theta: Tensor) => zinbLoss([2], float64(0), theta, float64(0));
  assertEquals(loss(float64(30)).item(), loss(float64(10)).item());
  assertAllZero(grad(loss)(float64(30)));
  assertEquals(loss(float64(-30)).item(), loss(float64(-10)).item());
});

Deno.test("zinbLoss() takes one dispersion per gene, with the sum of the gradients", () => {
  const [counts, rate, pi] = [[[0, 3, 1], [2, 0, 5]], [[0.1, 1, -1], [0.5, 0, 1]], [[0, 1, -1], [
    -2,
    0.5,
    0,
  ]]];
  const loss = (theta: Tensor) => zinbLoss(counts, rate, theta, pi);
  const perGene = tensor([-0.5, 0.3, 1], { dtype: "float64" });
  assertAllClose(loss(perGene), loss(perGene.broadcastTo([2, 3])), { rtol: 1e-12 });
  const whole = grad(loss)(perGene.broadcastTo([2, 3])).sum({ axis: 0 });
  assertAllClose(grad(loss)(perGene), whole, { rtol: 1e-12 });
});

testMisuse("zinbLoss", [
  [
    "shapes that differ",
    () => zinbLoss([[1, 2]], [0, 0], [0, 0], [[0, 0]]),
    TypeError,
    "Cannot compute zinbLoss as counts, logRate and piLogit must have the same shape: " +
    "current shapes are [1, 2], [2] and [1, 2]",
  ],
  [
    "dispersions that do not broadcast",
    () => zinbLoss([1, 2], [0, 0], [[0, 0]], [0, 0]),
    TypeError,
    "Cannot compute zinbLoss as logTheta must broadcast to the shape of counts: " +
    "current shapes are [1, 2] and [2]",
  ],
  [
    "a check that is no boolean",
    () => zinbLoss([1], [0], [0], [0], { check: "no" as never }),
    TypeError,
    'Cannot compute zinbLoss as check must be true or false: current value is "no"',
  ],
  [
    "an unknown indicator",
    () => zinbLoss([1], [0], [0], [0], { zeroIndicator: "smooth" as never }),
    TypeError,
    "Cannot compute zinbLoss as zeroIndicator must be one of hard, soft: current value is smooth",
  ],
  [
    "an unknown option",
    () => zinbLoss([1], [0], [0], [0], { reduction: "mean" } as never),
    TypeError,
    "Cannot compute zinbLoss as there is no option reduction: the options are " +
    "zeroIndicator, check",
  ],
]);
