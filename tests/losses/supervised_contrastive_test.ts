import { grad, ones, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { ntXentLoss, supervisedContrastiveLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/supervised_contrastive.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("supervisedContrastiveLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.supervised_contrastive!);
});

Deno.test("supervisedContrastiveLoss() has a temperature of 0.1 by default", () => {
  const cells = f64([[1, 0], [3, 0], [0, 2], [0, 1]]);
  const loss = supervisedContrastiveLoss(cells, [0, 0, 1, 1]);
  assertSame(loss, Math.log1p(2 * Math.exp(-10)));
});

/** The definition, cell by cell, of cosines. */
function byDefinition(cells: Tensor, labels: Tensor, temperature: number): number {
  const [rows, y] = [cells.toArray() as number[][], [...labels.data]];
  const length = (a: number[]) => Math.max(1e-12, Math.hypot(...a));
  const similarity = (i: number, j: number) =>
    rows[i]!.reduce((s, a, k) => s + a * rows[j]![k]!, 0) / length(rows[i]!) / length(rows[j]!) /
    temperature;
  const all = y.map((_, i) => i);
  const losses = all.flatMap((i) => {
    const others = all.filter((a) => a !== i);
    const positives = others.filter((p) => y[p] === y[i]);
    const total = Math.log(others.reduce((s, a) => s + Math.exp(similarity(i, a)), 0));
    if (positives.length === 0) return [];
    return [positives.reduce((s, p) => s + total - similarity(i, p), 0) / positives.length];
  });
  return losses.length === 0 ? 0 : losses.reduce((a, b) => a + b) / losses.length;
}

Deno.test("supervisedContrastiveLoss() is what its definition says", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0.1, 2), ({ cells, labels }, temperature) => {
      const loss = supervisedContrastiveLoss(cells, labels, { temperature });
      assertSame(loss, byDefinition(cells, labels, temperature));
    }),
    RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() lies between 0 and log(n − 1) + 2/τ", () => {
  fc.assert(
    fc.property(cellCases(2), gridNumbers(0.1, 2), ({ cells, labels }, temperature) => {
      const loss = supervisedContrastiveLoss(cells, labels, { temperature }).item();
      assert(loss >= 0 && loss <= Math.log(cells.shape[0]! - 1) + 2 / temperature + 1e-12);
    }),
    RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() is invariant to order, rotation and lengths", () => {
  const cases = cellCases().chain((c) =>
    floats([c.cells.shape[0]!, 1], 0.1, 9).map((lengths) => ({ ...c, lengths }))
  );
  fc.assert(
    fc.property(cases, ({ cells, labels, order, rotation, lengths }) => {
      const moved = reorder(cells.mul(lengths), order).matmul(rotation);
      const loss = supervisedContrastiveLoss(moved, reorder(labels, order));
      assertSame(loss, supervisedContrastiveLoss(cells, labels));
    }),
    RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() compares labels with each other only", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, labels }) => {
      const others = i32([...labels.data].map((label) => [2147483647, 0, 31][label]!));
      assertSame(
        supervisedContrastiveLoss(cells, others),
        supervisedContrastiveLoss(cells, labels),
      );
    }),
    RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() of two views, each with a label per cell, is ntXentLoss()", () => {
  fc.assert(
    fc.property(floats([3, 2]), floats([3, 2]), gridNumbers(0.1, 2), (a, b, temperature) => {
      const cells = f64([...a.toArray() as number[][], ...b.toArray() as number[][]]);
      const loss = supervisedContrastiveLoss(cells, [5, 3, 9, 5, 3, 9], { temperature });
      assertSame(loss, ntXentLoss(a, b, { temperature }));
    }),
    RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() is log(n − 1) where all cells are alike", () => {
  assertSame(
    supervisedContrastiveLoss(ones([5, 2], { dtype: "float64" }), [1, 1, 1, 2, 3]),
    Math.log(4),
  );
});

Deno.test("supervisedContrastiveLoss() is 0 with gradient 0 where no cell has a positive", () => {
  for (const [cells, labels] of [[f64([[1, 2]]), [0]], [f64([[1, 2], [3, 1]]), [0, 4]]] as const) {
    const [value, gradient] = valueAndGrad((x: Tensor) => supervisedContrastiveLoss(x, labels))(
      cells,
    );
    assertSame(value, 0);
    assertAllZero(gradient);
  }
});

Deno.test("supervisedContrastiveLoss() draws cells of a label together", () => {
  const [cells, labels] = [f64([[1, 0], [1, 1], [0, 1], [-1, 1]]), [0, 0, 1, 1]];
  const f = (x: Tensor) => supervisedContrastiveLoss(x, labels);
  assertLess(f(cells.sub(grad(f)(cells).mul(0.01))).item(), f(cells).item());
});

Deno.test("supervisedContrastiveLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(floats([5, 2], 0.2, 3), gridNumbers(0.3, 2), (cells, temperature) => {
      const f = (x: Tensor) => supervisedContrastiveLoss(x, [0, 1, 0, 1, 7], { temperature });
      checkGradients(f, [cells], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("supervisedContrastiveLoss() is finite for extreme cells and temperatures", () => {
  const labels = [0, 0, 1, 1, 0, 7];
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [0, 0], [1e4, -1e4], [1e-8, 0], [-1e4, 1e4], [0, 0]]).cast(
      dtype,
    );
    for (const temperature of [1e-6, 1e-3, 1e6, 1e30]) {
      assertFinite((x) => supervisedContrastiveLoss(x, labels, { temperature }), [cells]);
    }
  }
});

Deno.test("supervisedContrastiveLoss() keeps its value at a temperature near 0", () => {
  const cells = f64([[1, 0], [0, 1], [1, 1]]).cast("float32");
  const loss = supervisedContrastiveLoss(cells, [0, 0, 1], { temperature: 1e-3 });
  assertLess(Math.abs(loss.item() / (1000 * Math.SQRT1_2) - 1), 1e-6);
});

Deno.test("supervisedContrastiveLoss() of two opposite cells of a label is 0 at any temperature", () => {
  const cells = f64([[1, 0], [-1, 0]]);
  for (const temperature of [1e-3, 1, 1e3]) {
    assertSame(supervisedContrastiveLoss(cells, [3, 3], { temperature }), 0);
  }
});

Deno.test("supervisedContrastiveLoss() gives a cell of zeros a steep gradient", () => {
  const cells = f64([[0, 0], [1, 1], [1, 0]]);
  const gradient = grad((x: Tensor) => supervisedContrastiveLoss(x, [0, 0, 1]))(cells);
  assertGreater(Math.abs(gradient.data[0]!), 1e10);
});

testMisuse("supervisedContrastiveLoss", [
  [
    "embeddings that are no matrix",
    () => supervisedContrastiveLoss([1, 2], [0, 1]),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as embeddings must have the shape " +
    "[cells, features]: current shape is [2]",
  ],
  [
    "no cells",
    () => supervisedContrastiveLoss(f64(new Float64Array(0)).reshape([0, 3]), []),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as embeddings must hold at least one cell: " +
    "current shape is [0, 3]",
  ],
  [
    "labels of other cells",
    () => supervisedContrastiveLoss([[1], [2]], [0]),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as embeddings and labels must have the same " +
    "number of cells: current values are 2 and 1",
  ],
  [
    "labels that are no vector",
    () => supervisedContrastiveLoss([[1], [2]], [[0], [1]]),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as labels must have the shape [cells]: " +
    "current shape is [2, 1]",
  ],
  [
    "negative labels",
    () => supervisedContrastiveLoss([[1], [2]], [0, -1]),
    RangeError,
    "Cannot compute supervisedContrastiveLoss as labels must be in [0, 2147483647]: " +
    "current value at position 1 is -1",
  ],
  [
    "labels that are no whole numbers",
    () => supervisedContrastiveLoss([[1], [2]], [0, 0.5]),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as labels must be whole numbers (int32): " +
    "current value at position 1 is 0.5",
  ],
  [
    "a temperature of 0",
    () => supervisedContrastiveLoss([[1]], [0], { temperature: 0 }),
    RangeError,
    "Cannot compute supervisedContrastiveLoss as temperature must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "an unknown option",
    () => supervisedContrastiveLoss([[1]], [0], { tau: 1 } as never),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as there is no option tau: did you mean " +
    "temperature? The options are temperature",
  ],
  [
    "an argument too many",
    () => (supervisedContrastiveLoss as (...x: unknown[]) => unknown)([[1]], [0], {}, 1),
    TypeError,
    "Cannot compute supervisedContrastiveLoss as it takes nothing after options: " +
    "current value is 1",
  ],
]);
