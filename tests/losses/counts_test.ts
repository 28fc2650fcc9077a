/** Likelihoods of counts against values of 60 digits (make_counts_fixture.py). */
import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import * as cg from "../../mod.ts";
import { negativeBinomialLoss, zinbLoss } from "../../src/losses/mod.ts";
import { countCases, countValues, partsOf } from "./counts_cases.ts";

/** Below the smallest normal float32, digits are lost; and so much a float64 may be off. */
const TINY = 2 ** -126;

function assertDigits(found: number, expected: number, digits: number, what: unknown): void {
  const limit = digits * Math.abs(expected) + TINY;
  assertLessOrEqual(Math.abs(found - expected), limit, `${found} at ${what}: ${expected}`);
}

for (const dtype of ["float32", "float64"] as const) {
  const digits = dtype === "float32" ? 1e-6 : 3e-7;
  Deno.test(`losses of counts have the digits of ${dtype} for every dispersion and count`, () => {
    for (const { loss, inputs, expected } of countValues()) {
      const found = loss(...inputs.map((v) => cg.tensor([v], { dtype }))).item();
      assertDigits(found, expected, digits, inputs);
    }
  });

  for (const { name, f, inputs, expected } of countCases(dtype)) {
    Deno.test(`gradients of ${name} have its digits, compiled too`, async () => {
      await using program = await cg.compile(f as (...xs: cg.Tensor[]) => cg.Tensor[], inputs);
      for (const gradients of [f(...inputs), await program(...inputs)]) {
        gradients.slice(1).forEach((g, i) =>
          expected[i]!.forEach((wanted, at) => {
            const row = inputs.map((x) => x.data[at]!);
            const single = 1e-4 * Math.abs(wanted) + 5e-7 * partsOf(i, inputs.length > 3, row);
            const limit = (dtype === "float32" ? single : digits * Math.abs(wanted)) + TINY;
            const error = Math.abs(g.data[at]! - wanted);
            assertLessOrEqual(error, limit, `${g.data[at]} at ${i} of ${row}: ${wanted}`);
          })
        );
      }
    });
  }
}

Deno.test("negativeBinomialLoss() of a large dispersion is Poisson's, and the slope has its sign", () => {
  const slope = cg.grad((theta: cg.Tensor) => negativeBinomialLoss([2], [2], theta));
  for (const theta of [1e5, 1e6, 1e8]) {
    assertAlmostEquals(negativeBinomialLoss([2], [2], [theta]).item(), 1.3068528, 1e-4);
    assertAlmostEquals(slope([theta]).item() * theta ** 2, -1, 1e-3);
  }
});

Deno.test("losses of counts pass infinite means on as infinity", () => {
  assertEquals(negativeBinomialLoss([0, 3], [Infinity, 1], [1, 2]).item(), Infinity);
  assertEquals(negativeBinomialLoss([3], [Infinity], [2]).item(), Infinity);
});

Deno.test("losses of counts pass NaN on from each argument", () => {
  const [x, y] = [cg.tensor([0, 2]), cg.tensor([NaN, 1])];
  for (const at of [0, 1, 2]) {
    const inputs = [0, 1, 2].map((i) => i === at ? y : x.add(1));
    assertEquals(negativeBinomialLoss(inputs[0]!, inputs[1]!, inputs[2]!).item(), NaN);
  }
  for (const at of [0, 1, 2, 3]) {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => i === at ? y : x);
    for (const zeroIndicator of ["hard", "soft"] as const) {
      assertEquals(zinbLoss(a!, b!, c!, d!, { zeroIndicator }).item(), NaN);
    }
  }
});
