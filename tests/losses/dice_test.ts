import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { diceLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/dice.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertSame, ignoreOff, testMisuse } from "./laws.ts";

Deno.test("diceLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ logits, targets }, { smooth, per_class }) =>
      diceLoss(logits, targets, { smooth, perClass: per_class }),
  );
});

Deno.test("diceLoss() lies in [0, 1)", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 5), ({ logits, labels }, smooth) => {
      for (const perClass of [true, false]) {
        const loss = diceLoss(logits, labels, { smooth, perClass }).item();
        assertGreaterOrEqual(loss, -1e-15);
        assertLess(loss, 1);
      }
    }),
    RUNS,
  );
});

Deno.test("diceLoss() of certain and right logits is 0", () => {
  const logits = tensor([[[99, 0]], [[0, 99]]]).reshape([1, 2, 2]);
  for (const smooth of [0, 1]) assertEquals(diceLoss(logits, [[0, 1]], { smooth }).item(), 0);
});

Deno.test("diceLoss() follows its formula, class by class", () => {
  const third = Math.log(2);
  const logits = tensor([[third, 0], [0, 0]], { dtype: "float64" });
  // q = (2/3, 1/3), (1/2, 1/2); y = (1, 0), (0, 1).
  const dice = [(2 * 2 / 3 + 1) / (7 / 6 + 1 + 1), (2 / 2 + 1) / (5 / 6 + 1 + 1)];
  assertSame(diceLoss(logits, [0, 1]), 1 - (dice[0]! + dice[1]!) / 2);
});

Deno.test("diceLoss() of all classes together is one less the mean probability of the labels", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const loss = diceLoss(logits, labels, { smooth: 0, perClass: false });
      const own = logits.softmax({ axis: 1 }).takeAlongAxis(labels.expandDims(1), { axis: 1 });
      assertAllClose(loss, own.mean().neg().add(1), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("diceLoss() does not depend on the order of the batch", () => {
  const cases = classCases().chain((c) =>
    fc.tuple(fc.constant(c), permutations(c.labels.shape[0]!))
  );
  fc.assert(
    fc.property(cases, ([{ logits, labels }, order]) => {
      assertSame(diceLoss(logits.gather(order), labels.gather(order)), diceLoss(logits, labels));
    }),
    RUNS,
  );
});

Deno.test("diceLoss() ignores positions as if they were not there", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const ignored = diceLoss(logits, ignoreOff(labels, mask, 255), { ignoreIndex: 255 });
      const classes = logits.shape[1]!;
      const rows = logits.reshape([logits.shape[0]!, classes, -1]).transpose([0, 2, 1]);
      const kept = [...mask.data].flatMap((m, i) => m ? [i] : []);
      const subset = diceLoss(
        rows.reshape([-1, classes]).gather(kept),
        labels.reshape([-1]).gather(kept),
      );
      assertSame(ignored, subset);
    }),
    RUNS,
  );
});

Deno.test("diceLoss() ignores a class that is a class, too", () => {
  const logits = tensor([[1, 0, 2], [0, 1, 0], [3, 0, 0]]);
  const kept = diceLoss(logits.slice(1), [1, 2]);
  assertAllClose(diceLoss(logits, [0, 1, 2], { ignoreIndex: 0 }), kept);
});

Deno.test("diceLoss() gives ignored positions gradient 0, whatever their logits", () => {
  const loss = (z: Tensor) => diceLoss(z, [1, -1], { ignoreIndex: -1 });
  const logits = tensor([[0, 0], [NaN, Infinity]]);
  assertFinite(loss, [logits]);
  assertAllZero(grad(loss)(logits).slice(1));
});

Deno.test("diceLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), fc.boolean(), ({ logits, labels, mask }, perClass) => {
      const kept = ignoreOff(labels, mask, -1);
      const loss = (z: Tensor) => diceLoss(z, kept, { perClass, ignoreIndex: -1 });
      checkGradients(loss, [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("diceLoss() penalises any mass on a class that is not labelled", () => {
  const logits = tensor([[0, 0], [0, 0]], { dtype: "float64" });
  // Class 0: (2 · 1 + 1) / (1 + 2 + 1); class 1: 1 / (1 + 0 + 1).
  assertSame(diceLoss(logits, [0, 0]), 1 - (3 / 4 + 1 / 2) / 2);
});

Deno.test("diceLoss() of a class that is neither labelled nor predicted is 0 without smoothing", () => {
  const loss = (z: Tensor) => diceLoss(z, [0], { smooth: 0 });
  assertEquals(assertFinite(loss, [tensor([[1e4, -1e4]])]), 0);
});

Deno.test("diceLoss() is finite where the mass on an absent class is tiny", () => {
  // In float32, e^−88.5 is subnormal and its inverse infinite.
  for (const gap of [80, 88.5, 95, 103, 1e4]) {
    assertFinite((z) => diceLoss(z, [0], { smooth: 0 }), [tensor([[gap, 0]])]);
  }
});

Deno.test("diceLoss() is finite for logits of ±1e4", () => {
  for (const smooth of [0, 1]) {
    const logits = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
    assertFinite((z) => diceLoss(z, [0, 1, 0], { smooth }), [logits]);
  }
});

Deno.test("diceLoss() of ignored labels alone and of nothing is 0", () => {
  for (const smooth of [0, 1]) {
    const loss = (z: Tensor) => diceLoss(z, [-1], { smooth, ignoreIndex: -1 });
    assertEquals(assertFinite(loss, [tensor([[3, 4]])]), 0);
  }
  assertEquals(diceLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("diceLoss", [
  [
    "shapes that do not fit",
    () => diceLoss(zeros([1, 2, 3]), zeros([1, 2])),
    TypeError,
    "Cannot compute diceLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2, 3] and [1, 2]",
  ],
  [
    "a label out of range",
    () => diceLoss([[1, 2]], [2], { ignoreIndex: 255 }),
    RangeError,
    "Cannot compute diceLoss as labels must be in [0, 1] or ignoreIndex 255: " +
    "current value at position 0 is 2",
  ],
  [
    "a negative smoothing",
    () => diceLoss([[1, 2]], [0], { smooth: -1 }),
    RangeError,
    "Cannot compute diceLoss as smooth must be a finite number at least 0: current value is -1",
  ],
  [
    "a perClass that is no boolean",
    () => diceLoss([[1, 2]], [0], { perClass: "no" as never }),
    TypeError,
    'Cannot compute diceLoss as perClass must be true or false: current value is "no"',
  ],
  [
    "an unknown option",
    () => diceLoss([[1, 2]], [0], { numClasses: 2 } as never),
    TypeError,
    "Cannot compute diceLoss as there is no option numClasses: the options are " +
    "smooth, perClass, ignoreIndex, activation, includeBackground, absent, perSample, weight, " +
    "squared, reduction",
  ],
]);
