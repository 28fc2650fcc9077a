import { cosineSimilarity, grad, type Tensor } from "@cellgrad/cellgrad";
import { elasticCellSimilarityLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import golden from "../golden/ecs.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { cellCases, f64, reorder } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("elasticCellSimilarityLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ cell_emb }, { threshold }) => elasticCellSimilarityLoss(cell_emb, { threshold }),
  );
});

Deno.test("elasticCellSimilarityLoss() has a threshold of 0.3 by default", () => {
  const cells = f64([[1, 0], [3, 4]]);
  assertSame(elasticCellSimilarityLoss(cells), 1 - (2 * 0.09 + 2 * 0.09) / 4);
});

Deno.test("elasticCellSimilarityLoss() lies between its bounds", () => {
  fc.assert(
    fc.property(cellCases(), gridNumbers(0, 1), ({ cells }, threshold) => {
      const loss = elasticCellSimilarityLoss(cells, { threshold }).item();
      assert(loss <= 1 && loss >= 1 - Math.max(threshold, 1 - threshold) ** 2 - 1e-12);
    }),
    RUNS,
  );
});

Deno.test("elasticCellSimilarityLoss() is invariant to rotation and order", () => {
  fc.assert(
    fc.property(cellCases(), ({ cells, order, rotation }) => {
      const loss = elasticCellSimilarityLoss(cells);
      assertSame(elasticCellSimilarityLoss(reorder(cells, order).matmul(rotation)), loss);
    }),
    RUNS,
  );
});

Deno.test("elasticCellSimilarityLoss() is invariant to the length of each embedding", () => {
  fc.assert(
    fc.property(floats([4, 2]), floats([4, 1], 0.1, 9), (cells, lengths) => {
      assertSame(elasticCellSimilarityLoss(cells.mul(lengths)), elasticCellSimilarityLoss(cells));
    }),
    RUNS,
  );
});

function similarityAfterStep(cells: Tensor, threshold: number): [before: number, after: number] {
  const gradient = grad((x: Tensor) => elasticCellSimilarityLoss(x, { threshold }))(cells);
  const similarity = (x: Tensor) => cosineSimilarity(x).data[1]!;
  return [similarity(cells), similarity(cells.sub(gradient.mul(0.01)))];
}

Deno.test("elasticCellSimilarityLoss() draws pairs above the threshold together", () => {
  const [before, after] = similarityAfterStep(f64([[1, 0], [3, 4]]), 0.5);
  assertGreater(after, before);
});

Deno.test("elasticCellSimilarityLoss() pushes pairs below the threshold apart", () => {
  const [before, after] = similarityAfterStep(f64([[1, 0], [3, 4]]), 0.7);
  assertLess(after, before);
});

Deno.test("elasticCellSimilarityLoss() of a single cell is 1 − θ² with gradient 0", () => {
  const cell = f64([[1, 2]]);
  assertSame(elasticCellSimilarityLoss(cell, { threshold: 0.8 }), 0.36);
  assertAllZero(grad((x: Tensor) => elasticCellSimilarityLoss(x))(cell));
});

Deno.test("elasticCellSimilarityLoss() gives a cell of zeros a gradient of exactly 0", () => {
  const cells = f64([[1, 2], [0, 0], [2, 1]]);
  const gradient = grad((x: Tensor) => elasticCellSimilarityLoss(x))(cells);
  assertEquals([...gradient.data.subarray(2, 4)].map(Math.abs), [0, 0]);
  assertGreater(Math.abs(gradient.data[0]!), 0);
});

Deno.test("elasticCellSimilarityLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(floats([4, 3], 0.2, 3), gridNumbers(0, 1), (cells, threshold) => {
      checkGradients((x) => elasticCellSimilarityLoss(x, { threshold }), [cells], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("elasticCellSimilarityLoss() is finite for extreme cells", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [0, 0], [1e4, -1e4], [1e-8, 0], [-1e4, 1e4]]).cast(dtype);
    assertFinite((x) => elasticCellSimilarityLoss(x), [cells]);
  }
});

testMisuse("elasticCellSimilarityLoss", [
  [
    "embeddings that are no matrix",
    () => elasticCellSimilarityLoss([1, 2]),
    TypeError,
    "Cannot compute elasticCellSimilarityLoss as cellEmbeddings must have the shape " +
    "[cells, features]: current shape is [2]",
  ],
  [
    "no cells",
    () => elasticCellSimilarityLoss(f64(new Float64Array(0)).reshape([0, 3])),
    TypeError,
    "Cannot compute elasticCellSimilarityLoss as cellEmbeddings must hold at least one cell: " +
    "current shape is [0, 3]",
  ],
  [
    "a threshold above 1",
    () => elasticCellSimilarityLoss([[1]], { threshold: 1.5 }),
    RangeError,
    "Cannot compute elasticCellSimilarityLoss as threshold must be a finite number at least 0 " +
    "and at most 1: current value is 1.5",
  ],
  [
    "an unknown option",
    () => elasticCellSimilarityLoss([[1]], { escThreshold: 0.8 } as never),
    TypeError,
    "Cannot compute elasticCellSimilarityLoss as there is no option escThreshold: did " +
    "you mean threshold? The options are threshold",
  ],
]);
