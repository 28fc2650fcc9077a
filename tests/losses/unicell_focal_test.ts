import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { crossEntropyLoss, focalLoss, unicellFocalLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/unicell_focal.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertAllZero, assertFinite, assertReductions, assertSame, testMisuse } from "./laws.ts";

Deno.test("unicellFocalLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ logits, targets }, { alpha, gamma, reduction }) =>
      unicellFocalLoss(logits, targets, { alpha, gamma, reduction }),
  );
});

Deno.test("unicellFocalLoss() is the focal loss divided by the number of classes", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 4), ({ logits, labels }, gamma) => {
      const classes = logits.shape[1]!;
      const focal = focalLoss(logits, labels, { gamma });
      assertSame(unicellFocalLoss(logits, labels, { gamma }).mul(classes), focal);
    }),
    RUNS,
  );
});

Deno.test("unicellFocalLoss() with gamma 0 is the cross entropy over the number of classes", () => {
  const [logits, labels] = [[[1, 0, 2, 0]], [1]];
  const loss = unicellFocalLoss(logits, labels, { gamma: 0 });
  assertAllClose(loss.mul(4), crossEntropyLoss(logits, labels));
});

Deno.test("unicellFocalLoss() is proportional to alpha", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 3), ({ logits, labels }, alpha) => {
      const scaled = unicellFocalLoss(logits, labels, { alpha });
      assertSame(scaled, unicellFocalLoss(logits, labels).mul(alpha));
    }),
    RUNS,
  );
});

Deno.test("unicellFocalLoss() sums and averages what it returns unreduced", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      assertReductions(
        (reduction) => unicellFocalLoss(logits, labels, { reduction }),
        logits.size,
      );
    }),
    RUNS,
  );
});

Deno.test("unicellFocalLoss() unreduced has its losses at the labels", () => {
  const losses = unicellFocalLoss([[0, 0], [0, 0]], [1, 0], { gamma: 0, reduction: "none" });
  assertAllClose(losses, [[0, Math.LN2], [Math.LN2, 0]]);
});

Deno.test("unicellFocalLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      checkGradients((z) => unicellFocalLoss(z, labels), [logits], { order: 2, rtol: 2e-6 });
    }),
    FEW_RUNS,
  );
});

Deno.test("unicellFocalLoss() costs at most 16.118 for a hopeless cell, with gradient 0", () => {
  const loss = (z: Tensor) => unicellFocalLoss(z, [0], { reduction: "sum" });
  const logits = tensor([[0, 50]], { dtype: "float64" });
  assertAllClose(loss(logits), -Math.log(1e-7) * (1 - 1e-7) ** 2, { rtol: 1e-12 });
  assertAllZero(grad(loss)(logits));
});

Deno.test("unicellFocalLoss() is finite for logits of ±1e4 and gamma below 1", () => {
  for (const gamma of [0, 0.5, 2]) {
    assertFinite((z) => unicellFocalLoss(z, [0, 1], { gamma }), [
      tensor([[1e4, -1e4], [1e4, -1e4]]),
    ]);
  }
});

Deno.test("unicellFocalLoss() of no cells is 0", () => {
  assertEquals(unicellFocalLoss(zeros([0, 3]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("unicellFocalLoss", [
  [
    "the label −1 of unknown cell types",
    () => unicellFocalLoss([[1, 2]], [-1]),
    RangeError,
    "Cannot compute unicellFocalLoss as labels must be in [0, 1]: " +
    "current value at position 0 is -1",
  ],
  [
    "labels of another number",
    () => unicellFocalLoss([[1, 2]], [0, 0]),
    TypeError,
    "Cannot compute unicellFocalLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2] and [2]",
  ],
  [
    "a negative gamma",
    () => unicellFocalLoss([[1, 2]], [0], { gamma: -1 }),
    RangeError,
    "Cannot compute unicellFocalLoss as gamma must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an alpha that is no number",
    () => unicellFocalLoss([[1, 2]], [0], { alpha: [1, 2] as never }),
    TypeError,
    "Cannot compute unicellFocalLoss as alpha must be a finite number: current value is " +
    "[1, 2]",
  ],
  [
    "a reduction for which the original returns nothing",
    () => unicellFocalLoss([[1, 2]], [0], { reduction: "batchmean" as never }),
    TypeError,
    "Cannot compute unicellFocalLoss as reduction must be one of mean, sum, none: " +
    "current value is batchmean",
  ],
  [
    "an unknown option",
    () => unicellFocalLoss([[1, 2]], [0], { numClasses: 2 } as never),
    TypeError,
    "Cannot compute unicellFocalLoss as there is no option numClasses: the options are " +
    "alpha, gamma, reduction",
  ],
]);
