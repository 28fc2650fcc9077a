import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { differentiableAuroc } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/differentiable_auroc.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const cases = fc.integer({ min: 2, max: 6 }).chain((n) =>
  fc.record({
    scores: floats([n]),
    labels: integers([n], 0, 1),
    order: permutations(n),
    temperature: gridNumbers(0.2, 3),
  })
);

Deno.test("differentiableAuroc() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ predictions, labels }, { temperature }) =>
      differentiableAuroc(predictions, labels, { temperature }),
  );
});

Deno.test("differentiableAuroc() lies in [0, 1]", () => {
  fc.assert(
    fc.property(cases, ({ scores, labels, temperature }) => {
      const score = differentiableAuroc(scores, labels, { temperature }).item();
      assertGreaterOrEqual(score, 0);
      assertLessOrEqual(score, 1);
    }),
    RUNS,
  );
});

Deno.test("differentiableAuroc() approaches the share of pairs in order", () => {
  fc.assert(
    fc.property(cases, ({ scores, labels }) => {
      const [s, y] = [[...scores.data], [...labels.data]];
      const pairs = s.flatMap((a, i) =>
        s.flatMap((b, j) => y[i] && !y[j] ? [a > b ? 1 : a === b ? 0.5 : 0] : [])
      );
      const share = pairs.length === 0
        ? 0
        : pairs.reduce((a: number, b) => a + b, 0) / pairs.length;
      assertAllClose(differentiableAuroc(scores, labels, { temperature: 1e-6 }), share);
    }),
    RUNS,
  );
});

Deno.test("differentiableAuroc() turns into its complement with the sign of the scores", () => {
  fc.assert(
    fc.property(cases, ({ scores, labels, temperature }) => {
      if (!new Set(labels.data).has(0) || !new Set(labels.data).has(1)) return;
      const score = differentiableAuroc(scores, labels, { temperature });
      const mirrored = differentiableAuroc(scores.neg(), labels, { temperature });
      assertSame(score.add(mirrored), 1);
    }),
    RUNS,
  );
});

Deno.test("differentiableAuroc() does not depend on the order or the level of the scores", () => {
  fc.assert(
    fc.property(cases, ({ scores, labels, order, temperature }) => {
      const moved = differentiableAuroc(
        scores.gather(order).add(2),
        labels.gather(order),
        { temperature },
      );
      assertAllClose(moved, differentiableAuroc(scores, labels, { temperature }), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("differentiableAuroc() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ scores, labels, temperature }) => {
      checkGradients((s) => differentiableAuroc(s, labels, { temperature }), [scores], {
        order: 2,
        rtol: 1e-5,
      });
    }),
    FEW_RUNS,
  );
});

Deno.test("differentiableAuroc() has a temperature of 1 by default", () => {
  const score = differentiableAuroc(tensor([0, 2], { dtype: "float64" }), [0, 1]);
  assertSame(score, 1 / (1 + Math.exp(-2)));
});

Deno.test("differentiableAuroc() of equal scores is a half", () => {
  assertEquals(differentiableAuroc([2, 2, 2], [0, 1, 1]).item(), 0.5);
});

Deno.test("differentiableAuroc() without a pair is 0 with gradient 0", () => {
  for (const labels of [[0, 0], [1, 1]]) {
    const score = (s: Tensor) => differentiableAuroc(s, labels);
    assertEquals(assertFinite(score, [tensor([1, 2])]), 0);
    assertAllZero(grad(score)([1, 2]));
  }
});

Deno.test("differentiableAuroc() is finite for scores of ±1e4 and a tiny temperature", () => {
  const scores = tensor([1e4, -1e4, 0]);
  assertFinite((s) => differentiableAuroc(s, [1, 0, 1], { temperature: 1e-6 }), [scores]);
});

Deno.test("differentiableAuroc() takes booleans", () => {
  assertEquals(differentiableAuroc([2, 2], [true, false]).item(), 0.5);
});

testMisuse("differentiableAuroc", [
  [
    "scores that are no vector",
    () => differentiableAuroc([[1, 2]], [[0, 1]]),
    TypeError,
    "Cannot compute differentiableAuroc as predictions must have the shape [cells]: " +
    "current shape is [1, 2]",
  ],
  [
    "labels of another number",
    () => differentiableAuroc([1, 2], [0, 1, 1]),
    TypeError,
    "Cannot compute differentiableAuroc as predictions and labels must have the same shape: " +
    "current shapes are [2] and [3]",
  ],
  [
    "a third label",
    () => differentiableAuroc([1, 2], [0, 2]),
    RangeError,
    "Cannot compute differentiableAuroc as labels must hold only zeros and ones: " +
    "current value at position 1 is 2",
  ],
  [
    "a temperature of 0",
    () => differentiableAuroc([1, 2], [0, 1], { temperature: 0 }),
    RangeError,
    "Cannot compute differentiableAuroc as temperature must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "an unknown option",
    () => differentiableAuroc([1, 2], [0, 1], { tau: 1 } as never),
    TypeError,
    "Cannot compute differentiableAuroc as there is no option tau: did you mean " +
    "temperature? The options are temperature",
  ],
]);
