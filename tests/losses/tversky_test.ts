import { oneHot, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { diceLoss, tverskyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/tversky.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, ignoreOff, testMisuse } from "./laws.ts";

Deno.test("tverskyLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ logits, targets }, { alpha, beta, smooth }) =>
      tverskyLoss(logits, targets, { alpha, beta, smooth }),
  );
});

Deno.test("tverskyLoss() lies in [0, 1)", () => {
  fc.assert(
    fc.property(
      classCases(),
      gridNumbers(0, 2),
      gridNumbers(0, 2),
      ({ logits, labels }, alpha, beta) => {
        const loss = tverskyLoss(logits, labels, { alpha, beta }).item();
        assertGreaterOrEqual(loss, -1e-15);
        assertLess(loss, 1);
      },
    ),
    RUNS,
  );
});

Deno.test("tverskyLoss() with ½, ½ and half the smoothing is the Dice loss", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 3), ({ logits, labels }, smooth) => {
      const options = { alpha: 0.5, beta: 0.5, smooth: smooth / 2 };
      const dice = diceLoss(logits, labels, { smooth });
      assertAllClose(tverskyLoss(logits, labels, options), dice, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("tverskyLoss() with ½, ½ is not the Dice loss at equal smoothing", () => {
  const { logits, targets } = golden.cases[1]!.inputs;
  const volume = tensor(logits.data, { shape: logits.shape });
  const labels = tensor(targets.data, { shape: targets.shape, dtype: "int32" });
  const tversky = tverskyLoss(volume, labels, { alpha: 0.5, beta: 0.5 });
  assertAlmostEquals(tversky.item(), 0.632, 5e-4);
  assertAlmostEquals(diceLoss(volume, labels).item(), 0.733, 5e-4);
});

Deno.test("tverskyLoss() with 1, 1 is the soft IoU loss", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const q = logits.softmax({ axis: 1 });
      const last = oneHot(labels, logits.shape[1]!, { dtype: "float64" });
      const y = last.transpose([0, last.rank - 1, ...last.shape.slice(1, -1).map((_, i) => i + 1)]);
      const axis = logits.shape.flatMap((_, i) => i === 1 ? [] : [i]);
      const both = q.mul(y).sum({ axis });
      const union = q.add(y).sum({ axis }).sub(both);
      const iou = both.add(1).div(union.add(1)).mean();
      const loss = tverskyLoss(logits, labels, { alpha: 1, beta: 1 });
      assertAllClose(loss, iou.neg().add(1), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("tverskyLoss() weighs false positives by alpha and misses by beta", () => {
  // One class predicted where it is not, the other missed where it is.
  const logits = tensor([[Math.log(3), 0]], { dtype: "float64" });
  // q = (3/4, 1/4), the label is 1: TP 0 and 1/4, FP 3/4 and 0, FN 0 and 3/4.
  const loss = (alpha: number, beta: number) =>
    tverskyLoss(logits, [1], { alpha, beta, smooth: 1 });
  const index = (alpha: number, beta: number) =>
    (1 / (1 + alpha * 0.75) + 1.25 / (1.25 + beta * 0.75)) / 2;
  assertSame(loss(0.7, 0.3), 1 - index(0.7, 0.3));
  assertSame(loss(0.3, 0.7), 1 - index(0.3, 0.7));
  assertSame(tverskyLoss(logits, [1]), loss(0.7, 0.3));
});

Deno.test("tverskyLoss() ignores positions as if they were not there", () => {
  const logits = tensor([[1, 0, 2], [0, 1, 0], [3, 0, 0]]);
  const kept = tverskyLoss(logits.slice(1), [1, 2]);
  assertAllClose(tverskyLoss(logits, [-1, 1, 2], { ignoreIndex: -1 }), kept);
});

Deno.test("tverskyLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const kept = ignoreOff(labels, mask, -1);
      const loss = (z: Tensor) => tverskyLoss(z, kept, { ignoreIndex: -1 });
      checkGradients(loss, [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("tverskyLoss() is finite for logits of ±1e4 and weights of 0", () => {
  const logits = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
  for (const smooth of [0, 1]) {
    for (const [alpha, beta] of [[0, 0], [0.7, 0], [0, 0.3], [0.7, 0.3]] as const) {
      const options = { alpha, beta, smooth };
      assertFinite((z) => tverskyLoss(z, [0, 1, 0], options), [logits]);
    }
  }
});

Deno.test("tverskyLoss() is finite for next to nothing, whichever mistakes count", () => {
  for (const z of [-60, -88, -95, -103, -110]) {
    for (const beta of [0, 0.3]) {
      for (const activation of ["softmax", "sigmoid"] as const) {
        const options = { smooth: 0, beta, activation };
        assertFinite((x) => tverskyLoss(x, [1], options), [tensor([[0, z]])]);
        assertFinite((x) => tverskyLoss(x, [1], options), [tensor([[z, z]])]);
      }
    }
  }
});

Deno.test("tverskyLoss() of ignored labels alone and of nothing is 0", () => {
  for (const smooth of [0, 1]) {
    const loss = (z: Tensor) => tverskyLoss(z, [-1], { smooth, ignoreIndex: -1 });
    assertEquals(assertFinite(loss, [tensor([[3, 4]])]), 0);
  }
  assertEquals(tverskyLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("tverskyLoss", [
  [
    "shapes that do not fit",
    () => tverskyLoss([1, 2], [0]),
    TypeError,
    "Cannot compute tverskyLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [2] and [1]",
  ],
  [
    "a label out of range",
    () => tverskyLoss([[1, 2]], [2]),
    RangeError,
    "Cannot compute tverskyLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "a negative alpha",
    () => tverskyLoss([[1, 2]], [0], { alpha: -1 }),
    RangeError,
    "Cannot compute tverskyLoss as alpha must be a finite number at least 0: current value is -1",
  ],
  [
    "a negative beta",
    () => tverskyLoss([[1, 2]], [0], { beta: -1 }),
    RangeError,
    "Cannot compute tverskyLoss as beta must be a finite number at least 0: current value is -1",
  ],
  [
    "an infinite smoothing",
    () => tverskyLoss([[1, 2]], [0], { smooth: Infinity }),
    RangeError,
    "Cannot compute tverskyLoss as smooth must be a finite number at least 0: " +
    "current value is Infinity",
  ],
  [
    "an unknown option",
    () => tverskyLoss([[1, 2]], [0], { fpWeight: 1 } as never),
    TypeError,
    "Cannot compute tverskyLoss as there is no option fpWeight: did you mean weight? The " +
    "options are alpha, beta, smooth, perClass, ignoreIndex, activation, includeBackground, " +
    "absent, perSample, weight, squared, reduction",
  ],
]);
