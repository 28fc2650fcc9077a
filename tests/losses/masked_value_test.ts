import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { maskedMseLoss, maskedValueLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, maskedCases, RUNS } from "../arbitraries.ts";
import golden from "../golden/masked_value.json" with { type: "json" };
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

const lossTypes = fc.constantFrom("mse" as const, "mae" as const);

Deno.test("maskedValueLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ predictions, targets, mask }, { loss_type }) =>
      maskedValueLoss(predictions, targets, mask, { lossType: loss_type }),
  );
});

Deno.test("maskedValueLoss() is the masked MSE but for 1e-8 in the denominator", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const count = mask.sum().item();
      const exact = maskedMseLoss(x, t, mask).mul(count / (count + 1e-8));
      assertSame(maskedValueLoss(x, t, mask), exact);
    }),
    RUNS,
  );
});

Deno.test("maskedValueLoss() averages absolute errors as mae", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const expected = entriesOn(x.sub(t), mask).abs().mean();
      const loss = maskedValueLoss(x, t, mask, { lossType: "mae" });
      assertAllClose(loss, expected, { rtol: 2e-8 });
    }),
    RUNS,
  );
});

Deno.test("maskedValueLoss() lets no NaN off the mask into value or gradient", () => {
  fc.assert(
    fc.property(maskedCases(), lossTypes, ({ x, t, mask }, lossType) => {
      const loss = (a: Tensor, b: Tensor) => maskedValueLoss(a, b, mask, { lossType });
      const [a, b] = [replaceOff(x, mask, NaN), replaceOff(t, mask, -Infinity)];
      assertSame(loss(a, b), loss(x, t));
      for (const gradient of grad(loss, { argnums: [0, 1] })(a, b)) assertZeroOff(gradient, mask);
    }),
    RUNS,
  );
});

Deno.test("maskedValueLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(maskedCases({ min: 4, max: 6 }), lossTypes, ({ x, t, mask }, lossType) => {
      const loss = (a: Tensor, b: Tensor) => maskedValueLoss(a, b, mask, { lossType });
      checkGradients(loss, [x, t], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("maskedValueLoss() has gradient 0 where mae is 0", () => {
  const loss = (x: Tensor) => maskedValueLoss(x, [2], [1], { lossType: "mae" });
  assertAllZero(grad(loss)([2]));
});

Deno.test("maskedValueLoss() of an empty mask is 0, or NaN on request", () => {
  assertEquals(assertFinite((x) => maskedValueLoss(x, [1], [0]), [tensor([NaN])]), 0);
  assert(Number.isNaN(maskedValueLoss([2], [1], [0], { emptyMask: "nan" }).item()));
});

Deno.test("maskedValueLoss() with NaN on request is the same for a mask that is not empty", () => {
  assertEquals(maskedValueLoss([3], [1], [1], { emptyMask: "nan" }).item(), 4);
});

testMisuse("maskedValueLoss", [
  [
    "shapes that differ",
    () => maskedValueLoss([2], [[1]], [1]),
    TypeError,
    "Cannot compute maskedValueLoss as predictions, targets and mask must have the same shape: " +
    "current shapes are [1], [1, 1] and [1]",
  ],
  [
    "an unknown loss type",
    () => maskedValueLoss([2], [1], [1], { lossType: "l1" as never }),
    TypeError,
    "Cannot compute maskedValueLoss as lossType must be one of mse, mae: current value is l1",
  ],
  [
    "an empty mask on request",
    () => maskedValueLoss([2], [1], [0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute maskedValueLoss as mask must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "an unknown option",
    () => maskedValueLoss([2], [1], [1], { loss_type: "mse" } as never),
    TypeError,
    "Cannot compute maskedValueLoss as there is no option loss_type: did you mean " +
    "lossType? The options are lossType, emptyMask",
  ],
]);
