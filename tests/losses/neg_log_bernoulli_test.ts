import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { negLogBernoulliLoss, negLogBernoulliWithLogitsLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, maskedCases, RUNS } from "../arbitraries.ts";
import golden from "../golden/neg_log_bernoulli.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import {
  assertAllZero,
  assertFinite,
  assertSame,
  assertZeroOff,
  entriesOn,
  replaceOff,
  testMisuse,
} from "./laws.ts";

const cases = maskedCases({ min: 0.01, max: 0.99 });

Deno.test("negLogBernoulliLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ probs, target, mask }) => negLogBernoulliLoss(probs, target, mask));
});

Deno.test("negLogBernoulliLoss() lies between 0 and the logarithm of the machine epsilon", () => {
  fc.assert(
    fc.property(maskedCases({ min: 0, max: 1 }), ({ x, t, mask }) => {
      const loss = negLogBernoulliLoss(x, t, mask).item();
      assertGreaterOrEqual(loss, 0);
      assertLessOrEqual(loss, 36.05);
    }),
    RUNS,
  );
});

Deno.test("negLogBernoulliLoss() costs −log of the probability of what is the case", () => {
  const probs = tensor([0.9, 0.2], { dtype: "float64" });
  assertSame(negLogBernoulliLoss(probs, [3, -1], [1, 0]), -Math.log(0.9));
  assertSame(negLogBernoulliLoss(probs, [3, -1], [0, 1]), -Math.log(0.8));
});

Deno.test("negLogBernoulliLoss() looks at nothing of the target but its sign", () => {
  fc.assert(
    fc.property(cases, ({ x, t, mask }) => {
      assertSame(negLogBernoulliLoss(x, t.sign().mul(5), mask), negLogBernoulliLoss(x, t, mask));
    }),
    RUNS,
  );
});

Deno.test("negLogBernoulliLoss() is the loss of the masked entries alone", () => {
  fc.assert(
    fc.property(cases, ({ x, t, mask }) => {
      const on = entriesOn(mask, mask);
      const subset = negLogBernoulliLoss(entriesOn(x, mask), entriesOn(t, mask), on);
      assertSame(negLogBernoulliLoss(x, t, mask), subset);
    }),
    RUNS,
  );
});

Deno.test("negLogBernoulliLoss() lets no NaN off the mask into value or gradient", () => {
  fc.assert(
    fc.property(cases, ({ x, t, mask }) => {
      const loss = (p: Tensor) => negLogBernoulliLoss(p, replaceOff(t, mask, NaN), mask);
      const probs = replaceOff(x, mask, NaN);
      assertSame(loss(probs), negLogBernoulliLoss(x, t, mask));
      assertZeroOff(grad(loss)(probs), mask);
    }),
    RUNS,
  );
});

Deno.test("negLogBernoulliLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(maskedCases({ min: 0.1, max: 0.9 }), ({ x, t, mask }) => {
      checkGradients((p) => negLogBernoulliLoss(p, t, mask), [x], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("negLogBernoulliLoss() is finite at 0 and 1, with gradient 0", () => {
  const loss = (p: Tensor) => negLogBernoulliLoss(p, [1, 0, 1, 0], [1, 1, 1, 1]);
  assertFinite(loss, [tensor([0, 0, 1, 1])]);
  assertAllZero(grad(loss)([0, 0, 1, 1]));
});

Deno.test("negLogBernoulliLoss() limits the cost by the epsilon of the type", () => {
  assertAllClose(negLogBernoulliLoss([0], [1], [1]), 23 * Math.LN2, { rtol: 1e-6 });
  const zero = tensor([0], { dtype: "float64" });
  assertSame(negLogBernoulliLoss(zero, [1], [1]), 52 * Math.LN2);
  assertSame(negLogBernoulliLoss(zero, [1], [1], { epsilon: 0.125 }), 3 * Math.LN2);
});

Deno.test("negLogBernoulliLoss() of an empty mask is 0, or NaN on request", () => {
  const loss = (p: Tensor) => negLogBernoulliLoss(p, [1], [0]);
  assertEquals(assertFinite(loss, [tensor([NaN])]), 0);
  assert(Number.isNaN(negLogBernoulliLoss([0.5], [1], [0], { emptyMask: "nan" }).item()));
});

Deno.test("negLogBernoulliWithLogitsLoss() equals the loss of probabilities in between", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const fromProbs = negLogBernoulliLoss(x.sigmoid(), t, mask);
      assertSame(negLogBernoulliWithLogitsLoss(x, t, mask), fromProbs);
    }),
    RUNS,
  );
});

Deno.test("negLogBernoulliWithLogitsLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      checkGradients((z) => negLogBernoulliWithLogitsLoss(z, t, mask), [x], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("negLogBernoulliWithLogitsLoss() keeps its gradient at logits of ±1e4", () => {
  const loss = (z: Tensor) => negLogBernoulliWithLogitsLoss(z, [1, 0], [1, 1]);
  assertEquals(assertFinite(loss, [tensor([-1e4, 1e4])]), 1e4);
  assertEquals(grad(loss)([-1e4, 1e4]).toArray(), [-0.5, 0.5]);
});

Deno.test("negLogBernoulliWithLogitsLoss() lets no NaN off the mask into value or gradient", () => {
  const loss = (z: Tensor) => negLogBernoulliWithLogitsLoss(z, [1, NaN], [1, 0]);
  assertFinite(loss, [tensor([2, NaN])]);
  assertAllZero(grad(loss)([2, NaN]).slice(1));
});

Deno.test("negLogBernoulliWithLogitsLoss() of an empty mask is 0, or NaN on request", () => {
  assertEquals(negLogBernoulliWithLogitsLoss([2], [1], [0]).item(), 0);
  const loss = negLogBernoulliWithLogitsLoss([2], [1], [0], { emptyMask: "nan" });
  assert(Number.isNaN(loss.item()));
});

testMisuse("negLogBernoulliLoss", [
  [
    "shapes that differ",
    () => negLogBernoulliLoss([0.5], [1, 2], [1]),
    TypeError,
    "Cannot compute negLogBernoulliLoss as probs, target and mask must have the same shape: " +
    "current shapes are [1], [2] and [1]",
  ],
  [
    "an epsilon of 0",
    () => negLogBernoulliLoss([0.5], [1], [1], { epsilon: 0 }),
    RangeError,
    "Cannot compute negLogBernoulliLoss as epsilon must be a finite number above 0 and " +
    "below 0.5: current value is 0",
  ],
  [
    "an empty mask on request",
    () => negLogBernoulliLoss([0.5], [1], [0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute negLogBernoulliLoss as mask must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "an unknown option",
    () => negLogBernoulliLoss([0.5], [1], [1], { eps: 1 } as never),
    TypeError,
    "Cannot compute negLogBernoulliLoss as there is no option eps: did you mean epsilon? " +
    "The options are epsilon, emptyMask, check",
  ],
]);

testMisuse("negLogBernoulliWithLogitsLoss", [
  [
    "shapes that differ",
    () => negLogBernoulliWithLogitsLoss([0.5], [1], [[1]]),
    TypeError,
    "Cannot compute negLogBernoulliWithLogitsLoss as logits, target and mask must have the same " +
    "shape: current shapes are [1], [1] and [1, 1]",
  ],
  [
    "an empty mask on request",
    () => negLogBernoulliWithLogitsLoss([0.5], [1], [0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute negLogBernoulliWithLogitsLoss as mask must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
]);
