import { eye, full, grad } from "@cellgrad/cellgrad";
import { shannonDiversityLoss, simpsonDiversityLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, RUNS } from "../arbitraries.ts";
import { checkGolden } from "../golden/golden.ts";
import shannon from "../golden/shannon_diversity.json" with { type: "json" };
import simpson from "../golden/simpson_diversity.json" with { type: "json" };
import { cellCases, f64, reorder } from "./cells.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("shannonDiversityLoss() agrees with the golden vectors", () => {
  checkGolden(shannon, ({ assignments }) => shannonDiversityLoss(assignments));
});

Deno.test("simpsonDiversityLoss() agrees with the golden vectors", () => {
  checkGolden(simpson, ({ assignments }) => simpsonDiversityLoss(assignments));
});

Deno.test("shannonDiversityLoss() lies in [0, log K]", () => {
  fc.assert(
    fc.property(cellCases(), ({ shares }) => {
      const loss = shannonDiversityLoss(shares).item();
      assert(loss >= 0 && loss <= Math.log(3) + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("simpsonDiversityLoss() lies in [1/K, 1]", () => {
  fc.assert(
    fc.property(cellCases(), ({ shares }) => {
      const loss = simpsonDiversityLoss(shares).item();
      assert(loss >= 1 / 3 - 1e-12 && loss <= 1);
    }),
    RUNS,
  );
});

Deno.test("diversity losses reach their limits at one-hot and uniform rows", () => {
  const [decided, open] = [eye(4, { dtype: "float64" }), full([2, 4], 0.25, { dtype: "float64" })];
  assertSame(shannonDiversityLoss(decided), 0);
  assertSame(shannonDiversityLoss(open), Math.log(4));
  assertSame(simpsonDiversityLoss(decided), 1);
  assertSame(simpsonDiversityLoss(open), 0.25);
});

Deno.test("diversity losses of a single cluster are 0 and 1", () => {
  const single = full([3, 1], 1, { dtype: "float64" });
  assertSame(shannonDiversityLoss(single), 0);
  assertSame(simpsonDiversityLoss(single), 1);
});

Deno.test("diversity losses go in opposite directions", () => {
  const [less, more] = [f64([[0.8, 0.2]]), f64([[0.6, 0.4]])];
  assertLess(shannonDiversityLoss(less).item(), shannonDiversityLoss(more).item());
  assertGreater(simpsonDiversityLoss(less).item(), simpsonDiversityLoss(more).item());
});

Deno.test("diversity losses do not depend on the order of cells or clusters", () => {
  fc.assert(
    fc.property(cellCases(), ({ shares, order }) => {
      const mixed = reorder(reorder(shares, order).transpose(), [2, 0, 1]).transpose();
      assertSame(shannonDiversityLoss(mixed), shannonDiversityLoss(shares));
      assertSame(simpsonDiversityLoss(mixed), simpsonDiversityLoss(shares));
    }),
    RUNS,
  );
});

Deno.test("shannonDiversityLoss() has the gradient 18.4/n at 0", () => {
  const gradient = grad(shannonDiversityLoss)([[1, 0], [0, 1]]);
  assertAllClose(gradient, [[-0.5, Math.log(1e8) / 2], [Math.log(1e8) / 2, -0.5]]);
});

Deno.test("diversity losses have right gradients of first and second order", () => {
  fc.assert(
    fc.property(cellCases(), ({ shares }) => {
      checkGradients((a) => shannonDiversityLoss(a), [shares], { order: 2 });
      checkGradients((a) => simpsonDiversityLoss(a), [shares], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("diversity losses are finite for extreme assignments", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const allowed = f64([[1, 0, 0], [1e-30, 1, 1e-8], [-9e-4, 1, 0]]).cast(dtype);
    assertFinite((a) => shannonDiversityLoss(a), [allowed]);
    assertFinite((a) => simpsonDiversityLoss(a), [allowed]);
    const extreme = f64([[1, 0, 0], [0, 0, 0], [1e-30, 1e4, 1e-8]]).cast(dtype);
    assertFinite((a) => shannonDiversityLoss(a, { check: false }), [extreme]);
    assertFinite((a) => simpsonDiversityLoss(a, { check: false }), [extreme]);
  }
});

Deno.test("diversity losses keep the element type", () => {
  const shares = f64([[0.5, 0.5]]).cast("float32");
  assertEquals(shannonDiversityLoss(shares).dtype, "float32");
  assertEquals(simpsonDiversityLoss(shares).dtype, "float32");
});

testMisuse("shannonDiversityLoss", [
  [
    "assignments that are no matrix",
    () => shannonDiversityLoss([0.5, 0.5]),
    TypeError,
    "Cannot compute shannonDiversityLoss as assignments must have the shape [cells, clusters]: " +
    "current shape is [2]",
  ],
  [
    "no cells",
    () => shannonDiversityLoss(f64(new Float64Array(0)).reshape([0, 2])),
    TypeError,
    "Cannot compute shannonDiversityLoss as assignments must hold at least one cell: " +
    "current shape is [0, 2]",
  ],
]);

testMisuse("simpsonDiversityLoss", [
  [
    "assignments that are no matrix",
    () => simpsonDiversityLoss([[[0.5, 0.5]]]),
    TypeError,
    "Cannot compute simpsonDiversityLoss as assignments must have the shape [cells, clusters]: " +
    "current shape is [1, 1, 2]",
  ],
]);
