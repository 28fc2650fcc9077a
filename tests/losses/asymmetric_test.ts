import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { asymmetricLoss, negLogBernoulliWithLogitsLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, RUNS, smallShapes } from "../arbitraries.ts";
import { checkGolden } from "../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import golden from "../golden/asymmetric.json" with { type: "json" };
import { assertAllZero, assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

/** Logits, whether labels apply, and how they are weighed. */
const cases = smallShapes().chain((shape) =>
  fc.record({
    logits: floats(shape),
    targets: integers(shape, 0, 1),
    options: fc.record({
      gammaNegative: gridNumbers(0, 5),
      gammaPositive: gridNumbers(0, 5),
      clip: fc.oneof(fc.constant(0), gridNumbers(0.001, 0.3)),
    }),
  })
);

const bare = { gammaNegative: 0, gammaPositive: 0, clip: 0 };

Deno.test("asymmetricLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.asymmetric!);
});

Deno.test("asymmetricLoss() without focus and clip is the binary cross entropy", () => {
  fc.assert(
    fc.property(cases, ({ logits, targets }) => {
      const everywhere = targets.equal(targets);
      const entropy = negLogBernoulliWithLogitsLoss(logits, targets, everywhere);
      assertSame(asymmetricLoss(logits, targets, bare), entropy);
    }),
    RUNS,
  );
});

Deno.test("asymmetricLoss() follows its formula, entry by entry", () => {
  fc.assert(
    fc.property(cases, ({ logits, targets, options }) => {
      const { gammaNegative, gammaPositive, clip } = options;
      const losses = asymmetricLoss(logits, targets, { ...options, reduction: "none" });
      assertEquals(losses.shape, logits.shape);
      const expected = [...logits.data].map((z, i) => {
        const p = 1 / (1 + Math.exp(-z));
        const shifted = Math.max(p - clip, 0);
        return targets.data[i] === 1
          ? -((1 - p) ** gammaPositive) * Math.log(p)
          : -(shifted ** gammaNegative) * Math.log(1 - shifted);
      });
      assertAllClose(losses, tensor(expected, { shape: logits.shape, dtype: "float64" }), {
        atol: 1e-12,
      });
      for (const loss of losses.data) assertGreaterOrEqual(loss, 0);
    }),
    RUNS,
  );
});

Deno.test("asymmetricLoss() has the reductions of its entries' losses", () => {
  fc.assert(
    fc.property(cases, ({ logits, targets, options }) => {
      assertReductions(
        (reduction) => asymmetricLoss(logits, targets, { ...options, reduction }),
        logits.size,
      );
    }),
    RUNS,
  );
});

Deno.test("asymmetricLoss() turns down negatives four times, positives once, from 0.05 on", () => {
  const z = tensor([-1, 0.5, 2], { dtype: "float64" });
  const options = { gammaNegative: 4, gammaPositive: 1, clip: 0.05, reduction: "mean" } as const;
  for (const y of [0, 1]) {
    const targets = z.mul(0).add(y);
    assertEquals(asymmetricLoss(z, targets).item(), asymmetricLoss(z, targets, options).item());
  }
});

Deno.test("asymmetricLoss() is linear in targets between 0 and 1", () => {
  const z = tensor([-1, 0.5, 2], { dtype: "float64" });
  const [none, all, some] = [0, 1, 0.3].map((y) => asymmetricLoss(z, z.mul(0).add(y)));
  assertSame(some!, none!.mul(0.7).add(all!.mul(0.3)));
});

Deno.test("asymmetricLoss() leaves improbable negatives alone", () => {
  const z = tensor([-3, -5, -Math.log(19)], { dtype: "float64" });
  for (const gammaNegative of [0, 0.5, 1, 4]) {
    const loss = (x: Tensor) => asymmetricLoss(x, [0, 0, 0], { gammaNegative });
    assertAlmostEquals(assertFinite(loss, [z]), 0, 1e-15);
    assertAllZero(grad(loss)(z).slice(0, 2));
  }
});

Deno.test("asymmetricLoss() has gradient 0 at p = clip, where the slope jumps", () => {
  for (const gammaNegative of [0, 0.5, 2]) {
    const loss = (x: Tensor) => asymmetricLoss(x, [0], { gammaNegative, clip: 0.5 });
    assertEquals(grad(loss)([0]).toArray(), [0]);
  }
});

Deno.test("asymmetricLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ logits, targets, options }) => {
      checkGradients((z) => asymmetricLoss(z, targets, options), [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
  const targets = tensor([0.2, 0.7], { dtype: "float64" });
  checkGradients((y) => asymmetricLoss([0.3, -0.4], y), [targets]);
});

Deno.test("asymmetricLoss() keeps its digits, in float32", () => {
  const of = (z: number, y: number, options = {}) =>
    asymmetricLoss([z], [y], { ...bare, ...options }).item();
  assertAlmostEquals(of(-30, 0) / Math.exp(-30), 1, 1e-6);
  assertAlmostEquals(of(30, 1) / Math.exp(-30), 1, 1e-6);
  assertAlmostEquals(of(-30, 1), 30, 1e-5);
  // Just above the clip, and where hardly anything of 1 is left.
  const above = 1 / (1 + Math.exp(6)) - 1e-3;
  assertAlmostEquals(of(-6, 0, { clip: 1e-3 }) / -Math.log1p(-above), 1, 1e-6);
  assertAlmostEquals(of(40, 0, { clip: 1e-12 }), -Math.log(1e-12 + Math.exp(-40)), 1e-5);
});

Deno.test("asymmetricLoss() is finite for logits of any size", () => {
  const z = tensor([1e4, -1e4, 90, -90, 104, -104, 1e4, -1e4]);
  const targets = [0, 0, 0, 0, 1, 1, 1, 1];
  for (const gamma of [0, 0.01, 0.5, 1, 4]) {
    for (const clip of [0, 1e-9, 0.05, 0.5]) {
      const options = { gammaNegative: gamma, gammaPositive: gamma, clip };
      assertFinite((x) => asymmetricLoss(x, targets, options), [z]);
    }
  }
});

Deno.test("asymmetricLoss() of nothing is 0", () => {
  assertEquals(asymmetricLoss(zeros([0, 3]), zeros([0, 3])).item(), 0);
});

testMisuse("asymmetricLoss", [
  [
    "shapes that differ",
    () => asymmetricLoss([[1, 2]], [1]),
    TypeError,
    "Cannot compute asymmetricLoss as logits and targets must have the same shape: " +
    "current shapes are [1, 2] and [1]",
  ],
  [
    "a target that is a class",
    () => asymmetricLoss([1, 2], [0, 2]),
    RangeError,
    "Cannot compute asymmetricLoss as targets must be in [0, 1]: current value at position 1 is 2",
  ],
  [
    "a clip of 1",
    () => asymmetricLoss([1], [0], { clip: 1 }),
    RangeError,
    "Cannot compute asymmetricLoss as clip must be a finite number at least 0 and below 1: " +
    "current value is 1",
  ],
  [
    "a negative gammaNegative",
    () => asymmetricLoss([1], [0], { gammaNegative: -1 }),
    RangeError,
    "Cannot compute asymmetricLoss as gammaNegative must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative gammaPositive",
    () => asymmetricLoss([1], [0], { gammaPositive: -1 }),
    RangeError,
    "Cannot compute asymmetricLoss as gammaPositive must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an unknown reduction",
    () => asymmetricLoss([1], [0], { reduction: "max" as never }),
    TypeError,
    "Cannot compute asymmetricLoss as reduction must be one of mean, sum, none: " +
    "current value is max",
  ],
  [
    "the authors' name of an option",
    () => asymmetricLoss([1], [0], { gamma_neg: 4 } as never),
    TypeError,
    "Cannot compute asymmetricLoss as there is no option gamma_neg: did you mean gammaNegative? " +
    "The options are gammaNegative, gammaPositive, clip, reduction",
  ],
]);
