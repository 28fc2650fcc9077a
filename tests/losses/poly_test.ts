import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { crossEntropyLoss, polyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import { checkGolden } from "../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import golden from "../golden/poly.json" with { type: "json" };
import {
  assertAllZero,
  assertFinite,
  assertReductions,
  assertSame,
  ignoreOff,
  testMisuse,
} from "./laws.ts";

Deno.test("polyLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.poly!);
});

Deno.test("polyLoss() with ε = 0 is the cross entropy", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const kept = ignoreOff(labels, mask, -100);
      for (const reduction of ["mean", "sum", "none"] as const) {
        const poly = polyLoss(logits, kept, { epsilon: 0, ignoreIndex: -100, reduction });
        assertSame(poly, crossEntropyLoss(logits, kept, { reduction }));
      }
    }),
    RUNS,
  );
});

Deno.test("polyLoss() adds ε times the mean of what probability is missing", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(-1, 5), ({ logits, labels }, epsilon) => {
      const own = logits.softmax({ axis: 1 }).takeAlongAxis(labels.expandDims(1), { axis: 1 });
      const missing = own.mean().neg().add(1);
      const expected = crossEntropyLoss(logits, labels).add(missing.mul(epsilon));
      assertAllClose(polyLoss(logits, labels, { epsilon }), expected, { atol: 1e-12 });
      assertGreaterOrEqual(polyLoss(logits, labels, { epsilon }).item(), 0);
    }),
    RUNS,
  );
});

Deno.test("polyLoss() has the reductions of its positions' losses", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const kept = ignoreOff(labels, mask, 9);
      const count = mask.sum().item();
      assertReductions(
        (reduction) => polyLoss(logits, kept, { ignoreIndex: 9, reduction }),
        count,
      );
      assertEquals(polyLoss(logits, kept, { ignoreIndex: 9, reduction: "none" }).shape, mask.shape);
    }),
    RUNS,
  );
});

Deno.test("polyLoss() does not depend on the order of the batch", () => {
  const cases = classCases().chain((c) =>
    fc.tuple(fc.constant(c), permutations(c.labels.shape[0]!))
  );
  fc.assert(
    fc.property(cases, ([{ logits, labels }, order]) => {
      assertSame(polyLoss(logits.gather(order), labels.gather(order)), polyLoss(logits, labels));
    }),
    RUNS,
  );
});

Deno.test("polyLoss() gives ignored positions gradient 0, whatever their logits", () => {
  const loss = (z: Tensor) => polyLoss(z, [1, -1], { ignoreIndex: -1 });
  const logits = tensor([[0, 0], [NaN, Infinity]]);
  assertFinite(loss, [logits]);
  assertAllZero(grad(loss)(logits).slice(1));
});

Deno.test("polyLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(-1, 5), ({ logits, labels, mask }, epsilon) => {
      const kept = ignoreOff(labels, mask, -1);
      const loss = (z: Tensor) => polyLoss(z, kept, { epsilon, ignoreIndex: -1 });
      checkGradients(loss, [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("polyLoss() keeps its digits where the true class is nearly certain, in float32", () => {
  // −log p + (1 − p) is 2 (1 − p) there.
  assertAllClose(polyLoss([[14, 0]], [0]), 2 * Math.exp(-14), { rtol: 1e-6 });
});

Deno.test("polyLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
  for (const epsilon of [-1, 0, 2]) {
    assertFinite((z) => polyLoss(z, [0, 1, 0], { epsilon }), [logits]);
  }
});

Deno.test("polyLoss() of ignored labels alone and of nothing is 0, or what emptyMask says", () => {
  const of = (emptyMask: "zero" | "nan" | "error") => (z: Tensor) =>
    polyLoss(z, [-1], { ignoreIndex: -1, emptyMask });
  assertEquals(assertFinite(of("zero"), [tensor([[3, 4]])]), 0);
  assertEquals(of("nan")(tensor([[3, 4]])).item(), NaN);
  assertEquals(polyLoss(zeros([0, 2]), zeros([0], { dtype: "int32" })).item(), 0);
});

testMisuse("polyLoss", [
  [
    "shapes that do not fit",
    () => polyLoss(zeros([1, 2, 3]), zeros([1, 2])),
    TypeError,
    "Cannot compute polyLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2, 3] and [1, 2]",
  ],
  [
    "an ε that rewards mistakes",
    () => polyLoss([[1, 2]], [0], { epsilon: -1.5 }),
    RangeError,
    "Cannot compute polyLoss as epsilon must be a finite number at least -1: " +
    "current value is -1.5",
  ],
  [
    "an unknown reduction",
    () => polyLoss([[1, 2]], [0], { reduction: "max" as never }),
    TypeError,
    "Cannot compute polyLoss as reduction must be one of mean, sum, none: current value is max",
  ],
  [
    "nothing to count where that is an error",
    () => polyLoss([[1, 2]], [9], { ignoreIndex: 9, emptyMask: "error" }),
    RangeError,
    "Cannot compute polyLoss as labels must select at least one entry: 0 of 1 are selected; " +
    'emptyMask "zero" or "nan" allows this',
  ],
  [
    "an unknown option",
    () => polyLoss([[1, 2]], [0], { eps: 2 } as never),
    TypeError,
    "Cannot compute polyLoss as there is no option eps: did you mean epsilon? The options are " +
    "epsilon, ignoreIndex, reduction, emptyMask",
  ],
]);
