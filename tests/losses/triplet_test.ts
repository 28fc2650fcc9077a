import { grad, type Tensor, valueAndGrad, zeros } from "@cellgrad/cellgrad";
import { tripletLoss, type TripletOptions } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, RUNS } from "../arbitraries.ts";
import golden from "../golden/triplet.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

const MINING = ["all", "hard", "semiHard"] as const;
const minings = fc.constantFrom(...MINING);

Deno.test("tripletLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.triplet!);
});

Deno.test("tripletLoss() has a margin of 1 and takes all triplets by default", () => {
  const [cells, labels] = [f64([[0], [2], [3], [9], [1.5]]), [0, 0, 1, 2, 2]];
  assertEquals(
    tripletLoss(cells, labels).item(),
    tripletLoss(cells, labels, { margin: 1, mining: "all" }).item(),
  );
  assertEquals(tripletLoss([[0], [2], [3], [9]], [0, 0, 1, 2]).item(), 2);
});

/** The definition, triplet by triplet. */
function byDefinition(cells: Tensor, labels: Tensor, margin: number, mining: string): number {
  const [rows, y] = [cells.toArray() as number[][], [...labels.data]];
  const d = (i: number, j: number) => Math.hypot(...rows[i]!.map((a, k) => a - rows[j]![k]!));
  const all = y.map((_, i) => i);
  const terms = all.flatMap((a) => {
    const positives = all.filter((p) => p !== a && y[p] === y[a]);
    const negatives = all.filter((n) => y[n] !== y[a]);
    if (mining === "hard") {
      if (positives.length === 0 || negatives.length === 0) return [];
      const far = Math.max(...positives.map((p) => d(a, p)));
      const near = Math.min(...negatives.map((n) => d(a, n)));
      return [Math.max(0, far - near + margin)];
    }
    return positives.flatMap((p) =>
      negatives
        .filter((n) => d(a, n) < d(a, p) + margin && (mining === "all" || d(a, p) < d(a, n)))
        .map((n) => d(a, p) - d(a, n) + margin)
    );
  });
  return terms.length === 0 ? 0 : terms.reduce((a, b) => a + b) / terms.length;
}

for (const mining of MINING) {
  Deno.test(`tripletLoss() of ${mining} triplets is what its definition says`, () => {
    fc.assert(
      fc.property(cellCases(), gridNumbers(0, 3), ({ cells, labels }, margin) => {
        const loss = tripletLoss(cells, labels, { margin: margin + 1e-5, mining });
        assertSame(loss, byDefinition(cells, labels, margin + 1e-5, mining));
      }),
      { ...RUNS, numRuns: 200 },
    );
  });

  Deno.test(`tripletLoss() of ${mining} triplets is right where distances are equal`, () => {
    const cases = fc.record({
      cells: integers([6, 1], -2, 2),
      labels: integers([6], 0, 2),
      margin: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(cases, ({ cells, labels, margin }) => {
        const places = cells.cast("float64");
        const loss = tripletLoss(places, labels, { margin, mining });
        assertSame(loss, byDefinition(places, labels, margin, mining));
      }),
      { ...RUNS, numRuns: 200 },
    );
  });
}

Deno.test("tripletLoss() is invariant to order, rotation and place, and scales with both units", () => {
  fc.assert(
    fc.property(cellCases(), minings, ({ cells, labels, order, rotation }, mining) => {
      const loss = tripletLoss(cells, labels, { margin: 0.50001, mining });
      const moved = reorder(cells.add(2), order).matmul(rotation);
      const there = tripletLoss(moved, reorder(labels, order), { margin: 0.50001, mining });
      assertSame(there, loss);
      assertSame(tripletLoss(cells.mul(4), labels, { margin: 2.00004, mining }), loss.mul(4));
    }),
    RUNS,
  );
});

Deno.test("tripletLoss() compares labels with each other only", () => {
  fc.assert(
    fc.property(cellCases(), minings, ({ cells, labels }, mining) => {
      const others = i32([...labels.data].map((label) => [2147483647, 0, 31][label]!));
      assertSame(tripletLoss(cells, others, { mining }), tripletLoss(cells, labels, { mining }));
    }),
    RUNS,
  );
});

Deno.test("tripletLoss() of semi-hard triplets is below the margin", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0, 3), ({ cells, labels }, margin) => {
      const loss = tripletLoss(cells, labels, { margin, mining: "semiHard" }).item();
      assert(loss >= 0 && (loss < margin || loss === 0));
    }),
    RUNS,
  );
});

Deno.test("tripletLoss() is 0 with gradient 0 where there is no triplet", () => {
  const cells = f64([[1, 2], [3, 1], [0, 1]]);
  for (const mining of MINING) {
    for (const labels of [[1, 1, 1], [0, 1, 2]]) {
      const f = (x: Tensor) => tripletLoss(x, labels, { mining });
      const [value, gradient] = valueAndGrad(f)(cells);
      assertEquals(value.item(), 0);
      assertAllZero(gradient);
    }
    assertEquals(tripletLoss([[1, 2]], [0], { mining }).item(), 0);
  }
});

Deno.test("tripletLoss() of hard triplets counts those that are apart as zeros", () => {
  const [cells, labels] = [f64([[0], [1], [1.5], [50], [51]]), [0, 0, 1, 2, 2]];
  const hard = (margin: number) => tripletLoss(cells, labels, { margin, mining: "hard" });
  assertSame(hard(1), (1 - 1.5 + 1 + 1 - 0.5 + 1) / 4);
});

Deno.test("tripletLoss() gives cells at the same place finite gradients", () => {
  const cells = f64([[1, 1], [1, 1], [1, 1], [2, 1]]);
  for (const mining of MINING) {
    assertFinite((x) => tripletLoss(x, [0, 0, 1, 1], { mining }), [cells]);
    assertAllZero(
      grad((x: Tensor) => tripletLoss(x, [0, 0, 1, 1], { mining }))(
        zeros([4, 2], { dtype: "float64" }),
      ),
    );
  }
});

Deno.test("tripletLoss() reaches nothing semi-hard with a margin below rounding", () => {
  const cells = f64([[0], [1e8], [1e8], [-1e8]]).cast("float32");
  const loss = tripletLoss(cells, [0, 0, 1, 1], { margin: 1e-3, mining: "semiHard" });
  assertEquals(loss.item(), 0);
});

Deno.test("tripletLoss() has right gradients of first and second order", () => {
  const labels = [0, 1, 0, 1, 7, 0];
  for (const mining of MINING) {
    fc.assert(
      fc.property(floats([6, 2]), gridNumbers(0.5, 3), (cells, margin) => {
        const f = (x: Tensor) => tripletLoss(x, labels, { margin: margin + 1e-5, mining });
        checkGradients(f, [cells], { order: 2, maxSkipped: 0.3 });
      }),
      FEW_RUNS,
    );
  }
});

Deno.test("tripletLoss() is finite for extreme cells", () => {
  const places = [[1e4, -1e4], [0, 0], [1e4, -1e4], [1e-8, 0], [-1e4, 1e4], [0, 0]];
  for (const dtype of ["float32", "float64"] as const) {
    for (const mining of MINING) {
      for (const margin of [0, 1e-3, 1e6]) {
        const options: TripletOptions = { margin, mining };
        assertFinite((x) => tripletLoss(x, [0, 0, 1, 1, 0, 1], options), [f64(places).cast(dtype)]);
      }
    }
  }
});

testMisuse("tripletLoss", [
  [
    "labels of other cells",
    () => tripletLoss([[1], [2]], [0]),
    TypeError,
    "Cannot compute tripletLoss as embeddings and labels must have the same number of cells: " +
    "current values are 2 and 1",
  ],
  [
    "negative labels",
    () => tripletLoss([[1], [2]], [0, -1]),
    RangeError,
    "Cannot compute tripletLoss as labels must be in [0, 2147483647]: " +
    "current value at position 1 is -1",
  ],
  [
    "a negative margin",
    () => tripletLoss([[1]], [0], { margin: -1 }),
    RangeError,
    "Cannot compute tripletLoss as margin must be a finite number at least 0: current value is -1",
  ],
  [
    "another mining",
    () => tripletLoss([[1]], [0], { mining: "semihard" as never }),
    TypeError,
    "Cannot compute tripletLoss as mining must be one of all, hard, semiHard: " +
    "current value is semihard",
  ],
  [
    "an unknown option",
    () => tripletLoss([[1]], [0], { typeOfTriplets: "hard" } as never),
    TypeError,
    "Cannot compute tripletLoss as there is no option typeOfTriplets: did you mean mining? " +
    "The options are margin, mining",
  ],
  [
    "an argument too many",
    () => (tripletLoss as (...x: unknown[]) => unknown)([[1]], [0], {}, 1),
    TypeError,
    "Cannot compute tripletLoss as it takes nothing after options: current value is 1",
  ],
]);
