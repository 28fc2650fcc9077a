import { type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { diceLoss, focalDiceLoss, focalLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/focal_dice.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, ignoreOff, testMisuse } from "./laws.ts";

Deno.test("focalDiceLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ logits, targets, weight }, params) =>
    focalDiceLoss(logits, targets, {
      gamma: params.gamma,
      focalWeight: params.focal_weight,
      diceWeight: params.dice_weight,
      smooth: params.dice_smooth,
      weight,
      ptFromWeighted: params.pt_from_weighted,
    }));
});

Deno.test("focalDiceLoss() is the weighted sum of its parts", () => {
  const options = fc.record({
    gamma: gridNumbers(0, 4),
    focalWeight: gridNumbers(0, 2),
    diceWeight: gridNumbers(0, 2),
    smooth: gridNumbers(0, 2),
    ptFromWeighted: fc.boolean(),
  });
  fc.assert(
    fc.property(classCases(), options, ({ logits, labels, weight, mask }, o) => {
      const kept = ignoreOff(labels, mask, -1);
      const common = { ignoreIndex: -1 };
      const { gamma, ptFromWeighted } = o;
      const focal = focalLoss(logits, kept, { gamma, weight, ptFromWeighted, ...common });
      const dice = diceLoss(logits, kept, { smooth: o.smooth, ...common });
      assertSame(
        focalDiceLoss(logits, kept, { ...o, weight, ...common }),
        focal.mul(o.focalWeight).add(dice.mul(o.diceWeight)),
      );
    }),
    RUNS,
  );
});

Deno.test("focalDiceLoss() is half of each with gamma 2 and smoothing 1 by default", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      const focal = focalLoss(logits, labels, { gamma: 2, weight });
      const halves = focal.add(diceLoss(logits, labels, { smooth: 1 })).mul(0.5);
      assertSame(focalDiceLoss(logits, labels, { weight }), halves);
    }),
    RUNS,
  );
});

Deno.test("focalDiceLoss() is at least 0", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      assertGreaterOrEqual(focalDiceLoss(logits, labels, { weight }).item(), -1e-15);
    }),
    RUNS,
  );
});

Deno.test("focalDiceLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight }) => {
      const loss = (z: Tensor, w: Tensor) => focalDiceLoss(z, labels, { weight: w });
      checkGradients(loss, [logits, weight], { order: 2, rtol: 2e-6 });
    }),
    FEW_RUNS,
  );
});

Deno.test("focalDiceLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4], [1e4, -1e4], [1e4, 1e4]]);
  assertFinite((z) => focalDiceLoss(z, [0, 1, 0], { gamma: 0.5, smooth: 0 }), [logits]);
});

Deno.test("focalDiceLoss() of ignored labels alone, and of nothing, is 0", () => {
  const loss = (z: Tensor) => focalDiceLoss(z, [-1], { ignoreIndex: -1 });
  assertEquals(assertFinite(loss, [tensor([[3, 4]])]), 0);
  assertEquals(focalDiceLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("focalDiceLoss", [
  [
    "shapes that do not fit",
    () => focalDiceLoss([[1, 2]], [[0]]),
    TypeError,
    "Cannot compute focalDiceLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2] and [1, 1]",
  ],
  [
    "a label out of range",
    () => focalDiceLoss([[1, 2]], [2]),
    RangeError,
    "Cannot compute focalDiceLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "a negative gamma",
    () => focalDiceLoss([[1, 2]], [0], { gamma: -1 }),
    RangeError,
    "Cannot compute focalDiceLoss as gamma must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative focal weight",
    () => focalDiceLoss([[1, 2]], [0], { focalWeight: -1 }),
    RangeError,
    "Cannot compute focalDiceLoss as focalWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative Dice weight",
    () => focalDiceLoss([[1, 2]], [0], { diceWeight: -1 }),
    RangeError,
    "Cannot compute focalDiceLoss as diceWeight must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "a negative smoothing",
    () => focalDiceLoss([[1, 2]], [0], { smooth: -1 }),
    RangeError,
    "Cannot compute focalDiceLoss as smooth must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an unknown option",
    () => focalDiceLoss([[1, 2]], [0], { diceSmooth: 1 } as never),
    TypeError,
    "Cannot compute focalDiceLoss as there is no option diceSmooth: did you mean smooth? " +
    "The options are gamma, focalWeight, diceWeight, smooth, weight, ptFromWeighted, " +
    "ignoreIndex",
  ],
]);
