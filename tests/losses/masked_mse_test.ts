import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { maskedMseLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, maskedCases, RUNS } from "../arbitraries.ts";
import golden from "../golden/masked_mse.json" with { type: "json" };
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

Deno.test("maskedMseLoss() agrees with the golden vectors", () => {
  checkGolden(golden, ({ input, target, mask }) => maskedMseLoss(input, target, mask));
});

Deno.test("maskedMseLoss() is the mean squared error of the masked entries alone", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const subset = entriesOn(x, mask).sub(entriesOn(t, mask)).square().mean();
      assertSame(maskedMseLoss(x, t, mask), subset);
    }),
    RUNS,
  );
});

Deno.test("maskedMseLoss() is 0 where the input equals the target on the mask", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, mask }) => {
      assertEquals(maskedMseLoss(x, replaceOff(x, mask, 7), mask).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("maskedMseLoss() grows with the square of the scale", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const scaled = maskedMseLoss(x.mul(-3), t.mul(-3), mask);
      assertSame(scaled, maskedMseLoss(x, t, mask).mul(9));
    }),
    RUNS,
  );
});

Deno.test("maskedMseLoss() lets no NaN off the mask into value or gradient", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const loss = (a: Tensor, b: Tensor) => maskedMseLoss(a, b, mask);
      const [a, b] = [replaceOff(x, mask, NaN), replaceOff(t, mask, Infinity)];
      assertSame(loss(a, b), loss(x, t));
      for (const gradient of grad(loss, { argnums: [0, 1] })(a, b)) assertZeroOff(gradient, mask);
    }),
    RUNS,
  );
});

Deno.test("maskedMseLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      checkGradients((a, b) => maskedMseLoss(a, b, mask), [x, t], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("maskedMseLoss() of an empty mask is 0 with gradient 0", () => {
  const loss = (x: Tensor) => maskedMseLoss(x, [1, 2], [0, 0]);
  assertEquals(assertFinite(loss, [tensor([3, NaN])]), 0);
  assertAllZero(grad(loss)([3, NaN]));
});

Deno.test("maskedMseLoss() of no entries at all is 0", () => {
  assertEquals(maskedMseLoss(zeros([0, 3]), zeros([0, 3]), zeros([0, 3])).item(), 0);
});

Deno.test("maskedMseLoss() of an empty mask is NaN on request", () => {
  assert(Number.isNaN(maskedMseLoss([3], [1], [0], { emptyMask: "nan" }).item()));
});

Deno.test("maskedMseLoss() is finite for values of 1e4", () => {
  assertFinite((x) => maskedMseLoss(x, [0, 1e4], [1, 1]), [tensor([1e4, -1e4])]);
});

Deno.test("maskedMseLoss() takes masks of any kind", () => {
  for (const mask of [[true, false], [1, 0], Uint8Array.of(1, 0), Float64Array.of(1, 0)]) {
    assertEquals(maskedMseLoss([3, 9], [1, 1], mask).item(), 4);
  }
});

Deno.test("maskedMseLoss() keeps float32 with a mask of float64", () => {
  assertEquals(maskedMseLoss([3, 9], [1, 1], Float64Array.of(1, 0)).dtype, "float32");
});

testMisuse("maskedMseLoss", [
  [
    "shapes that differ",
    () => maskedMseLoss([[1, 2]], [1, 2], [1, 1]),
    TypeError,
    "Cannot compute maskedMseLoss as input, target and mask must have the same shape: " +
    "current shapes are [1, 2], [2] and [2]",
  ],
  [
    "a mask of fractions",
    () => maskedMseLoss([1, 2], [1, 2], [1, 0.5]),
    RangeError,
    "Cannot compute maskedMseLoss as mask must hold only zeros and ones: " +
    "current value at position 1 is 0.5",
  ],
  [
    "a mask under differentiation",
    () => grad((m: Tensor) => maskedMseLoss([1, 2], [1, 2], m))([1, 1]),
    TypeError,
    "Cannot compute maskedMseLoss as mask must be a constant of zeros and ones: " +
    "it is under differentiation",
  ],
  [
    "an empty mask on request",
    () => maskedMseLoss([1, 2], [1, 2], [0, 0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute maskedMseLoss as mask must select at least one entry: " +
    '0 of 2 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "an unknown policy",
    () => maskedMseLoss([1], [1], [1], { emptyMask: "skip" as never }),
    TypeError,
    "Cannot compute maskedMseLoss as emptyMask must be one of zero, nan, error: " +
    "current value is skip",
  ],
  [
    "an unknown option",
    () => maskedMseLoss([1], [1], [1], { empty: "zero" } as never),
    TypeError,
    "Cannot compute maskedMseLoss as there is no option empty: did you mean emptyMask? " +
    "The options are emptyMask",
  ],
  [
    "options that are a tensor",
    () => maskedMseLoss([1], [1], [1], tensor([1]) as never),
    TypeError,
    "Cannot compute maskedMseLoss as options must be an object with any of emptyMask: " +
    "current value is a Tensor",
  ],
]);
