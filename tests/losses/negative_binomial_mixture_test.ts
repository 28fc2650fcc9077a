import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import {
  negativeBinomialLoss,
  negativeBinomialMixtureLoss,
  negativeBinomialParameters,
  zinbLoss,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/negative_binomial_mixture.json" with { type: "json" };
import { COUNT_FUNCTIONS } from "../golden/count_functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

const cases = fc.record({
  counts: integers([2, 3], 0, 9),
  mu1: floats([2, 3], 0.1, 5),
  mu2: floats([2, 3], 0.1, 9),
  theta: floats([3], 0.1, 5),
  theta2: floats([3], 0.1, 5),
  logits: floats([2, 3]),
});
const f64 = (...values: number[]) => tensor(values, { dtype: "float64" });

Deno.test("negativeBinomialMixtureLoss() agrees with the golden vectors", () => {
  checkGolden(golden, COUNT_FUNCTIONS.negative_binomial_mixture!);
});

Deno.test("negativeBinomialMixtureLoss() of certain logits is the loss of one component", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, mu2, theta, theta2 }) => {
      const loss = (logit: number) =>
        negativeBinomialMixtureLoss(counts, mu1, mu2, theta, logit, { theta2 });
      assertSame(loss(1e4), negativeBinomialLoss(counts, mu1, theta));
      assertSame(loss(-1e4), negativeBinomialLoss(counts, mu2, theta2));
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() is the logarithm of the sum of chances", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, mu2, theta, theta2, logits }) => {
      counts.data.forEach((_: number, i: number) => {
        const at = (x: Tensor) => x.reshape(-1).gather([i % x.size]);
        const chance = (mu: Tensor, r: Tensor) =>
          negativeBinomialLoss(at(counts), at(mu), at(r)).neg().exp();
        const share = at(logits).sigmoid();
        const both = chance(mu1, theta).mul(share).add(chance(mu2, theta2).mul(share.neg().add(1)));
        const found = negativeBinomialMixtureLoss(counts, mu1, mu2, theta, logits, {
          theta2,
          reduction: "none",
        });
        assertAllClose(found.reshape(-1).gather([i]), both.log().neg(), {
          rtol: 1e-9,
          atol: 1e-12,
        });
      });
    }),
    FEW_RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() does not know which component is which", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, mu2, theta, theta2, logits }) => {
      const one = negativeBinomialMixtureLoss(counts, mu1, mu2, theta, logits, { theta2 });
      const other = negativeBinomialMixtureLoss(counts, mu2, mu1, theta2, logits.neg(), {
        theta2: theta,
      });
      assertSame(one, other);
      assertGreaterOrEqual(one.item(), 0);
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() of equal components is the loss of either", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, theta, logits }) => {
      const loss = negativeBinomialMixtureLoss(counts, mu1, mu1, theta, logits);
      assertSame(loss, negativeBinomialLoss(counts, mu1, theta));
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() with a component of no counts is zinbLoss()", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu2, theta, logits }) => {
      const loss = negativeBinomialMixtureLoss(counts, mu2.mul(0), mu2, theta, logits, {
        reduction: "sum",
      });
      const inflated = zinbLoss(counts, mu2.log(), theta.log(), logits);
      assertAllClose(loss, inflated, { rtol: 1e-4 });
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() is a mean of sums, and broadcasts what genes share", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, mu2, theta, theta2, logits }) => {
      assertReductions(
        (reduction) =>
          negativeBinomialMixtureLoss(counts, mu1, mu2, theta, logits, { theta2, reduction }),
        6,
      );
      const whole = (x: Tensor) => x.add(mu1.mul(0));
      assertSame(
        negativeBinomialMixtureLoss(counts, mu1, mu2, theta, logits.at(0), { theta2 }),
        negativeBinomialMixtureLoss(counts, mu1, mu2, whole(theta), whole(logits.at(0)), {
          theta2: whole(theta2),
        }),
      );
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() has digits near 0, which logarithms would lose", () => {
  const loss = negativeBinomialMixtureLoss([0], [1e-6], [3e-6], [1], [0]);
  assertAlmostEquals(loss.item() / 2e-6, 1, 1e-5);
});

Deno.test("negativeBinomialMixtureLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ counts, mu1, mu2, theta, theta2, logits }) => {
      checkGradients(
        (...x) =>
          negativeBinomialMixtureLoss(counts, x[0]!, x[1]!, x[2]!, x[4]!, { theta2: x[3]! }),
        [mu1.add(0.5), mu2.add(0.5), theta.add(0.5), theta2.add(0.5), logits],
        { order: 2, rtol: 1e-5, atol: 1e-6 },
      );
    }),
    FEW_RUNS,
  );
});

Deno.test("negativeBinomialMixtureLoss() is finite for logits of ±1e4 and means of 0", () => {
  assertFinite(
    (...x) => negativeBinomialMixtureLoss([0, 1e4, 1e4, 0], x[0]!, x[1]!, x[2]!, x[3]!),
    [
      tensor([0, 0, 1e4, 1e4]),
      tensor([1e4, 1e4, 0, 0]),
      tensor([1, 1e6, 0, 1e-4]),
      tensor([1e4, -1e4, 1e4, -1e4]),
    ],
  );
});

Deno.test("negativeBinomialMixtureLoss() of no counts is 0", () => {
  const none = zeros([0, 2]);
  assertEquals(negativeBinomialMixtureLoss(none, none, none, [1, 1], [0, 0]).item(), 0);
});

Deno.test("negativeBinomialMixtureLoss() raises means to epsilon, with gradient 0", () => {
  const loss = (mu: Tensor) =>
    negativeBinomialMixtureLoss([0], mu, [2], [1], [0], { epsilon: 0.5 });
  assertSame(loss(f64(-3)), loss(f64(0.5)));
  assertEquals(Math.abs(grad(loss)(f64(-3)).item()), 0);
});

const call = (counts: number[], options = {}) => () =>
  negativeBinomialMixtureLoss(counts, [1], [1], [1], [0], options);

testMisuse("negativeBinomialMixtureLoss", [
  [
    "a negative count",
    call([-1]),
    RangeError,
    "Cannot compute negativeBinomialMixtureLoss as counts must be at least 0: " +
    "current value at position 0 is -1",
  ],
  [
    "counts of another shape",
    call([1, 2]),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as counts, mu1 and mu2 must have the same shape: " +
    "current shapes are [2], [1] and [1]",
  ],
  [
    "a theta2 that is no tensor",
    call([1], { theta2: "1" }),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as theta2 must be a tensor, a number or an array: " +
    'current value is "1"',
  ],
  [
    "a theta2 of a larger shape",
    call([1], { theta2: [1, 2] }),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as theta2 must broadcast to the shape of counts: " +
    "current shapes are [2] and [1]",
  ],
  [
    "an epsilon of 0",
    call([1], { epsilon: 0 }),
    RangeError,
    "Cannot compute negativeBinomialMixtureLoss as epsilon must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "an unknown reduction",
    call([1], { reduction: "avg" }),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as reduction must be one of mean, sum, none: " +
    "current value is avg",
  ],
  [
    "a check that is no boolean",
    call([1], { check: 1 }),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as check must be true or false: current value is 1",
  ],
  [
    "an unknown option",
    call([1], { eps: 1e-8 }),
    TypeError,
    "Cannot compute negativeBinomialMixtureLoss as there is no option eps: did you mean epsilon? " +
    "The options are theta2, epsilon, reduction, check",
  ],
]);

Deno.test("negativeBinomialParameters() names one distribution in four ways", () => {
  fc.assert(
    fc.property(floats([2, 3], 0.1, 9), floats([2, 3], 0.1, 9), (mu, theta) => {
      const logits = mu.div(theta).log();
      const ways = [
        { mu, theta },
        { mu, dispersion: theta.reciprocal() },
        { totalCount: theta, logits },
        { totalCount: theta, probs: logits.sigmoid() },
      ].map((names) => negativeBinomialParameters(names as never));
      for (const found of ways) {
        assertAllClose(found.mu, mu, { rtol: 1e-12 });
        assertAllClose(found.theta, theta, { rtol: 1e-12 });
        assertAllClose(found.logRate, mu.log(), { atol: 1e-12 });
        assertAllClose(found.logTheta, theta.log(), { atol: 1e-12 });
      }
    }),
    RUNS,
  );
});

Deno.test("negativeBinomialParameters() gives means of the shape that two shapes make", () => {
  const pairs = [
    { mu: [[1, 2]], theta: [[1], [2], [3]] },
    { mu: [[1], [2], [3]], dispersion: [1, 2] },
    { totalCount: [[1], [2], [3]], logits: [1, 2] },
    { totalCount: [1, 2], probs: [[0.1], [0.2], [0.3]] },
  ];
  for (const names of pairs) {
    const { mu, logRate } = negativeBinomialParameters(names as never);
    assertEquals([mu.shape, logRate.shape], [[3, 2], [3, 2]]);
  }
  for (const second of ["theta", "dispersion"]) {
    assertThrows(
      () => negativeBinomialParameters({ mu: [1, 2], [second]: [1, 2, 3] } as never),
      TypeError,
      "Cannot compute negativeBinomialParameters as the shapes do not broadcast",
    );
  }
});

Deno.test("negativeBinomialParameters() takes undefined for a name that is not given", () => {
  const { mu } = negativeBinomialParameters({ mu: [2], theta: [1], probs: undefined } as never);
  assertEquals(mu.item(), 2);
});

Deno.test("negativeBinomialParameters() broadcasts, and has gradients", () => {
  const { mu, logRate } = negativeBinomialParameters({
    totalCount: [1, 2],
    logits: [[0], [1], [2]],
  });
  assertEquals([mu.shape, logRate.shape], [[3, 2], [3, 2]]);
  for (const [first, second] of [["mu", "theta"], ["mu", "dispersion"], ["totalCount", "probs"]]) {
    const f = (x: Tensor, y: Tensor) => {
      const all = negativeBinomialParameters({ [first!]: x, [second!]: y } as never);
      return all.mu.add(all.theta).add(all.logRate).add(all.logTheta);
    };
    checkGradients(f, [[0.5, 2], [0.3, 0.6]], { order: 2, rtol: 1e-5, atol: 1e-7 });
  }
});

Deno.test("negativeBinomialParameters() keeps logarithms that have no exponential", () => {
  const { logRate } = negativeBinomialParameters({ totalCount: [1, 1], logits: [-1e4, 1e4] });
  assertEquals(logRate.toArray(), [-1e4, 1e4]);
  assertEquals(negativeBinomialParameters({ mu: [0], theta: [1] }).logRate.item(), -Infinity);
  const small = negativeBinomialParameters({ totalCount: [1], probs: [1e-10] });
  assertAlmostEquals(small.mu.item() / 1e-10, 1, 1e-6);
});

testMisuse("negativeBinomialParameters", [
  [
    "names that are no pair",
    () => negativeBinomialParameters({ mu: [1], logits: [1] } as never),
    TypeError,
    "Cannot compute negativeBinomialParameters as names must be one of the pairs mu and theta; " +
    "dispersion and mu; logits and totalCount; probs and totalCount: " +
    "current value is { logits, mu }",
  ],
  [
    "what is no object",
    () => negativeBinomialParameters([1] as never),
    TypeError,
    "Cannot compute negativeBinomialParameters as names must be one of the pairs mu and theta; " +
    "dispersion and mu; logits and totalCount; probs and totalCount: current value is [1]",
  ],
  [
    "an object of a class",
    () => {
      class Names {
        mu = [1];
        theta = [1];
      }
      negativeBinomialParameters(new Names());
    },
    TypeError,
    "Cannot compute negativeBinomialParameters as names must be one of the pairs mu and theta; " +
    "dispersion and mu; logits and totalCount; probs and totalCount: " +
    "current value is a Names",
  ],
  [
    "a name too many",
    () => negativeBinomialParameters({ mu: [1], theta: [1], dispersion: [1] } as never),
    TypeError,
    "Cannot compute negativeBinomialParameters as names must be one of the pairs mu and theta; " +
    "dispersion and mu; logits and totalCount; probs and totalCount: " +
    "current value is { dispersion, mu, theta }",
  ],
  [
    "a dispersion of 0",
    () => negativeBinomialParameters({ mu: [1], dispersion: [0] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as dispersion must be above 0, at least 2^-126: " +
    "current value at position 0 is 0; for none, take poissonLoss",
  ],
  [
    "a theta of 0",
    () => negativeBinomialParameters({ mu: [1], theta: [0] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as theta must be above 0, at least 2^-126: " +
    "current value at position 0 is 0",
  ],
  [
    "a negative mean beside a theta",
    () => negativeBinomialParameters({ mu: [-1], theta: [1] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as mu must be at least 0: " +
    "current value at position 0 is -1",
  ],
  [
    "a negative mean beside a dispersion",
    () => negativeBinomialParameters({ mu: [-1], dispersion: [1] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as mu must be at least 0: " +
    "current value at position 0 is -1",
  ],
  [
    "a total count of 0",
    () => negativeBinomialParameters({ totalCount: [0], logits: [1] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as totalCount must be above 0, at least 2^-126: " +
    "current value at position 0 is 0",
  ],
  [
    "logits as probabilities",
    () => negativeBinomialParameters({ totalCount: [1], probs: [-1] }),
    RangeError,
    "Cannot compute negativeBinomialParameters as probs must be in [0, 1]: " +
    "current value at position 0 is -1; pass probabilities, such as softmax(logits)",
  ],
]);
