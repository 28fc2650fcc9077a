import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { crossEntropyLoss, focalLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/focal.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import {
  assertAllZero,
  assertFinite,
  assertReductions,
  assertSame,
  entriesOn,
  ignoreOff,
  testMisuse,
} from "./laws.ts";

Deno.test("focalLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ logits, targets, weight }, { gamma, reduction, pt_from_weighted }) =>
      focalLoss(logits, targets, { gamma, weight, reduction, ptFromWeighted: pt_from_weighted }),
  );
});

Deno.test("focalLoss() lies between 0 and the cross entropy", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 5), ({ logits, labels }, gamma) => {
      const loss = focalLoss(logits, labels, { gamma }).item();
      assertGreaterOrEqual(loss, 0);
      assertLessOrEqual(loss, crossEntropyLoss(logits, labels).item() + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("focalLoss() decreases as gamma grows", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 4), ({ logits, labels }, gamma) => {
      const [less, more] = [gamma, gamma + 1].map((g) => focalLoss(logits, labels, { gamma: g }));
      assertLessOrEqual(more!.item(), less!.item());
    }),
    RUNS,
  );
});

Deno.test("focalLoss() with gamma 0 is the cross entropy", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      assertSame(focalLoss(logits, labels, { gamma: 0 }), crossEntropyLoss(logits, labels));
    }),
    RUNS,
  );
});

Deno.test("focalLoss() with gamma 0 has the gradient of the cross entropy where p rounds to 1", () => {
  const logits = tensor([[0, 40]]);
  const gradient = grad((z: Tensor) => focalLoss(z, [1], { gamma: 0 }))(logits);
  const expected = grad((z: Tensor) => crossEntropyLoss(z, [1]))(logits).toArray();
  assertEquals(gradient.toArray(), expected);
});

Deno.test("focalLoss() with gamma 1 is the cross entropy times the probability of error", () => {
  const logits = tensor([[0, Math.log(3)]], { dtype: "float64" });
  assertSame(focalLoss(logits, [1], { gamma: 1 }), 0.25 * -Math.log(0.75));
});

Deno.test("focalLoss() with gamma 0 and weights divides by the number of positions", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      const sum = crossEntropyLoss(logits, labels, { weight, reduction: "sum" });
      assertSame(focalLoss(logits, labels, { gamma: 0, weight }), sum.div(labels.size));
    }),
    RUNS,
  );
});

Deno.test("focalLoss() has gradients that add up to 0 at each position", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      const sums = grad((z: Tensor) => focalLoss(z, labels, { weight }))(logits).sum({ axis: 1 });
      assertAllClose(sums, zeros(sums.shape), { atol: 1e-14 });
    }),
    RUNS,
  );
});

Deno.test("focalLoss() takes p from the unweighted cross entropy by default", () => {
  const logits = tensor([[0, Math.log(9)]], { dtype: "float64" });
  const plain = focalLoss(logits, [1], { weight: [1, 33] });
  assertSame(plain, 33 * 0.01 * -Math.log(0.9));
});

Deno.test("focalLoss() takes p from the weighted cross entropy on request", () => {
  const logits = tensor([[0, Math.log(9)]], { dtype: "float64" });
  const original = focalLoss(logits, [1], { weight: [1, 33], ptFromWeighted: true });
  assertSame(original, (1 - 0.9 ** 33) ** 2 * 33 * -Math.log(0.9));
});

Deno.test("focalLoss() is proportional to alpha", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 3), ({ logits, labels }, alpha) => {
      const scaled = focalLoss(logits, labels, { alpha });
      assertSame(scaled, focalLoss(logits, labels).mul(alpha));
    }),
    RUNS,
  );
});

Deno.test("focalLoss() sums and averages what it returns unreduced", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight, mask }) => {
      const kept = ignoreOff(labels, mask, 255);
      const loss = (reduction: "mean" | "sum" | "none") =>
        focalLoss(logits, kept, { weight, reduction, ignoreIndex: 255 });
      assertReductions(loss, mask.sum().item());
    }),
    RUNS,
  );
});

Deno.test("focalLoss() ignores positions as if they were not there", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const losses = focalLoss(logits, labels, { reduction: "none" });
      const kept = ignoreOff(labels, mask, -1);
      assertSame(focalLoss(logits, kept, { ignoreIndex: -1 }), entriesOn(losses, mask).mean());
    }),
    RUNS,
  );
});

Deno.test("focalLoss() gives ignored positions gradient 0, whatever their logits", () => {
  const loss = (z: Tensor) => focalLoss(z, [1, -1], { ignoreIndex: -1 });
  const gradient = grad(loss)([[0, 0], [NaN, Infinity]]);
  assertAllZero(gradient.slice(1));
  assertGreaterOrEqual(gradient.slice(0, 1).abs().min().item(), 0.1);
});

Deno.test("focalLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), fc.boolean(), ({ logits, labels, weight }, ptFromWeighted) => {
      for (const gamma of [0.5, 2]) {
        checkGradients(
          (z, w) => focalLoss(z, labels, { gamma, weight: w, ptFromWeighted }),
          [logits, weight],
          { order: 2, rtol: 2e-6 },
        );
      }
    }),
    FEW_RUNS,
  );
});

Deno.test("focalLoss() is finite for logits of ±1e4 and any gamma", () => {
  const logits = tensor([[1e4, -1e4], [1e4, -1e4], [1e4, 1e4]]);
  for (const gamma of [0, 0.1, 0.5, 1, 2, 5]) {
    for (const ptFromWeighted of [false, true]) {
      const options = { gamma, weight: [2, 33], ptFromWeighted };
      assertFinite((z) => focalLoss(z, [0, 1, 0], options), [logits]);
    }
  }
});

Deno.test("focalLoss() of certain and right positions is 0 with gradient 0 for gamma below 1", () => {
  const loss = (z: Tensor) => focalLoss(z, [0], { gamma: 0.5 });
  assertEquals(assertFinite(loss, [tensor([[1e4, 0]])]), 0);
  assertAllZero(grad(loss)([[1e4, 0]]));
});

Deno.test("focalLoss() has gradient 0 where p rounds to 1", () => {
  for (const gamma of [0.5, 2]) {
    assertAllZero(grad((z: Tensor) => focalLoss(z, [1], { gamma }))([[0, 40]]));
  }
});

Deno.test("focalLoss() of ignored labels alone is 0, or NaN on request", () => {
  const options = { ignoreIndex: -1 };
  assertEquals(assertFinite((z) => focalLoss(z, [-1], options), [tensor([[1, 2]])]), 0);
  assert(Number.isNaN(focalLoss([[1, 2]], [-1], { ...options, emptyMask: "nan" }).item()));
});

Deno.test("focalLoss() of no positions is 0, or NaN on request", () => {
  const loss = (emptyMask: "zero" | "nan") =>
    focalLoss(zeros([0, 3]), zeros([0], { dtype: "int32" }), { emptyMask }).item();
  assertEquals([loss("zero"), loss("nan")], [0, NaN]);
});

testMisuse("focalLoss", [
  [
    "shapes that do not fit",
    () => focalLoss(zeros([2, 3, 4]), zeros([2, 3])),
    TypeError,
    "Cannot compute focalLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [2, 3, 4] and [2, 3]",
  ],
  [
    "a label that names no class",
    () => focalLoss([[1, 2]], [-100]),
    RangeError,
    "Cannot compute focalLoss as labels must be in [0, 1]: current value at position 0 is -100",
  ],
  [
    "a label that is not whole",
    () => focalLoss([[1, 2]], [0.5]),
    TypeError,
    "Cannot compute focalLoss as labels must be whole numbers (int32): " +
    "current value at position 0 is 0.5",
  ],
  [
    "a negative gamma",
    () => focalLoss([[1, 2]], [0], { gamma: -1 }),
    RangeError,
    "Cannot compute focalLoss as gamma must be a finite number at least 0: current value is -1",
  ],
  [
    "a gamma that is no number",
    () => focalLoss([[1, 2]], [0], { gamma: "2" as never }),
    TypeError,
    'Cannot compute focalLoss as gamma must be a finite number: current value is "2"',
  ],
  [
    "a negative alpha",
    () => focalLoss([[1, 2]], [0], { alpha: -0.5 }),
    RangeError,
    "Cannot compute focalLoss as alpha must be a finite number at least 0: current value is -0.5",
  ],
  [
    "a weight of another number of classes",
    () => focalLoss([[1, 2]], [0], { weight: [1, 2, 3] }),
    TypeError,
    "Cannot compute focalLoss as weight must have the shape [2]: current shape is [3]",
  ],
  [
    "an unknown reduction",
    () => focalLoss([[1, 2]], [0], { reduction: "batchmean" as never }),
    TypeError,
    "Cannot compute focalLoss as reduction must be one of mean, sum, none: " +
    "current value is batchmean",
  ],
  [
    "an unknown emptyMask, though no label can be ignored",
    () => focalLoss([[1, 2]], [0], { emptyMask: "skip" as never }),
    TypeError,
    "Cannot compute focalLoss as emptyMask must be one of zero, nan, error: " +
    "current value is skip",
  ],
  [
    "no positions on request",
    () => focalLoss(zeros([0, 2]), zeros([0], { dtype: "int32" }), { emptyMask: "error" }),
    RangeError,
    "Cannot compute focalLoss as labels must select at least one entry: " +
    '0 of 0 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "ignored labels alone on request",
    () => focalLoss([[1, 2]], [-1], { ignoreIndex: -1, emptyMask: "error" }),
    RangeError,
    "Cannot compute focalLoss as labels must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "a ptFromWeighted that is no boolean",
    () => focalLoss([[1, 2]], [0], { ptFromWeighted: 1 as never }),
    TypeError,
    "Cannot compute focalLoss as ptFromWeighted must be true or false: current value is 1",
  ],
  [
    "an unknown option",
    () => focalLoss([[1, 2]], [0], { focalGamma: 2 } as never),
    TypeError,
    "Cannot compute focalLoss as there is no option focalGamma: did you mean gamma? The " +
    "options are gamma, alpha, weight, ptFromWeighted, ignoreIndex, activation, " +
    "includeBackground, reduction, emptyMask",
  ],
]);
