import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { maskedRelativeError } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, maskedCases, RUNS } from "../arbitraries.ts";
import golden from "../golden/masked_relative_error.json" with { type: "json" };
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

const positive = maskedCases({}, { min: 0.5, max: 3 });

Deno.test("maskedRelativeError() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ input, target, mask }, { eps }) =>
      maskedRelativeError(input, target, mask, { epsilon: eps }),
  );
});

Deno.test("maskedRelativeError() is the mean relative error of the masked entries", () => {
  fc.assert(
    fc.property(positive, ({ x, t, mask }) => {
      const [a, b] = [entriesOn(x, mask), entriesOn(t, mask)];
      const expected = a.sub(b).abs().div(b.add(1e-6)).mean();
      assertSame(maskedRelativeError(x, t, mask), expected);
    }),
    RUNS,
  );
});

Deno.test("maskedRelativeError() has no unit", () => {
  fc.assert(
    fc.property(positive, ({ x, t, mask }) => {
      const options = { epsilon: 0 };
      const scaled = maskedRelativeError(x.mul(7), t.mul(7), mask, options);
      assertSame(scaled, maskedRelativeError(x, t, mask, options));
    }),
    RUNS,
  );
});

Deno.test("maskedRelativeError() counts negative targets negatively by default", () => {
  assertEquals(maskedRelativeError([-3], [-2], [1], { epsilon: 0 }).item(), -0.5);
});

Deno.test("maskedRelativeError() is at least 0 with the absolute denominator", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const error = maskedRelativeError(x, t, mask, { denominator: "abs" });
      assertGreaterOrEqual(error.item(), 0);
    }),
    RUNS,
  );
});

Deno.test("maskedRelativeError() with the absolute denominator ignores the common sign", () => {
  fc.assert(
    fc.property(maskedCases(), ({ x, t, mask }) => {
      const options = { denominator: "abs" } as const;
      const mirrored = maskedRelativeError(x.neg(), t.neg(), mask, options);
      assertSame(mirrored, maskedRelativeError(x, t, mask, options));
    }),
    RUNS,
  );
});

Deno.test("maskedRelativeError() lets nothing off the mask into value or gradient", () => {
  fc.assert(
    fc.property(positive, ({ x, t, mask }) => {
      // A target of −ε makes the denominator 0.
      const error = (a: Tensor, b: Tensor) => maskedRelativeError(a, b, mask);
      const [a, b] = [replaceOff(x, mask, NaN), replaceOff(t, mask, -1e-6)];
      assertSame(error(a, b), error(x, t));
      for (const gradient of grad(error, { argnums: [0, 1] })(a, b)) assertZeroOff(gradient, mask);
    }),
    RUNS,
  );
});

Deno.test("maskedRelativeError() has the right derivatives by input and target", () => {
  fc.assert(
    fc.property(
      maskedCases({ min: 4, max: 6 }, { min: 0.5, max: 3 }),
      fc.constantFrom("signed" as const, "abs" as const),
      ({ x, t, mask }, denominator) => {
        const options = { denominator };
        checkGradients((a, b) => maskedRelativeError(a, b, mask, options), [x, t], { order: 2 });
      },
    ),
    FEW_RUNS,
  );
});

Deno.test("maskedRelativeError() has gradient 0 where the input equals the target", () => {
  assertAllZero(grad((x: Tensor) => maskedRelativeError(x, [2, 0], [1, 1]))([2, 0]));
});

Deno.test("maskedRelativeError() is finite for a target of 0, and multiplies its error by 1e6", () => {
  const x = tensor([1], { dtype: "float64" });
  const value = assertFinite((a) => maskedRelativeError(a, [0], [1]), [x]);
  assert(Math.abs(value - 1e6) < 1e-6);
});

Deno.test("maskedRelativeError() without epsilon takes targets of 0 off the mask", () => {
  const error = (x: Tensor) => maskedRelativeError(x, [2, 0], [1, 0], { epsilon: 0 });
  assertEquals(assertFinite(error, [tensor([3, 5])]), 0.5);
});

Deno.test("maskedRelativeError() of an empty mask is 0, or NaN on request", () => {
  assertEquals(assertFinite((x) => maskedRelativeError(x, [1], [0]), [tensor([NaN])]), 0);
  assert(Number.isNaN(maskedRelativeError([2], [1], [0], { emptyMask: "nan" }).item()));
});

testMisuse("maskedRelativeError", [
  [
    "an empty mask on request",
    () => maskedRelativeError([2], [1], [0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute maskedRelativeError as mask must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "row numbers in place of a mask",
    () => maskedRelativeError([2, 3, 4], [1, 1, 1], [0, 2, 1]),
    RangeError,
    "Cannot compute maskedRelativeError as mask must hold only zeros and ones: " +
    "current value at position 1 is 2",
  ],
  [
    "an unknown denominator",
    () => maskedRelativeError([2], [1], [1], { denominator: "absolute" as never }),
    TypeError,
    "Cannot compute maskedRelativeError as denominator must be one of signed, abs: " +
    "current value is absolute",
  ],
  [
    "a negative epsilon",
    () => maskedRelativeError([2], [1], [1], { epsilon: -1 }),
    RangeError,
    "Cannot compute maskedRelativeError as epsilon must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an unknown option",
    () => maskedRelativeError([2], [1], [1], { eps: 1 } as never),
    TypeError,
    "Cannot compute maskedRelativeError as there is no option eps: did you mean epsilon? " +
    "The options are epsilon, denominator, emptyMask",
  ],
]);
